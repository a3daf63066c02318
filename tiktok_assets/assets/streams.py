"""Streams of songs: files in landing/streams, their rows in raw and staging, and warehouse/song_streams.

Partitioned by month alone: no account owns a stream. One step makes all three layers, so that they agree.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import dagster as dg
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import column_lineage
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.assets.publishing import publish
from tiktok_assets.checks.streams import schema_check, stream_check_specs, stream_checks
from tiktok_assets.curated.table import Table
from tiktok_assets.exports.months import month_of
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.failures import PermanentFailure
from tiktok_assets.inbox.streams import lost_files, new_files
from tiktok_assets.label.songs import load_songs
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import OWNERS, ROWS, column_schema, part_of_list
from tiktok_assets.storage.partition_metadata import set_partition_metadata
from tiktok_assets.storage.run_locks import RUN_LIFE
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.streams import (
    STREAMS_LOCK,
    made_of_today,
    note,
    raw_rows_of,
    stored_file,
    stored_rows,
    write_months,
    write_raw,
)
from tiktok_assets.streams.latest import latest_rows, typed_files
from tiktok_assets.streams.reading import RAW_MEANINGS, RAW_ROWS, STREAMS_READER
from tiktok_assets.streams.songs import song_streams, with_songs
from tiktok_assets.streams.tables import SONG_STREAMS, STREAM_TABLES, STREAMS

_KEYS = {layer: dg.AssetKey([layer, "streams"]) for layer in ("landing", "raw", "staging")} | {
    "warehouse": dg.AssetKey(SONG_STREAMS.key.split("/"))
}
_DESCRIPTION_OF_RAW = "The rows of each dropped file as text, with provenance: one immutable file per dropped file."
MADE = [_KEYS[layer] for layer in ("raw", "staging", "warehouse")]
"""The assets of a run, in the order in which they are made."""


def landed_streams() -> dg.AssetSpec:
    """The files as people drop them; no run makes them."""
    return dg.AssetSpec(
        _KEYS["landing"],
        group_name="landing",
        description="Files of streams, dropped by people: date, isrc or song, store, streams. They are no account's.",
        kinds={"csv"},
        owners=OWNERS,
    )


def build_streams_assets(
    lake: Lake, roster: Roster, warehouse: Warehouse, partitions_def: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="streams",
        specs=[_spec(lake, layer, partitions_def) for layer in ("raw", "staging", "warehouse")],
        check_specs=stream_check_specs(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={RUN_LIFE},
    )
    @reports_failures
    def streams(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        songs, holder = load_songs(lake.settings), f"run {context.run.run_id[:8]}"
        with locks_of(lake.settings, holder).hold(STREAMS_LOCK, say=context.log.info) as held:
            months = _months_to_make(context, lake)
            made = {month: one for month, one in made_of_today(lake, songs).items() if month in months}
            rows = _of_months(typed_files(raw_rows_of(lake, months)), months)
            yield _materialized(context, "raw", rows)
            staged = latest_rows(rows)
            yield (kept := schema_check(staged))
            if not kept.passed:
                raise PermanentFailure(f"{STREAMS.key} breaks its schema, which is a bug: {kept.description}")
            held.require()
            write_months(lake, staged, months)
            yield _materialized(context, "staging", staged)
            matched = with_songs(staged, songs)
            published = song_streams(matched)
            with warehouse.session(holder=holder, say=context.log.info) as session:
                held.require()
                loaded_at = pl.lit(dt.datetime.now(dt.UTC))
                session.replace_months(SONG_STREAMS.name, "date", published.with_columns(loaded_at=loaded_at), months)
                hashes = stored_rows(session)
                stored = {month: (stored_file(lake, month), hashes.get(month, "")) for month in made}
                note(
                    lake, {month: replace(made[month], file=file, rows=rows) for month, (file, rows) in stored.items()}
                )
                publish(lake, roster, session)
            yield _materialized(context, "warehouse", published)
            yield from stream_checks(rows, matched)

    return streams


def _months_to_make(context: dg.AssetExecutionContext, lake: Lake) -> list[dt.date]:
    """The months of the run, with their new files in raw; without those of which raw lacks a file."""
    asked = run_partitions(context).months
    for file in new_files(lake):
        if isinstance(file, ExportProblem):
            context.log.warning(f"left out: {file}")
        elif set(file.months) & set(asked):
            write_raw(lake, file)
            (source,) = file.rows["source"].unique()
            facts = {"source": source, "export_id": file.export_id, "warnings": part_of_list(list(file.warnings))}
            context.log_event(dg.AssetMaterialization(_KEYS["landing"], metadata=facts))
    lost = lost_files(lake)
    for month in sorted(set(asked) & lost.keys()):
        context.log.warning(f"{month:%Y-%m} stays as it is: raw lacks a file of it (`tiktok-assets verify`).")
    return [month for month in asked if month not in lost]


def _of_months(rows: pl.DataFrame, months: Sequence[dt.date]) -> pl.DataFrame:
    return rows.filter(month_of(pl.col("date")).is_in(months))


def _spec(lake: Lake, layer: str, partitions_def: dg.PartitionsDefinition) -> dg.AssetSpec:
    before = {"raw": "landing", "staging": "raw", "warehouse": "staging"}[layer]
    table = {"staging": STREAMS, "warehouse": SONG_STREAMS}.get(layer)
    return dg.AssetSpec(
        _KEYS[layer],
        deps=[_KEYS[before]],
        group_name=layer,
        description=table.description if table else _DESCRIPTION_OF_RAW,
        code_version=table.version if table else STREAMS_READER,
        partitions_def=partitions_def,
        kinds={"duckdb"} if layer == "warehouse" else {"polars", "parquet"},
        owners=OWNERS,
        metadata=_metadata(lake, layer, table),
    )


def _metadata(lake: Lake, layer: str, table: Table | None) -> dict[str, object]:
    columns = [dg.TableColumn(name, str(RAW_ROWS[name]), text) for name, text in RAW_MEANINGS.items()]
    schema = {"dagster/column_schema": column_schema(table.schema) if table else dg.TableSchema(columns)}
    if layer == "warehouse":
        return {
            **schema,
            "dagster/table_name": f"main.{SONG_STREAMS.name}",
            **column_lineage(SONG_STREAMS, STREAM_TABLES),
        }
    return {**schema, "dagster/uri": str(lake.settings.data_dir / layer / "streams")}


def _materialized(context: dg.AssetExecutionContext, layer: str, rows: pl.DataFrame) -> dg.MaterializeResult:
    """The event of each month of the run, with its number of rows."""
    key = _KEYS[layer]
    counts = dict(rows.group_by(month=month_of(pl.col("date"))).len().iter_rows())
    facts = {month: {ROWS: counts.get(dt.date.fromisoformat(month), 0)} for month in context.partition_keys}
    set_partition_metadata(context, key, facts)
    return dg.MaterializeResult(asset_key=key)
