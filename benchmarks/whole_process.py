"""What a command uses as a whole process, from its start to its end: CPU, time, memory. Linux only: it reads /proc.

Belongs here: commands in separate processes, and the installation they work on. Does not belong here: comparisons.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tiktok_assets.settings import Settings, project_root

# The code of the folder it is started in, not an installed version.
_COMMAND_LINE = (
    "import pathlib, tiktok_assets.cli.app as cli; "
    "assert pathlib.Path(cli.__file__).is_relative_to(pathlib.Path.cwd()), cli.__file__; cli.main()"
)


@dataclass(frozen=True)
class Usage:
    """``cpu``: seconds of user and system, including processes it waited for; ``peak``: bytes of its memory."""

    cpu: float
    wall: float
    peak: int

    @staticmethod
    def median(many: Sequence[Usage]) -> Usage:
        return Usage(
            statistics.median(one.cpu for one in many),
            statistics.median(one.wall for one in many),
            max(one.peak for one in many),
        )


def measured(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Usage:
    """Run ``command`` in ``folder`` to its end. Raises RuntimeError with the end of its output if it fails."""
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        peak = 0
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.02)
        _, status, used = ended
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            output = said.read().decode(errors="replace")[-4000:]
            raise RuntimeError(f"{command[:3]} ended with {process.returncode}: {output}")
    return Usage(used.ru_utime + used.ru_stime, wall, peak)


def peak_memory(pid: int) -> int:
    """The most memory a process had so far, in bytes; 0 if it has ended. (That of wait4 starts at its parent's.)"""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def process_command() -> list[str]:
    """`tiktok-assets process`, of the code in the folder where it is started."""
    return [sys.executable, "-c", _COMMAND_LINE, "process"]


def clean_environment() -> dict[str, str]:
    """Without the settings of the current user; compiled Python files are kept."""
    left_out = ("TIKTOK_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}


def environment_of(settings: Settings) -> dict[str, str]:
    """The environment a command needs to work on this installation."""
    return clean_environment() | {
        "TIKTOK_DATA_DIR": str(settings.data_dir),
        "TIKTOK_ACCOUNTS": ",".join(settings.accounts),
        "TIKTOK_ACCOUNTS_FILE": str(settings.accounts_file),
        "TIKTOK_START_DATE": settings.start_date.isoformat(),
    }


def processed(settings: Settings) -> Usage:
    """`tiktok-assets process` of this checkout over the files in landing."""
    return measured(process_command(), project_root(), environment_of(settings))


def copy_of(settings: Settings, folder: Path) -> Settings:
    """A fresh installation in ``folder`` with the same accounts and exports, and nothing derived from them."""
    shutil.copytree(str(settings.landing), folder / "landing")
    return settings.model_copy(update={"data_dir": settings.data_dir.with_segments(folder)})


def runs_and_size(history: Path) -> tuple[int, int]:
    """How many runs a history has, and its size in bytes."""
    with contextlib.closing(sqlite3.connect(history / "storage" / "history" / "runs.db")) as connection:
        [runs] = connection.execute("select count(*) from runs").fetchone()
    return runs, size_of(history)


def size_of(folder: Path) -> int:
    """Total bytes of all files below ``folder``."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
