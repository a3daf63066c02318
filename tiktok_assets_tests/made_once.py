"""Folders that one test makes and all others get a copy of, whichever worker they run on."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class MadeOnce:
    """Keeps a copy of each folder below ``kept``, which all workers of a run share and no test uses directly."""

    kept: Path

    def fill(self, folder: Path, name: str, make: Callable[[], object]) -> None:
        """Bring ``folder`` to what ``make`` makes of it. ``name``: of this outcome alone, whoever asks for it."""
        kept = self.kept / name
        with (self.kept / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                make()
                unfinished = self.kept / f"{name}.unfinished"
                shutil.copytree(folder, unfinished, symlinks=True)
                unfinished.rename(kept)
                return
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, folder, symlinks=True)
