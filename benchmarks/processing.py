"""Processing: a sensor tick, compared with Polars reading the same bytes once; and how the cost of a visit grows.

What processing costs as a whole is ``machinery``.
"""

from __future__ import annotations

import datetime as dt
import time
import zipfile
from pathlib import Path

import dagster as dg
import polars as pl
from upath import UPath

from benchmarks.timing import Pair
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports

LAST = dt.date(2026, 9, 30)


def prepare(folder: Path, accounts: int) -> Settings:
    """A separate installation with ``accounts`` empty accounts."""
    folder.mkdir(parents=True)
    (folder / "accounts.toml").touch()
    return Settings(
        data_dir=UPath(folder),
        accounts_file=folder / "accounts.toml",
        accounts=tuple(f"bench{number:04}" for number in range(accounts)),
        start_date=dt.date(2025, 1, 1),
    )


def visit(settings: Settings, account: str, last: dt.date, days: int) -> list[Path]:
    """The four exports of one visit to Studio, landed; an account's truth is the same at each visit."""
    truth = SimulatedAccount.generate(account, int(account[-4:]), LAST - dt.timedelta(days=500), LAST)
    moment = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(18), dt.UTC)
    first = last - dt.timedelta(days=days - 1)
    folder = Path(str(settings.landing)) / account / last.isoformat()
    return [land(export, folder) for export in studio_exports(truth, first, last, downloaded_at=moment)]


def run(settings: Settings) -> float:
    """Seconds of ``process``, with Dagster's history in memory."""
    start = time.perf_counter()
    result = process(settings, instance=dg.DagsterInstance.ephemeral())
    seconds = time.perf_counter() - start
    if not result.is_clean:
        raise RuntimeError(
            f"the benchmark's own exports were not processed: {result.accounts} {result.intake.rejected}"
        )
    return seconds


def measure_growth(folder: Path, few: int = 10, many: int = 200, rounds: int = 5) -> list[Pair]:
    """One more visit: where ``many`` exports (then accounts) already exist, compared with one where ``few`` do."""
    by_exports = [_with_exports(folder / f"exports-{count}", count) for count in (many, few)]
    by_accounts = [_with_accounts(folder / f"accounts-{count}", count) for count in (many, few)]
    pairs = []
    for name, (large, small) in (("exports", by_exports), ("accounts", by_accounts)):
        times = [(_one_more(large, day), _one_more(small, day)) for day in range(rounds + 1)][1:]
        ours, floor = (sorted(column)[len(column) // 2] for column in zip(*times, strict=True))
        ratio = sorted(one / other for one, other in times)[len(times) // 2]
        pairs.append(Pair(f"one more visit with {many} {name} there, against {few}", ours, floor, ratio))
    return pairs


def _with_exports(folder: Path, count: int) -> Settings:
    settings = prepare(folder, 1)
    for number in range(count // 4):
        visit(settings, settings.accounts[0], LAST - dt.timedelta(days=10 + 5 * number), 28)
    run(settings)
    return settings


def _with_accounts(folder: Path, count: int) -> Settings:
    settings = prepare(folder, count)
    for account in settings.accounts:
        visit(settings, account, LAST - dt.timedelta(days=10), 28)
    job = build_definitions(settings).resolve_job_def("process_exports")
    ends = [settings.accounts[0], settings.accounts[-1]]  # one run over the rectangle, instead of one per account
    months = [LAST.replace(day=1) - dt.timedelta(days=31), LAST]
    job.execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), tags=range_tags(ends, [m.replace(day=1) for m in months])
    )
    return settings


def _one_more(settings: Settings, day: int) -> float:
    visit(settings, settings.accounts[0], LAST - dt.timedelta(days=6 - day), 28)
    return run(settings)


def measure_tick(folder: Path, accounts: int = 100) -> list[Pair]:
    """One sensor tick over four new exports of each of ``accounts``, against Polars reading the same bytes once."""
    settings = prepare(folder, accounts)
    paths = [path for account in settings.accounts for path in visit(settings, account, LAST, 28)]
    definitions = build_definitions(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=definitions)
        start = time.perf_counter()
        definitions.resolve_sensor_def("new_exports")(context)
        ours = time.perf_counter() - start
    floor = _read_once(paths)
    return [
        Pair(f"one look of the sensor at {len(paths)} new exports of {accounts} accounts", ours, floor, ours / floor)
    ]


def _read_once(paths: list[Path]) -> float:
    start = time.perf_counter()
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                pl.read_csv(archive.read(entry), infer_schema=False)
    return time.perf_counter() - start
