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
import itertools
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports import insights
from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.encodings import CODE_PAGES, encoding_of, is_proven, refuse_garbled, unproven
from tiktok_assets.exports.problems import BrokenFile, ForeignFile
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.resaved import HEAD, Found, IsHeader, Row, header_row, parted, table_in
from tiktok_assets.exports.translations import ENGLISH

ROW = "row_number"
MAX_COLUMNS = 1_000
"""Of a table; the widest report has a dozen, and people add some."""
MAX_CELLS = 50_000_000
"""Of a sheet, empty ones included; a list of 10,000 videos has 100,000."""
# Rows of a long table that are read at once.
PIECE = 50_000
TITLE, LINK = "video title", "video link"  # as ``normal`` has them


@functools.lru_cache(maxsize=1024)
def normal(header: str) -> str:
    """A column name whatever its language, case, underscores and spaces: ``"Page_views "`` -> ``"page views"``."""
    name = re.sub(r"[\s_]+", " ", header).strip().casefold()
    return ENGLISH.get(name, name)


# Commas are TikTok's; in most European languages a spreadsheet writes ";".
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_CELL = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_SHEET_PIECE = 1024**2
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
        return [(member.name, _scan_csv(member, member.content, is_header))]
    return _named(member.name, _read_csv(member.name, member.content, is_header))


def _named(name: str, tables: list[Table]) -> list[tuple[str, Table]]:
    """The tables of a file or sheet with their names: its own, and a number where it has several."""
    if len(tables) == 1:
        return [(name, tables[0])]
    return [(f"{name}, table {number}", table) for number, table in enumerate(tables, start=1)]


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


def _read_csv(name: str, content: bytes, is_header: IsHeader | None) -> list[Table]:
    """The tables of a CSV file, decoded with a code page if its text proves that one."""
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        if encoding != "utf-8-sig":
            raise BrokenFile(f"{name}: line {line} is not UTF-16 text ({error.reason}). Export it again.") from error
        for page, title in CODE_PAGES.items():
            try:
                tables = _read_text(
                    name, content.decode(page), is_header, (f"its text encoded in {title}, as its dates prove",)
                )
            except (UnicodeDecodeError, BrokenFile):
                continue
            if all(is_proven(_columns(table)) for table in tables):
                return tables
        raise unproven(name, line, error.reason) from error
    refuse_garbled(name, text.lstrip("\ufeff"))
    return _read_text(name, text, is_header, () if encoding == "utf-8-sig" else ("its text encoded in UTF-16",))


def _columns(table: Table) -> Iterator[tuple[str, list[str]]]:
    """The English name and the cells of each column; of a table without a known header its first rows."""
    if table.head:
        yield " ".join(" ".join(row) for row in table.head), []
    elif isinstance(table.rows, pl.DataFrame):
        yield from ((normal(name), table.rows[name].to_list()) for name in table.header)


def _read_text(name: str, text: str, is_header: IsHeader | None, notes: tuple[str, ...]) -> list[Table]:
    text = text.lstrip("\ufeff\r\n")
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
            return [dataclasses.replace(_table(header, rows), saved_again=notes)]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise BrokenFile(f"{name}: is cut off or wrongly quoted ({error}). Export it again.") from error
    notes += () if separator == "," else (f"its columns separated by {_SEPARATORS[separator]}",)
    return _tables_of(name, rows, is_header, notes)


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


def _tables_of(name: str, rows: list[list[str]], is_header: IsHeader | None, notes: tuple[str, ...]) -> list[Table]:
    """The tables in the rows of a file or sheet, one below the other; what is not a table of a report is the last.

    Raises BrokenFile for a row that does not fit its header.
    """
    parts = parted(rows, is_header)
    return [_table_of(name, part, is_header, notes) for part in parts]


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
    form, title = _titled_line(header)
    matches = [form.fullmatch(line.rstrip("\r")) for line in text.split("\n")[1:] if line.strip("\r ")]
    rows = [list(match.groups()) for match in matches if match is not None]
    if len(rows) != len(matches):
        return None
    if not any(_is_bare(row[title]) for row in rows):
        for row in rows:
            row[title] = row[title].replace('""', '"')
    return rows


def _titled_line(header: tuple[str, ...]) -> tuple[re.Pattern[str], int]:
    """The form of a line of Content.csv as Studio writes it, and the column of the title."""
    forms = {TITLE: r'"(.*)"', LINK: r'"(https?://[^"]*)"'}
    names = [normal(name) for name in header]
    return re.compile(",".join(forms.get(name, r'"([^"]*)"') for name in names)), names.index(TITLE)


def _is_bare(title: str) -> bool:
    """Whether the title has a quote that is not doubled."""
    return any(len(run) % 2 for run in re.findall('"+', title))


