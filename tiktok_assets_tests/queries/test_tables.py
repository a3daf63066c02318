"""Any table as a frame, and in a file: the right rows, in the right types, also while a run publishes."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import fastexcel
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner, Result

from tiktok_assets import read
from tiktok_assets.cli.app import app
from tiktok_assets.cli.export import FileFormat
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.account.account_daily import AccountDaily, SocialMediaStats
from tiktok_assets.curated.catalog import CATALOG
from tiktok_assets.curated.registry import TABLES, UnknownTable
from tiktok_assets.curated.videos.videos import ContentPerformance
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.queries import formats
from tiktok_assets.queries.formats import FORMATS, CannotWrite, encode
from tiktok_assets.queries.published import NoWarehouse
from tiktok_assets.queries.selection import CannotRead, source_of
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.queries.published_tables import publish, publish_all

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)


def march(day: int) -> dt.date:
    return dt.date(2026, 3, day)


def days(*views: tuple[str, int, int | None]) -> pl.DataFrame:
    """Days of March 2026: account, day, views, and nothing else."""
    rows = [
        {"platform": "tiktok", "account": account, "date": march(day), "video_views": one, "loaded_at": NOW}
        for account, day, one in views
    ]
    return conform(pl.DataFrame(rows, schema_overrides={"video_views": pl.Int64}), SocialMediaStats)


@pytest.fixture
def stats(settings: Settings) -> Settings:
    viral = TABLES["warehouse/viral_content"].schema.empty()
    publish(
        settings,
        social_media_stats=days(("zonea0", 3, 7), ("pig1987", 2, 200), ("zonea0", 1, 5), ("pig1987", 1, None)),
        viral_content=viral,
    )
    return settings


def views_of(settings: Settings, **selection: Any) -> list[tuple[Any, ...]]:
    return read("social_media_stats", columns=["account", "date", "video_views"], settings=settings, **selection).rows()


# --- read ------------------------------------------------------------------------------------------------------------


def test_rows_come_sorted_by_account_and_day_and_unknown_is_null(stats: Settings) -> None:
    assert views_of(stats) == [
        ("pig1987", march(1), None),
        ("pig1987", march(2), 200),
        ("zonea0", march(1), 5),
        ("zonea0", march(3), 7),
    ]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"accounts": ["@zone.a0"]}, [("zonea0", march(1), 5), ("zonea0", march(3), 7)]),
        ({"accounts": "pig1987", "since": "2026-03-02"}, [("pig1987", march(2), 200)]),
        ({"since": march(1), "until": march(1)}, [("pig1987", march(1), None), ("zonea0", march(1), 5)]),
        ({"until": "2026-02-28"}, []),
    ],
)
def test_accounts_and_days_select_rows_with_both_ends(
    stats: Settings, selection: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    assert views_of(stats, **selection) == expected


def test_every_table_has_the_types_of_its_schema(settings: Settings) -> None:
    publish_all(settings)
    lake = Lake(settings)
    for key, table in TABLES.items():
        empty = table.schema.empty()
        if table.layer != "warehouse":
            lake.write(lake.partition_file(table.layer, table.name, "pig1987", march(1)), empty)
        assert read(key, accounts=["pig1987"], since=march(1), settings=settings).schema == empty.schema, key


def test_every_view_is_read_by_its_account_and_day(settings: Settings) -> None:
    publish_all(settings)
    for name in (*VIEWS, CATALOG):
        source = source_of(name)
        if source.account is None:
            with pytest.raises(CannotRead, match=f"{name} has no rows of single accounts: leave out the accounts."):
                read(name, accounts=["pig1987"], settings=settings)
        accounts, since = ["pig1987"] if source.account else None, march(1) if source.day else None
        found = read(name, accounts=accounts, since=since, settings=settings)
        assert {source.account, source.day} - {None} <= set(found.columns)
        assert (found.height > 0) == (name == CATALOG)


def test_moments_are_utc(stats: Settings) -> None:
    assert read("social_media_stats", settings=stats)["loaded_at"].unique().to_list() == [NOW]


def test_a_range_is_compared_with_the_tables_own_day(settings: Settings) -> None:
    captured = [{"account": "pig1987", "video_id": str(day), "captured_on": march(day)} for day in (1, 2, 3)]
    publish(settings, content_performance=conform(pl.DataFrame(captured), ContentPerformance))
    found = read("content_performance", since=march(2), until=march(2), settings=settings)
    assert found["video_id"].to_list() == ["2"]


def test_a_table_of_the_lake_is_read_over_all_accounts_and_months(settings: Settings) -> None:
    lake = Lake(settings)
    for account, month, day in (("zonea0", 3, 4), ("pig1987", 3, 5), ("pig1987", 2, 6)):
        rows = pl.DataFrame({"account": [account], "date": [dt.date(2026, month, day)], "video_views": [day]})
        path = lake.partition_file("curated", "account_daily", account, dt.date(2026, month, 1))
        lake.write(path, conform(rows, AccountDaily))
    both = read("curated/account_daily", columns=["account", "date", "video_views"], settings=settings)
    assert both.rows() == [
        ("pig1987", dt.date(2026, 2, 6), 6),
        ("pig1987", march(5), 5),
        ("zonea0", march(4), 4),
    ]
    one = read("curated/account_daily", accounts=["pig1987"], since=march(1), until=march(5), settings=settings)
    assert one["video_views"].to_list() == [5]
    assert read("curated/account_daily", until=march(4), settings=settings)["video_views"].to_list() == [6, 4]


@pytest.mark.parametrize(
    ("table", "selection", "error", "message"),
    [
        (
            "social_media_stat",
            {},
            UnknownTable,
            "social_media_stat. Did you mean social_media_stats?",
        ),
        ("curated/videoz", {}, UnknownTable, "Did you mean curated/videos? There are: exports, "),
        ("raw/overview", {}, UnknownTable, "There is no table raw/overview."),
        ("social_media_stats", {"accounts": ["no"]}, CannotRead, "called no. There are: pig1987, zonea0."),
        ("social_media_stats", {"accounts": []}, CannotRead, "No account was named. There are: pig1987, zonea0; None"),
        ("social_media_stats", {"columns": ["views"]}, CannotRead, "has no column views. Did you mean video_views?"),
        ("social_media_stats", {"columns": []}, CannotRead, "No column was named."),
        ("social_media_stats", {"since": "1 March"}, CannotRead, "since='1 March' is not a day."),
        ("social_media_stats", {"until": NOW}, CannotRead, "is not a day. Give a date, or text as 2026-03-16."),
        ("social_media_stats", {"since": march(2), "until": march(1)}, CannotRead, "is after until 2026-03-01"),
        (CATALOG, {"since": march(1)}, CannotRead, "_columns has no days: leave out since and until."),
        ("curated/videos", {}, NoWarehouse, "there is no table curated/videos yet. Drop exports into "),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(
    stats: Settings, table: str, selection: dict[str, Any], error: type[ValueError], message: str
) -> None:
    with pytest.raises(error) as refused:
        read(table, **selection, settings=stats)
    assert message in str(refused.value)


def test_a_file_that_is_open_for_writing_is_named_with_the_remedy(stats: Settings) -> None:
    with (
        duckdb.connect(str(stats.warehouse)),
        pytest.raises(CannotRead, match=r"is open for writing elsewhere. Close it"),
    ):
        read("social_media_stats", settings=stats)


def test_a_connection_of_a_notebook_that_stays_open_does_not_hold_read_back(stats: Settings) -> None:
    with duckdb.connect(str(stats.warehouse), read_only=True) as notebook:
        assert len(views_of(stats)) == len(notebook.sql("from social_media_stats").fetchall()) == 4
        newer = stats.warehouse.with_name("newer")
        with duckdb.connect(str(newer)) as made:
            made.execute("create table social_media_stats (account varchar, date date, video_views bigint)")
        newer.replace(stats.warehouse)
        assert views_of(stats) == []


# Publishes the states 1 to 5: in each, every row holds the state's number, and there are as many rows.
WRITER = """
import sys
import time
from pathlib import Path
from tiktok_assets.storage.duckdb import Warehouse

