"""Sensors: what happens by itself when exports arrive. The decision is pure; the sensor only reads the world."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.landing import landing_events
from tiktok_assets.intake import Intake, LandedExport, by_account, take_in
from tiktok_assets.partitions import RANGE_END, RANGE_START, range_tags
from tiktok_assets.storage.lake import Lake

EXPORTS_TAG = "tiktok/exports"
ACCOUNT_TAG = "tiktok/account"
# A set of exports whose run did not finish it is asked for once more by itself; then a person has to look.
MAX_TRIES = 2
# A run that succeeded and left its exports unfinished counts as a try for so long; then the lake may have been emptied.
_FRUITLESS = dt.timedelta(days=1)
# A started run that has said nothing for so long was killed with its machine and holds nothing up. One in the queue
# says nothing either, and waits longer than that behind 1,000 accounts.
_DEAD_AFTER = dt.timedelta(hours=2)
# A damaged file that changed less than this ago may still be being written.
_PATIENCE = 10.0  # seconds
# Each event costs the daemon 8 to 90 ms, by how busy the disk is; the rest is reported by the next look or the run.
_EVENTS_A_TICK = 100

_UNDER_WAY = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def run_requests(
    landed: Iterable[LandedExport], in_flight: frozenset[str], tries: Mapping[str, int]
) -> list[dg.RunRequest]:
    """One run per account, over every month its new exports touch. Pure: the sensor only reads the world.

    ``in_flight``: accounts with a run that has not ended. ``tries``: how many runs for a set of exports, by its
    digest, have ended without finishing it.
    """
    requests = []
    for account, exports in by_account(landed).items():
        digest = digest_of(exports)
        if account in in_flight or tries.get(digest, 0) >= MAX_TRIES:
            continue
        months = [month for export in exports for month in export.months]
        requests.append(
            dg.RunRequest(tags={**range_tags([account], months), ACCOUNT_TAG: account, EXPORTS_TAG: digest})
        )
    return requests


def digest_of(exports: Iterable[LandedExport]) -> str:
    """A name for a set of exports of one account."""
    ids = "\n".join(sorted({f"{export.account}/{export.export_id}" for export in exports}))
    return hashlib.sha256(ids.encode()).hexdigest()[:16]


def build_new_exports(lake: Lake, roster: Roster, job: UnresolvedAssetJobDefinition) -> dg.SensorDefinition:
    """The sensor that turns files in ``data/landing`` into runs."""

    @dg.sensor(
        name="new_exports",
        job=job,
        # Dagster looks every 5 s which sensors are due: of 10 s, asked for exactly, it makes 15.
        minimum_interval_seconds=max(1, lake.settings.sensor_interval - 1),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Drop exports into data/landing: they go to their account and are processed, one run per account.",
    )
    def new_exports(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        # Asked first: a run that ends while the files are looked at still counts as under way.
        in_flight = _accounts_in_flight(context.instance, roster)
        intake = take_in(lake, roster, patience=_PATIENCE)
        tries = _tries(context.instance, intake.landed)
        requests = run_requests(intake.landed, in_flight, tries)
        events = list(landing_events(context.instance, intake.landed))
        for rejected in intake.rejected:
            context.log.warning(f"quarantined: {rejected.message}")
        if requests or events:
            return dg.SensorResult(run_requests=requests, asset_events=events[:_EVENTS_A_TICK])
        return dg.SkipReason(_why_nothing(intake, tries))

    return new_exports


def _why_nothing(intake: Intake, tries: Mapping[str, int]) -> str:
    groups = by_account(intake.landed).items()
    given_up = [account for account, exports in groups if tries.get(digest_of(exports), 0) >= MAX_TRIES]
    parts = []
    if given_up:
        parts.append(
            f"{MAX_TRIES} runs did not finish the exports of {', '.join(given_up)}: look at the last one, mend what it "
            "names, and re-execute it. A new file of the account starts over, too."
        )
    if intake.waiting:
        parts.append(f"Still being written: {', '.join(intake.waiting)}.")
    if intake.unreadable:
        parts.append(f"Cannot be read: {'; '.join(intake.unreadable)}")
    if intake.rejected:
        parts.append(f"Set aside in quarantine: {'; '.join(rejected.message for rejected in intake.rejected)}")
    if intake.left_alone:
        parts.append(f"Left where it is: {'; '.join(intake.left_alone)}")
    if len(groups) > len(given_up):
        parts.append("A run for the new exports is under way.")
    return " ".join(parts) or "No new exports in landing."


def _tries(instance: dg.DagsterInstance, landed: Iterable[LandedExport]) -> Mapping[str, int]:
    """How many runs for each account's set of new exports have ended: without finishing it, since it is still new."""
    digests = [digest_of(exports) for exports in by_account(landed).values()]
    if not digests:
        return {}
    tags = {EXPORTS_TAG: digests}
    failed = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    lately = dt.datetime.now(dt.UTC) - _FRUITLESS
    fruitless = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], tags=tags, updated_after=lately)
    ended = [*instance.get_runs(dg.RunsFilter(statuses=failed, tags=tags)), *instance.get_runs(fruitless)]
    return Counter(run.tags[EXPORTS_TAG] for run in ended)


def _accounts_in_flight(instance: dg.DagsterInstance, roster: Roster) -> frozenset[str]:
    """The accounts that an unfinished run works on, whoever started it."""
    alive = dt.datetime.now(dt.UTC) - _DEAD_AFTER
    queued = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED]))
    under_way = instance.get_runs(dg.RunsFilter(statuses=_UNDER_WAY, updated_after=alive))
    keys = list(roster)
    accounts: set[str] = set()
    for run in [*queued, *under_way]:
        tags = run.tags
        first = tags.get(RANGE_START) or tags.get("dagster/partition")
        if first is None or "|" not in first:
            continue
        last = tags.get(RANGE_END, first)
        ends = [key.rpartition("|")[0] for key in (first, last)]
        if all(end in keys for end in ends):
            accounts.update(keys[keys.index(ends[0]) : keys.index(ends[1]) + 1])
    return frozenset(accounts)
