"""From a member's bytes to a header and rows of text. Nothing is typed, renamed or dropped here.

Studio writes UTF-8 with BOM, every field quoted, LF, no newline at the end; people and spreadsheet programs change all
of that, so BOM, CRLF, unquoted fields and empty rows are accepted. A row that does not fit the header is an error.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports import insights
from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.problems import BrokenFile, ForeignFile
from tiktok_assets.exports.provenance import PROVENANCE

ROW = "row_number"
TITLE, LINK = "video title", "video link"  # as ``normal`` has them


@functools.lru_cache(maxsize=1024)
def normal(header: str) -> str:
    """A column name whatever its case, underscores and stray spaces: ``"Page_views "`` -> ``"page views"``."""
    return re.sub(r"[\s_]+", " ", header).strip().casefold()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A member as text: ``rows`` has one String column per header name, and ``row_number`` (the first data row is 1).

    Very large members come as a LazyFrame over the file on disk; their rows are streamed, never all in memory.
    ``captured_at``, ``handle``, ``notes``: what an insights file says of itself; no other table does.
    """

    header: tuple[str, ...]
    rows: pl.DataFrame | pl.LazyFrame
    captured_at: dt.datetime | None = None
    handle: str | None = None
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> str | None:
        """How this file spells the column with that normal name; None if it has none."""
        return next((written for written in self.header if normal(written) == name), None)


def read_table(member: Member) -> Table:
    """The text table in ``member``. Raises BrokenFile with the row, or ForeignFile for what is no table of ours."""
    if member.is_xlsx:
        return _read_xlsx(member)
    if member.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return _read_insights(member)
    if isinstance(member.content, Path):
        return _scan_csv(member.name, member.content)
    return _read_csv(member.name, member.content)


def _read_insights(member: Member) -> Table:
    if not insights.is_envelope(member.head):
        raise ForeignFile(
            f"{member.name}: is JSON, as in TikTok's 'Download your data'. "
            "Needed is the CSV or XLSX that TikTok Studio's 'Download data' makes."
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


def _read_csv(name: str, content: bytes) -> Table:
    text = _decode(name, content).lstrip("\ufeff\r\n")
    if "\n" not in text:
        text = text.replace("\r", "\n")  # line ends of old Macs, which their spreadsheet programs still offer
    header = _header(name, text.split("\n", 1)[0])
    if {TITLE, LINK} <= set(map(normal, header)):
        rows = _titled_rows(text, header)
        if rows is not None:
            return _table(header, rows)
    try:
        read = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [row for row in read if row and (row[0].strip() or any(map(str.strip, row)))][1:]
    except csv.Error as error:
        raise BrokenFile(f"{name}: is cut off or wrongly quoted ({error}). Export it again.") from error
    if set(map(len, rows)) - {len(header)}:
        number, row = next((number, row) for number, row in enumerate(rows, start=1) if len(row) != len(header))
        raise _ragged(name, number, len(row), header)
    return _table(header, rows)


def _header(name: str, line: str) -> tuple[str, ...]:
    names = next(csv.reader([line.rstrip("\r\n")]), [])
    separator = next((sign for sign in ";\t" if len(names) == 1 and sign in names[0]), None)
    if separator:
        meta = (
            "a Meta Business Suite export"
            if "primary" in names[0].casefold()
            else "saved again by a spreadsheet program"
        )
        raise ForeignFile(
            f"{name}: its columns are separated by {separator!r} where TikTok writes commas: it is {meta}. "
            "Drop the file that TikTok Studio's 'Download data' makes, unopened."
        )
    return _unique(names)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` with a number after those that come twice, and after those that would hide a column of ours."""
    unique: list[str] = []
    for name in names:
        free, number = name, 1
        while free in unique or free in PROVENANCE:
            number += 1
            free = f"{name} ({number})"
        unique.append(free)
    return tuple(unique)


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
    """The rows of a Content.csv, whose titles may hold unescaped quotes; None if not all lines have Studio's form.

    A row is anchored on its link: whatever stands between the fields before it and the link is the title. Titles never
    hold a newline. Newer files double the quotes; a file doubles all of them or none.
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
            f"{name}: is no well-formed CSV file. Export it again."
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


def _read_xlsx(member: Member) -> Table:
    import fastexcel

    source = member.content if isinstance(member.content, bytes) else str(member.content)
    try:
        sheet = fastexcel.read_excel(source).load_sheet(0, header_row=None, dtypes="string")
        cells = sheet.to_polars()
    except Exception as error:  # fastexcel raises its own, calamine's and zip's errors
        raise BrokenFile(f"{member.name}: is not a readable XLSX workbook ({error}). Export it again.") from error
    used = cells.select(column for column in cells if column.null_count() < cells.height)
    if used.is_empty():
        raise BrokenFile(f"{member.name}: the first sheet is empty, without even a header. Export it again.")
    names, *rows = ([value or "" for value in row] for row in used.rows())
    return _table(_unique(names), [row for row in rows if any(map(str.strip, row))])
