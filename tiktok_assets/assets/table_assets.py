"""The assets of curated and the warehouse: one per ``Table``: it reads its window, calls ``make``, returns the rows.

A table that looks back reads earlier months of its inputs, and makes later months again that look back at the run's
(``downstream_days``): all months are right, in whatever order they are run. A run holds its accounts
(``storage.run_locks``); otherwise it could overwrite changes that another run made after it had read.

Does not belong here: tables whose step does more than that (``coverage``, ``restatements``, ``export_log``).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import column_lineage, table_asset
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.assets.pictures import chart_metadata
from tiktok_assets.checks.table import all_results
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.table import Table
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.making import parameters_of, rows_to_store
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import ALL_ACCOUNTS
from tiktok_assets.storage.metadata import record_days
from tiktok_assets.storage.parquet import windowed_input


def build_table_asset(
    table: Table, settings: Settings, roster: Roster, songs: Sequence[Song], partitions_def: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    @table_asset(table, partitions_def, ins=_inputs(table), metadata=column_lineage(table))
    @reports_failures
    def made(context: dg.AssetExecutionContext, **inputs: Any):  # with checks, no MaterializeResult[T]
        partitions = run_partitions(context)
        parameters = parameters_of(table, settings, roster, songs, partitions, dt.datetime.now(dt.UTC))
        rows = table.rows(inputs, parameters)
        stored = rows_to_store(table, rows, partitions)
        record_days(
            context, stored, partitions, _chart(table, rows, partitions), day=table.day, every_day=table.is_daily
        )
        return dg.MaterializeResult(
            value=stored, check_results=all_results(table, rows, stored, partitions, parameters)
        )

    return made


def _chart(table: Table, rows: Rows, partitions: PartitionRange) -> dict[str, dg.MetadataValue]:
    """The sketch of a curated table, up to the end of the run's months."""
    return (
        chart_metadata(table.name, rows.filter(pl.col("date") <= partitions.last_day))
        if table.layer == "curated"
        else {}
    )


def _inputs(table: Table) -> Mapping[str, dg.AssetIn]:
    after = downstream_days(table.key)
    more: dict[str, Any] = {ALL_ACCOUNTS: True} if table.needs_all_accounts else {}
    return {
        name: windowed_input(
            source.key.split("/"),
            before=source.look_back,
            after=after,
            columns=source.columns,
            may_be_long=source.may_be_long,
            manager="raw" if source.key.startswith("raw/") else None,
            **more,
        )
        for name, source in table.inputs.items()
    }
