"""The graph from landing to warehouse in this process: the same twice, the same in pieces, stopped where it must."""

import dataclasses
import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from tiktok_assets.assets import staging
from tiktok_assets.curated.account.account_daily import SocialMediaStats
from tiktok_assets.curated.registry import WAREHOUSE
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.graph import build_definitions
from tiktok_assets.inbox.receipts import processed
from tiktok_assets.partitions import range_tags
from tiktok_assets.reports import REPORTS
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, Section, land, studio_export, studio_exports
from tiktok_assets.simulator.files import zip_bytes
from tiktok_assets.simulator.quirks import Quirks
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.storage.lake import Lake
from tiktok_assets.streams.tables import SONG_STREAMS
from tiktok_assets_tests import budget
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.lake_contents import differing, tables
from tiktok_assets_tests.landing_files import drop, insights
from tiktok_assets_tests.made_once import MadeOnce

FIRST, LAST = date(2024, 12, 20), date(2025, 2, 2)
DECEMBER, JANUARY, FEBRUARY = date(2024, 12, 1), date(2025, 1, 1), date(2025, 2, 1)
MOMENTS = (datetime(2025, 1, 20, 16, 20, 31, tzinfo=UTC), datetime(2025, 2, 3, 16, 20, 31, tzinfo=UTC))


def landed(settings: Settings) -> Settings:
    """Two visits to the Studio of pig1987 and one to that of zonea0; the last hour of January counts nobody.

    The first one read insights along.
    """
    drop(insights("pig1987", at=MOMENTS[0]), Path(str(settings.landing)) / "pig1987", "Insights.json")
    for name, seed, moments in (("pig1987", 1, MOMENTS), ("zone.a0", 2, MOMENTS[1:])):
        account = SimulatedAccount.generate(name, seed, date(2024, 11, 1), date(2025, 3, 1))
        for moment in moments:
            for export in studio_exports(account, FIRST, LAST, downloaded_at=moment):
                folder = Path(str(settings.landing)) / name.replace(".", "") / f"{moment:%Y%m%d}"
                land(_without_followers_at_the_end_of_january(export), folder)
    return settings


def _without_followers_at_the_end_of_january(export: GeneratedExport) -> GeneratedExport:
    quiet = re.compile(rb'("January 31","23",)"\d+"')
    members = {name: quiet.sub(rb'\1"0"', content) for name, content in export.members.items()}
    return dataclasses.replace(export, members=members, content=zip_bytes(members, export.downloaded_at))


def run(settings: Settings, accounts: list[str], first: date, last: date) -> dg.ExecuteInProcessResult:
    job = build_definitions(settings).resolve_job_def("process_exports")
    with fresh() as instance:
        tags = range_tags(accounts, [first, last])
        return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def three_months_at_once(settings: Settings, made_once: MadeOnce) -> None:
    """What is ``landed``, made by one run and published."""

    def make() -> None:
        assert run(landed(settings), ["pig1987", "zonea0"], DECEMBER, FEBRUARY).success

    made_once.fill(Path(str(settings.data_dir)), "three months at once", make)


def test_the_same_range_twice_gives_the_same_files_and_rows(settings: Settings, made_once: MadeOnce) -> None:
    three_months_at_once(settings, made_once)
    once = tables(settings)
    assert run(settings, ["pig1987", "zonea0"], DECEMBER, FEBRUARY).success
    assert differing(tables(settings), once) == []
    assert len(once["social_media_stats"]) == 2 * 45  # 20 December to 2 February
    assert any(path.startswith("raw/insights/account=pig1987/20250120T162031Z_") for path in once)


PIECES = [
    [(["pig1987", "zonea0"], month, month) for month in (FEBRUARY, DECEMBER, JANUARY)],
    [([account], month, month) for account in ("pig1987", "zonea0") for month in (DECEMBER, JANUARY, FEBRUARY)],
]


