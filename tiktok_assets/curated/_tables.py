"""What the tables of curated and warehouse share: a frame brought to its schema, the columns of every warehouse row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import cast

import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tiktok_assets.exports.long_frames import RowsT
from tiktok_assets.reports.report import UtcTime

PLATFORM = "tiktok"


def made_of(*columns: str) -> dict[str, tuple[str, ...]]:
    """``metadata`` of a computed column: those of its own table, or of the tables before, that it is computed from.

    Without any it comes from no column, not even one of its name.
    """
    return {"made_of": columns}


def parts_of(schema: type[pa.DataFrameModel]) -> dict[str, tuple[str, ...]]:
    """By computed column of ``schema``, what ``made_of`` says."""
    columns = schema.to_schema().columns
    return {str(name): column.metadata["made_of"] for name, column in columns.items() if column.metadata}


class WarehouseRow(pa.DataFrameModel):
    """The columns that every row of the warehouse has."""

    platform: str = pa.Field(isin=[PLATFORM], description="always 'tiktok'")
    account: str = pa.Field(description="account key, as in accounts.toml")
    export_id: str = pa.Field(
        nullable=True, description="sha256 of the export the numbers came from; see table exports"
    )
    loaded_at: UtcTime = pa.Field(description="when the row was written (UTC)")

    class Config(pa.DataFrameModel.Config):
        strict = True


class OfManyExports(WarehouseRow):
    """The columns of a row that many exports contribute to."""

    export_id: str = pa.Field(
        nullable=True, description="always null: many exports contribute to the row", metadata=made_of()
    )


def conform(rows: RowsT, schema: type[pa.DataFrameModel]) -> RowsT:
    """``rows`` with exactly the columns of ``schema``: others dropped, absent ones null (not known, never 0)."""
    known = set(rows.collect_schema())
    conformed = rows.select(
        (pl.col(name) if name in known else pl.lit(None)).cast(column.dtype.type).alias(name)
        for name, column in schema.to_schema().columns.items()
    )
    return cast("RowsT", conformed)


def warehouse_rows(rows: RowsT, schema: type[pa.DataFrameModel], loaded_at: dt.datetime) -> RowsT:
    """``rows`` as the warehouse stores them: with platform and time of loading, in the form of ``schema``."""
    loaded = conform(rows.with_columns(platform=pl.lit(PLATFORM), loaded_at=pl.lit(loaded_at)), schema)
    values = cs.exclude("platform", "account", "export_id", "loaded_at")
    return cast("RowsT", loaded.select("platform", "account", values, "export_id", "loaded_at"))


def with_handles(rows: RowsT, handles: Mapping[str, str]) -> RowsT:
    """``rows`` with the ``handle`` of each account, where they have none themselves."""
    handle = pl.col("account").replace_strict(handles, default=None, return_dtype=pl.String)
    known = "handle" in rows.collect_schema()
    return cast("RowsT", rows.with_columns(handle=pl.coalesce("handle", handle) if known else handle))
