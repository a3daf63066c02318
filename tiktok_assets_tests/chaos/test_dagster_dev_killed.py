"""A real `dagster dev` whose workers, daemon and terminal are killed: what runs next ends with equal tables."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as dt_time
from pathlib import Path

import pytest

from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets_tests import budget
from tiktok_assets_tests.chaos.conftest import Note
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev, group_is_alive
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.lake_contents import LakeContents, differing, tables

pytestmark = [pytest.mark.chaos, pytest.mark.e2e]

ACCOUNTS = ("north", "south", "west")
VISITS = (
    (date(2025, 1, 1), date(2025, 5, 31)),
    (date(2025, 4, 10), date(2025, 8, 20)),
    (date(2025, 8, 1), date(2025, 12, 9)),
)
TIMEOUT = 300.0  # seconds; guards against hanging


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[DagsterDev]:
    """One with three accounts and nothing in landing."""
    here = DagsterDev(tmp_path / "home", ACCOUNTS, sensor_interval=1, studio_url="http://127.0.0.1:9")
    here.prepare()
    try:
        yield here
    finally:
        here.stop()


def visit(landing: Path, number: int) -> None:
    """All exports of every account, for one of three overlapping windows."""
    first, last = VISITS[number]
    for seed, name in enumerate(ACCOUNTS):
        truth = SimulatedAccount.generate(name, seed, date(2024, 12, 1), date(2026, 1, 10))
        moment = datetime.combine(last + timedelta(days=2), dt_time(16, 20, 31 + seed), UTC)
        for export in studio_exports(truth, first, last, downloaded_at=moment):
            land(export, landing / name / str(number))


def settings_of(here: DagsterDev) -> Settings:
    fields = {"data_dir": str(here.home / "data"), "accounts": ACCOUNTS, "accounts_file": here.home / "accounts.toml"}
    return Settings.model_validate(fields | {"start_date": date(2024, 1, 1)})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], LakeContents]:
    """What is stored after the first so many visits, each processed undisturbed."""
    folder, snapshots = tmp_path_factory.mktemp("undisturbed"), list[LakeContents]()
    (folder / "accounts.toml").touch()
    settings = Settings.model_validate(
        {"data_dir": folder / "data", "accounts": ACCOUNTS, "accounts_file": folder / "accounts.toml"}
        | {"start_date": date(2024, 1, 1)}
    )

    def stored(visits: int) -> LakeContents:
        while len(snapshots) < visits:
            visit(Path(str(settings.landing)), len(snapshots))
            assert process(settings, instance=fresh()).is_clean
            snapshots.append(tables(settings))
        return snapshots[visits - 1]

    return stored


def worker(here: DagsterDev) -> int | None:
    """The process of a run that has reached its tables and has not ended."""
    folder = here.home / "data" / "state" / "locks"
    locks = FileLocks(folder)
    for file in folder.glob("run*.lock"):
        run = file.name.removesuffix(".lock").replace("%20", " ")
        accounts = [locks.is_held(f"account {name}") for name in ACCOUNTS]
        if locks.is_held(run) and any(accounts):
            try:
                return int(json.loads(file.read_text())["pid"])
            except (ValueError, FileNotFoundError):
                return None
    return None


def waited_for(here: DagsterDev) -> int:
    """``worker``, as soon as there is one that has written something since it started."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if pid := worker(here):
            return pid
        time.sleep(0.01)
    raise AssertionError(f"no run reached its tables; the end of the log:\n{here.log()[-4000:]}")


def processed(here: DagsterDev) -> None:
    """A plain `process` succeeds."""
    running = here.process()
    said, _ = running.communicate(timeout=TIMEOUT)
    assert running.returncode == 0, said


def statuses(here: DagsterDev) -> list[str]:
    return sorted({run["status"] for run in here.runs()})


@budget.in_the_long_run
def test_dagster_dev_survives_killed_workers_a_killed_daemon_and_its_own_end(
    installation: DagsterDev, undisturbed: Callable[[int], LakeContents], tried: Note
) -> None:
    here = installation

    def is_published(visits: int) -> bool:
        return here.published("select 1").height == 1 and not differing(tables(settings_of(here)), undisturbed(visits))

    here.start()
    visit(here.landing, 0)
    os.kill(waited_for(here), signal.SIGKILL)  # a worker alone: the sensor asks for its accounts again
    here.wait_for("the tables of the first visit", lambda: is_published(1))
    here.wait_for("the end of all runs", lambda: set(statuses(here)) <= {"SUCCESS", "FAILURE"})

    visit(here.landing, 1)
    waited_for(here)
    os.kill(daemon_of(here), signal.SIGKILL)
    end_abruptly(here, signal.SIGHUP)  # a closed terminal
    processed(here)
    assert differing(tables(settings_of(here)), undisturbed(2)) == []

    here.start()
    visit(here.landing, 2)
    waited_for(here)
    end_abruptly(here, signal.SIGKILL)
    here.start()
    here.wait_for("the tables of the third visit", lambda: is_published(3))
    here.wait_for("the end of all runs", lambda: set(statuses(here)) <= {"SUCCESS", "FAILURE"})
    processed(here)
    assert differing(tables(settings_of(here)), undisturbed(3)) == []
    tried("kill: `dagster dev` with its worker, daemon and terminal", 4, "equal tables; no run is left as under way")


def daemon_of(here: DagsterDev) -> int:
    """The daemon's process in the group of a running `dagster dev`."""
    assert here.server is not None
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 2) for line in listed.splitlines())
    [pid] = [int(pid) for pid, group, args in rows if int(group) == here.server.pid and "dagster._daemon" in args]
    return pid


def end_abruptly(here: DagsterDev, ending: signal.Signals) -> None:
    """Send the signal to all its processes, and another one to those that are left."""
    assert here.server is not None
    leader = here.server.pid
    os.killpg(leader, ending)
    here.server.wait(timeout=TIMEOUT)
    if group_is_alive(leader):
        os.killpg(leader, signal.SIGKILL)
    here.server = None
