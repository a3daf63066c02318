"""Whether a table keeps its schema, and every way in which it does not."""

from __future__ import annotations

import dagster as dg
import pandera.errors
import pandera.polars as pa
import polars as pl

from tiktok_assets.partitions import Slice

SHOWN = 20


def violations(schema: type[pa.DataFrameModel], rows: pl.DataFrame) -> list[str]:
    """Every way ``rows`` breaks ``schema``; empty when it keeps it.

    Eager on purpose: on a LazyFrame pandera checks only names and dtypes.
    """
    try:
        schema.validate(rows, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases.select("column", "check", "failure_case").unique(maintain_order=True)
        return [f"{column}: {check} ({case})" for column, check, case in cases.iter_rows()]
    return []


def schema_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        "keeps_schema",
        asset=key,
        description="Columns, types, bounds and keys are as described. Nothing downstream is made when this is broken.",
        blocking=True,
    )


def schema_result(schema: type[pa.DataFrameModel], rows: pl.DataFrame, part: Slice) -> dg.AssetCheckResult:
    broken = violations(schema, rows)
    return dg.AssetCheckResult(
        check_name="keeps_schema",
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(broken[:SHOWN]) or None,
        metadata={**where(part), "violations": len(broken)},
    )


def where(part: Slice) -> dict[str, str]:
    """The partitions an evaluation is about: a range run records one evaluation for all of them."""
    more = f" and {len(part.accounts) - SHOWN} more" if len(part.accounts) > SHOWN else ""
    months = f"{part.months[0]:%Y-%m} to {part.months[-1]:%Y-%m}"
    return {"partitions": f"{', '.join(part.accounts[:SHOWN])}{more}: {months}"}
