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
from tiktok_assets.curated.videos import COUNTS, RATES, Videos
from tiktok_assets.curated.videos import videos as join_videos
from tiktok_assets.partitions import slice_of
from tiktok_assets.reports import REPORTS

CURATED: dict[str, type[pa.DataFrameModel]] = {
    "curated/account_daily": AccountDaily,
    "curated/videos": Videos,
    "curated/audience": Audience,
}
STAGED = {f"staging/{report.name}": report.schema for report in REPORTS}
# Insights stand one below the other, so that no column has the name it gets: by table, which becomes which.
_INSIGHTS = "staging/insights"
_KEY = {"account": "account", "date": "date"}
_FROM_INSIGHTS: dict[str, dict[str, str]] = {
    "curated/account_daily": {**_KEY, "following": "value", "insights_export_id": "export_id"},
    "curated/videos": {
        **_KEY,
        "video_id": "video_id",
        "title": "text",
        **dict.fromkeys((*COUNTS, *RATES), "value"),
        **dict.fromkeys(("export_id", "insights_export_id"), "export_id"),
    },
    "curated/audience": {
        **_KEY,
        **dict.fromkeys(("audience", "dimension"), "metric"),
        "value": "item",
        "share": "value",
        "export_id": "export_id",
    },
}


def build_curated_assets(partitions_def: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    def result(context: dg.AssetExecutionContext, rows: pl.DataFrame, *, every_day: bool = False):
        schema, part = CURATED[context.asset_key.to_user_string()], slice_of(context.partition_keys)
        upstream = {key.to_user_string() for key in context.assets_def.asset_deps[context.asset_key]}
        named = column_lineage(schema, {key: STAGED[key] for key in sorted(upstream - {_INSIGHTS})}).deps_by_column
        lineage = {name: list(sources) for name, sources in named.items()}
        for name, before in _FROM_INSIGHTS.get(context.asset_key.to_user_string(), {}).items():
            lineage.setdefault(name, []).append(dg.TableColumnDep(dg.AssetKey(_INSIGHTS.split("/")), before))
        return dg.MaterializeResult(
            value=rows,
            metadata={
                **covered(rows, part, every_day=every_day),
                "dagster/column_lineage": dg.TableColumnLineage(lineage),
            },
            check_results=[schema_result(schema, rows, part)],
        )

    def table(name: str, *reports: str):
        schema, key = CURATED[f"curated/{name}"], dg.AssetKey(["curated", name])
        return dg.asset(
            key=key,
            ins={report: dg.AssetIn(["staging", report]) for report in reports},
            group_name="curated",
            description=schema.__doc__,
            code_version="2",
            partitions_def=partitions_def,
            backfill_policy=dg.BackfillPolicy.single_run(),
            kinds={"polars", "parquet"},
            owners=OWNERS,
            io_manager_key="lake",
            metadata={"dagster/column_schema": column_schema(schema)},
            check_specs=[schema_spec(key)],
        )

    @table("account_daily", "overview", "viewers", "follower_history", "insights")
    def account_daily(
        context: dg.AssetExecutionContext,
        overview: pl.DataFrame,
        viewers: pl.DataFrame,
        follower_history: pl.DataFrame,
        insights: pl.DataFrame,
    ):
        return result(context, join_days(overview, viewers, follower_history, insights), every_day=True)

    @table("videos", "content", "insights")
    def videos(context: dg.AssetExecutionContext, content: pl.DataFrame, insights: pl.DataFrame):
        return result(context, join_videos(content, insights))

    @table("audience", "follower_gender", "follower_territories", "follower_activity", "insights")
    def audience(
        context: dg.AssetExecutionContext,
        follower_gender: pl.DataFrame,
        follower_territories: pl.DataFrame,
        follower_activity: pl.DataFrame,
        insights: pl.DataFrame,
    ):
        return result(context, in_long_form(follower_gender, follower_territories, follower_activity, insights))

    return [account_daily, videos, audience]
