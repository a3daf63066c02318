"""Reads the published warehouse. Does not belong here: writing it (``storage.duckdb``), what its tables mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from tiktok_assets.queries.selection import CannotRead, Selection, Source
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_copy

if TYPE_CHECKING:
    import duckdb


class NoWarehouse(ValueError):
    """There is nothing to read yet; the message says what to do."""


@dataclass(frozen=True)
class PublishedTable:
    """A table or view of ``data/warehouse/tiktok.duckdb``: of the state that was published when it was opened."""

    source: Source
    columns: Sequence[str]
    connection: duckdb.DuckDBPyConnection

    def accounts(self) -> list[str]:
        """The accounts that have rows."""
        found = self.connection.execute(f'select distinct "{self.source.account}" from "{self.source.name}" order by 1')
        return [account for (account,) in found.fetchall()]

    def rows(self, selection: Selection) -> pl.DataFrame:
        """The selected rows and columns, in the order of ``source.order``. Moments are in UTC."""
        conditions, parameters = self._conditions(selection)
        where = f"where {' and '.join(conditions)}" if conditions else ""
        order = ", ".join(f'"{name}"' for name in self.source.order if name in self.columns)
        names = ", ".join(f'"{name}"' for name in selection.columns or self.columns)
        query = f'select {names} from "{self.source.name}" {where} order by {order}'
        found = pl.DataFrame(self.connection.sql(query, params=parameters).to_arrow_table())
        return found.with_columns(cs.datetime().dt.replace_time_zone("UTC"))

    def _conditions(self, selection: Selection) -> tuple[list[str], dict[str, Any]]:
        source = self.source
        found = {
            "accounts": (f'list_contains($accounts::varchar[], "{source.account}")', selection.accounts),
            "since": (f'"{source.day}"::date >= $since', selection.since),
            "until": (f'"{source.day}"::date <= $until', selection.until),
        }
        given = {name: one for name, one in found.items() if one[1] is not None}
        return [condition for condition, _ in given.values()], {name: value for name, (_, value) in given.items()}


@contextlib.contextmanager
def published(settings: Settings, source: Source) -> Iterator[PublishedTable]:
    """``source`` for the block. Raises NoWarehouse if it does not exist yet, CannotRead if others write the file."""
    import duckdb

    from tiktok_assets.storage.warehouse_files import opened_anew

    path, copy = settings.warehouse, published_copy(settings)
    if copy is None:
        raise NoWarehouse(
            f"{path}: there is no warehouse yet. Drop exports into {settings.landing}, run `tiktok-assets process`, "
            "then try again."
        )
    try:
        connection = opened_anew(copy)
    except duckdb.Error as error:
        if not any(words in str(error) for words in ("lock", "already attached")):
            raise
        raise CannotRead(
            f"{path}: is open for writing elsewhere. Close it there, or open it with read_only."
        ) from error
    with connection:
        try:
            columns = [str(name) for name, *_ in connection.execute(f'describe "{source.name}"').fetchall()]
        except duckdb.CatalogException as error:
            raise NoWarehouse(f"{path}: has no table {source.name} yet. Run `tiktok-assets process`.") from error
        yield PublishedTable(source, columns, connection)
