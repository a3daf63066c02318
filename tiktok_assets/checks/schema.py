"""Whether a table keeps its schema, and every way in which it does not."""

from __future__ import annotations

import pandera.errors
import pandera.polars as pa
import polars as pl


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
