"""A file of streams, read whole: its rows as text with their days, or why it cannot be used.

Does not belong here: which file is right where several report the same (``latest``), where files lie (``inbox``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from tiktok_assets.exports.archive import export_id, open_members
from tiktok_assets.exports.months import month_of
from tiktok_assets.exports.problems import BrokenFile, ExportProblem
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.tables import read_tables
from tiktok_assets.exports.text_rows import Table
from tiktok_assets.streams.columns import is_header, not_streams, require_columns, unread_columns
from tiktok_assets.streams.days import days_of, refuse_firsts_of_months
from tiktok_assets.streams.rows import cells_of, distinct_rows, notes_on, typed_rows

STREAMS_READER = "2"
"""Bump when the reading of files changes, or what of them is refused: they are read again, raw keeps both readings."""
RAW_MEANINGS = {
    "export_id": "sha256 of the dropped file",
    "source": "the dropped file, below landing/streams",
    "member": "the table inside the file",
    "row_number": "1 is the first row below the header",
    "date_label": "the day that the row's date names",
    "vintage": "the time of the file (UTC), which orders files: the latest one counts",
    "parser_version": "version of the reader",
}
RAW_ROWS = {name: PROVENANCE[name] for name in RAW_MEANINGS}
"""The columns beside those of the file, which are text under their own names."""


@dataclass(frozen=True, kw_only=True)
class StreamsFile:
    """One file of streams."""

    export_id: str
    window: tuple[dt.date, dt.date]
    """First and last day with a row."""
    months: tuple[dt.date, ...]
    """First days of the months with a row."""
    warnings: tuple[str, ...]
    rows: pl.DataFrame
    """Its tables as text, with the columns of ``RAW_ROWS``."""


def read_streams(path: Path, source: str) -> StreamsFile:
    """The file at ``path``, which tables name ``source``. Raises an ExportProblem that names file, row and remedy.

    Its time is its vintage: nothing in such a file says when it was downloaded.
    """
    digest = export_id(path)
    changed = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    with open_members(path) as members:
        found = [pair for member in members for pair in read_tables(member, is_header)]
        tables = [(name, table) for name, table in found if not table.head]
        if not tables:
            name, table = found[0]
            raise not_streams(name, table.header)
        raw = pl.concat([_with_days(name, table) for name, table in tables], how="diagonal")
    raw = raw.with_columns(
        export_id=pl.lit(digest), source=pl.lit(source), vintage=pl.lit(changed), parser_version=pl.lit(STREAMS_READER)
    )
    raw = raw.select([pl.col(name).cast(dtype) for name, dtype in RAW_ROWS.items()] + [pl.exclude(list(RAW_ROWS))])
    rows = typed_rows(raw)
    of_tables = [
        note if len(found) == 1 else f"{name}: {note}" for name, table in found for note in _notes_on_table(table)
    ]
    notes = [*of_tables, *notes_on(raw, rows)]
    if distinct_rows(rows).is_empty():
        raise BrokenFile(f"{path.name}: no row has a number of streams. Export it again.")
    days = raw["date_label"].unique().sort()
    refuse_firsts_of_months(path.name, days.to_list(), rows["track"].n_unique())
    months = raw.select(month_of(pl.col("date_label"))).to_series().unique().sort()
    return StreamsFile(
        export_id=digest, window=(days[0], days[-1]), months=tuple(months), warnings=tuple(notes), rows=raw
    )


def describe_streams(path: Path, source: str) -> StreamsFile:
    """As ``read_streams``, without the rows, which may be many."""
    file = read_streams(path, source)
    return replace(file, rows=file.rows.clear())


def is_of_streams(path: Path) -> bool:
    """Whether the columns of a table in it are those of streams, whatever its cells are."""
    try:
        with open_members(path) as members:
            for name, table in (pair for member in members for pair in read_tables(member, is_header)):
                require_columns(name, table.header)
                return True
    except ExportProblem:
        pass
    return False


def _with_days(name: str, table: Table) -> pl.DataFrame:
    """The rows of a table with its name and their days. Raises an ExportProblem."""
    require_columns(name, table.header)
    rows = table.rows.lazy().collect()
    days = days_of(name, rows.select(cells_of(rows, "date")).to_series().to_list())
    return rows.with_columns(member=pl.lit(name), date_label=pl.Series(days, dtype=pl.Date))


def _notes_on_table(table: Table) -> Iterator[str]:
    if table.head:
        yield "is no table of streams and is not read"
        return
    if table.saved_again:
        yield f"was read with {'; '.join(table.saved_again)}"
    if unread := unread_columns(table.header):
        yield f"columns that are not read, kept as text in raw: {', '.join(unread)}"
