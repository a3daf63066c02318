"""Rows of the published warehouse for those who judge it: nothing where nothing was published yet.

Does not belong here: what a person asks of it (``queries.published``, which says what to do where it is missing).
"""

from __future__ import annotations

from typing import Any

import polars as pl

from tiktok_assets.settings import Settings


def published_rows(settings: Settings, query: str, **parameters: Any) -> pl.DataFrame | None:
    """The rows of a SQL ``query`` with ``$parameters``; None if the warehouse or a table of it does not exist yet."""
    import duckdb

    from tiktok_assets.storage.warehouse_files import opened_anew

    if not settings.warehouse.exists():
        return None
    with opened_anew(settings.warehouse) as connection:
        try:
            return pl.DataFrame(connection.sql(query, params=parameters or None).to_arrow_table())
        except duckdb.CatalogException:
            return None
