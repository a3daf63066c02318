"""The warehouse's DuckDB files as files: opened if they are ours, and written anew without free blocks.

Belongs here: whose file it is, and the sentence where it cannot be used. Does not belong here: rows and transactions
(``duckdb``), how one of them is published (``published_file``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb

from tiktok_assets.curated.catalog import sql_literal
from tiktok_assets.failures import WarehouseUnusable
from tiktok_assets.storage.atomic import flush

# DuckDB takes 80% of the machine if it may; what does not fit goes to disk. The window over three lists of 800,000
# videos fits with one thread, not with two. With two, an update also misses rows that its transaction has inserted.
GENTLE = "set memory_limit = '256MB'; set threads = 1"
_MAGIC, _MAGIC_AT = b"DUCK", 8
_MADE_ANEW = "Move it away, then run `tiktok-assets rebuild`, which makes it anew from landing. It was not changed."
_PUBLISHED_ANEW = "Move it away, then run `tiktok-assets process`, which publishes it again. It was not changed."
_TABLES = "select table_name from duckdb_tables()"


def opened(path: Path, ours: Collection[str] = (), *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the working warehouse at ``path``, which is made if it is missing.

    ``ours``: the names of our tables, where they are known: a file with other tables only is another program's.
    Raises WarehouseUnusable for a file that is no warehouse of ours, duckdb.Error if another process holds it.
    """
    return _checked(path, lambda: duckdb.connect(path, read_only=read_only), ours, _MADE_ANEW)


def opened_anew(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that reads the published warehouse as it is now, also where this process has it open already.

    DuckDB gives a second connection to the same path the file of the first one, even if that was replaced since.
    Raises as ``opened``.
    """

    def attached() -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        try:
            connection.execute(f"attach {sql_literal(path)} as warehouse (read_only); use warehouse")
        except BaseException:
            connection.close()
            raise
        return connection

    return _checked(path, attached, (), _PUBLISHED_ANEW)


def _checked(
    path: Path, connect: Callable[[], duckdb.DuckDBPyConnection], ours: Collection[str], remedy: str
) -> duckdb.DuckDBPyConnection:
    if not _is_duckdb(path):
        raise WarehouseUnusable(f"{path}: is not a DuckDB file. {remedy}")
    try:
        connection = connect()
    except duckdb.Error as error:
        if (reason := _reason(str(error).replace(str(path), ""))) is None:
            raise
        raise WarehouseUnusable(f"{path}: {reason}. {remedy}") from error
    if not _is_ours(connection, ours):
        connection.close()
        raise WarehouseUnusable(f"{path}: is a database of another program. {remedy}")
    return connection


def require_replaceable(published: Path, ours: Collection[str] = (), name: str = "") -> None:
    """Raise WarehouseUnusable where somebody else's file would be overwritten.

    Ours may be damaged, open in another program, or written by a newer DuckDB: the new one replaces it. ``name``: what
    ``published`` is a copy of.
    """
    name = name or f"{published}"
    if not _is_duckdb(published):
        raise WarehouseUnusable(f"{name}: is not a DuckDB file. {_PUBLISHED_ANEW}")
    if published.exists() and published.stat().st_size:
        with contextlib.suppress(duckdb.Error):
            connection = duckdb.connect(published, read_only=True)
            is_ours = _is_ours(connection, ours)
            connection.close()
            if not is_ours:
                raise WarehouseUnusable(f"{name}: is a database of another program. {_PUBLISHED_ANEW}")


def _reason(message: str) -> str | None:
    """Why a file can never be opened, from DuckDB's message; None where it can later, as once a lock is free."""
    if "newer version of DuckDB" in message or "storage version" in message:
        return f"was written by a newer version of DuckDB than {duckdb.__version__}. Update this program to read it"
    is_damaged = any(word in message.lower() for word in ("corrupt", "checksum", "deserialize", "wal file"))
    return f"is damaged ({message.splitlines()[0][:120]})" if is_damaged else None


def _is_duckdb(path: Path) -> bool:
    """Whether it is one, or empty, or missing: those become one."""
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return True
    return not head or head[_MAGIC_AT:] == _MAGIC


def _is_ours(connection: duckdb.DuckDBPyConnection, ours: Collection[str]) -> bool:
    tables = {name for (name,) in connection.execute(_TABLES).fetchall()}
    return not (tables and ours) or not tables.isdisjoint(ours)


def compact_to(source: Path, target: Path) -> None:
    """A database without free blocks as ``target``."""
    with duckdb.connect() as connection:
        connection.execute(GENTLE)
        connection.execute(
            f"attach {sql_literal(source)} as source (read_only); attach {sql_literal(target)} as target"
        )
        connection.execute("copy from database source to target")
    flush(target)