@pytest.mark.parametrize("number", rounds(1, at_most=2))
def test_runs_over_pieces_give_what_one_run_gives(
    install: Install, tmp_path: Path, number: int, made_once: MadeOnce
) -> None:
    pieces = PIECES[number]
    whole = install("pig1987", zonea0="zone.a0", data_dir=tmp_path / "whole")
    three_months_at_once(whole, made_once)
    in_pieces = landed(install("pig1987", zonea0="zone.a0", data_dir=tmp_path / "pieces"))
    for accounts, first, last in pieces:
        assert run(in_pieces, accounts, first, last).success
    assert differing(tables(in_pieces), tables(whole)) == []
    for account in ("pig1987", "zonea0"):
        assert processed(Lake(in_pieces), account) == processed(Lake(whole), account) != frozenset()


BEGIN, END = date(2025, 1, 10), date(2025, 7, 21)
GAP = (date(2025, 5, 1), date(2025, 5, 11))
SONGS = """
[songs.demo]
title = "Demo"
artist = "Pig"
release_date = 2025-03-14
hashtags = ["newmusic"]
captions = ["wait for the drop"]
"""
SEVEN_MONTHS = [date(2025, month, 1) for month in range(1, 8)]


def half_a_year(settings: Settings) -> Settings:
    """Two accounts, each with exports of half a year in two parts, and snapshots of its videos every two weeks.

    Viewers and FollowerHistory list days without any number: those before ``BEGIN``, and those of ``GAP``.
    """
    for name, seed in (("pig1987", 5), ("zone.a0", 6)):
        traits = Traits(viral_day=date(2025, 5, 14), follower_drop=date(2025, 3, 30), posts_per_week=14, utc_offset=2)
        account = SimulatedAccount.generate(name, seed, date(2024, 12, 1), date(2025, 7, 31), traits=traits)
        folder = Path(str(settings.landing)) / name.replace(".", "")
        moments = [datetime(2025, 1, 22, 18, tzinfo=UTC) + timedelta(days=14 * number) for number in range(14)]
        for moment in moments:
            day = moment.date() - timedelta(days=2)
            land(studio_export(account, "content", day, day, downloaded_at=moment), folder / day.isoformat())
        for section, first, last, unknown in windows():
            quirks = Quirks(undefined_leading=unknown)
            export = studio_export(account, section, first, last, downloaded_at=moments[-1], quirks=quirks)
            land(export, folder / f"{first}")
    return settings


def windows() -> Iterator[tuple[Section, date, date, int]]:
    """Section, first and last day of each export, and how many of its first days have no viewers and followers."""
    again = GAP[1] + timedelta(1)
    parts: list[tuple[Section, date, date]] = [
        ("overview", BEGIN, again),
        ("viewers", SEVEN_MONTHS[0], GAP[0]),
        ("followers", SEVEN_MONTHS[0], GAP[0]),
    ]
    for section, first, second in parts:
        yield section, first, GAP[0] - timedelta(1), (BEGIN - first).days
        yield section, second, END, (again - second).days


