"""Quarantine as Dagster shows it: a promise of each section of landing, judged by runs, by the sensor and on demand.

Does not belong here: what goes to quarantine and why (``inbox``).
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import dagster as dg
import polars as pl
from upath import UPath

from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.exports.names import INSIGHTS, SECTIONS, read_name
from tiktok_assets.inbox.quarantine import Rejected, in_quarantine, note_of, sentence, where_found
from tiktok_assets.settings import STREAMS
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import markdown_table
from tiktok_assets.storage.run_locks import RUN_LIFE

PROMISE = "has_nothing_in_quarantine"
NOTHING = "nothing"
"""The fingerprint of an empty quarantine."""
_DESCRIPTION = (
    "No file waits in quarantine that is an export of this section by its name, or whose name says no section. "
    "Correct a file and put it into landing again; then delete the one in quarantine and its note."
)
_DESCRIPTION_OF_STREAMS = (
    "No file from landing/streams waits in quarantine. Correct a file and put it there again; then delete the one in "
    "quarantine and its note."
)
_LANDING = (*SECTIONS, INSIGHTS, STREAMS)
_LISTED = 50  # notes in the metadata of a result
_NAMED = 5  # files in a sentence


def build_quarantine_checks(lake: Lake) -> dg.AssetChecksDefinition:
    @dg.multi_asset_check(
        name="quarantine",
        specs=[
            dg.AssetCheckSpec(
                PROMISE,
                asset=["landing", section],
                description=_DESCRIPTION_OF_STREAMS if section == STREAMS else _DESCRIPTION,
            )
            for section in _LANDING
        ],
        can_subset=True,
        required_resource_keys={RUN_LIFE},
    )
    @reports_failures
    def quarantine(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        selected = context.selected_asset_check_keys
        for result in quarantine_results(lake):
            if dg.AssetCheckKey(result.asset_key or dg.AssetKey([]), PROMISE) in selected:
                yield result

    return quarantine


def quarantine_results(lake: Lake) -> list[dg.AssetCheckResult]:
    """The promise of each section, as quarantine is now."""
    notes = [note_of(path) for path in in_quarantine(lake)]
    return [_result(lake, section, [one for one in notes if _may_be(lake, one, section)]) for section in _LANDING]


def quarantine_evaluations(lake: Lake) -> list[dg.AssetCheckEvaluation]:
    """The same as events that need no run."""
    return [
        dg.AssetCheckEvaluation(
            asset_key=result.asset_key or dg.AssetKey([]),
            check_name=PROMISE,
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
        )
        for result in quarantine_results(lake)
    ]


def fingerprint(files: Sequence[UPath]) -> str:
    """Changes when a file enters quarantine or leaves it."""
    names = "\n".join(path.name for path in files)
    return hashlib.sha256(names.encode()).hexdigest() if names else NOTHING


def named_files(lake: Lake, files: Sequence[UPath]) -> str:
    """The first of the files in quarantine, each by where it was found, and how many more there are."""
    places = [where_found(lake, note_of(path)) for path in files[:_NAMED]]
    return ", ".join(places) + (f" and {len(files) - _NAMED} more" if len(files) > _NAMED else "")


def _may_be(lake: Lake, rejected: Rejected, section: str) -> bool:
    """Files of streams are those found in their folder; of others the name says the section, or nothing."""
    is_of_streams = where_found(lake, rejected).startswith(f"{STREAMS}/")
    if is_of_streams or section == STREAMS:
        return is_of_streams and section == STREAMS
    return read_name(PurePosixPath(rejected.file).name).section in (section, None)


def _result(lake: Lake, section: str, notes: Sequence[Rejected]) -> dg.AssetCheckResult:
    rows = [(where_found(lake, one), one.reason, sentence(lake, one), one.moved_to) for one in notes[:_LISTED]]
    table = pl.DataFrame(rows, ["file", "reason", "remedy", "now in"], orient="row")
    more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
    return dg.AssetCheckResult(
        asset_key=["landing", section],
        check_name=PROMISE,
        passed=not notes,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{sentence(lake, notes[0])}{more}" if notes else None,
        metadata={
            "files_in_quarantine": len(notes),
            **({"files": dg.MetadataValue.md(markdown_table(table))} if notes else {}),
        },
    )
