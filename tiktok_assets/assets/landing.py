"""Landing: the exports as TikTok served them. These assets ask Studio for what is missing; they never change a byte."""

import dataclasses
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence

import dagster as dg
import polars as pl
from pydantic import Field

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.partitions import event_key, run_partitions
from tiktok_assets.exports.names import INSIGHTS, SECTIONS, read_name
from tiktok_assets.failures import ExtractionFailed
from tiktok_assets.inbox.files import account_files
from tiktok_assets.inbox.intake import LandedExport
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reporting.urgency import by_urgency
from tiktok_assets.storage.lake import Lake, size_of
from tiktok_assets.storage.metadata import OWNERS, Facts, markdown_table, part_of_list
from tiktok_assets.storage.partition_metadata import set_partition_metadata, stored_last
from tiktok_assets.studio.extraction import SHORT_WAIT, ExtractionOutcome, ExtractionRequest, Extractor, sentence
from tiktok_assets.studio.interface import LandedFile, LandedInsights
from tiktok_assets.studio.landed import extraction_request, is_manual

_DESCRIPTION = {
    "overview": "Overview ZIPs: the account's daily views, profile views, likes, comments and shares.",
    "viewers": "Viewers ZIPs: unique, new and returning viewers a day.",
    "followers": "Followers ZIPs: followers a day, and their activity, gender and territories.",
    "content": "Content ZIPs: lifetime totals of up to 15 videos.",
    INSIGHTS: "What Studio's pages showed beside the exports, one JSON file a visit: following, watch time, ages.",
}
_NAMED = 3  # files in the event of one partition: the others are in raw, in the column "source"


class Extraction(dg.Config):
    """What a run of the landing assets requests from Studio."""

    refresh: bool = Field(default=False, description="Request days again that were exported already.")
    days: int | None = Field(default=None, ge=1, description="Only this many last days of the run's months.")


