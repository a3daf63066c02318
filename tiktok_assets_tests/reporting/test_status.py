"""The command `tiktok-assets status`, and the asset beside it: the same coverage, the same advice."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
import time_machine
from typer.testing import CliRunner, Result

from tiktok_assets.cli import output
from tiktok_assets.cli.app import app
from tiktok_assets.cli.status import _print_account
from tiktok_assets.curated.coverage.content_coach import VideoLists, since_last_list
from tiktok_assets.curated.coverage.coverage import COUNTED, nothing_covered
from tiktok_assets.reporting.status import AccountCoverage, AccountStatus, unknown_to_studio
from tiktok_assets.settings import Settings, load_settings, variable
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.session import Sessions, SessionState, SessionStatus
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, materialize
from tiktok_assets_tests.made_once import MadeOnce

FIRST, LAST = dt.date(2026, 8, 20), dt.date(2026, 9, 10)
DOWNLOADED = dt.datetime(2026, 9, 11, 18, tzinfo=dt.UTC)
# Ten days after the export: Studio has data until 20 September.
NOW = dt.datetime(2026, 9, 21, 18, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation of its own, with accounts pig1987 and zonea0 (handle zone.a0)."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text('[accounts.pig1987]\n[accounts.zonea0]\nhandle = "zone.a0"\n')
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(accounts))
    monkeypatch.setattr("tiktok_assets.pipeline.process.project_instance", fresh)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)
    return load_settings()


@pytest.fixture
def in_september(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """The computer's clock stands at ``NOW``, or goes where a test sends it; a wide terminal."""
    monkeypatch.setattr(output.out, "width", 1000)
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def visited(settings: Settings) -> Path:
    """Four exports of zonea0 in landing, of which 1 and 2 September are missing."""
    traits = Traits(gap=(dt.date(2026, 9, 1), dt.date(2026, 9, 2)))
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 6, 1), LAST, traits=traits)
    folder = Path(str(settings.landing)) / "zonea0"
    for export in studio_exports(account, FIRST, LAST, downloaded_at=DOWNLOADED):
        land(export, folder)
    return folder


def log_in(settings: Settings, account: str, days: int) -> None:
    expires = (NOW + dt.timedelta(days=days)).timestamp()
    cookies = [{"name": "sessionid", "value": "secret", "expires": expires}]
    Sessions.of(settings).save(account, {"cookies": cookies, "origins": []})


def process_visit(settings: Settings, made_once: MadeOnce) -> None:
    """Bring ``settings`` to four exports of zonea0 that were processed at ``NOW``, where the clock stands."""

    def make() -> None:
        visited(settings)
        run("process")

    made_once.fill(Path(str(settings.data_dir)), "processed in September", make)


@pytest.fixture
def processed(settings: Settings, in_september: time_machine.Traveller, made_once: MadeOnce) -> Settings:
    """An installation whose four exports of zonea0 were processed at ``NOW``."""
    process_visit(settings, made_once)
    return settings


@pytest.mark.usefixtures("processed")
def test_status_shows_coverage_and_what_to_export_until_when(settings: Settings) -> None:
    result = run("status", "zone.a0")
    assert result.exit_code == 1
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert lines[0] == "zonea0 (@zone.a0): login missing"
    table = {line.split()[0]: line.split()[1:] for line in lines[2:9]}
    assert table["overview"] == ["2026-08-20", "2026-09-10", "20", "12", "3", "2026-09-11"]
    assert table["follower_activity"][:4] == ["2026-09-04", "2026-09-10", "7", "10"]
    assert table["content"] == ["2026-09-11", "2026-09-11", "1", "—", "—", "2026-09-11"]
    assert lines[9] == (
        "Overview, viewers and follower history lack 12 days (2026-09-01 to 2026-09-02, 2026-09-11 to 2026-09-20). "
        "Follower activity lacks 7 days (2026-09-14 to 2026-09-20). "
        "Follower activity is only ever exported for the last 7 days. "
        "Numbers of 3 days (2026-09-08 to 2026-09-10) were exported before they were final."
    )
    assert lines[10] == (
        "  until 2026-09-21: In Studio's Analytics choose Last 28 days, Download data in each of the tabs Overview, "
        f"Viewers, Followers and Content, drop the ZIPs into {settings.landing}"
    )
    assert lines[11] == (
        "Follower activity of 3 days (2026-09-11 to 2026-09-13): lost for good, Studio exports only the last 7 days."
    )


