"""Curated: staged reports joined into tables with business meaning.

No return types: with checks, Dagster refuses MaterializeResult[T].
"""

import dagster as dg
import pandera.polars as pa
import polars as pl

from tiktok_assets.assets.metadata import OWNERS, column_lineage, column_schema, covered
from tiktok_assets.checks.schema import schema_result, schema_spec
from tiktok_assets.curated.account_daily import AccountDaily
from tiktok_assets.curated.account_daily import account_daily as join_days
from tiktok_assets.curated.audience import Audience
from tiktok_assets.curated.audience import audience as in_long_form
from tiktok_assets.curated.videos import Videos
from tiktok_assets.curated.videos import videos as with_hashtags
from tiktok_assets.partitions import slice_of
from tiktok_assets.reports import REPORTS

CURATED: dict[str, type[pa.DataFrameModel]] = {
    "curated/account_daily": AccountDaily,
    "curated/videos": Videos,
    "curated/audience": Audience,
}
STAGED = {f"staging/{report.name}": report.schema for report in REPORTS}


def build_curated_assets(partitions_def: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    def result(context: dg.AssetExecutionContext, rows: pl.DataFrame, *, every_day: bool = False):
        schema, part = CURATED[context.asset_key.to_user_string()], slice_of(context.partition_keys)
        upstream = {key.to_user_string() for key in context.assets_def.asset_deps[context.asset_key]}
        lineage = column_lineage(schema, {key: STAGED[key] for key in sorted(upstream)})
        return dg.MaterializeResult(
            value=rows,
            metadata={**covered(rows, part, every_day=every_day), "dagster/column_lineage": lineage},
            check_results=[schema_result(schema, rows, part)],
        )

    def table(name: str, *reports: str):
        schema, key = CURATED[f"curated/{name}"], dg.AssetKey(["curated", name])
        return dg.asset(
            key=key,
            ins={report: dg.AssetIn(["staging", report]) for report in reports},
            group_name="curated",
            description=schema.__doc__,
            code_version="1",
            partitions_def=partitions_def,
            backfill_policy=dg.BackfillPolicy.single_run(),
            kinds={"polars", "parquet"},
            owners=OWNERS,
            io_manager_key="lake",
            metadata={"dagster/column_schema": column_schema(schema)},
            check_specs=[schema_spec(key)],
        )

    @table("account_daily", "overview", "viewers", "follower_history")
    def account_daily(
        context: dg.AssetExecutionContext, overview: pl.DataFrame, viewers: pl.DataFrame, follower_history: pl.DataFrame
    ):
        return result(context, join_days(overview, viewers, follower_history), every_day=True)

    @table("videos", "content")
    def videos(context: dg.AssetExecutionContext, content: pl.DataFrame):
        return result(context, with_hashtags(content))

    @table("audience", "follower_gender", "follower_territories", "follower_activity")
    def audience(
        context: dg.AssetExecutionContext,
        follower_gender: pl.DataFrame,
        follower_territories: pl.DataFrame,
        follower_activity: pl.DataFrame,
    ):
        return result(context, in_long_form(follower_gender, follower_territories, follower_activity))

    return [account_daily, videos, audience]
