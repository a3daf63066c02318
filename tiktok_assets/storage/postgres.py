"""Postgres, where several machines share the state of one installation (``TIKTOK_STATE_URL``).

Belongs here: connections, transactions, and how tables are made. Does not belong here: which tables there are; whoever
has some brings their definitions along. They lie in the schema ``tiktok``, apart from Dagster's own. psycopg is
imported with the first connection: an installation of one machine needs none of this.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import SecretStr

from tiktok_assets.failures import StateUnavailable

if TYPE_CHECKING:
    import psycopg

    Connection: TypeAlias = psycopg.Connection[dict[str, Any]]

_SCHEMA = "tiktok"
_PATIENCE = 30.0  # seconds for which a Postgres that does not answer may be restarting
_TRY_AGAIN = 0.2  # seconds
_NO_ROOM_FOR_LOCKS = "53200"  # "out of shared memory"
_NO_USE = ("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry")
# A machine that is cut off loses its session, and with it its locks, after a minute and a half: asked by both sides.
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 20, "keepalives_count": 3}
_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {"search_path": _SCHEMA, **{f"tcp_{name}": value for name, value in _ALIVE.items()}}.items()
)
_made: set[tuple[str, str]] = set()
"""The definitions that this process has seen carried out, by URL."""


@dataclass(frozen=True)
class Postgres:
    """The database at ``url``, which holds a password: it is in no message."""

    url: SecretStr

    @property
    def place(self) -> str:
        """Where it is, as a person may read it."""
        parts = urlsplit(self.url.get_secret_value())
        return f"Postgres at {parts.hostname}:{parts.port or 5432}{parts.path}"

    def connect(self, tables: str, name: str = "tiktok-assets") -> Connection:
        """A connection that commits each statement, to a database with ``tables``; the caller closes it.

        Waits for a Postgres that is being restarted. ``name``: what Postgres calls it. Raises StateUnavailable.
        """
        import psycopg
        from psycopg.rows import dict_row

        url, deadline = self.url.get_secret_value(), time.monotonic() + _PATIENCE
        while True:
            try:
                keep = {"application_name": name, "connect_timeout": 10, "options": _OPTIONS, **_ALIVE}
                connection = psycopg.Connection[dict[str, Any]].connect(
                    url, autocommit=True, row_factory=dict_row, **cast(Any, keep)
                )
                break
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline or any(reason in str(error) for reason in _NO_USE):
                    raise self.unavailable(error) from None
                time.sleep(_TRY_AGAIN)
        try:
            self._make(connection, tables)
        except BaseException:
            connection.close()
            raise
        return connection

    @contextlib.contextmanager
    def transaction(self, tables: str, alone: str = "") -> Iterator[Connection]:
        """One transaction. ``alone``: what only one at a time does in one, so that what is read in it stays true."""
        import psycopg

        try:
            with contextlib.closing(self.connect(tables)) as connection, connection.transaction():
                if alone:
                    connection.execute("select pg_advisory_xact_lock(%s)", (key_of(f"transaction {alone}"),))
                yield connection
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise self.unavailable(error) from None

    def unavailable(self, error: Exception) -> StateUnavailable:
        """What is raised where it does not answer; without its cause, whose traceback shows the URL."""
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        if getattr(error, "sqlstate", None) == _NO_ROOM_FOR_LOCKS:
            return StateUnavailable(
                f"{self.place} has no room for another lock ({reason}). Set max_locks_per_transaction in its "
                "postgresql.conf to four times what it is (64 where nothing is set), restart Postgres, then run this "
                "again: it continues where it stopped, nothing is lost."
            )
        return StateUnavailable(
            f"{self.place} does not answer, and holds what the machines of this installation share "
            f"({reason}). Check that it runs and TIKTOK_STATE_URL is right, then run this again: it continues where it "
            "stopped, nothing is lost."
        )

    def _make(self, connection: Connection, tables: str) -> None:
        """Make the tables that are missing. One process does it, others wait."""
        known = (self.url.get_secret_value(), tables)
        if known in _made:
            return
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", (key_of("tables"),))
            if not connection.execute("select 1 from pg_namespace where nspname = %s", (_SCHEMA,)).fetchone():
                connection.execute(f"create schema {_SCHEMA}")
            connection.execute(tables.encode())
        _made.add(known)


def key_of(name: str) -> int:
    """The number by which Postgres knows the lock ``name``."""
    return int.from_bytes(hashlib.sha256(f"tiktok {name}".encode()).digest()[:8], signed=True)
