"""Where the CPU of a command goes: its stack is sampled every few ms of CPU, and each sample counts for one part.

    python -m benchmarks.stacks seconds.json process

The rule: a stack with an import on it counts as import. Otherwise the innermost frame from one of the packages below
decides: Dagster's are dagster, sqlalchemy and the modules of this project that only keep Dagster's history; ours are
all other modules of this project, Polars, DuckDB, pyarrow and pandera. Any other frame, such as one of json, counts for
its caller. Ours is divided by the innermost frame of this project. A sample counts the CPU seconds since the previous
one, so that threads of Polars and DuckDB count for the call that waits for them.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType

EVERY = 0.005  # seconds of CPU
IMPORTS = "start and imports"
HISTORY = "Dagster: its history in SQLite"
DAGSTER = "Dagster: all else"
PARQUET = "ours: Parquet files"
DUCKDB = "ours: DuckDB"
CHECKS = "ours: schemas of pandera"
OURS = "ours: all else"

_PACKAGES = {
    **dict.fromkeys(("dagster", "dagster_shared", "dagster_pipes", "dagster_graphql"), DAGSTER),
    **dict.fromkeys(("sqlalchemy", "alembic"), HISTORY),
    **dict.fromkeys(("polars", "duckdb", "pyarrow"), OURS),
    "pandera": CHECKS,
}
_MODULES = {
    **dict.fromkeys(("event_log.py", "connections.py", "history.py", "history_files.py"), HISTORY),
    **dict.fromkeys(("lake.py", "parquet.py"), PARQUET),
    "duckdb.py": DUCKDB,
}
_PROJECT = "tiktok_assets"


def part_of(files: list[str]) -> str:
    """The part a stack belongs to; ``files``: those of its frames, innermost first."""
    if any(file.startswith("<frozen importlib") for file in files):
        return IMPORTS
    called = ""  # which of our parts a frame of this project called
    for file in files:
        package, module = _place(file)
        if package == _PROJECT:
            return called if called == CHECKS else _MODULES.get(module, OURS)
        part = _PACKAGES.get(package, "")
        if part in (DAGSTER, HISTORY):
            return called or part
        called = CHECKS if part == CHECKS else called or part
    return called or IMPORTS


def _place(file: str) -> tuple[str, str]:
    """The package a file belongs to, and its name."""
    path = Path(file)
    parts = path.parts
    if "site-packages" in parts:
        start = len(parts) - parts[::-1].index("site-packages")
    elif _PROJECT in parts:
        start = len(parts) - 1 - parts[::-1].index(_PROJECT)
    else:
        return "", path.name
    return parts[start].removesuffix(".py"), path.name


class Sampler:
    """Samples the main thread while it runs."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._known: dict[tuple[str, ...], str] = {}
        self._counted = 0.0

    def start(self) -> None:
        """CPU used before, by Python's own start, counts as import."""
        self._count(IMPORTS)
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def stop(self) -> dict[str, float]:
        """CPU seconds by part."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._count(IMPORTS)
        return self.seconds

    def _count(self, part: str) -> None:
        now = time.process_time()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._counted
        self._counted = now

    def _sample(self, _: int, frame: FrameType | None) -> None:
        files = []
        while frame is not None:
            files.append(frame.f_code.co_filename)
            frame = frame.f_back
        key = tuple(files)
        if key not in self._known:
            self._known[key] = part_of(files)
        self._count(self._known[key])


def main() -> None:
    """The command line of this project, sampled."""
    target = Path(sys.argv.pop(1))
    sampler = Sampler()
    sampler.start()
    try:
        from tiktok_assets.cli.app import main as command

        command()
    finally:
        target.write_text(json.dumps(sampler.stop()))


if __name__ == "__main__":
    main()
