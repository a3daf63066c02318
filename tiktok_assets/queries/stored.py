"""Reads tables of staging and curated, which are Parquet files. Does not belong here: the warehouse (``published``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from upath import UPath

from tiktok_assets.curated.registry import SCHEMAS
from tiktok_assets.queries.published import NoWarehouse
from tiktok_assets.queries.selection import Selection, Source
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import scan_partitions
from tiktok_assets.storage.look import names_in


@dataclass(frozen=True)
class StoredTable:
    """A table of the lake. Each month of an account is the state before a run or after it, never half of one."""

    source: Source
    folder: UPath

    @property
    def columns(self) -> Sequence[str]:
        """Those of its schema."""
        return list(SCHEMAS[self.source.key].to_schema().columns)

    def accounts(self) -> list[str]:
        """The accounts that have rows."""
        return sorted(name.removeprefix("account=") for name in names_in(self.folder))

    def rows(self, selection: Selection) -> pl.DataFrame:
        """The selected rows and columns, in the order of ``source.order``. Moments are in UTC."""
        accounts = self.accounts()
        if selection.accounts is not None:
            accounts = [account for account in accounts if account in selection.accounts]
        columns = SCHEMAS[self.source.key].to_schema().columns
        schema = {str(name): column.dtype.type for name, column in columns.items()}
        rows = scan_partitions([self.folder / f"account={account}" for account in accounts], schema)
        day = pl.col(self.source.day or "date")
        if selection.since is not None:
            rows = rows.filter(day >= selection.since)
        if selection.until is not None:
            rows = rows.filter(day <= selection.until)
        return rows.sort(self.source.order, nulls_last=True).select(selection.columns or list(schema)).collect()


def stored(settings: Settings, source: Source) -> StoredTable:
    """``source`` in the lake. Raises NoWarehouse if it does not exist yet."""
    folder = settings.data_dir / source.key
    if not names_in(folder):
        raise NoWarehouse(
            f"{folder}: there is no table {source.key} yet. Drop exports into {settings.landing}, run "
            "`tiktok-assets process`, then try again."
        )
    return StoredTable(source, folder)
