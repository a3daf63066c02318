"""The promises of every staging table, checked on the partitions a run makes."""

from __future__ import annotations

import dagster as dg
import polars as pl

from tiktok_assets.checks.dated import Doubts, exports_are_dated
from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.checks.schema import schema_result, schema_spec
from tiktok_assets.curated.quality.check_results import missing_days
from tiktok_assets.exports.labels.differences import follower_differences_agree
from tiktok_assets.exports.long_frames import Rows, by_key
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.report import Report
from tiktok_assets.storage.metadata import markdown_table

_PROMISES = {
    "has_rows": "There is at least one row in the run's partitions.",
    "days_are_contiguous": "No day is missing between an account's first and last day in the run's partitions.",
    "has_no_duplicates": "There is one row per grain.",
    "exports_are_dated": "Years, and which of two exports is the later one, rest on more than a file's time.",
    "follower_differences_agree": "The follower difference in each export is that of its own followers.",
}


def has_every_day(report: Report) -> bool:
    """Whether exports hold a row for each day of their window; activity comes for a week, snapshots for one day."""
    return report.grain == ("date",)


def check_specs(report: Report, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [schema_spec(key)] + [
        dg.AssetCheckSpec(name, asset=key, description=description)
        for name, description in _PROMISES.items()
        if _concerns(report, name)
    ]


def _concerns(report: Report, promise: str) -> bool:
    if promise == "days_are_contiguous":
        return has_every_day(report)
    if promise == "follower_differences_agree":
        return "follower_difference" in report.values
    return promise not in ("has_rows", "exports_are_dated") or not report.is_optional


def check_results(report: Report, rows: Rows, partitions: PartitionRange, doubts: Doubts) -> list[dg.AssetCheckResult]:
    """The promises of ``check_specs``, evaluated on ``rows`` and the exports they come from."""
    results = [schema_result(report.schema, rows, partitions)]
    if _concerns(report, "has_rows"):
        results.append(_has_rows(report, rows, partitions))
    if _concerns(report, "days_are_contiguous"):
        results.append(_days_are_contiguous(rows.lazy().collect(), partitions))
    results.append(_has_no_duplicates(report, rows, partitions))
    if _concerns(report, "exports_are_dated"):
        results.append(exports_are_dated(partitions, doubts))
    if _concerns(report, "follower_differences_agree"):
        results.append(_follower_differences_agree(rows.lazy().collect(), partitions))
    return results


def _has_rows(report: Report, rows: Rows, partitions: PartitionRange) -> dg.AssetCheckResult:
    counted = rows.lazy().group_by("account").len().collect(engine="streaming")
    with_rows = set(counted["account"])
    text = f"No export has {report.title} rows for these months."
    without = {account: text for account in partitions.accounts if account not in with_rows}
    return evaluation("has_rows", partitions, without, facts={"rows": int(counted["len"].sum())})


def _days_are_contiguous(rows: pl.DataFrame, partitions: PartitionRange) -> dg.AssetCheckResult:
    gaps = missing_days(rows)
    missing = gaps.group_by("account", maintain_order=True).agg(pl.col("missing").sum())
    broken = {
        account: f"{'1 day is' if days == 1 else f'{days} days are'} missing; export that window again."
        for account, days in missing.rows()
    }
    facts = {"missing_days": int(gaps["missing"].sum()), **_listed("gaps", gaps)}
    return evaluation("days_are_contiguous", partitions, broken, facts=facts)


def _has_no_duplicates(report: Report, rows: Rows, partitions: PartitionRange) -> dg.AssetCheckResult:
    twice = duplicates(report, rows)
    counted = twice.group_by("account", maintain_order=True).len()
    return evaluation(
        "has_no_duplicates",
        partitions,
        {account: f"{grains} grains have more than one row." for account, grains in counted.rows()},
        facts={"duplicates": twice.height, **_listed("grains", twice)},
        severity=dg.AssetCheckSeverity.ERROR,
    )


def _follower_differences_agree(rows: pl.DataFrame, partitions: PartitionRange) -> dg.AssetCheckResult:
    wrong = disagreeing_differences(rows)
    text = (
        "On {} day{} an export reports a follower difference that contradicts its own followers. Growth is computed "
        "from followers alone; if they look wrong, export them again."
    )
    counted = wrong.group_by("account", maintain_order=True).len()
    broken = {account: text.format(days, "s" * (days != 1)) for account, days in counted.rows()}
    facts = {
        "days": rows.select("account", "date").n_unique(),
        "days_disagreeing": wrong.height,
        **_listed("rows", wrong),
    }
    return evaluation("follower_differences_agree", partitions, broken, facts=facts)


def disagreeing_differences(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose ``follower_difference`` does not match the followers in their export, in either meaning."""
    wrong = [rows.clear()]
    for export in rows.partition_by("account", "export_id", maintain_order=True):
        labels = follower_differences_agree(export.select("date_label", "followers", "follower_difference"))
        wrong.append(export.filter(pl.col("date_label").is_in(labels)))
    return pl.concat(wrong).select("account", "date", "followers", "follower_difference", "export_id")


def _listed(name: str, cases: pl.DataFrame) -> dict[str, dg.MarkdownMetadataValue]:
    """The first ``cases`` as a table, if there are any."""
    return {} if cases.is_empty() else {name: dg.MetadataValue.md(markdown_table(cases.head(SHOWN)))}


def duplicates(report: Report, rows: Rows) -> pl.DataFrame:
    """The grains that have more than one row, and how many."""
    grain = ["account", *report.grain]
    counted = (part.group_by(grain, maintain_order=True).agg(rows=pl.len()) for part in by_key(rows, grain))
    return pl.concat(one.filter(pl.col("rows") > 1) for one in counted)
