"""Locks of the processes of many machines: advisory locks of Postgres, and a table that says who holds them.

A lock is its session's: free again once the process is gone or its machine is cut off. Postgres keeps them in memory
only, so a restart frees them all while their holders go on. A holder then takes its locks again; for that
``_RETAKING`` seconds after the start nobody else may. Each taker signs its locks with a token: a holder that finds
another's has lost the lock (``Held.require``). Every time is Postgres's own.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import threading
import time
import uuid
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tiktok_assets.failures import LockLost, StateUnavailable
from tiktok_assets.storage.locks import FIRST_LOOK, LOOK_AGAIN, SAY_AGAIN, WAITING, Locks, LockTaken, log
from tiktok_assets.storage.postgres import Postgres, key_of

if TYPE_CHECKING:
    from tiktok_assets.storage.postgres import Connection

_RETAKING = 30  # seconds
_ASK_AGAIN = 5.0  # seconds between two looks of a holder at its session
_LACKS = "53"  # the class of errors of a Postgres without room: for locks in its memory, or on its disk
TABLES = """
create table if not exists locks (
    name text primary key, key bigint not null, token uuid not null, is_held boolean not null,
    host text not null, pid integer not null, holder text not null, since timestamptz not null
);
"""
# Whether the row ``l`` is of a holder that may not have come back yet since Postgres was started.
_MAY_COME_BACK = f"""
coalesce(l.is_held and l.since < pg_postmaster_start_time()
    and clock_timestamp() < pg_postmaster_start_time() + interval '{_RETAKING} s', false)
"""
_IS_GRANTED = """
exists (select from pg_locks as g join pg_database as d on d.oid = g.database
    where d.datname = current_database() and g.locktype = 'advisory' and g.objsubid = 1 and g.granted
    and (g.classid::bigint << 32 | g.objid::bigint) = {key})
"""
_TAKE = f"""
select t.name from unnest(%(names)s::text[], %(keys)s::bigint[]) as t (name, key) left join locks as l using (name)
where case when {_MAY_COME_BACK} and l.token <> %(token)s then false else pg_try_advisory_lock(t.key) end
"""
_FORGET = f"""
delete from locks as l
where case when starts_with(name, %(prefix)s) and not {_MAY_COME_BACK}
    then pg_try_advisory_xact_lock(key) else false end
returning name as found
"""
# A session that was cut off lives on in Postgres until it notices.
_END_FORMER = """
select pg_terminate_backend(pid, 5000)::text as name from pg_stat_activity
where application_name = %(token)s::text and usename = current_user and pid <> pg_backend_pid()
"""
_RELEASE = "update locks set is_held = false where name = any(%(names)s) and token = %(token)s"
_LET_GO = "select pg_advisory_unlock(key)::text as name from unnest(%(keys)s::bigint[]) as t (key)"
_SIGN = """
insert into locks select name, key, %(token)s, true, %(host)s, %(pid)s, %(holder)s, clock_timestamp()
from unnest(%(names)s::text[], %(keys)s::bigint[]) as t (name, key)
on conflict (name) do update set (token, is_held, host, pid, holder, since)
    = (excluded.token, true, excluded.host, excluded.pid, excluded.holder, excluded.since)
