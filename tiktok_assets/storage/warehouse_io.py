"""The IO manager of the warehouse: what a run stores in it and reads from it, and its end, where it is published.

Belongs here: what Dagster asks of a table of the warehouse. Does not belong here: files and statements (``duckdb``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.partitions import PartitionRange, partition_range
from tiktok_assets.storage.duckdb import ALL_ACCOUNTS, OVER_ALL_MONTHS, Session, Warehouse
from tiktok_assets.storage.locks import Held
from tiktok_assets.storage.parquet import COLUMNS, named, requested_range
from tiktok_assets.storage.partition_metadata import set_run_metadata


class WarehouseIOManager(dg.IOManager):
    """A table of the warehouse for each asset ``warehouse/<table>``. What it returns replaces the run's partitions.

    With ``downstream_days`` also those of later months that came out differently, as in the lake; with
    ``all_accounts`` an input holds the rows of all accounts, and an output may change theirs.
    """

    def __init__(
        self, warehouse: Warehouse, days: Mapping[str, str], holder: str = "", needs: Sequence[Held] = ()
    ) -> None:
        self._needs = needs
        """Locks without which nothing is stored."""
        self.warehouse = warehouse
        self.days = days
        """By table: the column whose month is the partition."""
        self.holder = holder
        self._stack = contextlib.ExitStack()
        self._session: Session | None = None
        self._is_published = True

    def session(self, say: Callable[[str], object]) -> Session:
        """The working file, held from the first call to ``finish``; ``say`` gets the messages about waiting."""
        if self._session is None:
            self._session = self._stack.enter_context(self.warehouse.session(holder=self.holder, say=say))
        return self._session

    def require_locks(self) -> None:
        """Raise LockLost where a lock without which nothing is stored may be somebody else's by now."""
        for held in self._needs:
            held.require()

    def needs_no_publishing(self) -> None:
        """What was stored so far needs no publishing at the end: it is published, or another run will do it."""
        self._is_published = True

    def finish(self) -> None:
        """Release the working file and publish what was stored, also by a run that failed half way."""
        with self._stack:
            if self._session is not None and not self._is_published:
                self._session.publish()

    def handle_output(self, context: dg.OutputContext, obj: Rows) -> None:
        table, metadata = context.asset_key.path[-1], context.definition_metadata
        partitions, reached, day = (
            partition_range(context.asset_partition_keys),
            requested_range(context),
            self.days[table],
        )
        self.require_locks()
        every_account = bool(metadata.get(ALL_ACCOUNTS))
        allowed = PartitionRange(_accounts(obj), reached.months) if every_account else reached
        allowed.require(obj.select("account", date=day), context.asset_key.to_user_string())
        over_all_months = metadata.get(OVER_ALL_MONTHS)
        replaced = self.session(context.log.info).replace(
            table, day, obj, partitions, reached=reached, every_account=every_account, over_all_months=over_all_months
        )
        self._is_published = False
        facts = {"later_partitions_changed": named(replaced.changed)} if replaced.changed else {}
        set_run_metadata(context, {"rows_replaced": replaced.rows, **facts})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        table, metadata = context.asset_key.path[-1], context.definition_metadata
        return self.session(context.log.info).read(
            table,
            self.days[table],
            requested_range(context),
            metadata.get(COLUMNS) or (),
            every_account=bool(metadata.get(ALL_ACCOUNTS)),
        )


def _accounts(rows: Rows) -> tuple[str, ...]:
    return tuple(rows.lazy().select(pl.col("account").unique()).collect()["account"])


def warehouse_io_manager(
    warehouse: Warehouse,
    days: Mapping[str, str],
    *needs: str,
    prepare: Callable[[WarehouseIOManager], WarehouseIOManager] = lambda manager: manager,
) -> dg.IOManagerDefinition:
    """The IO manager as a resource that has the working file until the run ends.

    ``needs``: resources of locks, held before and until then. ``prepare``: what is put around the IO manager
    of each run.
    """

    def managed(context: dg.InitResourceContext) -> Iterator[WarehouseIOManager]:
        holder = f"run {context.run.run_id[:8]}" if context.run else ""
        held = [getattr(context.resources, name) for name in needs]
        manager = prepare(WarehouseIOManager(warehouse, days, holder, held))
        try:
            yield manager
        finally:
            manager.finish()

    description = f"DuckDB; {warehouse.published.name} is published at the end of each run"
    return dg.IOManagerDefinition(
        resource_fn=managed,  # pyright: ignore[reportArgumentType]  # a generator runs to its end when the run does
        description=description,
        required_resource_keys=set(needs),
    )
