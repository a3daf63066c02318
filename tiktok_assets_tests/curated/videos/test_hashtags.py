"""Which hashtags go with more views."""

from __future__ import annotations

from datetime import date
from math import exp, log

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.videos.hashtags import LOOK_BACK, Hashtags, hashtag_effects
from tiktok_assets_tests.curated.frames import by_month, column, values_of

MAY = date(2025, 5, 1)


def videos(
    *given: tuple[list[str] | None, int, int], account: str = "a", day: date = date(2025, 5, 20)
) -> pl.DataFrame:
    """One snapshot a video, in order of upload: hashtags, age in days, total views."""
    schema = {"hashtags": pl.List(pl.String), "age_days": pl.Int64, "total_views": pl.Int64}
    rows = pl.DataFrame(given, schema, orient="row").with_row_index("video_id")
    return rows.with_columns(pl.col("video_id").cast(pl.String).str.zfill(4), account=pl.lit(account), date=pl.lit(day))


def effects(rows: pl.DataFrame) -> pl.DataFrame:
    table = hashtag_effects(rows, [MAY])
    assert violations(Hashtags, table) == []
    return table


def test_a_hashtag_is_contrasted_with_the_videos_without_it() -> None:
    four = [(["song", "fyp"], 7, 399), (["fyp"], 7, 99), ([], 7, 99), ([], 7, 99)]
    table = effects(videos(*four * 16))
    # song: log(400) - log(100) = log 4; m = 16 x 48 / 64 = 12, shrunk by 12 / 17
    # fyp: 32 with a mean of log 100 + 1 / 2 log 4 against 32 at log 100; m = 32 x 32 / 64 = 16, shrunk by 16 / 21
    assert values_of(table, "hashtag", "n", "evidence") == [("fyp", 32, "more views"), ("song", 16, "more views")]
    assert column(table, "effect") == pytest.approx([exp(16 / 21 * 0.5 * log(4)), exp(12 / 17 * log(4))])


def test_below_5_videos_a_hashtag_is_hidden_and_on_every_video_it_has_no_effect() -> None:
    table = effects(videos(*[(["rare", "all"], 7, 999)] * 4, *[(["five", "all"], 7, 99)] * 5, *[(["all"], 7, 99)] * 30))
    assert values_of(table, "hashtag", "n") == [("all", 39), ("five", 5)]
    assert values_of(table.filter(hashtag="all"), "effect", "evidence") == [(None, "no evidence")]


def test_older_videos_with_more_views_are_no_merit_of_their_hashtag() -> None:
    # on the line log(1 + views) = log(age) + log(10); the old ones carry the hashtag
    young, old = (
        [([], age, 10 * age - 1) for age in range(1, 21)],
        [(["old"], age, 10 * age - 1) for age in range(21, 41)],
    )
    assert column(effects(videos(*young, *old)), "effect") == pytest.approx([1.0])


def test_each_account_is_measured_by_its_own() -> None:
    big = videos(*[(["one"], 7, 99_999)] * 10, *[([], 7, 99_999)] * 10, account="big")
    small = videos(*[([], 7, 9)] * 10, *[(["one"], 7, 9)] * 10, account="small")
    table = effects(pl.concat([big, small]))
    assert values_of(table, "account", "hashtag", "n") == [("big", "one", 10), ("small", "one", 10)]
    assert column(table, "effect") == pytest.approx([1.0, 1.0])


def test_a_title_that_is_unknown_and_a_hashtag_written_twice_do_not_count_twice() -> None:
    assert effects(videos(*[(None, 7, 10)] * 30)).is_empty()
    assert column(effects(videos(*[(["x", "x"], 7, 10)] * 6, *[([], 7, 10)] * 20)), "n") == [6]
    assert effects(videos()).is_empty()


def test_a_run_per_month_makes_what_one_run_makes() -> None:
    days = [date(2024, month, 15) for month in range(1, 13)] + [date(2025, month, 28) for month in range(1, 4)]
    rows = pl.concat(
        videos(*((["x"] if n % (2 + month) else ["y"], 1 + n, 50 + n * month) for n in range(25)), day=day)
        for month, day in enumerate(days)
    )
    split = by_month(rows, LOOK_BACK, lambda window, month: hashtag_effects(window, [month]))
    assert_frame_equal(split, hashtag_effects(rows, [day.replace(day=1) for day in days]))