def _scan_csv(member: Member, path: Path, is_header: IsHeader | None) -> Table:
    """The table of a CSV file that is too large for memory: read where it is if it is plain CSV, else from a copy."""
    name, encoding = member.name, encoding_of(member.head)
    start = member.head.decode(encoding, errors="replace").lstrip("\ufeff\r\n")
    refuse_garbled(name, start)
    header = _header(name, start.split("\n", 1)[0])
    is_bare = encoding == "utf-8-sig" and _has_bare_quotes(name, path, header)
    is_plain = encoding == "utf-8-sig" and not is_bare and (is_header is None or is_header(header))
    if member.scratch is None:
        return _scanned(name, path, header)
    copy = member.scratch / "plain.csv"
    if is_plain:
        table = _scanned(name, path, header)
    elif is_bare:
        _write_titled(name, path, copy, header)
        table = _scanned(name, copy, header)
    else:
        table = _copied(member, path, copy, encoding, start, is_header)
    return table if table.head else _compact(table, member.scratch / "table.parquet")


def _compact(table: Table, target: Path) -> Table:
    """The table from a Parquet file: of a CSV file every reader maps all bytes into memory, whatever it needs."""
    table.rows.lazy().sink_parquet(target, row_group_size=PIECE, maintain_order=True)
    return dataclasses.replace(table, rows=pl.scan_parquet(target))


def pieces(rows: pl.DataFrame | pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """The rows in their order, of a long table in pieces: batches of Polars are all read ahead."""
    if isinstance(rows, pl.DataFrame):
        yield rows
        return
    last = rows.select(pl.len()).collect(engine="streaming").item()
    for start in range(1, last + 1, PIECE):
        yield rows.filter(pl.col(ROW).is_between(start, start + PIECE - 1)).collect()


def _scanned(name: str, path: Path, header: tuple[str, ...]) -> Table:
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


def _has_bare_quotes(name: str, path: Path, header: tuple[str, ...]) -> bool:
    """Whether all lines have Studio's form and a title has a quote that is not doubled, which no CSV reader can read.

    Raises BrokenFile for a line that is not UTF-8.
    """
    has_titles = {TITLE, LINK} <= set(map(normal, header))
    form, title = _titled_line(header) if has_titles else (None, 0)
    found = False
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                raise unproven(name, number, error.reason) from error
            if form is None or number == 1 or line.count(b'"') == 2 * len(header):
                continue
            match = form.fullmatch(text.rstrip("\r\n"))
            if match is None and text.strip():
                form = None
            elif match is not None:
                found = found or _is_bare(match[title + 1])
    return found and form is not None


def _write_titled(name: str, path: Path, target: Path, header: tuple[str, ...]) -> None:
    """Write a Content.csv whose titles have quotes that are not doubled as plain CSV."""
    form, _ = _titled_line(header)
    with path.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        next(source)
        writer.writerow(header)
        for number, line in enumerate(filter(str.strip, source), start=1):
            match = form.fullmatch(line.rstrip("\r\n"))
            if match is None:
                raise BrokenFile(f"{name}: row {number} is cut off or wrongly quoted. Export it again.")
            writer.writerow(match.groups())


def _copied(member: Member, path: Path, target: Path, encoding: str, start: str, is_header: IsHeader | None) -> Table:
    """The table of a file with another separator or encoding, or with rows above its header, from a plain copy.

    ``start``: the first lines of its text.
    """
    stated = _SEPARATOR_LINE.match(start)
    separator = _separator(start[stated.end() :] if stated else start, is_header, stated[1] if stated else None)
    notes = () if encoding == "utf-8-sig" else ("its text encoded in UTF-16",)
    notes += () if separator == "," else (f"its columns separated by {_SEPARATORS[separator]}",)
    try:
        with path.open(encoding=encoding, newline="") as source, target.open("w", encoding="utf-8", newline="") as file:
            read = csv.reader((line.lstrip("\ufeff") for line in source), delimiter=separator, strict=True)
            rows = (row for row in read if any(map(str.strip, row)))
            head = list(itertools.islice(rows, HEAD))[1 if stated else 0 :]
            at = header_row(head, is_header) if is_header else 0
            if at is None or not head:
                return dataclasses.replace(_table(_unique(head[0] if head else ()), []), head=tuple(head))
            found = table_in(head, at)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows(head[at:])
            writer.writerows(rows)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BrokenFile(f"{member.name}: is cut off or wrongly quoted ({error}). Export it again.") from error
    table = _scanned(member.name, target, _unique(head[at]))
    return dataclasses.replace(table, saved_again=(*notes, *found.notes[: bool(at)]), above=tuple(found.above))


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
        named
        for sheet, rows in sheets.items()
        for named in _named(
            member.name if alone else f"{member.name}/{sheet}", _tables_of(member.name, rows, is_header, ())
        )
    ]


def _sheets(member: Member) -> dict[str, list[list[str]]]:
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
            columns = rows = 0
            with book.open(sheet) as xml:
                for piece in iter(lambda: xml.read(_SHEET_PIECE), b""):
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
