"""A song's views by week since its release, computed manually."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest

from tiktok_assets.curated.songs.song_weeks import song_weeks
from tiktok_assets_tests.curated.frames import values_of
from tiktok_assets_tests.curated.songs.frames import exact_days, members, song, video_days

RELEASE = dt.date(2026, 6, 12)
JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)


def after(days: int) -> dt.date:
    """That many days after the release."""
    return RELEASE + dt.timedelta(days)


def weeks(days: pl.DataFrame, videos: pl.DataFrame) -> pl.DataFrame:
    return song_weeks(days, videos, [song(release_date=RELEASE)], [JUNE])


def bounds(days: list[dict[str, Any]], **video: Any) -> tuple[Any, ...]:
    """Least, estimated and most views of the first week after the release."""
    rows = weeks(video_days(*days), members({"date": after(7), **video})).filter(week=0)
    return values_of(rows, "views_low", "views", "views_high")[0]


def test_weeks_are_counted_from_the_release_and_negative_before_it() -> None:
    days = video_days(*exact_days(after(-9), *[10] * 16))
    rows = weeks(days, members({"date": after(-5), "published_on": after(-9)}))
    assert values_of(rows, "week", "starts_on", "videos", "videos_published", "videos_known", "views") == [
        (-2, after(-14), 1, 1, 1, 20),
        (-1, after(-7), 1, 0, 1, 70),
        (0, RELEASE, 1, 0, 1, 70),
    ]


def test_totals_at_the_two_ends_limit_a_week_better_than_its_days() -> None:
    before = {
        "day": after(-1),
        "views_low": 0,
        "views": 0,
        "views_high": 9,
        "total_views_low": 90,
        "total_views_high": 100,
    }
    days = [{"day": after(day), "views_low": 0, "views": 30, "views_high": 60} for day in range(6)]
    last = {
        "day": after(6),
        "views_low": 0,
        "views": 10,
        "views_high": 60,
        "total_views_low": 280,
        "total_views_high": 310,
    }
    # At least 280 - 100, at most 310 - 90; the sum of the days is 0 to 420, the estimates' is 190.
    assert bounds([before, *days, last]) == (180, 190, 220)
    # The estimate stays between them.
    assert bounds([before, *days, {**last, "views": 60}]) == (180, 220, 220)


def test_a_video_published_in_the_week_begins_at_zero() -> None:
    days = [
        {
            "day": after(day),
            "views_low": 0,
            "views": 50,
            "views_high": 100,
            "total_views_low": 300,
            "total_views_high": 320,
        }
        for day in range(2, 7)
    ]
    assert bounds(days, published_on=after(2)) == (300, 300, 320)


def test_a_fall_of_the_total_leaves_only_what_the_days_have_at_least() -> None:
    days = exact_days(after(-1), *[10] * 8, since=100)
    days[3] |= {"views": None, "views_low": 0, "views_high": None, "total_views_low": None, "total_views_high": None}
    assert bounds(days) == (60, None, None)


def test_totals_that_contradict_the_days_are_not_used() -> None:
    days = exact_days(after(-1), *[10] * 8, since=100)
    days[-1] |= {"total_views_low": 500, "total_views_high": 500}
    assert bounds(days) == (70, 70, 70)


def test_a_video_of_which_a_day_is_unknown_is_in_no_sum() -> None:
    whole, part = exact_days(RELEASE, *[10] * 7, since=5), exact_days(RELEASE, *[99] * 6, since=5, video_id="2")
    videos = members({"date": after(7)}, {"date": after(7), "video_id": "2"})
    rows = weeks(video_days(*whole, *part), videos)
    assert values_of(rows, "videos", "videos_known", "views_low", "views", "views_high") == [(2, 1, 70, 70, 70)]
    unknown = weeks(video_days(*part), videos)
    assert values_of(unknown, "videos", "videos_known", "views_low", "views", "views_high") == [
        (2, 0, None, None, None)
    ]


def test_engagement_is_that_of_the_newest_snapshots_up_to_the_end_of_the_week() -> None:
    videos = members(
        {"date": after(1), "total_views": 100, "total_engagements": 90},
        {"date": after(6), "total_views": 1000, "total_engagements": 50},
        {"date": after(9), "total_views": 5000, "total_engagements": 900},
        {"date": after(2), "video_id": "2", "total_views": 200, "total_engagements": 10},
    )
    days = video_days(*exact_days(RELEASE, *[10] * 7))
    rows = weeks(days, videos)
    rates = ("videos_with_totals", "total_views", "total_engagements", "engagement_rate")
    assert values_of(rows, *rates) == [(2, 1200, 60, 60 / 1200)]
    without = weeks(days, members({"date": after(3), "total_views": 7}, {"date": after(9), "video_id": "2"}))
    assert values_of(without, "videos", *rates) == [(2, 0, None, None, None)]
    rated = {"date": after(1), "total_views": 100, "total_engagements": 9}
    one = weeks(days, members(rated, {"date": after(9), "video_id": "2"}))
    assert values_of(one, "videos", *rates) == [(2, 1, 100, 9, 9 / 100)]


def test_two_months_at_once_are_what_each_is_alone() -> None:
    days = video_days(*exact_days(after(-3), *range(40)))
    videos = members({"date": after(2), "published_on": after(-3)}, {"date": after(30)})
    both = song_weeks(days, videos, [song(release_date=RELEASE)], [JUNE, JULY])
    for month in (JUNE, JULY):
        alone = song_weeks(days, videos, [song(release_date=RELEASE)], [month])
        assert alone.equals(both.filter(date=month))
        assert alone.height


@pytest.mark.parametrize("seed", range(20))
def test_the_truth_lies_within_the_bounds_whatever_snapshots_leave(seed: int) -> None:
    """True daily views, and bounds of days and totals that hold them, at random."""
    chance = random.Random(seed)
    total, rows, truth = 0, [], 0
    for day in range(-4, 7):
        views = chance.choice((0, 1, chance.randrange(500)))
        total += views
        truth += views if day >= 0 else 0
        low, high = views - chance.randrange(views + 1), views + chance.randrange(50)
        totals = {"total_views_low": total - chance.randrange(30), "total_views_high": total + chance.randrange(30)}
        rows.append({"day": after(day), "views_low": low, "views": (low + high) // 2, "views_high": high, **totals})
    low, views, high = bounds(rows, published_on=after(-4))
    assert low <= truth <= high
    assert low <= views <= high