@pytest.mark.parametrize("seed", rounds(1, at_most=20))
@budget.in_the_long_run
def test_the_order_in_which_months_are_run_changes_nothing(
    install: Install, tmp_path: Path, seed: int, made_once: MadeOnce
) -> None:
    """Rates, anomalies, growth, peers, effects, benchmarks and songs look back over months, up to a year."""
    accounts = ("pig1987", "zonea0")
    thresholds = {"viral_min_views": 500, "viral_growth": 1.5}
    whole = install("pig1987", zonea0="zone.a0", data_dir=tmp_path / "whole", **thresholds)
    zones = '[accounts.pig1987]\ntimezone = "Europe/Athens"\n[accounts.zonea0]\nhandle = "zone.a0"\n'
    whole.accounts_file.write_text(zones)
    whole.songs_file.write_text(SONGS)

    def make() -> None:
        assert run(half_a_year(whole), [*accounts], SEVEN_MONTHS[0], SEVEN_MONTHS[-1]).success

    made_once.fill(tmp_path / "whole", "seven months at once", make)
    in_pieces = half_a_year(install("pig1987", zonea0="zone.a0", data_dir=tmp_path / "pieces", **thresholds))
    in_pieces.accounts_file.write_text(zones)
    in_pieces.songs_file.write_text(SONGS)
    # The first one divides both accounts before GAP, and runs the parts of pig1987 in order, those of zonea0 backwards.
    chance = random.Random(63 + seed)
    pieces = [
        ([account], SEVEN_MONTHS[first], SEVEN_MONTHS[last - 1])
        for account in accounts
        for first, last in pairwise([0, chance.randint(1, 6), 7])
    ]
    chance.shuffle(pieces)
    for piece in pieces:
        assert run(in_pieces, *piece).success, pieces
    made = tables(whole)
    assert differing(tables(in_pieces), made) == [], pieces
    for table in (
        "viral_content",
        "video_daily",
        "song_videos",
        "song_days",
        "song_weeks",
        "posting_times",
        "hashtag_performance",
        "anomalies",
        "data_quality",
        "account_benchmarks",
    ):
        assert made[table], table
    spans = "select account, min(date), max(date), count(*) from social_media_stats where {} group by 1 order by 1"
    every = (END - BEGIN).days + 1
    assert rows_of(whole, spans.format("true")) == [(account, BEGIN, END, every) for account in accounts]
    nothing = "coalesce(video_views, unique_viewers, followers) is null"
    assert rows_of(whole, spans.format(nothing)) == [(account, *GAP, 11) for account in accounts]
    snapshots = rows_of(whole, "select account, video_id, captured_on from content_performance where is_latest")
    newest = "select account, video_id, max(captured_on) from content_performance group by all"
    assert sorted(snapshots) == sorted(rows_of(whole, newest))
    twice = "select account, song, {0} from {1} group by all having count(*) > 1"
    for view, key in (("song_daily", "date"), ("song_performance", "week")):
        assert rows_of(whole, twice.format(key, view)) == []


