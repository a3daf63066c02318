"""Everything new in landing, processed in this process.

The same intake, batches and job as the sensor's, without a daemon. Results are plain data; printing is the command
line's. Belongs here: the steps of a pass. Does not belong here: one run (``runs``), which needs Dagster. If nothing is
new, Dagster is never imported, which saves two seconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_assets import clock
from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.failures import Failure
from tiktok_assets.inbox.intake import Intake, LandedExport, by_account, take_in
from tiktok_assets.inbox.receipts import waiting_for_publication
from tiktok_assets.inbox.run_plan import are_planned, note_deaths
from tiktok_assets.inbox.streams import months_to_make
from tiktok_assets.inbox.verify import repair
from tiktok_assets.label import targets
from tiktok_assets.label.songs import load_songs
from tiktok_assets.pipeline.results import AccountResult, Interrupted, Result
from tiktok_assets.progress import Progress, silent
from tiktok_assets.settings import Settings, project_root
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import PLANNING, may_have_dead_runs
from tiktok_assets.storage.locks import Held, Locks
from tiktok_assets.storage.state import locks_of

if TYPE_CHECKING:
    import dagster as dg

log = logging.getLogger(__name__)
PROCESS = "process_exports"
_LOOK_AGAIN = 0.3  # seconds

__all__ = ["AccountResult", "Interrupted", "Result", "process", "project_instance"]


def process(
    settings: Settings,
    *,
    instance: dg.DagsterInstance | None = None,
    progress: Progress = silent,
) -> Result:
    """Take in the files in landing and run ``process_exports`` for the accounts with new exports, several per run.

    ``instance``: where Dagster keeps the history; the project's own by default. ``progress`` receives the accounts of
    the run, and how many of all partitions (account times month) are done. Raises Interrupted.
    """
    with planning(settings, "`process`"):
        return process_alone(settings, instance=instance, progress=progress)


def planning(settings: Settings, holder: str) -> contextlib.AbstractContextManager[Held]:
    """Nobody else, neither the sensor nor another `process` or `rebuild`, plans runs during the block."""
    return locks_of(settings, holder).hold(PLANNING, say=lambda text: log.warning("%s", text))


def process_alone(
    settings: Settings, *, instance: dg.DagsterInstance | None = None, progress: Progress = silent
) -> Result:
    """As ``process``, for a caller that holds ``planning``."""
    with _stoppable() as stop:
        return _process(settings, instance, progress, stop)


def _process(
    settings: Settings, instance: dg.DagsterInstance | None, progress: Progress, stop: threading.Event
) -> Result:
    lake, roster = Lake(settings), load_roster(settings)
    warehouse = Warehouse(settings.working_warehouse, settings.warehouse)
    songs = load_songs(settings)
    lost = tuple(repair(lake, roster, warehouse) or ())
    intake = take_in(lake, roster)
    is_done = _is_published(lake, roster, warehouse) and not months_to_make(lake, songs, intake.streams)
    if not intake.landed and is_done and not may_have_dead_runs(locks_of(settings)):
        _send_alerts(lake, roster, None)
        return Result(intake=intake, accounts=(), lost=lost)
    with instance or project_instance() as history:
        result = _run(lake, roster, intake, warehouse, history, progress, stop)
        _send_alerts(lake, roster, history)
    return dataclasses.replace(result, lost=lost)


def _run(
    lake: Lake,
    roster: Roster,
    intake: Intake,
    warehouse: Warehouse,
    history: dg.DagsterInstance,
    progress: Progress,
    stop: threading.Event,
) -> Result:
    """Process what landed; then, if those runs did not, publish everything that is stored."""
    from tiktok_assets.graph import build_definitions
    from tiktok_assets.pipeline.runs import Runner, publish
    from tiktok_assets.pipeline.streams import PROCESS_STREAMS, run_streams
    from tiktok_assets.storage.run_locks import end_dead_runs

    definitions, locks = build_definitions(lake.settings), locks_of(lake.settings)
    dead = end_dead_runs(history, locks)
    note_deaths(lake, [run.tags for run in dead], list(roster))
    if intake.landed:  # one of the sensor's runs may have processed it since, even while Dagster was imported
        _wait_for_others(lake, locks, list(roster), by_account(intake.landed), history)
        later = take_in(lake, roster)
        intake = dataclasses.replace(later, rejected=(*intake.rejected, *later.rejected))
    groups = by_account(intake.landed)
    runner = Runner(lake, list(roster), definitions.resolve_job_def(PROCESS), history, progress, stop)
    results = runner.run(groups)
    # A new export can change the alignment of the labels of others and so their days: those months are rebuilt.
    moved: Mapping[str, list[LandedExport]] = {}
    if groups:
        later = take_in(lake, roster)
        intake = dataclasses.replace(intake, rejected=(*intake.rejected, *later.rejected))
        moved = by_account(later.landed)
    succeeded = {account for account, result in results.items() if result.succeeded}
    moved = {account: exports for account, exports in moved.items() if account in succeeded}
    for account, again in runner.run(moved).items():
        results[account] = _merged(results[account], again)
    streams = None
    if months := months_to_make(lake, load_songs(lake.settings), intake.streams):
        streams = run_streams(definitions.resolve_job_def(PROCESS_STREAMS), history, months, intake.streams)
    unpublished, has_published = None, False
    if not _is_published(lake, roster, warehouse):
        unpublished = publish(definitions.resolve_job_def("publish_warehouse"), history)
        has_published = unpublished is None
    return Result(
        intake=intake,
        accounts=tuple(results[account] for account in groups),
        streams=streams,
        dead_runs=len(dead),
        has_published=has_published,
        unpublished=unpublished,
    )


def _send_alerts(lake: Lake, roster: Roster, history: dg.DagsterInstance | None) -> None:
    """Send what is new where ``TIKTOK_NOTIFY`` is set; ``history``: None where no run was started. It fails nothing."""
    if lake.settings.notify is None:
        return
    from tiktok_assets.notices.sending import send_alerts

    now, runs = clock.now(), []
    try:
        if history is not None:
            from tiktok_assets.notices.failed_runs import failed_runs

            runs = failed_runs(history, list(roster), now)
        send_alerts(lake, roster, runs, now)
    except (Failure, OSError) as error:
        log.warning("No alert could be sent: %s", error)


def _is_published(lake: Lake, roster: Roster, warehouse: Warehouse) -> bool:
    """Whether people see everything that is stored, and the targets as they are written."""
    is_waiting = bool(waiting_for_publication(lake, roster))
    return not is_waiting and not warehouse.is_behind() and targets.is_published(lake.settings, roster)


def _wait_for_others(
    lake: Lake, locks: Locks, roster: list[str], accounts: Collection[str], history: dg.DagsterInstance
) -> None:
    """Wait for the runs that the sensor has requested for ``accounts``."""
    from tiktok_assets.storage.run_locks import wait_for_runs

    while not wait_for_runs(history, locks, PROCESS, roster, accounts) and are_planned(lake):
        time.sleep(_LOOK_AGAIN)


def _merged(first: AccountResult, again: AccountResult) -> AccountResult:
    """Both runs of an account as one result."""
    return dataclasses.replace(
        again,
        exports=first.exports,
        first_month=min(first.first_month, again.first_month),
        last_month=max(first.last_month, again.last_month),
        warnings=tuple(dict.fromkeys((*first.warnings, *again.warnings))),
    )


def project_instance() -> dg.DagsterInstance:
    """The history that ``make dev`` shows: in the data folder, or that of a DAGSTER_HOME with its own dagster.yaml."""
    import dagster as dg

    home = Path(os.environ.get("DAGSTER_HOME") or project_root())
    configured = home if (home / "dagster.yaml").is_file() else project_root()
    return dg.DagsterInstance.from_config(str(configured))


@contextlib.contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Records whether Ctrl-C or SIGTERM came during the block; a Dagster run has signal handlers of its own.

    Raises Interrupted if one came between runs.
    """
    stop = threading.Event()

    def interrupt(*_: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only the main thread gets signals
        yield stop
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted("Stopped between two runs. Nothing is lost; run it again to continue.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
