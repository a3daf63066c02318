"""Warehouse/exports, the last asset of a run: with every table stored, it closes the receipts of their exports."""

import datetime as dt
from collections.abc import Iterator, Sequence

import dagster as dg
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import column_lineage, table_asset
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.assets.publishing import publish
from tiktok_assets.assets.runs import LOADING_JOBS, makes_all, run_of_lake, selects
from tiktok_assets.curated.coverage.export_log import EXPORTS
from tiktok_assets.curated.registry import WAREHOUSE
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.failures import WarehouseOvertaken
from tiktok_assets.inbox.receipts import note_loaded
from tiktok_assets.making import made_with, parameters_of, rows_to_store
from tiktok_assets.partitions import MORE_TAG
from tiktok_assets.settings import TOGETHER
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.manifest import LAKE_TABLES, note_files_made, note_rows_made
from tiktok_assets.storage.metadata import by_partition, record
from tiktok_assets.storage.run_locks import NOT_ENDED


def build_export_log(
    lake: Lake, roster: Roster, songs: Sequence[Song], partitions_def: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    @table_asset(
        EXPORTS,
        partitions_def,
        ins={name: dg.AssetIn(one.key.split("/"), input_manager_key="raw") for name, one in EXPORTS.inputs.items()},
        deps=[dg.AssetKey(table.key.split("/")) for table in WAREHOUSE if table is not EXPORTS],
        metadata=column_lineage(EXPORTS),
        required_resource_keys={"warehouse"},
    )
    @reports_failures
    def exports(context: dg.AssetExecutionContext, **raw: pl.LazyFrame) -> Iterator[dg.Output[pl.DataFrame]]:
        partitions = run_partitions(context)
        parameters = parameters_of(EXPORTS, lake.settings, roster, songs, partitions, dt.datetime.now(dt.UTC))
        loaded = rows_to_store(EXPORTS, EXPORTS.rows(raw, parameters), partitions)
        record(
            context, partitions, by_partition(loaded, partitions, "month", exports=pl.col("export_id").n_unique()), {}
        )
        yield dg.Output(loaded)
        stored = context.resources.warehouse
        stored.require_locks()
        session, today = stored.session(context.log.info), made_with(lake.settings, roster, songs)
        with together():
            if makes_all(context, LAKE_TABLES):
                note_files_made(lake, partitions, today)
            if makes_all(context, WAREHOUSE):
                note_rows_made(lake, session, partitions, today)
            # Only now, with every table stored, is an export loaded: a crash before this makes the sensor start over.
            # Where loading is apart, a run that does not make the lake loads what others have made.
            makes_lake = lake.settings.loading == TOGETHER or selects(context, LAKE_TABLES)
            run = run_of_lake(context) if makes_lake else None
            for account in partitions.accounts:
                note_loaded(lake, account, partitions, run, stored.warehouse.copy_name())
        if stored.warehouse.seconds_since_published() > lake.settings.publish_interval or not _more_to_come(context):
            try:
                publish(lake, roster, session)
            except WarehouseOvertaken:
                stored.needs_no_publishing()  # it cannot be: the next run starts over
                raise
        stored.needs_no_publishing()  # or the next run will do it

    return exports


def _more_to_come(context: dg.AssetExecutionContext) -> bool:
    """Whether another run is under way or waits, which will publish what this one stored."""
    if MORE_TAG in context.run.tags:
        return True
    if context.run.job_name not in LOADING_JOBS:  # a manual run may not publish
        return False
    under_way = dg.RunsFilter(job_name=context.run.job_name, statuses=list(NOT_ENDED))
    runs = context.instance.get_runs(under_way, limit=2)
    return any(run.run_id != context.run.run_id for run in runs)
