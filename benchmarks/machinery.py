"""Machinery: `process` as a whole process on disk, compared with an earlier commit, plain Polars with DuckDB, and dlt.

All read the same ZIPs of a year of each account, each in a separate process with an empty folder. Ours also checks,
keeps every version, aligns labels, makes the analytics and reports all of it to Dagster; the others store typed rows.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from rich.table import Table

from benchmarks import stacks
from benchmarks.processing import LAST, prepare, visit
from benchmarks.whole_process import (
    Usage,
    clean_environment,
    copy_of,
    environment_of,
    measured,
    process_command,
    processed,
    runs_and_size,
)
from tiktok_assets.settings import Settings, project_root

DLT = "dlt[duckdb]==1.31.*"
_DAYS = 365
_MONTHS = 12  # per account, which these days cover
Side = Callable[[Path], Usage]


def measure(folder: Path, accounts: list[int], commit: str, rounds: int) -> list[Table]:
    """For each number of ``accounts``: all sides in turn, the earlier ``commit`` once, and where our CPU goes."""
    folder.mkdir(parents=True)
    earlier, dlt = _checked_out(commit, folder / "earlier"), _environment_with_dlt(folder / "dlt")
    table = Table(
        "a year of 7 reports", "side", "CPU s", "seconds", "peak MB", "our CPU to its", "CPU ms per account-month"
    )
    parts = Table("a year of 7 reports", "where the CPU goes", "CPU s", "share")
    for count in accounts:
        made = prepare(folder / f"made-{count}", count)
        for account in made.accounts:
            visit(made, account, LAST, _DAYS)
        sides: dict[str, Side] = {
            "process": lambda place, made=made: processed(copy_of(made, place)),
            "plain Polars and DuckDB": partial(_in_plain, made),
        }
        if dlt:
            sides["dlt 1.31"] = partial(_in_dlt, made, dlt)
        used = _in_turn(sides, folder / f"rounds-{count}", rounds)
        if earlier:
            used[f"process at {commit}"] = _at_earlier(made, earlier, folder / f"earlier-{count}")
        for name, usage in used.items():
            table.add_row(f"{count} accounts", name, *_cells(usage, used["process"], count * _MONTHS))
        _add_parts(parts, f"{count} accounts", _parts(copy_of(made, folder / f"looked-at-{count}"), folder))
    return [table, parts]


def _in_turn(sides: Mapping[str, Side], folder: Path, rounds: int) -> dict[str, Usage]:
    """The medians of each side, after one round that does not count."""
    used: dict[str, list[Usage]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for index, (name, side) in enumerate(sides.items()):
            place = folder / f"{number}-{index}"
            used[name].append(side(place))
            shutil.rmtree(place)
    return {name: Usage.median(many[1:]) for name, many in used.items()}


def _cells(usage: Usage, ours: Usage, account_months: int) -> list[str]:
    return [
        f"{usage.cpu:.2f}",
        f"{usage.wall:.2f}",
        f"{usage.peak / 1e6:.0f}",
        f"{ours.cpu / usage.cpu:.2f}",
        f"{usage.cpu / account_months * 1000:.1f}",
    ]


def _in_plain(made: Settings, place: Path) -> Usage:
    command = [sys.executable, "-m", "benchmarks.plain_load", str(made.landing), place]
    return measured(command, project_root(), clean_environment())


def _in_dlt(made: Settings, python: Path, place: Path) -> Usage:
    environment = clean_environment() | {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
    command = [python, project_root() / "benchmarks" / "dlt_load.py", str(made.landing), place]
    return measured(command, python.parent, environment)  # away from any configuration of dlt


def _at_earlier(made: Settings, code: Path, place: Path) -> Usage:
    """`process` of the earlier code, with Dagster's stock history in a separate folder."""
    here = copy_of(made, place / "data")
    home = place / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text(
        f"storage: {{sqlite: {{base_dir: {json.dumps(str(home))}}}}}\ntelemetry: {{enabled: false}}\n"
    )
    return measured(process_command(), code, environment_of(here) | {"DAGSTER_HOME": str(home)})


