"""Whether a DuckDB file is a warehouse of ours, which may be written and replaced, or somebody else's.

Belongs here: opening such a file, and the sentence where that cannot be. Does not belong here: rows, transactions,
publishing (``duckdb``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path

import duckdb

from tiktok_assets.failures import WarehouseUnusable

_MAGIC, _MAGIC_AT = b"DUCK", 8
_MADE_ANEW = "Move it away, then run `tiktok-assets rebuild`, which makes it anew from landing. It was not changed."
_PUBLISHED_ANEW = "Move it away, then run `tiktok-assets process`, which publishes it again. It was not changed."
_TABLES = "select table_name from duckdb_tables()"


def opened(path: Path, ours: Collection[str] = (), *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse at ``path``, which is made if it is missing; ``read_only``: to the published one.

    ``ours``: the names of our tables, where they are known: a file with other tables only is another program's.
    Raises WarehouseUnusable for a file that is no warehouse of ours, duckdb.Error if another process holds it.
    """
    remedy = _PUBLISHED_ANEW if read_only else _MADE_ANEW
    if not _is_duckdb(path):
        raise WarehouseUnusable(f"{path}: is not a DuckDB file. {remedy}")
    try:
        connection = duckdb.connect(path, read_only=read_only)
    except duckdb.Error as error:
        if (reason := _reason(str(error).replace(str(path), ""))) is None:
            raise
        raise WarehouseUnusable(f"{path}: {reason}. {remedy}") from error
    if not _is_ours(connection, ours):
        connection.close()
        raise WarehouseUnusable(f"{path}: is a database of another program. {remedy}")
    return connection


def require_replaceable(published: Path, ours: Collection[str] = ()) -> None:
    """Raise WarehouseUnusable where somebody else's file would be overwritten.

    Ours may be damaged, open in another program, or written by a newer DuckDB: the new one replaces it.
    """
    if not _is_duckdb(published):
        raise WarehouseUnusable(f"{published}: is not a DuckDB file. {_PUBLISHED_ANEW}")
    if published.exists() and published.stat().st_size:
        with contextlib.suppress(duckdb.Error):
            connection = duckdb.connect(published, read_only=True)
            is_ours = _is_ours(connection, ours)
            connection.close()
            if not is_ours:
                raise WarehouseUnusable(f"{published}: is a database of another program. {_PUBLISHED_ANEW}")


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
