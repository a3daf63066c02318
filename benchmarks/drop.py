"""Drop: exports that arrive under a running `dagster dev`, until they are published. Linux only: it reads /proc.

Measured of each drop: when the first and the last account is published, when no run is left, the CPU and the peak
memory of every kind of process, the runs, the longest sensor tick, and the size of Dagster's history.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from benchmarks.processing import LAST, prepare, visit
from benchmarks.whole_process import peak_memory, processed, size_of
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.exports import SECTIONS
from tiktok_assets_tests.e2e.dagster_dev import SELECTOR, DagsterDev

TIMEOUT = 7200.0  # seconds; guards against hanging
_LAST = LAST - dt.timedelta(days=15)  # 28 days up to it are days of two months, as most are
_TICK = os.sysconf("SC_CLK_TCK")
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}
_KINDS = {
    "dagster._daemon": "daemon",
    "dagster_webserver": "webserver",
    "dagster-webserver": "webserver",
    "api grpc": "code server",
    "code-server": "proxy of the code server",
    "spawn_main": "run",
    "dagster dev": "dagster dev",
}


@dataclass
class Processes:
    """CPU and peak memory of all processes of a group, sampled twice a second while the block runs.

    What a process used in the last half second before it ended is not measured.
    """

    group: int
    cpu: dict[int, float] = field(default_factory=dict)
    peak: dict[int, int] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        stop = threading.Event()
        self._sample()
        before = dict(self.cpu)

        def watch() -> None:
            while not stop.wait(0.5):
                self._sample()

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            self.cpu = {pid: seconds - before.get(pid, 0.0) for pid, seconds in self.cpu.items()}

    def _sample(self) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(words[2]) != self.group:
                    continue
                pid = int(folder.name)
                self.cpu[pid] = (int(words[11]) + int(words[12])) / _TICK
                self.peak[pid] = max(self.peak.get(pid, 0), peak_memory(pid))
                arguments = (folder / "cmdline").read_text().replace("\0", " ")
                if arguments:  # otherwise it is just ending
                    self.kinds[pid] = next((kind for part, kind in _KINDS.items() if part in arguments), "other")
            except (FileNotFoundError, ProcessLookupError):
                continue

    def by_kind(self) -> tuple[dict[str, float], dict[str, int], Counter[str]]:
        """CPU seconds, the peak of the largest, and how many, of each kind of process."""
        cpu, peak = dict[str, float](), dict[str, int]()
        for pid, kind in sorted(self.kinds.items()):
            cpu[kind] = cpu.get(kind, 0.0) + self.cpu[pid]
            peak[kind] = max(peak.get(kind, 0), self.peak[pid])
        return cpu, peak, Counter(self.kinds.values())


@dataclass(frozen=True, kw_only=True)
class Drop:
    """The measurements of one drop; times in seconds since it."""

    first: float
    every: float
    drained: float
    processes: Processes
    runs: Counter[str]
    ticks: list[float]
    history: int
    files: int

    @property
    def cpu(self) -> float:
        return sum(self.processes.cpu.values())


def start(home: Path, accounts: int) -> tuple[DagsterDev, Settings]:
    """An installation, not yet running, with the default sensor interval."""
    made = prepare(home.with_name(f"{home.name}-made"), accounts)
    here = DagsterDev(home, made.accounts, sensor_interval=10, studio_url="http://127.0.0.1:9")
    here.prepare()
    # What is used elsewhere is also what the server is started with.
    fields = {"data_dir": made.data_dir.with_segments(home / "data"), "accounts_file": home / "accounts.toml"}
    return here, made.model_copy(update=fields | {"start_date": dt.date(2024, 1, 1)})


def put(settings: Settings, made: Path, last: dt.date, days: int = 28) -> float:
    """Generate a visit of every account outside landing, move it in at once, and return when that was."""
    there = settings.model_copy(update={"data_dir": settings.data_dir.with_segments(made)})
    for account in settings.accounts:
        visit(there, account, last, days)
    moved_at = time.monotonic()
    for account in settings.accounts:
        source = Path(str(there.landing)) / account / last.isoformat()
        target = Path(str(settings.landing)) / account / last.isoformat()
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    shutil.rmtree(made)
    return moved_at


def dropped(here: DagsterDev, settings: Settings, last: dt.date, days: int = 28) -> Drop:
    """Drop a visit of every account that ends on ``last`` into the running ``here`` and watch until nothing is left."""
    assert here.server is not None
    earlier = {run["runId"] for run in here.runs()}
    began, processes = time.time(), Processes(here.server.pid)
    with processes.watched():
        moved_at = put(settings, here.home / "made", last, days)
        first = every = 0.0

        def is_drained() -> bool:
            nonlocal first, every
            found = published_accounts(here, last)
            now = time.monotonic() - moved_at
            first = first or (now if found else 0.0)
            every = every or (now if found == len(settings.accounts) else 0.0)
            time.sleep(0.5)
            return bool(every) and all(run["status"] in _ENDED for run in here.runs() if run["runId"] not in earlier)

        here.wait_for("the drop to be published", is_drained, TIMEOUT)
        drained = time.monotonic() - moved_at
    statuses = Counter(run["status"] for run in here.runs() if run["runId"] not in earlier)
    return Drop(
        first=first,
        every=every,
        drained=drained,
        processes=processes,
        runs=statuses,
        ticks=ticks(here, began),
        history=size_of(settings.state / "dagster"),
        files=len(settings.accounts) * len(SECTIONS),
    )


def published_accounts(here: DagsterDev, last: dt.date) -> int:
    """For how many accounts that day is published."""
    found = here.published(f"select count(distinct account) from social_media_stats where date = '{last}'")
    return int(found.item()) if found.height else 0


def ticks(here: DagsterDev, since: float) -> list[float]:
    """Seconds that each sensor tick took."""
    query = """query ($sensor: SensorSelector!, $since: Float) { sensorOrError(sensorSelector: $sensor) {
        ... on Sensor { sensorState { ticks(limit: 5000, afterTimestamp: $since) { timestamp endTimestamp } } } } }"""
    found = here.ask(query, sensor={**SELECTOR, "sensorName": "new_exports"}, since=since)
    ticks = found["sensorOrError"]["sensorState"]["ticks"]
    return [tick["endTimestamp"] - tick["timestamp"] for tick in ticks if tick["endTimestamp"]]


@contextlib.contextmanager
def running(here: DagsterDev) -> Iterator[None]:
    """`dagster dev`, idle: it has scanned its folder once."""
    try:
        here.start()
        here.wait_for("the first sensor tick", lambda: ticks(here, 0.0))
        yield
    finally:
        here.stop()


def measure(folder: Path, accounts: int) -> list[Table]:
    """Four ZIPs of 28 days of each account at once, then a further day of all of them."""
    here, settings = start(folder / "home", accounts)
    with running(here):
        drops = {
            f"{accounts} accounts x 4 ZIPs at once": dropped(here, settings, _LAST - dt.timedelta(days=1)),
            "a further day of all of them": dropped(here, settings, _LAST),
        }
    return tables(drops)


def measure_history(folder: Path, accounts: int, visits: int) -> list[Table]:
    """A further day of every account with ``visits`` (two or more) earlier visits of 28 days, against one visit."""
    drops = {}
    for count in (1, visits):
        here, settings = start(folder / f"home-{count}", accounts)
        for number in reversed(range(count)):
            put(settings, here.home / "made", _LAST - dt.timedelta(days=1 + 28 * number))
            processed(settings)
        with running(here):
            drops[f"a further day of {accounts} accounts, {count} visits known"] = dropped(here, settings, _LAST)
    few, many = drops.values()
    ratios = Table(f"a further day, {visits} visits known against 1", "ratio")
    for name, ours, floor in (("CPU", many.cpu, few.cpu), ("seconds until drained", many.drained, few.drained)):
        ratios.add_row(name, f"{ours / floor:.2f}")
    return [*tables(drops), ratios]


def tables(drops: dict[str, Drop]) -> list[Table]:
    """Times and sizes of the drops, and what each kind of process used."""
    times = Table("drop", "first s", "all s", "drained s", "CPU s", "runs", "ticks", "longest s", "history MB")
    used = Table("drop", "processes", "how many", "CPU s", "peak MB of the largest")
    for name, drop in drops.items():
        runs = ", ".join(f"{count} {status.lower()}" for status, count in drop.runs.items())
        cells = [f"{seconds:.1f}" for seconds in (drop.first, drop.every, drop.drained, drop.cpu)]
        longest = f"{max(drop.ticks, default=0.0):.1f}"
        times.add_row(name, *cells, runs, str(len(drop.ticks)), longest, f"{drop.history / 1e6:.1f}")
        cpu, peak, count = drop.processes.by_kind()
        for kind in sorted(cpu):
            used.add_row(name, kind, str(count[kind]), f"{cpu[kind]:.1f}", f"{peak[kind] / 1e6:.0f}")
    return [times, used]


def measure_one(folder: Path, rounds: int) -> list[Table]:
    """One ZIP dropped into a quiet `dagster dev`, until it is published; each time a further day of the account."""
    here, settings = start(folder / "home", 1)
    made = settings.model_copy(update={"data_dir": settings.data_dir.with_segments(folder / "made")})
    seconds = []
    with running(here):
        for number in range(rounds):
            last = _LAST - dt.timedelta(days=rounds - 1 - number)
            overview = visit(made, settings.accounts[0], last, 28)[0]
            # At a different moment between two ticks each time.
            time.sleep(10 + 15 * number / rounds)
            target = here.landing / settings.accounts[0] / last.isoformat()
            target.mkdir(parents=True)
            begun = time.monotonic()
            overview.rename(target / overview.name)
            here.wait_for("the ZIP to be published", lambda last=last: published_accounts(here, last))
            seconds.append(time.monotonic() - begun)
            here.wait_for("the end of the run", lambda: all(run["status"] in _ENDED for run in here.runs()))
    table = Table("drop", "median s", "fastest s", "slowest s")
    figures = (statistics.median(seconds), min(seconds), max(seconds))
    table.add_row(f"one ZIP into a quiet dagster dev ({rounds} times)", *(f"{value:.1f}" for value in figures))
    return [table]