@pytest.mark.usefixtures("processed")
def test_status_fits_into_80_columns(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output.out, "width", 80)
    log_in(settings, "zonea0", 2000)
    log_in(settings, "pig1987", 90)
    lines = [*run("status").stdout.splitlines(), *run("status", "--summary").stdout.splitlines()]
    commands = [line for line in lines if ": tiktok-assets extract" in line]  # in one line, to be copied
    assert commands
    assert [line for line in lines if len(line) > 80 and line not in commands] == []
    assert not any("…" in line for line in lines)


@pytest.mark.usefixtures("processed")
def test_the_summary_is_a_line_for_each_account_the_most_urgent_first() -> None:
    result = run("status", "--summary")
    assert result.exit_code == 1
    header, zonea0, pig1987 = (line.split() for line in result.stdout.splitlines())
    assert header == ["account", "login", "covered", "to", "missing", "waiting", "due", "before"]
    assert pig1987[:5] == [
        "pig1987",
        "missing",
        "—",
        "—",
        "0",
    ]  # it never had an export: nothing is known to be missing
    # 12 days of overview, viewers and follower history; the 10 of follower activity are among the last of them
    assert zonea0[:5] == ["zonea0", "missing", "2026-09-10", "12", "0"]
    assert zonea0[-1] == "2026-09-21"


@pytest.mark.usefixtures("processed")
def test_only_accounts_with_something_due_are_shown_where_that_is_wanted() -> None:
    assert [line.split()[0] for line in run("status", "--summary", "--only", "overdue").stdout.splitlines()] == [
        *("account", "zonea0", "pig1987")
    ]
    assert "zonea0" not in run("status", "--summary", "--only", "doubt").stdout


@pytest.mark.usefixtures("processed")
def test_lines_of_lists_that_cannot_be_used_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets, songs = tmp_path / "targets.csv", tmp_path / "songs.toml"
    targets.write_text("account,metric,month,target\nnobody,likes,2026-09,5\n")
    songs.write_text('[songs.s]\ntitle="S"\nartist="A"\nrelease_date=2026-09-01\nhashtags=["s"]\naccounts=["gone"]\n')
    monkeypatch.setenv(variable("targets_file"), str(targets))
    monkeypatch.setenv(variable("songs_file"), str(songs))
    said = " ".join(run("status", "--summary").stdout.split())
    assert "line 2: no account is called 'nobody'." in said
    assert "song 's': accounts: no account is called 'gone'." in said


def test_many_exports_for_one_reason_are_the_most_urgent_one_and_a_line(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    now = dt.datetime(2026, 9, 21, tzinfo=dt.UTC)
    lists = VideoLists(
        last=dt.date(2025, 9, 25),
        listed=15,
        posted_since=0,
        posted_on_known_days=15,
        first_post=dt.date(2025, 9, 18),
        recent_posts=15,
    )
    advice = list(since_last_list("zonea0", lists, now=now, max_days=365))
    assert len(advice) > 20 and advice[1].last == max(one.last for one in advice[1:])
    coverage = AccountCoverage(account="zonea0", reports=nothing_covered(), advice=advice, lost=[])
    session = SessionState(account="zonea0", standing=SessionStatus.VALID)
    _print_account(AccountStatus(handle="zone.a0", coverage=coverage, waiting=0, session=session), settings, now)
    shown = capsys.readouterr().out
    assert f"tiktok-assets extract zonea0 --from {advice[0].first} " in shown
    assert shown.count("tiktok-assets extract") == 1
    assert f"  then {len(advice) - 1} more such exports, of the days until {advice[1].last}; --json lists them" in shown
    assert next(line for line in shown.splitlines() if "overview" in line).split() == ["overview", *"——0———"]


def test_days_that_studio_has_no_number_of_are_a_sentence() -> None:
    days = frozenset({dt.date(2026, 9, 1), dt.date(2026, 9, 2)})
    covered = [dataclasses.replace(one, without_number=days) for one in nothing_covered() if one.report == "viewers"]
    assert unknown_to_studio(covered) == "Missing days that Studio itself has no number of: 2 of viewers."
    assert unknown_to_studio(nothing_covered()) is None


def test_nothing_is_to_be_done_the_day_after_an_export(
    settings: Settings, in_september: time_machine.Traveller
) -> None:
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 6, 1), LAST)
    for export in studio_exports(account, FIRST, LAST, downloaded_at=DOWNLOADED):
        land(export, Path(str(settings.landing)))
    run("process")
    in_september.move_to(DOWNLOADED + dt.timedelta(days=1))
    result = run("status", "zonea0")
    assert result.exit_code == 0, result.output
    assert "Nothing to export." in result.stdout


