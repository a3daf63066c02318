"""What scripts and notebooks import from the package's top level: all accounts in one file, videos that take off."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from polars.testing import assert_frame_equal
from typer.testing import CliRunner, Result

import tiktok_assets
from tiktok_assets import aggregate_accounts, detect_viral_trends
from tiktok_assets.cli.app import app
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.account.account_daily import SocialMediaStats
from tiktok_assets.curated.videos.videos import ContentPerformance
from tiktok_assets.queries import formats
from tiktok_assets.queries.formats import CannotWrite
from tiktok_assets.queries.published import NoWarehouse
from tiktok_assets.queries.selection import CannotRead
from tiktok_assets.queries.viral import SCHEMA
from tiktok_assets.settings import Settings
from tiktok_assets_tests.queries.published_tables import publish

DAY = dt.date(2026, 3, 1)
NOW = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)


def days(account: str, *views: int | None) -> pl.DataFrame:
    """Days of one account, of which only views and anomalies are known."""
    rows = [
        {"platform": "tiktok", "account": account, "date": DAY + dt.timedelta(days=at), "video_views": one}
        for at, one in enumerate(views)
    ]
    reported = pl.DataFrame(rows).with_columns(
        loaded_at=pl.lit(NOW), anomalies=pl.Series([["a", "b"], *([None] * (len(views) - 1))], dtype=pl.List(pl.String))
    )
    return conform(reported.with_columns(video_views=pl.col("video_views").cast(pl.Int64)), SocialMediaStats)


@pytest.fixture
def stats(settings: Settings) -> Settings:
    rows = pl.concat([days("zonea0", 5, None, 7), days("pig1987", 100, 200)])
    publish(settings, social_media_stats=rows)
    return settings


# --- the package -----------------------------------------------------------------------------------------------------


def test_the_functions_are_imported_only_on_use() -> None:
    code = """
