"""Staging: typed rows with canonical names, one per grain. The newest export wins; null never replaces a number."""

import dagster as dg
import polars as pl

from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.checks.dated import Doubts, exports_in_doubt
from tiktok_assets.checks.staging import check_results, check_specs, has_every_day
from tiktok_assets.making import staged_rows
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.alignment import DAILY
from tiktok_assets.reports.report import Report
from tiktok_assets.storage.metadata import OWNERS, column_schema, exports_used, record_days


def build_staging_asset(report: Report, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    key = dg.AssetKey(["staging", report.name])
    ins = {"rows": dg.AssetIn(["raw", report.name], input_manager_key="raw")}
    if report in DAILY:
        ins["alignment"] = dg.AssetIn(["staging", "alignment"])

    @dg.asset(
        key=key,
        ins=ins,
        group_name="staging",
        description=f"One row per account, {', '.join(report.grain)}. {report.description}",
        code_version=report.parser_version,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"polars", "parquet"},
        owners=OWNERS,
        io_manager_key="lake",
        metadata={"dagster/column_schema": column_schema(report.schema)},
        check_specs=check_specs(report, key),
    )
    @reports_failures
    def staged(
        context: dg.AssetExecutionContext, rows: pl.LazyFrame, **calendar: pl.DataFrame
    ):  # with checks, Dagster refuses MaterializeResult[T]
        partitions = run_partitions(context)
        latest, rivals = staged_rows(report, rows, partitions, calendar.get("alignment"))
        doubts = Doubts(years=exports_in_doubt(rows, latest), order=rivals)
        record_days(context, latest, partitions, exports_used(rows, latest), every_day=has_every_day(report))
        return dg.MaterializeResult(value=latest, check_results=check_results(report, latest, partitions, doubts))

    return staged


def build_staging_assets(partitions_def: dg.PartitionsDefinition) -> list[dg.AssetsDefinition]:
    return [build_staging_asset(report, partitions_def) for report in REPORTS]
