"""Files that are the old one or the new one at every moment, also across a crash: the one way a file is replaced."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path, *, mode: int | None = None, scratch_folder: Path | None = None) -> Iterator[Path]:
    """A scratch file of the same name that becomes ``path`` when the block succeeds: flushed to disk, then renamed.

    ``mode``: its permissions; by default those of the file it replaces, else 0644. Until then only its owner can read
    it. ``scratch_folder``: on the same disk; by default a hidden folder beside ``path``.
    """
    folder = scratch_folder or path.parent
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".") as private:  # nobody else may look into it
        scratch = Path(private) / path.name
        yield scratch
        if mode is None:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        scratch.chmod(mode)
        flush(scratch)
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.replace(path)


def flush(path: Path) -> None:
    """Wait until the bytes of the file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
