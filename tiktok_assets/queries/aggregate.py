"""All accounts' days in one file, for those who work with a spreadsheet or another program.

Belongs here: which rows, and the three file formats. Does not belong here: totals over accounts. Every sum over the
file would count such rows twice; weeks, months and ranks have tables of their own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from tiktok_assets.accounts import load_roster
from tiktok_assets.queries.spreadsheet import as_text
from tiktok_assets.settings import Settings, load_settings
from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.published import read_table

if TYPE_CHECKING:
    from xlsxwriter import Workbook

MOST_ROWS_OF_A_SHEET = 1_048_575
"""Below the header; Excel's limit."""


class CannotAggregate(ValueError):
    """What was requested does not exist or cannot be written. The message lists the valid values."""


def aggregate_accounts(
    accounts: Iterable[str] | None, output_path: str | os.PathLike[str], *, settings: Settings | None = None
) -> pl.DataFrame:
    """Write the days of ``accounts`` (keys or handles; None is all) into one file, and return them.

    One row is an account's day, with the columns of ``social_media_stats`` in the published warehouse, sorted by
    account and date; there are no rows of totals. The suffix of ``output_path`` decides: ``.csv``, ``.parquet`` or
    ``.xlsx``. Unknown stays null: an empty cell in CSV and XLSX, where lists are joined by "; " as well. The file is
    replaced atomically; its folder is created if missing.

    Raises CannotAggregate for an account or suffix that is unknown, NoWarehouse if nothing was processed yet.
    """
    settings = settings or load_settings()
    target = Path(output_path)
    write = _WRITERS.get(target.suffix.lower())
    if write is None:
        raise CannotAggregate(
            f"{target}: {target.suffix or 'a name without suffix'} is not a supported format. "
            f"Supported: {', '.join(_WRITERS)}."
        )
    rows = read_table(settings, "social_media_stats").sort("account", "date")
    if accounts is not None:
        named = [accounts] if isinstance(accounts, str) else list(accounts)
        rows = rows.filter(pl.col("account").is_in(_keys(named, settings, rows["account"].unique().sort().to_list())))
    with replacing(target) as scratch:
        write(rows, scratch)
    return rows


def _keys(named: Sequence[str], settings: Settings, held: Sequence[str]) -> list[str]:
    """The keys of the named accounts: those in use, by key or handle, and those the warehouse still holds."""
    roster = load_roster(settings)
    resolved = {name: roster.resolve(name) for name in named}
    keys = {name: account.key if account else name for name, account in resolved.items()}
    if unknown := [name for name, key in keys.items() if resolved[name] is None and key not in held]:
        known = ", ".join(dict.fromkeys([*roster, *held])) or "none"
        raise CannotAggregate(f"No account is called {', '.join(unknown)}. There are: {known}.")
    if not keys:
        raise CannotAggregate(f"No account was named. There are: {', '.join(roster) or 'none'}; None selects all.")
    return list(keys.values())


def _write_csv(rows: pl.DataFrame, path: Path) -> None:
    as_text(_flat(rows)).write_csv(path)


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    rows.write_parquet(path)


def _write_xlsx(rows: pl.DataFrame, path: Path) -> None:
    if rows.height > MOST_ROWS_OF_A_SHEET:
        raise CannotAggregate(
            f"{path.name}: {rows.height:,} rows do not fit into a sheet, whose limit is {MOST_ROWS_OF_A_SHEET:,}. "
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
    """Lists as text; an empty list is an empty text, an unknown one is null."""
    return rows.with_columns(cs.list().list.join("; "))


_WRITERS: dict[str, Callable[[pl.DataFrame, Path], None]] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".xlsx": _write_xlsx,
}
