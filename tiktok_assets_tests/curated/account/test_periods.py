"""Weeks and months, against sums worked out on paper."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.account.periods import LOOK_BACK, AccountPeriods, account_periods
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.curated.frames import by_month, day_rows, values_of

MONDAY = date(2025, 3, 3)


def days(first: date, counts: list[dict]) -> pl.DataFrame:
    quiet = {"profile_views": 0, "likes": 0, "comments": 0, "shares": 0}
    return with_metrics(day_rows(*({"date": first + timedelta(n), **quiet, **one} for n, one in enumerate(counts))))


def periods(rows: pl.DataFrame, period: str) -> pl.DataFrame:
    table = account_periods(rows)
    assert violations(AccountPeriods, table) == []
    return table.filter(pl.col("period") == period)


class TestWeeks:
    def test_a_week_runs_from_monday_to_sunday_and_is_told_on_sunday(self) -> None:
        likes = [3, 3, 3, 3, 3, 3, 3]
        week = periods(days(MONDAY, [{"video_views": 30, "likes": n, "shares": 1} for n in likes]), "week")
        columns = ("starts_on", "date", "label", "days", "days_known", "is_complete")
        assert values_of(week, *columns) == [(MONDAY, date(2025, 3, 9), "2025-W10", 7, 7, True)]
        # views 7 x 30 = 210; engagements 7 x (3 + 1) = 28; 28 / 210 = 2 / 15; shares 7 / 210 = 1 / 30; 210 / 7 = 30
        sums = ("video_views", "likes", "shares", "engagements", "engagement_rate", "virality_rate")
        assert values_of(week, *sums) == [(210, 21, 7, 28, pytest.approx(2 / 15), pytest.approx(1 / 30))]
        assert values_of(week, "video_views_daily_avg", "video_views_growth") == [(30.0, None)]

    def test_growth_compares_with_the_week_before_if_both_are_complete(self) -> None:
        three = [{"video_views": 10}] * 7 + [{"video_views": 15}] * 7 + [{"video_views": 15}] * 6
        # 105 / 70 - 1 = 0.5; the third week lacks Sunday
        columns = ("video_views", "is_complete", "video_views_growth")
        assert values_of(periods(days(MONDAY, three), "week"), *columns) == [
            (70, True, None),
            (105, True, 0.5),
            (90, False, None),
        ]

    def test_growth_from_a_week_without_views_is_null(self) -> None:
        weeks = periods(days(MONDAY, [{"video_views": 0}] * 7 + [{"video_views": 1}] * 7), "week")
        assert values_of(weeks, "video_views", "engagement_rate", "video_views_growth") == [
            (0, None, None),
            (7, 0.0, None),
        ]

    def test_the_last_week_of_the_year_belongs_to_the_year_of_its_thursday(self) -> None:
        # 30 December 2024 is a Monday, its Thursday is 2 January 2025
        weeks = periods(days(date(2024, 12, 30), [{"video_views": 1}] * 7), "week")
        assert values_of(weeks, "label", "starts_on", "date") == [("2025-W01", date(2024, 12, 30), date(2025, 1, 5))]


class TestMonths:
    def test_february_of_a_leap_year_has_29_days(self) -> None:
        rows = days(date(2024, 1, 1), [{"video_views": 2}] * 31 + [{"video_views": 3}] * 29)
        columns = ("label", "date", "days", "is_complete", "video_views", "video_views_growth")
        # 31 x 2 = 62; 29 x 3 = 87; 87 / 62 - 1 = 25 / 62
        assert values_of(periods(rows, "month"), *columns) == [
            ("2024-01", date(2024, 1, 31), 31, True, 62, None),
            ("2024-02", date(2024, 2, 29), 29, True, 87, pytest.approx(25 / 62)),
        ]
        assert values_of(periods(days(date(2025, 2, 1), [{"video_views": 1}] * 28), "month"), "is_complete") == [
            (True,)
        ]

    def test_followers_compare_the_end_of_the_month_with_the_end_of_the_one_before(self) -> None:
        rows = days(date(2025, 1, 31), [{"followers": 100}, *([{"followers": 7}] * 27), {"followers": 130}])
        table = periods(rows, "month")
        assert values_of(table, "label", "followers", "net_followers") == [("2025-01", 100, None), ("2025-02", 130, 30)]


class TestUnknown:
    def test_a_missing_day_makes_a_part_and_the_days_known_say_so(self) -> None:
        rows = days(MONDAY, [{"video_views": 10}] * 7).filter(pl.col("date") != date(2025, 3, 5))
        columns = ("days_known", "is_complete", "video_views", "video_views_daily_avg")
        assert values_of(periods(rows, "week"), *columns) == [(6, False, 60, 10.0)]

    def test_a_day_with_a_row_and_unknown_views_is_missing_too_and_counts_in_no_sum(self) -> None:
        counts = [{"video_views": 10, "likes": 1}] * 6 + [{"video_views": None, "likes": 50}]
        assert values_of(periods(days(MONDAY, counts), "week"), "days_known", "video_views", "likes") == [(6, 60, 6)]

    def test_a_count_unknown_on_one_of_the_days_has_no_sum(self) -> None:
        counts = [{"video_views": 10, "likes": 1}] * 6 + [{"video_views": 10, "likes": None}]
        columns = ("is_complete", "video_views", "likes", "engagements", "engagement_rate")
        assert values_of(periods(days(MONDAY, counts), "week"), *columns) == [(True, 70, None, None, None)]

    def test_a_week_of_which_only_followers_are_known_has_no_views(self) -> None:
        week = periods(days(MONDAY, [{"followers": 10}] * 7), "week")
        assert values_of(week, "days_known", "video_views", "video_views_daily_avg", "followers") == [
            (0, None, None, 10)
        ]

    def test_a_period_without_any_number_has_no_row(self) -> None:
        nothing: list[dict] = [dict.fromkeys(("profile_views", "likes", "shares", "comments"))] * 7
        known = [{"video_views": 10}] * 7
        rows = days(MONDAY - timedelta(7), nothing + known + nothing)
        columns = ("label", "days_known")
        assert values_of(periods(rows, "week"), *columns) == [("2025-W10", 7)]
        assert values_of(periods(rows, "month"), *columns) == [("2025-03", 7)]

    def test_unique_viewers_are_never_summed(self) -> None:
        counts = [{"video_views": 10, "unique_viewers": n} for n in (1, 2, 3, 4, 5, 6, 7)]
        # (1 + 2 + 3 + 4 + 5 + 6 + 7) / 7 = 4
        assert values_of(periods(days(MONDAY, counts), "week"), "unique_viewers_daily_avg") == [(4.0,)]
        assert values_of(periods(days(MONDAY, counts[:6]), "week"), "unique_viewers_daily_avg") == [(None,)]
        assert "unique_viewers" not in AccountPeriods.to_schema().columns


def test_one_day_is_a_part_of_a_week_and_of_a_month_and_no_day_of_none() -> None:
    columns = ("period", "date", "days_known", "is_complete", "video_views", "net_followers")
    assert values_of(account_periods(days(MONDAY, [{"video_views": 5}])), *columns) == [
        ("week", date(2025, 3, 9), 1, False, 5, None),
        ("month", date(2025, 3, 31), 1, False, 5, None),
    ]
    assert violations(AccountPeriods, account_periods(days(MONDAY, []))) == []


@examples(30)
@given(
    start=st.dates(date(2023, 12, 1), date(2024, 2, 29)),
    counts=st.lists(st.none() | st.integers(0, 40), min_size=1, max_size=120),
)
def test_a_run_per_month_makes_what_one_run_makes(start: date, counts: list[int | None]) -> None:
    rows = days(start, [{"video_views": n, "followers": n, "unique_viewers": n} for n in counts])
    rows = rows.filter(pl.col("video_views").is_not_null() | (pl.col("date").dt.day() % 2 == 0))
    if rows.is_empty():
        return
    at_once = account_periods(rows)
    last_month = rows["date"].dt.month_end().max()
    split = by_month(rows, LOOK_BACK, lambda window, _: account_periods(window))
    # A week that runs into a month of which no day is known yet waits for that month.
    assert_frame_equal(split, at_once.filter(pl.col("date") <= last_month))
