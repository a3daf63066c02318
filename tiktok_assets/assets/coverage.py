"""Curated/coverage: which days the exports contain. Its rows are facts of exports; what is missing today is metadata.

A rebuild makes the same rows again on any day. The table and the advice in a run's metadata describe the moment of the
run, over every month of its accounts, as `tiktok-assets status` does.
"""

import datetime as dt

import dagster as dg
import polars as pl

from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import table_asset
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.checks.schema import schema_result
from tiktok_assets.curated.coverage.advice import by_urgency
from tiktok_assets.curated.coverage.coverage import COUNTED, COVERAGE, all_reported_days, columns_of
from tiktok_assets.curated.coverage.coverage import coverage as count_days
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reporting.status import COLUMNS, AccountCoverage, coverages, row_of, unknown_to_studio, what_to_do
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import by_partition, markdown_table, part_of_list, record
from tiktok_assets.storage.parquet import windowed_input
from tiktok_assets.studio.session import Sessions

# Accounts whose whole history is looked at for the metadata of a run; a run may have a thousand.
_SHOWN = 20


def build_coverage_asset(lake: Lake, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_asset(COVERAGE, partitions_def, ins=_inputs())
    @reports_failures
    def coverage(context: dg.AssetExecutionContext, **staged: pl.DataFrame):  # with checks, no MaterializeResult[T]
        partitions = run_partitions(context)
        rows = count_days(all_reported_days(staged))
        record(context, partitions, _days(rows, partitions), _of_run(lake, partitions))
        return dg.MaterializeResult(value=rows, check_results=[schema_result(COVERAGE.schema, rows, partitions)])

    return coverage


def _inputs() -> dict[str, dg.AssetIn]:
    return {report: windowed_input(["staging", report], columns=columns_of(report)) for report in COUNTED}


def _days(rows: pl.DataFrame, partitions: PartitionRange) -> pl.DataFrame:
    """For each partition, the days of all its reports."""
    return by_partition(
        rows,
        partitions,
        days_covered=pl.col("days_covered").sum(),
        missing_days=pl.col("days_missing").sum(),
        unsettled_days=pl.col("days_unsettled").sum(),
    )


def _of_run(lake: Lake, partitions: PartitionRange) -> dict[str, object]:
    """The metadata of a run: the coverage of its accounts at this moment, and what to export."""
    now = dt.datetime.now(dt.UTC)
    found = coverages(lake, partitions.accounts[:_SHOWN], now)
    return {
        "accounts": part_of_list(list(partitions.accounts)),
        "coverage": dg.MetadataValue.md(_table(found)),
        "exports_to_make": sum(len(one.advice) for one in found),
        "advice": dg.MetadataValue.md(_advice(lake, found, now)),
    }


def _table(found: list[AccountCoverage]) -> str:
    """A line for each account and report, over all months."""
    rows = [(one.account, *row_of(report)) for one in found for report in one.reports]
    return markdown_table(pl.DataFrame(rows, schema=["account", *COLUMNS], orient="row"))


def _advice(lake: Lake, found: list[AccountCoverage], now: dt.datetime) -> str:
    """The exports to make, most urgent first, what is lost, and what Studio itself does not know."""
    sessions = Sessions.of(lake.settings)
    lines = []
    for advice in by_urgency([advice for one in found for advice in one.advice]):
        todo = what_to_do(advice, sessions.state(advice.account), lake.settings, now)
        until = f", until {advice.before}" if advice.before else ""
        lines.append(f"- **{advice.account}{until}**: {advice.reason} `{todo}`")
    lines += [f"- {lost.account}: {lost.reason}" for one in found for lost in one.lost]
    lines += [f"- {one.account}: {text}" for one in found if (text := unknown_to_studio(one.reports))]
    return "\n".join(lines) or "Nothing to export."
