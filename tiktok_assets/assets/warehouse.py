"""Warehouse: the tables people query, in DuckDB. The last one, ``exports``, closes a run: it closes the receipts.

What looks back in curated reaches as far here (``reach_days``). Benchmarks look at every account, whichever is run.
"""

import datetime as dt
import inspect
from collections.abc import Iterator, Mapping

import dagster as dg
import pandera.polars as pa
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.curated import CURATED, REACHES
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.lineage import lineage
from tiktok_assets.assets.publishing import publish
from tiktok_assets.curated import warehouse
from tiktok_assets.curated.account import benchmarks
from tiktok_assets.curated.account.account_daily import DayMetrics, SocialMediaStats
from tiktok_assets.curated.account.periods import Periods
from tiktok_assets.curated.audience.audience import AudienceInsights
from tiktok_assets.curated.coverage.export_log import Exports
from tiktok_assets.curated.quality import check_results, quality
from tiktok_assets.curated.videos.hashtags import HashtagPerformance
from tiktok_assets.curated.videos.posting import PostingPerformance
from tiktok_assets.curated.videos.videos import ContentPerformance
from tiktok_assets.curated.videos.viral import ViralContent
from tiktok_assets.inbox.receipts import note_loaded
from tiktok_assets.partitions import MORE_TAG, slice_of
from tiktok_assets.reports import REPORTS
from tiktok_assets.storage.duckdb import EVERYONE, OVER_ALL_MONTHS
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import OWNERS, by_partition, column_schema, record, record_days
from tiktok_assets.storage.parquet import REACH, seen
from tiktok_assets.storage.run_locks import NOT_ENDED

WAREHOUSE: dict[str, type[pa.DataFrameModel]] = {
    "social_media_stats": SocialMediaStats,
    "account_periods": Periods,
    "content_performance": ContentPerformance,
    "viral_content": ViralContent,
    "audience_insights": AudienceInsights,
    "posting_times": PostingPerformance,
    "hashtag_performance": HashtagPerformance,
    "anomalies": quality.AnomalyLog,
    "data_quality": check_results.DataQuality,
    "account_benchmarks": benchmarks.Benchmarks,
    "exports": Exports,
}
# The column whose month is the partition.
DAYS = {
    **dict.fromkeys(WAREHOUSE, "date"),
    "content_performance": "captured_on",
    "viral_content": "detected_on",
    "audience_insights": "captured_on",
    "exports": "month",
}
_DAYS_REACH = REACHES["curated/account_daily"]
_MONTH = 31
WAREHOUSE_KEYS = {f"warehouse/{table}": schema for table, schema in WAREHOUSE.items()}
_IS_LATEST = {"is_latest": "captured_on = max(captured_on) over (partition by account, video_id)"}


