"""The whole cluster: workers with private folders, killed and cut off, end with the tables of one machine.

The tests share one cluster, in this order: each begins with what the one before left.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import dagster as dg
import pytest

from tiktok_assets.inbox.receipts import processed
from tiktok_assets.pipeline.process import process
from tiktok_assets.queues import QUEUE_TAG
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, land, studio_exports
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.lock_names import life_lock
from tiktok_assets.storage.locks import Locks
from tiktok_assets.storage.state import locks_of
from tiktok_assets_tests import budget
from tiktok_assets_tests.cluster.machines import DEPLOY, Cluster, Machine, cluster
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.lake_contents import differing, tables

pytestmark = [pytest.mark.cluster, pytest.mark.e2e]

ACCOUNTS = ("centre", "east", "north", "south")
VISITS = (  # first day, last day: of one month, as further months only cost time
    (dt.date(2026, 3, 1), dt.date(2026, 3, 20)),
    (dt.date(2026, 3, 3), dt.date(2026, 3, 24)),
    (dt.date(2026, 3, 6), dt.date(2026, 3, 28)),
)
SETTINGS = {"TIKTOK_START_DATE": "2026-03", "TIKTOK_RUN_SIZE": "1"}  # a run an account
T = TypeVar("T")


@dataclass
class World:
    """A running cluster, and the machine that it is compared with."""

    cluster: Cluster
    alone: Settings
    dropped: list[GeneratedExport] = field(default_factory=list)

    @property
    def lake_workers(self) -> list[Machine]:
        return [self.cluster.machines[name] for name in ("lake-1", "lake-2")]

    def visit(self, number: int, accounts: Sequence[str] = ACCOUNTS) -> None:
        """Put the exports of one visit to each account into S3, and into the landing folder of the other machine."""
        for account in accounts:
            first, last = VISITS[number]
            at = dt.datetime.combine(last + dt.timedelta(days=2), dt.time(16, 5), dt.UTC)
            simulated = SimulatedAccount.generate(account, 7, dt.date(2026, 1, 1), dt.date(2026, 6, 1))
            for export in studio_exports(simulated, first, last, downloaded_at=at):
                self.cluster.put(f"data/landing/{account}/{number}/{export.name}", export.content)
                land(export, Path(str(self.alone.landing)) / account / str(number))
                self.dropped.append(export)

    def wait_until_published(self) -> None:
        lake = Lake(self.cluster.settings())
        wait_until(lambda: sum(len(processed(lake, account)) for account in ACCOUNTS) == len(self.dropped), self.said)

    def busy(self, queue: str) -> list[Machine]:
        """The machines that are in the middle of a run of ``queue``."""
        with self.cluster.history() as instance:
            runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={QUEUE_TAG: queue}))
        tasks = [run.tags["dagster-celery/task_id"] for run in runs if self.locks.is_held(life_lock(run.run_id))]
        return [one for one in self.cluster.machines.values() for task in tasks if f"[{task}] received" in one.log()]

    @property
    def locks(self) -> Locks:
        return locks_of(self.cluster.settings())

    def said(self) -> str:
        """The ends of all logs, for a message."""
        return "\n".join(f"== {name}\n{one.log()[-3000:]}" for name, one in self.cluster.machines.items())

    def differences(self) -> list[str]:
        """The files and tables that are not those of the other machine."""
        result = process(self.alone, instance=fresh())
        assert result.is_clean
        return differing(tables(self.alone), self.cluster.tables())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("cluster")
    listed = "".join(f"[accounts.{account}]\n" for account in ACCOUNTS)
    (folder / "accounts.toml").write_text(listed)
    alone = Settings(data_dir=str(folder / "alone"), accounts_file=folder / "accounts.toml", start_date="2026-03")  # pyright: ignore[reportArgumentType]
    with cluster(folder, **SETTINGS) as made:
        made.put("accounts.toml", listed.encode())
        world = World(made, alone)
        world.visit(0)
        head = made.machine("head")
        for _ in range(2):  # the second finds everything made
            done = head.run("tiktok-assets", "cluster", "init")
            assert done.returncode == 0, done.stderr
        for name in ("lake-1", "lake-2"):
            made.machine(name).start_worker("lake", at_once=2)
        made.machine("warehouse").start_worker("warehouse")
        head.start("dagster-daemon", "run", "-w", str(DEPLOY / "workspace.yaml"))
        yield world


def test_four_first_runs_at_once_end_in_the_tables_of_one_machine(world: World) -> None:
    world.wait_until_published()
    assert world.differences() == []
    with world.cluster.history() as instance:
        runs = [(run.job_name, run.status) for run in instance.get_runs()]
    assert runs.count(("process_lake", dg.DagsterRunStatus.SUCCESS)) == len(ACCOUNTS)
    assert dg.DagsterRunStatus.FAILURE not in [status for _, status in runs]
    assert all(executed(worker) for worker in world.lake_workers)
    left = [name for worker in world.lake_workers for name in files_of(worker.local)]
    assert [name for name in left if not name.startswith("state/published/")] == []  # a copy to make reports from


def test_a_file_of_another_process_is_a_run_within_two_looks_and_killed_workers_lose_nothing(world: World) -> None:
    put_at = time.time()
    world.visit(1, ACCOUNTS[:1])
    for queue in ("lake", "warehouse"):
        [worker, *_] = wait_until(lambda queue=queue: world.busy(queue), world.said)
        worker.kill()
        worker.start_worker(queue)  # as a supervisor does
    world.wait_until_published()
    with world.cluster.history() as instance:
        [sensor] = [one for one in instance.all_instigator_state() if one.instigator_name == "new_exports"]
        ticks = instance.get_ticks(sensor.instigator_origin_id, sensor.selector_id)
    looks = sorted((tick.timestamp, tick.run_ids) for tick in ticks if tick.timestamp > put_at)
    assert any(runs for _, runs in looks[:3]), looks  # the first of them may have begun before the last file was there
    assert world.differences() == []


@budget.in_the_long_run
def test_a_restart_of_postgres_loses_nothing(world: World) -> None:
    world.visit(2, ACCOUNTS[:1])
    wait_until(lambda: world.busy("lake"), world.said)
    world.cluster.database.restart()
    world.wait_until_published()
    assert world.differences() == []


def wait_until(condition: Callable[[], T], said: Callable[[], str], within: float = 240.0) -> T:
    """The first true value of ``condition``."""
    until = time.monotonic() + within
    while not (found := condition()):
        assert time.monotonic() < until, said()
        time.sleep(0.5)
    return found


def executed(worker: Machine) -> Sequence[str]:
    """The tasks of Celery that the worker has finished."""
    return re.findall(r"Task execute_job\[(.*?)\] succeeded", worker.log())


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