def rows_of(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return connection.sql(query).fetchall()


def test_the_published_file_has_its_views_and_describes_every_column(settings: Settings, made_once: MadeOnce) -> None:
    three_months_at_once(settings, made_once)
    found = rows_of(settings, "select table_name, column_name from duckdb_columns() where not internal")
    assert {name for name, _ in found} == {*(table.name for table in WAREHOUSE), SONG_STREAMS.name, *VIEWS, "_columns"}
    described = rows_of(settings, "select table_name, column_name, description, unit, source from _columns")
    assert sorted(row[:2] for row in described) == sorted(found)
    assert all(all(row) for row in described)
    facts = {row[:2]: row[3:] for row in described}
    assert facts["social_media_stats", "engagement_rate"] == (
        "ratio",
        "staging/overview.comments, staging/overview.likes, staging/overview.shares, staging/overview.video_views",
    )
    months = "select month, days_known, is_complete from social_media_stats_monthly"
    monthly = rows_of(settings, f"{months} where account = 'pig1987' order by month")
    assert monthly == [("2024-12", 12, False), ("2025-01", 31, True), ("2025-02", 2, False)]


def test_the_published_file_explains_itself_to_any_client(settings: Settings, made_once: MadeOnce) -> None:
    """BI tools show DuckDB's comments; `create or replace view` drops those of a view: hence a second publishing."""
    three_months_at_once(settings, made_once)
    before = settings.warehouse.stat().st_ino
    assert run(settings, ["pig1987"], DECEMBER, FEBRUARY).success
    assert settings.warehouse.stat().st_ino != before
    of_tables = rows_of(settings, "select table_name, comment from duckdb_tables()")
    of_views = rows_of(settings, "select view_name, comment from duckdb_views() where not internal")
    comments = {**dict(of_tables), **dict(of_views)}
    assert comments.keys() == {*(table.name for table in WAREHOUSE), SONG_STREAMS.name, *VIEWS, "_columns"}
    assert comments["social_media_stats"] == SocialMediaStats.__doc__
    assert comments["social_media_stats_weekly"] == "One row per account and week; see account_periods."
    columns = "select table_name, column_name, comment from duckdb_columns() where not internal"
    described = "select table_name, column_name, description from _columns"
    assert sorted(rows_of(settings, columns)) == sorted(rows_of(settings, described))


def test_an_unusual_day_is_flagged_in_its_row_the_warehouse_and_its_check(settings: Settings) -> None:
    half_a_year(settings)
    result = run(settings, ["pig1987"], SEVEN_MONTHS[0], SEVEN_MONTHS[-1])
    assert result.success
    unkept = {one.check_name: one for one in result.get_asset_check_evaluations() if not one.passed}
    check = unkept["follower_trend_is_plausible"]
    assert check.severity == dg.AssetCheckSeverity.WARN
    flagged = rows_of(settings, "select date from social_media_stats where 'follower_drop' in anomalies")
    assert flagged == [(date(2025, 3, 30),)]
    ((kind, sentence, first_day, export),) = rows_of(
        settings,
        "select kind, sentence, first_day, export_id from anomalies where check_name = 'follower_trend_is_plausible'",
    )
    assert (kind, first_day) == ("event", date(2025, 3, 30))
    assert check.description == f"pig1987, 30 March 2025: {sentence}"
    results = rows_of(
        settings,
        "select date, passed, events, first_day, sentence from data_quality "
        "where check_name = 'follower_trend_is_plausible' order by date",
    )
    of_march = (date(2025, 3, 1), False, 1, date(2025, 3, 30), sentence)
    kept = [(month, True, 0, None, None) for month in SEVEN_MONTHS]
    assert results == [of_march if month[0] == of_march[0] else month for month in kept]
    assert rows_of(settings, f"select count(*) from exports where export_id = '{export}'") != [(0,)]


def test_a_quiet_last_hour_of_a_month_is_a_zero_and_not_unknown(settings: Settings) -> None:
    landed(settings)
    assert run(settings, ["zonea0"], JANUARY, JANUARY).success
    file = Lake(settings).partition_file("curated", "audience", "zonea0", JANUARY)
    rows = pl.read_parquet(str(file)).filter(dimension="active_time", date=date(2025, 1, 31), hour=23)
    assert rows["count"].to_list() == [0]


def failing_checks(result: dg.ExecuteInProcessResult) -> list[str]:
    return [
        f"{evaluation.asset_key.to_user_string()} {evaluation.check_name}"
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
    ]


def materialized(result: dg.ExecuteInProcessResult) -> set[str]:
    return {
        event.asset_key.to_user_string()
        for event in result.all_events
        if event.is_step_materialization and event.asset_key is not None
    }


def test_a_broken_schema_stops_what_is_downstream_and_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(settings)
    (overview,) = (report for report in REPORTS if report.name == "overview")

    def parse(rows: pl.DataFrame) -> pl.DataFrame:
        """A reader with a mistake."""
        return overview.parse(rows).with_columns(date_shift_days=pl.lit(None, pl.Int64))

    others = tuple(report for report in REPORTS if report is not overview)
    monkeypatch.setattr(staging, "REPORTS", (dataclasses.replace(overview, parse=parse), *others))
    result = run(settings, ["pig1987"], DECEMBER, FEBRUARY)
    assert not result.success
    assert failing_checks(result) == ["staging/overview keeps_schema"]
    stopped = {"curated/account_daily", "warehouse/social_media_stats", "warehouse/exports"}
    made = materialized(result)
    assert not made & stopped
    assert {"staging/viewers", "curated/videos", "curated/audience", "warehouse/content_performance"} <= made
    assert processed(Lake(settings), "pig1987") == frozenset()


def test_months_without_exports_warn_and_stop_nothing(settings: Settings) -> None:
    landed(settings)
    result = run(settings, ["pig1987"], date(2025, 3, 1), date(2025, 3, 1))
    assert result.success
    assert failing_checks(result) == []
    unkept = {evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed}
    assert unkept == {"has_rows"}


def test_a_run_shows_its_rows_days_and_exports(settings: Settings) -> None:
    landed(settings)
    result = run(settings, ["pig1987"], DECEMBER, FEBRUARY)
    *_, last = shown = [one.metadata for one in result.asset_materializations_for_node("staging__overview")]
    facts = ("dagster/row_count", "days_covered", "missing_days")
    by_month = [tuple(metadata[fact].value for fact in facts) for metadata in shown]
    assert by_month == [(12, 12, 0), (31, 31, 0), (2, 2, 0)]
    assert "| pig1987 | 2024-12-20 | 2025-02-02 | 45 | 45 | 0 |" in str(last["coverage"].value)
    assert last["exports_used"].value == 1  # the second export contains every day again
    snapshots = result.asset_materializations_for_node("staging__content")[0].metadata
    assert "missing_days" not in snapshots
