"""Many machines on one computer: what further lake workers bring, what a run and a look cost in requests to S3.

Needs the extra `cluster` and the group `services` (`make cluster-setup`). All machines share the processors there are:
more workers than processors bring nothing here.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from rich.table import Table
from upath import UPath

from benchmarks.processing import LAST
from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.inbox.receipts import processed
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import GeneratedExport, studio_exports
from tiktok_assets.storage import objects
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.objects import at_once
from tiktok_assets_tests.cluster.machines import DEPLOY, cluster
from tiktok_assets_tests.cluster.services import in_front_of, object_store
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import insights

_DAYS = 85  # three months
_ACCOUNTS_A_RUN = 10
_TIMEOUT = 7200.0  # seconds; guards against hanging


def measure(folder: Path, accounts: int, workers: list[int]) -> list[Table]:
    """Exports of ``accounts`` that lie in S3 when the daemon starts, until all are published."""
    table = Table("lake workers", "all published s", "account-months a minute", "against the first")
    first = 0.0
    for number in workers:
        seconds = _drained(folder / str(number), accounts, number)
        first = first or seconds
        table.add_row(str(number), f"{seconds:.0f}", f"{accounts * 3 * 60 / seconds:.0f}", f"{first / seconds:.2f}")
    return [table]


def _drained(folder: Path, accounts: int, workers: int) -> float:
    folder.mkdir(parents=True)
    names = [f"bench{number:04}" for number in range(accounts)]
    settings = {"TIKTOK_START_DATE": "2026-07", "TIKTOK_RUN_SIZE": str(3 * _ACCOUNTS_A_RUN)}
    with cluster(folder, **settings) as made:
        made.put("accounts.toml", "".join(f"[accounts.{name}]\n" for name in names).encode())
        exports = {name: _exports(name) for name in names}
        for name, landed in exports.items():
            for export in landed:
                made.put(f"data/landing/{name}/{export.name}", export.content)
        head = made.machine("head")
        if (done := head.run("tiktok-assets", "cluster", "init")).returncode:
            raise RuntimeError(done.stderr)
        for number in range(workers):
            made.machine(f"lake-{number}").start_worker("lake")
        made.machine("warehouse").start_worker("warehouse")
        _wait(lambda: all(" ready." in one.log() for name, one in made.machines.items() if name != "head"))
        start = time.perf_counter()
        head.start("dagster-daemon", "run", "-w", str(DEPLOY / "workspace.yaml"))
        lake, expected = Lake(made.settings()), sum(map(len, exports.values()))
        _wait(lambda: _published(lake, names) == expected)
        return time.perf_counter() - start


def _published(lake: Lake, accounts: Sequence[str]) -> int:
    """The exports that people can read: from a few listings, so that asking takes little from what is measured."""
    with lake.looking():
        return sum(len(processed(lake, account)) for account in accounts)


def _exports(account: str) -> tuple[GeneratedExport, ...]:
    truth = SimulatedAccount.generate(account, int(account[-4:]), LAST - dt.timedelta(days=500), LAST)
    at = dt.datetime.combine(LAST + dt.timedelta(days=2), dt.time(18), dt.UTC)
    return studio_exports(truth, LAST - dt.timedelta(days=_DAYS - 1), LAST, downloaded_at=at)


def _wait(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + _TIMEOUT
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the cluster did not get this far")
        time.sleep(1)


def measure_requests(folder: Path, new: int) -> list[Table]:
    """Requests and times of one process on a lake in S3."""
    table = Table("what", "s", "CPU s", "GET", "LIST", "PUT", "others")
    folder.mkdir(parents=True)
    with object_store() as server, in_front_of(server) as (store, front), pytest.MonkeyPatch.context() as patch:
        server.make_bucket("bench")
        for name, value in store.environment.items():
            patch.setenv(name, value)
        names = ("bench0000", "bench0001")
        (folder / "accounts.toml").write_text("".join(f"[accounts.{name}]\n" for name in names))
        settings = Settings(
            data_dir=UPath("s3://bench/data"),
            local_dir=folder / "local",
            accounts_file=folder / "accounts.toml",
            start_date=dt.date(2025, 6, 1),  # the month of the snapshots
        )
        lake, roster = Lake(settings), load_roster(settings)
        for name in names:
            for export in _exports(name):
                objects.write(settings.landing / name / export.name, export.content)

        @contextlib.contextmanager
        def row(what: str) -> Iterator[None]:
            front.requests.clear()
            start, before = time.perf_counter(), _cpu()
            yield
            seen = dict(front.requests)
            parts = [seen.pop(kind, 0) for kind in ("GET", "GET LIST", "PUT")]
            numbers = [f"{time.perf_counter() - start:.1f}", f"{_cpu() - before:.1f}", *map(str, parts)]
            table.add_row(what, *numbers, str(sum(seen.values())))

        with row("process: 2 accounts, 8 exports, 3 months"):
            process(settings, instance=fresh())
        with row("process, nothing new"):
            process(settings, instance=fresh())
        at_once(lambda number: _put_insights(settings, names[number % 2], number), range(new))
        with row(f"the first look at {new} new objects"):
            take_in(lake, roster)
        with row("the next look"):
            take_in(lake, roster)
        with together():
            at_once(lambda number: _close(lake, names[number % 2], number), range(new))
        take_in(lake, roster)
        with row(f"a look over {new} processed objects in landing"):
            take_in(lake, roster)
        with together():
            at_once(lambda number: _archive(lake, names[number % 2], number), range(new))
        with row("the first look after all were archived"):
            take_in(lake, roster)
        with row(f"a look over {new} archived objects"):
            take_in(lake, roster)
    return [table]


def _close(lake: Lake, account: str, number: int) -> None:
    digest = hashlib.sha256(insights(account, following=number)).hexdigest()
    lake.write_bytes(lake.raw_folder("exports", account) / f"{digest}.v{READER_VERSION}.json", b"{}")


def _archive(lake: Lake, account: str, number: int) -> None:
    settings, below = lake.settings, f"{account}/insights_{account}_{number}.json"
    with lake.changes.marked(settings.archive / below):
        objects.copy(settings.landing / below, settings.archive / below)
    lake.remove(settings.landing / below)


def _put_insights(settings: Settings, account: str, number: int) -> None:
    content = insights(account, following=number)
    objects.write(settings.landing / account / f"insights_{account}_{number}.json", content)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
