"""The rows of curated tables of an account, as they are stored."""

from __future__ import annotations

import polars as pl

from tiktok_assets.curated.table import Table
from tiktok_assets.storage.lake import Lake, files_in, read_parquet


def stored(lake: Lake, table: Table, account: str, *, newest: int = 0) -> pl.DataFrame:
    """Every month of ``table``, or its ``newest`` months with rows; empty where there are none."""
    months = files_in(lake.settings.curated / table.name / f"account={account}")
    found = [path for month in sorted(months, key=str) if (path := month / "data.parquet").exists()]
    # Files of earlier versions may lack a column: it is unknown there.
    return pl.concat([table.schema.empty(), read_parquet(found[-newest:])], how="diagonal")
