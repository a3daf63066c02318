"""Files that are the old one or the new one at every moment, also across a crash: the one way a file is replaced."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tiktok_assets.storage.faults import number_of


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
        with naming(path):
            yield scratch
            if mode is None:
                mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
            scratch.chmod(mode)
            flush(scratch)
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch.replace(path)


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """An OSError of the block that names no file, as that of a full disk and those of Polars, is one of ``path``."""
    try:
        yield
    except OSError as error:
        if error.filename is None and (number := number_of(error)) is not None:
            raise OSError(number, os.strerror(number), str(path)) from error
        raise


def remove_orphans(folder: Path, pattern: str, older_than: float) -> None:
    """Remove what killed processes left in ``folder`` under names like ``pattern``: all in it unchanged for long.

    ``older_than``: a moment in Unix seconds. Times in the future, of a clock that was wrong, keep it.
    """
    for path in folder.glob(pattern):
        with contextlib.suppress(OSError):  # removed by somebody else, or not ours to remove
            if all(one.lstat().st_mtime < older_than for one in (path, *path.rglob("*"))):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def flush(path: Path) -> None:
    """Wait until the bytes of the file are on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
