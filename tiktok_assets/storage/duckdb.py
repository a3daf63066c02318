"""The DuckDB warehouse: one transaction per table and run, and a published copy that readers can hold open.

The pipeline writes its own file in ``data/state``; people read ``data/warehouse/tiktok.duckdb``, which a rename
replaces at the end of a run. DuckDB admits one process to a file, and even a reader shuts the writer out.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import polars.selectors as cs

from tiktok_assets.partitions import Slice, slice_of

LOCK_TIMEOUT = 120.0  # seconds
_RETRY_AFTER = 0.1
# DuckDB takes 80% of the machine if it may; a table of 900,000 videos needs 200 MB, more goes to disk.
_MODEST = "set memory_limit = '256MB'; set threads = 2"


@dataclass(frozen=True)
class Warehouse:
    """The pipeline's ``working`` file, and the ``published`` one that people read."""

    working: Path
    published: Path

    @contextlib.contextmanager
    def connect(self, timeout: float = LOCK_TIMEOUT) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the working file; waits while another process has it."""
        self.working.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + timeout
        while True:
            try:
                connection = duckdb.connect(self.working)
                break
            except duckdb.IOException as error:
                if "lock" not in str(error).lower() or time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_AFTER)
        try:
            connection.execute(_MODEST)
            yield connection
        finally:
            connection.close()

    def replace(self, table: str, day: str, rows: pl.DataFrame, part: Slice) -> int:
        """Make the partitions of ``part`` hold exactly ``rows``; returns how many rows they held before.

        One transaction: the table is created from the frame or gets its new columns, the partitions are deleted by
        account and month of the column ``day``, the rows inserted by column name. A crash leaves the table as it was.
        """
        with self.connect() as connection:
            # Text in Polars' own form: in the oldest one it is copied, 240 MB for 900,000 videos.
            connection.register("_rows", _plain(rows).to_arrow(compat_level=pl.CompatLevel.newest()))
            connection.register("_keys", part.partitions().to_arrow())
            connection.begin()
            try:
                connection.execute(f"create table if not exists {table} as from _rows limit 0")
                for name, dtype, *_ in connection.execute("describe from _rows").fetchall():
                    connection.execute(f'alter table {table} add column if not exists "{name}" {dtype}')
                counted = connection.execute(
                    f"delete from {table} as old using _keys as key "
                    f"where old.account = key.account and date_trunc('month', old.{day}) = key.month"
                ).fetchone()
                connection.execute(f"insert into {table} by name from _rows")
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return int(counted[0]) if counted else 0

    def read(self, table: str, day: str, part: Slice) -> pl.DataFrame:
        """The rows of ``table`` in the partitions of ``part``."""
        with self.connect() as connection:
            connection.register("_keys", part.partitions().to_arrow())
            found = connection.sql(
                f"select * from {table} as t semi join _keys as key "
                f"on t.account = key.account and date_trunc('month', t.{day}) = key.month"
            )
            return pl.DataFrame(found.to_arrow_table())

    def publish(self) -> None:
        """Replace the published file by a copy of the working one, at once and whole.

        The working file stays locked until the copy is in place: of two runs that end together, the later state wins.
        """
        self.published.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection, tempfile.TemporaryDirectory(dir=self.working.parent) as folder:
            copy = Path(folder) / self.published.name
            connection.execute(f"attach '{copy}' as published")
            connection.execute(f'copy from database "{self.working.stem}" to published')
            connection.execute("detach published")
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            # What somebody wrote into the published file belongs to the file that is going; DuckDB refuses to open
            # another one beside it ("WAL does not match database file").
            self.published.with_name(f"{self.published.name}.wal").unlink(missing_ok=True)
            copy.replace(self.published)


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Moments as plain timestamps in UTC: DuckDB does nothing with a time zone without an extension to download."""
    return rows.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None))


class WarehouseIOManager(dg.IOManager):
    """A table of the warehouse for each asset ``warehouse/<table>``. What it returns replaces the run's partitions."""

    def __init__(self, warehouse: Warehouse, days: Mapping[str, str]) -> None:
        self.warehouse = warehouse
        self.days = days
        """By table: the column whose month is the partition."""
        self.changed = False

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        table = context.asset_key.path[-1]
        part, day = slice_of(context.asset_partition_keys), self.days[table]
        part.require(obj.select("account", date=day), context.asset_key.to_user_string())
        replaced = self.warehouse.replace(table, day, obj, part)
        self.changed = True
        context.add_output_metadata({"rows_replaced": replaced, "table": f"main.{table}"})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        table = context.asset_key.path[-1]
        return self.warehouse.read(table, self.days[table], slice_of(context.asset_partition_keys))


def warehouse_io_manager(warehouse: Warehouse, days: Mapping[str, str]) -> dg.IOManagerDefinition:
    """The IO manager as a resource that publishes at the end of a run, also of one that failed half way."""

    def managed(_: dg.InitResourceContext) -> Iterator[WarehouseIOManager]:
        manager = WarehouseIOManager(warehouse, days)
        try:
            yield manager
        finally:
            if manager.changed:
                warehouse.publish()

    description = f"DuckDB; {warehouse.published.name} is published at the end of each run"
    # Dagster runs a generator to its end when the run ends; its types do not know.
    return dg.IOManagerDefinition(resource_fn=managed, description=description)  # pyright: ignore[reportArgumentType]
