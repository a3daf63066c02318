"""Whether a DuckDB file is a warehouse of ours, which may be written and replaced, or somebody else's.

Belongs here: opening such a file, and the sentence where that cannot be. Does not belong here: rows, transactions,
publishing (``duckdb``).
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from tiktok_assets.failures import WarehouseUnusable

_MAGIC, _MAGIC_AT = b"DUCK", 8
_MADE_ANEW = "Move it away, then run `tiktok-assets rebuild`, which makes it anew from landing. It was not changed."
_PUBLISHED_ANEW = "Move it away, then run `tiktok-assets process`, which publishes it again. It was not changed."
# Every table of ours has this column.
_OURS = "select count(*), count(*) filter (column_name = 'loaded_at') from duckdb_columns() where not internal"


def opened(path: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the warehouse at ``path``, which is made if it is missing; ``read_only``: to the published one.

    Raises WarehouseUnusable for a file that is no warehouse of ours, duckdb.Error if another process holds it.
    """
    remedy = _PUBLISHED_ANEW if read_only else _MADE_ANEW
    if not _is_duckdb(path):
        raise WarehouseUnusable(f"{path}: is not a DuckDB file. {remedy}")
    try:
        connection = duckdb.connect(path, read_only=read_only)
    except duckdb.Error as error:
        if (reason := _reason(str(error))) is None:
            raise
        raise WarehouseUnusable(f"{path}: {reason}. {remedy}") from error
    if not _has_only_ours(connection):
        connection.close()
        raise WarehouseUnusable(f"{path}: is a database of another program. {remedy}")
    return connection


def _reason(message: str) -> str | None:
    """Why a file can never be opened, from DuckDB's message; None where it can later, as once a lock is free."""
    if "version" in message:
        return f"was written by a newer version of DuckDB than {duckdb.__version__}. Update this program"
    is_damaged = any(word in message.lower() for word in ("corrupt", "checksum", "deserialize", "wal file"))
    return f"is damaged ({message.splitlines()[0][:120]})" if is_damaged else None


def require_replaceable(path: Path) -> None:
    """Raise WarehouseUnusable where a file that is no warehouse of ours would be overwritten."""
    try:
        if path.exists():
            opened(path, read_only=True).close()
    except duckdb.Error:  # somebody has it open: a DuckDB file under our name
        pass


def _is_duckdb(path: Path) -> bool:
    """Whether it is one, or empty, or missing: those become one."""
    try:
        with path.open("rb") as file:
            head = file.read(_MAGIC_AT + len(_MAGIC))
    except FileNotFoundError:
        return True
    return not head or head[_MAGIC_AT:] == _MAGIC


def _has_only_ours(connection: duckdb.DuckDBPyConnection) -> bool:
    [(columns, ours)] = connection.execute(_OURS).fetchall()
    return columns == 0 or ours > 0
