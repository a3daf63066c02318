"""Sensors: what happens automatically when exports arrive. The decision is pure; the sensor only reads the state."""

import datetime as dt
import time
from collections.abc import Collection, Mapping, Sequence

import dagster as dg

from tiktok_assets import clock
from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.landing import LandingEvents
from tiktok_assets.assets.publishing import overdue
from tiktok_assets.assets.quarantine import NOTHING, fingerprint, named_files, quarantine_evaluations
from tiktok_assets.assets.runs import AssetJobs
from tiktok_assets.batches import Batch
from tiktok_assets.inbox.findings import Finding
from tiktok_assets.inbox.intake import Intake, LandedExport, by_account, take_in
from tiktok_assets.inbox.quarantine import in_quarantine, sentence
from tiktok_assets.inbox.run_plan import (
    MAX_TRIES,
    Loading,
    given_up,
    loading,
    note_batch,
    note_deaths,
    note_planned,
    runs_to_start,
)
from tiktok_assets.inbox.streams import months_to_make
from tiktok_assets.inbox.tries import tries
from tiktok_assets.inbox.verify import repair
from tiktok_assets.label.songs import InvalidSongs, Song, load_songs
from tiktok_assets.label.targets import published
from tiktok_assets.notices.failed_runs import failed_runs, newest_failure
from tiktok_assets.notices.sending import NOT_SET, has_work, send_alerts
from tiktok_assets.notices.state import fingerprint as fingerprint_of_alerts
from tiktok_assets.partitions import accounts_of, month_tags
from tiktok_assets.settings import APART, TOGETHER
from tiktok_assets.storage.dagster_internals import AssetJob
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import PLANNING
from tiktok_assets.storage.locks import LockTaken
from tiktok_assets.storage.manifest import digest_of
from tiktok_assets.storage.published_file import published_file
from tiktok_assets.storage.run_locks import NOT_ENDED, end_dead_runs
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.streams import noted

# A damaged file that changed less than this ago may still be being written.
_SETTLE_SECONDS = 10.0  # seconds
# Reading time of one tick; Dagster ends a tick after 60 s, and the UI shows nothing meanwhile.
_READ_BUDGET = 4.0  # seconds
# Runs under way or in the queue; further exports wait in landing, where newer ones join them.
_RUNS_AT_ONCE = {TOGETHER: 10, APART: 64}
_STREAMS_AGAIN = 3600.0  # seconds
_PUBLISH_AGAIN = 300.0  # seconds
# How often everything is compared with what was processed; `process` does it each time.
_VERIFY_AGAIN = 86_400.0  # seconds
# Each event costs the daemon some ms; the rest is reported by the next tick or the run.
_EVENTS_A_TICK = 100
_REFRESH_INTERVAL = 30  # seconds
_CHANGE_TABLES = ("process_streams", "publish_warehouse")  # beside those that process and load
_ALERTS_INTERVAL = 30  # seconds


