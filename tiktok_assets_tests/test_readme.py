"""What the README claims: its commands exist, its queries run, its messages are ones that somebody can meet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app

ROOT = Path(__file__).parent.parent
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
            *("login", "sessions", "extract", "process", "inspect", "accounts", "list", "add", "rebuild"),
            *("simulator", "export", "raw", "status", "report", "as-of", "trace", "aggregate", "viral", "validate"),
            *("init", "schema-check", "migrate", "archive", "history", "prune", "forget"),
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


@pytest.mark.e2e
def test_the_demo_fills_the_tables_and_the_readmes_queries_answer(tmp_path: Path) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))},
        "TIKTOK_DATA_DIR": str(tmp_path / "data"),
        "TIKTOK_INSIGHT_VIDEOS": "2",
    }
    command = [sys.executable, "-m", "tiktok_assets.cli.demo"]
    first = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert first.returncode == 0, first.stdout + first.stderr
    shown = dict(re.findall(r"^(\w+)\s+([\d,]+)\s+2$", README, re.MULTILINE))
    counted = dict(re.findall(r"^(\w+)\s+([\d,]+)\s+2\s*$", first.stdout, re.MULTILINE))
    assert set(shown) == set(counted)
    assert 360 <= int(counted["social_media_stats"]) <= 370  # 180 days, and those that only one report contains
    queries = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)[0].strip().split(";\n")
    with duckdb.connect(str(tmp_path / "data/warehouse/tiktok.duckdb"), read_only=True) as warehouse:
        answers = [warehouse.execute(query.rstrip(";")).fetchall() for query in queries]
    assert len(answers[0]) == int(counted["social_media_stats"])
    assert len(answers[1]) > 0

    again = subprocess.run(
        command, cwd=ROOT, env=environment | {"TIKTOK_INSIGHT_VIDEOS": "1"}, capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stdout + again.stderr
    (tmp_path / "data/landing/pig1987/Overview_mine.zip").write_bytes(b"a real export")
    refused = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Overview_mine.zip" in refused.stdout
    removed = subprocess.run(
        [*command, "--remove"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert not list((tmp_path / "data/landing").rglob("*pig1987.zip"))
