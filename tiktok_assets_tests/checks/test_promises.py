"""Every promise about staging and curated tables, shown kept and broken."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import dagster as dg
import polars as pl
import pytest

from tiktok_assets.checks.agreement import exports_agree
from tiktok_assets.checks.dated import Doubts, exports_are_dated, exports_in_doubt
from tiktok_assets.checks.evaluation import broken_for
from tiktok_assets.checks.schema import schema_result, schema_spec, violations
from tiktok_assets.checks.staging import (
    check_results,
    check_specs,
    disagreeing_differences,
    duplicates,
    has_every_day,
)
from tiktok_assets.curated.quality.check_results import missing_days
from tiktok_assets.exports.labels import DailyFile, contradictions
from tiktok_assets.exports.provenance import UTC_TIME
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.content import CONTENT
from tiktok_assets.reports.follower_gender import FollowerGender
from tiktok_assets.reports.follower_history import FOLLOWER_HISTORY
from tiktok_assets.reports.overview import OVERVIEW, Overview

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)
PARTITIONS = PartitionRange(("a", "b"), (JANUARY, FEBRUARY))


def overview(*days: tuple[str, date], **values: Any) -> pl.DataFrame:
    """Rows of staging/overview that keep every promise, for an account and a day each; ``values`` replace columns."""
    known = {"video_views": 10, "profile_views": 1, "likes": 2, "comments": 3, "shares": 4, "export_id": "e1"}
    columns = {"date_shift_days": 0, "downloaded_at": datetime(2025, 3, 1, tzinfo=UTC), **known, **values}
    rows = pl.DataFrame(days, {"account": pl.String, "date": pl.Date}, orient="row")
    rows = rows.with_columns(pl.lit(value).alias(name) for name, value in columns.items())
    rows = rows.with_columns(date_label=pl.col("date"))
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(column.dtype.type).alias(name)
        for name, column in Overview.to_schema().columns.items()
    )


NO_DOUBTS = Doubts(
    years=pl.DataFrame(
        schema={
            "account": pl.String,
            "source": pl.String,
            "last": pl.Date,
            "evidence": pl.String,
            "file_time": UTC_TIME,
        }
    ),
    order=pl.DataFrame(schema={"account": pl.String, "export_ids": pl.List(pl.String)}),
)
TWO_DAYS = [("a", date(2025, 1, 1)), ("a", date(2025, 1, 2))]


def result(name: str, rows: pl.DataFrame) -> dg.AssetCheckResult:
    (found,) = (found for found in check_results(OVERVIEW, rows, PARTITIONS, NO_DOUBTS) if found.check_name == name)
    return found


def test_good_rows_keep_every_promise() -> None:
    rows = overview(*TWO_DAYS, ("b", date(2025, 1, 1)))
    assert [found.passed for found in check_results(OVERVIEW, rows, PARTITIONS, NO_DOUBTS)] == [True] * 5


def test_a_broken_promise_names_the_accounts_and_the_reason() -> None:
    rows = overview(("a", date(2025, 1, 1)), ("a", date(2025, 1, 4)), ("b", date(2025, 1, 1)))
    gaps = result("days_are_contiguous", rows)
    assert broken_for(recorded(gaps)) == {"a": "2 days are missing; export that window again."}
    assert broken_for(recorded(result("has_rows", rows))) == {}
    no_rows = "No export has Overview rows for these months."
    assert broken_for(recorded(result("has_rows", overview(*TWO_DAYS)))) == {"b": no_rows}
    assert broken_for(recorded(result("has_rows", overview()))) == {"a": no_rows, "b": no_rows}


def recorded(found: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """As a run's event holds it."""
    assert found.check_name is not None and found.metadata is not None
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("t"), check_name=found.check_name, passed=found.passed, metadata=found.metadata
    )


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        (overview(*TWO_DAYS, export_id=None), "export_id: not_nullable"),
        (overview(*TWO_DAYS).drop("likes"), "column_in_dataframe (likes)"),
        (overview(*TWO_DAYS).with_columns(mystery=1), "column_in_schema (mystery)"),
        (overview(*TWO_DAYS).with_columns(pl.col("likes").cast(pl.String)), "likes: dtype('Int64') (String)"),
    ],
    ids=["null", "missing column", "unknown column", "type"],
)
def test_a_table_that_breaks_its_schema_lists_the_violations(broken: pl.DataFrame, named: str) -> None:
    assert named in "; ".join(violations(Overview, broken))
    found = schema_result(Overview, broken, PARTITIONS)
    assert (found.check_name, found.passed, found.severity) == ("keeps_schema", False, dg.AssetCheckSeverity.ERROR)
    assert found.description is not None and named in found.description


