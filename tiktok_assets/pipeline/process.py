"""Everything new in landing, processed in this process.

The same intake, batches and job as the sensor's, without a daemon. Results are plain data; printing is the command
line's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.execute_in_process import core_execute_in_process, merge_run_tags
from dagster._core.utils import make_new_run_id

from tiktok_assets.accounts import load_roster
from tiktok_assets.batches import Batch, batches
from tiktok_assets.checks.evaluation import broken_for
from tiktok_assets.graph import build_definitions
from tiktok_assets.inbox.intake import Intake, LandedExport, by_account, take_in
from tiktok_assets.inbox.receipts import loaded, waiting_for_publication
from tiktok_assets.partitions import MORE_TAG
from tiktok_assets.progress import Progress, silent
from tiktok_assets.sensors import note_batch, note_deaths
from tiktok_assets.settings import Settings, project_root
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.locks import WAITING, Locks
from tiktok_assets.storage.metadata import part_of_list
from tiktok_assets.storage.run_locks import end_dead_runs, may_have_dead_runs

# A line per event on the terminal would hide the progress bar; the history keeps them all.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
log = logging.getLogger(__name__)
Groups = Mapping[str, list[LandedExport]]


@dataclass(frozen=True, kw_only=True)
class AccountResult:
    """What became of one account's new exports.

    ``failed_checks``: promises broken, as "staging/overview has_rows"; ``warned_checks`` with the sentence each tells.
    """

    account: str
    exports: int
    first_month: dt.date
    last_month: dt.date
    succeeded: bool
    error: str | None
    failed_checks: tuple[str, ...]
    warned_checks: dict[str, str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Result:
    """One pass over landing."""

    intake: Intake
    accounts: tuple[AccountResult, ...]
    dead_runs: int = 0
    """Runs of killed processes that were marked as failed."""
    has_published: bool = False
    """Whether what an earlier run had stored was published now."""
    unpublished: str | None = None
    """Why what is stored could not become what people read; they go on reading what they had."""

    @property
    def is_clean(self) -> bool:
        """Nothing was set aside or left unread, no run or check with severity error failed, all is published."""
        runs = all(account.succeeded and not account.failed_checks for account in self.accounts)
        return runs and not self.unpublished and not self.intake.rejected and not self.intake.unreadable


class Interrupted(KeyboardInterrupt):
    """A person, or the system, asked the processing to stop. The message says what is done and what is left."""


def process(
    settings: Settings,
    *,
    instance: dg.DagsterInstance | None = None,
    progress: Progress = silent,
) -> Result:
    """Take in what lies in landing and run ``process_exports`` over the accounts with something new, many a run.

    ``instance``: where Dagster keeps the history; the project's own by default. ``progress`` is told the accounts of
    the run, and how many of how many partitions (account times month) are done. Raises Interrupted.
    """
    with _stoppable() as stop:
        return _process(settings, instance, progress, stop)


def _process(
    settings: Settings, instance: dg.DagsterInstance | None, progress: Progress, stop: threading.Event
) -> Result:
    lake, roster = Lake(settings), load_roster(settings)
    intake = take_in(lake, roster)
    groups = by_account(intake.landed)
    warehouse = Warehouse(settings.state / "warehouse.duckdb", settings.warehouse)
    is_published = not waiting_for_publication(lake, roster) and not warehouse.is_behind()
    if not groups and is_published and not may_have_dead_runs(Locks(settings.locks)):
        return Result(intake=intake, accounts=())
    definitions = build_definitions(settings)
    with instance or project_instance() as history:
        dead = end_dead_runs(history, Locks(settings.locks))
        note_deaths(lake, dead, list(roster))
        runner = _Runner(lake, list(roster), definitions.resolve_job_def("process_exports"), history, progress, stop)
        results = runner.run(groups)
        # What a new export tells of the labels of others may have moved their days: those months are made again.
        moved = by_account(take_in(lake, roster).landed) if groups else {}
        succeeded = {account for account, result in results.items() if result.succeeded}
        moved = {account: exports for account, exports in moved.items() if account in succeeded}
        for account, again in runner.run(moved).items():
            results[account] = _made_again(results[account], again)
        unpublished, has_published = None, False
        if waiting_for_publication(lake, roster) or warehouse.is_behind():
            unpublished = _publish(definitions.resolve_job_def("publish_warehouse"), history)
            has_published = unpublished is None
    return Result(
        intake=intake,
        accounts=tuple(results[account] for account in groups),
        dead_runs=len(dead),
        has_published=has_published,
        unpublished=unpublished,
    )


def _made_again(first: AccountResult, again: AccountResult) -> AccountResult:
    """Both runs of an account as one result."""
    return dataclasses.replace(
        again,
        exports=first.exports,
        first_month=min(first.first_month, again.first_month),
        last_month=max(first.last_month, again.last_month),
        warnings=tuple(dict.fromkeys((*first.warnings, *again.warnings))),
    )


def project_instance() -> dg.DagsterInstance:
    """The history that ``make dev`` shows: that of the data folder, or of a DAGSTER_HOME with its own dagster.yaml."""
    home = Path(os.environ.get("DAGSTER_HOME") or project_root())
    configured = home if (home / "dagster.yaml").is_file() else project_root()
    return dg.DagsterInstance.from_config(str(configured))


@dataclass
class _Runner:
    """Runs one batch after the other; of a batch that failed, each account alone."""

    lake: Lake
    roster: list[str]
    job: dg.JobDefinition
    history: dg.DagsterInstance
    progress: Progress
    stop: threading.Event

    def run(self, groups: Groups) -> dict[str, AccountResult]:
        """The result of each account, in the order of ``groups``."""
        months = {account: [month for one in exports for month in one.months] for account, exports in groups.items()}
        waiting = deque(batches(months, self.roster, self.lake.settings.run_size))
        total = sum(batch.size for batch in waiting)
        found: dict[str, AccountResult] = {}
        while waiting:
            batch = waiting.popleft()
            done = total - batch.size - sum(other.size for other in waiting)
            note_batch(self.lake, batch, groups)
            try:
                run = self._execute(batch, bool(waiting), done, total)
                if self.stop.is_set() or _was_interrupted(run):
                    raise KeyboardInterrupt
            except KeyboardInterrupt:
                note_batch(self.lake, batch, groups, by=-1)
                raise Interrupted(_left(batch, waiting, found)) from None
            found |= {account: _result(run, account, groups[account]) for account in batch.new}
            if not run.success and len(batch.new) > 1:
                only = {account: months[account] for account in batch.new if not self._is_loaded(groups[account])}
                again = batches(only, self.roster, self.lake.settings.run_size, alone=only)
                total += sum(one.size for one in again)
                waiting.extendleft(reversed(again))
        self.progress("", total, total)
        return found

    def _is_loaded(self, exports: list[LandedExport]) -> bool:
        """Whether a run that failed stored all of it before it did, so that no other one is needed."""
        return loaded(self.lake, exports[0].account).issuperset(export.export_id for export in exports)

    def _execute(self, batch: Batch, has_more: bool, done: int, total: int) -> dg.ExecuteInProcessResult:
        """One run. ``done`` of ``total`` partitions were made before."""
        run_id, all_steps, steps = make_new_run_id(), len(self.job.nodes), 0

        def count(entry: dg.EventLogEntry) -> None:
            nonlocal steps
            if entry.user_message.startswith(WAITING):
                log.warning("%s", entry.user_message)
            if entry.dagster_event and entry.dagster_event.is_step_success:
                steps += 1
                self.progress(batch.name, done + batch.size * steps // all_steps, total)

        self.progress(batch.name, done, total)
        self.history.add_event_listener(run_id, count)
        return _execute(self.job, self.history, batch.tags | ({MORE_TAG: "yes"} if has_more else {}), run_id)


@contextlib.contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Whether Ctrl-C or SIGTERM came while the block ran, and no run of Dagster's: that has handlers of its own.

    Raises Interrupted where they came between runs.
    """
    stop = threading.Event()

    def interrupt(*_: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # which alone gets signals
        yield stop
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except Interrupted:
        raise
    except KeyboardInterrupt:
        raise Interrupted("Stopped between two runs. Nothing is lost; run it again to go on.") from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _was_interrupted(run: dg.ExecuteInProcessResult) -> bool:
    """Whether a signal ended the run. Dagster makes a failure of it and says nothing to its caller."""
    errors = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
    errors += [event.job_failure_data.error for event in run.all_events if event.is_job_failure]
    chain = [*errors, *(error.cause for error in errors if error)]
    return any(error is not None and error.cls_name == DagsterExecutionInterruptedError.__name__ for error in chain)


def _left(batch: Batch, waiting: Sequence[Batch], found: Mapping[str, AccountResult]) -> str:
    left = [account for one in (batch, *waiting) for account in one.new if account not in found]
    done = f"Processed: {part_of_list(list(found))}. " if found else ""
    return f"Stopped. {done}Left for the next time: {part_of_list(left)}. Nothing is lost; run it again to go on."


def _result(run: dg.ExecuteInProcessResult, account: str, exports: list[LandedExport]) -> AccountResult:
    months = [month for export in exports for month in export.months]
    broken = {
        (check.severity, f"{check.asset_key.to_user_string()} {check.check_name}"): sentence
        for check in run.get_asset_check_evaluations()
        if (sentence := broken_for(check).get(account)) is not None
    }

    def named(severity: dg.AssetCheckSeverity) -> dict[str, str]:
        return {name: sentence for (of, name), sentence in broken.items() if of == severity}

    return AccountResult(
        account=account,
        exports=len(exports),
        first_month=min(months),
        last_month=max(months),
        succeeded=run.success,
        error=None if run.success else _why(run),
        failed_checks=tuple(named(dg.AssetCheckSeverity.ERROR)),
        warned_checks=named(dg.AssetCheckSeverity.WARN),
        warnings=tuple(dict.fromkeys(f"{export.source}: {text}" for export in exports for text in export.warnings)),
    )


def _publish(job: dg.JobDefinition, instance: dg.DagsterInstance) -> str | None:
    """Publish what other runs left loaded; why that failed, if it did."""
    run = _execute(job, instance, {}, make_new_run_id())
    return None if run.success else _why(run)


def _execute(
    job: dg.JobDefinition, instance: dg.DagsterInstance, tags: dict[str, str], run_id: str
) -> dg.ExecuteInProcessResult:
    """What ``job.execute_in_process`` does, without keeping every output: 1.7 GB for a list of 900,000 videos."""
    return core_execute_in_process(
        job=InMemoryJob(job_def=job.as_ephemeral_job(resource_defs={}, input_values={})),
        run_config=_QUIET,
        instance=instance,
        output_capturing_enabled=False,
        raise_on_error=False,
        run_tags=merge_run_tags(
            job_def=job, partition_key=None, tags=tags, asset_selection=[], instance=instance, run_config=_QUIET
        ),
        run_id=run_id,
        asset_selection=frozenset(),
    )


def _why(run: dg.ExecuteInProcessResult) -> str:
    for event in run.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            return f"{event.step_key}: {cause.message.strip() if cause else 'failed'}"
    return "the run failed before its first step"
