"""A snapshot compared with the one before and with the publication, worked out manually."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.curated.videos.video_growth import LOOK_BACK, VideoGrowth, with_growth, with_latest
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.curated.frames import by_month, column, snapshot_rows, values_of

ATHENS = {"a": "Europe/Athens"}
NOWHERE: dict[str, str | None] = {"a": None}


def at(hour: int, minute: int = 0, day: date = date(2025, 1, 10)) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


class TestGains:
    def test_views_gained_are_counted_from_the_snapshot_before(self) -> None:
        rows = with_growth(
            snapshot_rows(
                {"date": date(2025, 1, 11), "total_views": 100},
                {"date": date(2025, 1, 12), "total_views": 130},
                {"date": date(2025, 2, 2), "total_views": 120},
                {"date": date(2025, 1, 12), "total_views": 7, "video_id": "2"},
            ),
            NOWHERE,
        )
        # 130 - 100 over 1 day; 120 - 130 over 12 January to 2 February, 21 days: TikTok took views back
        assert values_of(rows, "video_id", "views_gained", "gained_over_days") == [
            ("1", None, None),
            ("1", 30, 1),
            ("1", -10, 21),
            ("2", None, None),
        ]

    def test_an_unknown_total_is_passed_over_and_gains_nothing_itself(self) -> None:
        totals = (10, None, 25)
        rows = snapshot_rows(*({"date": date(2025, 1, 1 + n), "total_views": one} for n, one in enumerate(totals)))
        assert values_of(with_growth(rows, NOWHERE), "views_gained", "gained_over_days") == [
            (None, None),
            (None, None),
            (15, 2),
        ]

    def test_a_snapshot_of_more_than_a_year_ago_is_too_old_to_count_from(self) -> None:
        first = date(2024, 1, 1)
        for distance, gained in ((366, 5), (367, None)):
            rows = snapshot_rows(
                {"date": first, "total_views": 1}, {"date": first + timedelta(distance), "total_views": 6}
            )
            assert column(with_growth(rows, NOWHERE), "views_gained") == [None, gained]


class TestRates:
    def test_rates_are_of_lifetime_totals(self) -> None:
        rows = with_growth(
            snapshot_rows(
                {"date": date(2025, 1, 1), "total_views": 50, "total_likes": 5, "total_comments": 3, "total_shares": 2}
            ),
            NOWHERE,
        )
        # 5 + 3 + 2 = 10 of 50, and 2 of 50
        assert values_of(rows, "engagement_rate", "virality_rate") == [(0.2, 0.04)]

    @pytest.mark.parametrize(
        ("views", "likes", "shares", "expected"),
        [
            (0, 1, 1, (None, None)),
            (None, 1, 1, (None, None)),
            (10, None, 1, (None, 0.1)),
            (10, -1, 1, (None, 0.1)),
            (10, 1, -1, (None, None)),
        ],
    )
    def test_no_views_an_unknown_or_an_impossible_total_give_no_rate(
        self, views: int | None, likes: int | None, shares: int, expected: tuple
    ) -> None:
        row = {"total_views": views, "total_likes": likes, "total_comments": 0, "total_shares": shares}
        rows = with_growth(snapshot_rows({"date": date(2025, 1, 1), **row}), NOWHERE)
        assert values_of(rows, "engagement_rate", "virality_rate") == [expected]


class TestPublication:
    @pytest.mark.parametrize(
        ("published_at", "post_date", "hour", "weekday"),
        [
            (at(12, 30), date(2025, 1, 10), 14, 5),  # winter: UTC + 2; 10 January 2025 is a Friday
            (at(22, 30), date(2025, 1, 11), 0, 6),  # half past midnight of Saturday in Athens
            (at(12, 30, date(2025, 7, 10)), date(2025, 7, 10), 15, 4),  # summer: UTC + 3
            (at(12, 30), None, 14, 5),
            (at(12, 30), date(2025, 1, 13), None, 1),  # scheduled for Monday: nobody knows at which hour
            (None, date(2025, 1, 10), None, 5),  # the day is known, the hour is not
        ],
    )
    def test_hour_and_weekday_are_the_accounts_own(
        self, published_at: datetime | None, post_date: date | None, hour: int | None, weekday: int | None
    ) -> None:
        row = {"date": date(2025, 7, 20), "published_at": published_at, "post_date": post_date}
        rows = with_growth(snapshot_rows(row), ATHENS)
        assert values_of(rows, "publish_hour_local", "publish_weekday_local") == [(hour, weekday)]

    def test_without_a_timezone_there_is_no_local_hour(self) -> None:
        for zones in (NOWHERE, {}, {"b": "Europe/Athens"}):
            rows = with_growth(snapshot_rows({"date": date(2025, 1, 11), "published_at": at(12)}), zones)
            assert values_of(rows, "publish_hour_local", "publish_weekday_local") == [(None, None)]

    def test_each_account_has_its_own_clock(self) -> None:
        rows = snapshot_rows(
            *({"account": one, "date": date(2025, 1, 11), "published_at": at(20)} for one in ("a", "b", "c"))
        )
        zones = {"a": "Europe/Athens", "b": "Asia/Tokyo", "c": None}
        # 20:00 UTC is 22 o'clock in Athens, 5 o'clock of the next day in Tokyo
        assert column(with_growth(rows, zones), "publish_hour_local") == [22, 5, None]

    @pytest.mark.parametrize(
        ("published_at", "post_date", "snapshot", "age", "per_day"),
        [
            (at(23, 59), date(2025, 1, 11), date(2025, 1, 14), 4, 15.0),  # 10 to 14 January; 60 / 4
            (at(1), date(2025, 1, 10), date(2025, 1, 10), 0, None),
            (at(1), date(2025, 1, 13), date(2025, 1, 15), 2, 30.0),  # scheduled: it lives since the 13th
            (None, date(2025, 1, 9), date(2025, 1, 15), 6, 10.0),
            (None, None, date(2025, 1, 15), None, None),
            (at(1), date(2025, 1, 10), date(2025, 1, 9), None, None),  # captured before it was posted: not believed
            (at(1, 0, date(2024, 2, 28)), date(2024, 2, 28), date(2024, 3, 1), 2, 30.0),  # over 29 February
        ],
    )
    def test_age_and_views_per_day_count_from_the_publication(
        self,
        published_at: datetime | None,
        post_date: date | None,
        snapshot: date,
        age: int | None,
        per_day: float | None,
    ) -> None:
        row = {"date": snapshot, "published_at": published_at, "post_date": post_date, "total_views": 60}
        for zones in (ATHENS, NOWHERE):
            assert values_of(with_growth(snapshot_rows(row), zones), "age_days", "views_per_day") == [(age, per_day)]


def test_the_latest_snapshot_of_each_video_is_marked() -> None:
    rows = snapshot_rows(
        {"date": date(2025, 1, 1)}, {"date": date(2025, 1, 3)}, {"date": date(2025, 1, 2), "video_id": "2"}
    )
    assert column(with_latest(rows), "is_latest") == [False, True, True]


def test_no_snapshots_have_every_column() -> None:
    added = list(VideoGrowth.to_schema().columns)
    empty = with_growth(snapshot_rows(), ATHENS).select(added)
    assert empty.height == 0
    VideoGrowth.validate(empty)


@examples(30)
@given(
    snapshots=st.lists(
        st.tuples(st.integers(0, 800), st.sampled_from("12"), st.none() | st.integers(0, 99)), unique_by=lambda s: s[:2]
    )
)
def test_a_run_per_month_makes_what_one_run_makes(snapshots: list[tuple[int, str, int | None]]) -> None:
    given: list[dict[str, Any]] = [
        {"date": date(2023, 11, 5) + timedelta(n), "video_id": video, "total_views": views, "published_at": at(8)}
        for n, video, views in snapshots
    ]
    rows = snapshot_rows(*given)
    if rows.height:
        split = by_month(rows, LOOK_BACK, lambda window, _: with_growth(window, ATHENS))
        assert_frame_equal(split.sort("account", "video_id", "date"), with_growth(rows, ATHENS))
