"""What pages read from the published warehouse: what belongs to no account. Does not belong here: what it means."""

from __future__ import annotations

from typing import Any

import polars as pl

from tiktok_assets.settings import Settings


def published_rows(settings: Settings, query: str, **parameters: Any) -> pl.DataFrame | None:
    """The rows of ``query``; None where nothing is published yet, or not its table."""
    if not settings.warehouse.exists():
        return None
    import duckdb

    from tiktok_assets.storage.warehouse_files import opened

    with opened(settings.warehouse, read_only=True) as connection:
        try:
            return pl.DataFrame(connection.sql(query, params=parameters).to_arrow_table())
        except duckdb.CatalogException:
            return None
