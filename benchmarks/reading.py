"""Reading: honest files as a look reads them, in the sandbox's child, against the same reading without one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.parsing import generate
from benchmarks.timing import Pair, side_by_side
from tiktok_assets import clock
from tiktok_assets.inbox.contents import Contents, contents_of
from tiktok_assets.inbox.sandbox import Limits, read_within
from tiktok_assets.settings import Settings


def measure(folder: Path, files: int = 4000) -> list[Pair]:
    """Four kinds of exports in turn, each of 28 days."""
    paths, limits, today = generate(folder, files, days=28), Limits.of(Settings()), clock.trusted_today()

    def every(read: Callable[[Path], Contents]) -> Callable[[], object]:
        return lambda: [read(path) for path in paths]

    within = every(lambda path: read_within(limits, contents_of, path, (), today))
    here = every(lambda path: contents_of(path, (), today))
    return [side_by_side(f"read {files:,} files in the sandbox, against without it", within, here, rounds=3)]
