"""Curated: staged reports joined into tables with business meaning.

A table that looks back reads earlier months of what it is made of, and makes later months again that look back at the
run's (``reach_days``): whatever the order in which months are run, all of them are right. A run holds its accounts
(``storage.run_locks``); else one could store what it had read before another one changed it.

No return types: with checks, Dagster refuses MaterializeResult[T].
"""

import datetime as dt
import inspect
from collections.abc import Sequence

import dagster as dg
import pandera.polars as pa
import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.lineage import lineage
from tiktok_assets.assets.pictures import chart_metadata
from tiktok_assets.assets.restatements import COMPARED
from tiktok_assets.checks import account_daily as account_daily_checks
from tiktok_assets.checks import audience as audience_checks
from tiktok_assets.checks.schema import schema_result, schema_spec
from tiktok_assets.curated.account import periods
from tiktok_assets.curated.account.account_daily import AccountDaily
from tiktok_assets.curated.account.account_daily import account_daily as join_days
from tiktok_assets.curated.audience.audience import Audience
from tiktok_assets.curated.audience.audience import audience as in_long_form
from tiktok_assets.curated.quality import quality, restatements
from tiktok_assets.curated.videos import equal_age, hashtags, posting, video_growth, viral
from tiktok_assets.curated.videos.videos import Videos
from tiktok_assets.curated.videos.videos import videos as join_videos
from tiktok_assets.exports.months import month_of
from tiktok_assets.partitions import slice_of
from tiktok_assets.reports import REPORTS
from tiktok_assets.settings import Settings
from tiktok_assets.storage.metadata import OWNERS, column_schema, record_days
from tiktok_assets.storage.parquet import REACH, seen

CURATED: dict[str, type[pa.DataFrameModel]] = {
    "curated/account_daily": AccountDaily,
    "curated/account_periods": periods.AccountPeriods,
    "curated/videos": Videos,
    "curated/viral_videos": viral.ViralVideos,
    "curated/audience": Audience,
    "curated/posting_times": posting.PostingTimes,
    "curated/hashtags": hashtags.Hashtags,
}
STAGED = {f"staging/{report.name}": report.schema for report in REPORTS}
LOOK_BACK = {
    "curated/account_daily": quality.LOOK_BACK,
    "curated/account_periods": periods.LOOK_BACK,
    "curated/videos": video_growth.LOOK_BACK,
    "curated/viral_videos": viral.LOOK_BACK,
    "curated/audience": 0,
    "curated/posting_times": posting.LOOK_BACK,
    "curated/hashtags": hashtags.LOOK_BACK,
}
"""Days before the first wanted one that a table has to see of what it is made of."""
_LONGEST_MONTH = 31
REACHES = {
    **LOOK_BACK,
    "curated/account_daily": max(quality.LOOK_BACK, restatements.LOOK_BACK),
    "curated/account_periods": LOOK_BACK["curated/account_periods"] + _LONGEST_MONTH + quality.LOOK_BACK,
    **{
        key: LOOK_BACK[key] + _LONGEST_MONTH + video_growth.LOOK_BACK
        for key in ("curated/viral_videos", "curated/posting_times", "curated/hashtags")
    },
}
"""Days after a changed one up to which a table may change: its own look back, and that of what it is made of."""


