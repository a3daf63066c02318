"""What a run holds while it lives, observed in real runs; and dead runs, found by the locks they left."""

import datetime as dt
import os
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import dagster as dg
import pytest
import time_machine
from dagster._core.events import EngineEventData
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test

from tiktok_assets.accounts import load_roster
from tiktok_assets.assets.complete import build_complete
from tiktok_assets.assets.partitions import account_months
from tiktok_assets.failures import LockLost
from tiktok_assets.partitions import range_tags
from tiktok_assets.settings import Settings
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import may_have_dead_runs
from tiktok_assets.storage.run_locks import (
    ACCOUNT_LOCKS,
    RUN_LIFE,
    CommittingIOManager,
    account_locks,
    end_dead_runs,
    run_life,
)

JANUARY = dt.date(2025, 1, 1)
ROSTER = ["a", "b", "c"]


@pytest.fixture
def locks(tmp_path: Path) -> FileLocks:
    return FileLocks(tmp_path / "locks")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    locks: FileLocks, instance: dg.DagsterInstance, accounts: list[str], observed: list[tuple[str, list[str]]]
) -> dg.ExecuteInProcessResult:
    """A run over ``accounts`` that notes its id, and what of the roster and of itself is held while it works."""

    @dg.asset(partitions_def=account_months(ROSTER, JANUARY), required_resource_keys={ACCOUNT_LOCKS})
    def table(context: dg.AssetExecutionContext) -> None:
        names = [*(f"account {one}" for one in ROSTER), f"run {context.run.run_id}"]
        observed.append((context.run.run_id, [name for name in names if locks.is_held(name)]))

    resources = {RUN_LIFE: run_life(locks), ACCOUNT_LOCKS: account_locks(locks, ROSTER)}
    return dg.materialize([table], instance=instance, resources=resources, tags=range_tags(accounts, [JANUARY]))


def test_a_run_holds_itself_and_the_accounts_of_its_range_and_leaves_nothing(
    locks: FileLocks, instance: dg.DagsterInstance
) -> None:
    observed: list[tuple[str, list[str]]] = []
    assert run(locks, instance, ["a", "b"], observed).success
    [(run_id, held)] = observed
    assert held == ["account a", "account b", f"run {run_id}"]
    assert not any(locks.is_held(name) for name in held)
    assert not locks.was_taken(f"run {run_id}")
    assert not may_have_dead_runs(locks)


def test_a_run_waits_for_another_run_of_its_account_and_logs_its_name(
    locks: FileLocks, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    observed: list[tuple[str, list[str]]] = []
    waits: list[str] = []
    is_waiting, hold = threading.Event(), FileLocks.hold

    def heard(self: FileLocks, names: str | Collection[str], *, say: Callable[[str], object], **how: bool) -> object:
        return hold(self, names, say=lambda text: (say(text), is_waiting.set()), **how)

    def later() -> None:
        with dg.DagsterInstance.ephemeral() as other:
            result = run(locks, other, ["b"], observed)
            waits.extend(entry.user_message for entry in other.all_logs(result.run_id))

    with FileLocks(locks.folder, "run 6a7b1c2d").hold("account b"):
        monkeypatch.setattr(FileLocks, "hold", heard)
        waiter = threading.Thread(target=later)
        waiter.start()
        assert run(locks, instance, ["a"], observed).success  # another account does not wait
        assert is_waiting.wait(300)
        assert len(observed) == 1
    waiter.join()
    assert len(observed) == 2
    [waited] = [text for text in waits if text.startswith("Waiting for account b")]
    assert f"which is held by run 6a7b1c2d (process {os.getpid()}) since 2" in waited


class Lost:
    """Locks that are somebody else's by now."""

    def require(self) -> None:
        raise LockLost("The lock on account a was lost.")


def test_a_run_that_lost_its_accounts_stores_nothing_more() -> None:
    store = dg.InMemoryIOManager()
    context = dg.build_output_context(step_key="table", name="result", run_id="1")
    with pytest.raises(LockLost):
        CommittingIOManager(store, Lost()).handle_output(context, 1)
    assert store.values == {}


@pytest.mark.filterwarnings("ignore:.*is currently in beta")
def test_the_exports_of_a_run_that_lost_its_accounts_are_not_complete(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    lake, roster = Lake(settings), load_roster(settings)
    complete = build_complete(lake, roster, (), account_months(roster.partition_keys(), settings.start_date))
    result = dg.materialize(
        [complete],
        instance=instance,
        partition_key="pig1987|2026-03-01",
        resources={ACCOUNT_LOCKS: dg.ResourceDefinition.hardcoded_resource(Lost())},
        raise_on_error=False,
    )
    assert not result.success


def recorded(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tiktok_assets"), "__repository__")
    origin = RemoteJobOrigin(repository, "process_exports")
    return create_run_for_test(instance, job_name="process_exports", status=status, remote_job_origin=origin)


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
def test_a_run_whose_lock_is_free_is_dead_and_one_whose_lock_is_held_lives(
    locks: FileLocks, instance: dg.DagsterInstance, status: str
) -> None:
    dead, alive, new = (recorded(instance, dg.DagsterRunStatus(status)) for _ in range(3))
    with locks.hold(f"run {dead.run_id}"):
        pass
    assert may_have_dead_runs(locks)
    with locks.hold(f"run {alive.run_id}"):
        assert [one.run_id for one in end_dead_runs(instance, locks)] == [dead.run_id]
        statuses = [instance.get_run_by_id(one.run_id).status.value for one in (dead, alive, new)]  # pyright: ignore[reportOptionalMemberAccess]
        assert statuses == ["FAILURE", status, status]
    failure = instance.all_logs(dead.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "The process of this run ended without reporting" in str(failure[0].message)
    assert not locks.was_taken(f"run {dead.run_id}")


def test_a_run_that_never_took_its_lock_is_dead_once_its_process_is_gone(
    locks: FileLocks, instance: dg.DagsterInstance
) -> None:
    gone, works = (recorded(instance, dg.DagsterRunStatus.STARTING) for _ in range(2))
    for one, pid in ((gone, 2**22 + 1), (works, os.getpid())):  # the first is above any process id
        data = EngineEventData({"pid": dg.MetadataValue.text(str(pid))})
        instance.report_engine_event("Started process for run", one, data)
    assert end_dead_runs(instance, locks) == []  # it may be about to start
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=3)):
        assert [one.run_id for one in end_dead_runs(instance, locks)] == [gone.run_id]


class OfManyMachines(FileLocks):
    """Locks that processes of other machines take as well."""

    @property
    def are_of_one_machine(self) -> bool:
        return False


def test_a_run_that_never_took_its_lock_may_start_on_another_machine(
    locks: FileLocks, instance: dg.DagsterInstance
) -> None:
    new, dead = (recorded(instance, dg.DagsterRunStatus.STARTING) for _ in range(2))
    with locks.hold(f"run {dead.run_id}"):
        pass
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=3)):
        assert [one.run_id for one in end_dead_runs(instance, OfManyMachines(locks.folder))] == [dead.run_id]
    assert instance.get_run_by_id(new.run_id).status.value == "STARTING"  # pyright: ignore[reportOptionalMemberAccess]


def test_runs_in_the_queue_and_ended_ones_are_left_alone(locks: FileLocks, instance: dg.DagsterInstance) -> None:
    for status in ("QUEUED", "SUCCESS", "FAILURE", "CANCELED"):
        with locks.hold(f"run {recorded(instance, dg.DagsterRunStatus(status)).run_id}"):
            pass
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=3)):
        assert end_dead_runs(instance, locks) == []
    assert not may_have_dead_runs(locks)
