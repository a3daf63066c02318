"""All accounts' days in one file, for those who work with a spreadsheet or another program.

Belongs here: which rows, and the three forms a file has. Does not belong here: sums of accounts. A day's totals over
accounts among the days of accounts would be counted twice by every sum over the file; weeks, months and ranks have
tables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from tiktok_assets.accounts import load_roster
from tiktok_assets.queries.published import read_table
from tiktok_assets.settings import Settings, load_settings
from tiktok_assets.storage.atomic import replacing

if TYPE_CHECKING:
    from xlsxwriter import Workbook

MOST_ROWS_OF_A_SHEET = 1_048_575
"""Below the header; Excel's limit."""


class CannotAggregate(ValueError):
    """What was asked for does not exist or cannot be written. The message names the valid values."""


def aggregate_accounts(
    accounts: Iterable[str] | None, output_path: str | os.PathLike[str], *, settings: Settings | None = None
) -> pl.DataFrame:
    """Write the days of ``accounts`` (keys or handles; None is all) into one file, and return them.

    One row is an account's day, with the columns of ``social_media_stats`` in the published warehouse, sorted by
    account and date; there are no rows of totals. The suffix of ``output_path`` decides: ``.csv``, ``.parquet`` or
    ``.xlsx``. Unknown stays null: an empty cell in CSV and XLSX, where lists are joined by "; " as well. The file is
    replaced whole or not at all; its folder is made if missing.

    Raises CannotAggregate for an account or suffix that is unknown, NoWarehouse where nothing was processed yet.
    """
    settings = settings or load_settings()
    target = Path(output_path)
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise CannotAggregate(
            f"{target}: {target.suffix or 'a name without suffix'} is no form this can be written in. "
            f"There are: {', '.join(_WRITERS)}."
        )
    rows = read_table(settings, "social_media_stats").sort("account", "date")
    if accounts is not None:
        named = [accounts] if isinstance(accounts, str) else list(accounts)
        rows = rows.filter(pl.col("account").is_in(_keys(named, settings, rows["account"].unique().sort().to_list())))
    with replacing(target) as scratch:
        write(rows, scratch)
    return rows


def _keys(named: Sequence[str], settings: Settings, held: Sequence[str]) -> list[str]:
    """The keys behind names: accounts in use, by key or handle, and those the warehouse still holds."""
    roster = load_roster(settings)
    resolved = {name: roster.resolve(name) for name in named}
    keys = {name: account.key if account else name for name, account in resolved.items()}
    if unknown := [name for name, key in keys.items() if resolved[name] is None and key not in held]:
        known = ", ".join(dict.fromkeys([*roster, *held])) or "none"
        raise CannotAggregate(f"No account is called {', '.join(unknown)}. There are: {known}.")
    if not keys:
        raise CannotAggregate(
            f"No account was named. There are: {', '.join(roster) or 'none'}; None means all of them."
        )
    return list(keys.values())


def _write_csv(rows: pl.DataFrame, path: Path) -> None:
    _flat(rows).write_csv(path)


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    rows.write_parquet(path)


def _write_xlsx(rows: pl.DataFrame, path: Path) -> None:
    if rows.height > MOST_ROWS_OF_A_SHEET:
        raise CannotAggregate(
            f"{path.name}: {rows.height:,} rows do not fit into a sheet, which holds {MOST_ROWS_OF_A_SHEET:,}. "
            "Name fewer accounts, or write .csv or .parquet."
        )
    from xlsxwriter import Workbook

    # Text stays text: nothing in it becomes a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with Workbook(path, options) as workbook:
        _sheet(workbook, _flat(rows))


def _sheet(workbook: Workbook, rows: pl.DataFrame) -> None:
    rows.write_excel(workbook, "social_media_stats", autofit=True, freeze_panes=(1, 0))


def _flat(rows: pl.DataFrame) -> pl.DataFrame:
    """Lists as text; a list that is empty is an empty text, one that is unknown is null."""
    return rows.with_columns(cs.list().list.join("; "))


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_xlsx,
}
