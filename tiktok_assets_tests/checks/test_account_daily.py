"""Every promise about an account's days, shown kept and broken, in words that a manager understands."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl
import pytest

from tiktok_assets.checks import table as checks
from tiktok_assets.curated.account.account_daily import ACCOUNT_DAILY
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.quality.quality import PROMISES
from tiktok_assets.partitions import PartitionRange
from tiktok_assets_tests.curated.frames import day_rows, parameters

MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)
PARTITIONS = PartitionRange(("a",), (MARCH,))
QUIET = {"video_views": 50, "profile_views": 3, "likes": 4, "comments": 1, "shares": 0, "followers": 500}


def days(*changes: dict[str, Any] | None, first: date = MARCH) -> pl.DataFrame:
    """Days from ``first`` on, all like ``QUIET`` but for what is changed; None is a missing one."""
    values = [
        {"date": first + timedelta(n), **QUIET, **change} for n, change in enumerate(changes) if change is not None
    ]
    return with_metrics(day_rows(*values))


def usual(number: int) -> list[dict[str, Any]]:
    return [{"video_views": 1000 + n % 7, "likes": 90, "comments": 9, "shares": 1} for n in range(number)]


BROKEN: dict[str, tuple[pl.DataFrame, str]] = {
    "has_no_duplicates": (
        days({"video_views": 100}, {"video_views": 100}),
        "a, 2 March 2025: All counts equal those of the day before (100 views): TikTok probably labelled one day with "
        "two dates, so it is counted twice. Export these days again.",
    ),
    "views_cover_engagement": (
        days({"video_views": 10, "likes": 10}),
        "a, 1 March 2025: 11 likes, comments and shares on 10 views: nobody engages without viewing, so one of the "
        "numbers is wrong.",
    ),
    "views_cover_viewers": (
        days({"video_views": 50, "unique_viewers": 300}),
        "a, 1 March 2025: 300 viewers on 50 views: nobody watches without a view. TikTok probably reported the viewers "
        "of another day, so do not use those of this one.",
    ),
    "engagement_rate_is_within_bounds": (
        days({"video_views": 10, "likes": -3}),
        "a, 1 March 2025: More likes, comments and shares were removed than given: -2 of them.",
    ),
    "follower_trend_is_plausible": (
        days({"followers": 1000}, {"followers": 899}),
        "a, 2 March 2025: Followers fell from 1,000 to 899 in a day (-10%).",
    ),
    "engagement_is_not_an_outlier": (
        days(*usual(80), {"video_views": 1000, "likes": 600}, first=MARCH - timedelta(70)),
        "a, 11 March 2025: 601 likes, comments and shares are 6.0 times the 100 usual for 1,000 views.",
    ),
    "active_days_have_data": (
        days({}, None, None, {}),
        "a, 4 March 2025: No data for 2 days, from 2 March 2025 to 3 March 2025: export that window again.",
    ),
}


def check_results(rows: pl.DataFrame, partitions: PartitionRange) -> list[dg.AssetCheckResult]:
    return checks.check_results(ACCOUNT_DAILY, rows, partitions, parameters())


def result(name: str, rows: pl.DataFrame, partitions: PartitionRange = PARTITIONS) -> dg.AssetCheckResult:
    (found,) = (found for found in check_results(rows, partitions) if found.check_name == name)
    return found


def test_every_declared_promise_is_evaluated_and_broken_here() -> None:
    declared = [spec.name for spec in checks.check_specs(ACCOUNT_DAILY) if spec.name != "keeps_schema"]
    assert declared == [found.check_name for found in check_results(days(), PARTITIONS)] == list(BROKEN)
    assert set(PROMISES) - set(declared) == {"views_are_not_an_outlier"}  # an event, listed in the rows alone


@pytest.mark.parametrize("name", BROKEN)
def test_quiet_days_keep_a_promise_and_a_broken_one_warns_in_a_sentence(name: str) -> None:
    kept = result(name, days({}, {"video_views": 51}, {}))
    assert (kept.passed, kept.description) == (True, None)
    rows, sentence = BROKEN[name]
    found = result(name, rows)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == sentence
    assert found.metadata is not None
    assert sentence.split(": ", 1)[1] in str(found.metadata["rows"].value)
    assert found.metadata["partitions"].value == "a: 2025-03 to 2025-03"


def test_data_errors_and_events_are_distinguished() -> None:
    rows = days({"followers": 1000}, {"followers": 800}, {"followers": 800}, {"followers": 0})
    found = result("follower_trend_is_plausible", rows)
    assert found.metadata is not None
    assert (found.metadata["events"].value, found.metadata["data_errors"].value) == (1, 1)
    assert found.description == (
        "a, 4 March 2025: Followers fell from 800 to none in a day: the number was probably lost. And 1 more."
    )


@pytest.mark.parametrize("name", BROKEN)
def test_the_days_beside_a_finding_are_those_of_the_run_and_not_those_with_findings(name: str) -> None:
    """A reader takes "days: 0" beside 31 covered days for a check that saw nothing."""
    found = result(name, days(*[{"video_views": 50 + n} for n in range(40)]))
    assert found.passed
    assert found.metadata is not None
    assert (found.metadata["days"].value, found.metadata["data_errors"].value) == (31, 0)


def test_an_engagement_rate_above_1_is_reported_once_and_as_an_error() -> None:
    found = result("engagement_rate_is_within_bounds", days({"video_views": 10, "likes": 10}))
    assert found.metadata is not None
    assert (found.metadata["days"].value, found.metadata["data_errors"].value) == (1, 1)


def test_removals_that_leave_the_rate_within_bounds_do_not_break_that_promise() -> None:
    assert result("engagement_rate_is_within_bounds", days({"video_views": 1000, "likes": 100, "comments": -20})).passed


def test_days_before_the_range_are_used_for_comparison_and_not_judged() -> None:
    rows = days(*[{}] * 27, {"followers": 1000}, {"followers": 1000}, {"followers": 1000}, {"followers": 1000}, {})
    assert not result("follower_trend_is_plausible", rows, PartitionRange(("a",), (APRIL,))).passed
    assert result("follower_trend_is_plausible", rows).passed


def test_a_day_that_only_insights_contain_breaks_nothing() -> None:
    unknown = dict.fromkeys((*QUIET,))
    assert all(found.passed for found in check_results(days({}, unknown), PARTITIONS))
