"""All accounts' days in one file, for those who work with a spreadsheet or another program.

Does not belong here: totals over accounts. Every sum over the file would count such rows twice; weeks, months and ranks
have tables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from tiktok_assets.queries.formats import encode, format_of
from tiktok_assets.queries.tables import read
from tiktok_assets.settings import Settings
from tiktok_assets.storage.atomic import replacing

_TABLE = "social_media_stats"


def aggregate_accounts(
    accounts: Iterable[str] | None, output_path: str | os.PathLike[str], *, settings: Settings | None = None
) -> pl.DataFrame:
    """Write the days of ``accounts`` (keys or handles; None is all) into one file, and return them.

    One row is an account's day, with the columns of ``social_media_stats`` in the published warehouse, sorted by
    account and date; there are no rows of totals. The suffix of ``output_path`` decides: ``.csv``, ``.parquet`` or
    ``.xlsx``. Unknown stays null: an empty cell in CSV and XLSX, where lists are joined by "; " as well. The file is
    replaced atomically; its folder is created if missing.

    Raises CannotRead for an unknown account, CannotWrite for an unknown suffix, NoWarehouse if nothing was processed.
    """
    target = Path(output_path)
    format = format_of(target)
    rows = read(_TABLE, accounts=accounts, settings=settings)
    with replacing(target) as scratch, scratch.open("wb") as file:
        encode(rows, format, file, name=_TABLE)
    return rows
