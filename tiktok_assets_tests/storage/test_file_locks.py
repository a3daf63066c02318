"""Locks that end with their process: killed, forked, waited for in words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.locks import LockTaken

HOLD = """
import signal, sys, time, pathlib
for ending in (signal.SIGHUP, signal.SIGTERM):  # who started the tests may ignore them, as nohup does
    signal.signal(ending, signal.SIG_DFL)
from tiktok_assets.storage.file_locks import FileLocks
with FileLocks(pathlib.Path(sys.argv[1]), holder="run 6a7b1c2d").hold(sys.argv[2:]):
    print("held", flush=True)
    time.sleep(600)
"""
FORK = """
import os, sys, time, pathlib
from tiktok_assets.storage.file_locks import FileLocks
with FileLocks(pathlib.Path(sys.argv[1])).hold("warehouse"):
    child = os.fork()
    if child == 0:
        time.sleep(600)
    print(child, flush=True)
    time.sleep(600)
"""


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_a_lock_is_free_again_once_its_process_is_gone(tmp_path: Path, ending: signal.Signals) -> None:
    locks = FileLocks(tmp_path / "locks")
    with started(HOLD, locks.folder, "account-zonea0", "warehouse") as process:
        assert line_of(process) == "held"
        assert locks.is_held("warehouse")
        with pytest.raises(LockTaken, match=rf"warehouse is held by run 6a7b1c2d \(process {process.pid}\) since 2"):
            locks.hold("warehouse", wait=False).__enter__()
        process.send_signal(ending)
        process.wait()
        assert not locks.is_held("warehouse")
        with locks.hold(["warehouse", "account-zonea0"], wait=False):
            assert locks.is_held("account-zonea0")


def test_a_forked_child_does_not_keep_the_lock_of_a_killed_parent(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    with started(FORK, tmp_path) as process:
        child = int(line_of(process))
        try:
            assert locks.is_held("warehouse")
            process.kill()
            process.wait()
            with locks.hold("warehouse"):  # as soon as the child has come to run at all
                os.kill(child, 0)  # it lives
        finally:
            os.kill(child, signal.SIGKILL)


def test_threads_of_one_process_exclude_each_other_and_a_wait_is_reported(tmp_path: Path) -> None:
    locks, said, order = FileLocks(tmp_path, holder="process"), list[str](), list[str]()

    def second() -> None:
        with locks.hold("account-north", say=said.append):
            order.append("second")

    with locks.hold("account-north"):
        waiter = threading.Thread(target=second)
        waiter.start()
        while not said:
            time.sleep(0.01)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]
    (sentence,) = said
    assert sentence.startswith(f"Waiting for account-north, which is held by process (process {os.getpid()}) since ")


def test_holders_of_several_locks_never_wait_for_each_other(tmp_path: Path) -> None:
    locks, rounds = FileLocks(tmp_path), 20

    def hold(names: list[str]) -> None:
        for _ in range(rounds):
            with locks.hold(names):
                pass

    threads = [threading.Thread(target=hold, args=(names,)) for names in (["a", "b", "c"], ["c", "b", "a"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)


def test_more_locks_than_open_files_are_allowed_can_be_held(tmp_path: Path) -> None:
    code = (
        "import resource, sys, pathlib\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\n"
        "from tiktok_assets.storage.file_locks import FileLocks\n"
        "with FileLocks(pathlib.Path(sys.argv[1])).hold([f'account-{n}' for n in range(300)]):\n"
        "    print('all held')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "all held\n"


def test_names_that_are_no_file_names_are_locks_all_the_same(tmp_path: Path) -> None:
    locks = FileLocks(tmp_path)
    assert not locks.was_taken("account-a/b")
    with locks.hold("account-a/b"):
        assert locks.is_held("account-a/b")
        assert not locks.is_held("account-a")
    assert locks.was_taken("account-a/b")
    locks.forget("account-a/b")
    assert not locks.was_taken("account-a/b")
