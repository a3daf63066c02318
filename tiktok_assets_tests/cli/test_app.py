"""The command line, as a person uses it: output, JSON, exit codes. Files and tables are real, in a temp folder."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from tiktok_assets.cli import output
from tiktok_assets.cli.app import app, main
from tiktok_assets.cli.history import _print_columns, _print_rows
from tiktok_assets.inbox import intake, quarantine
from tiktok_assets.pipeline import rebuild as rebuilding
from tiktok_assets.simulator.account import SimulatedAccount, Traits
from tiktok_assets.simulator.exports import GeneratedExport, land, studio_export, studio_exports
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.made_once import MadeOnce

LAST = dt.date(2026, 3, 10)
FIRST = dt.date(2026, 2, 20)
DOWNLOADED = dt.datetime(2026, 3, 11, 18, tzinfo=dt.UTC)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own: the data folder, with accounts pig1987 and zonea0 (handle zone.a0)."""
    accounts = tmp_path / "accounts.toml"
    accounts.write_text('# our accounts\n[accounts.pig1987]\n\n[accounts.zonea0]\nhandle = "zone.a0"  # a dot\n')
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(accounts))
    monkeypatch.setattr("tiktok_assets.pipeline.process.project_instance", fresh)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.chdir(tmp_path)  # commands that change the folder are undone with the test
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def drop(data: Path, handle: str = "zone.a0") -> list[Path]:
    account = SimulatedAccount.generate(handle, 7, dt.date(2026, 1, 1), LAST)
    return [land(export, data / "landing") for export in studio_exports(account, FIRST, LAST, downloaded_at=DOWNLOADED)]


SAID = "said.txt"
"""In the data folder, where no command looks: what `process` printed."""


@pytest.fixture
def processed(data: Path, made_once: MadeOnce) -> Path:
    """``data`` with the exports of zonea0 processed, by `process --json`."""

    def make() -> None:
        drop(data)
        result = run("process", "--json")
        assert result.exit_code == 0
        (data / SAID).write_text(result.stdout)

    made_once.fill(data, "processed by the command", make)
    return data


@pytest.fixture
def overview_processed(data: Path, made_once: MadeOnce) -> GeneratedExport:
    """``data`` with an overview of zonea0 processed, by `process`, and nothing else."""
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 1, 1), LAST)
    export = studio_export(account, "overview", FIRST, LAST, downloaded_at=DOWNLOADED)

    def make() -> None:
        land(export, data / "landing")
        result = run("process")
        assert result.exit_code == 0
        (data / SAID).write_text(result.output)

    made_once.fill(data, "an overview processed by the command", make)
    return export


def test_process_loads_new_exports_into_the_warehouse_and_says_so(data: Path) -> None:
    drop(data)
    page = data / "reports" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    result = run("process")
    assert result.exit_code == 0, result.output
    outdated = f"The pages in {page.parent} are older than these tables. To write them again: tiktok-assets report"
    assert outdated in result.output.splitlines()
    assert "zonea0" in result.output
    assert "2026-02 to 2026-03" in result.output
    again = run("process")
    assert again.exit_code == 0
    assert "Nothing new in" in again.output and outdated not in again.output


def test_process_exits_with_1_and_names_a_quarantined_file(data: Path) -> None:
    good = drop(data)[0]
    (data / "landing" / "Viewers_pig1987.zip").write_bytes(good.read_bytes()[:100])
    result = run("process")
    assert result.exit_code == 1
    assert "quarantined: Viewers_pig1987.zip: is a damaged or incomplete ZIP" in result.output
    assert "zonea0" in result.output
    assert (data / "quarantine" / "Viewers_pig1987.zip.json").exists()
    assert "The pages in" not in result.output  # there are none


def test_process_prints_json_and_nothing_else(processed: Path) -> None:
    found = json.loads((processed / SAID).read_text())
    assert [account["account"] for account in found["accounts"]] == ["zonea0"]
    assert found["accounts"][0]["exports"] == 4
    assert found["intake"]["rejected"] == []


