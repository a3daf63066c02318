"""Curated/restatements and curated/settling: what later exports told differently, and at which age that stops.

One read of an account's exports makes both. No return type: Dagster's own for a multi-asset is an iterator of outputs.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
import polars as pl

from tiktok_assets.assets.declared import table_output
from tiktok_assets.assets.staging import typed_rows
from tiktok_assets.curated.quality.restatements import (
    LOOK_BACK,
    RESTATEMENTS,
    SETTLING,
    Restatements,
    Settling,
    restatements,
    settling,
)
from tiktok_assets.partitions import Slice, slice_of
from tiktok_assets.reports.alignment import DAILY, aligned
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import by_partition, markdown_table, record
from tiktok_assets.storage.parquet import raw_rows, windowed_input
from tiktok_assets.tables import downstream_days

COMPARED = (RESTATEMENTS, SETTLING)
"""The tables that ``compared`` makes, in its order."""
_MOVED, _SETTLED = (dg.AssetKey(table.key.split("/")) for table in COMPARED)
_DOWNSTREAM = downstream_days(SETTLING.key)
_SHOWN = 20


def build_restatements_asset(lake: Lake, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="curated__restatements",
        ins={"alignment": windowed_input(["staging", "alignment"], before=LOOK_BACK, after=_DOWNSTREAM)},
        deps=[dg.AssetKey(["raw", report.name]) for report in DAILY],
        outs={table.key.replace("/", "__"): table_output(table) for table in COMPARED},
        group_name="curated",
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def compared_exports(
        context: dg.AssetExecutionContext, alignment: pl.DataFrame
    ) -> Iterator[dg.Output[pl.DataFrame]]:
        part = slice_of(context.partition_keys)
        since = part.wider(before=LOOK_BACK).first_day
        raw = {report.name: raw_rows(lake, report.name, part.accounts, since) for report in DAILY}
        moved, settled = compared(raw, alignment, part)
        days = by_partition(moved, part, days_restated=pl.col("date").n_unique())
        record(context, part, days, {"what_moved": _newest(moved)}, asset_key=_MOVED)
        yield dg.Output(moved, output_name="curated__restatements")
        metrics = by_partition(settled, part, metrics_with_evidence=pl.col("has_evidence").sum())
        record(context, part, metrics, {"newest_month": _newest_month(settled)}, asset_key=_SETTLED)
        yield dg.Output(settled, output_name="curated__settling")

    return compared_exports


def compared(
    raw: Mapping[str, pl.LazyFrame], alignment: pl.DataFrame, part: Slice
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of ``Restatements`` for ``part``, and of ``Settling`` also for the later months that look back at it.

    ``raw`` (by report) and ``alignment`` hold at least every export that speaks of these months or of the ``LOOK_BACK``
    days before, and ``raw`` all of its rows.
    """
    months = part.wider(after=_DOWNSTREAM).months
    moved: list[pl.DataFrame] = [Restatements.empty()]
    settled: list[pl.DataFrame] = [Settling.empty()]
    for report in DAILY:
        rows = aligned(typed_rows(report, raw[report.name]), alignment, report.name)
        moved.append(restatements(report, part.within(rows)))
        settled.append(settling(report, _timed(rows, raw[report.name]), months))
    return pl.concat(moved), pl.concat(settled)


def _timed(typed: pl.DataFrame, raw: pl.LazyFrame) -> pl.DataFrame:
    """The rows of exports that carry the time of their download; a file's own time may be that of a copy."""
    guessed = raw.filter(pl.col("downloaded_at_evidence") == "file_time").select("export_id").unique().collect()
    return typed.join(guessed, on="export_id", how="anti")


def _newest(moved: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """The newest days that later exports told differently."""
    shown = moved.with_columns(pl.col("old_export_id", "new_export_id").str.head(8), _days("old"), _days("new"))
    return dg.MetadataValue.md(markdown_table(shown.sort("date", descending=True).head(_SHOWN)))


def _days(which: str) -> pl.Expr:
    return pl.col(f"{which}_age_days").round(1)


def _newest_month(settled: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """At which age the metrics of each account stop changing, as its newest month says."""
    newest = settled.filter(pl.col("date") == pl.col("date").max().over("account")).drop("date")
    return dg.MetadataValue.md(
        markdown_table(newest.with_columns(pl.col("last_change_age_days").round(1)).head(_SHOWN))
    )
