"""The file behind the ledger: its tables, and exclusive transactions. What they mean is ``limits``."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tiktok_assets.storage.locks import Locks

_WAIT_FOR_LOCK = 30.0  # seconds; a transaction here takes a millisecond
# A ledger of an earlier version has no egresses: its visits went through the only one there was.
_EGRESS = "alter table visits add column egress text not null default 'default'"
_TABLES = """
create table if not exists visits (
    id integer primary key, account text not null, reserved_at real not null, last_click real not null,
    is_open integer not null default 1, egress text not null default 'default'
);
create table if not exists exports (
    id integer primary key, visit integer not null references visits, account text not null, section text not null,
    first text not null, last text not null, asked_at real not null, attempts integer not null default 0,
    state text not null default 'reserved' check (state in ('reserved', 'landed')),
    link text, file text, export_id text, unique (visit, section)
);
create table if not exists refusals (account text primary key, until real not null);
create index if not exists visits_of_account on visits (account);
create index if not exists exports_of_account on exports (account, section);
"""


@contextlib.contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, exclusive from the start: what is read in it is still true when it writes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # a link gives access to an export without a session
    with contextlib.ExitStack() as stack:
        # Switching to WAL, or closing the last connection, makes others fail with "locked" at once, whatever their
        # timeout: 4 of 60 times with 8 processes.
        stack.enter_context(Locks(path.parent / "locks").hold("ledger"))
        connection = sqlite3.connect(path, timeout=_WAIT_FOR_LOCK, isolation_level=None)
        stack.enter_context(contextlib.closing(connection))
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute("begin immediate")
        try:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            if not connection.execute("select 1 from pragma_table_info('visits') where name = 'egress'").fetchone():
                connection.execute(_EGRESS)
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")