def test_inspect_describes_a_file_with_the_evidence(data: Path) -> None:
    overview = drop(data)[0]
    [found] = json.loads(run("inspect", "--json", str(overview)).stdout)
    assert (found["product"], found["account"], found["problem"]) == ("studio", "zonea0", None)
    assert found["window"] == ["2026-02-20", "2026-03-10"]
    assert found["downloaded_at_evidence"] == "zip_stamp"
    [table] = found["tables"]
    assert (table["report"], table["rows"], table["language"], table["year_evidence"]) == (
        "overview",
        19,
        "en",
        "zip_stamp",
    )
    assert (
        "19 rows, 2026-02-20 to 2026-03-10 (year from zip_stamp), language en" in run("inspect", str(overview)).output
    )
    deeper = data / "landing" / "zonea0" / "april" / "raw" / "Overview.zip"
    deeper.parent.mkdir(parents=True)
    deeper.write_bytes(overview.read_bytes())
    [found] = json.loads(run("inspect", "--json", str(deeper)).stdout)
    assert (found["account"], found["account_problem"]) == ("zonea0", None)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Overview_zone.a0.zip", b"PK\x03\x04 and no more", "broken_file"),
        ("page.zip", b"<!doctype html><html>Log in</html>", "broken_file"),
        ("Table data.csv", b"Content,Video title,Video publish time,Views\nx,y,z,1\n", "foreign_file"),
        ("Overview.csv", b'"Date","Video Views"\n"March 1","many"\n', "unreadable_value"),
    ],
)
def test_inspect_works_on_a_broken_file(data: Path, tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    result = run("inspect", "--json", str(path))
    [found] = json.loads(result.stdout)
    assert result.exit_code == 1
    assert found["problem"] == reason
    assert name in found["message"]
    assert found["bytes"] == len(content)
    assert reason in run("inspect", str(path)).output


def test_inspect_of_a_missing_file_is_a_sentence(data: Path) -> None:
    result = run("inspect", "nowhere.zip")
    assert result.exit_code == 1
    assert "nowhere.zip" in result.output
    assert "Traceback" not in result.output


def test_rebuild_reports_a_table_that_was_tampered_with(processed: Path) -> None:
    [march] = (processed / "staging/overview/account=zonea0").glob("date=2026-03-01/data.parquet")
    rows = pl.read_parquet(march)
    rows.with_columns(video_views=pl.col("video_views") + 1).write_parquet(march)
    result = run("rebuild", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["differences"] == [
        {"table": "staging/overview", "only_before": rows.height, "only_after": rows.height}
    ]
    assert pl.read_parquet(march).equals(rows)


def test_rebuild_keeps_the_tables_that_a_run_of_dagster_has_made_meanwhile(
    processed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that waited when the rebuild began goes first, and leaves nothing to do."""
    process_alone = rebuilding.process_alone

    def after_another_run(*arguments: Any, **options: Any) -> Any:
        process_alone(*arguments, **options)
        return process_alone(*arguments, **options)

    monkeypatch.setattr(rebuilding, "process_alone", after_another_run)
    assert "The lake rebuilt from landing is the same, row for row." in run("rebuild").output
    assert (processed / "warehouse/tiktok.duckdb").is_file()


def test_rebuild_that_fails_leaves_the_lake_as_it_was(processed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path: path.read_bytes() for path in processed.rglob("*.parquet")}

    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("tiktok_assets.pipeline.process.take_in", broken)
    result = run("rebuild")
    assert isinstance(result.exception, OSError)
    assert {path: path.read_bytes() for path in processed.rglob("*.parquet")} == before


def test_as_of_prints_what_fits_into_the_terminal_and_all_columns_on_request(
    processed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output.out, "width", 80)
    lines = run("as-of", "2026-03-20").stdout.splitlines()
    assert lines[0].split()[:4] == ["account", "date", "video_views", "unique_viewers"]
    assert max(map(len, lines)) <= 80
    header = run("as-of", "2026-03-20", "--columns").stdout.splitlines()[0].split()
    assert {"virality_rate", "export_id", "platform", "loaded_at"} <= set(header)


@pytest.mark.parametrize("accounts", [1, 2, 3, 70])
def test_as_of_prints_the_newest_rows_of_every_account(capsys: pytest.CaptureFixture[str], accounts: int) -> None:
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(90)]
    names = [f"a{number}" for number in range(accounts)]
    rows = pl.DataFrame({"account": [name for name in names for _ in days], "date": days * accounts})
    _print_rows(rows, all_columns=True)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    each = max(1, 60 // accounts)
    assert lines == [[name, str(day)] for name in names for day in days[-each:]]


def test_columns_wider_than_a_terminal_are_printed_below_each_other(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = [("label", "text", "", "file and row"), ("2026-03-01", "x" * 20, "won", "a.zip, row 1")]
    _print_columns(lines, width=40)
    assert capsys.readouterr().out.splitlines() == [
        "- label: 2026-03-01",
        f"  text: {'x' * 20}",
        "  won",
        "  file and row: a.zip, row 1",
    ]
    _print_columns(lines, width=80)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_as_of_says_why_it_is_empty(processed: Path) -> None:
    early = run("as-of", "2026-03-01", "--account", "zonea0").stderr
    assert "Nothing was known then: the first export of zonea0 was downloaded at 2026-03-11" in early
    assert f"No export of pig1987 is stored. Drop exports into {processed / 'landing'}" in (
        run("as-of", "2026-03-20", "--account", "pig1987").stderr
    )
    none = run("as-of", "2026-03-20", "--table", "posting_times").stderr
    assert "The exports downloaded until then hold no rows of posting_times." in none


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        ("20.3.2026", "'20.3.2026' is not a day. Write year-month-day, for example 2026-03-16."),
        ("2026-02-30", "there is no day 2026-02-30 in the calendar."),
    ],
)
def test_what_is_no_day_is_refused_with_the_way_to_write_one(data: Path, day: str, reason: str) -> None:
    for arguments in (["trace", "zonea0", day, "likes"], ["extract", "--from", day], ["extract", "--to", day]):
        refused = run(*arguments)
        assert refused.exit_code == 2
        assert reason in refused.output


def test_an_unknown_metric_names_each_of_the_known_ones_once(processed: Path) -> None:
    message = run("trace", "zonea0", "2026-03-01", "nothing").output
    assert message.count("net_followers") == 1
    names = message.partition("Of a day: ")[2].partition(";")[0].split(", ")
    assert len(names) == len(set(names)) > 20


def test_raw_rows_are_exported_as_ndjson_with_text_and_provenance(overview_processed: GeneratedExport) -> None:
    lines = run("export", "raw", "--format", "ndjson", "--account", "zonea0").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 19
    assert (rows[0]["report"], rows[0]["Date"], rows[0]["date_label"]) == ("overview", "February 20", "2026-02-20")
    assert rows[0]["Video Views"] == str(overview_processed.expected["overview"][0]["video_views"])
    assert rows[18]["row_number"] == 19


def test_export_raw_of_an_unknown_report_names_the_known_ones(data: Path) -> None:
    result = run("export", "raw", "--report", "likes")
    assert result.exit_code == 2
    assert "No report is called likes" in result.output
    assert "follower_territories" in result.output


def test_accounts_are_listed_added_and_removed_with_comments_kept(data: Path, tmp_path: Path) -> None:
    assert (
        "Drop its exports into"
        in run("accounts", "add", "mylabel", "--handle", "my.label", "--business-id", "7001").output
    )
    listed = json.loads(run("accounts", "list", "--json").stdout)
    assert [(account["key"], account["handle"]) for account in listed] == [
        ("pig1987", "pig1987"),
        ("zonea0", "zone.a0"),
        ("mylabel", "my.label"),
    ]
    table = run("accounts", "list").output
    assert "@my.label" in table
    assert "7001" in table
    assert run("accounts", "remove", "mylabel").exit_code == 0
    written = (tmp_path / "accounts.toml").read_text()
    assert "mylabel" not in written
    assert "# our accounts" in written
    assert "# a dot" in written


def test_adding_an_account_that_exists_is_a_sentence_and_exit_code_2(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["tiktok-assets", "accounts", "add", "pig1987"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    message = capsys.readouterr().err
    assert "pig1987" in message
    assert "Traceback" not in message


def test_main_prints_what_it_quarantined_once_and_logs_nothing(
    data: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (intake, quarantine):
        caplog.set_level(module.log.level, logger=module.__name__)  # main raises it: put back with the test
    bad = data / "landing" / "notes.csv"
    bad.parent.mkdir(parents=True)
    bad.write_text("no export")
    monkeypatch.setattr("sys.argv", ["tiktok-assets", "process"])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    assert capsys.readouterr().out.count("quarantined: notes.csv") == 1
    assert [record for record in caplog.records if record.name.startswith("tiktok_assets")] == []


def test_a_new_account_that_the_environment_excludes_is_pointed_out(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ACCOUNTS", "pig1987")
    assert "TIKTOK_ACCOUNTS does not list it" in run("accounts", "add", "mylabel").output


@pytest.mark.parametrize(
    "command",
    [
        ("process",),
        ("inspect",),
        ("rebuild",),
        ("simulator",),
        ("accounts", "list"),
        ("accounts", "add"),
        ("accounts", "remove"),
        ("export", "raw"),
        ("sessions",),
        ("sessions", "forget"),
        ("extract",),
        ("status",),
        ("report",),
        ("as-of",),
        ("trace",),
    ],
)
def test_every_command_has_help_with_an_example(command: tuple[str, ...]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Example:" in result.output


def test_a_rebuild_that_would_lose_an_account_is_refused_and_changes_nothing(processed: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in processed.rglob("*") if path.suffix in (".parquet", ".zip")}
    (tmp_path / "accounts.toml").write_text("[accounts.pig1987]\n")
    result = run("rebuild")
    assert result.exit_code == 2
    assert "not in use: zonea0" in result.output
    assert {path: path.read_bytes() for path in processed.rglob("*") if path.suffix in (".parquet", ".zip")} == before


def test_a_rebuild_without_any_file_in_landing_is_refused_and_changes_nothing(processed: Path) -> None:
    before = {path: path.read_bytes() for path in processed.rglob("*.parquet")}
    (processed / "landing").rename(processed / "unmounted")
    result = run("rebuild")
    assert result.exit_code == 2
    assert "No export of zonea0 is left" in result.output and "Check that the disk is mounted" in result.output
    assert {path: path.read_bytes() for path in processed.rglob("*.parquet")} == before
    assert (processed / "warehouse" / "tiktok.duckdb").exists()


def test_a_handle_that_changed_costs_a_rebuild_no_row(processed: Path, tmp_path: Path) -> None:
    (tmp_path / "accounts.toml").write_text('[accounts.pig1987]\n[accounts.zonea0]\nhandle = "brand.new"\n')
    result = run("rebuild", "--json")
    found = json.loads(result.stdout)
    assert found["result"]["intake"]["rejected"] == []
    assert any("previous_handles" in text for text in found["result"]["accounts"][0]["warnings"])
    assert [one for one in found["differences"] if one["only_before"] != one["only_after"]] == []


def test_a_rebuild_that_was_killed_is_undone_by_the_next_which_makes_the_same_lake(processed: Path) -> None:
    aside = processed / "state" / "before-rebuild"
    aside.mkdir()
    (processed / "raw").rename(aside / "raw")
    (processed / "state" / "warehouse.duckdb").rename(aside / "warehouse.duckdb")
    result = run("rebuild")
    assert result.exit_code == 0, result.output
    assert "the same, row for row" in result.output
    assert not aside.exists()


@pytest.mark.usefixtures("overview_processed")
def test_reports_without_rows_are_named_and_are_no_failure(data: Path) -> None:
    said = (data / SAID).read_text()
    assert "no export has rows of" in said
    assert "viewers" in said
    assert "missing days" not in said


def test_missing_days_are_named(data: Path) -> None:
    traits = Traits(gap=(dt.date(2026, 3, 1), dt.date(2026, 3, 2)))
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 1, 1), LAST, traits=traits)
    land(studio_export(account, "overview", FIRST, LAST, downloaded_at=DOWNLOADED), data / "landing")
    assert "days are missing in overview" in run("process").output


def test_raw_rows_of_an_account_that_does_not_exist_are_refused(data: Path) -> None:
    result = run("export", "raw", "--account", "nobody")
    assert result.exit_code == 2
    assert "No account is called nobody. There are: pig1987, zonea0." in result.output


def test_inspect_of_a_folder_asks_for_its_files(data: Path, tmp_path: Path) -> None:
    result = run("inspect", str(tmp_path))
    assert result.exit_code == 1
    assert "is a folder: name the files in it" in result.output


def test_a_warning_of_a_check_is_printed_and_is_no_failure(data: Path) -> None:
    traits = Traits(follower_drop=dt.date(2026, 3, 5))
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 1, 1), LAST, traits=traits)
    for section in ("overview", "followers"):
        land(studio_export(account, section, FIRST, LAST, downloaded_at=DOWNLOADED), data / "landing")
    result = run("process")
    assert result.exit_code == 0, result.output
    assert "1 to look at" in result.output
    assert "look at: zonea0, 5 March 2026: Followers fell from" in result.output
