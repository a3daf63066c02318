"""The DuckDB warehouse: one transaction per table and run, and a published copy that readers can hold open.

The pipeline writes its own file in ``data/state``; people read ``data/warehouse/tiktok.duckdb``, which a rename
replaces at the end of a run. DuckDB admits one process to a file, and even a reader shuts the writer out.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import polars.selectors as cs

from tiktok_assets.partition_metadata import set_run_metadata
from tiktok_assets.partitions import Slice, slice_of
from tiktok_assets.storage.parquet import COLUMNS, named, sight

LOCK_TIMEOUT = 120.0  # seconds
EVERYONE, OVER_ALL_MONTHS = "every_account", "over_all_months"
_RETRY_AFTER = 0.1
# DuckDB takes 80% of the machine if it may; a table of 900,000 videos needs 200 MB, more goes to disk.
_MODEST = "set memory_limit = '256MB'; set threads = 2"


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What a table lost: ``rows`` in all, and ``changed``, the partitions beyond the run's own: account and month."""

    rows: int
    changed: list[tuple[str, dt.date]]


@dataclass(frozen=True)
class Warehouse:
    """The pipeline's ``working`` file, and the ``published`` one that people read, with ``views`` of its tables."""

    working: Path
    published: Path
    views: Mapping[str, str] = field(default_factory=dict)
    """By name: the query. One that asks for a table or column that is not there yet is left out."""

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

    def replace(
        self,
        table: str,
        day: str,
        rows: pl.DataFrame,
        part: Slice,
        *,
        reached: Slice | None = None,
        every_account: bool = False,
        over_all_months: Mapping[str, str] | None = None,
    ) -> Replaced:
        """Make the partitions of ``part`` hold exactly ``rows``, and those of ``reached`` that came out differently.

        One transaction: the table is created from the frame or gets its new columns, the partitions are deleted by
        account and month of the column ``day``, the rows inserted by column name. A crash leaves the table as it was.
        ``every_account``: ``reached`` are its months of all accounts. ``over_all_months``: by column, what it is as an
        SQL expression over all rows of an account, whatever its month.
        """
        columns = over_all_months or {}
        keys = part.partitions()
        with self.connect() as connection:
            # Text in Polars' own form: in the oldest one it is copied, 240 MB for 900,000 videos.
            connection.register("_rows", _plain(rows).to_arrow(compat_level=pl.CompatLevel.newest()))
            connection.begin()
            try:
                _make_room(connection, table)
                changed, source = keys.clear(), "_rows"
                if reached is not None and (every_account or reached != part):
                    source = f"_rows as t semi join _keys as k on {_in(day)}"
                    others = _partitions(connection, (table, "_rows"), day, reached).join(
                        keys, on=keys.columns, how="anti"
                    )
                    others = others.filter(every_account | pl.col("account").is_in(reached.accounts))
                    compared = [name for name in rows.columns if name not in ("loaded_at", *columns)]
                    changed = _changed(connection, table, day, compared, others)
                connection.register("_keys", pl.concat([keys, changed]).to_arrow())
                counted = connection.execute(f"delete from {table} as t using _keys as k where {_in(day)}").fetchone()
                connection.execute(f"insert into {table} by name from {source}")
                for name, expression in columns.items():
                    connection.execute(_KEEP_RIGHT.format(table=table, name=name, expression=expression))
                connection.commit()
            except BaseException:
                connection.rollback()
                raise
        return Replaced(rows=int(counted[0]) if counted else 0, changed=changed.rows())

    def read(
        self, table: str, day: str, part: Slice, columns: Sequence[str] = (), *, every_account: bool = False
    ) -> pl.DataFrame:
        """The rows of ``table`` in the partitions of ``part``; all ``columns`` by default.

        ``every_account``: of its months, the rows of all accounts.
        """
        selected = ", ".join(f'"{name}"' for name in columns) or "*"
        with self.connect() as connection:
            keys = part.partitions()
            if every_account:
                keys = _partitions(connection, [table], day, part)
            connection.register("_keys", keys.to_arrow())
            found = connection.sql(f"select {selected} from {table} as t semi join _keys as k on {_in(day)}")
            return pl.DataFrame(found.to_arrow_table())

    def publish(self) -> None:
        """Replace the published file by a copy of the working one, at once and whole.

        The working file stays locked until the copy is in place: of two runs that end together, the later state wins.
        """
        self.published.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection, tempfile.TemporaryDirectory(dir=self.working.parent) as folder:
            copy = Path(folder) / self.published.name
            for name, query in self.views.items():
                with contextlib.suppress(duckdb.CatalogException, duckdb.BinderException):
                    connection.execute(f"create or replace view {name} as {query}")
            connection.execute(f"attach '{copy}' as published")
            connection.execute(f'copy from database "{self.working.stem}" to published')
            connection.execute("detach published")
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            # What somebody wrote into the published file belongs to the file that is going; DuckDB refuses to open
            # another one beside it ("WAL does not match database file").
            self.published.with_name(f"{self.published.name}.wal").unlink(missing_ok=True)
            copy.replace(self.published)


