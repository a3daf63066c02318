"""What is in a SQLite file, without the code that wrote it."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    """The rows of a table, without the moment at which SQLite wrote them."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute(f"select * from {table} order by 1")
        names = [column[0] for column in found.description]
        clocks = {names.index(name) for name in ("create_timestamp", "migration_completed") if name in names}
        return [tuple(cell for place, cell in enumerate(row) if place not in clocks) for row in found]


def tables(path: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("select name, sql from sqlite_master where sql is not null")
        return {name: " ".join(sql.split()) for name, sql in found}
