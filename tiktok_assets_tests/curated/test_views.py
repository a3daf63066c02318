"""Views against the pure functions and rows they stand for; the catalog of columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tiktok_assets.curated._tables import warehouse_rows
from tiktok_assets.curated.account.account_daily import SocialMediaStats
from tiktok_assets.curated.account.periods import Periods, account_periods
from tiktok_assets.curated.catalog import unit_of
from tiktok_assets.curated.songs.song_daily import SongDays
from tiktok_assets.curated.songs.song_weeks import WeeksOfSongs
from tiktok_assets.curated.songs.views_and_streams import ViewsAndStreams
from tiktok_assets.curated.videos.trends import viral_hashtags
from tiktok_assets.curated.videos.videos import ContentPerformance
from tiktok_assets.curated.videos.viral import ViralContent, viral_videos
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.streams.tables import SongStreams
from tiktok_assets_tests.curated.frames import day_rows, true_snapshots

NOW = datetime(2025, 6, 1, tzinfo=UTC)


def asked(view: str, **tables: pl.DataFrame) -> pl.DataFrame:
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None)).to_arrow())
        return pl.DataFrame(connection.sql(VIEWS[view].query).to_arrow_table())


def loaded(rows: pl.DataFrame, schema: type[pa.DataFrameModel]) -> pl.DataFrame:
    return warehouse_rows(rows, schema, NOW)


@pytest.mark.parametrize(("period", "labels"), [("week", ["2025-W01", "2025-W02"]), ("month", ["2025-01"])])
def test_weeks_and_months_are_marked_as_complete_or_not(period: str, labels: list[str]) -> None:
    days = day_rows(*({"date": date(2025, 1, 1) + timedelta(n), "video_views": 2} for n in range(12)))
    days = days.with_columns(engagements=pl.lit(0, pl.Int64))
    table = loaded(account_periods(days), Periods)
    found = asked(f"social_media_stats_{period}ly", account_periods=table).sort("starts_on")
    assert found[period].to_list() == labels
    assert found["video_views"].sum() == 24
    assert found["is_complete"].to_list() == ([False, True] if period == "week" else [False])
    assert list(found.columns) == ["platform", "account", period, *found.columns[3:]]


def test_the_rollup_has_one_row_per_video_with_its_newest_known_numbers() -> None:
    def snapshot(day: int, views: int | None, likes: int | None, link: str | None) -> dict[str, Any]:
        values = {
            "account": "a",
            "video_id": "7",
            "captured_on": date(2025, 1, day),
            "title": f"on {day}",
            "handle": "h",
        }
        return values | {"total_views": views, "total_likes": likes, "link": link, "published_at": NOW}

    rows = pl.DataFrame([snapshot(1, 5, 1, "address"), snapshot(3, 9, None, None), snapshot(2, 7, 2, None)])
    found = asked("social_media_rollup", content_performance=loaded(rows, ContentPerformance))
    assert found.columns == [
        *("source_relation", "created_timestamp", "post_id", "post_message", "page_id", "page_name", "post_url"),
        *("platform", "clicks", "impressions", "likes", "shares", "comments"),
    ]
    plain = NOW.replace(tzinfo=None)
    known = ("content_performance", plain, "7", "on 3", "a", "h", "address", "tiktok", None, 9, 2, None, None)
    assert found.rows() == [known]


def test_trends_equal_those_of_the_pure_function_on_the_newest_day() -> None:
    days = [date(2025, 4, 1) + timedelta(3 * n) for n in range(14)]
    videos = pl.concat(
        true_snapshots(SimulatedAccount.generate(name, seed, date(2025, 1, 1), days[-1]), days)
        for seed, name in enumerate(("north.pier", "south.pier", "east.pier"))
    )
    viral = viral_videos(videos, min_views=200, growth_threshold=1.2, median_threshold=1.5)
    expected = viral_hashtags(viral, videos, days[-1])
    assert expected.height > 3
    snapshots = videos.rename({"date": "captured_on", "post_date": "publish_date"})
    found = asked(
        "viral_trends",
        viral_content=loaded(viral.rename({"date": "detected_on"}), ViralContent),
        content_performance=loaded(snapshots, ContentPerformance),
    )
    assert found["platform"].unique().to_list() == ["tiktok"]
    assert_frame_equal(found.drop("platform", "example_link"), expected.drop("example_link"))


def test_a_song_has_the_share_of_the_views_of_all_accounts_that_know_every_day_of_the_week() -> None:
    def week(account: str, views: int | None, known_in: int, *, is_latest: bool) -> dict[str, Any]:
        known = {"known_in": date(2025, known_in, 1), "is_latest": is_latest}
        return {"account": account, "song": "s", "week": 0, "starts_on": date(2025, 6, 12), "views": views, **known}

    rows = [week("a", 5, 6, is_latest=False), week("a", 70, 7, is_latest=True), week("c", 9, 6, is_latest=True)]
    days = [
        {"account": account, "date": date(2025, 6, 12) + timedelta(day), "video_views": views}
        for account, views, known in (("a", 100, 9), ("b", 40, 7), ("c", 1000, 6))
        for day in range(-1, known)
    ]
    found = asked(
        "song_performance",
        song_weeks=loaded(pl.DataFrame(rows), WeeksOfSongs),
        social_media_stats=loaded(pl.DataFrame(days), SocialMediaStats),
    ).sort("account")
    # 7 days of 100 and of 40; one day of c is unknown, so neither its views nor its share count.
    assert found.select("account", "views", "roster_accounts", "roster_views", "share").rows() == [
        ("a", 70, 2, 980, 70 / 980),
        ("c", 9, 2, 980, None),
    ]


def test_every_column_of_a_view_is_described_and_is_there() -> None:
    empty = {
        "account_periods": loaded(Periods.empty(), Periods),
        "content_performance": loaded(ContentPerformance.empty(), ContentPerformance),
        "viral_content": loaded(ViralContent.empty(), ViralContent),
        "song_days": loaded(SongDays.empty(), SongDays),
        "song_streams": SongStreams.empty(),
        "song_weeks": loaded(WeeksOfSongs.empty(), WeeksOfSongs),
        "social_media_stats": loaded(SocialMediaStats.empty(), SocialMediaStats),
    }
    for name, view in VIEWS.items():
        found = asked(name, **empty)
        assert found.is_empty()
        assert set(found.columns) == set(view.descriptions())
        assert all(view.descriptions().values())


@pytest.mark.parametrize(
    ("column", "dtype", "unit"),
    [
        ("video_views", "Int64", "count"),
        ("engagement_rate", "Float64", "ratio"),
        ("video_views_growth_7d", "Float64", "ratio; 0 is no change"),
        ("video_views_7d_avg", "Float64", "mean a day"),
        ("age_days", "Int64", "days"),
        ("value", "String", "text"),
        ("share", "Float64", "0 to 1"),
        ("hashtags", "List(String)", "list of texts"),
        ("published_at", "Datetime(time_unit='us', time_zone='UTC')", "moment (UTC)"),
    ],
)
def test_the_unit_of_a_column_follows_from_its_name_or_type(column: str, dtype: str, unit: str) -> None:
    assert unit_of(column, dtype) == unit


def test_a_number_without_a_known_unit_is_refused() -> None:
    with pytest.raises(KeyError):
        unit_of("mystery", "Float64")


def test_a_day_of_a_song_has_its_views_beside_its_streams() -> None:
    days = pl.DataFrame(
        [
            ("summer", "north", date(2026, 6, 29), 5, 4, 6, True),
            ("summer", "north", date(2026, 6, 30), 6, 5, 9, True),
            ("summer", "south", date(2026, 6, 30), None, 1, None, True),
            ("summer", "north", date(2026, 6, 30), 9, 9, 9, False),
        ],
        ["song", "account", "date", "views", "views_low", "views_high", "is_latest"],
        orient="row",
    )
    streams = pl.DataFrame(
        [
            ("summer", "spotify", date(2026, 6, 30), 7),
            ("summer", "deezer", date(2026, 6, 30), 1),
            ("winter", "spotify", date(2026, 6, 30), 3),
        ],
        ["song", "store", "date", "streams"],
        orient="row",
    )
    found = asked("song_views_and_streams", song_days=days, song_streams=streams)
    assert found.rows() == [
        ("summer", date(2026, 6, 29), 5, 4, 6, 1, None, None),
        ("summer", date(2026, 6, 30), None, 6, None, 2, 8, ["deezer", "spotify"]),
        ("winter", date(2026, 6, 30), None, None, None, None, 3, ["spotify"]),
    ]
    assert found.columns == [*ViewsAndStreams.to_schema().columns]