def build_new_exports(
    lake: Lake,
    roster: Roster,
    warehouse: Warehouse,
    jobs: AssetJobs,
    publish_warehouse: dg.JobDefinition,
) -> dg.SensorDefinition:
    """The sensor that turns files in landing into runs, and loads what those have made where loading is apart."""
    events, repairs = LandingEvents(), Repairs(lake, warehouse)

    @dg.sensor(
        name="new_exports",
        jobs=[*filter(None, (jobs.making, jobs.loading, jobs.streams)), publish_warehouse],
        # Dagster checks every 5 s which sensors are due: exactly 10 s would become 15.
        minimum_interval_seconds=max(1, lake.settings.sensor_interval - 1),
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Exports dropped into landing go to their account and are processed, many accounts per run.",
    )
    @reports_failures
    def new_exports(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        try:
            with locks_of(lake.settings, "the sensor new_exports").hold(PLANNING, wait=False), lake.looking():
                return look(context)
        except LockTaken as taken:
            return dg.SkipReason(f"{taken} What has landed is processed there, or by the next tick after it.")
        except InvalidSongs as error:  # every run would stop at it
            return dg.SkipReason(f"{error} Until then nothing is processed.")

    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        _end_dead_runs(context, lake, roster)
        # Queried first: a run that ends while the files are read still counts as under way.
        runs = context.instance.get_runs(dg.RunsFilter(statuses=list(NOT_ENDED)))
        in_flight = {account for run in runs for account in accounts_of(run.tags, list(roster))}
        for lost in () if runs else repairs.due():  # made again by the runs that this tick requests
            context.log.warning(f"was lost: {lost}")
        loads = _loading(lake, roster, jobs, runs, in_flight)
        intake = take_in(lake, roster, settle_seconds=_SETTLE_SECONDS, read_budget=_READ_BUDGET)
        _log_intake(context, lake, intake)
        groups = by_account(intake.landed)
        tried = tries(lake, groups)
        barred = in_flight | loads.before_the_lake
        runnable = runs_to_start(intake.landed, barred, tried, list(roster), lake.settings.run_size)
        started = runnable[: max(0, _RUNS_AT_ONCE[lake.settings.loading] - len(_of(runs, jobs.making)))]
        requests = _requests(lake, jobs.making, started, groups)
        if jobs.loading is not None:
            requests += _requests(lake, jobs.loading, loads.runs, loads.waiting)
        is_publishing = _of(runs, *jobs.publishing) or any(one.job_name in jobs.publishing for one in requests)
        if not is_publishing and (late := overdue(lake, roster, warehouse, time.time())):
            requests.append(_publication(publish_warehouse, late))
        if not _of(runs, jobs.streams):
            requests += _streams(lake, jobs.streams, intake)
        reported: list[dg.AssetMaterialization | dg.AssetCheckEvaluation] = []
        reported += events.unknown(context.instance, intake.landed, _EVENTS_A_TICK)
        # The cursor is what the checks of landing were judged by; they are judged again when quarantine has changed.
        if (seen := fingerprint(in_quarantine(lake))) != (context.cursor or NOTHING):
            reported += quarantine_evaluations(lake)
        if started or loads.runs:
            note_planned(lake)
        if requests:
            return dg.SensorResult(run_requests=requests, asset_events=reported, cursor=seen)
        why = dg.SkipReason(_why_nothing(lake, intake, [*given_up(groups, tried), *loads.given_up]))
        return dg.SensorResult(skip_reason=why, asset_events=reported, cursor=seen) if reported else why

    return new_exports


def _loading(
    lake: Lake, roster: Roster, jobs: AssetJobs, runs: Sequence[dg.DagsterRun], in_flight: Collection[str]
) -> Loading:
    if jobs.loading is None:
        return Loading()
    return loading(lake, list(roster), in_flight, is_under_way=bool(_of(runs, jobs.loading)))


def _of(runs: Sequence[dg.DagsterRun], *jobs: AssetJob | str) -> list[dg.DagsterRun]:
    names = [job if isinstance(job, str) else job.name for job in jobs]
    return [run for run in runs if run.job_name in names]


def _requests(
    lake: Lake, job: AssetJob, started: Sequence[Batch], groups: Mapping[str, list[LandedExport]]
) -> list[dg.RunRequest]:
    for batch in started:
        note_batch(lake, batch, groups)
    return [dg.RunRequest(job_name=job.name, tags=batch.tags) for batch in started]


def build_changed_tables(lake: Lake, jobs: AssetJobs) -> dg.SensorDefinition:
    """The sensor that has the reports made again: once after runs that changed tables, once a day, and when
    quarantine or the targets have changed."""

    @dg.sensor(
        name="changed_tables",
        job=jobs.refreshing,
        minimum_interval_seconds=_REFRESH_INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Once no run changes tables any more, the front page and the pages of changed accounts are made.",
    )
    @reports_failures
    def changed_tables(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        under_way = context.instance.get_runs(dg.RunsFilter(statuses=list(NOT_ENDED)))
        # Where loading is apart, runs may never pause, and publish at the end of each.
        changing = () if jobs.loading else (jobs.making.name, *_CHANGE_TABLES)
        if _of(under_way, jobs.refreshing, *changing):
            return dg.SkipReason("Tables are being changed.")
        done = dg.RunsFilter(job_name=(jobs.loading or jobs.making).name, statuses=[dg.DagsterRunStatus.SUCCESS])
        newest, changed = context.instance.get_runs(done, limit=1), published_file(lake.settings.warehouse).version()
        if not newest and not changed:
            return dg.SkipReason("No run has changed a table yet.")
        # A day later, other numbers are late and other exports are due.
        today, quarantine = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}", fingerprint(in_quarantine(lake))
        state = " ".join([*(run.run_id for run in newest), changed or "", today, quarantine, published(lake.settings)])
        if state == context.cursor:
            return dg.SkipReason("The reports are up to date.")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=state)], cursor=state)

    return changed_tables


