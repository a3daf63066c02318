"""The SQLite files of Dagster's history: how a new one is made, and what is wrong with a broken one.

Belongs here: tables and the mark of their version. Does not belong here: what is in the tables, and who may make a
file when. Dagster makes a file table by table and then runs alembic over it, with 88 scripts of migrations: 50 ms each,
and two processes that do so at once leave a file with two versions. Here a complete file is created under a temporary
name and then linked: it exists or not, however many processes create it and whenever they are killed.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import dagster as dg
import sqlalchemy as db
from dagster._core.storage.event_log.migration import ASSET_DATA_MIGRATIONS, EVENT_LOG_DATA_MIGRATIONS
from dagster._core.storage.event_log.schema import SqlEventLogStorageMetadata
from dagster._core.storage.runs.migration import OPTIONAL_DATA_MIGRATIONS, REQUIRED_DATA_MIGRATIONS
from dagster._core.storage.runs.schema import RunStorageSqlMetadata
from dagster._core.storage.schedules.migration import (
    OPTIONAL_SCHEDULE_DATA_MIGRATIONS,
    REQUIRED_SCHEDULE_DATA_MIGRATIONS,
)
from dagster._core.storage.schedules.schema import ScheduleStorageSqlMetadata
from dagster._core.storage.sqlite import LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

KNOWN_DAGSTER = "1.13.27"
"""The release whose tables these are. Another one makes its files itself."""

REVISION = "29b539ebc72a"
"""The newest of its migrations, which a new file does not need. Asking alembic for it loads all of them."""

_VERSION_TABLE = db.Table(
    "alembic_version",
    db.MetaData(),
    db.Column("version_num", db.String(32), nullable=False),
    db.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
_DONE = "insert into secondary_indexes (name, migration_completed) values (?, ?)"


class BrokenHistory(Exception):
    """A file of the history that cannot be used or repaired automatically. The message says what to do."""


@dataclass(frozen=True)
class Kind:
    """What a file contains: its tables, and the migrations of its rows that an empty one has behind it."""

    tables: db.MetaData
    done: tuple[str, ...] = ()


RUNS = Kind(RunStorageSqlMetadata, (*REQUIRED_DATA_MIGRATIONS, *OPTIONAL_DATA_MIGRATIONS))
SCHEDULES = Kind(ScheduleStorageSqlMetadata, (*REQUIRED_SCHEDULE_DATA_MIGRATIONS, *OPTIONAL_SCHEDULE_DATA_MIGRATIONS))
INDEX = Kind(SqlEventLogStorageMetadata, (*EVENT_LOG_DATA_MIGRATIONS, *ASSET_DATA_MIGRATIONS))
EVENTS_OF_A_RUN = Kind(SqlEventLogStorageMetadata)


def is_current(path: Path) -> bool:
    """Whether ``path`` is there, whole, and of this release."""
    return dg.__version__ == KNOWN_DAGSTER and _versions(path) == [REVISION]


def make_or_repair(path: Path, kind: Kind) -> bool:
    """Make ``path``, or repair it if it carries two versions. False if Dagster itself has to look at it.

    Raises BrokenHistory for a file with two versions whose tables are not those of this release.
    """
    if dg.__version__ != KNOWN_DAGSTER:
        return False
    if not path.exists():
        return _make(path, kind)
    versions = _versions(path)
    if len(versions) > 1:
        _repair(path, kind, versions)
        return True
    return len(versions) == 1


def _make(path: Path, kind: Kind) -> bool:
    """Create ``path`` under a temporary name, then link it unless it exists. False without hard links."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}-{uuid.uuid4().hex}.new")
    try:
        _fill(aside, kind)
        with contextlib.suppress(FileExistsError):  # never replace one that another process may already write to
            os.link(aside, path)
    except OSError:  # a disk without hard links: Dagster creates the file itself
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def _fill(path: Path, kind: Kind) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma synchronous=off")  # flushed as a whole, before it is named
        connection.execute("pragma journal_mode=wal")
        connection.execute("begin")
        for statement in _statements(kind):
            connection.execute(statement)
        connection.execute("insert into alembic_version values (?)", (REVISION,))
        # In local time and without a zone, as Dagster writes it.
        now = datetime.now().isoformat(" ", "microseconds")  # noqa: DTZ005
        connection.executemany(_DONE, [(name, now) for name in kind.done])
        connection.execute("commit")
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@cache
def _statements(kind: Kind) -> tuple[str, ...]:
    dialect = sqlite.dialect()
    tables: Iterable[db.Table] = kind.tables.sorted_tables
    made = [CreateTable(table) for table in [_VERSION_TABLE, *tables]]
    indexes = [CreateIndex(index) for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    return tuple(str(statement.compile(dialect=dialect)) for statement in [*made, *indexes])


def _versions(path: Path) -> list[str]:
    """The versions ``path`` is marked with. Empty if it is not there, not marked or not a database."""
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return [version for (version,) in connection.execute("select version_num from alembic_version")]
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
            return []  # no such table, or no database at all


def _repair(path: Path, kind: Kind, versions: list[str]) -> None:
    """Remove the old version's mark, set by one of two processes that created the file at once."""
    lacking = _lacking(path, kind)
    if lacking or set(versions) != {REVISION, LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION}:
        without = f" and lacks {', '.join(lacking)}" if lacking else ""
        raise BrokenHistory(
            f"{path} is marked with the versions {' and '.join(sorted(versions))}{without}: two processes created it "
            "at once. Stop Dagster, move this file away and start again: a new file is created. It holds only "
            "Dagster's run history; all data is stored elsewhere."
        )
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("delete from alembic_version where version_num != ?", (REVISION,))


def _lacking(path: Path, kind: Kind) -> list[str]:
    """Tables and columns of this release that ``path`` does not have."""
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        there = {
            table.name: {row[1] for row in connection.execute(f'pragma table_info("{table.name}")')}
            for table in kind.tables.sorted_tables
        }
    return [
        f"{table.name}.{column.name}"
        for table in kind.tables.sorted_tables
        for column in table.columns
        if column.name not in there[table.name]
    ]
