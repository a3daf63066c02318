"""From a member's bytes to a header and rows of text. Nothing is typed or renamed here.

Studio writes UTF-8 with BOM, every field quoted, commas, LF, no newline at the end. People and spreadsheet programs
change all of that, so BOM, CRLF, unquoted fields, empty rows and other separators are accepted, as are tables with
additions (``resaved``). A row that does not fit the header is an error.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import datetime as dt
import functools
import io
import re
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports import insights
from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.problems import BrokenFile, ForeignFile
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.resaved import HEAD, Found, IsHeader, Row, header_row, table_in
from tiktok_assets.exports.translations import ENGLISH

ROW = "row_number"
MAX_COLUMNS = 1_000
"""Of a table; the widest report has a dozen, and people add some."""
MAX_CELLS = 50_000_000
"""Of a sheet, empty ones included; a list of 10,000 videos has 100,000."""
TITLE, LINK = "video title", "video link"  # as ``normal`` has them


@functools.lru_cache(maxsize=1024)
def normal(header: str) -> str:
    """A column name whatever its language, case, underscores and spaces: ``"Page_views "`` -> ``"page views"``."""
    name = re.sub(r"[\s_]+", " ", header).strip().casefold()
    return ENGLISH.get(name, name)


# Commas are TikTok's; in most European languages a spreadsheet writes ";".
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_PIECE = 1024**2
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*\r?(?:\n|$)', re.IGNORECASE)


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


def read_table(member: Member) -> Table:
    """The text table in ``member``, with its first row as the header; of a workbook the first sheet with any cell.

    Raises BrokenFile with the row, or ForeignFile if it is not a table from TikTok.
    """
    return next(iter(read_tables(member)))[1]


def read_tables(member: Member, is_header: IsHeader | None = None) -> list[tuple[str, Table]]:
    """The tables in ``member`` with their names: one, or each sheet of a workbook that has several.

    ``is_header``: whether a row is the header of a report; without it the first row is one. Raises as ``read_table``.
    """
    if member.is_xlsx:
        return _read_xlsx(member, is_header)
    if member.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return [(member.name, _read_insights(member))]
    if isinstance(member.content, Path):
        return [(member.name, _scan_csv(member.name, member.content))]
    return [(member.name, _read_csv(member.name, member.content, is_header))]


def _read_insights(member: Member) -> Table:
    if not insights.is_envelope(member.head):
        raise ForeignFile(
            f"{member.name}: is JSON, as in TikTok's 'Download your data'. "
            "Use the CSV or XLSX from TikTok Studio's 'Download data' instead."
        )
    content = member.content if isinstance(member.content, bytes) else member.content.read_bytes()
    read = insights.read_insights(member.name, content)
    plain = _table(insights.HEADER, read.rows)
    return Table(
        header=plain.header, rows=plain.rows, captured_at=read.captured_at, handle=read.handle, notes=read.notes
    )


def _decode(name: str, content: bytes) -> str:
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BrokenFile(
            f"{name}: line {line} is not {encoding} text ({error.reason}). "
            "Export it again instead of saving it from a spreadsheet."
        ) from error


def _read_csv(name: str, content: bytes, is_header: IsHeader | None) -> Table:
    text = _decode(name, content).lstrip("\ufeff\r\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")  # line ends of old Macs, which their spreadsheet programs still offer
    stated = _SEPARATOR_LINE.match(text)
    if stated:
        text = text[stated.end() :].lstrip("\r\n")
    separator = _separator(text, is_header, stated[1] if stated else None)
    header = _header(name, text.split("\n", 1)[0], separator)
    if separator == "," and {TITLE, LINK} <= set(map(normal, header)):
        rows = _titled_rows(text, header)
        if rows is not None:
            return _table(header, rows)
    try:
        read = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [row for row in read if row and (row[0].strip() or any(map(str.strip, row)))]
    except csv.Error as error:
        raise BrokenFile(f"{name}: is cut off or wrongly quoted ({error}). Export it again.") from error
    notes = () if separator == "," else (f"its columns separated by {_SEPARATORS[separator]}",)
    return _table_of(name, rows, is_header, notes)


def _separator(text: str, is_header: IsHeader | None, stated: str | None) -> str:
    """The column separator: the one the file states, else the one that makes one of its first lines a header."""
    if stated:
        return stated
    lines = text.split("\n", HEAD)[:HEAD]
    for separator in _SEPARATORS:
        if is_header and any(is_header(_cells(line, separator)) for line in lines):
            return separator
    return max(_SEPARATORS, key=lambda sign: len(_cells(lines[0], sign)))


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line.rstrip("\r\n")], delimiter=separator), list[str]())
    except csv.Error:  # a field of more than 128 kB: reading the whole table reports it
        return []


def _refuse_wide(name: str, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise BrokenFile(
            f"{name}: has {columns:,} columns; a table of TikTok has at most 20, and {MAX_COLUMNS:,} are read. "
            "Export it again."
        )


def _header(name: str, line: str, separator: str = ",") -> tuple[str, ...]:
    cells = _cells(line, separator)
    _refuse_wide(name, len(cells))
    return _unique(cells)


def _table_of(name: str, rows: list[list[str]], is_header: IsHeader | None, notes: tuple[str, ...] = ()) -> Table:
    """The table among ``rows``, none of which is empty. Raises BrokenFile for a row that does not fit its header."""
    _refuse_wide(name, max(map(len, rows), default=0))
    at = header_row(rows, is_header) if is_header else 0
    if at is None or not rows:
        header = _unique(rows[0] if rows else ())
        return dataclasses.replace(_table(header, []), head=tuple(rows[:HEAD]))
    found: Found = table_in(rows, at)
    header = _unique(found.header)
    for number, row in enumerate(found.rows, start=1):
        if len(row) != len(header):
            raise _ragged(name, number, len(row), header)
    return dataclasses.replace(_table(header, found.rows), saved_again=(*notes, *found.notes), above=tuple(found.above))


def _unique(names: Sequence[str]) -> tuple[str, ...]:
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


def _ragged(name: str, row: int, fields: int, header: tuple[str, ...]) -> BrokenFile:
    return BrokenFile(
        f"{name}: row {row} has {fields} fields, its header {len(header)} ({', '.join(header)[:300]}). "
        "The file is cut off or was edited; export it again."
    )


def _table(header: tuple[str, ...], rows: list[list[str]]) -> Table:
    columns = zip(*rows, strict=True) if rows else ((),) * len(header)
    frame = pl.DataFrame(
        [pl.Series(name, values, dtype=pl.String) for name, values in zip(header, columns, strict=True)],
    )
    numbers = pl.int_range(1, len(rows) + 1, dtype=pl.UInt32, eager=True).alias(ROW)
    return Table(header=header, rows=frame.insert_column(0, numbers))


def _titled_rows(text: str, header: tuple[str, ...]) -> list[list[str]] | None:
    """The rows of a Content.csv, whose titles may contain unescaped quotes; None if not all lines have Studio's form.

    A row is anchored on its link: everything between the fields before it and the link is the title. Titles never
    contain a newline. Newer files double the quotes; a file doubles all of them or none.
    """
    forms = {TITLE: r'"(.*)"', LINK: r'"(https?://[^"]*)"'}
    names = [normal(name) for name in header]
    line_form = re.compile(",".join(forms.get(name, r'"([^"]*)"') for name in names))
    matches = [line_form.fullmatch(line.rstrip("\r")) for line in text.split("\n")[1:] if line.strip("\r ")]
    rows = [list(match.groups()) for match in matches if match is not None]
    if len(rows) != len(matches):
        return None
    at = names.index(TITLE)
    if all(len(run) % 2 == 0 for row in rows for run in re.findall('"+', row[at])):
        for row in rows:
            row[at] = row[at].replace('""', '"')
    return rows


def _scan_csv(name: str, path: Path) -> Table:
    with path.open("rb") as file:
        header = _header(name, _decode(name, file.readline()))
    rows = pl.scan_csv(
        path,
        infer_schema=False,
        empty_string_is_null=False,
        with_column_names=lambda _: list(header),
        row_index_name=ROW,
        row_index_offset=1,
    )
    # A row with too many fields is an error of Polars; in one with too few, the last column is as good as empty.
    try:
        doubtful = pl.any_horizontal(pl.col(header).is_null()) | (pl.col(header[-1]) == "")
        suspects = rows.filter(doubtful).select(ROW).head(1).collect(engine="streaming").height
        ragged = _first_ragged(name, path, header) if suspects else None
    except pl.exceptions.PolarsError:
        ragged = _first_ragged(name, path, header) or BrokenFile(
            f"{name}: is not a well-formed CSV file. Export it again."
        )
    if ragged is not None:
        raise ragged
    return Table(header=header, rows=rows)


def _first_ragged(name: str, path: Path, header: tuple[str, ...]) -> BrokenFile | None:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file, strict=True)):
                if row and len(row) != len(header):
                    return _ragged(name, number, len(row), header)
    except (csv.Error, UnicodeDecodeError) as error:
        return BrokenFile(f"{name}: is cut off or wrongly quoted ({error}). Export it again.")
    return None


def _read_xlsx(member: Member, is_header: IsHeader | None) -> list[tuple[str, Table]]:
    sheets = _sheets(member)
    if not sheets:
        raise BrokenFile(f"{member.name}: every sheet is empty, without even a header. Export it again.")
    alone = len(sheets) == 1
    return [
        (member.name if alone else f"{member.name}/{sheet}", _table_of(member.name, rows, is_header))
        for sheet, rows in sheets.items()
    ]


def _sheets(member: Member) -> dict[str, list[list[str]]]:
    """The rows of each sheet that has any, as text, without those that are empty. Raises BrokenFile."""
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
            if rows := [row for row in rows if any(map(str.strip, row))]:
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
            columns = rows = 0
            with book.open(sheet) as xml:
                for piece in iter(lambda: xml.read(_PIECE), b""):
                    for letters, row in set(_CELL.findall(piece)):
                        columns, rows = max(columns, _column(letters)), max(rows, int(row))
            _refuse_wide(f"{member.name}/{sheet}", columns)
            if columns * rows > MAX_CELLS:
                raise BrokenFile(
                    f"{member.name}: a sheet of it has {rows:,} rows and {columns:,} columns; at most {MAX_CELLS:,} "
                    "cells are read. Delete the empty rows and columns, or export it again."
                )


def _column(letters: bytes) -> int:
    """The number of a column: A is 1, XFD 16384."""
    return functools.reduce(lambda number, letter: number * 26 + letter - 64, letters, 0)