def build_curated_assets(
    settings: Settings, roster: Roster, partitions_def: dg.PartitionsDefinition
) -> list[dg.AssetsDefinition]:
    timezones = {key: account.timezone for key, account in roster.items()}

    def result(
        context: dg.AssetExecutionContext,
        rows: pl.DataFrame,
        *,
        every_day: bool = False,
        checks: Sequence[dg.AssetCheckResult] = (),
    ):
        key, part = context.asset_key.to_user_string(), slice_of(context.partition_keys)
        schema, stored = CURATED[key], part.wider(after=REACHES[key]).within(rows)
        chart = chart_metadata(context.asset_key.path[-1], rows.filter(pl.col("date") <= part.last_day))
        record_days(context, stored, part, chart, every_day=every_day)
        return dg.MaterializeResult(value=stored, check_results=[schema_result(schema, stored, part), *checks])

    def table(name: str, *, check_specs: Sequence[dg.AssetCheckSpec] = (), **inputs: Sequence[str]):
        """``inputs``: layer, table and columns of each; without columns all."""
        key = f"curated/{name}"
        asset_key, schema = dg.AssetKey(["curated", name]), CURATED[key]
        before, after = LOOK_BACK[key], REACHES[key]
        upstream = ["/".join(source[:2]) for source in inputs.values()]
        asset = dg.asset(
            key=asset_key,
            ins={
                name: seen(source[:2], columns=source[2:], before=before, after=after)
                for name, source in inputs.items()
            },
            group_name="curated",
            description=inspect.cleandoc(str(schema.__doc__)),
            code_version="4",
            partitions_def=partitions_def,
            backfill_policy=dg.BackfillPolicy.single_run(),
            kinds={"polars", "parquet"},
            owners=OWNERS,
            io_manager_key="lake",
            metadata={
                "dagster/column_schema": column_schema(schema),
                "dagster/column_lineage": lineage(key, STAGED | CURATED | COMPARED, upstream),
                REACH: REACHES[key],
            },
            check_specs=[schema_spec(asset_key), *check_specs],
        )
        return lambda function: asset(reports_failures(function))

    @table(
        "account_daily",
        check_specs=account_daily_checks.check_specs(dg.AssetKey(["curated", "account_daily"])),
        overview=("staging", "overview"),
        viewers=("staging", "viewers"),
        follower_history=("staging", "follower_history"),
        insights=("staging", "insights"),
        settling=("curated", "settling"),
    )
    def account_daily(
        context: dg.AssetExecutionContext,
        overview: pl.DataFrame,
        viewers: pl.DataFrame,
        follower_history: pl.DataFrame,
        insights: pl.DataFrame,
        settling: pl.DataFrame,
    ):
        days = join_days(overview, viewers, follower_history, insights, settling)
        checks = account_daily_checks.check_results(days, slice_of(context.partition_keys))
        return result(context, days, every_day=True, checks=checks)

    @table("account_periods", days=("curated", "account_daily", *periods.COLUMNS))
    def account_periods(context: dg.AssetExecutionContext, days: pl.DataFrame):
        return result(context, periods.account_periods(days))

    @table("videos", content=("staging", "content"), insights=("staging", "insights"))
    def videos(context: dg.AssetExecutionContext, content: pl.DataFrame, insights: pl.DataFrame):
        return result(context, join_videos(content, insights, timezones))

    @table("viral_videos", videos=("curated", "videos", *viral.COLUMNS))
    def viral_videos(context: dg.AssetExecutionContext, videos: pl.DataFrame):
        found = viral.viral_videos(videos, min_views=settings.viral_min_views, growth_threshold=settings.viral_growth)
        return result(context, found)

    @table(
        "audience",
        check_specs=audience_checks.check_specs(dg.AssetKey(["curated", "audience"])),
        gender=("staging", "follower_gender"),
        territories=("staging", "follower_territories"),
        activity=("staging", "follower_activity"),
        insights=("staging", "insights"),
    )
    def audience(
        context: dg.AssetExecutionContext,
        gender: pl.DataFrame,
        territories: pl.DataFrame,
        activity: pl.DataFrame,
        insights: pl.DataFrame,
    ):
        rows = in_long_form(gender, territories, activity, insights)
        checks = audience_checks.check_results(rows, timezones, slice_of(context.partition_keys))
        return result(context, rows, checks=checks)

    @table("posting_times", videos=("curated", "videos", *equal_age.COLUMNS, *posting.COLUMNS))
    def posting_times(context: dg.AssetExecutionContext, videos: pl.DataFrame):
        return result(context, posting.posting_times(videos, months_to_make(context, videos)))

    @table("hashtags", videos=("curated", "videos", *equal_age.COLUMNS, *hashtags.COLUMNS))
    def hashtags_(context: dg.AssetExecutionContext, videos: pl.DataFrame):
        return result(context, hashtags.hashtag_effects(videos, months_to_make(context, videos)))

    def months_to_make(context: dg.AssetExecutionContext, videos: pl.DataFrame) -> list[dt.date]:
        """The months of the run, and those it reaches, that have snapshots."""
        reached = slice_of(context.partition_keys).wider(after=REACHES[context.asset_key.to_user_string()])
        told = set(videos.select(month_of(pl.col("date")).unique())["date"])
        return [month for month in reached.months if month in told]

    return [account_daily, account_periods, videos, viral_videos, audience, posting_times, hashtags_]
