"""The file formats that tables are exported in. Does not belong here: which rows (``tables``), where a file goes.

Titles, handles and file names are a stranger's: in CSV and XLSX they are text that a spreadsheet program never runs.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import IO

import polars as pl
import polars.selectors as cs

from tiktok_assets.queries.spreadsheet import as_text

FORMATS = ("csv", "parquet", "xlsx")
MOST_ROWS_OF_A_SHEET = 1_048_575
"""Below the header; Excel's limit."""
MOST_TEXT_OF_A_CELL = 32_767
"""Characters; Excel's limit."""


class CannotWrite(ValueError):
    """The format is unknown, or cannot hold the rows. The message says which can."""


def format_of(file: PurePath) -> str:
    """The format that the suffix of ``file`` names. Raises CannotWrite."""
    format = file.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise CannotWrite(
            f"{file}: {file.suffix or 'a name without suffix'} is not a supported format. "
            f"Supported: {', '.join(f'.{one}' for one in FORMATS)}."
        )
    return format


def encode(rows: pl.DataFrame, format: str, file: IO[bytes], *, name: str, is_exact: bool = False) -> None:
    """Write ``rows`` of the table ``name`` into ``file``, in one of ``FORMATS``.

    Unknown is an empty cell in CSV and XLSX, where lists are joined by "; ". Moments are ISO 8601 in CSV, and plain UTC
    in XLSX, which knows no time zones. ``is_exact``: in CSV, no apostrophe before text that a spreadsheet would run.
    Raises CannotWrite if a sheet of XLSX cannot hold the rows.
    """
    if format == "parquet":
        rows.write_parquet(file)
    elif format == "xlsx":
        _write_xlsx(_flat(rows), file, name)
    else:
        flat = _flat(rows)
        (flat if is_exact else as_text(flat)).write_csv(file)


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists as text; an empty list is an empty text, an unknown one is null."""
    return rows.with_columns(cs.list().cast(pl.List(pl.String)).list.join("; "))


def _write_xlsx(rows: pl.DataFrame, file: IO[bytes], name: str) -> None:
    if rows.height > MOST_ROWS_OF_A_SHEET:
        raise CannotWrite(
            f"{name}: {rows.height:,} rows do not fit into a sheet, whose limit is {MOST_ROWS_OF_A_SHEET:,}. "
            "Take fewer accounts or days, or write csv or parquet."
        )
    lengths = rows.select(cs.string().str.len_chars().max()).row(0, named=True)
    if too_long := [column for column, length in lengths.items() if (length or 0) > MOST_TEXT_OF_A_CELL]:
        raise CannotWrite(
            f"{name}: {', '.join(too_long)} has text of more than {MOST_TEXT_OF_A_CELL:,} characters, which a cell "
            "cannot hold. Write csv or parquet."
        )
    from xlsxwriter import Workbook

    # Text stays text: nothing in it becomes a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with Workbook(file, options) as workbook:
        plain = rows.with_columns(cs.datetime().dt.replace_time_zone(None))
        plain.write_excel(workbook, name.rpartition("/")[2], autofit=True, freeze_panes=(1, 0))
