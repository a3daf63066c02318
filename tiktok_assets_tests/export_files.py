"""Export files written manually or by the simulator, and read through the product, for tests of reading and parsing."""

from __future__ import annotations

import datetime as dt
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl
from xlsxwriter import Workbook

from tiktok_assets.reports.reading import open_export

DOWNLOADED = dt.datetime(2026, 3, 17, 3, 20, 12, tzinfo=dt.UTC)
BOM = "\ufeff"


def write(path: Path, content: str | bytes, changed: dt.datetime = DOWNLOADED) -> Path:
    """A file last changed at that time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.utime(path, (changed.timestamp(), changed.timestamp()))
    return path


def quoted(*rows: tuple[str, ...]) -> str:
    """Rows as Studio writes them: BOM, all quoted, LF, no newline at the end. Quotes in fields stay as given."""
    return BOM + "\n".join(",".join(f'"{field}"' for field in row) for row in rows)


def zipped(members: Mapping[str, str | bytes], stamp: dt.datetime | None = DOWNLOADED) -> bytes:
    """A ZIP whose entries carry ``stamp`` (UTC), or 1980."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, stamp.timetuple()[:6] if stamp else (1980, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def deflated(members: Mapping[str, bytes]) -> bytes:
    """A ZIP as any program makes it: compressed, its entries changed now."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def workbook(*rows: tuple[str | float, ...]) -> bytes:
    """An XLSX with one sheet."""
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Sheet")
        for number, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(number, column, cell)
    return buffer.getvalue()


def parsed(path: Path) -> dict[str, pl.DataFrame]:
    """The typed rows of each report of an export, in the order of the file."""
    with open_export(path) as export:
        export.validate()
        frames = {
            member.report.name: member.report.parse(rows.lazy().collect())
            for member, rows in export.frames(account="north", source=path.name)
        }
    return {name: frame.sort("row_number") for name, frame in frames.items()}
