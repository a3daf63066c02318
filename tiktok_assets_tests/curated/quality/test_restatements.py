"""Which numbers later exports changed, and after how many days numbers count as final. Expectations are manual."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.curated.quality.restatements import (
    ENOUGH_DAYS,
    WITHOUT_EVIDENCE,
    Restatements,
    Settling,
    final_days,
    restatements,
    settling,
)
from tiktok_assets.exports.provenance import UTC_TIME
from tiktok_assets.reports.follower_activity import FOLLOWER_ACTIVITY
from tiktok_assets.reports.follower_history import FOLLOWER_HISTORY
from tiktok_assets.reports.overview import OVERVIEW
from tiktok_assets.reports.report import Report, latest_per_grain
from tiktok_assets.reports.viewers import VIEWERS

MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
DAY = dt.date(2026, 3, 10)
NOON = dt.timedelta(hours=12)


def rows(report: Report, *reported: dict[str, Any]) -> pl.DataFrame:
    """Typed rows on their real days. ``age``: days from the end of the day to the download; exports are named by it."""
    schema: dict[str, Any] = {"account": pl.String, "date": pl.Date, "export_id": pl.String} | dict.fromkeys(
        ("downloaded_at", "vintage"), UTC_TIME
    )
    schema |= {"row_number": pl.UInt32, "hour": pl.Int64} | dict.fromkeys(report.values, pl.Int64)
    schema |= {"is_zero_tail": pl.Boolean} if "is_zero_tail" in report.values else {}
    full = []
    for number, row in enumerate(reported):
        row = {"account": "a", "date": DAY, "row_number": number, "is_zero_tail": False} | row
        end = dt.datetime.combine(row["date"] + dt.timedelta(days=1), dt.time(), dt.UTC)
        row["downloaded_at"] = row["vintage"] = end + row.pop("age") * dt.timedelta(days=1)
        full.append({"export_id": f"{row['downloaded_at']:%m-%d %H}"} | row)
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in full], schema=schema, orient="row")


def moved(report: Report, *reported: dict[str, Any]) -> list[dict[str, Any]]:
    found = restatements(report, rows(report, *reported))
    Restatements.validate(found)
    return found.to_dicts()


def settling_row(*reported: dict[str, Any], month: dt.date = MARCH) -> dict[str, Any]:
    """The one row of ``Settling`` about video_views."""
    found = settling(OVERVIEW, rows(OVERVIEW, *reported), [month])
    Settling.validate(found)
    (row,) = found.filter(metric="video_views").to_dicts()
    return row


def days(count: int, first: dt.date = DAY) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range(count)]


def test_a_number_that_the_next_export_changes_is_a_restatement() -> None:
    (row,) = moved(OVERVIEW, {"age": 0.5, "video_views": 10, "likes": 3}, {"age": 4, "video_views": 12, "likes": 3})
    assert row == {
        "account": "a",
        "date": DAY,
        "report": "overview",
        "item": "",
        "metric": "video_views",
        "old_value": 10,
        "new_value": 12,
        "old_export_id": "03-11 12",
        "new_export_id": "03-15 00",
        "old_age_days": 0.5,
        "new_age_days": 4.0,
    }


def test_every_change_of_a_number_is_a_restatement_and_a_repetition_is_none() -> None:
    reported = [{"age": age, "video_views": views} for age, views in ((1, 10), (2, 11), (3, 11), (4, 9))]
    found = [(row["old_value"], row["new_value"], row["old_age_days"]) for row in moved(OVERVIEW, *reported)]
    assert found == [(10, 11, 1.0), (11, 9, 3.0)]


def test_an_unknown_value_neither_is_restated_nor_restates() -> None:
    reported = [{"age": age, "video_views": views} for age, views in ((1, None), (2, 10), (3, None), (4, 10))]
    assert moved(OVERVIEW, *reported) == []
    (row,) = moved(OVERVIEW, *reported, {"age": 5, "video_views": 0})
    assert (row["old_value"], row["new_value"], row["old_age_days"]) == (10, 0, 4.0)


def test_filler_zeros_are_no_numbers_and_hours_are_compared_separately() -> None:
    reported = [
        {"age": -0.5, "hour": 9, "active_followers": 5},
        {"age": -0.5, "hour": 23, "active_followers": 0, "is_zero_tail": True},
        {"age": 1, "hour": 9, "active_followers": 6},
        {"age": 1, "hour": 23, "active_followers": 8},
    ]
    assert [(row["item"], row["old_value"], row["new_value"]) for row in moved(FOLLOWER_ACTIVITY, *reported)] == [
        ("09", 5, 6)
    ]


def test_the_follower_difference_is_not_compared_since_its_meaning_changes() -> None:
    reported = [
        {"age": 1, "followers": 100, "follower_difference": 4},
        {"age": 3, "followers": 100, "follower_difference": -2},
    ]
    assert moved(FOLLOWER_HISTORY, *reported) == []


def test_the_last_row_of_a_repeated_day_in_one_export_counts() -> None:
    reported = [{"age": 1, "video_views": 1}, {"age": 1, "video_views": 2}, {"age": 2, "video_views": 2}]
    assert moved(OVERVIEW, *reported) == []


def test_accounts_never_restate_each_other() -> None:
    assert moved(OVERVIEW, {"age": 1, "video_views": 1}, {"age": 2, "account": "b", "video_views": 2}) == []


def test_without_evidence_it_is_three_days() -> None:
    row = settling_row({"age": 1, "video_views": 10}, {"age": 5, "video_views": 10})
    assert (row["settled_after_days"], row["has_evidence"]) == (3, False)
    assert (row["re_reports"], row["changes"], row["days_compared"], row["last_change_age_days"]) == (1, 0, 1, None)


def test_enough_days_reported_unchanged_make_their_age_the_final_one() -> None:
    reported = [{"age": age, "date": day, "video_views": 10} for day in days(ENOUGH_DAYS) for age in (1.2, 2.5)]
    assert settling_row(*reported)["settled_after_days"] == 1
    assert settling_row(*reported)["has_evidence"] is True
    too_few = settling_row(*reported[2:])
    assert (too_few["settled_after_days"], too_few["has_evidence"]) == (WITHOUT_EVIDENCE, False)


def test_two_exports_of_one_hour_are_no_evidence() -> None:
    reported = [{"age": age, "date": day, "video_views": 10} for day in days(9) for age in (1.2, 1.25)]
    row = settling_row(*reported)
    assert (row["re_reports"], row["days_compared"], row["settled_after_days"]) == (9, 0, 3)


def test_a_number_that_changed_late_raises_the_final_age() -> None:
    reported = [{"age": age, "date": day, "video_views": 10} for day in days(9) for age in (1.2, 2.5)]
    late = [{"age": 5.5, "date": DAY, "video_views": 10}, {"age": 8, "date": DAY, "video_views": 11}]
    row = settling_row(*reported, *late)
    assert (row["changes"], row["last_change_age_days"]) == (1, 5.5)
    assert (row["settled_after_days"], row["has_evidence"]) == (6, True)


def test_a_number_that_changed_early_leaves_the_assumed_or_the_proven_age() -> None:
    early = [{"age": 0.5, "video_views": 10}, {"age": 1.5, "video_views": 11}]
    assert (settling_row(*early)["settled_after_days"], settling_row(*early)["has_evidence"]) == (3, False)
    proof = [{"age": age, "date": day, "video_views": 10} for day in days(7) for age in (2.2, 3.5)]
    assert settling_row(*early, *proof)["settled_after_days"] == 2


def test_a_month_takes_evidence_from_the_quarter_before_and_none_from_later() -> None:
    """Else what was said of a month would never come to rest."""
    march = [{"age": age, "date": day, "video_views": 10} for day in days(9) for age in (1.2, 2.5)]
    months = [dt.date(2026, month, 1) for month in (2, 3, 4, 7, 8)]
    alone = [{"age": 30, "date": month, "video_views": 5} for month in months]
    found = settling(OVERVIEW, rows(OVERVIEW, *march, *alone), [*months, dt.date(2026, 5, 1)])
    views = {row["date"].month: row for row in found.to_dicts() if row["metric"] == "video_views"}
    # The day 92 before 1 July is 31 March. No export contains May; in February and August no number was reported twice.
    assert {month: row["settled_after_days"] for month, row in views.items()} == {3: 1, 4: 1, 7: 1}


def table(*needed: tuple[str, int], month: dt.date = MARCH) -> pl.DataFrame:
    found = [
        {"account": "a", "date": month, "report": report, "metric": f"m{number}", "settled_after_days": days}
        for number, (report, days) in enumerate(needed)
    ]
    return pl.DataFrame(found, schema={k: v.dtype.type for k, v in Settling.to_schema().columns.items() if k in KEYS})


KEYS = ("account", "date", "report", "metric", "settled_after_days")


def judged(settling: pl.DataFrame, **staged: list[dict[str, Any]]) -> dict[dt.date, bool]:
    reports = {report.name: report for report in (OVERVIEW, VIEWERS, FOLLOWER_HISTORY)}
    frames = {name: rows(reports[name], *staged.get(name, [])) for name in reports}
    return {day: is_settled for _, day, is_settled in final_days(frames, settling).rows()}


def test_a_day_is_final_at_three_days_until_there_is_evidence() -> None:
    reported = [{"age": 2.9, "video_views": 1}, {"age": 3, "date": DAY + dt.timedelta(days=1), "video_views": 1}]
    assert judged(table(), overview=reported) == {DAY: False, DAY + dt.timedelta(days=1): True}


def test_the_slowest_metric_of_a_report_decides() -> None:
    reported = [{"age": 4, "video_views": 1}]
    assert judged(table(("overview", 1), ("overview", 5)), overview=reported) == {DAY: False}
    assert judged(table(("overview", 1), ("overview", 4)), overview=reported) == {DAY: True}
    assert judged(table(("overview", 9), month=APRIL), overview=reported) == {DAY: True}


def test_every_report_with_a_number_of_the_day_has_to_be_final() -> None:
    views = [{"age": 9, "video_views": 1}]
    assert judged(table(), overview=views, viewers=[{"age": 1, "unique_viewers": 1}]) == {DAY: False}
    assert judged(table(), overview=views, viewers=[{"age": 1, "unique_viewers": None}]) == {DAY: True}
    assert judged(table(), viewers=[{"age": 9, "unique_viewers": None}]) == {}


EXPORTS = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.integers(0, 12).map(lambda quarters: quarters / 4),
            "date": st.dates(DAY, DAY + dt.timedelta(days=3)),
            "video_views": st.one_of(st.none(), st.integers(0, 3)),
        }
    ),
    max_size=14,
    unique_by=lambda row: (row["date"], row["age"]),
)


@given(EXPORTS, st.randoms())
def test_the_order_in_which_exports_come_does_not_matter(reported: list[dict[str, Any]], random: Any) -> None:
    frame = rows(OVERVIEW, *reported)
    order = list(range(frame.height))
    random.shuffle(order)
    assert_frame_equal(restatements(OVERVIEW, frame[order]), restatements(OVERVIEW, frame))
    assert_frame_equal(settling(OVERVIEW, frame[order], [MARCH]), settling(OVERVIEW, frame, [MARCH]))


@given(EXPORTS)
def test_the_changes_of_a_number_lead_from_the_first_value_to_the_kept_one(reported: list[dict[str, Any]]) -> None:
    frame = rows(OVERVIEW, *reported)
    steps = restatements(OVERVIEW, frame)
    for day, known in frame.drop_nulls("video_views").sort("downloaded_at").group_by("date"):
        path = steps.filter(date=day[0], metric="video_views").sort("new_age_days")
        numbers = [known["video_views"][0], *path["new_value"]]
        assert numbers[:-1] == path["old_value"].to_list()
        complete = frame.with_columns(date_label="date", date_shift_days=pl.lit(0))
        kept = latest_per_grain(OVERVIEW, complete).filter(date=day[0])["video_views"].item()
        assert numbers[-1] == kept


@given(EXPORTS)
def test_no_final_age_is_below_an_age_at_which_a_number_changed(reported: list[dict[str, Any]]) -> None:
    frame = rows(OVERVIEW, *reported)
    for row in settling(OVERVIEW, frame, [MARCH]).to_dicts():
        moved_at = row["last_change_age_days"]
        assert moved_at is None or row["settled_after_days"] > moved_at
        assert row["changes"] <= row["re_reports"]