def test_with_a_login_the_advice_is_a_command_and_the_days_left_are_shown(processed: Settings) -> None:
    log_in(processed, "zonea0", days=30)
    shown = run("status", "zonea0").stdout
    assert "zonea0 (@zone.a0): login valid, expires in 30 days" in shown
    assert "until 2026-09-21: tiktok-assets extract zonea0 --from 2026-09-01 --to 2026-09-20 --refresh" in shown
    log_in(processed, "zonea0", days=-1)
    assert "tiktok-assets login zonea0, then tiktok-assets extract zonea0 --from" in run("status", "zonea0").stdout


@pytest.mark.usefixtures("in_september")
def test_status_counts_waiting_and_quarantined_files(settings: Settings, made_once: MadeOnce) -> None:
    folder = visited(settings)
    waiting = run("status").stdout
    assert "zonea0 (@zone.a0): login missing; 4 exports in landing not processed yet" in waiting
    assert "To process them: tiktok-assets process" in waiting
    process_visit(settings, made_once)
    (folder / "Overview_zone.a0.zip").write_bytes(b"PK\x03\x04 and no more")
    assert run("process").exit_code == 1
    drop(b"x", folder.parent, "Viewers_pig1987.zip")
    drop(b"x", folder.parent / "nobody", "Overview.csv")
    found = json.loads(run("status", "--json").stdout)
    assert [one["exports_waiting"] for one in found["accounts"]] == [0, 0]
    assert (found["files_waiting"], found["files_quarantined"]) == (2, 1)
    shown = run("status").stdout
    assert "2 files directly in landing or in the folder of an unknown account" in shown
    assert "1 file in quarantine" in shown
    now = settings.quarantine / "Overview_zone.a0.zip"
    assert (
        f"  zonea0/Overview_zone.a0.zip: is a damaged or incomplete ZIP. Export it again. It is now {now}.\n" in shown
    )