for state in range(1, 6):
    with Warehouse(Path(sys.argv[1]), Path(sys.argv[2])).session() as session:
        session.connection.execute(
            "create or replace table social_media_stats as select 'pig1987' as account, date '2026-03-01' as date, "
            f"{state} as video_views from range({state})"
        )
        session.publish()
    print(state, flush=True)
"""


def test_what_is_read_while_another_process_publishes_is_always_one_published_state(settings: Settings) -> None:
    command = [sys.executable, "-c", WRITER, str(settings.working_warehouse), str(settings.warehouse)]
    seen = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "1\n"
        while not seen or (seen[-1] < 5 and writer.poll() in (None, 0)):
            found = read("social_media_stats", settings=settings)["video_views"].to_list()
            assert found == [found[0]] * found[0]
            seen.append(found[0])
            time.sleep(0.01)
    assert seen == sorted(seen)
    assert len(set(seen)) > 1
    assert seen[-1] == 5


# --- files -----------------------------------------------------------------------------------------------------------


def encoded(rows: pl.DataFrame, format: str) -> io.BytesIO:
    file = io.BytesIO()
    encode(rows, format, file, name="curated/videos")
    return io.BytesIO(file.getvalue())


ODD = pl.DataFrame(
    {
        "title": ["=1+1", "plain", None],
        "hashtags": [["a", "b"], [], None],
        "is_latest": [True, False, None],
        "date": [march(1), None, march(2)],
        "at": pl.Series([NOW, None, NOW], dtype=pl.Datetime("us", "UTC")),
        "views": [-1, None, 2**40],
        "rate": [0.5, None, 0.0],
    }
)


def test_parquet_keeps_every_type() -> None:
    assert_frame_equal(pl.read_parquet(encoded(ODD, "parquet")), ODD)


def test_csv_is_text_that_no_spreadsheet_runs() -> None:
    assert encoded(ODD, "csv").read().decode().splitlines() == [
        "title,hashtags,is_latest,date,at,views,rate",
        "'=1+1,a; b,true,2026-03-01,2026-03-10T12:00:00.000000+0000,-1,0.5",
        'plain,"",false,,,,',
        ",,,2026-03-02,2026-03-10T12:00:00.000000+0000,1099511627776,0.0",
    ]


def test_xlsx_has_numbers_days_and_moments_and_no_formula() -> None:
    sheet = fastexcel.read_excel(encoded(ODD, "xlsx").read()).load_sheet("videos").to_polars()
    assert sheet["title"].to_list() == ["=1+1", "plain", None]
    assert sheet["hashtags"].to_list() == ["a; b", None, None]
    assert sheet["is_latest"].to_list() == [True, False, None]
    assert sheet["date"].cast(pl.Date).to_list() == [march(1), None, march(2)]
    assert sheet["at"].to_list() == [NOW.replace(tzinfo=None), None, NOW.replace(tzinfo=None)]
    assert sheet["views"].to_list() == [-1, None, 2**40]
    assert sheet["rate"].to_list() == [0.5, None, 0.0]


@pytest.mark.parametrize("format", FORMATS)
def test_no_rows_are_a_header(format: str) -> None:
    file = encoded(ODD.clear(), format)
    readers = {
        "csv": pl.read_csv,
        "parquet": pl.read_parquet,
        "xlsx": lambda file: fastexcel.read_excel(file.read()).load_sheet(0).to_polars(),
    }
    found = readers[format](file)
    assert (found.height, found.columns) == (0, ODD.columns)


def test_text_longer_than_a_cell_is_refused_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "MOST_TEXT_OF_A_CELL", 4)
    with pytest.raises(CannotWrite, match="title has text of more than 4 characters, which a cell cannot hold"):
        encoded(ODD, "xlsx")


def test_the_sheet_of_every_table_has_a_name_that_excel_takes() -> None:
    names = [*(table.name for table in TABLES.values()), *VIEWS]
    assert [name for name in names if len(name) > 31 or set(name) & set("[]:*?/\\'")] == []


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(stats: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(stats.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(stats.accounts_file))
    monkeypatch.setenv("COLUMNS", "300")

    def invoke(*arguments: str | os.PathLike[str]) -> Result:
        return CliRunner().invoke(app, ["export", "table", *(os.fspath(argument) for argument in arguments)])

    return invoke


def test_a_table_is_written_to_standard_output_as_csv(run) -> None:
    result = run("social_media_stats", "--account", "zone.a0", "--since", "2026-03-02")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pl.read_csv(io.StringIO(result.stdout)).select("account", "date", "video_views").rows() == [
        ("zonea0", "2026-03-03", 7)
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_the_name_of_the_file_decides_its_format(run, tmp_path: Path, format: str) -> None:
    file = tmp_path / "out" / f"all.{format.upper()}"
    result = run("social_media_stats", "-o", file)
    assert (result.exit_code, result.stdout) == (0, f"{file}: 4 rows of 2 accounts, 2026-03-01 to 2026-03-03.\n")
    assert file.read_bytes()[:4] == {"csv": b"plat", "parquet": b"PAR1", "xlsx": b"PK\x03\x04"}[format]
    assert [one.name for one in file.parent.iterdir()] == [file.name]


def test_a_format_that_is_named_wins_over_the_name_of_the_file(run, tmp_path: Path) -> None:
    assert run("social_media_stats", "--format", "parquet", "-o", tmp_path / "days.txt").exit_code == 0
    assert pl.read_parquet(tmp_path / "days.txt").height == 4


def test_no_rows_are_headers_and_a_sentence_about_the_days_there_are(run) -> None:
    result = run("social_media_stats", "--account", "zonea0", "--since", "2027-01-01")
    assert result.exit_code == 0
    assert result.stdout.startswith("platform,account,") and result.stdout.count("\n") == 1
    assert result.stderr == (
        "social_media_stats has rows of zonea0 from 2026-03-01 to 2026-03-03, none in the days that were asked for.\n"
    )
    assert run("viral_content").stderr == "viral_content has no rows.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["social_media_stat"], "Did you mean social_media_stats?"),
        (["social_media_stats", "--account", "nobody"], "No account is called nobody. There are: pig1987, zonea0."),
        (["social_media_stats", "--since", "2026-02-30"], "there is no day 2026-02-30"),
        (["social_media_stats", "-o", "days.pdf"], "days.pdf: .pdf is not a supported format. Supported: .csv,"),
        (["curated/videos"], "there is no table curated/videos yet."),
    ],
)
def test_what_cannot_be_exported_ends_with_a_sentence_and_writes_nothing(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_a_write_that_fails_leaves_the_file_as_it_was(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "all.xlsx"
    file.write_bytes(b"what was there")
    monkeypatch.setattr(formats, "MOST_ROWS_OF_A_SHEET", 3)
    result = run("social_media_stats", "-o", file)
    assert result.exit_code == 2
    assert "4 rows do not fit into a sheet, whose limit is 3. Take fewer accounts or days, or" in result.stderr
    assert file.read_bytes() == b"what was there"


def test_exact_csv_keeps_text_that_begins_like_a_formula(settings: Settings, run) -> None:
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        warehouse.execute("update social_media_stats set handle = '=1+1' where account = 'zonea0'")
    assert "'=1+1" in run("social_media_stats").stdout
    assert "'=1+1" not in run("social_media_stats", "--exact").stdout


def test_the_formats_of_the_command_are_those_there_are() -> None:
    assert tuple(FileFormat) == FORMATS
