"""The published warehouse as one file that is replaced as a whole, wherever the lake lies.

Belongs here: which version lies there, fetching it, and replacing exactly the version that a writer has read. Does not
belong here: the file in which a writer works (``working_file``), rows.

On this machine a rename replaces it, at a storage address one conditional PUT (``versioned``).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from upath import UPath

from tiktok_assets.failures import WarehouseOvertaken
from tiktok_assets.storage import versioned
from tiktok_assets.storage.atomic import flush, naming

_TRIES = 5  # fetching a file that somebody replaces meanwhile
_KEPT = 2  # copies for readers: a program may be about to open the one before


class PublishedFile(Protocol):
    """The file under one address."""

    def version(self) -> str | None:
        """What lies there now, as a name that changes with the content; None for nothing."""
        ...

    def fetch(self, target: Path) -> str | None:
        """Store it as ``target``, and return which version that is; None, and no file, where there is none."""
        ...

    def replace(self, source: Path, before: str | None) -> str:
        """Make the bytes of ``source`` the file, and return its version.

        ``before``: the version that ``source`` continues. Raises WarehouseOvertaken where another one lies there.
        """
        ...


def published_file(path: Path | UPath) -> PublishedFile:
    return _LocalFile(path) if isinstance(path, Path) else _StoredFile(path)


def local_copy_of(path: Path | UPath, folder: Path) -> Path | None:
    """The published warehouse as a file of this machine; None where there is none.

    A copy in ``folder``, named by its version, where it lies elsewhere: fetched anew once another one is published.
    """
    if isinstance(path, Path):
        return path if path.exists() else None
    file = published_file(path)
    if (version := file.version()) is None:
        return None
    copy = folder / f"{version}{path.suffix}"
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f".{uuid.uuid4().hex}"
        try:
            if (version := file.fetch(scratch)) is None:
                return None
            copy = scratch.replace(folder / f"{version}{path.suffix}")
        finally:
            scratch.unlink(missing_ok=True)
        _forget_all_but_newest(folder, f"*{path.suffix}")
    return copy


def _forget_all_but_newest(folder: Path, pattern: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # another reader forgets the same
        for old in sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime_ns)[:-_KEPT]:
            old.unlink()


@dataclass(frozen=True)
class _LocalFile:
    path: Path

    def version(self) -> str | None:
        return f"{self.path.stat().st_mtime_ns}" if self.path.exists() else None

    def fetch(self, target: Path) -> str | None:
        version = self.version()
        if version is not None:
            copy_to(self.path, target)
        return version

    def replace(self, source: Path, before: str | None) -> str:
        """Whatever lies there: one machine has one working file, which leads."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        copy = self.path.with_name(f".{self.path.name}.new")  # beside it: a rename does not cross file systems
        with naming(copy):
            copy_to(source, copy)
        # A WAL beside the published file belongs to the copy being replaced; DuckDB refuses to open the new one with it
        # ("WAL does not match database file").
        wal_of(self.path).unlink(missing_ok=True)
        copy.replace(self.path)
        return f"{self.path.stat().st_mtime_ns}"


@dataclass(frozen=True)
class _StoredFile:
    path: UPath

    def version(self) -> str | None:
        return versioned.version_of(self.path)

    def fetch(self, target: Path) -> str | None:
        for _ in range(_TRIES):
            if (version := self.version()) is None:
                return None
            with contextlib.suppress(FileNotFoundError):
                self.path.fs.get_file(self.path.path, str(target))
            if self.version() == version:  # else pieces of two versions may have been fetched
                return version
        target.unlink(missing_ok=True)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.path))

    def replace(self, source: Path, before: str | None) -> str:
        try:
            return versioned.replace(self.path, source.read_bytes(), before)
        except versioned.Overtaken as error:
            raise _overtaken(self.path) from error


def _overtaken(path: UPath) -> WarehouseOvertaken:
    return WarehouseOvertaken(
        f"{path}: another writer has published since this one had read it, so what this run loaded was not published. "
        "Nothing is lost: the next run loads its exports again. Only one process may load at a time: the worker of the "
        "queue `warehouse`, or `tiktok-assets process`."
    )


def wal_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


def copy_to(source: Path, target: Path) -> None:
    """The bytes of ``source`` with its time, by the file system itself where it can, on disk when this returns."""
    with source.open("rb") as file, target.open("wb") as copy:
        size = os.fstat(file.fileno()).st_size
        try:
            while (at := copy.tell()) < size:
                copied = os.copy_file_range(file.fileno(), copy.fileno(), size - at, at, at)
                copy.seek(at + copied)
                if not copied:
                    break
        except (AttributeError, OSError):  # not on this system, or not between these two disks
            copy.seek(0)
            shutil.copyfileobj(file, copy, 1024**2)
    changed = source.stat().st_mtime_ns
    os.utime(target, ns=(changed, changed))
    flush(target)
