"""Each promise month by month: kept, broken, and not examined."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated._tables import warehouse_rows
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.quality.check_results import DATA_QUALITY, LOOK_BACK, REPORTS, DataQuality, check_results
from tiktok_assets.curated.quality.quality import PROMISES
from tiktok_assets_tests.curated.frames import by_month, column, day_rows, months_of, parameters, values_of

MARCH, APRIL = date(2025, 3, 1), date(2025, 4, 1)
LOADED_AT = pl.Series(["2025-05-01T00:00:00Z"]).str.to_datetime(time_zone="UTC").item()
QUIET = {
    "video_views": 50,
    "profile_views": 3,
    "likes": 4,
    "comments": 1,
    "shares": 0,
    "followers": 500,
    "unique_viewers": 40,
}
OUTLIERS = {"engagement_is_not_an_outlier", "views_are_not_an_outlier"}
EVIDENCE = ("passed", "severity", "days_examined", "data_errors", "events", "first_day", "last_day", "sentence")


def days(count: int, changes: Mapping[int, dict[str, Any] | None] | None = None, first: date = MARCH) -> pl.DataFrame:
    """Days from ``first`` on, all like ``QUIET`` but for the ``changes``, by number; None is a missing one."""
    each = {number: (changes or {}).get(number, {}) for number in range(count)}
    kept = {number: change for number, change in each.items() if change is not None}
    rows = day_rows(*({"date": first + timedelta(number), **QUIET, **change} for number, change in kept.items()))
    return with_metrics(rows).with_columns(export_id=pl.lit("e"))


def results(rows: pl.DataFrame, **reports: pl.DataFrame) -> pl.DataFrame:
    """``rows`` are those of each report, unless others are given."""
    table = check_results(rows, {name: reports.get(name, rows).select("account", "date") for name in REPORTS})
    assert violations(DataQuality, warehouse_rows(table, DataQuality, LOADED_AT)) == []
    return table


def one(table: pl.DataFrame, check: str, month: date = MARCH, about: str = "curated/account_daily") -> tuple[Any, ...]:
    (row,) = values_of(table.filter(table_name=about, check_name=check, date=month), *EVIDENCE)
    return row


def test_a_month_that_keeps_every_promise_counts_the_days_of_each_table() -> None:
    table = results(days(31))
    about_days = sorted(set(PROMISES) - OUTLIERS)
    expected = [("curated/account_daily", check) for check in about_days]
    expected += [
        (f"staging/{name}", check) for name in sorted(REPORTS) for check in ("days_are_contiguous", "has_rows")
    ]
    assert values_of(table, "table_name", "check_name") == expected
    assert set(column(table, "passed")) == {True}
    assert set(values_of(table, *EVIDENCE[3:])) == {(0, 0, None, None, None)}
    # of the first day nobody knows the followers of the day before
    assert {
        check: examined for check, examined in values_of(table, "check_name", "days_examined") if examined != 31
    } == {"follower_trend_is_plausible": 30}


def test_a_promise_that_could_not_be_judged_is_not_reported_as_kept() -> None:
    unknown: dict[str, Any] = {"unique_viewers": None, "followers": None}
    table = results(days(31, dict.fromkeys(range(31), unknown)))
    judged = set(column(table.filter(table_name="curated/account_daily"), "check_name"))
    assert set(PROMISES) - judged == {"views_cover_viewers", "follower_trend_is_plausible", *OUTLIERS}


def test_outliers_are_judged_once_the_usual_value_is_known() -> None:
    # The same weekday four times makes a usual, two weeks of surprises a spread: from the 43rd day on, 12 April.
    usual = {number: {"video_views": 500 + number % 3, "likes": 40} for number in range(60)}
    table = results(days(60, usual))
    assert one(table, "views_are_not_an_outlier", APRIL)[:3] == (True, None, 18)
    assert table.filter(check_name="views_are_not_an_outlier", date=MARCH).is_empty()


def test_findings_of_a_month_are_counted_and_the_newest_is_named() -> None:
    rows = days(40, {9: {"followers": 400}, 19: {"followers": 300}, 35: {"followers": 500}, 36: {"followers": 0}})
    table = results(rows)
    # 500 to 400 on the 10th, back to 500 on the 11th; 500 to 300 on the 20th
    assert one(table, "follower_trend_is_plausible") == (
        *(False, "warning", 30, 0, 2, date(2025, 3, 10), date(2025, 3, 20)),
        "Followers fell from 500 to 300 in a day (-40%). And 1 more.",
    )
    # 6 April is the 37th day
    assert one(table, "follower_trend_is_plausible", APRIL) == (
        *(False, "error", 9, 1, 0, date(2025, 4, 6), date(2025, 4, 6)),
        "Followers fell from 500 to none in a day: the number was probably lost.",
    )


def test_the_worst_of_a_month_is_its_severity() -> None:
    table = results(
        days(10, {2: {"followers": 400}, 4: {"followers": 0}, 6: {"followers": 700}, 7: {"followers": 500}})
    )
    assert one(table, "follower_trend_is_plausible")[:5] == (False, "error", 9, 1, 2)


def test_a_gap_is_reported_in_the_month_of_the_first_day_after_it() -> None:
    rows = days(40)
    gap = pl.col("date").is_between(pl.lit(date(2025, 3, 30)), pl.lit(date(2025, 4, 2)), closed="both")
    table = results(rows, viewers=rows.filter(~gap))
    sentence = "No export contains 4 days, from 30 March 2025 to 2 April 2025: export that window again."
    viewers = "staging/viewers"
    assert one(table, "days_are_contiguous", MARCH, viewers) == (True, None, 29, 0, 0, None, None, None)
    assert one(table, "days_are_contiguous", APRIL, viewers) == (
        *(False, "warning", 7, 1, 0, date(2025, 3, 30), date(2025, 4, 2)),
        sentence,
    )
    assert one(table, "days_are_contiguous", APRIL, "staging/overview")[0]


def test_a_report_without_rows_in_the_month_only_breaks_has_rows() -> None:
    rows = days(40)
    table = results(rows, follower_history=rows.filter(pl.col("date") < APRIL))
    history = table.filter(table_name="staging/follower_history", date=APRIL)
    assert values_of(history, "check_name", *EVIDENCE) == [
        (
            *("has_rows", False, "warning", 0, 1, 0, APRIL, date(2025, 4, 30)),
            "No export contains this report for the month.",
        )
    ]


def test_months_without_data_have_no_row() -> None:
    table = results(days(5), viewers=days(5, first=date(2025, 6, 1)))
    assert months_of(table) == [MARCH, date(2025, 6, 1)]
    assert values_of(table.filter(date=date(2025, 6, 1), table_name="curated/account_daily"), "check_name") == []
    assert results(days(0)).is_empty()


def test_a_month_in_which_exports_only_list_days_without_numbers_promises_nothing() -> None:
    account = days(30, first=APRIL)
    listed = days(61)
    reports = {"viewers": listed, "overview": account, "follower_history": listed}
    found = DATA_QUALITY.rows({"days": account, **reports, **raw_of("e")}, parameters())
    assert months_of(found) == [APRIL]
    assert found["passed"].all()


def raw_of(export_id: str, evidence: str = "zip_name") -> dict[str, pl.LazyFrame]:
    """The raw rows of each report: of one export, whose file is a month older than its last row."""
    row = {
        "account": "a",
        "export_id": export_id,
        "source": "Overview.csv",
        "year_evidence": evidence,
        "downloaded_at_evidence": evidence,
        "downloaded_at": LOADED_AT,
        "window_last": date(2025, 4, 1),
    }
    return {f"raw_{name}": pl.LazyFrame([row]) for name in REPORTS}


def test_a_year_that_rests_on_the_time_of_a_file_is_named_in_each_month_of_its_days() -> None:
    account = days(33)
    inputs = {"days": account, **dict.fromkeys(REPORTS, account)}
    found = DATA_QUALITY.rows({**inputs, **raw_of("e", "doubtful_file_time")}, parameters())
    text = (
        "The year 2025 of Overview.csv rests on the time of the file (2025-05-01), which may be that of a copy. "
        "Name it as Studio did, or with a full date of its window."
    )
    for report in REPORTS:
        about = f"staging/{report}"
        march = (False, "warning", 31, 1, 0, MARCH, date(2025, 3, 31), text)
        assert one(found, "exports_are_dated", about=about) == march
        april = (False, "warning", 2, 1, 0, APRIL, date(2025, 4, 2), text)
        assert one(found, "exports_are_dated", APRIL, about=about) == april
    for certain in (raw_of("another", "doubtful_file_time"), raw_of("e"), raw_of("e", "file_time")):
        kept = DATA_QUALITY.rows({**inputs, **certain}, parameters()).filter(check_name="exports_are_dated")
        assert (kept["passed"].all(), kept.height) == (True, 6)


def test_a_run_per_month_makes_what_one_run_makes() -> None:
    lost = dict.fromkeys((*range(28, 36), *range(80, 230), 300))
    rows = days(330, lost | {50: {"followers": 5}, 240: {"video_views": 1}})
    split = by_month(rows, LOOK_BACK, lambda window, _: results(window))
    assert_frame_equal(split, results(rows))
