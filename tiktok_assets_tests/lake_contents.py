"""Everything an installation has stored, to be compared with another installation."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tiktok_assets.settings import Settings

LakeContents = dict[str, bytes | list[tuple[object, ...]]]


def tables(settings: Settings) -> LakeContents:
    """Every file of the lake below landing byte for byte, and the rows of every published table but for loaded_at."""
    root = Path(str(settings.data_dir))
    files = [path for layer in ("raw", "staging", "curated") for path in (root / layer).rglob("*.parquet")]
    found: LakeContents = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(files)}
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        for (table,) in connection.sql("select table_name from duckdb_tables()").fetchall():
            found[table] = connection.sql(f"select * exclude (loaded_at) from {table} order by all").fetchall()
    return found


def differing(one: LakeContents, other: LakeContents) -> list[str]:
    """The files and tables that are not the same."""
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))
