"""What the README claims: its commands exist, its queries run, its messages are ones that somebody can meet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.label.songs import load_songs
from tiktok_assets.settings import Settings
from tiktok_assets_tests.sql_pages import questions

ROOT = Path(__file__).parent.parent
# Half a year without gaps and late accounts, in which an effect is found on some days only.
NOT_IN_THE_DEMO = {
    *("Are we ahead of last year?", "When does posting pay?", "Which hashtags go with more views, or fewer?"),
    *("Which days are missing?", "Who is late?", "What was unusual in the last week?"),
}
README = (ROOT / "README.md").read_text()
SOURCES = "\n".join(path.read_text() for path in (ROOT / "tiktok_assets").rglob("*.py"))


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README))
    assert named <= targets
    assert {"demo", "dev", "test"} <= named


@pytest.mark.parametrize("words", sorted(set(re.findall(r"tiktok-assets ((?:[a-z-]+ ?)+)", README))))
def test_every_command_of_the_readme_exists(words: str) -> None:
    names = [
        word
        for word in words.split()
        if word
        in {
            *("login", "sessions", "extract", "process", "verify", "inspect", "accounts", "list", "add", "rebuild"),
            *("simulator", "export", "raw", "table", "status", "report", "as-of", "trace", "aggregate", "viral"),
            *("validate", "init", "statement", "media-kit", "schema-check", "migrate", "archive", "history", "prune"),
            *("compare", "digest", "failures", "forget", "demo", "dev", "remove", "songs", "suggest"),
        }
    ]
    assert names, f"{words!r} names no command"
    assert CliRunner().invoke(app, [*names, "--help"]).exit_code == 0


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target


def test_every_message_of_the_troubleshooting_table_is_in_the_source() -> None:
    table = README.split("## When something is wrong")[1].split("##")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    for message in [text for row in rows for text in re.findall(r"`([^`]+)`", row)]:
        parts = [part.strip() for part in re.split(r"\.\.\.|@name|2 times", message) if len(part.strip()) > 3]
        for part in parts:
            assert part in SOURCES.replace('"\n                "', "").replace('"\n            "', ""), part


def test_every_claim_of_the_page_on_security_names_its_test() -> None:
    protected = (ROOT / "docs/security.md").read_text().split("## Protected")[1].split("## Not protected")[0]
    claims = [line for line in protected.splitlines() if line.startswith("| ")][1:]
    assert claims
    for claim in claims:
        (named,) = re.findall(r"`([\w/]+\.py)::(test_\w+)`", claim)
        assert f"def {named[1]}(" in (ROOT / "tiktok_assets_tests" / named[0]).read_text(), claim


VARYING = ("hashtag_performance", "posting_times", "song_days", "song_videos", "song_weeks")
"""Tables of the demo with rows by month of a snapshot, or by video of the song."""


@pytest.mark.e2e
def test_the_demo_fills_every_table_and_is_gone_once_removed(tmp_path: Path) -> None:
    data, demo = tmp_path / "data", tmp_path / "data" / "demo"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))},
        "TIKTOK_DATA_DIR": str(data),
        "TIKTOK_INSIGHT_VIDEOS": "2",
        "TIKTOK_ACCOUNTS": "somebody",  # not the demo's
    }
    (data / "landing" / "mine").mkdir(parents=True)
    (data / "landing" / "mine" / "Overview.zip").write_bytes(b"a real export")

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tiktok_assets.cli.app", "demo", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environment | more, capture_output=True, text=True, check=False)

    first = run()
    assert first.returncode == 0, first.stdout + first.stderr
    shown = dict(re.findall(r"^(\w+)\s+([\d,]+)\s+2$", README, re.MULTILINE))
    counted = dict(re.findall(r"^(\w+)\s+([\d,]+)\s+2\s*$", first.stdout, re.MULTILINE))
    assert "saved again" not in first.stdout
    assert set(shown) == set(counted)
    rows = {name: (int(text.replace(",", "")), int(counted[name].replace(",", ""))) for name, text in shown.items()}
    # A half-year touches six or seven months, the snapshots of its last 60 days two or three; and each day other
    # invented videos are of the song.
    assert {
        name: (told, found)
        for name, (told, found) in rows.items()
        if not (told / 2 <= found <= told * 2 if name in VARYING else abs(told - found) <= max(2, told / 5))
    } == {}
    assert 360 <= int(counted["social_media_stats"]) <= 370  # 180 days, and those that one report has alone
    (command,) = re.findall(r"With any command: +(.*)", first.stdout)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = environment | {"PATH": path, "TIKTOK_ACCOUNTS": ""}
    status = subprocess.run(command, shell=True, env=own, capture_output=True, text=True, check=False)
    assert (status.returncode, status.stdout.count("Nothing to export.")) == (0, 2), status.stdout + status.stderr
    queries = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)[0].strip().split(";\n")
    with duckdb.connect(str(demo / "warehouse/tiktok.duckdb"), read_only=True) as warehouse:
        answers = [warehouse.sql(query.rstrip(";")).fetchall() for query in queries]
        restated = {one.text: one.query.replace("'data/", f"'{demo}/") for one in questions().values()}
        unanswered = [text for text, query in restated.items() if not warehouse.sql(query).fetchall()]
        tables = [name for (name,) in warehouse.sql("select table_name from information_schema.tables").fetchall()]
        empty = [name for name in tables if warehouse.sql(f"select * from {name} limit 1").fetchall() == []]
    assert len(answers[0]) == int(counted["social_media_stats"])
    assert len(answers[1]) > 0
    assert {*tables} == {*shown, "song_streams", *VIEWS, "_columns"}
    assert empty == []
    assert set(unanswered) <= NOT_IN_THE_DEMO
    front = (demo / "reports/index.html").read_text()
    assert (front.count("<polyline"), front.count(" data-attention>")) == (2, 0)
    page = "".join((demo / f"reports/{account}.html").read_text() for account in ("pig1987", "zonea0"))
    for account in ("pig1987", "zonea0"):
        assert all(f'id="{chart}-{account}"' in page for chart in ("views", "followers", "posting", "activity"))
    template = (ROOT / "tiktok_assets/reporting/page.html").read_text()
    without_rows = re.findall(r"{% else %}\n(?:<section><h2>Numbers</h2>)?<p>([^<{]+)</p>", template)
    assert len(without_rows) >= 5
    assert {text for text in without_rows if text in page} == {"None was found."}  # of data problems
    (query,) = re.findall(r"In DuckDB: +\S+ -c \"(.*)\"", first.stdout)
    answer = subprocess.run([sys.executable, "-c", query], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "video_views" in answer.stdout
    assert list((demo / "state/dagster").rglob("*.db"))
    assert not (demo / "state/sessions/pig1987.json").exists()

    again = run("--account", "solo", TIKTOK_INSIGHT_VIDEOS="0")
    assert again.returncode == 0, again.stdout + again.stderr
    assert tomllib.loads((demo / "accounts.toml").read_text())["accounts"].keys() == {"solo"}
    assert {path.name for path in (demo / "landing").iterdir()} == {"solo", "streams"}

    assert run("remove").returncode == 0
    assert [path for path in data.rglob("*") if path.is_file()] == [data / "landing" / "mine" / "Overview.zip"]


def test_the_songs_of_the_readme_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(\[songs\..*?)```", README, re.DOTALL)
    (tmp_path / "songs.toml").write_text(example)
    (song,) = load_songs(Settings(songs_file=tmp_path / "songs.toml"))
    assert (song.key, song.hashtags) == ("summer-nights", ("summernights",))
