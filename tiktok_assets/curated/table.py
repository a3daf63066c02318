"""What a table is: what it is made of and how, and what storage has to know of it. The counterpart of ``Report``.

Belongs here: what every table has. Does not belong here: what follows from several of them (``recomputed``), Dagster,
DuckDB.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import parts_of, warehouse_rows, with_handles
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.exports.long_frames import Rows


@dataclass(frozen=True)
class Input:
    """A table that another one is made of, and how much of it."""

    key: str
    _: KW_ONLY
    look_back: int = 0
    """Days before the first of a month that the rows of that month depend on; 0 is the month alone."""
    columns: tuple[str, ...] = ()
    """The columns that are read; all by default."""
    may_be_long: bool = False
    """Whether its rows come lazily where there are very many (``exports.long_frames``)."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Columns that have another name here: by ours, the input's."""
    pivoted: Mapping[str, str] | None = None
    """Of a long table, whose rows become columns here: by our column, the one its values stand in, and no others."""

    def source_of(self, column: str) -> str | None:
        """The name that our ``column`` would have in the input; None where it has another one here."""
        if self.pivoted is not None:
            return self.pivoted.get(column)
        if column not in self.renamed and column in self.renamed.values():
            return None
        source = self.renamed.get(column, column)
        return source if not self.columns or source in self.columns else None


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What a table is made with, beside its inputs."""

    months: Sequence[dt.date]
    """First days of the months to make."""
    loaded_at: dt.datetime
    timezones: Mapping[str, str | None] = field(default_factory=dict)
    """By account, its IANA timezone; None is unknown, not UTC."""
    handles: Mapping[str, str] = field(default_factory=dict)
    """By account."""
    viral_min_views: int
    viral_growth: float
    songs: Sequence[Song] = ()


@dataclass(frozen=True, kw_only=True)
class Checks:
    """Promises about a table that are judged together. A broken one warns and stops nothing."""

    descriptions: Mapping[str, str]
    """By name, what is promised."""
    cases: Callable[[pl.DataFrame, Parameters], Mapping[str, pl.DataFrame]]
    """Rows, with those before them to compare with -> by name, the cases that break the promise: ``account``,
    ``sentence``, and where they are about days also ``date`` and ``kind`` (data_error or event)."""


Make = Callable[[Mapping[str, Any], Parameters], Rows]
"""Rows of each input, by its name, -> rows of the table. Of raw tables the rows are lazy."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of curated or the warehouse: what a row is, what it is made of, what is promised of it.

    A field belongs here only if it applies to every table. What one table needs goes into its ``make``.
    """

    key: str
    """Of its asset, which its file or table in DuckDB follows: "curated/videos"."""
    schema: type[pa.DataFrameModel]
    """Its columns with their descriptions; its docstring says what one row is."""
    version: str
    """Of its code: Dagster shows data made by another version as outdated."""
    inputs: Mapping[str, Input] = field(default_factory=dict)
    make: Make | None = None
    """None: the table has a custom asset."""
    checks: Sequence[Checks] = ()
    """Beside keeps_schema, which every table of curated has."""
    day: str = "date"
    """The column whose month is the partition."""
    is_daily: bool = False
    """Whether an account has a row a day, so that a day without one is missing."""
    is_by_day: bool = False
    """Whether a row depends on no day after its own. Else a changed day is taken to change all rows of its month."""
    needs_all_accounts: bool = False
    """Whether the rows of an account depend on those of others."""
    over_all_months: Mapping[str, str] = field(default_factory=dict)
    """Columns that depend on rows of any month, as SQL over all rows of an account; the warehouse keeps them right."""
    previous_names: Mapping[str, str] = field(default_factory=dict)
    """By name: the column's name in warehouse files of earlier versions; it is renamed in place."""

    @property
    def layer(self) -> str:
        return self.key.partition("/")[0]

    @property
    def name(self) -> str:
        return self.key.partition("/")[2]

    @property
    def description(self) -> str:
        return inspect.cleandoc(str(self.schema.__doc__))

    @functools.cached_property
    def columns(self) -> dict[str, str]:
        """By name, what each column means."""
        return {str(name): column.description or "" for name, column in self.schema.to_schema().columns.items()}

    @functools.cached_property
    def computed(self) -> dict[str, tuple[str, ...]]:
        """By computed column, those that its schema says it is ``made_of``."""
        return parts_of(self.schema)

    def rows(self, inputs: Mapping[str, Any], parameters: Parameters) -> Any:
        """The rows that follow from ``inputs``; there may be more than of the months to make. Lazy if inputs are."""
        if self.make is None:
            raise TypeError(f"{self.key} has no `make`: it is made by a custom asset.")
        made = self.make(inputs, parameters)
        return warehouse_rows(made, self.schema, parameters.loaded_at) if self.layer == "warehouse" else made


def publication(
    table: Table,
    key: str,
    schema: type[pa.DataFrameModel],
    *,
    renamed: Mapping[str, str] | None = None,
    has_handles: bool = False,
    over_all_months: Mapping[str, str] | None = None,
) -> Table:
    """The table of the warehouse that holds the rows of a curated one.

    ``renamed``: by the warehouse's name, the curated one; ``has_handles``: whether each row gets its account's handle.
    """
    names = {before: name for name, before in (renamed or {}).items()}

    def make(inputs: Mapping[str, Rows], parameters: Parameters) -> Rows:
        rows = inputs[table.name].rename(names)
        return with_handles(rows, parameters.handles) if has_handles else rows

    return Table(
        key=key,
        schema=schema,
        version="3",
        inputs={table.name: Input(table.key, renamed=renamed or {}, may_be_long=True)},
        make=make,
        day=names.get(table.day, table.day),
        is_daily=table.is_daily,
        is_by_day=table.is_by_day,
        over_all_months=over_all_months or {},
    )
