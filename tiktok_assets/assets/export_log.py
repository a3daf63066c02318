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
from tiktok_assets.curated.coverage.export_log import EXPORTS
from tiktok_assets.curated.registry import TABLES, WAREHOUSE
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.inbox.receipts import note_loaded
from tiktok_assets.making import made_with, parameters_of, rows_to_store
from tiktok_assets.partitions import MORE_TAG
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.manifest import note_made
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
        if _is_whole(context):
            note_made(lake, stored.session(context.log.info), partitions, made_with(lake.settings, roster, songs))
        # Only now, with every table stored, is an export loaded: a crash before this line makes the sensor start over.
        for account in partitions.accounts:
            note_loaded(
                lake, account, partitions, context.run.run_id, _started_at(context.instance, context.run.run_id)
            )
        if stored.warehouse.seconds_since_published() > lake.settings.publish_interval or not _more_to_come(context):
            publish(lake, roster, stored.session(context.log.info))
        stored.needs_no_publishing()  # or the next run will do it

    return exports


def _is_whole(context: dg.AssetExecutionContext) -> bool:
    """Whether the run makes every table, so that it answers for all of them."""
    tables = {dg.AssetKey(key.split("/")) for key in TABLES}
    steps = context.run.step_keys_to_execute  # fewer where a failed run continues
    is_complete = steps is None or len(steps) >= len(context.job_def.nodes)
    return is_complete and tables <= context.job_def.asset_layer.selected_asset_keys


def _more_to_come(context: dg.AssetExecutionContext) -> bool:
    """Whether another run is under way or waits, which will publish what this one stored."""
    if MORE_TAG in context.run.tags:
        return True
    if context.run.job_name != "process_exports":  # a manual run may not publish
        return False
    under_way = dg.RunsFilter(job_name=context.run.job_name, statuses=list(NOT_ENDED))
    runs = context.instance.get_runs(under_way, limit=2)
    return any(run.run_id != context.run.run_id for run in runs)


def _started_at(instance: dg.DagsterInstance, run_id: str) -> dt.datetime:
    """When a run started, in UTC; the beginning of time where that is not known."""
    record = instance.get_run_record_by_id(run_id)
    return dt.datetime.fromtimestamp((record.start_time if record else None) or 0, dt.UTC)