def build_alerts(lake: Lake, roster: Roster) -> dg.SensorDefinition:
    """The sensor that sends alerts and whatever could not be sent before; on where ``TIKTOK_NOTIFY`` is set."""
    is_set, is_first = lake.settings.notify is not None, True

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=_ALERTS_INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING if is_set else dg.DefaultSensorStatus.STOPPED,
        description="Sends what somebody should know now to the addresses in TIKTOK_NOTIFY, each alert once.",
    )
    @reports_failures
    def alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        nonlocal is_first
        if not is_set:
            return dg.SkipReason(NOT_SET)
        now = clock.now()
        state = f"{newest_failure(context.instance)}\n{fingerprint_of_alerts(lake, now)}"
        if state == context.cursor and not is_first and not has_work(lake.settings, now):
            return dg.SkipReason("Nothing has changed, and nothing waits to be sent.")
        try:
            sent = send_alerts(lake, roster, failed_runs(context.instance, list(roster), now), now, wait=False)
        except LockTaken as taken:
            return dg.SkipReason(f"{taken} What is new is sent by the next tick after it.")
        is_first = False  # the settings of this process are known to have been looked at
        for problem in sent.problems:
            context.log.warning(problem)
        return dg.SensorResult(skip_reason=dg.SkipReason(str(sent)), cursor=state)

    return alerts


class Repairs:
    """``repair``, once a day from the start of the process on, and when the songs were edited."""

    def __init__(self, lake: Lake, warehouse: Warehouse) -> None:
        self._lake, self._warehouse, self._last = lake, warehouse, time.monotonic()
        self._songs: tuple[Song, ...] = ()

    def due(self) -> list[Finding]:
        """What was found to be lost, if it is time to look; empty while a run is under way, and then tried again.

        Raises InvalidSongs.
        """
        songs = load_songs(self._lake.settings)
        if songs == self._songs and time.monotonic() - self._last < _VERIFY_AGAIN:
            return []
        lost = repair(self._lake, load_roster(self._lake.settings), self._warehouse)
        if lost is None:
            return []
        self._last, self._songs = time.monotonic(), songs
        return lost


def _end_dead_runs(context: dg.SensorEvaluationContext, lake: Lake, roster: Roster) -> None:
    dead = end_dead_runs(context.instance, locks_of(lake.settings))
    note_deaths(lake, [run.tags for run in dead], list(roster))
    for run in dead:
        context.log.warning(f"Run {run.run_id} was marked as failed: its process is gone.")


def _streams(lake: Lake, job: AssetJob, intake: Intake) -> list[dg.RunRequest]:
    """The run that makes the months of streams that files or songs have changed; where it fails, once in an hour."""
    songs = load_songs(lake.settings)
    months = months_to_make(lake, songs, intake.streams)
    if not months:
        return []
    digest = digest_of(months, [one.export_id for one in intake.streams], songs, sorted(noted(lake).items()))
    return [
        dg.RunRequest(
            job_name=job.name, run_key=f"streams {digest} {time.time() // _STREAMS_AGAIN:.0f}", tags=month_tags(months)
        )
    ]


def _log_intake(context: dg.SensorEvaluationContext, lake: Lake, intake: Intake) -> None:
    for rejected in intake.rejected:
        context.log.warning(f"quarantined: {sentence(lake, rejected)}")
    if intake.postponed:
        context.log.info(_postponed(intake))


def _publication(job: dg.JobDefinition, late: str) -> dg.RunRequest:
    """At most once in a few minutes: with a full disk, further runs would only repeat the first failure."""
    return dg.RunRequest(job_name=job.name, run_key=f"publish {late} {time.time() // _PUBLISH_AGAIN:.0f}")


def _postponed(intake: Intake) -> str:
    return f"{intake.postponed} files wait for the next tick."


def _why_nothing(lake: Lake, intake: Intake, given_up: Sequence[str]) -> str:
    parts = []
    if given_up:
        parts.append(
            f"{MAX_TRIES} runs did not finish the exports of {', '.join(given_up)}: open the last run, fix the error "
            "it reports, and re-execute it. A new file of the account also starts over."
        )
    if intake.postponed:
        parts.append(_postponed(intake))
    if intake.waiting:
        parts.append(f"Still being written: {', '.join(intake.waiting)}.")
    if intake.unreadable:
        parts.append(f"Cannot be read: {'; '.join(intake.unreadable)}")
    if intake.rejected:
        parts.append(f"Quarantined: {'; '.join(sentence(lake, rejected) for rejected in intake.rejected)}")
    if intake.left_alone:
        parts.append(f"Left where it is: {'; '.join(intake.left_alone)}")
    if len(by_account(intake.landed)) > len(given_up):
        parts.append("A run for the new exports is under way.")
    parts = parts or ["No new exports in landing."]
    known = {rejected.moved_to for rejected in intake.rejected}
    if earlier := [path for path in in_quarantine(lake) if str(path) not in known]:
        parts.append(
            f"In quarantine: {named_files(lake, earlier)}; why, and what to do, say `tiktok-assets status` and the "
            "checks of landing."
        )
    return " ".join(parts)
