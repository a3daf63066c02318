"""Staging/alignment: by how many days the labels of each export run ahead, judged by all exports of the account."""

from collections.abc import Iterable

import dagster as dg
import polars as pl

from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.declared import table_asset
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.checks.agreement import exports_agree, exports_agree_spec
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.exports.labels import Contradiction, DailyFile, Verdict, contradictions
from tiktok_assets.inbox.receipts import Moved, note_shifts
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.alignment import DAILY, months, table, verdicts
from tiktok_assets.reports.content import CONTENT
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import by_partition, markdown_table, record
from tiktok_assets.storage.raw import judged_rows

_SHOWN = 20


def build_alignment_asset(lake: Lake, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @table_asset(
        TABLES["staging/alignment"],
        partitions_def,
        ins={},
        deps=[dg.AssetKey(["raw", report.name]) for report in (*DAILY, CONTENT)],
        check_specs=[exports_agree_spec(dg.AssetKey(["staging", "alignment"]))],
    )
    @reports_failures
    def alignment(context: dg.AssetExecutionContext):  # with checks, Dagster refuses MaterializeResult[T]
        partitions = run_partitions(context)
        tables, reasons = [], []
        contradicting: dict[str, list[Contradiction]] = {}
        for account in partitions.accounts:
            found = verdicts(judged_rows(lake, account))
            contradicting[account] = contradictions(file for _, file in found)
            for moved in _note(lake, account, found, contradicting[account], context.run.run_id):
                context.log.warning(f"{account}, {moved}")
            tables.append(table(account, found))
            reasons += [_reason(account, *one) for one in found]
        rows = partitions.within(pl.concat(tables))
        record(context, partitions, _exports(rows, partitions), {"verdicts": _newest(reasons)})
        return dg.MaterializeResult(value=rows, check_results=[exports_agree(partitions, contradicting)])

    return alignment


def _reason(account: str, verdict: Verdict, file: DailyFile) -> tuple[object, ...]:
    because = "; ".join(verdict.evidence + verdict.against)
    return account, file.name, verdict.shift_days, verdict.confidence, because


def _newest(reasons: list[tuple[object, ...]]) -> dg.MarkdownMetadataValue:
    columns = ["account", "file", "days ahead", "confidence", "because"]
    return dg.MetadataValue.md(markdown_table(pl.DataFrame(reasons[-_SHOWN:][::-1], columns, orient="row")))


def _exports(rows: pl.DataFrame, partitions: PartitionRange) -> pl.DataFrame:
    """For each partition, how many exports contain it, and how many of these had shifted labels."""
    exports, moved = pl.col("export_id"), pl.col("date_shift_days") != 0
    return by_partition(rows, partitions, exports=exports.n_unique(), exports_moved=exports.filter(moved).n_unique())


def _note(
    lake: Lake,
    account: str,
    found: Iterable[tuple[Verdict, DailyFile]],
    contradicting: Iterable[Contradiction],
    run_id: str,
) -> list[Moved]:
    """Write the verdicts into the receipts of the exports; return those whose labels were judged differently before."""
    shifts: dict[str, dict[str, int]] = {}
    days: dict[str, set] = {}
    for verdict, file in found:
        shifts.setdefault(verdict.export_id, {})[verdict.report] = verdict.shift_days
        days.setdefault(verdict.export_id, set()).update(months(file, verdict.shift_days))
    texts: dict[str, tuple[str, ...]] = {}
    for one in contradicting:
        texts[one.file.export_id] = (*texts.get(one.file.export_id, ()), str(one))
    return note_shifts(lake, account, shifts, days, run_id, texts)
