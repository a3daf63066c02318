"""Any table as it would have been with the exports known at a moment: made by the assets' own functions, in memory.

Belongs here: which raw rows were known, and making each table out of those before it. Does not belong here: any step of
theirs, printing. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb
import polars as pl

from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.making import COMPARED, compared, parameters_of, rows_to_store, typed_rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.alignment import DAILY
from tiktok_assets.reports.report import latest_per_grain
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.tables import TABLES
from tiktok_assets.vintages.known_exports import KnownExports

_WAREHOUSE = "warehouse/"


class UnknownTable(ValueError):
    """There is no such table. The message names those there are."""


class NotAMoment(ValueError):
    """The text is no date and no timestamp. The message says what is."""


def moment_of(text: str) -> dt.datetime:
    """A moment in UTC: "2026-03-20" is the end of that day, "2026-03-20T14:00" (also with an offset) the moment itself.

    Raises NotAMoment.
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NotAMoment(
            f"{text!r} is no date and no timestamp. Write 2026-03-20 for the end of that day (UTC), or "
            "2026-03-20T14:00 (UTC unless an offset follows, as +01:00)."
        ) from error
    if len(text.strip()) <= len("2026-03-20"):
        return dt.datetime.combine(moment.date(), dt.time.max, dt.UTC)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def as_of(
    settings: Settings, moment: dt.datetime, table: str = "social_media_stats", accounts: Iterable[str] | None = None
) -> pl.DataFrame:
    """The rows of ``table`` as they would have been at ``moment`` (aware), with the exports downloaded until then.

    ``table``: a key of ``TABLES``, as "staging/overview"; "warehouse/" may be left out. ``accounts``: keys of
    accounts.toml; all accounts in use by default. ``loaded_at`` is ``moment``. Raises UnknownTable.
    """
    key = key_of(table)
    everyone = load_roster(settings).partition_keys()
    chosen = everyone if accounts is None else [account for account in everyone if account in set(accounts)]
    if not chosen:
        return TABLES[key].schema.empty()
    known = HistoricalLake(Lake(settings), tuple(chosen), moment)
    if TABLES[key].needs_all_accounts:
        known = HistoricalLake(Lake(settings), tuple(everyone), moment)
    return known.rows(key).filter(pl.col("account").is_in(chosen))


def key_of(table: str) -> str:
    """The asset key of ``table``. Raises UnknownTable."""
    key = table if table in TABLES else f"{_WAREHOUSE}{table}"
    if key not in TABLES:
        names = ", ".join(name.removeprefix(_WAREHOUSE) for name in reversed(TABLES))
        raise UnknownTable(f"There is no table {table}. There are: {names}.")
    return key


@dataclass(frozen=True)
class HistoricalLake(KnownExports):
    """Every table as it could be known of ``accounts`` at ``moment``, made when it is first asked for."""

    _made: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def rows(self, key: str) -> pl.DataFrame:
        """The table of an asset key, for every month there was a partition of."""
        if key not in self._made:
            self._made.update(self._make(key))
        return self._made[key]

    @functools.cached_property
    def _part(self) -> PartitionRange:
        """The partitions there were: of every month from the first one kept on."""
        last = min(self.moment, dt.datetime.now(dt.UTC)).date()
        months = pl.date_range(self.lake.settings.start_date, last, "1mo", eager=True)
        return PartitionRange(self.accounts, tuple(months))

    @functools.cached_property
    def _roster(self) -> Roster:
        return load_roster(self.lake.settings)

    def _make(self, key: str) -> dict[str, pl.DataFrame]:
        """The table of ``key``, and those that are made in one go with it."""
        made = TABLES[key]
        if not self._part.months:
            return {key: made.schema.empty()}
        if made in COMPARED:
            raw = {report.name: self.raw(report.name) for report in DAILY}
            found = compared(raw, self.alignment, self._part)
            return {one.key: rows for one, rows in zip(COMPARED, found, strict=True)}
        if key == "staging/alignment":
            return {key: self._part.within(self.alignment)}
        if made.layer == "staging":
            return {key: self._staged(made.name)}
        parameters = parameters_of(made, self.lake.settings, self._roster, self._part, self.moment)
        rows = made.rows({name: self._read(source) for name, source in made.inputs.items()}, parameters)
        return {key: _as_stored(made, rows_to_store(made, rows, self._part))}

    def _staged(self, name: str) -> pl.DataFrame:
        (report,) = (report for report in REPORTS if report.name == name)
        alignment = self.rows("staging/alignment") if report in DAILY else None
        return self._part.within(latest_per_grain(report, typed_rows(report, self.raw(name), alignment)))

    def _read(self, source: Input) -> pl.DataFrame | pl.LazyFrame:
        layer, _, report = source.key.partition("/")
        return self.raw(report) if layer == "raw" else self.rows(source.key).select(source.columns or pl.all())


def _as_stored(made: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """With what the warehouse adds where it stores a table."""
    if not made.over_all_months:
        return rows
    columns = ", ".join(f'{expression} as "{name}"' for name, expression in made.over_all_months.items())
    numbered = rows.with_row_index("_row").drop(made.over_all_months)
    with duckdb.connect() as connection:
        connection.register("_rows", numbered.to_arrow())
        added = pl.DataFrame(connection.sql(f"select _row, {columns} from _rows").to_arrow_table())
    return numbered.join(added, on="_row", maintain_order="left").select(rows.columns)
