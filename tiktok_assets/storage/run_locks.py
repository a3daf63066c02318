"""What a run holds while it lives, and how a run whose process died is found.

Belongs here: the locks of runs as Dagster resources, and the end of runs whose process is gone. Does not belong here:
what locks are (``locks``), how they are called (``lock_names``), and what a run does.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import time
from collections.abc import Collection, Iterator, Sequence

import dagster as dg

from tiktok_assets.partitions import accounts_of
from tiktok_assets.storage.dagster_internals import keep_connections, report_dead
from tiktok_assets.storage.lock_names import RUN, account_lock, life_lock
from tiktok_assets.storage.locks import WAITING, Held, Locks

log = logging.getLogger(__name__)

RUN_LIFE, ACCOUNT_LOCKS = "run_life", "account_locks"

# A run without its lock after this time, and whose process is gone, never started.
_START_UP = dt.timedelta(minutes=2)
_LOOK_AGAIN = 0.3  # seconds
UNDER_WAY = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
NOT_ENDED = (dg.DagsterRunStatus.QUEUED, *UNDER_WAY)
_DIED = (
    "The process of this run ended without reporting: it was killed, or the computer was switched off. Nothing is "
    "lost: what it stored stays, and its exports are processed again by the sensor's next tick or by `tiktok-assets "
    "process`."
)


def run_life(locks: Locks) -> dg.ResourceDefinition:
    """A resource that holds the run's own lock: once it is free, the run is over, however it ended."""

    def held(context: dg.InitResourceContext) -> Iterator[None]:
        if context.run is None:
            yield
            return
        if context.instance is not None:
            keep_connections(context.instance)
        name = life_lock(context.run.run_id)
        with locks.hold(name, say=_logged(context)):
            yield
            locks.forget(name)

    description = "Held as long as the run lives."
    return dg.ResourceDefinition(held, description=description)


def account_locks(locks: Locks, roster: Sequence[str]) -> dg.ResourceDefinition:
    """A resource that holds the accounts of the run: no other run changes their tables meanwhile. It is a ``Held``."""

    def held(context: dg.InitResourceContext) -> Iterator[Held]:
        names = [] if context.run is None else [account_lock(one) for one in accounts_of(context.run.tags, roster)]
        holder = "" if context.run is None else f"run {context.run.run_id[:8]}"
        with locks.held_by(holder).hold(names, say=_logged(context)) as accounts:
            yield accounts

    description = "The accounts of the run, held until it ends."
    return dg.ResourceDefinition(held, description=description, required_resource_keys={RUN_LIFE})


class CommittingIOManager(dg.IOManager):
    """``manager``, which stores nothing more once the run has lost the locks it ``held`` on its accounts."""

    def __init__(self, manager: dg.IOManager, held: Held) -> None:
        self._manager, self._held = manager, held

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        self._held.require()
        self._manager.handle_output(context, obj)

    def load_input(self, context: dg.InputContext) -> object:
        return self._manager.load_input(context)


def _logged(context: dg.InitResourceContext):
    return (context.log or dg.get_dagster_logger()).info


def end_dead_runs(instance: dg.DagsterInstance, locks: Locks) -> list[dg.DagsterRun]:
    """Mark every run as failed that is recorded as under way but whose process is gone; return those runs."""
    dead = []
    for record in instance.get_run_records(dg.RunsFilter(statuses=list(UNDER_WAY))):
        run = record.dagster_run
        if _is_dead(instance, locks, record):
            report_dead(instance, run, _DIED)
            dead.append(run)
    locks.forget_abandoned(RUN)  # also of runs that have ended or that Dagster does not know
    return dead


def wait_for_runs(
    instance: dg.DagsterInstance, locks: Locks, jobs: Collection[str], roster: Sequence[str], accounts: Collection[str]
) -> bool:
    """Wait for the runs of ``jobs`` for ``accounts`` that Dagster has queued or started; whether there were any.

    A run that does not start within two minutes is not waited for: no Dagster may be there to start it.
    """
    waited = False
    while names := _expected(instance, locks, jobs, roster, accounts):
        if not waited:
            log.warning("%s%s, which Dagster has queued or started.", WAITING, ", ".join(names))
        waited = True
        time.sleep(_LOOK_AGAIN)
    return waited


def _expected(
    instance: dg.DagsterInstance, locks: Locks, jobs: Collection[str], roster: Sequence[str], accounts: Collection[str]
) -> list[str]:
    """The runs that live, or were queued or launched so recently that they may still start."""
    young = dt.datetime.now(dt.UTC) - _START_UP
    return [
        f"run {record.dagster_run.run_id[:8]}"
        for record in instance.get_run_records(dg.RunsFilter(statuses=list(NOT_ENDED)))
        if record.dagster_run.job_name in jobs
        if set(accounts_of(record.dagster_run.tags, roster)) & set(accounts)
        if locks.is_held(life_lock(record.dagster_run.run_id)) or record.update_timestamp.replace(tzinfo=dt.UTC) > young
    ]


def _is_dead(instance: dg.DagsterInstance, locks: Locks, record: dg.RunRecord) -> bool:
    name = life_lock(record.dagster_run.run_id)
    if locks.was_taken(name):
        # Checked again: the run may have ended between the two queries.
        return not locks.is_held(name) and _is_under_way(instance, record)
    if not locks.are_of_one_machine:  # it may start anywhere; Dagster's run monitoring ends one that never does
        return False
    if dt.datetime.now(dt.UTC) - record.update_timestamp.replace(tzinfo=dt.UTC) < _START_UP:
        return False
    return not any(_is_alive(pid) for pid in _pids(instance, record.dagster_run.run_id))


def _is_under_way(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    run = instance.get_run_by_id(record.dagster_run.run_id)
    return run is not None and run.status in UNDER_WAY


def _pids(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    """The processes that Dagster's log names as those of the run."""
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT):
        metadata = entry.get_dagster_event().engine_event_data.metadata
        with contextlib.suppress(KeyError, ValueError):
            yield int(str(metadata["pid"].value))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
