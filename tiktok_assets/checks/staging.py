"""What holds of every staging table, checked on the slice a run makes.

A range run records one evaluation for all its partitions, so the partitions concerned stand in the metadata.
"""

from __future__ import annotations

import dagster as dg
import polars as pl

from tiktok_assets.assets.metadata import markdown_table
from tiktok_assets.checks.schema import violations
from tiktok_assets.partitions import Slice
from tiktok_assets.reports.report import Report

_SHOWN = 20

_PROMISES = {
    "keeps_schema": "Columns, types, bounds and keys are as described. Nothing downstream is made when this is broken.",
    "has_rows": "There is at least one row in the slice.",
    "days_are_contiguous": "No day is missing between an account's first and last day in the slice.",
    "has_no_duplicates": "There is one row per grain.",
}


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(name, asset=key, description=description, blocking=name == "keeps_schema")
        for name, description in _PROMISES.items()
    ]


def check_results(report: Report, rows: pl.DataFrame, part: Slice) -> list[dg.AssetCheckResult]:
    """The four promises, evaluated on ``rows``."""
    broken = violations(report.schema, rows)
    twice = duplicates(report, rows)
    gaps = missing_days(rows) if report.label == "Date" else pl.DataFrame()
    where = {"partitions": f"{', '.join(part.accounts[:_SHOWN])}: {part.months[0]:%Y-%m} to {part.months[-1]:%Y-%m}"}
    return [
        dg.AssetCheckResult(
            check_name="keeps_schema",
            passed=not broken,
            severity=dg.AssetCheckSeverity.ERROR,
            description="; ".join(broken[:_SHOWN]) or None,
            metadata={**where, "violations": len(broken)},
        ),
        dg.AssetCheckResult(
            check_name="has_rows",
            passed=rows.height > 0,
            severity=dg.AssetCheckSeverity.WARN,
            description=None if rows.height else f"No export has {report.title} rows for these months.",
            metadata={**where, "rows": rows.height},
        ),
        dg.AssetCheckResult(
            check_name="days_are_contiguous",
            passed=gaps.is_empty(),
            severity=dg.AssetCheckSeverity.WARN,
            description=None if gaps.is_empty() else f"{gaps['missing'].sum()} days are missing; export that window again.",
            metadata={**where, "gaps": dg.MetadataValue.md(markdown_table(gaps.head(_SHOWN)))},
        ),
        dg.AssetCheckResult(
            check_name="has_no_duplicates",
            passed=twice.is_empty(),
            severity=dg.AssetCheckSeverity.ERROR,
            description=None if twice.is_empty() else f"{twice.height} grains have more than one row.",
            metadata={**where, "duplicates": dg.MetadataValue.md(markdown_table(twice.head(_SHOWN)))},
        ),
    ]


def duplicates(report: Report, rows: pl.DataFrame) -> pl.DataFrame:
    """The grains that have more than one row, and how many."""
    counted = rows.group_by("account", *report.grain, maintain_order=True).agg(rows=pl.len())
    return counted.filter(pl.col("rows") > 1)


def missing_days(rows: pl.DataFrame) -> pl.DataFrame:
    """The gaps between days of an account: ``account``, day ``after`` which and ``before`` which days are ``missing``."""
    days = rows.select("account", "date").unique().sort("account", "date")
    gaps = days.select("account", after=pl.col("date").shift(1).over("account"), before="date")
    return gaps.with_columns(missing=(pl.col("before") - pl.col("after")).dt.total_days() - 1).filter(pl.col("missing") > 0)
