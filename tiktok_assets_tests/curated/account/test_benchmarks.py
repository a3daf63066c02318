"""One account among the others: a window of 28 days and percentiles, worked out on paper."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.account.benchmarks import (
    AccountBenchmarks,
    AccountTotals,
    account_benchmarks,
    account_totals,
    last_days,
    monthly_benchmarks,
)
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets_tests.curated.frames import day_rows, values_of

LAST = date(2025, 3, 28)


def account(
    name: str, views: int | None = 10, *, days: int = 56, followers: tuple[int, int] = (100, 140)
) -> list[dict]:
    """Days up to ``LAST`` with the same views; followers before the window, and at its end."""
    return [
        {
            "account": name,
            "date": LAST - timedelta(days=n),
            "video_views": views,
            "likes": 1,
            "comments": 1,
            "shares": 0,
            "followers": followers[0] if n >= 28 else followers[1],
        }
        for n in range(days)
    ]


def totals(*accounts: list[dict]) -> pl.DataFrame:
    table = account_totals(with_metrics(day_rows(*(row for rows in accounts for row in rows))), LAST)
    assert violations(AccountTotals, table) == []
    return table


class TestTotals:
    def test_a_window_is_28_days_and_compares_with_the_28_before(self) -> None:
        rows = account("a", 20)
        rows[28:] = account("a", 10)[28:]
        # 28 x 20 = 560 against 280; engagements 28 x 2 = 56, of 560 a tenth; 140 - 100 of 100; 560 / 140
        columns = ("date", "days_known", "video_views", "engagements", "engagement_rate", "video_views_growth")
        assert values_of(totals(rows), *columns) == [(LAST, 28, 560, 56, 0.1, 1.0)]
        columns = ("followers", "net_followers", "follower_growth_rate", "views_per_follower")
        assert values_of(totals(rows), *columns) == [(140, 40, 0.4, 4.0)]

    def test_a_missing_day_leaves_the_rate_and_takes_what_needs_the_whole_window(self) -> None:
        rows = account("a")
        del rows[3]
        columns = ("days_known", "is_complete", "video_views", "engagement_rate", "views_per_follower")
        assert values_of(totals(rows), *columns) == [(27, False, 270, 0.2, None)]
        assert values_of(totals(account("a", days=55)), "is_complete", "video_views_growth") == [(True, None)]

    def test_accounts_without_a_known_day_in_the_window_have_no_row(self) -> None:
        assert totals(account("a", None)).is_empty()
        assert totals().is_empty()

    def test_no_followers_are_no_denominator(self) -> None:
        table = totals(account("a", followers=(0, 0)))
        assert values_of(table, "views_per_follower", "follower_growth_rate") == [(None, None)]


class TestBenchmarks:
    def test_percentiles_are_the_share_of_the_other_accounts_below(self) -> None:
        roster = totals(*(account(name, views) for name, views in (("a", 10), ("b", 20), ("c", 20), ("d", 40))))
        table = account_benchmarks(roster)
        assert violations(AccountBenchmarks, table) == []
        # of three others: a has none below, b and c one and each other half, d all three; median of 2, 4, 4, 8 is 4
        ranked = table.filter(metric="views_per_follower")
        assert values_of(ranked, "account", "value", "roster_median", "percentile", "accounts") == [
            ("a", 2.0, 4.0, 0.0, 4),
            ("b", 4.0, 4.0, 0.5, 4),
            ("c", 4.0, 4.0, 0.5, 4),
            ("d", 8.0, 4.0, 1.0, 4),
        ]

    def test_an_incomplete_window_is_not_ranked_and_ranks_nobody(self) -> None:
        part = account("b", 1000)[5:]
        table = account_benchmarks(totals(account("a"), part, account("c", 20))).filter(metric="views_per_follower")
        assert values_of(table, "account", "value", "percentile", "accounts") == [
            ("a", 2.0, 0.0, 2),
            ("b", None, None, 2),
            ("c", 4.0, 1.0, 2),
        ]

    def test_a_single_account_stands_nowhere(self) -> None:
        table = account_benchmarks(totals(account("a"))).filter(metric="engagement_rate")
        assert values_of(table, "value", "percentile", "accounts") == [(0.2, None, 1)]
        assert account_benchmarks(totals()).is_empty()


def shifted(rows: list[dict], days: int) -> list[dict]:
    return [{**row, "date": row["date"] - timedelta(days)} for row in rows]


class TestMonths:
    """``LAST`` is 28 March; the windows of February and January end with the month."""

    def days(self, *late: int) -> pl.DataFrame:
        """An account for each of ``late``: so many days before 28 March it was exported last."""
        return with_metrics(day_rows(*(row for n, days in enumerate(late) for row in shifted(account(f"a{n}"), days))))

    def test_accounts_are_compared_on_the_newest_day_that_most_of_them_know(self) -> None:
        march = date(2025, 3, 1)
        assert dict(last_days(self.days(0, 2)))[march] == LAST - timedelta(2)  # of two accounts both
        assert dict(last_days(self.days(0, 0, 0, 0, 20)))[march] == LAST  # one that nobody exports any more
        assert dict(last_days(self.days(0, 0, 20)))[march] == LAST - timedelta(20)
        assert dict(last_days(self.days(0)))[date(2025, 2, 1)] == date(2025, 2, 28)

    def test_days_before_an_account_lived_are_no_window_to_be_compared_on(self) -> None:
        lived = self.days(8)
        unborn = lived.with_columns(pl.col("date") + timedelta(8), account=pl.lit("unborn"), video_views=pl.lit(0))
        complete_at_last = unborn.filter(pl.col("date") > LAST - timedelta(28))
        rows = pl.concat([lived, complete_at_last], how="vertical_relaxed")
        assert dict(last_days(rows))[date(2025, 3, 1)] == LAST - timedelta(8)

    def test_without_a_complete_window_it_is_the_newest_known_day_and_nobody_is_ranked(self) -> None:
        rows = with_metrics(day_rows(*account("a", days=9), *account("b", days=5)))
        assert last_days(rows) == [(date(2025, 3, 1), LAST)]
        table = monthly_benchmarks(rows, [date(2025, 3, 1)])
        assert table["value"].null_count() == table.height == 10

    def test_months_asked_for_are_told_and_no_others(self) -> None:
        march, february, may = date(2025, 3, 1), date(2025, 2, 1), date(2025, 5, 1)
        table = monthly_benchmarks(self.days(0, 0), [march, february, may])
        assert violations(AccountBenchmarks, table) == []
        assert table["date"].unique().sort().to_list() == [date(2025, 2, 28), LAST]
        assert monthly_benchmarks(self.days(0), [may]).is_empty()
        assert monthly_benchmarks(self.days(), [march]).is_empty()


def test_every_metric_is_a_column_of_the_totals() -> None:
    assert set(account_benchmarks(totals(account("a")))["metric"]) == {
        "views_per_follower",
        "engagement_rate",
        "virality_rate",
        "video_views_growth",
        "follower_growth_rate",
    }


@pytest.mark.parametrize("day", [LAST - timedelta(days=1), LAST + timedelta(days=1)])
def test_the_window_ends_on_the_day_asked_for(day: date) -> None:
    table = account_totals(with_metrics(day_rows(*account("a"))), day)
    assert values_of(table, "days_known", "followers") == ([(28, 140)] if day < LAST else [(27, None)])