# Of rows that say the same as before none is written again.
_KEEP_RIGHT = """
update {table} as t set "{name}" = now.value
from (select rowid as id, {expression} as value from {table} where account in (select account from _keys)) as now
where t.rowid = now.id and t."{name}" is distinct from now.value
"""


def _in(day: str) -> str:
    """Whether a row ``t`` lies in the partition ``k``."""
    return f"t.account = k.account and date_trunc('month', t.{day}) = k.month"


def _make_room(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create the table for ``_rows``, or add the columns it does not have yet."""
    connection.execute(f"create table if not exists {table} as from _rows limit 0")
    known = {name for name, *_ in connection.execute(f"describe {table}").fetchall()}
    for name, dtype, *_ in connection.execute("describe from _rows").fetchall():
        if name not in known:
            connection.execute(f'alter table {table} add column "{name}" {dtype}')


def _partitions(connection: duckdb.DuckDBPyConnection, sources: Sequence[str], day: str, months: Slice) -> pl.DataFrame:
    """The partitions of these months, of any account, that one of the ``sources`` has rows of."""
    found = " union ".join(f"select account, date_trunc('month', {day})::date as month from {one}" for one in sources)
    keys = pl.DataFrame(connection.sql(f"from ({found}) order by all").to_arrow_table())
    return keys.cast({"account": pl.String, "month": pl.Date}).filter(pl.col("month").is_in(months.months))


def _changed(
    connection: duckdb.DuckDBPyConnection, table: str, day: str, columns: Sequence[str], keys: pl.DataFrame
) -> pl.DataFrame:
    """Those of the partitions ``keys`` whose rows differ from ``_rows`` in one of ``columns``."""
    connection.register("_others", keys.to_arrow())
    named = ", ".join(f't."{name}"' for name in columns)
    new, old = (
        f"select k.account as _account, k.month as _month, {named} from {source} as t join _others as k on {_in(day)}"
        for source in ("_rows", table)
    )
    found = connection.sql(
        f"select distinct _account as account, _month as month from "
        f"((({new}) except all ({old})) union all (({old}) except all ({new}))) order by all"
    )
    return pl.DataFrame(found.to_arrow_table()).cast(dict(keys.schema))  # pyright: ignore[reportArgumentType]


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Moments as plain timestamps in UTC: DuckDB does nothing with a time zone without an extension to download."""
    return rows.with_columns(cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None))


class WarehouseIOManager(dg.IOManager):
    """A table of the warehouse for each asset ``warehouse/<table>``. What it returns replaces the run's partitions.

    With ``reach_days`` also those of later months that came out differently, as in the lake; with ``every_account`` an
    input holds the rows of all accounts, and an output may change theirs.
    """

    def __init__(self, warehouse: Warehouse, days: Mapping[str, str]) -> None:
        self.warehouse = warehouse
        self.days = days
        """By table: the column whose month is the partition."""
        self.changed = False

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame) -> None:
        table, told = context.asset_key.path[-1], context.definition_metadata
        part, reached, day = slice_of(context.asset_partition_keys), sight(context), self.days[table]
        every_account = bool(told.get(EVERYONE))
        allowed = Slice(tuple(obj["account"].unique()), reached.months) if every_account else reached
        allowed.require(obj.select("account", date=day), context.asset_key.to_user_string())
        over_all_months = told.get(OVER_ALL_MONTHS)
        replaced = self.warehouse.replace(
            table, day, obj, part, reached=reached, every_account=every_account, over_all_months=over_all_months
        )
        self.changed = True
        facts = {"later_partitions_changed": named(replaced.changed)} if replaced.changed else {}
        set_run_metadata(context, {"rows_replaced": replaced.rows, **facts})

    def load_input(self, context: dg.InputContext) -> pl.DataFrame:
        table, told = context.asset_key.path[-1], context.definition_metadata
        return self.warehouse.read(
            table,
            self.days[table],
            sight(context),
            told.get(COLUMNS) or (),
            every_account=bool(told.get(EVERYONE)),
        )


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
