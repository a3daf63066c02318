"""SQLite connections that stay open between two statements, for storages that connect anew for every one.

Belongs here: which connections are open, and who may use them. Does not belong here: what is written through them.
Opening a file, SQLAlchemy's engine for it and closing it again cost 10 times as much as the insertion of one row.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import sqlalchemy as db
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

Prepare: TypeAlias = Callable[[str], None]

_BUSY_TIMEOUT = 30.0  # seconds to wait for another writer, as Dagster's own connections do
_OPEN_AT_ONCE = 4


def open_engine(path: str) -> db.Engine:
    """An engine that holds no connection of its own. Its connections may change threads."""
    url = db.URL.create("sqlite", database=path)
    return db.create_engine(
        url, poolclass=NullPool, connect_args={"timeout": _BUSY_TIMEOUT, "check_same_thread": False}
    )


@dataclass
class _Kept:
    connection: Connection
    file: tuple[int, int]
    """Device and inode: a file that was deleted and made again under the same name is another one."""


@dataclass(eq=False)
class KeptConnections:
    """One open connection per file, few files at once, used by one thread at a time.

    A commit is in the file after ``kill -9``; a power cut may cost the last ones, never the file (``synchronous`` is
    normal, in WAL mode). A forked process opens its own: before a fork all of them are closed.
    """

    _open: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    _in_use: dict[str, Connection] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)  # pyright: ignore[reportGeneralTypeIssues]

    def __post_init__(self) -> None:
        _everywhere.add(self)

    @contextlib.contextmanager
    def transaction(self, path: str, prepare: Prepare | None = None) -> Iterator[Connection]:
        """A connection to ``path`` in a transaction; within another one of this thread on ``path``, that one.

        ``prepare`` is called before the file is opened.
        """
        with self._lock:
            if path in self._in_use:
                yield self._in_use[path]
                return
            connection = self._connection(path, prepare)
            self._in_use[path] = connection
            try:
                with connection.begin():
                    yield connection
            except DBAPIError:  # such as a damaged file: the next one starts afresh
                self._close(path)
                raise
            finally:
                self._in_use.pop(path, None)

    def close(self) -> None:
        """Close all of them. Those that are asked for later are opened again."""
        with self._lock:
            for path in [path for path in self._open if path not in self._in_use]:
                self._close(path)

    def _connection(self, path: str, prepare: Prepare | None) -> Connection:
        kept = self._open.get(path)
        if kept is not None and kept.file == _identity(path):
            self._open.move_to_end(path)
            return kept.connection
        self._close(path)
        if prepare is not None:
            prepare(path)
        connection = open_engine(path).connect()
        connection.exec_driver_sql("pragma synchronous=normal")
        connection.commit()
        self._open[path] = _Kept(connection, _identity(path) or (0, 0))
        for other in [other for other in self._open if other not in self._in_use and other != path]:
            if len(self._open) <= _OPEN_AT_ONCE:
                break
            self._close(other)
        return connection

    def _close(self, path: str) -> None:
        if (kept := self._open.pop(path, None)) is not None:
            kept.connection.close()

    def _before_fork(self) -> None:
        self._lock.acquire()
        self.close()

    def _in_parent(self) -> None:
        self._lock.release()

    def _in_child(self) -> None:
        # Whoever forks within a transaction leaves its connection to the parent: closing it here would unlock the file.
        _of_parents.extend(self._open.values())
        self._open.clear()
        self._in_use.clear()
        self._lock.release()


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


_everywhere: weakref.WeakSet[KeptConnections] = weakref.WeakSet()
_forking: list[KeptConnections] = []
_of_parents: list[_Kept] = []


def _before_fork() -> None:
    _forking.extend(_everywhere)
    for connections in _forking:
        connections._before_fork()


def _after_fork(release: Callable[[KeptConnections], None]) -> None:
    while _forking:
        release(_forking.pop())


os.register_at_fork(
    before=_before_fork,
    after_in_parent=lambda: _after_fork(KeptConnections._in_parent),
    after_in_child=lambda: _after_fork(KeptConnections._in_child),
)
