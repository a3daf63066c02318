"""The moments of a process at which something can go wrong, and what goes wrong there: it is killed, or a write fails.

A moment is seen just before it happens: Python's audit events for files, a wrapper around DuckDB's connections, and
SQLAlchemy's events for Dagster's history. A file is also seen while it is written: then half of it is there. Belongs
here: finding moments and acting on one. Does not belong here: which are tried (the tests), and processes (``worker``).
"""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import polars as pl
from sqlalchemy import Engine, event, exc

# By folder below data/: what a file of it being opened, renamed or removed is a moment of. The first that fits counts.
FOLDERS = {
    "landing": "look",
    "raw/exports": "receipt",
    "raw": "raw",
    "staging": "staging",
    "curated": "curated",
    "warehouse": "publish",
    "quarantine": "quarantine",
    "archive": "archive",
    "state/sessions": "session write",
    "state/scratch": "scratch file",
}
HALF, LOCK, TRANSACTION, HISTORY, ANY = (
    *("half-written file", "lock held", "DuckDB transaction", "history write", "any time"),
)
KINDS = (*FOLDERS.values(), HALF, LOCK, TRANSACTION, HISTORY, ANY)

_OF_FILES = {"open", "os.rename", "os.remove", "os.chmod", "os.mkdir", "os.link"}
_WRITERS = ((Path, "write_bytes"), (pl.DataFrame, "write_parquet"), (pl.LazyFrame, "sink_parquet"))
_SAID_BY_SQLITE = {
    "ENOSPC": "database or disk is full",
    "EDQUOT": "database or disk is full",
    "EIO": "disk I/O error",
    "EROFS": "attempt to write a readonly database",
    "EACCES": "unable to open database file",
}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """The process ends at the ``number``-th moment of ``kind``, or so many seconds ``after`` it."""

    kind: str
    number: int = 1
    after: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The ``number``-th write of the name ``write`` (see ``Seen.writes``) fails, as it does with that ``errno``."""

    write: str
    number: int
    errno: int


@dataclass(kw_only=True)
class Seen:
    """How many moments of each kind a process had, and the names of its writes: files below data/, and commits."""

    kinds: Counter[str] = field(default_factory=Counter)
    writes: list[str] = field(default_factory=list)

    def has(self, fault: Fault) -> bool:
        """Whether it came to this write."""
        return self.writes.count(fault.write) >= fault.number


class Watch:
    """Counts the moments of this process from now on, and acts at the one that is ``planned``."""

    def __init__(self, data: Path, planned: Kill | Fault | None) -> None:
        self.seen = Seen()
        self._data, self._planned = f"{data}/", planned
        sys.addaudithook(self._audited)
        _watch_duckdb(self)
        for owner, name in _WRITERS:
            _watch_writer(self, owner, name)
        _watch_copies(self)
        for moment in ("begin", "commit"):
            event.listen(Engine, moment, lambda _, moment=moment: self.sqlite(moment))
        if isinstance(planned, Kill) and planned.kind == ANY:
            _end(planned.after)

    def duckdb(self, statement: str) -> None:
        """A statement of DuckDB is about to run."""
        self._at(TRANSACTION)
        if statement in ("commit", "checkpoint") and (failing := self._failing(f"DuckDB {statement}")):
            reason = os.strerror(failing.errno)
            raise duckdb.IOException(f'IO Error: Could not write file "{self._data}state/warehouse.duckdb": {reason}')

    def sqlite(self, moment: str) -> None:
        """A transaction of Dagster's history begins or commits."""
        self._at(HISTORY)
        if moment == "commit" and (failing := self._failing("history commit")):
            said = sqlite3.OperationalError(_SAID_BY_SQLITE[errno.errorcode[failing.errno]])
            raise exc.OperationalError("commit", None, said)

    def half_written(self, path: Path) -> None:
        """The file was written a moment ago; where this is the moment, only half of it was."""
        failing = self._failing(f"half of {self._name(path)}")
        if failing or self._is_now(HALF):
            os.truncate(path, path.stat().st_size // 2)
        self._at(HALF)
        if failing and path.suffix == ".parquet":  # as Polars words it
            raise OSError(f"{os.strerror(failing.errno)} (os error {failing.errno})")
        if failing:
            raise OSError(failing.errno, os.strerror(failing.errno))

    def half_copied(self) -> None:
        """Half of the published file has been copied."""
        self._at(FOLDERS["warehouse"])
        if failing := self._failing("half of the published copy"):
            raise OSError(failing.errno, os.strerror(failing.errno))

    def _audited(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "os.truncate" and isinstance(args[0], int):  # whoever has taken a lock signs it
            self._at(LOCK)
        if name not in _OF_FILES:
            return
        path = str(args[1] if name in ("os.rename", "os.link") else args[0])
        if not path.startswith(self._data):
            return
        place = path.removeprefix(self._data)
        if kind := next((kind for folder, kind in FOLDERS.items() if place.startswith(f"{folder}/")), None):
            self._at(kind)
        if _is_write(name, args) and (failing := self._failing(self._name(Path(path)))):
            raise OSError(failing.errno, os.strerror(failing.errno), path)

    def _name(self, path: Path) -> str:
        """The file below data/. That of a scratch file without its folder, which has another name in each run."""
        place = str(path).removeprefix(self._data)
        is_scratch = place.startswith("state/scratch/") or (place.startswith("state/") and path.parent.name[:1] == ".")
        return f"scratch {path.name}" if is_scratch else place

    def _at(self, kind: str) -> None:
        self.seen.kinds[kind] += 1
        planned = self._planned
        if isinstance(planned, Kill) and (kind, self.seen.kinds[kind]) == (planned.kind, planned.number):
            _end(0 if kind == HALF else planned.after)

    def _is_now(self, kind: str) -> bool:
        """Whether the next moment of this kind is the planned one."""
        planned = self._planned
        return isinstance(planned, Kill) and (kind, self.seen.kinds[kind] + 1) == (planned.kind, planned.number)

    def _failing(self, write: str) -> Fault | None:
        self.seen.writes.append(write)
        planned = self._planned
        if not isinstance(planned, Fault) or write != planned.write:
            return None
        return planned if self.seen.writes.count(write) == planned.number else None


def _is_write(name: str, args: tuple[Any, ...]) -> bool:
    """Whether a file gets its place, or one is made in a place of its own."""
    if name in ("os.rename", "os.link"):
        return True
    return name == "open" and bool(args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _end(after: float) -> None:
    """As ``kill -9`` does; the alarm of a process that does not handle it ends it as abruptly, wherever it is."""
    if after:
        signal.setitimer(signal.ITIMER_REAL, after)
    else:
        os.kill(os.getpid(), signal.SIGKILL)


class _Watched:
    """A connection to DuckDB that says what it is about to do."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, watch: Watch) -> None:
        self._connection, self._watch = connection, watch

    def __getattr__(self, name: str) -> Any:
        if name in ("begin", "commit", "close"):
            self._watch.duckdb(name)
        return getattr(self._connection, name)

    def execute(self, statement: str, *args: Any) -> Any:
        self._watch.duckdb(statement)
        return self._connection.execute(statement, *args)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _watch_duckdb(watch: Watch) -> None:
    connect: Callable[..., Any] = duckdb.connect
    mock.patch.object(duckdb, "connect", lambda *args, **options: _Watched(connect(*args, **options), watch)).start()


def _watch_writer(watch: Watch, owner: type, name: str) -> None:
    """Have ``half_written`` called with the file whenever this method has written one."""
    write = getattr(owner, name)

    def watched(content: Any, *args: Any, **options: Any) -> Any:
        result = write(content, *args, **options)
        path = content if owner is Path else args[0]
        if isinstance(path, Path):
            watch.half_written(path)
        return result

    setattr(owner, name, watched)


def _watch_copies(watch: Watch) -> None:
    """Have files copied in pieces, and ``half_copied`` called after each."""
    copy_file_range = os.copy_file_range

    def copy_half(source: int, target: int, count: int, *places: int) -> int:
        copied = copy_file_range(source, target, max(1, count // 2), *places)
        if count > 2**16:
            watch.half_copied()
        return copied

    mock.patch.object(os, "copy_file_range", copy_half).start()
