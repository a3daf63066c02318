"""Warehouse: the tables people query, in DuckDB. The last one, ``exports``, closes a run: it closes the receipts."""

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pandera.polars as pa
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.curated import CURATED
from tiktok_assets.assets.metadata import OWNERS, column_lineage, column_schema, covered
from tiktok_assets.curated._tables import warehouse_rows
from tiktok_assets.curated.account_daily import DayMetrics, SocialMediaStats, with_handles
from tiktok_assets.curated.audience import AudienceInsights
from tiktok_assets.curated.export_log import Exports, export_log
from tiktok_assets.curated.videos import ContentPerformance
from tiktok_assets.partitions import slice_of
from tiktok_assets.receipts import close_receipts
from tiktok_assets.reports import REPORTS
from tiktok_assets.storage.lake import Lake

WAREHOUSE: dict[str, type[pa.DataFrameModel]] = {
    "social_media_stats": SocialMediaStats,
    "content_performance": ContentPerformance,
    "audience_insights": AudienceInsights,
    "exports": Exports,
}
# The column whose month is the partition.
DAYS = {
    "social_media_stats": "date",
    "content_performance": "captured_on",
    "audience_insights": "captured_on",
    "exports": "month",
}
# Names that change on the way from curated.
_RENAMED = {"captured_on": "date", "publish_date": "post_date"}


def build_warehouse_assets(
    lake: Lake, roster: Roster, partitions_def: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    handles = {key: account.handle for key, account in roster.items()}

    def table(name: str, **inputs: dg.AssetIn):
        return dg.asset(
            key=["warehouse", name],
            ins=inputs,
            deps=[dg.AssetKey(["warehouse", other]) for other in WAREHOUSE if name == "exports" and other != name],
            group_name="warehouse",
            description=WAREHOUSE[name].__doc__,
            code_version="2",
            partitions_def=partitions_def,
            backfill_policy=dg.BackfillPolicy.single_run(),
            kinds={"duckdb"},
            owners=OWNERS,
            io_manager_key="warehouse",
            pool="warehouse",
            metadata={"dagster/column_schema": column_schema(WAREHOUSE[name]), "dagster/table_name": f"main.{name}"},
        )

    def result(
        context: dg.AssetExecutionContext, rows: pl.DataFrame, source: str
    ) -> dg.MaterializeResult[pl.DataFrame]:
        name = context.asset_key.path[-1]
        loaded = warehouse_rows(rows, WAREHOUSE[name], dt.datetime.now(dt.UTC))
        lineage = column_lineage(WAREHOUSE[name], {source: CURATED[source]}, _RENAMED)
        part, every_day = slice_of(context.partition_keys), issubclass(WAREHOUSE[name], DayMetrics)
        metadata = covered(loaded, part, day=DAYS[name], every_day=every_day)
        return dg.MaterializeResult(value=loaded, metadata={**metadata, "dagster/column_lineage": lineage})

    @table("social_media_stats", days=dg.AssetIn(["curated", "account_daily"]))
    def social_media_stats(context: dg.AssetExecutionContext, days: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, with_handles(days, handles), "curated/account_daily")

    @table("content_performance", videos=dg.AssetIn(["curated", "videos"]))
    def content_performance(
        context: dg.AssetExecutionContext, videos: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        renamed = {before: after for after, before in _RENAMED.items()}
        return result(context, with_handles(videos.rename(renamed), handles), "curated/videos")

    @table("audience_insights", audience=dg.AssetIn(["curated", "audience"]))
    def audience_insights(
        context: dg.AssetExecutionContext, audience: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, audience.rename({"date": "captured_on"}), "curated/audience")

    @table("exports", **{report.name: dg.AssetIn(["raw", report.name], input_manager_key="raw") for report in REPORTS})
    def exports(context: dg.AssetExecutionContext, **raw: pl.LazyFrame) -> Iterator[dg.Output[pl.DataFrame]]:
        part = slice_of(context.partition_keys)
        log = pl.concat([export_log(report, rows) for report, rows in raw.items()], how="diagonal")
        loaded = warehouse_rows(part.within(log, "month"), Exports, dt.datetime.now(dt.UTC))
        yield dg.Output(
            loaded, metadata={"dagster/row_count": loaded.height, "exports": loaded["export_id"].n_unique()}
        )
        # Only now, with every table stored, is an export done: a crash before this line makes the sensor start over.
        for account in part.accounts:
            close_receipts(lake, account, part, context.run.run_id, _started_at(context.instance, context.run.run_id))

    return [social_media_stats, content_performance, audience_insights, exports]


def _started_at(instance: dg.DagsterInstance, run_id: str) -> dt.datetime:
    """When a run started, in UTC; the beginning of time where that is not known."""
    record = instance.get_run_record_by_id(run_id)
    return dt.datetime.fromtimestamp((record.start_time if record else None) or 0, dt.UTC)