"""


@dataclass(frozen=True)
class PostgresLocks(Locks):
    """Locks in ``database``."""

    database: Postgres
    holder: str = ""

    def held_by(self, holder: str) -> PostgresLocks:
        return replace(self, holder=holder)

    @property
    def are_of_one_machine(self) -> bool:
        return False

    @contextlib.contextmanager
    def hold(
        self, names: str | Collection[str], *, wait: bool = True, say: Callable[[str], object] = log.info
    ) -> Iterator[Session]:
        requested = sorted({names} if isinstance(names, str) else set(names))
        with contextlib.closing(Session(self.database, self.holder)) as session:
            if requested:
                session.take(requested, wait=wait, say=say)
            yield session

    def is_held(self, name: str) -> bool:
        may_come_back = f"exists (select from locks as l where name = %(name)s and {_MAY_COME_BACK})"
        query = f"select 1 as found where {_IS_GRANTED.format(key='%(key)s')} or {may_come_back}"
        return bool(self._asked(query, name=name, key=key_of(name)))

    def was_taken(self, name: str) -> bool:
        return bool(self._asked("select name as found from locks where name = %(name)s", name=name))

    def abandoned(self, prefix: str) -> list[str]:
        is_held = f"{_IS_GRANTED.format(key='l.key')} or {_MAY_COME_BACK}"
        query = f"select name as found from locks as l where starts_with(name, %(prefix)s) and not ({is_held})"
        return sorted(self._asked(query, prefix=prefix))

    def forget(self, name: str) -> None:
        self._asked("delete from locks where name = %(name)s returning name as found", name=name)

    def forget_abandoned(self, prefix: str) -> None:
        self._asked(_FORGET, prefix=prefix)

    def _asked(self, query: str, **values: object) -> list[str]:
        with self.database.transaction(TABLES) as connection:
            return [str(row["found"]) for row in connection.execute(query.encode(), values)]


class Session:
    """Locks that one block holds, by a connection of its own. A thread looks after them until ``close``."""

    def __init__(self, database: Postgres, holder: str) -> None:
        self._database, self._holder, self._token = database, holder, uuid.uuid4()
        self._names: list[str] = []
        self._connection: Connection | None = None
        self._one_at_a_time, self._is_over = threading.RLock(), threading.Event()
        self._lost: LockLost | None = None

    def take(self, names: Sequence[str], *, wait: bool, say: Callable[[str], object]) -> None:
        """Take the locks in the order of ``names``. Raises LockTaken without ``wait``."""
        import psycopg

        while True:
            try:
                self._connection = self._connected()
                self._wait_for(names, wait=wait, say=say)
                self._names = list(names)
                self._execute(_SIGN, host=socket.gethostname(), pid=os.getpid(), holder=self._holder)
                break
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                self._disconnect()
                if (error.sqlstate or "").startswith(_LACKS):  # else Postgres was restarted meanwhile
                    raise self._database.unavailable(error) from None
        threading.Thread(target=self._look_after, name="locks", daemon=True).start()

    def require(self) -> None:
        """As ``Held.require``. After a restart of Postgres the locks are taken again."""
        import psycopg

        with self._one_at_a_time:
            if self._lost is not None:
                raise self._lost
            if not self._names:
                return
            with contextlib.suppress(psycopg.OperationalError, psycopg.InterfaceError):
                if self._connection is not None:
                    self._connection.execute("select")  # its session lives, and so do its locks
                    return
            try:
                self._retake()
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                raise self._database.unavailable(error) from None

    def close(self) -> None:
        import psycopg

        self._is_over.set()
        with self._one_at_a_time:
            names, self._names = self._names, []
            with contextlib.suppress(psycopg.OperationalError, psycopg.InterfaceError):
                if names and self._connection is not None:
                    self._execute(_RELEASE, names)
                    self._execute(_LET_GO, names)  # they are free now, and not when Postgres notices the end
            self._disconnect()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of the connection without a word to Postgres, which would end the session."""
        if self._connection is not None and not self._connection.closed:
            nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(nowhere, self._connection.fileno(), inheritable=False)
            os.close(nowhere)

    def _wait_for(self, names: Sequence[str], *, wait: bool, say: Callable[[str], object]) -> None:
        missing, pause, say_at = list(names), FIRST_LOOK, time.monotonic() + LOOK_AGAIN
        while missing := self._without_gap(missing):
            holder = self._holder_of(missing[0])
            if not wait:
                raise LockTaken(f"{missing[0]} is held by {holder}.")
            if time.monotonic() > say_at:
                say(f"{WAITING}{missing[0]}, which is held by {holder}.")
                say_at = time.monotonic() + SAY_AGAIN
            time.sleep(pause)
            pause = min(2 * pause, LOOK_AGAIN)

    def _connected(self) -> Connection:
        connection = self._database.connect(TABLES, str(self._token))
        _sessions.add(self)
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _execute(self, query: str, names: Sequence[str] | None = None, **values: object) -> list[str]:
        assert self._connection is not None
        names = self._names if names is None else names
        values = {"names": list(names), "keys": [key_of(one) for one in names], "token": self._token, **values}
        cursor = self._connection.execute(query.encode(), values)
        return [row["name"] for row in cursor] if cursor.description else []

    def _without_gap(self, names: list[str]) -> list[str]:
        """Take the first of ``names`` up to the first that is not free; return that and those after it.

        Whoever holds a later one while waiting for an earlier one could wait for ever.
        """
        taken = set(self._execute(_TAKE, names))
        first = list(itertools.takewhile(taken.__contains__, names))
        if beyond := [name for name in names[len(first) :] if name in taken]:
            self._execute(_LET_GO, beyond)
        return names[len(first) :]

    def _holder_of(self, name: str) -> str:
        """Who signed the lock last, as words."""
        assert self._connection is not None
        row = self._connection.execute("select * from locks where name = %s and is_held", (name,)).fetchone()
        if row is None:  # taken a moment ago, not yet signed
            return "another process"
        process = f"process {row['pid']} on {row['host']}"
        who = f"{row['holder']} ({process})" if row["holder"] else process
        return f"{who} since {row['since'].isoformat(timespec='seconds')}"

    def _retake(self) -> None:
        """Take the locks again in a new session. Raises LockLost where somebody else has signed one since."""
        self._disconnect()
        self._connection = self._connected()
        self._execute(_END_FORMER)
        taken = set(self._execute(_TAKE))
        signed = set(self._execute("select name from locks where name = any(%(names)s) and token = %(token)s"))
        if lost := [name for name in self._names if name not in taken & signed]:
            holder = self._holder_of(lost[0])
            self._disconnect()
            self._lost = LockLost(
                f"The lock on {lost[0]} was lost with the connection to {self._database.place}, and {holder} has it. "
                "What was stored before is whole, and nothing was stored since: run this again."
            )
            raise self._lost
        log.info("%s was restarted or not reachable; the locks on %s were kept.", self._database.place, self._names)

    def _look_after(self) -> None:
        """Keep the session alive, and take the locks again after a restart before others may."""
        while not self._is_over.wait(_ASK_AGAIN):
            try:
                with self._one_at_a_time:
                    if not self._is_over.is_set():
                        self.require()
            except LockLost:  # whoever commits learns of it
                return
            except StateUnavailable as error:
                log.warning("%s", error)


_sessions: weakref.WeakSet[Session] = weakref.WeakSet()


def _leave_to_parents() -> None:
    for session in list(_sessions):
        session.leave_to_parent()
    _sessions.clear()


os.register_at_fork(after_in_child=_leave_to_parents)
