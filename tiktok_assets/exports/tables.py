"""From a member's bytes to a header and rows of text. Nothing is typed or renamed here.

Studio writes UTF-8 with BOM, every field quoted, commas, LF, no newline at the end. People and spreadsheet programs
change all of that, so BOM, CRLF, unquoted fields, empty rows and other separators are accepted, as are tables with
additions (``resaved``). A row that does not fit the header is an error.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tiktok_assets.exports import insights
from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.encodings import CODE_PAGES, encoding_of, is_proven, refuse_garbled, unproven
from tiktok_assets.exports.long_tables import scan_csv
from tiktok_assets.exports.problems import BrokenFile, ForeignFile
from tiktok_assets.exports.resaved import HEAD, Found, IsHeader, header_row, parted, table_in
from tiktok_assets.exports.text_rows import (
    LINK,
    SEPARATOR_LINE,
    SEPARATORS,
    TITLE,
    Table,
    header_of,
    is_bare,
    normal,
    ragged,
    refuse_wide,
    separator_of,
    table_of,
    titled_line,
    unique,
)
from tiktok_assets.exports.workbooks import sheets_of

_FIELD_END = re.compile(r'(?<!")","(?!")')


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
        return [(member.name, scan_csv(member, member.content, is_header))]
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
    plain = table_of(insights.HEADER, read.rows)
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
            raise BrokenFile(f"{name}: line {line} is not UTF-16 text. Export it again.") from error
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
    stated = SEPARATOR_LINE.match(text)
    if stated:
        text = text[stated.end() :].lstrip("\r\n")
    separator = separator_of(text, is_header, stated[1] if stated else None)
    header = header_of(name, text.split("\n", 1)[0], separator)
    if separator == "," and {TITLE, LINK} <= set(map(normal, header)):
        rows = _titled_rows(text, header)
        if rows is not None:
            return [dataclasses.replace(table_of(header, rows), saved_again=notes)]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise BrokenFile(
            f"{name}: is cut off or wrongly quoted, seen in line {reader.line_num}. Export it again."
        ) from error
    notes += () if separator == "," else (f"its columns separated by {SEPARATORS[separator]}",)
    return _tables_of(name, rows, is_header, notes)


def _tables_of(name: str, rows: list[list[str]], is_header: IsHeader | None, notes: tuple[str, ...]) -> list[Table]:
    """The tables in the rows of a file or sheet, one below the other; what is not a table of a report is the last.

    Raises BrokenFile for a row that does not fit its header.
    """
    parts = parted(rows, is_header)
    return [_only_table(name, part, is_header, notes) for part in parts]


def _only_table(name: str, rows: list[list[str]], is_header: IsHeader | None, notes: tuple[str, ...] = ()) -> Table:
    """The table among ``rows``, none of which is empty. Raises BrokenFile for a row that does not fit its header."""
    refuse_wide(name, max(map(len, rows), default=0))
    at = header_row(rows, is_header) if is_header else 0
    if at is None or not rows:
        header = unique(rows[0] if rows else ())
        return dataclasses.replace(table_of(header, []), head=tuple(rows[:HEAD]))
    found: Found = table_in(rows, at)
    header = unique(found.header)
    for number, row in enumerate(found.rows, start=1):
        if len(row) != len(header):
            raise ragged(name, number, len(row), header)
    return dataclasses.replace(
        table_of(header, found.rows), saved_again=(*notes, *found.notes), above=tuple(found.above)
    )


def _titled_rows(text: str, header: tuple[str, ...]) -> list[list[str]] | None:
    """The rows of a Content.csv, whose titles may contain unescaped quotes; None if not all lines have Studio's form.

    A row is anchored on its link: everything between the fields before it and the link is the title. Titles never
    contain a newline. Newer files double the quotes; a file doubles all of them or none.
    """
    form, title = titled_line(header)
    matches = [form.fullmatch(line.rstrip("\r")) for line in text.split("\n")[1:] if line.strip("\r ")]
    rows = [list(match.groups()) for match in matches if match is not None]
    if len(rows) != len(matches):
        return None
    if title == 0 and rows and all(_FIELD_END.search(row[0]) for row in rows):
        return None  # the header lacks its first column, and each title has swallowed that field
    if not any(is_bare(row[title]) for row in rows):
        for row in rows:
            row[title] = row[title].replace('""', '"')
    return rows


def _read_xlsx(member: Member, is_header: IsHeader | None) -> list[tuple[str, Table]]:
    sheets = sheets_of(member)
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
