"""A table as text: its header, its rows, and what every reader of one shares.

Belongs here: names of columns, separators, one line of a file. Does not belong here: where the bytes come from
(``tables`` in memory, ``long_tables`` from disk, ``workbooks``).
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.resaved import HEAD, IsHeader, Row
from tiktok_assets.exports.translations import ENGLISH

ROW = "row_number"
MAX_COLUMNS = 1_000
"""Of a table; the widest report has a dozen, and people add some."""
TITLE, LINK = "video title", "video link"  # as ``normal`` has them
# Commas are TikTok's; in most European languages a spreadsheet writes ";".
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*\r?(?:\n|$)', re.IGNORECASE)


@functools.lru_cache(maxsize=1024)
def normal(header: str) -> str:
    """A column name whatever its language, case, underscores and spaces: ``"Page_views "`` -> ``"page views"``."""
    name = re.sub(r"[\s_]+", " ", header).strip().casefold()
    return ENGLISH.get(name, name)


@dataclass(frozen=True, kw_only=True)
class Table:
    """A member as text: ``rows`` has one String column per header name, and ``row_number`` (the first data row is 1).

    Very large members come as a LazyFrame over the file on disk; their rows are streamed, never all in memory.
    ``captured_at``, ``handle``, ``notes``: from the envelope of an insights file; other tables have none.
    ``saved_again``: how it differs from what TikTok writes without a loss; a clause each.
    ``head``: its first rows if none of them is a known header; ``header`` is then the first of them.
    ``above``: the rows above its header.
    """

    header: tuple[str, ...]
    rows: pl.DataFrame | pl.LazyFrame
    captured_at: dt.datetime | None = None
    handle: str | None = None
    notes: tuple[str, ...] = ()
    saved_again: tuple[str, ...] = ()
    head: tuple[Row, ...] = ()
    above: tuple[Row, ...] = ()

    def column(self, name: str) -> str | None:
        """How this file spells the column with that normal name; None if it has none."""
        return next((written for written in self.header if normal(written) == name), None)


def refuse_wide(name: str, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise BrokenFile(
            f"{name}: has {columns:,} columns; a table of TikTok has at most 20, and {MAX_COLUMNS:,} are read. "
            "Export it again."
        )


def header_of(name: str, line: str, separator: str = ",") -> tuple[str, ...]:
    cells = cells_of(line, separator)
    refuse_wide(name, len(cells))
    return unique(cells)


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` with a number after duplicates, and after those that would hide a column of ours.

    A column without a name is named by its number.
    """
    unique = dict.fromkeys(PROVENANCE)
    times = Counter[str]()
    for column, written in enumerate(names, start=1):
        name = free = written if written.strip() else f"column {column}"
        while free in unique:
            times[name] += 1
            free = f"{name} ({times[name] + 1})"
        unique[free] = None
    return tuple(unique)[len(PROVENANCE) :]


def ragged(name: str, row: int, fields: int, header: tuple[str, ...]) -> BrokenFile:
    return BrokenFile(
        f"{name}: row {row} has {fields} field{'' if fields == 1 else 's'}, its header {len(header)} "
        f"({', '.join(header)[:300]}). "
        "The file is cut off or was edited; export it again."
    )


def table_of(header: tuple[str, ...], rows: list[list[str]]) -> Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    frame = pl.DataFrame(
        [pl.Series(name, values, dtype=pl.String) for name, values in zip(header, columns, strict=True)],
    )
    numbers = pl.int_range(1, len(rows) + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    return Table(header=header, rows=frame.insert_column(0, numbers))


def cells_of(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), list[str]())
    except csv.Error:  # a field of more than 128 kB: reading the whole table reports it
        return []


def separator_of(text: str, is_header: IsHeader | None, stated: str | None) -> str:
    """The column separator: the one the file states, else the one that makes one of its first lines a header."""
    if stated:
        return stated
    lines = text.split("\n", HEAD)[:HEAD]
    for separator in SEPARATORS:
        if is_header and any(is_header(cells_of(line, separator)) for line in lines):
            return separator
    return max(SEPARATORS, key=lambda sign: len(cells_of(lines[0], sign)))


def titled_line(header: tuple[str, ...]) -> tuple[re.Pattern[str], int]:
    """The form of a line of Content.csv as Studio writes it, and the column of the title."""
    forms = {TITLE: r'"(.*)"', LINK: r'"(https?://[^"]*)"'}
    names = [normal(name) for name in header]
    return re.compile(",".join(forms.get(name, r'"([^"]*)"') for name in names)), names.index(TITLE)


def is_bare(title: str) -> bool:
    """Whether the title has a quote that is not doubled."""
    return any(len(run) % 2 for run in re.findall('"+', title))
