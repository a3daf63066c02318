"""Which days are covered, missing and unsettled: expectations written manually, and properties of any days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.coverage.coverage import (
    COUNTED,
    Coverage,
    ReportCoverage,
    all_reported_days,
    columns_of,
    coverage,
    covered_until,
    ranges,
)
from tiktok_assets.exports.windows import DAY, Window
from tiktok_assets.reports import REPORTS
from tiktok_assets_tests.budget import examples

SCHEMAS = {report.name: report.schema for report in REPORTS}
LONG_AFTER = dt.datetime(2027, 6, 1, 18, tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    """``day("11-20")`` of 2026."""
    return dt.date.fromisoformat(f"2026-{text}")


def days(first: str, last: str) -> list[dt.date]:
    return Window(first=day(first), last=day(last)).days()


def reported(
    report: str, known: Iterable[dt.date], *, unknown: Iterable[dt.date] = (), at: dt.datetime = LONG_AFTER
) -> pl.DataFrame:
    """Days of "north" as ``reported_days`` makes them, all out of one export."""
    rows = [("north", report, one, True, at, at) for one in known]
    rows += [("north", report, one, False, at, at) for one in unknown]
    return pl.DataFrame(rows, schema=all_reported_days({report: SCHEMAS[report].empty()}).schema, orient="row")


def found(newest: str, *frames: pl.DataFrame) -> dict[str, ReportCoverage]:
    return {one.report: one for one in covered_until(pl.concat(frames), day(newest))["north"]}


def shown(of: Iterable[dt.date]) -> list[str]:
    return [str(one) for one in ranges(list(of))]


def test_holes_and_the_days_since_the_last_one_are_missing() -> None:
    overview = found("11-20", reported("overview", [*days("11-01", "11-05"), *days("11-09", "11-17")]))["overview"]
    assert (overview.first, overview.last, len(overview.covered)) == (day("11-01"), day("11-17"), 14)
    assert shown(overview.missing) == ["2026-11-06 to 2026-11-08", "2026-11-18 to 2026-11-20"]


def test_days_before_the_first_are_missing_only_if_another_report_has_them() -> None:
    by_report = found(
        "11-20",
        reported("overview", days("11-10", "11-20")),
        reported("viewers", days("11-13", "11-20")),
        activity("11-14"),
    )
    assert shown(by_report["overview"].missing) == []
    assert shown(by_report["viewers"].missing) == ["2026-11-10 to 2026-11-12"]
    assert shown(by_report["follower_history"].missing) == ["2026-11-10 to 2026-11-20"]
    assert shown(by_report["follower_activity"].missing) == []  # Studio shows a week before the first export, no more


@pytest.mark.parametrize(
    ("viewers", "missing_in_overview", "missing_in_viewers"),
    [
        (days("11-09", "11-19"), [], []),
        (days("11-11", "11-20"), [], []),
        (days("11-11", "11-19"), [], []),
        (days("11-08", "11-20"), ["2026-11-08 to 2026-11-09"], []),
        (days("11-12", "11-20"), [], ["2026-11-10 to 2026-11-11"]),
        (days("11-10", "11-18"), [], ["2026-11-19 to 2026-11-20"]),
        ([*days("11-10", "11-14"), *days("11-16", "11-19")], [], ["2026-11-15 to 2026-11-15"]),
    ],
)
def test_a_single_day_at_the_edge_that_another_report_is_labelled_beyond_is_not_missing(
    viewers: list[dt.date], missing_in_overview: list[str], missing_in_viewers: list[str]
) -> None:
    reports = reported("overview", days("11-10", "11-20")), reported("viewers", viewers)
    by_report = found("11-20", *reports)
    assert shown(by_report["overview"].missing) == missing_in_overview
    assert shown(by_report["viewers"].missing) == missing_in_viewers
    month = {row["report"]: row["days_missing"] for row in coverage(pl.concat(reports)).iter_rows(named=True)}
    assert month["overview"] == len(by_report["overview"].missing)
    assert month["viewers"] == len(by_report["viewers"].missing)


def test_days_after_the_edge_are_missing_in_every_report() -> None:
    reports = reported("overview", days("11-10", "11-20")), reported("viewers", days("11-09", "11-19"))
    by_report = found("11-24", *reports)
    assert shown(by_report["overview"].missing) == shown(by_report["viewers"].missing) == ["2026-11-21 to 2026-11-24"]


def activity(first: str) -> pl.DataFrame:
    return reported("follower_activity", days(first, "11-20"))


def test_a_day_without_its_main_number_is_missing_and_without_number() -> None:
    viewers = found(
        "11-20",
        reported("overview", days("11-10", "11-20")),
        reported("viewers", days("11-15", "11-20"), unknown=days("11-01", "11-14")),
    )["viewers"]
    assert shown(viewers.missing) == ["2026-11-10 to 2026-11-14"]
    assert viewers.without_number == viewers.missing


def test_an_unknown_day_that_was_exported_too_early_may_still_become_known() -> None:
    at = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
    viewers = found("11-20", reported("viewers", days("11-10", "11-18"), unknown=[day("11-19")], at=at))["viewers"]
    assert shown(viewers.missing) == ["2026-11-19 to 2026-11-20"]
    assert viewers.without_number == frozenset()


def test_a_day_is_unsettled_when_it_was_exported_less_than_three_days_after_it_ended() -> None:
    at = dt.datetime(2026, 11, 20, 0, 0, tzinfo=dt.UTC)
    overview = found("11-20", reported("overview", days("11-10", "11-19"), at=at))["overview"]
    assert shown(overview.unsettled) == ["2026-11-17 to 2026-11-19"]  # the 16th had ended on the 17th, 3 days before


def test_snapshots_have_captures_and_nothing_is_missing_between_them() -> None:
    content = found(
        "11-20", reported("content", [day("11-01"), day("11-15")]), reported("overview", days("10-01", "11-20"))
    )
    assert len(content["content"].covered) == 2
    assert content["content"].missing == content["content"].unsettled == frozenset()


def test_an_account_with_only_unknown_days_covers_and_misses_nothing() -> None:
    overview = found("11-20", reported("overview", [], unknown=days("11-01", "11-20")))["overview"]
    assert (overview.first, overview.covered, overview.missing) == (None, frozenset(), frozenset())


def test_a_day_of_active_hours_is_covered_once_no_hour_is_a_filler_zero() -> None:
    hours = pl.DataFrame({"hour": range(24)})
    both = pl.DataFrame({"date": [day("11-18"), day("11-19")]}).join(hours, how="cross")
    filled_up = (pl.col("date") == day("11-19")) & (pl.col("hour") >= 2)
    staged = both.with_columns(
        account=pl.lit("north"),
        active_followers=pl.when(filled_up).then(0).otherwise(7),
        is_zero_tail=filled_up,
        downloaded_at=pl.lit(LONG_AFTER).cast(pl.Datetime("us", "UTC")),
    )
    rows = all_reported_days({"follower_activity": staged})
    assert rows.select("date", "is_known").rows() == [(day("11-18"), True), (day("11-19"), False)]


def test_ranges_are_the_fewest() -> None:
    assert shown([day("11-03"), day("11-01"), day("11-02"), day("11-05")]) == [
        "2026-11-01 to 2026-11-03",
        "2026-11-05 to 2026-11-05",
    ]
    assert ranges([]) == []


def test_the_stored_row_of_a_month_counts_its_own_days_alone() -> None:
    at = dt.datetime(2026, 12, 3, 18, tzinfo=dt.UTC)
    rows = coverage(
        pl.concat(
            [
                reported(
                    "overview", [*days("10-20", "10-31"), *days("11-01", "11-05"), *days("11-09", "11-30")], at=at
                ),
                reported("viewers", days("11-03", "11-28"), unknown=[day("11-29")], at=at),
                reported("content", [day("11-20")], at=at),
            ]
        )
    )
    assert violations(Coverage, rows) == []
    assert rows["date"].unique().sort().to_list() == [day("10-01"), day("11-01")]
    november = rows.filter(date=day("11-01")).drop("account", "date")
    by_report = {row["report"]: row for row in november.iter_rows(named=True)}
    assert list(by_report) == sorted(COUNTED)
    assert by_report["overview"] == {
        "report": "overview",
        "first_day": day("11-01"),
        "last_day": day("11-30"),
        "days_in_month": 30,
        "days_covered": 27,
        "days_missing": 3,
        "days_without_number": 0,
        "days_unsettled": 1,  # the 30th, which had ended 2 days and 18 hours before
        "last_export": at,
    }
    viewers = by_report["viewers"]
    assert [viewers[name] for name in ("days_covered", "days_missing", "days_without_number")] == [26, 4, 1]
    lacking = by_report["follower_history"]
    assert [lacking[name] for name in ("first_day", "days_covered", "days_missing")] == [None, 0, 30]
    content = by_report["content"]
    assert [content[name] for name in ("days_covered", "days_missing", "days_unsettled")] == [1, None, None]


def test_no_days_give_no_rows() -> None:
    nothing = all_reported_days({report: SCHEMAS[report].empty() for report in COUNTED})
    assert coverage(nothing).is_empty()
    assert violations(Coverage, coverage(nothing)) == []
    assert covered_until(nothing, day("11-20")) == {}


@pytest.mark.parametrize("report", COUNTED)
def test_every_report_is_counted_by_columns_it_has(report: str) -> None:
    assert set(columns_of(report)) <= set(SCHEMAS[report].to_schema().columns)
    [section] = [one.section for one in REPORTS if one.name == report]
    assert COUNTED[report].section == section


def test_all_reports_but_the_optional_are_counted() -> None:
    assert set(COUNTED) == {report.name for report in REPORTS if not report.is_optional}


DATES = st.sets(st.integers(0, 90).map(lambda number: dt.date(2026, 9, 1) + DAY * number), max_size=60)


@examples(60)
@given(known=DATES, unknown=DATES, others=DATES, newest=st.integers(0, 100))
def test_covered_and_missing_days_are_the_span(
    known: set[dt.date], unknown: set[dt.date], others: set[dt.date], newest: int
) -> None:
    last = dt.date(2026, 9, 1) + DAY * newest
    frame = pl.concat([reported("viewers", known, unknown=unknown - known), reported("overview", others)])
    for one in covered_until(frame, last).get("north", []):
        assert not one.covered & one.missing
        assert one.without_number <= one.missing
        assert one.unsettled <= one.covered
        if one.counted.reach == 365 and (known or others):
            first, end = min(known | others), max(known | others)
            edges = {first} if one.first == first + DAY else set()
            edges |= {end} if one.last == end - DAY else set()
            span = set(Window(first=first, last=max(last, first, *one.covered)).days())
            assert one.covered | one.missing == span - edges
        assert sum(len(window) for window in ranges(one.missing)) == len(one.missing)


@examples(40)
@given(known=DATES, others=DATES)
def test_a_month_stored_alone_equals_the_same_month_among_others(known: set[dt.date], others: set[dt.date]) -> None:
    frame = pl.concat([reported("viewers", known), reported("overview", others)])
    whole = coverage(frame)
    months = frame["date"].dt.truncate("1mo").unique().sort()
    parts = [coverage(frame.filter(pl.col("date").dt.truncate("1mo") == month)) for month in months]
    assert pl.concat([whole.clear(), *parts]).equals(whole)
    daily = whole.filter(pl.col("report").is_in(["viewers", "overview"]))
    assert (daily["days_covered"] + daily["days_missing"] <= daily["days_in_month"]).all()
    assert daily["days_covered"].sum() == len(known) + len(others)
