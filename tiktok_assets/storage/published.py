"""The published warehouse for those who read it: as a file of this machine, and rows for those who judge it.

Does not belong here: what a person asks of it (``queries.published``, which says what to do where it is missing).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tiktok_assets.settings import Settings
from tiktok_assets.storage.published_file import local_copy_of


def published_copy(settings: Settings) -> Path | None:
    """The published warehouse as a file of this machine, as new as what lies in the lake; None where there is none."""
    return local_copy_of(settings.warehouse, settings.published_copies)


def published_rows(settings: Settings, query: str, **parameters: Any) -> pl.DataFrame | None:
    """The rows of a SQL ``query`` with ``$parameters``; None if the warehouse or a table of it does not exist yet."""
    import duckdb

    from tiktok_assets.storage.warehouse_files import opened_anew

    if (path := published_copy(settings)) is None:
        return None
    with opened_anew(path) as connection:
        try:
            return pl.DataFrame(connection.sql(query, params=parameters or None).to_arrow_table())
        except duckdb.CatalogException:
            return None
