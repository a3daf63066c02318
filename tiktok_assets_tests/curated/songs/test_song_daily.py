"""A song's views by day, computed manually: sums of what is known, and what was known when."""

from __future__ import annotations

import datetime as dt

from tiktok_assets.curated.songs.song_daily import song_daily
from tiktok_assets_tests.curated.frames import values_of
from tiktok_assets_tests.curated.songs.frames import exact_days, members, video_days

JUNE, JULY = dt.date(2026, 6, 1), dt.date(2026, 7, 1)
COUNTED = ("day", "videos", "videos_known", "views_low", "views", "views_high")


def june(day: int) -> dt.date:
    return dt.date(2026, 6, day)


def test_a_day_has_the_sums_of_the_known_videos_and_says_how_many_there_are() -> None:
    days = video_days(
        {"day": june(12), "views_low": 10, "views": 30, "views_high": 50},
        {"day": june(12), "video_id": "2", "views_low": 5, "views": 5, "views_high": 5},
        {"day": june(12), "video_id": "of no song", "views_low": 900, "views": 900, "views_high": 900},
    )
    videos = members(
        {"date": june(13), "published_on": june(1)},
        {"date": june(13), "video_id": "2", "published_on": june(12)},
        {"date": june(14), "video_id": "unknown", "published_on": june(11)},
        {"date": june(14), "video_id": "later", "published_on": june(13)},
    )
    assert values_of(song_daily(days, videos, [JUNE]), *COUNTED) == [(june(12), 3, 2, 15, 35, 55)]


def test_views_that_nothing_limits_leave_the_song_without_limit_and_estimate() -> None:
    days = video_days(
        {"day": june(12), "views_low": 0, "views": None, "views_high": None},
        {"day": june(12), "video_id": "2", "views_low": 5, "views": 6, "views_high": 7},
    )
    videos = members({"date": june(13)}, {"date": june(13), "video_id": "2"})
    assert values_of(song_daily(days, videos, [JUNE]), *COUNTED) == [(june(12), 2, 2, 5, None, None)]


def test_a_video_of_two_songs_counts_for_each_and_once() -> None:
    videos = members(
        {"date": june(13)},
        {"date": june(14)},
        {"date": june(14), "song": "other"},
    )
    rows = song_daily(video_days(*exact_days(june(12), 7)), videos, [JUNE])
    assert values_of(rows, "song", "videos", "views") == [("other", 1, 7), ("s", 1, 7)]


def test_what_a_later_month_makes_known_of_a_day_is_a_row_of_that_month() -> None:
    days = video_days(
        *exact_days(june(28), 9),
        {"day": june(29), "views_low": 4, "views": 4, "views_high": 4},
        {"day": june(29), "video_id": "2", "views_low": 1, "views": 2, "views_high": 3, "date": JULY},
    )
    videos = members({"date": june(30)}, {"date": june(30), "video_id": "2"})
    rows = song_daily(days, videos, [JUNE, JULY])
    assert values_of(rows, "date", *COUNTED) == [
        (JUNE, june(28), 2, 1, 9, 9, 9),
        (JUNE, june(29), 2, 1, 4, 4, 4),
        (JULY, june(29), 2, 2, 5, 6, 7),
    ]
    assert song_daily(days, videos, [JULY]).equals(rows.filter(date=JULY))


def test_a_video_that_no_snapshot_of_a_year_contains_is_none_of_the_song() -> None:
    videos = members({"date": june(1) - dt.timedelta(400)})
    assert song_daily(video_days(*exact_days(june(12), 7)), videos, [JUNE]).is_empty()


def test_without_songs_there_are_no_rows() -> None:
    assert song_daily(video_days(*exact_days(june(12), 7)), members({"date": june(13)}).clear(), [JUNE]).is_empty()
