"""The sheets of an XLSX workbook as text. One that would not fit into memory is refused before it is opened."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import zipfile

from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.exports.text_rows import (
    refuse_wide,
)

MAX_CELLS = 50_000_000
"""Of a sheet, empty ones included; a list of 10,000 videos has 100,000."""
MAX_EMPTY_CELLS = 500_000
"""Of a sheet that is almost empty: a value was typed far away from the table."""
_LEAST_FILLED = 0.1
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET_PIECE = 1024**2


def sheets_of(member: Member) -> dict[str, list[list[str]]]:
    """The rows of each sheet that has any, as text. Raises BrokenFile."""
    import fastexcel

    source = member.content if isinstance(member.content, bytes) else str(member.content)
    found: dict[str, list[list[str]]] = {}
    _refuse_vast(member)
    try:
        book = fastexcel.read_excel(source)
        for sheet in book.sheet_names:
            cells = book.load_sheet_by_name(sheet, header_row=None, dtypes="string").to_polars()
            used = cells.select(column for column in cells if column.null_count() < cells.height)
            rows = [[value or "" for value in row] for row in used.rows()]
            if any(any(map(str.strip, row)) for row in rows):
                found[sheet] = rows
    except Exception as error:  # fastexcel raises its own, calamine's and zip's errors
        reason = str(error).partition("\nContext")[0]
        raise BrokenFile(f"{member.name}: is not a readable XLSX workbook ({reason}). Export it again.") from error
    return found


def _refuse_vast(member: Member) -> None:
    """Refuse a workbook with a cell so far out that its sheet, read whole, would not fit into memory."""
    source = io.BytesIO(member.content) if isinstance(member.content, bytes) else member.content
    with contextlib.suppress(zipfile.BadZipFile, OSError), zipfile.ZipFile(source) as book:
        for sheet in book.namelist():
            if not sheet.startswith("xl/worksheets/"):
                continue
            columns = rows = cells = 0
            with book.open(sheet) as xml:
                for piece in iter(lambda: xml.read(_SHEET_PIECE), b""):
                    places = _CELL.findall(piece)
                    cells += len(places)
                    for letters, row in set(places):
                        columns, rows = max(columns, _column(letters)), max(rows, int(row))
            refuse_wide(f"{member.name}/{sheet}", columns)
            if columns * rows > (MAX_CELLS if cells > _LEAST_FILLED * columns * rows else MAX_EMPTY_CELLS):
                raise BrokenFile(
                    f"{member.name}: a sheet of it has {rows:,} rows and {columns:,} columns, of whose "
                    f"{columns * rows:,} cells {cells:,} are written: too many to read. Delete what lies far below or "
                    "beside the table, or export it again."
                )


def _column(letters: bytes) -> int:
    """The number of a column: A is 1, XFD 16384."""
    return functools.reduce(lambda number, letter: number * 26 + letter - 64, letters, 0)
