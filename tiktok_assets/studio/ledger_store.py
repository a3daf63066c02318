"""Where the ledger is kept: an SQLite file of this machine, or tables in Postgres. What they mean is ``limits``.

Both understand the same statements. Times in them are seconds by the store's own clock; a ``Transaction`` translates
them, so that the clocks of two machines are never compared.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tiktok_assets.settings import Settings
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.locks import Locks
from tiktok_assets.storage.postgres import Postgres
from tiktok_assets.storage.postgres_locks import PostgresLocks

Row: TypeAlias = Mapping[str, Any]

_WAIT_FOR_LOCK = 30.0  # seconds; a transaction here takes a millisecond
# A file of an earlier version has no egresses: its visits went through the only one there was.
_EGRESS = "alter table visits add column egress text not null default 'default'"
_TABLES = """
create table if not exists visits (
    id {id}, account text not null, reserved_at double precision not null, last_click double precision not null,
    is_open integer not null default 1, egress text not null default 'default'
);
create table if not exists exports (
    id {id}, visit integer not null references visits, account text not null, section text not null,
    first text not null, last text not null, asked_at double precision not null, attempts integer not null default 0,
    state text not null default 'reserved' check (state in ('reserved', 'landed')),
    link text, file text, export_id text, unique (visit, section)
);
create table if not exists refusals (account text primary key, until double precision not null);
create index if not exists visits_of_account on visits (account);
create index if not exists exports_of_account on exports (account, section);
"""
_SQLITE = _TABLES.format(id="integer primary key")
_POSTGRES = _TABLES.format(id="integer primary key generated always as identity")


@dataclass(frozen=True)
class Transaction:
    """One transaction, exclusive from the start: what is read in it is still true when it writes."""

    rows: Callable[[str, Sequence[object]], list[Row]]
    """What a statement returns; ``?`` stands for a value."""
    ahead: float = 0.0
    """By how many seconds the store's clock is ahead of this machine's."""

    def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """The first row that a statement returns."""
        return next(iter(self.rows(statement, values)), None)

    def seconds(self, moment: dt.datetime) -> float:
        """A moment of this machine by the store's clock."""
        return moment.timestamp() + self.ahead

    def moment(self, seconds: float) -> dt.datetime:
        """A moment of the store by this machine's clock."""
        return dt.datetime.fromtimestamp(seconds - self.ahead, dt.UTC)


class LedgerStore(Protocol):
    """What keeps a ledger."""

    @property
    def locks(self) -> Locks:
        """Locks between all who share the ledger."""
        ...

    def transaction(self) -> contextlib.AbstractContextManager[Transaction]: ...


def ledger_store_of(settings: Settings) -> LedgerStore:
    """Where this installation keeps its ledger."""
    if settings.state_url is None:
        return LedgerFile(settings.state / "limits.sqlite")
    return LedgerTables(Postgres(settings.state_url))


@dataclass(frozen=True)
class LedgerTables:
    """A ledger that many machines share."""

    database: Postgres

    @property
    def locks(self) -> Locks:
        return PostgresLocks(self.database)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with self.database.transaction(_POSTGRES, alone="ledger") as connection:

            def rows(statement: str, values: Sequence[object]) -> list[Row]:
                cursor = connection.execute(statement.replace("?", "%s").encode(), values)
                return list[Row](cursor) if cursor.description else []

            (now,) = rows("select extract(epoch from clock_timestamp())::double precision as now", ())
            yield Transaction(rows, now["now"] - time.time())


@dataclass(frozen=True)
class LedgerFile:
    """A ledger of one machine, at ``path``."""

    path: Path

    @property
    def locks(self) -> Locks:
        return FileLocks(self.path.parent / "locks")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)  # a link gives access to an export without a session
        with contextlib.ExitStack() as stack:
            # Switching to WAL, or closing the last connection, makes others fail with "locked" at once, whatever their
            # timeout: 4 of 60 times with 8 processes.
            stack.enter_context(self.locks.hold("ledger"))
            connection = sqlite3.connect(self.path, timeout=_WAIT_FOR_LOCK, isolation_level=None)
            stack.enter_context(contextlib.closing(connection))
            connection.row_factory = sqlite3.Row
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("begin immediate")
            try:
                for statement in _SQLITE.split(";"):
                    connection.execute(statement)
                if not connection.execute("select 1 from pragma_table_info('visits') where name = 'egress'").fetchone():
                    connection.execute(_EGRESS)
                yield Transaction(lambda statement, values: [*map(dict, connection.execute(statement, values))])
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")
