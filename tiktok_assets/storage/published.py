"""Reads the published warehouse. Does not belong here: writing it (``duckdb``), what its tables mean."""

from __future__ import annotations

import polars as pl

from tiktok_assets.settings import Settings


class NoWarehouse(ValueError):
    """There is nothing to read yet; the message says what to do."""


def read_table(settings: Settings, table: str, columns: str = "*") -> pl.DataFrame:
    """The rows of a table of ``data/warehouse/tiktok.duckdb``. Raises NoWarehouse if it does not exist yet."""
    return read_query(settings, f"select {columns} from {table}")


def read_query(settings: Settings, query: str) -> pl.DataFrame:
    """The rows of a SQL ``query`` of the published warehouse. Raises NoWarehouse if a table does not exist yet."""
    import duckdb

    from tiktok_assets.storage.warehouse_files import opened

    path = settings.warehouse
    if not path.exists():
        raise NoWarehouse(
            f"{path}: there is no warehouse yet. Drop exports into {settings.landing}, run `tiktok-assets process`, "
            "then try again."
        )
    with opened(path, read_only=True) as connection:
        try:
            return pl.DataFrame(connection.sql(query).to_arrow_table())
        except duckdb.CatalogException as error:
            name = str(error).partition("name ")[2].split(" ")[0]
            raise NoWarehouse(f"{path}: has no table {name} yet. Run `tiktok-assets process`.") from error