def test_a_value_out_of_bounds_breaks_the_schema_and_is_named() -> None:
    share = {"account": "a", "date": date(2025, 1, 1), "gender": "Male", "share": 1.5, "export_id": "e1"}
    rows = pl.DataFrame([{**share, "downloaded_at": datetime(2025, 1, 1, tzinfo=UTC)}])
    assert violations(FollowerGender, rows) == ["share: less_than_or_equal_to(1) (1.5)"]


def test_an_empty_table_keeps_its_schema_and_has_no_rows() -> None:
    assert result("keeps_schema", overview()).passed
    found = result("has_rows", overview())
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == "No export has Overview rows for these months. This concerns a, b."


def test_days_are_contiguous_names_each_gap_and_warns() -> None:
    days = [("a", date(2025, 1, 30)), ("a", date(2025, 2, 2)), ("a", date(2025, 2, 3)), ("b", date(2025, 1, 1))]
    found = result("days_are_contiguous", overview(*days))
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description == "2 days are missing; export that window again."
    assert found.metadata is not None
    assert found.metadata["gaps"] == dg.MetadataValue.md(
        "| account | after | before | missing |\n| --- | --- | --- | --- |\n| a | 2025-01-30 | 2025-02-02 | 2 |"
    )


def test_accounts_that_start_and_end_on_different_days_have_no_gap() -> None:
    days = [("a", date(2025, 1, 1)), ("a", date(2025, 1, 2)), ("b", date(2025, 2, 27)), ("b", date(2025, 2, 28))]
    assert missing_days(overview(*days)).is_empty()
    found = result("days_are_contiguous", overview(*days))
    assert found.metadata is not None
    assert found.metadata["missing_days"] == dg.MetadataValue.int(0)
    assert "gaps" not in found.metadata


def test_has_no_duplicates_names_the_grain_that_has_two_rows() -> None:
    rows = overview(*TWO_DAYS, TWO_DAYS[1])
    found = result("has_no_duplicates", rows)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert duplicates(OVERVIEW, rows).rows() == [("a", date(2025, 1, 2), 2)]
    assert found.metadata is not None
    assert "| a | 2025-01-02 | 2 |" in str(found.metadata["grains"].value)


def history(*reported: tuple[int, int]) -> pl.DataFrame:
    """Days from 1 January 2025 on: followers, and the difference reported beside them."""
    days = [("a", date(2025, 1, 1) + timedelta(n)) for n in range(len(reported))]
    rows = pl.DataFrame(days, {"account": pl.String, "date": pl.Date}, orient="row")
    return rows.with_columns(
        date_label=pl.col("date"),
        followers=pl.Series([followers for followers, _ in reported]),
        follower_difference=pl.Series([difference for _, difference in reported]),
        export_id=pl.lit("e1"),
    )


def test_follower_differences_agree_names_the_rows_that_contradict_their_followers() -> None:
    good = [(10, 0), (13, 3), (14, 1), (18, 4), (19, 1), (25, 6), (27, 2), (28, 1), (33, 5), (35, 2), (36, 1), (40, 4)]
    next_day = [(followers, following - followers) for (followers, _), (following, _) in pairwise(good)]
    assert disagreeing_differences(history(*good)).is_empty()
    assert disagreeing_differences(history(*next_day)).is_empty()  # the other meaning
    wrong = [*good[:5], (25, 9), *good[6:]]
    assert disagreeing_differences(history(*wrong)).select("date", "follower_difference").rows() == [
        (date(2025, 1, 6), 9)
    ]
    empty = FOLLOWER_HISTORY.schema.empty()
    rows = pl.concat(
        [empty, history(*wrong).select(pl.col(name) for name in history().columns)], how="diagonal_relaxed"
    )
    (found,) = (
        one
        for one in check_results(FOLLOWER_HISTORY, rows, PARTITIONS, NO_DOUBTS)
        if one.check_name == "follower_differences_agree"
    )
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description is not None and found.description.startswith(
        "On 1 day an export reports a follower difference"
    )


def test_an_evaluation_names_its_partitions() -> None:
    for found in check_results(OVERVIEW, overview(*TWO_DAYS), PARTITIONS, NO_DOUBTS):
        assert found.metadata is not None
        assert found.metadata["partitions"] == dg.MetadataValue.text("a, b: 2025-01 to 2025-02")


