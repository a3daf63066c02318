"""Rates, growth and averages of a day, against numbers worked out on paper."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.curated.account.metrics import LOOK_BACK, DayRates, with_metrics
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.curated.frames import by_month, column, day_rows, values_of

FIRST = date(2025, 3, 3)


def day(number: int) -> date:
    """Day 1 is Monday, 3 March 2025."""
    return FIRST + timedelta(days=number - 1)


def views(**by_day: int | None) -> pl.DataFrame:
    """``views(d1=10, d8=20)``: days with these views and no other rows."""
    return day_rows(*({"date": day(int(key[1:])), "video_views": value} for key, value in by_day.items()))


class TestRates:
    def test_engagements_are_likes_comments_and_shares_and_rates_are_per_view(self) -> None:
        rows = with_metrics(day_rows({"date": FIRST, "video_views": 200, "likes": 30, "comments": 6, "shares": 4}))
        # 30 + 6 + 4 = 40; 40 / 200 = 0.2; 4 / 200 = 0.02
        assert values_of(rows, "engagements", "engagement_rate", "virality_rate") == [(40, 0.2, 0.02)]

    def test_more_taken_back_than_given_is_a_rate_below_zero(self) -> None:
        rows = with_metrics(day_rows({"date": FIRST, "video_views": 100, "likes": 3, "comments": -7, "shares": -1}))
        # 3 - 7 - 1 = -5; -5 / 100; -1 / 100
        assert values_of(rows, "comments", "engagements", "engagement_rate", "virality_rate") == [
            (-7, -5, -0.05, -0.01)
        ]

    @pytest.mark.parametrize(
        ("known", "expected"),
        [
            ({"video_views": 0, "likes": 0, "comments": 0, "shares": 0}, (0, None, None)),
            ({"video_views": None, "likes": 1, "comments": 1, "shares": 1}, (3, None, None)),
            ({"video_views": -4, "likes": 1, "comments": 1, "shares": 1}, (3, None, None)),
            ({"video_views": 10, "likes": None, "comments": 1, "shares": 2}, (None, None, 0.2)),
            ({"video_views": 10, "likes": 1, "comments": 1, "shares": None}, (None, None, None)),
        ],
    )
    def test_what_is_unknown_or_has_no_denominator_is_null(self, known: dict, expected: tuple) -> None:
        rows = with_metrics(day_rows({"date": FIRST, **known}))
        assert values_of(rows, "engagements", "engagement_rate", "virality_rate") == [expected]


class TestFollowers:
    def test_net_followers_compare_with_the_calendar_day_before(self) -> None:
        rows = with_metrics(
            day_rows(
                {"date": day(1), "followers": 1000},
                {"date": day(2), "followers": 1050},
                {"date": day(4), "followers": 1100},
                {"date": day(5), "followers": 990},
            )
        )
        # 50 more than 1,000 is 0.05; day 3 is unknown, so nothing is said of day 4; 110 of 1,100 left is -0.1
        assert column(rows, "net_followers") == [None, 50, None, -110]
        assert column(rows, "follower_growth_rate") == [None, 0.05, None, -0.1]

    def test_growth_from_no_followers_is_no_rate(self) -> None:
        rows = with_metrics(day_rows({"date": day(1), "followers": 0}, {"date": day(2), "followers": 5}))
        assert values_of(rows, "net_followers", "follower_growth_rate") == [(None, None), (5, None)]

    def test_where_followers_are_unknown_business_suite_is_believed(self) -> None:
        rows = day_rows({"date": day(1), "followers": 100}, {"date": day(2), "followers": 104}, {"date": day(3)})
        suite = rows.with_columns(new_followers=pl.Series([9, 9, 9]), lost_followers=pl.Series([2, None, 3]))
        # day 1: 9 - 2; day 2: 104 - 100 was counted; day 3: 9 - 3
        assert column(with_metrics(suite), "net_followers") == [7, 4, 6]
        reported = suite.with_columns(net_followers=pl.Series([8, 8, None], dtype=pl.Int64))
        assert column(with_metrics(reported), "net_followers") == [8, 4, 6]


class TestGrowth:
    def test_growth_compares_with_exactly_1_7_and_28_days_before(self) -> None:
        rows = with_metrics(views(d1=100, d22=400, d28=50, d29=200))
        # day 29: 200 / 50 - 1 = 3 (day 28); 200 / 400 - 1 = -0.5 (day 22); 200 / 100 - 1 = 1 (day 1)
        columns = ("video_views_growth_1d", "video_views_growth_7d", "video_views_growth_28d")
        assert values_of(rows, *columns) == [
            (None, None, None),
            (None, None, None),
            (None, None, None),
            (3.0, -0.5, 1.0),
        ]

    def test_the_seventh_row_before_is_not_the_seventh_day_before(self) -> None:
        rows = with_metrics(views(d1=10, d2=10, d4=10, d5=10, d6=10, d7=10, d9=10, d10=30))
        # day 10 - 7 = day 3, which has no row, though 7 rows lie before it; day 9 - 7 = day 2
        assert column(rows, "video_views_growth_7d")[-2:] == [0.0, None]

    @pytest.mark.parametrize(("before", "now"), [(0, 5), (None, 5), (5, None), (-3, 5), (5, -3)])
    def test_growth_from_nothing_or_the_unknown_is_null(self, before: int | None, now: int | None) -> None:
        assert column(with_metrics(views(d1=before, d2=now)), "video_views_growth_1d") == [None, None]

    def test_february_29_is_a_day_like_any_other(self) -> None:
        days = [date(2024, 2, 22), date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 7)]
        rows = day_rows(*({"date": one, "video_views": 10 * number} for number, one in enumerate(days, 1)))
        # 29 February = 22 February + 7 = 7 March - 7: 30 / 10 - 1 and 50 / 30 - 1
        growths = column(with_metrics(rows), "video_views_growth_7d")
        assert growths == [None, None, 2.0, None, pytest.approx(2 / 3)]
        assert column(with_metrics(rows), "video_views_growth_1d")[2:4] == [0.5, pytest.approx(1 / 3)]


class TestAverages:
    def test_the_average_is_of_7_known_calendar_days(self) -> None:
        rows = with_metrics(views(d1=1, d2=2, d3=3, d4=4, d5=5, d6=6, d7=14, d8=8))
        # 1 + 2 + 3 + 4 + 5 + 6 + 14 = 35; 35 / 7 = 5. Then 35 - 1 + 8 = 42; 42 / 7 = 6
        assert column(rows, "video_views_7d_avg") == [None] * 6 + [5.0, 6.0]

    def test_one_unknown_or_missing_day_leaves_the_average_unknown(self) -> None:
        unknown = views(d1=1, d2=1, d3=None, d4=1, d5=1, d6=1, d7=1, d8=1)
        missing = views(d1=1, d2=1, d4=1, d5=1, d6=1, d7=1, d8=1, d9=1, d10=1)
        assert column(with_metrics(unknown), "video_views_7d_avg") == [None] * 8
        assert column(with_metrics(missing), "video_views_7d_avg") == [None] * 8 + [1.0]


def test_accounts_do_not_mix() -> None:
    rows = day_rows(
        {"date": day(1), "account": "a", "video_views": 10, "followers": 10},
        {"date": day(2), "account": "b", "video_views": 20, "followers": 20},
    )
    assert values_of(with_metrics(rows), "account", "video_views_growth_1d", "net_followers") == [
        ("a", None, None),
        ("b", None, None),
    ]


def test_an_account_of_one_day_and_one_of_none_have_every_column() -> None:
    added = list(DayRates.to_schema().columns)
    one = with_metrics(day_rows({"date": FIRST, "video_views": 5, "likes": 1, "comments": 0, "shares": 0}))
    assert one.select(added).row(0, named=True) == {
        **dict.fromkeys(added),
        "engagements": 1,
        "engagement_rate": 0.2,
        "virality_rate": 0.0,
    }
    assert with_metrics(day_rows()).select(added).height == 0
    DayRates.validate(one.select(added))


COUNT = st.none() | st.integers(-5, 40)


@examples(40)
@given(
    start=st.dates(date(2023, 12, 1), date(2024, 2, 29)),
    days=st.lists(st.none() | st.tuples(COUNT, COUNT, COUNT), min_size=1, max_size=100),
)
def test_a_run_per_month_makes_what_one_run_makes(start: date, days: list) -> None:
    rows = day_rows(
        *(
            {
                "date": start + timedelta(n),
                "video_views": values[0],
                "likes": values[1],
                "comments": 1,
                "shares": 0,
                "followers": values[2],
            }
            for n, values in enumerate(days)
            if values is not None
        )
    )
    if rows.height:
        assert_frame_equal(by_month(rows, LOOK_BACK, lambda window, _: with_metrics(window)), with_metrics(rows))
