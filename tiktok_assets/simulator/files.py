"""Tables as bytes: CSV as Studio writes it, XLSX, and the ZIP around them, with the quirks of each measured.

Knows text cells only; which cells belong in a report is ``reports``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import NamedTuple
from zipfile import ZipFile, ZipInfo

from xlsxwriter import Workbook

BOM = b"\xef\xbb\xbf"
NO_STAMP = (1980, 1, 1, 0, 0, 0)
"""The time of a ZIP entry whose time is unknown."""


class Table(NamedTuple):
    """One member of an export: its header and its rows, every cell text."""

    header: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class CsvForm:
    """How a CSV is written. The defaults are the form of all 49 files measured."""

    bom: bool = True
    crlf: bool = False
    final_newline: bool = False
    unescaped_quotes: bool = False


def csv_bytes(table: Table, form: CsvForm) -> bytes:
    """UTF-8 CSV with every field quoted."""
    newline = "\r\n" if form.crlf else "\n"
    lines = [_line(cells, form.unescaped_quotes) for cells in (table.header, *table.rows)]
    text = newline.join(lines) + (newline if form.final_newline else "")
    return (BOM if form.bom else b"") + text.encode()


def _line(cells: tuple[str, ...], unescaped_quotes: bool) -> str:
    line = '","'.join(cells)
    if not unescaped_quotes and line.count('"') > 2 * (len(cells) - 1):
        line = '","'.join(cell.replace('"', '""') for cell in cells)
    return f'"{line}"'


def xlsx_bytes(table: Table, sheet: str, created: datetime) -> bytes:
    """One sheet, every cell text. ``created`` is the document's own date, so that equal input is equal bytes."""
    buffer = BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_urls": False}) as workbook:
        workbook.set_properties({"created": created.astimezone(UTC).replace(tzinfo=None)})
        worksheet = workbook.add_worksheet(sheet)
        for row, cells in enumerate((table.header, *table.rows)):
            for column, cell in enumerate(cells):
                worksheet.write_string(row, column, cell)
    return buffer.getvalue()


def zip_bytes(members: Mapping[str, bytes], stamp: datetime | None) -> bytes:
    """Members at the root, stored, stamped with ``stamp`` in UTC (ZIP keeps even seconds) or with 1980.

    Versions and attributes are those of the real files: a real CSV packed by this is the real ZIP, byte for byte.
    """
    buffer = BytesIO()
    date_time = stamp.astimezone(UTC).timetuple()[:6] if stamp else NO_STAMP
    with ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            entry = ZipInfo(name, date_time)
            entry.create_system = 0
            entry.extract_version = 10
            archive.writestr(entry, content)
            entry.external_attr = 0  # writestr replaces a 0 by 0o600; the directory is written on close
    return buffer.getvalue()