def test_an_evaluation_of_a_thousand_accounts_names_twenty() -> None:
    partitions = PartitionRange(tuple(f"a{number}" for number in range(1000)), (JANUARY,))
    metadata = schema_result(Overview, overview(), partitions).metadata
    assert metadata is not None
    assert str(metadata["partitions"].value).endswith("a19 and 980 more: 2025-01 to 2025-01")


def test_only_daily_reports_promise_contiguous_days() -> None:
    """Activity comes for the last week of an export and snapshots for one day: their gaps mean nothing."""
    assert [report.name for report in REPORTS if has_every_day(report)] == ["overview", "viewers", "follower_history"]
    names = [spec.name for spec in check_specs(CONTENT, dg.AssetKey(["staging", "content"]))]
    assert names == ["keeps_schema", "has_rows", "has_no_duplicates", "exports_are_dated"]


@pytest.mark.parametrize("report", REPORTS, ids=[report.name for report in REPORTS])
def test_every_declared_promise_is_evaluated(report: Any) -> None:
    declared = [spec.name for spec in check_specs(report, dg.AssetKey(["staging", report.name]))]
    evaluated = [found.check_name for found in check_results(report, report.schema.empty(), PARTITIONS, NO_DOUBTS)]
    assert declared == evaluated


def test_only_a_broken_schema_stops_what_is_downstream() -> None:
    specs = check_specs(OVERVIEW, dg.AssetKey(["staging", "overview"]))
    assert [spec.name for spec in specs if spec.blocking] == ["keeps_schema"]
    assert schema_spec(dg.AssetKey(["curated", "videos"])).blocking


def test_exports_are_dated_names_the_file_whose_year_depends_on_its_time() -> None:
    raw = pl.DataFrame(
        {
            "account": ["a", "a", "b"],
            "source": ["copy.csv", "fresh.csv", "b.csv"],
            "export_id": ["e1", "e2", "e3"],
            "year_evidence": ["doubtful_file_time", "file_time", "zip_name"],
            "downloaded_at_evidence": ["file_time"] * 3,
            "downloaded_at": [datetime(2026, 11, 20, tzinfo=UTC), datetime(2025, 1, 4, tzinfo=UTC)] * 1
            + [datetime(2026, 11, 20, tzinfo=UTC)],
            "window_last": [date(2025, 1, 2)] * 3,
        },
        schema_overrides={"downloaded_at": UTC_TIME},
    )
    years = exports_in_doubt(raw.lazy(), raw.select("account", "export_id"))
    assert years["source"].to_list() == ["copy.csv"]
    found = exports_are_dated(PARTITIONS, dataclasses.replace(NO_DOUBTS, years=years))
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description is not None
    assert found.description.startswith("The year 2025 of copy.csv rests on the time of the file (2026-11-20)")


def test_exports_agree_names_the_file_that_contradicts_others_and_what_it_contradicts() -> None:
    one, other = (
        DailyFile(
            export_id=name,
            report="overview",
            downloaded_at=datetime(2025, 3, 1, tzinfo=UTC),
            downloaded_at_evidence="file_time",
            rows=pl.DataFrame({"date_label": day_list, "video_views": [views + n for n in range(len(day_list))]}),
            source=f"{name}.csv",
        )
        for name, views, day_list in (
            ("a", 100, [JANUARY + timedelta(n) for n in range(31)]),
            ("b", 5000, [JANUARY + timedelta(n) for n in range(20)]),
        )
    )
    assert exports_agree(PARTITIONS, {"a": contradictions([one]), "b": []}).passed
    found = exports_agree(PARTITIONS, {"a": contradictions([one, other]), "b": []})
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert found.description is not None
    assert found.description.startswith(
        "b.csv: its video views differ from those of a.csv on 17 of 17 days that both contain "
        "(2025-01-17: 5,016, there 116). One of them is of another account or another year"
    )
    assert list(broken_for(recorded(found))) == ["a"]


def test_exports_are_dated_names_the_exports_whose_order_only_their_ids_decide() -> None:
    order = pl.DataFrame({"account": ["a", "a"], "export_ids": [["aaaaaaaaa", "bbbbbbbbb"]] * 2})
    found = exports_are_dated(PARTITIONS, dataclasses.replace(NO_DOUBTS, order=order))
    assert not found.passed and found.description is not None
    assert found.description.startswith("2 rows are reported differently by exports that are equally old")
    assert "aaaaaaaa, bbbbbbbb" in found.description
