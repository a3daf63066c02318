"""Text that a spreadsheet program shows and never runs. Titles, handles and file names are a stranger's."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with an apostrophe before every text that a spreadsheet would take for a formula; numbers stay.

    The signs are those of OWASP's page on CSV injection.
    """
    return rows.with_columns(cs.string().str.replace(r"^([=+\-@\t\r])", "'$1"))