import sys, tiktok_assets
heavy = {"dagster", "duckdb", "polars", "pandera", "playwright", "fastexcel", "xlsxwriter", "typer", "rich"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert {"aggregate_accounts", "detect_viral_trends", "read", "validate_staging_data"} <= set(dir(tiktok_assets))
from tiktok_assets import aggregate_accounts
from tiktok_assets import detect_viral_trends
from tiktok_assets import read
from tiktok_assets import validate_staging_data
assert not {"dagster", "playwright", "fastexcel", "xlsxwriter"} & set(sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (loaded.returncode, loaded.stderr) == (0, "")


def test_a_name_the_package_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'aggregate'"):
        tiktok_assets.aggregate  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


# --- aggregate_accounts ----------------------------------------------------------------------------------------------


def test_one_file_holds_one_row_per_account_and_day(stats: Settings, tmp_path: Path) -> None:
    path = tmp_path / "out" / "all.parquet"
    rows = aggregate_accounts(None, path, settings=stats)
    assert rows.select("account", "date", "video_views").rows() == [
        ("pig1987", DAY, 100),
        ("pig1987", DAY + dt.timedelta(days=1), 200),
        ("zonea0", DAY, 5),
        ("zonea0", DAY + dt.timedelta(days=1), None),
        ("zonea0", DAY + dt.timedelta(days=2), 7),
    ]
    assert set(rows.columns) == set(SocialMediaStats.to_schema().columns)
    assert_frame_equal(pl.read_parquet(path), rows)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_in_csv_unknown_is_empty_and_lists_are_text(stats: Settings, tmp_path: Path) -> None:
    path = tmp_path / "all.CSV"
    aggregate_accounts(["zonea0"], path, settings=stats)
    read = pl.read_csv(path)
    assert read["video_views"].to_list() == [5, None, 7]
    assert read["anomalies"].to_list() == ["a; b", None, None]


def test_in_xlsx_numbers_are_numbers_and_unknown_is_empty(stats: Settings, tmp_path: Path) -> None:
    path = tmp_path / "all.xlsx"
    aggregate_accounts(["@zone.a0"], path, settings=stats)
    sheet = fastexcel.read_excel(path).load_sheet("social_media_stats").to_polars()
    assert sheet["video_views"].to_list() == [5, None, 7]
    assert sheet["account"].unique().to_list() == ["zonea0"]
    assert sheet["date"].cast(pl.Date).to_list()[0] == DAY


def test_one_name_is_one_account_and_not_its_letters(stats: Settings, tmp_path: Path) -> None:
    assert aggregate_accounts("pig1987", tmp_path / "a.csv", settings=stats).height == 2


@pytest.mark.parametrize(
    ("accounts", "name", "message"),
    [
        (["nobody", "pig1987"], "a.csv", "No account is called nobody. There are: pig1987, zonea0."),
        ([], "a.csv", "No account was named. There are: pig1987, zonea0; None selects all."),
        (None, "a.json", ".json is not a supported format. Supported: .csv, .parquet, .xlsx."),
        (None, "a", "a name without suffix is not a supported format."),
    ],
)
def test_an_unsupported_request_is_refused_and_writes_nothing(
    stats: Settings, tmp_path: Path, accounts: list[str] | None, name: str, message: str
) -> None:
    with pytest.raises((CannotRead, CannotWrite)) as refused:
        aggregate_accounts(accounts, tmp_path / "out" / name, settings=stats)
    assert message in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_more_rows_than_a_sheet_holds_are_refused_and_the_old_file_stays(
    stats: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "all.xlsx"
    path.write_bytes(b"what was there")
    monkeypatch.setattr(formats, "MOST_ROWS_OF_A_SHEET", 4)
    with pytest.raises(
        CannotWrite, match=r"social_media_stats: 5 rows do not fit into a sheet, whose limit is 4. Take fewer"
    ):
        aggregate_accounts(None, path, settings=stats)
    assert path.read_bytes() == b"what was there"
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


def test_without_a_warehouse_the_message_says_how_to_make_one(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NoWarehouse, match=r"there is no warehouse yet. Drop exports into .*landing, run"):
        aggregate_accounts(None, tmp_path / "a.csv", settings=settings)
    publish(settings, exports=pl.DataFrame({"account": ["pig1987"]}))
    with pytest.raises(NoWarehouse, match="has no table social_media_stats yet"):
        aggregate_accounts(None, tmp_path / "a.csv", settings=settings)


def test_an_account_removed_from_the_list_can_still_be_named(stats: Settings, tmp_path: Path) -> None:
    stats.accounts_file.write_text("[accounts.pig1987]\n")
    assert aggregate_accounts(["zonea0"], tmp_path / "a.csv", settings=stats).height == 3


# --- detect_viral_trends ---------------------------------------------------------------------------------------------

# Uploaded 2026-02-20 00:00 UTC.
VIDEO = str(int(dt.datetime(2026, 2, 20, tzinfo=dt.UTC).timestamp()) << 32)


def snapshots(*totals: tuple[int, int | None], account: str = "pig1987", video: str = VIDEO) -> pl.DataFrame:
    """Snapshots of one video: days after its upload, and views by then."""
    rows = [
        {
            "platform": "tiktok",
            "account": account,
            "video_id": video,
            "captured_on": dt.date(2026, 2, 20) + dt.timedelta(days=age),
            "publish_date": dt.date(2026, 2, 20),
            "published_at": dt.datetime(2026, 2, 20, tzinfo=dt.UTC),
            "title": "a song",
            "link": f"https://www.tiktok.com/@{account}/video/{video}",
            "total_views": views,
            "loaded_at": NOW,
        }
        for age, views in totals
    ]
    return conform(pl.DataFrame(rows), ContentPerformance)


def test_a_video_that_suddenly_grows_is_found_with_its_growth(settings: Settings) -> None:
    # 100 views a day for 10 days, then 11,000 in one: 110 times as fast.
    publish(settings, content_performance=snapshots((10, 1_000), (11, 12_000), (12, 12_100)))
    found = detect_viral_trends(settings=settings)
    [row] = found.to_dicts()
    assert (row["account"], row["video_id"], row["date"], row["total_views"]) == (
        "pig1987",
        VIDEO,
        dt.date(2026, 3, 3),
        12_000,
    )
    assert row["daily_growth"] == pytest.approx(110)
    assert row["reason"] == "daily_growth"
    assert row["link"].endswith(VIDEO)
    assert found.schema == SCHEMA


@pytest.mark.parametrize(
    ("totals", "options"),
    [
        ([(10, 1_000), (11, 9_999)], {}),  # grows, and is small
        ([(10, 10_000), (11, 14_900)], {}),  # 4.9 times as fast
        ([(10, 1_000_000)], {}),  # one snapshot shows no growth
        ([(10, None), (11, 50_000)], {}),  # unknown is not 0
        ([(10, 1_000), (11, 12_000)], {"min_views": 12_001}),
        ([(10, 1_000), (11, 12_000)], {"growth_threshold": 111.0}),
    ],
)
def test_videos_that_do_not_meet_the_rule_are_not_found(
    settings: Settings, totals: list[tuple[int, int | None]], options: dict[str, float]
) -> None:
    publish(settings, content_performance=snapshots(*totals))
    found = detect_viral_trends(settings=settings, **options)  # pyright: ignore[reportArgumentType]
    assert found.is_empty()
    assert found.schema == SCHEMA


def test_thresholds_can_be_lowered(settings: Settings) -> None:
    publish(settings, content_performance=snapshots((10, 100), (11, 130)))
    assert detect_viral_trends(100, 3.0, settings=settings).height == 1


def test_an_empty_warehouse_gives_an_empty_typed_frame(settings: Settings) -> None:
    publish(settings, content_performance=snapshots((1, 1)).clear())
    found = detect_viral_trends(settings=settings)
    assert (found.height, found.schema) == (0, SCHEMA)


def test_the_newest_videos_of_all_accounts_come_first(settings: Settings) -> None:
    other = str(int(VIDEO) + 1)
    rows = [snapshots((1, 10), (2, 20_000)), snapshots((3, 10), (4, 30_000), account="zonea0", video=other)]
    publish(settings, content_performance=pl.concat(rows))
    assert detect_viral_trends(settings=settings)["account"].to_list() == ["zonea0", "pig1987"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_views": -1}, "min_views=-1: must be a number of views, 0 or more."),
        ({"growth_threshold": 0.0}, "growth_threshold=0.0: must be a factor above 0."),
        ({"growth_threshold": float("nan")}, "growth_threshold=nan"),
    ],
)
def test_an_invalid_threshold_is_refused(settings: Settings, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        detect_viral_trends(settings=settings, **options)  # pyright: ignore[reportArgumentType]


# --- the commands ----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    monkeypatch.setenv("COLUMNS", "300")

    def invoke(*arguments: str | os.PathLike[str]) -> Result:
        return CliRunner().invoke(app, [os.fspath(argument) for argument in arguments])

    return invoke


def test_the_command_aggregate_prints_what_it_wrote(stats: Settings, run, tmp_path: Path) -> None:
    result = run("aggregate", tmp_path / "all.csv", "--account", "zonea0")
    assert result.exit_code == 0, result.output
    assert "3 rows of 1 account, 2026-03-01 to 2026-03-03." in result.output
    refused = run("aggregate", tmp_path / "all.txt")
    assert refused.exit_code == 2
    assert ".txt is not a supported format" in refused.output


def test_the_command_viral_lists_what_took_off(settings: Settings, run) -> None:
    assert run("viral").exit_code == 2
    found = {"account": "pig1987", "video_id": "1", "detected_on": dt.date(2026, 3, 1), "reason": "views_vs_median"}
    others = pl.DataFrame([found, {**found, "video_id": "2"}, {**found, "video_id": "3", "reason": "both"}])
    publish(settings, content_performance=snapshots((10, 1_000), (11, 12_000)), viral_content=others)
    shown = run("viral")
    assert shown.exit_code == 0
    assert "110.0x" in shown.output
    assert "https://www.tiktok.com/@" in shown.output.replace("\n", "")
    assert '"total_views": 12000' in run("viral", "--json").stdout
    none = run("viral", "--min-views", "20000", "--growth-threshold", "3").output
    assert none.startswith("No video with 20,000 views grew 3 times as fast as before.")
    assert (
        "By its other rule, far above the account's others of the same age, viral_content holds 2 videos: tik" in none
    )
    assert run("viral", "--growth-threshold", "0").exit_code == 2


@pytest.mark.parametrize("command", ["aggregate", "viral", "validate", "schema-check", "migrate", "archive"])
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output
