"""The rows of curated tables of an account, as they are stored."""

from __future__ import annotations

import polars as pl

from tiktok_assets.curated.table import Table
from tiktok_assets.storage.lake import Lake, partitions_in, read_parquet
from tiktok_assets.storage.look import exists


def stored(lake: Lake, table: Table, account: str, *, newest: int = 0) -> pl.DataFrame:
    """Every month of ``table``, or its ``newest`` months with rows; empty where there are none."""
    folder = lake.settings.curated / table.name / f"account={account}"
    found = [path for month in sorted(partitions_in(folder)) if exists(path := folder / month / "data.parquet")]
    rows = read_parquet(found[-newest:])
    return rows if rows.width else table.schema.empty()
