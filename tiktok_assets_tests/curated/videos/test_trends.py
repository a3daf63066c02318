"""Hashtags over-represented among the viral videos of all accounts."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.videos.trends import ViralTrends, viral_hashtags
from tiktok_assets.curated.videos.viral import ViralVideos
from tiktok_assets_tests.curated.frames import snapshot_rows, values_of

DAY = date(2025, 5, 28)

SNAPSHOTS = snapshot_rows(
    {"account": "a", "video_id": "1", "date": DAY, "hashtags": ["rap", "fyp"]},
    {"account": "a", "video_id": "1", "date": DAY - timedelta(1), "hashtags": ["old"]},
    {"account": "b", "video_id": "2", "date": DAY, "hashtags": ["rap", "fyp", "rap"]},
    {"account": "b", "video_id": "3", "date": DAY, "hashtags": ["fyp"]},
    {"account": "b", "video_id": "4", "date": DAY, "hashtags": ["fyp"]},
    {"account": "b", "video_id": "5", "date": DAY, "hashtags": []},
    {"account": "b", "video_id": "6", "date": DAY, "hashtags": None},
)


def viral(*given: tuple[str, str, int, date]) -> pl.DataFrame:
    """Account, video, total views, day it was found."""
    schema = {"account": pl.String, "video_id": pl.String, "total_views": pl.Int64, "date": pl.Date}
    assert schema.keys() <= ViralVideos.to_schema().columns.keys()
    return pl.DataFrame(given, schema, orient="row").with_columns(link=pl.concat_str("account", "video_id"))


def trends(found: pl.DataFrame) -> pl.DataFrame:
    table = viral_hashtags(found, SNAPSHOTS, DAY)
    assert violations(ViralTrends, table) == []
    return table


def test_a_hashtag_of_two_viral_videos_is_a_trend_and_its_lift_is_against_all_videos() -> None:
    table = trends(viral(("a", "1", 100, DAY), ("b", "2", 300, DAY - timedelta(27))))
    # 2 of 6 videos are viral: 1 / 3. Of rap 2 of 2: 3 times that; of fyp 2 of 4: 1.5 times that
    assert values_of(table, "hashtag", "viral_videos", "accounts", "viral_views", "videos", "lift", "example_link") == [
        ("fyp", 2, 2, 400, 4, 1.5, "b2"),
        ("rap", 2, 2, 400, 2, 3.0, "b2"),
    ]


def test_one_viral_video_is_no_trend_and_neither_is_one_found_twice_or_long_ago() -> None:
    assert trends(viral(("a", "1", 100, DAY))).is_empty()
    assert trends(viral(("a", "1", 100, DAY), ("a", "1", 300, DAY - timedelta(9)))).is_empty()
    assert trends(viral(("a", "1", 100, DAY), ("b", "2", 300, DAY - timedelta(28)))).is_empty()
    assert trends(viral(("a", "1", 100, DAY), ("b", "2", 300, DAY + timedelta(1)))).is_empty()
    assert trends(viral()).is_empty()


def test_the_widest_trend_comes_first() -> None:
    table = trends(viral(("b", "2", 100, DAY), ("b", "3", 100, DAY), ("b", "4", 100, DAY), ("a", "1", 1, DAY)))
    assert values_of(table, "hashtag", "accounts", "viral_videos") == [("fyp", 2, 4), ("rap", 2, 2)]