def build_warehouse_assets(
    lake: Lake, roster: Roster, partitions_def: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    handles = {key: account.handle for key, account in roster.items()}

    def table(
        name: str,
        inputs: Mapping[str, dg.AssetIn],
        *,
        reach: int = 0,
        about: Mapping[str, object] | None = None,
        needs: set[str] | None = None,
    ):
        """``about``: more of what the IO manager has to know of the table."""
        schema = WAREHOUSE[name]
        asset = dg.asset(
            key=["warehouse", name],
            ins=dict(inputs),
            deps=[dg.AssetKey(["warehouse", other]) for other in WAREHOUSE if name == "exports" and other != name],
            group_name="warehouse",
            description=inspect.cleandoc(str(schema.__doc__)),
            code_version="3",
            partitions_def=partitions_def,
            backfill_policy=dg.BackfillPolicy.single_run(),
            kinds={"duckdb"},
            owners=OWNERS,
            io_manager_key="warehouse",
            required_resource_keys=needs,
            # The tables of the lake first: the warehouse is held, and other runs wait, from its first table on.
            op_tags={"dagster/priority": "-1"},
            metadata={
                "dagster/column_schema": column_schema(schema),
                "dagster/column_lineage": _lineage(name, inputs),
                "dagster/table_name": f"main.{name}",
                **({REACH: reach} if reach else {}),
                **(about or {}),
            },
        )
        return lambda function: asset(reports_failures(function))

    def curated(name: str, **inputs: str):
        """A table of the warehouse that holds what a curated one does; ``inputs``: that one."""
        reach = max(REACHES[f"curated/{source}"] for source in inputs.values())
        about = {OVER_ALL_MONTHS: _IS_LATEST} if name == "content_performance" else {}
        ins = {key: seen(["curated", source], after=reach) for key, source in inputs.items()}
        return table(name, ins, reach=reach, about=about)

    def result(context: dg.AssetExecutionContext, loaded: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        name, part = context.asset_key.path[-1], slice_of(context.partition_keys)
        record_days(context, loaded, part, {}, day=DAYS[name], every_day=issubclass(WAREHOUSE[name], DayMetrics))
        return dg.MaterializeResult(value=loaded)

    @curated("social_media_stats", days="account_daily")
    def social_media_stats(context: dg.AssetExecutionContext, days: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.social_media_stats(days, handles, _now()))

    @curated("account_periods", periods="account_periods")
    def account_periods(context: dg.AssetExecutionContext, periods: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.account_periods(periods, _now()))

    @curated("content_performance", videos="videos")
    def content_performance(
        context: dg.AssetExecutionContext, videos: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.content_performance(videos, handles, _now()))

    @curated("viral_content", viral="viral_videos")
    def viral_content(context: dg.AssetExecutionContext, viral: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.viral_content(viral, _now()))

    @curated("audience_insights", audience="audience")
    def audience_insights(
        context: dg.AssetExecutionContext, audience: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.audience_insights(audience, _now()))

    @curated("posting_times", times="posting_times")
    def posting_times(context: dg.AssetExecutionContext, times: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.posting_times(times, _now()))

    @curated("hashtag_performance", hashtags="hashtags")
    def hashtag_performance(
        context: dg.AssetExecutionContext, hashtags: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        return result(context, warehouse.hashtag_performance(hashtags, _now()))

    reach = quality.LOOK_BACK + _MONTH + _DAYS_REACH

    days = seen(["curated", "account_daily"], before=quality.LOOK_BACK, after=reach)
    reports = {
        name: seen(["staging", name], before=check_results.LOOK_BACK, after=reach, columns=("account", "date"))
        for name in check_results.REPORTS
    }

    @table("anomalies", {"days": days}, reach=reach)
    def anomalies(context: dg.AssetExecutionContext, days: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        reached = slice_of(context.partition_keys).wider(after=reach)
        return result(context, reached.within(warehouse.anomalies(days, _now())))

    @table("data_quality", {"days": days, **reports}, reach=reach)
    def data_quality(
        context: dg.AssetExecutionContext, days: pl.DataFrame, **reports: pl.DataFrame
    ) -> dg.MaterializeResult[pl.DataFrame]:
        reached = slice_of(context.partition_keys).wider(after=reach)
        return result(context, reached.within(warehouse.data_quality(days, reports, _now())))

    roster_reach = benchmarks.LOOK_BACK + _MONTH + _DAYS_REACH

    everyone = seen(
        ["warehouse", "social_media_stats"],
        before=benchmarks.LOOK_BACK,
        after=roster_reach,
        columns=benchmarks.COLUMNS,
        **{EVERYONE: True},
    )

    @table("account_benchmarks", {"days": everyone}, reach=roster_reach, about={EVERYONE: True})
    def account_benchmarks(context: dg.AssetExecutionContext, days: pl.DataFrame) -> dg.MaterializeResult[pl.DataFrame]:
        months = slice_of(context.partition_keys).wider(after=roster_reach).months
        return result(context, warehouse.account_benchmarks(days, months, _now()))

    @table(
        "exports",
        {report.name: dg.AssetIn(["raw", report.name], input_manager_key="raw") for report in REPORTS},
        needs={"warehouse"},
    )
    def exports(context: dg.AssetExecutionContext, **raw: pl.LazyFrame) -> Iterator[dg.Output[pl.DataFrame]]:
        part = slice_of(context.partition_keys)
        loaded = part.within(warehouse.exports(raw, _now()), "month")
        record(context, part, by_partition(loaded, part, "month", exports=pl.col("export_id").n_unique()), {})
        yield dg.Output(loaded)
        # Only now, with every table stored, is an export loaded: a crash before this line makes the sensor start over.
        for account in part.accounts:
            note_loaded(lake, account, part, context.run.run_id, _started_at(context.instance, context.run.run_id))
        stored = context.resources.warehouse
        if stored.warehouse.seconds_since_published() > lake.settings.publish_interval or not _more_to_come(context):
            publish(lake, roster, stored.session(context.log.info))
        stored.needs_no_publishing()  # or the run to come will do it

    return [
        *(social_media_stats, account_periods, content_performance, viral_content, audience_insights),
        *(posting_times, hashtag_performance, anomalies, data_quality, account_benchmarks, exports),
    ]


def _lineage(name: str, inputs: Mapping[str, dg.AssetIn]) -> dg.TableColumnLineage:
    """Which columns of its inputs the columns of the table ``name`` are made of."""
    upstream = [dg.AssetKey.from_coercible(one.key).to_user_string() for one in inputs.values() if one.key]
    return lineage(f"warehouse/{name}", CURATED | WAREHOUSE_KEYS, upstream)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _more_to_come(context: dg.AssetExecutionContext) -> bool:
    """Whether another run is under way or waits, which will publish what this one stored."""
    if MORE_TAG in context.run.tags:
        return True
    if context.run.job_name != "process_exports":  # a person's, of which nobody knows what it will make
        return False
    under_way = dg.RunsFilter(job_name=context.run.job_name, statuses=list(NOT_ENDED))
    runs = context.instance.get_runs(under_way, limit=2)
    return any(run.run_id != context.run.run_id for run in runs)


def _started_at(instance: dg.DagsterInstance, run_id: str) -> dt.datetime:
    """When a run started, in UTC; the beginning of time where that is not known."""
    record = instance.get_run_record_by_id(run_id)
    return dt.datetime.fromtimestamp((record.start_time if record else None) or 0, dt.UTC)