@pytest.mark.usefixtures("processed")
def test_status_prints_json_and_nothing_else() -> None:
    result = run("status", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["at"] == "2026-09-21T18:00:00+00:00"
    zonea0, empty = found["accounts"]
    assert (empty["account"], empty["session"], empty["session_days_left"]) == ("pig1987", "missing", None)
    unknown = {(one["days_missing"], one["days_without_number"], one["days_unsettled"]) for one in empty["reports"]}
    assert unknown == {(None, None, None)} and {one["days_covered"] for one in empty["reports"]} == {0}
    [first] = empty["advice"]
    assert first["sections"] == ["overview", "viewers", "followers", "content"]
    assert first["reason"].startswith("There is no export of this account yet.")
    overview, *_, content = zonea0["reports"]
    assert overview == {
        "report": "overview",
        "first": "2026-08-20",
        "last": "2026-09-10",
        "days_covered": 20,
        "days_missing": 12,
        "days_without_number": 0,
        "days_unsettled": 3,
        "missing": [
            {"first": "2026-09-01", "last": "2026-09-02"},
            {"first": "2026-09-11", "last": "2026-09-20"},
        ],
        "last_export": "2026-09-11T18:00:00+00:00",
    }
    assert (content["days_missing"], content["days_unsettled"]) == (None, None)
    assert [lost["is_permanent"] for lost in zonea0["lost"]] == [True]


def test_an_account_that_does_not_exist_is_refused(settings: Settings) -> None:
    result = run("status", "nobody")
    assert result.exit_code == 2
    assert "No account is called nobody. There are: pig1987, zonea0." in result.output


@pytest.mark.usefixtures("in_september")
def test_a_year_and_an_account_that_may_be_wrong_are_in_doubt_wherever_people_look(settings: Settings) -> None:
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 6, 1), LAST)
    overview, *_ = studio_exports(account, FIRST, LAST, downloaded_at=DOWNLOADED)
    file = drop(overview.members["Overview.csv"], Path(str(settings.landing)) / "zonea0", "Overview.csv")
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    stranger = SimulatedAccount.generate("other.one", 8, dt.date(2026, 6, 1), LAST)
    before = dt.timedelta(days=1)
    overview, *_ = studio_exports(stranger, FIRST, LAST - before, downloaded_at=DOWNLOADED - before)
    foreign = drop(overview.members["Overview.csv"], file.parent, "Views.csv")
    at = (DOWNLOADED - before).timestamp()
    os.utime(foreign, (at, at))
    contradiction = "Views.csv: its video views differ from those of Overview.csv on 15 of 18 days that both contain"
    doubt = "The year 2026 rests on the time of the file (2026-09-21), 11 days after its last row (September 10)"
    assert doubt in run("inspect", str(file)).output
    assert doubt in run("process").output
    shown = run("status", "zonea0").output
    assert f"look at: Overview.csv: {doubt}" in shown
    assert "or put a full date of its window into its name (2026-09-10)." in shown
    assert f"look at: {contradiction}" in shown
    assert run("report", "zonea0").exit_code == 0
    page = (Path(str(settings.data_dir)) / "reports" / "zonea0.html").read_text()
    assert f"<li><b>In doubt</b> Overview.csv: {doubt}" in page
    assert f"<li><b>In doubt</b> {contradiction}" in page
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        query = (
            "select date, table_name, sentence from data_quality where check_name = 'exports_are_dated' and not passed"
        )
        found = warehouse.execute(f"{query} order by date").fetchall()
    text = "The year 2026 of Overview.csv rests on the time of the file (2026-09-21), which may be that of a copy."
    assert [row[:2] for row in found] == [(dt.date(2026, month, 1), "staging/overview") for month in (8, 9)]
    assert all(row[2].startswith(text) for row in found)


def coverage_file(settings: Settings, month: dt.date) -> Path:
    return Path(str(Lake(settings).partition_file("curated", "coverage", "zonea0", month)))


@pytest.mark.usefixtures("in_september")
def test_a_run_stores_facts_and_shows_people_the_table_and_the_advice(settings: Settings) -> None:
    visited(settings)
    months = [dt.date(2026, 8, 1), dt.date(2026, 9, 1)]
    groups = ("raw", "staging", "curated")
    with fresh() as instance:
        result = materialize(settings, instance, *groups, accounts=["zonea0"], months=months)
    assert result.success
    rows = pl.read_parquet(coverage_file(settings, months[1]))
    assert rows["report"].to_list() == sorted(COUNTED)
    [overview] = rows.filter(report="overview").select("first_day", "last_day", "days_covered", "days_missing").rows()
    assert overview == (dt.date(2026, 9, 3), dt.date(2026, 9, 10), 8, 0)
    august, metadata = (one.metadata for one in result.asset_materializations_for_node("curated__coverage"))
    assert (august["dagster/row_count"].value, metadata["dagster/row_count"].value) == (7, 7)
    assert "| zonea0 | overview | 2026-08-20 | 2026-09-10 | 20 | 12 | 3 | 2026-09-11 |" in str(
        metadata["coverage"].value
    )
    advice = str(metadata["advice"].value)
    assert advice.startswith("- **zonea0, until 2026-09-21**: Overview, viewers and follower history lack 12 days")
    assert "- zonea0: Follower activity of 3 days" in advice
    assert metadata["exports_to_make"].value == 1


def test_the_rows_are_the_same_on_another_day(processed: Settings, in_september: time_machine.Traveller) -> None:
    before = [coverage_file(processed, month).read_bytes() for month in (dt.date(2026, 8, 1), dt.date(2026, 9, 1))]
    in_september.move_to(NOW + dt.timedelta(days=60))
    result = run("rebuild")
    assert "the same, row for row" in result.output
    assert before == [
        coverage_file(processed, month).read_bytes() for month in (dt.date(2026, 8, 1), dt.date(2026, 9, 1))
    ]
