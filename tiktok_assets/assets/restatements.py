"""Curated/restatements and curated/settling: which numbers later exports changed, and from which age they are final.

One read of an account's exports makes both. No return type: Dagster's own for a multi-asset is an iterator of outputs.
"""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import table_output
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.curated.quality.restatements import (
    LOOK_BACK,
    SETTLING,
)
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.making import COMPARED, compared
from tiktok_assets.reports.alignment import DAILY
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import by_partition, markdown_table, record
from tiktok_assets.storage.parquet import windowed_input
from tiktok_assets.storage.raw import raw_rows

_RESTATED, _FINAL = (dg.AssetKey(table.key.split("/")) for table in COMPARED)
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
    @reports_failures
    def compared_exports(
        context: dg.AssetExecutionContext, alignment: pl.DataFrame
    ) -> Iterator[dg.Output[pl.DataFrame]]:
        partitions = run_partitions(context)
        since = partitions.extended(before=LOOK_BACK).first_day
        raw = {report.name: raw_rows(lake, report.name, partitions.accounts, since) for report in DAILY}
        moved, final_ages = compared(raw, alignment, partitions)
        days = by_partition(moved, partitions, days_restated=pl.col("date").n_unique())
        record(context, partitions, days, {"what_moved": _newest(moved)}, asset_key=_RESTATED)
        yield dg.Output(moved, output_name="curated__restatements")
        metrics = by_partition(final_ages, partitions, metrics_with_evidence=pl.col("has_evidence").sum())
        record(context, partitions, metrics, {"newest_month": _newest_month(final_ages)}, asset_key=_FINAL)
        yield dg.Output(final_ages, output_name="curated__settling")

    return compared_exports


def _newest(moved: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """The newest days whose numbers later exports changed."""
    shown = moved.with_columns(pl.col("old_export_id", "new_export_id").str.head(8), _days("old"), _days("new"))
    return dg.MetadataValue.md(markdown_table(shown.sort("date", descending=True).head(_SHOWN)))


def _days(which: str) -> pl.Expr:
    return pl.col(f"{which}_age_days").round(1)


def _newest_month(final_ages: pl.DataFrame) -> dg.MarkdownMetadataValue:
    """From which age the metrics of each account are final, by its newest month."""
    newest = final_ages.filter(pl.col("date") == pl.col("date").max().over("account")).drop("date")
    return dg.MetadataValue.md(
        markdown_table(newest.with_columns(pl.col("last_change_age_days").round(1)).head(_SHOWN))
    )
