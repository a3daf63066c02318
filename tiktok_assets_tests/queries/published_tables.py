"""A published warehouse of rows that a test has written."""

from __future__ import annotations

import duckdb
import polars as pl

from tiktok_assets.curated.catalog import published_views
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.settings import Settings
from tiktok_assets.streams.tables import STREAM_TABLES

_PUBLISHED = {**TABLES, **STREAM_TABLES}


def publish(settings: Settings, **tables: pl.DataFrame) -> None:
    """A published warehouse that holds ``tables``."""
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        for name, rows in tables.items():
            warehouse.register("_rows", rows.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None)).to_arrow())
            warehouse.execute(f"create table {name} as from _rows")


def publish_all(settings: Settings, **tables: pl.DataFrame) -> None:
    """As ``publish``, with every other table of the warehouse empty, and its views."""
    empty = {table.name: table.schema.empty() for table in _PUBLISHED.values() if table.layer == "warehouse"}
    publish(settings, **{**empty, **tables})
    with duckdb.connect(str(settings.warehouse)) as warehouse:
        for name, query in published_views(_PUBLISHED).items():
            warehouse.execute(f"create view {name} as {query}")