def _checked_out(commit: str, folder: Path) -> Path | None:
    """The files of an earlier commit, compiled; None if the history of this checkout does not go back that far."""
    archive = subprocess.run(["git", "archive", commit], cwd=project_root(), capture_output=True, check=False)
    if archive.returncode:
        print(f"Left out: the history of this checkout has no commit {commit}.", file=sys.stderr)
        return None
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    measured([*process_command()[:-1], "--help"], folder, clean_environment())
    return folder


def _environment_with_dlt(folder: Path) -> Path | None:
    """The Python of an environment that has dlt; None if it cannot be installed."""
    bundled = Path(sys.prefix).resolve().parent / ".uv" / "bin" / "uv"  # where the setup puts it
    uv = shutil.which("uv") or (str(bundled) if bundled.exists() else None)
    python = folder / "bin" / "python"
    steps = [["venv", "--python", sys.executable, str(folder)], ["pip", "install", "--python", str(python), DLT]]
    try:
        if uv is None:
            raise FileNotFoundError("uv is missing")
        for step in steps:
            subprocess.run([uv, step[0], "--quiet", *step[1:]], check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"Left out: {DLT} could not be installed: {getattr(error, 'stderr', '') or error}", file=sys.stderr)
        return None
    return python


def _parts(settings: Settings, folder: Path) -> dict[str, float]:
    """CPU seconds of `process` by part, measured in a separate run."""
    target = folder / "seconds.json"
    command = [sys.executable, "-m", "benchmarks.stacks", target, "process"]
    used = measured(command, project_root(), environment_of(settings))
    found = json.loads(target.read_text())
    return found | {"end of the process": used.cpu - sum(found.values())}


def _add_parts(table: Table, what: str, seconds: Mapping[str, float]) -> None:
    total = sum(seconds.values())
    for part, spent in sorted(seconds.items(), key=lambda one: -one[1]):
        table.add_row(what, part, f"{spent:.2f}", f"{spent / total:.0%}")
    ours = sum(spent for part, spent in seconds.items() if part.startswith("ours"))
    dagster = sum(spent for part, spent in seconds.items() if part in (stacks.DAGSTER, stacks.HISTORY))
    table.add_row(what, "ours, all of it", f"{ours:.2f}", f"{ours / total:.0%}")
    table.add_row(what, "ours, of what is ours or Dagster's", f"{ours:.2f}", f"{ours / (ours + dagster):.0%}")


def measure_small(folder: Path, rounds: int) -> list[Table]:
    """`process` of one account's three ZIPs of 28 days on a fresh folder, and once more with nothing new."""
    made = prepare(folder / "made", 1)
    for path in visit(made, made.accounts[0], LAST, 28):
        if path.name.startswith("Content"):
            path.unlink()
    first, again = [], []
    for number in range(rounds + 1):
        here = copy_of(made, folder / str(number))
        first.append(processed(here))
        again.append(processed(here))
    parts = _parts(copy_of(made, folder / "looked-at"), folder)
    table = Table("process, whole process", "CPU s", "seconds", "peak MB")
    for name, used in (("3 ZIPs of 28 days, fresh folder", first), ("nothing new", again)):
        usage = Usage.median(used[1:])
        table.add_row(name, f"{usage.cpu:.2f}", f"{usage.wall:.2f}", f"{usage.peak / 1e6:.0f}")
    where = Table("process", "where the CPU goes", "CPU s", "share")
    _add_parts(where, "3 ZIPs of 28 days", parts)
    return [table, where]


def measure_many(folder: Path, accounts: int) -> list[Table]:
    """`process` of four ZIPs of 28 days of each of many accounts at once."""
    here = prepare(folder, accounts)
    for account in here.accounts:
        visit(here, account, LAST - dt.timedelta(days=15), 28)
    used = processed(here)
    table = Table("process", "seconds", "CPU s", "peak MB", "runs", "history MB")
    runs, size = runs_and_size(here.state / "dagster")
    table.add_row(
        f"{accounts} accounts x 4 ZIPs of 28 days",
        *(f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.peak / 1e6:.0f}", str(runs), f"{size / 1e6:.1f}"),
    )
    return [table]