def build_landing_assets(lake: Lake, roster: Roster, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="landing",
        specs=[
            dg.AssetSpec(
                ["landing", section],
                group_name="landing",
                description=_DESCRIPTION[section],
                partitions_def=partitions_def,
                kinds={"json"} if section == INSIGHTS else {"zip"},
                owners=OWNERS,
                skippable=True,
            )
            for section in (*SECTIONS, INSIGHTS)
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    @reports_failures
    def landing(
        context: dg.AssetExecutionContext, config: Extraction, studio: dg.ResourceParam[Extractor]
    ) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
        partitions = run_partitions(context)
        selected = {key.path[-1] for key in context.selected_asset_keys}
        sections = [section for section in _DESCRIPTION if section in selected]
        extractor = dataclasses.replace(
            studio,
            wait_budget=SHORT_WAIT,
            on_landed=lambda landed: context.log.info(sentence(landed)),
            on_wait=lambda limit: context.log.info(f"{limit.description} This run waits for it."),
        )
        outcomes = []
        for account in by_urgency(lake.settings, partitions.accounts, studio.clock().date()):
            outcomes.append(outcome := _extract(lake, extractor, roster, account, sections, partitions, config))
            for text in filter(None, (*outcome.notes, outcome.message)):
                context.log.warning(text)
        for section in sections:
            key = dg.AssetKey(["landing", section])
            if not any(outcome.lacks(section) for outcome in outcomes):
                facts = _facts(lake, partitions.accounts, section, outcomes)
                set_partition_metadata(context, key, {stored_last(context): facts})
                yield dg.MaterializeResult(asset_key=key)
                continue
            for outcome in outcomes:
                account, months = outcome.request.account.key, list(outcome.complete_months(section, partitions.months))
                for month in months:
                    facts = _facts(lake, [account], section, [outcome]) if month == months[-1] else {}
                    partition = event_key(account, month)
                    context.log_event(dg.AssetMaterialization(key, partition=partition, metadata=facts))
                if outcome.message:
                    yield dg.AssetObservation(key, description=outcome.message)
        _raise_failures(outcomes)

    return landing


def _extract(
    lake: Lake,
    extractor: Extractor,
    roster: Roster,
    account: str,
    sections: Sequence[str],
    partitions: PartitionRange,
    config: Extraction,
) -> ExtractionOutcome:
    """Extract what an account is missing; nothing if its exports are dropped manually."""
    now, first, last = extractor.clock(), partitions.first_day, partitions.last_day
    if config.days is not None:
        first = max(first, min(last, now.date()) - dt.timedelta(days=config.days - 1))
    if is_manual(lake, account):
        note = (
            f"{account}: has no login, so nothing was requested from Studio; its exports are dropped manually. To "
            f"extract them automatically: `tiktok-assets login {account}`."
        )
        return ExtractionOutcome(
            request=ExtractionRequest(account=roster[account], sections=[], first=first, last=last), notes=[note]
        )
    since = now if config.refresh else None
    return extractor(extraction_request(lake, roster[account], sections, first, last, now=now, refresh_since=since))


def _raise_failures(outcomes: Iterable[ExtractionOutcome]) -> None:
    """Raise the failure of the only account that has one, or one failure that names all of them."""
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    if len(failures) > 1:
        raise ExtractionFailed("\n".join(str(failure.description) for failure in failures))
    for failure in failures:
        raise failure


def _facts(lake: Lake, accounts: Sequence[str], section: str, outcomes: Iterable[ExtractionOutcome]) -> Facts:
    """What lies in landing of the section, and what this run added to it."""
    with lake.looking_at(accounts):
        files_of = (path for key in accounts for path in account_files(lake, key))
        sizes = {path: size_of(path) for path in files_of if read_name(path.name).section == section}
    landed = [one for outcome in outcomes for one in outcome.landed]
    files = [one for one in landed if isinstance(one, LandedFile) and one.section == section]
    insights = [one for one in landed if isinstance(one, LandedInsights) and section == INSIGHTS]
    notes = [note for outcome in outcomes for note in outcome.notes]
    facts: Facts = {
        "files": len(sizes),
        "bytes": sum(sizes.values()),
        "newest": part_of_list([path.name for path in reversed(sizes)]),
        "new_files": len(files) + len([one for one in insights if one.path]),
    }
    if notes:
        facts["note"] = " ".join(notes)
    if files:
        rows = [
            (one.account, str(one.window), one.path.name, one.bytes, one.rows, one.seconds, one.attempts)
            for one in files
        ]
        columns = ["account", "window", "file", "bytes", "rows", "seconds", "attempts"]
        facts["exports"] = dg.MetadataValue.md(markdown_table(pl.DataFrame(rows, columns, orient="row")))
    if insights:
        facts["videos"] = sum(one.videos for one in insights)
        facts["numbers"] = sum(one.rows for one in insights)
        facts["seconds"] = dg.MetadataValue.float(sum(one.seconds for one in insights))
        facts["missing"] = part_of_list([text for one in insights for text in one.missing])
    return facts


class LandingEvents:
    """What landed, reported to Dagster without an extraction. Remembers what Dagster already has."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def unknown(
        self, instance: dg.DagsterInstance, landed: Iterable[LandedExport], most: int | None = None
    ) -> list[dg.AssetMaterialization]:
        """An event for each partition of landing that Dagster does not have yet; at most ``most``."""
        files: dict[tuple[str, str], list[str]] = {}
        for export in landed:
            for section, month in itertools.product(export.sections, export.months):
                place = (section, event_key(export.account, month))
                if place not in self._known:
                    files.setdefault(place, []).append(export.source)
        checked = dict(itertools.islice(files.items(), most))
        for section in {section for section, _ in checked}:
            keys = {str(key) for other, key in checked if other == section}
            stored = instance.get_latest_storage_id_by_partition(
                dg.AssetKey(["landing", section]), dg.DagsterEventType.ASSET_MATERIALIZATION, keys
            )
            self._known.update((section, key) for key in stored)
        news = [place for place in checked if place not in self._known]
        self._known.update(news)
        return [
            dg.AssetMaterialization(
                ["landing", section], partition=key, metadata={"files": part_of_list(files[section, key], most=_NAMED)}
            )
            for section, key in news
        ]
