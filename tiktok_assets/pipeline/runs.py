"""Runs of ``process_exports`` in this process, one batch after the other, and the result of each.

Belongs here: one run, its retries, and its result. Does not belong here: which exports are new (``process``).
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from tiktok_assets.batches import Batch, batches
from tiktok_assets.checks.evaluation import broken_for
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.inbox.intake import LandedExport
from tiktok_assets.inbox.receipts import loaded
from tiktok_assets.inbox.run_plan import note_batch
from tiktok_assets.notices.failed_runs import why_failed
from tiktok_assets.partitions import MORE_TAG
from tiktok_assets.pipeline.results import AccountResult, Groups, Interrupted
from tiktok_assets.progress import Progress
from tiktok_assets.storage.dagster_internals import execute_quietly
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.locks import WAITING
from tiktok_assets.storage.metadata import part_of_list

# A line per event on the terminal would hide the progress bar; the history stores them all.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
log = logging.getLogger(__name__)


@dataclass
class Runner:
    """Runs one batch after the other; the accounts of a failed batch are run again one by one."""

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
        """Whether a failed run had stored all of these exports, so that no other run is needed."""
        return loaded(self.lake, exports[0].account).issuperset(export.export_id for export in exports)

    def _execute(self, batch: Batch, has_more: bool, done: int, total: int) -> dg.ExecuteInProcessResult:
        """One run. ``done`` of ``total`` partitions were made before it."""
        run_id, all_steps, steps = str(uuid.uuid4()), len(self.job.nodes), 0

        def count(entry: dg.EventLogEntry) -> None:
            nonlocal steps
            if entry.user_message.startswith(WAITING):
                log.warning("%s", entry.user_message)
            if entry.dagster_event and entry.dagster_event.is_step_success:
                steps += 1
                self.progress(batch.name, done + batch.size * steps // all_steps, total)

        self.progress(batch.name, done, total)
        self.history.add_event_listener(run_id, count)
        tags = batch.tags | ({MORE_TAG: "yes"} if has_more else {})
        return execute_quietly(self.job, self.history, tags, run_id, QUIET)


def _was_interrupted(run: dg.ExecuteInProcessResult) -> bool:
    """Whether a signal ended the run. Dagster turns it into a failure without telling its caller."""
    errors = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
    errors += [event.job_failure_data.error for event in run.all_events if event.is_job_failure]
    chain = [*errors, *(error.cause for error in errors if error)]
    return any(error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__ for error in chain)


def _left(batch: Batch, waiting: Sequence[Batch], found: Mapping[str, AccountResult]) -> str:
    left = [account for one in (batch, *waiting) for account in one.new if account not in found]
    done = f"Processed: {part_of_list(list(found))}. " if found else ""
    return f"Stopped. {done}Not processed yet: {part_of_list(left)}. Nothing is lost; run it again to continue."


def _result(run: dg.ExecuteInProcessResult, account: str, exports: list[LandedExport]) -> AccountResult:
    months = [month for export in exports for month in export.months]
    warnings = [f"{one_line(export.source)}: {text}" for export in exports for text in export.warnings]
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
        error=None if run.success else failure_of(run),
        failed_checks=tuple(named(dg.AssetCheckSeverity.ERROR)),
        warned_checks=named(dg.AssetCheckSeverity.WARN),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def publish(job: dg.JobDefinition, instance: dg.DagsterInstance) -> str | None:
    """Publish what earlier runs loaded; returns why that failed, if it did."""
    run = execute_quietly(job, instance, {}, str(uuid.uuid4()), QUIET)
    return None if run.success else failure_of(run)


def failure_of(run: dg.ExecuteInProcessResult) -> str:
    """Why a run failed, in a sentence."""
    return why_failed(run.all_events)
