"""Any table as of a moment: recomputed in memory, by the assets' own functions, from the exports known then.

Belongs here: computing each table from the tables upstream of it. Does not belong here: the computations themselves,
printing. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb
import polars as pl

from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.curated.registry import TABLES, key_of
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.inbox.receipts import receipts
from tiktok_assets.label.songs import Song, load_songs
from tiktok_assets.making import COMPARED, compared, parameters_of, rows_to_store, staged_rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.alignment import DAILY
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.vintages.known_exports import KnownExports


class NotAMoment(ValueError):
    """The text is neither a date nor a timestamp. The message shows the valid forms."""


def moment_of(text: str) -> dt.datetime:
    """A moment in UTC: "2026-03-20" is the end of that day, "2026-03-20T14:00" (also with an offset) the moment itself.

    Raises NotAMoment.
    """
    try:
        moment = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NotAMoment(
            f"{text!r} is neither a date nor a timestamp. Write 2026-03-20 for the end of that day (UTC), or "
            "2026-03-20T14:00 (UTC unless an offset follows, for example +01:00)."
        ) from error
    if len(text.strip()) <= len("2026-03-20"):
        return dt.datetime.combine(moment.date(), dt.time.max, dt.UTC)
    return moment.astimezone(dt.UTC) if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def as_of(
    settings: Settings, moment: dt.datetime, table: str = "social_media_stats", accounts: Iterable[str] | None = None
) -> pl.DataFrame:
    """The rows of ``table`` as of ``moment`` (aware): computed from the exports downloaded until then.

    ``table``: a key of ``TABLES``, for example "staging/overview"; "warehouse/" may be omitted. ``accounts``: keys of
    accounts.toml; all accounts in use by default. ``loaded_at`` is ``moment``. Raises UnknownTable.
    """
    key = key_of(table)
    all_accounts = load_roster(settings).partition_keys()
    chosen = all_accounts if accounts is None else [account for account in all_accounts if account in set(accounts)]
    if not chosen:
        return TABLES[key].schema.empty()
    lake = HistoricalLake(Lake(settings), tuple(chosen), moment)
    if TABLES[key].needs_all_accounts:
        lake = HistoricalLake(Lake(settings), tuple(all_accounts), moment)
    return lake.rows(key).filter(pl.col("account").is_in(chosen))


def why_empty(
    settings: Settings, moment: dt.datetime, table: str = "social_media_stats", accounts: Iterable[str] | None = None
) -> str:
    """Why ``as_of`` has no rows, and what to do, as a sentence."""
    chosen = list(load_roster(settings) if accounts is None else accounts)
    known = sorted(one.downloaded_at for account in chosen for one in receipts(Lake(settings), account))
    whose = f"of {', '.join(chosen)} " if accounts else ""
    if not known:
        return f"No export {whose}is stored. Drop exports into {settings.landing}, then run `tiktok-assets process`."
    if known[0] > moment:
        return (
            f"Nothing was known then: the first export {whose}was downloaded at {known[0]:%Y-%m-%d %H:%M} UTC. Give a "
            "moment after it."
        )
    return f"The exports {whose}downloaded until then hold no rows of {table}."


@dataclass(frozen=True)
class HistoricalLake(KnownExports):
    """Every table of ``accounts`` as known at ``moment``, computed on first use."""

    _made: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def rows(self, key: str) -> pl.DataFrame:
        """The table of an asset key, for every month that had a partition."""
        if key not in self._made:
            self._made.update(self._make(key))
        return self._made[key]

    @functools.cached_property
    def _partitions(self) -> PartitionRange:
        """The partitions at that moment: every month from the configured start date."""
        last = min(self.moment, dt.datetime.now(dt.UTC)).date()
        months = pl.date_range(self.lake.settings.start_date, last, "1mo", eager=True)
        return PartitionRange(self.accounts, tuple(months))

    @functools.cached_property
    def _roster(self) -> Roster:
        return load_roster(self.lake.settings)

    @functools.cached_property
    def _songs(self) -> tuple[Song, ...]:
        return load_songs(self.lake.settings)

    def _make(self, key: str) -> dict[str, pl.DataFrame]:
        """The table of ``key``, and those that are computed together with it."""
        table = TABLES[key]
        if not self._partitions.months:
            return {key: table.schema.empty()}
        if table in COMPARED:
            raw = {report.name: self.raw(report.name) for report in DAILY}
            found = compared(raw, self.alignment, self._partitions)
            return {one.key: rows for one, rows in zip(COMPARED, found, strict=True)}
        if key == "staging/alignment":
            return {key: self._partitions.within(self.alignment)}
        if table.layer == "staging":
            return {key: self._staged(table.name)}
        settings = self.lake.settings
        parameters = parameters_of(table, settings, self._roster, self._songs, self._partitions, self.moment)
        rows = table.rows({name: self._read(source) for name, source in table.inputs.items()}, parameters)
        rows = rows.lazy().collect()
        return {key: _as_stored(table, rows_to_store(table, rows, self._partitions))}

    def _staged(self, name: str) -> pl.DataFrame:
        (report,) = (report for report in REPORTS if report.name == name)
        alignment = self.rows("staging/alignment") if report in DAILY else None
        rows, _ = staged_rows(report, self.raw(name), self._partitions, alignment)
        return rows.lazy().collect()

    def _read(self, source: Input) -> pl.DataFrame | pl.LazyFrame:
        layer, _, report = source.key.partition("/")
        return self.raw(report) if layer == "raw" else self.rows(source.key).select(source.columns or pl.all())


def _as_stored(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """With the columns that the warehouse computes when it stores a table."""
    if not table.over_all_months:
        return rows
    columns = ", ".join(f'{expression} as "{name}"' for name, expression in table.over_all_months.items())
    numbered = rows.with_row_index("_row").drop(table.over_all_months)
    with duckdb.connect() as connection:
        connection.register("_rows", numbered.to_arrow())
        added = pl.DataFrame(connection.sql(f"select _row, {columns} from _rows").to_arrow_table())
    return numbered.join(added, on="_row", maintain_order="left").select(rows.columns)
