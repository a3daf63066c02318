"""Any table as it would have been with the exports known at a moment: the assets themselves, asked in memory.

Belongs here: which raw rows were known, and asking each asset with what the assets before it gave. Does not belong
here: any step of theirs, printing. Nothing is written: of the assets that touch the lake themselves (files, receipts)
only the pure function in them is asked.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import duckdb
import pandera.polars as pa
import polars as pl

from tiktok_assets.accounts import load_roster
from tiktok_assets.assets.coverage import COVERED
from tiktok_assets.assets.curated import CURATED, STAGED
from tiktok_assets.assets.restatements import COMPARED, compared
from tiktok_assets.assets.warehouse import DAYS, WAREHOUSE
from tiktok_assets.curated import warehouse
from tiktok_assets.curated.coverage.coverage import COUNTED, all_told_days, coverage
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import Slice, partition_key
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.alignment import DAILY, Alignment
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import EVERYONE, OVER_ALL_MONTHS
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.parquet import COLUMNS
from tiktok_assets.vintages.known_exports import KnownExports

_WAREHOUSE = "warehouse/"
TABLES: dict[str, type[pa.DataFrameModel]] = {
    "staging/alignment": Alignment,
    **STAGED,
    **COVERED,
    **COMPARED,
    **CURATED,
    **{f"{_WAREHOUSE}{name}": schema for name, schema in WAREHOUSE.items()},
}
"""What can be asked for, by asset key; those of the warehouse also by their name alone."""


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
        return TABLES[key].empty()
    known = Known(Lake(settings), tuple(chosen), moment)
    if known.looks_at_everyone(key):
        known = Known(Lake(settings), tuple(everyone), moment)
    return known.rows(key).filter(pl.col("account").is_in(chosen))


def key_of(table: str) -> str:
    """The asset key of ``table``. Raises UnknownTable."""
    key = table if table in TABLES else f"{_WAREHOUSE}{table}"
    if key not in TABLES:
        names = ", ".join(name.removeprefix(_WAREHOUSE) for name in reversed(TABLES))
        raise UnknownTable(f"There is no table {table}. There are: {names}.")
    return key


@dataclass(frozen=True)
class Known(KnownExports):
    """Every table as it could be known of ``accounts`` at ``moment``, made when it is first asked for."""

    _made: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    def rows(self, key: str) -> pl.DataFrame:
        """The table of an asset key, for every month there was a partition of."""
        if key not in self._made:
            self._made.update(self._make(key))
        return self._made[key]

    def looks_at_everyone(self, key: str) -> bool:
        """Whether the rows of an account depend on those of others."""
        return EVERYONE in self._metadata(key)

    @functools.cached_property
    def _part(self) -> Slice:
        """The partitions there were: of every month from the first one kept on."""
        last = min(self.moment, dt.datetime.now(dt.UTC)).date()
        months = pl.date_range(self.lake.settings.start_date, last, "1mo", eager=True)
        return Slice(self.accounts, tuple(months))

    @functools.cached_property
    def _assets(self) -> dict[str, dg.AssetsDefinition]:
        """Those of these accounts alone: with a thousand of them, partitions alone take seconds."""
        definitions = build_definitions(self.lake.settings.model_copy(update={"accounts": self.accounts}))
        assets = [one for one in definitions.assets or () if isinstance(one, dg.AssetsDefinition)]
        return {key.to_user_string(): one for one in assets for key in one.keys}

    def _metadata(self, key: str) -> Mapping[str, Any]:
        return self._assets[key].metadata_by_key[dg.AssetKey(key.split("/"))]

    def _make(self, key: str) -> dict[str, pl.DataFrame]:
        """The table of ``key``, and those that are made in one go with it."""
        if not self._part.months:
            return {key: TABLES[key].empty()}
        if key in COMPARED:
            raw = {report.name: self.raw(report.name) for report in DAILY}
            return dict(zip(COMPARED, compared(raw, self.alignment, self._part), strict=True))
        if key in COVERED:
            return {key: coverage(all_told_days({report: self.rows(f"staging/{report}") for report in COUNTED}))}
        if key == "staging/alignment":
            return {key: self._part.within(self.alignment)}
        if key == f"{_WAREHOUSE}exports":
            log = warehouse.exports({report.name: self.raw(report.name) for report in REPORTS}, self.moment)
            return {key: self._part.within(log, DAYS["exports"]).sort("month", "report", "downloaded_at", "export_id")}
        return {key: self._as_stored(self._asked(key), self._metadata(key).get(OVER_ALL_MONTHS, {}))}

    def _asked(self, key: str) -> pl.DataFrame:
        """What the asset answers to the tables it is made of."""
        asset, inputs = self._assets[key], {}
        for name, source in asset.keys_by_input_name.items():
            wanted = asset.node_def.input_def_named(name)
            if wanted.dagster_type.is_nothing:  # an order of steps, no table
                continue
            layer, report = source.path
            if layer == "raw":
                inputs[name] = self.raw(report)
            else:
                inputs[name] = self.rows(source.to_user_string()).select(wanted.metadata.get(COLUMNS) or pl.all())
        ends = [partition_key(self.accounts[end], self._part.months[end]) for end in (0, -1)]
        context = dg.build_asset_context(partition_key_range=dg.PartitionKeyRange(*ends))
        answer = asset(context, **inputs)
        if not isinstance(answer, dg.MaterializeResult):
            raise TypeError(f"{key} answers with {type(answer).__name__}, no table: it needs a line in Known._make.")
        return answer.value

    def _as_stored(self, rows: pl.DataFrame, over_all_months: Mapping[str, str]) -> pl.DataFrame:
        """With what the warehouse adds where it stores a table."""
        if over_all_months:
            columns = ", ".join(f'{expression} as "{name}"' for name, expression in over_all_months.items())
            numbered = rows.with_row_index("_row").drop(over_all_months)
            with duckdb.connect() as connection:
                connection.register("_rows", numbered.to_arrow())
                added = pl.DataFrame(connection.sql(f"select _row, {columns} from _rows").to_arrow_table())
            rows = numbered.join(added, on="_row", maintain_order="left").select(rows.columns)
        return rows.with_columns(loaded_at=pl.lit(self.moment)) if "loaded_at" in rows.columns else rows
