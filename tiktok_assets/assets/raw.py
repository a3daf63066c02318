"""Raw: every export's tables as text, each row with its provenance. One read of an export makes all its reports."""

import contextlib
from collections.abc import Iterator, Sequence

import dagster as dg
from upath import UPath

from tiktok_assets import clock
from tiktok_assets.accounts import load_roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.landing import LandingEvents
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.exports.problems import BrokenFile, ExportProblem, UnreadableFile
from tiktok_assets.exports.provenance import PROVENANCE, READER_VERSION
from tiktok_assets.inbox.contents import read_with_siblings, require_past
from tiktok_assets.inbox.files import account_files, source_of, unchanged
from tiktok_assets.inbox.identities import identity, know_identities
from tiktok_assets.inbox.intake import LandedExport
from tiktok_assets.inbox.ownership import owner
from tiktok_assets.inbox.receipts import need_no_lake_run, proven_ids, write_receipt
from tiktok_assets.inbox.sandbox import Limits
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.export import Export
from tiktok_assets.reports.reading import open_export
from tiktok_assets.reports.report import Report
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import OWNERS, Facts, part_of_list
from tiktok_assets.storage.parquet import RawRows
from tiktok_assets.storage.partition_metadata import set_partition_metadata

_MEANING = {
    "account": "account key, as in accounts.toml",
    "export_id": "sha256 of the landed file",
    "source": "the landed file, below the account's folder in landing or the archive",
    "member": "the table inside the file",
    "row_number": "1 is the first row below the header",
    "date_label": "the day the row's label names, with its year; for snapshots the day of the download",
    "downloaded_at": "when the export was downloaded (UTC)",
    "downloaded_at_evidence": "where that is known from",
    "vintage": "what puts the export in order among others: the later one wins",
    "vintage_evidence": "what that rests on, from captured_at and zip_stamp to window_end and, last, file_time",
    "window_first": "first day of the export",
    "window_last": "last day of the export",
    "year_evidence": "where the year of the labels is known from",
    "locale": "language of the date labels; null where they are numbers",
    "product": "studio or business_suite",
    "variant": "the known header that the file's header is nearest to",
    "parser_version": "version of the reader",
}
# Beside these columns stands every column of the file, under its own name and as text.
_SCHEMA = dg.TableSchema(
    [dg.TableColumn(name, type=str(dtype), description=_MEANING[name]) for name, dtype in PROVENANCE.items()]
)


def build_raw_assets(lake: Lake, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="raw",
        specs=[
            dg.AssetSpec(
                ["raw", report.name],
                deps=[dg.AssetKey(["landing", report.section])],
                group_name="raw",
                description=f"The rows of {report.title} as text, with provenance: one immutable file per export.",
                code_version=READER_VERSION,
                partitions_def=partitions_def,
                kinds={"polars", "parquet"},
                owners=OWNERS,
                metadata={"dagster/column_schema": _SCHEMA, "dagster/uri": str(lake.settings.raw / report.name)},
            ).with_io_manager_key("raw")
            for report in REPORTS
        ],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    @reports_failures
    def raw(context: dg.AssetExecutionContext) -> Iterator[dg.Output[list[RawRows]]]:
        partitions = run_partitions(context)
        with contextlib.ExitStack() as stack:
            with lake.looking_at(partitions.accounts):
                know_identities(lake)
                exports = list(_new_exports(lake, partitions, stack, context.log))
            tables = [
                (member.report, RawRows(account, export.downloaded_at, export.export_id, rows))
                for account, source, export in exports
                for member, rows in export.frames(account=account, source=source)
            ]
            for report in REPORTS:
                facts = {partitions.last_partition: _facts(report, exports)}
                set_partition_metadata(context, dg.AssetKey(["raw", report.name]), facts)
                rows = [table for table_report, table in tables if table_report is report]
                yield dg.Output(rows, output_name=f"raw__{report.name}")
            with together():
                for account, source, export in exports:
                    write_receipt(lake, account, source, export, context.run.run_id)
            landed = [_landed(lake, *export) for export in exports]
            for event in LandingEvents().unknown(context.instance, landed):
                context.log_event(event)

    return raw


def _landed(lake: Lake, account: str, source: str, export: Export) -> LandedExport:
    return LandedExport(
        account=account,
        source=source,
        export_id=export.export_id,
        sections=export.sections,
        months=tuple(lake.months_kept(export.months)),
        warnings=export.warnings,
    )


def _facts(report: Report, exports: Sequence[tuple[str, str, Export]]) -> Facts:
    """What a run read of a report: how many exports, which, and their warnings."""
    files = [source for _, source, export in exports if any(member.report is report for member in export.members)]
    warnings = [text for _, _, export in exports for text in export.warnings if report.title in text]
    return {"new_exports": len(files), "source_files": part_of_list(files), "warnings": part_of_list(warnings)}


def _new_exports(
    lake: Lake, partitions: PartitionRange, stack: contextlib.ExitStack, log: dg.DagsterLogManager
) -> Iterator[tuple[str, str, Export]]:
    """The landed exports with days in ``partitions`` and no receipt, open as long as ``stack``: account, file, export.

    A file is opened here once the sandbox has read it whole. One that is damaged, still being written or of another
    account is left to the sensor; the others are read.
    """
    roster = load_roster(lake.settings)
    for account in partitions.accounts:
        known_ids, proven = set(need_no_lake_run(lake, account)), proven_ids(lake, account)
        for path, whole in unchanged([path for path in account_files(lake, account) if _is_new(path, known_ids)]):
            source = source_of(lake, account, path)
            try:
                if not whole:
                    raise BrokenFile(f"{source}: is still being written. It is processed when it is complete.")
                contents, siblings = read_with_siblings(lake, path, Limits.of(lake.settings))
                require_past(contents.window, source)
                file = stack.enter_context(local_copy(path))
                others = [sibling for sibling, _ in siblings]
                export = stack.enter_context(open_export(file, others, clock.trusted_today()))
                if export.export_id not in proven:
                    owner(export, roster.get(account), roster, lake.settings.landing)
            except (ExportProblem, OSError) as problem:
                log.warning(f"left out: {problem}")
                continue
            if set(export.months) & set(partitions.months):
                yield account, source, export


def _is_new(path: UPath, known_ids: set[str]) -> bool:
    """Whether the bytes are none of the exports ``known_ids``; adds them, so that the first of two copies counts."""
    try:
        digest = identity(path)
    except UnreadableFile:
        return True  # the reader reports why
    is_new = digest not in known_ids
    known_ids.add(digest)
    return is_new
