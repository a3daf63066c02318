"""The best post: what each video gained within bounds, and whether the bounds decide. Computed manually."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.videos.videos import Videos
from tiktok_assets.reporting.best_post import best_of_last_week, best_post
from tiktok_assets.reporting.period import Period
from tiktok_assets_tests.curated.songs.frames import exact_days, video_days

MONDAY = dt.date(2026, 6, 1)
WEEK = Period(MONDAY, MONDAY + dt.timedelta(6))


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(number)


def listed(*videos: str, posted: dt.date | None = None) -> pl.DataFrame:
    rows = [
        {"account": "a", "date": day(8), "video_id": one, "title": f"video {one}", "post_date": posted}
        for one in videos
    ]
    return conform(pl.DataFrame(rows, schema_overrides={"post_date": pl.Date}), Videos)


def bounded(video_id: str, low: int, views: int | None, high: int | None) -> list[dict[str, Any]]:
    """A week of which only the first day has views, between bounds."""
    nothing = {"views": 0, "views_low": 0, "views_high": 0}
    days = [{"day": day(number), "video_id": video_id, **nothing} for number in range(7)]
    return [{**days[0], "views": views, "views_low": low, "views_high": high}, *days[1:]]


def test_an_old_video_that_gained_more_is_before_a_new_one() -> None:
    old = exact_days(day(-1), *[1, *[100] * 7], since=5000)
    new = exact_days(day(5), 300, 200, video_id="2")
    videos = pl.concat([listed("1"), listed("2", posted=day(6))])  # uploaded on the day before at the earliest
    best = best_post(videos, video_days(*old, *new), WEEK)
    assert best is not None
    assert (best.title, best.views_low, best.views, best.views_high) == ("video 1", 700, 700, 700)
    assert best.is_certain  # 500 at most


@pytest.mark.parametrize(
    ("other", "is_certain"),
    [
        ((0, 4, 10), True),
        ((0, 4, 11), False),
        ((3, None, None), False),
        ((0, None, 11), False),
        ((0, 0, 10), True),
    ],
)
def test_the_bounds_decide_or_leave_it_open(other: tuple[Any, ...], is_certain: bool) -> None:
    days = video_days(*bounded("1", 10, 20, 30), *bounded("2", *other))
    best = best_post(listed("1", "2"), days, WEEK)
    assert best is not None
    assert (best.title, best.views, best.is_certain) == ("video 1", 20, is_certain)


def test_a_video_with_an_unknown_day_is_no_candidate_and_nothing_known_is_none() -> None:
    part = exact_days(day(0), *[900] * 6, video_id="2", since=1)
    whole = exact_days(day(0), *[1] * 7, since=1)
    best = best_post(listed("1", "2"), video_days(*part, *whole), WEEK)
    assert best is not None and best.views == 7
    assert best_post(listed("2"), video_days(*part), WEEK) is None
    assert best_post(listed("1"), video_days(*exact_days(day(0), *[0] * 7, since=1)), WEEK) is None
    assert best_of_last_week(listed("1"), video_days(*whole).clear()) is None


def test_the_last_week_ends_on_the_newest_known_day() -> None:
    days = video_days(*exact_days(day(-3), *range(1, 12), since=9))
    best = best_of_last_week(listed("1"), days)
    assert best is not None
    assert (best.period, best.views) == (Period(day(1), day(7)), 5 + 6 + 7 + 8 + 9 + 10 + 11)
    earlier = best_of_last_week(listed("1"), days, until=day(6))
    assert earlier is not None and (earlier.period, earlier.views) == (WEEK, 4 + 5 + 6 + 7 + 8 + 9 + 10)
