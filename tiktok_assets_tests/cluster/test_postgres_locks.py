"""Locks of many machines: free again once their holder is gone, kept over a restart of Postgres, or lost aloud."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tiktok_assets.failures import LockLost, StateUnavailable
from tiktok_assets.storage.lock_names import life_lock, may_have_dead_runs
from tiktok_assets.storage.locks import LockTaken
from tiktok_assets.storage.postgres import Postgres
from tiktok_assets.storage.postgres_locks import PostgresLocks, Session
from tiktok_assets_tests.cluster import services

psycopg = pytest.importorskip("psycopg")
pytestmark = pytest.mark.cluster

PRELUDE = """
import os, sys, time
from pydantic import SecretStr
from tiktok_assets.storage.postgres import Postgres
from tiktok_assets.storage.postgres_locks import PostgresLocks
locks = PostgresLocks(Postgres(SecretStr(os.environ["STATE"])), "run 6a7b1c2d")
"""
HOLD = f"""{PRELUDE}
with locks.hold(sys.argv[1:]):
    print("held", flush=True)
    time.sleep(600)
"""
FORK = f"""{PRELUDE}
with locks.hold(sys.argv[1:]):
    child = os.fork()
    if child == 0:
        time.sleep(600)
    print(child, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def locks(database: Postgres) -> PostgresLocks:
    return PostgresLocks(database)


@contextlib.contextmanager
def started(code: str, locks: PostgresLocks, *names: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds ``names``: another machine, as far as Postgres knows."""
    environment = os.environ | {"STATE": locks.database.url.get_secret_value()}
    command = [sys.executable, "-c", code, *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until ``holds``."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def cut_off(locks: PostgresLocks) -> None:
    """End every session of the database, as a network that fails does."""
    with locks.database.transaction("") as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def test_a_lock_is_free_again_once_its_process_is_killed(locks: PostgresLocks) -> None:
    with started(HOLD, locks, "account-zonea0", life_lock("6a7b")) as process:
        assert line_of(process) == "held"
        assert locks.is_held(life_lock("6a7b")) and not may_have_dead_runs(locks)
        who = rf"account-zonea0 is held by run 6a7b1c2d \(process {process.pid} on {socket.gethostname()}\) since 2"
        with pytest.raises(LockTaken, match=who), locks.hold("account-zonea0", wait=False):
            pass
        process.kill()
        process.wait()
    with locks.hold("account-zonea0"):
        assert locks.is_held("account-zonea0")
    eventually(lambda: not locks.is_held(life_lock("6a7b")))
    assert may_have_dead_runs(locks)
    locks.forget_abandoned("run ")
    assert not may_have_dead_runs(locks) and locks.was_taken("account-zonea0")


def test_a_forked_child_neither_keeps_nor_ends_the_lock_of_its_parent(locks: PostgresLocks) -> None:
    with started(FORK, locks, "warehouse") as process:
        child = int(line_of(process))
        try:
            assert locks.is_held("warehouse")
            process.kill()
            process.wait()
            with locks.hold("warehouse"):
                os.kill(child, 0)  # it lives
        finally:
            os.kill(child, signal.SIGKILL)
    with locks.hold("account-north") as held:
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)
        held.require()
        assert locks.is_held("account-north")


def test_a_wait_is_reported_and_holders_of_several_locks_never_wait_for_each_other(locks: PostgresLocks) -> None:
    said, order = list[str](), list[str]()

    def hold(names: list[str]) -> None:
        with locks.hold(names, say=said.append):
            order.append(names[0])

    with locks.held_by("process").hold("b"):
        threads = [threading.Thread(target=hold, args=(names,)) for names in (["a", "b", "c"], ["c", "b", "a"])]
        for thread in threads:
            thread.start()
        eventually(lambda: any(f"held by process (process {os.getpid()} on " in one for one in said))
        assert order == []
    for thread in threads:
        thread.join(60)
    assert sorted(order) == ["a", "c"]
    assert said[0].startswith(f"Waiting for {'b' if ' b,' in said[0] else 'a'}, which is held by ")


def test_a_restart_of_postgres_takes_no_lock_from_its_holder(locks: PostgresLocks, server: services.Postgres) -> None:
    taken = list[str]()

    def wait() -> None:
        with locks.hold("account-north"):
            taken.append("by another")

    with locks.hold(["account-north", life_lock("6a7b")]) as held:
        waiter = threading.Thread(target=wait)
        waiter.start()
        server.restart()
        with pytest.raises(LockTaken), locks.hold("account-north", wait=False):
            pass
        assert not may_have_dead_runs(locks), "the run lives"
        held.require()
        assert locks.is_held("account-north") and taken == []
    waiter.join(60)
    assert taken == ["by another"]


def test_a_holder_whose_lock_was_taken_meanwhile_is_told_before_it_commits(locks: PostgresLocks) -> None:
    with locks.hold("account-north") as held:
        cut_off(locks)
        held.require()  # nobody has taken it: it is held again
        cut_off(locks)
        lost = r"lock on account-north was lost .* run 6a7b1c2d .* run this again"
        with locks.held_by("run 6a7b1c2d").hold("account-north"), pytest.raises(LockLost, match=lost):
            held.require()
        with pytest.raises(LockLost):  # also once it is free again
            held.require()
    with locks.hold("account-north") as held:
        cut_off(locks)
        with locks.held_by("run 7b1c2d6a").hold("account-north"):
            pass
        with pytest.raises(LockLost):  # free, but what it protects may have been changed
            held.require()


def test_a_holder_learns_each_time_that_postgres_does_not_answer(
    locks: PostgresLocks, server: services.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with locks.hold("account-north") as held:
        with monkeypatch.context() as impatient:
            impatient.setattr("tiktok_assets.storage.postgres._PATIENCE", 0.0)
            server.stop()
            for _ in range(2):  # as an asset that is stored, and the next one
                with pytest.raises(StateUnavailable):
                    held.require()
        server.start()
        held.require()
        assert locks.is_held("account-north")


def test_a_postgres_without_room_for_another_lock_is_named_with_the_remedy(
    locks: PostgresLocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise psycopg.errors.OutOfMemory("out of shared memory\nHINT: You might need to increase it.")

    with locks.hold("account-north") as held:
        monkeypatch.setattr(Session, "_without_gap", full)
        says = r"no room for another lock \(out of shared memory\)\. Set max_locks_per_transaction"
        with pytest.raises(StateUnavailable, match=says), locks.hold("account-south"):
            pass
        monkeypatch.undo()
        held.require()  # what is held, stays


def test_a_thousand_locks_are_held_at_once(locks: PostgresLocks) -> None:
    names = [f"account {number}" for number in range(1000)]
    with locks.hold(names) as held:
        held.require()
        assert locks.is_held("account 999")
    assert locks.abandoned("account ") == sorted(names)
