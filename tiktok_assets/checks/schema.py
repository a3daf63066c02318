"""Whether a table keeps its schema, and every violation of it."""

from __future__ import annotations

import dagster as dg
import pandera.errors
import pandera.polars as pa
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.exports.long_frames import Rows, by_key, pieces
from tiktok_assets.partitions import PartitionRange


def violations(schema: type[pa.DataFrameModel], rows: Rows) -> list[str]:
    """Every way ``rows`` breaks ``schema``; empty when it keeps it.

    Piece by piece, each with all rows of what has to be unique: on a LazyFrame pandera checks only names and dtypes.
    """
    unique = schema.to_schema().unique
    parts = by_key(rows, unique) if unique else pieces(rows)
    return list(dict.fromkeys(one for part in parts for one in _violations(schema, part)))


def _violations(schema: type[pa.DataFrameModel], rows: pl.DataFrame) -> list[str]:
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
        description="Columns, types, bounds and keys are as described. If this is broken, nothing downstream is made.",
        blocking=True,
    )


def schema_result(schema: type[pa.DataFrameModel], rows: Rows, partitions: PartitionRange) -> dg.AssetCheckResult:
    broken = violations(schema, rows)
    sentence = "; ".join(broken[:SHOWN])
    return evaluation(
        "keeps_schema",
        partitions,
        dict.fromkeys(partitions.accounts, sentence) if broken else {},
        severity=dg.AssetCheckSeverity.ERROR,
        facts={"violations": len(broken)},
    )
