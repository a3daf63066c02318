"""The DuckDB warehouse: one transaction per table and run, and a published copy that readers can hold open.

The pipeline writes its own file in ``data/state``; people read ``data/warehouse/tiktok.duckdb``, which is replaced as a
whole at the end of a run. DuckDB admits one process to a file, and even a reader shuts the writer out.

Does not belong here: Dagster (``warehouse_io``), the two files as files (``working_file``, ``published_file``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import duckdb
import polars as pl
import polars.selectors as cs

from tiktok_assets.curated.catalog import sql_literal
from tiktok_assets.exports.long_frames import FOLDERS, Rows, RowsT, pieces
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.columns import Descriptions, describe, rename_columns
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.warehouse_files import GENTLE, opened, require_replaceable
from tiktok_assets.storage.working_file import WorkingFile

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)

LOCK_TIMEOUT = 120.0  # seconds
_RETRY_AFTER = 0.1
ALL_ACCOUNTS, OVER_ALL_MONTHS = "all_accounts", "over_all_months"
# A file of which half is free is written anew; a small one is not worth it.
_SMALL = 8 * 1024**2  # bytes
_LOCK = "warehouse"


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What a table lost: ``rows`` in all, and ``changed``, the partitions beyond the run's own: account and month."""

    rows: int
    changed: list[tuple[str, dt.date]]


@dataclass(frozen=True)
class Warehouse(WorkingFile):
    """The pipeline's ``working`` file, and the ``published`` one that people read, with ``views`` of its tables."""

    views: Mapping[str, str] = field(default_factory=dict)
    """By name: the query. Views over tables or columns that do not exist yet are skipped."""
    descriptions: Descriptions = field(default_factory=dict)
    """By table or view: what one row is, and what each column means. They become comments in the file."""
    previous_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By table and column: the name the column had in earlier versions."""
    always: Mapping[str, Callable[[], pl.DataFrame]] = field(default_factory=dict)
    """By name, tables that are published even before they have rows, as frames without any: views are made of them."""

    @contextlib.contextmanager
    def session(
        self,
        *,
        holder: str = "",
        say: Callable[[str], object] = log.info,
        wait: bool = True,
        read_only: bool = False,
    ) -> Iterator[Session]:
        """The working file, held exclusively by the block. ``say`` gets the messages about waiting.

        It continues what is published (``continue_published``). ``read_only``: nothing is restored or changed. Raises
        LockTaken without ``wait``.
        """
        self.working.parent.mkdir(parents=True, exist_ok=True)
        with FileLocks(self.working.parent / "locks", holder).hold(_LOCK, wait=wait, say=say):
            if not read_only:
                self.continue_published(self.descriptions)
            session = Session(self, read_only=read_only)
            try:
                yield session
            finally:
                session.close()


class Session:
    """The working file of a ``warehouse``, held exclusively: one connection, opened on first use."""

    def __init__(self, warehouse: Warehouse, *, read_only: bool = False) -> None:
        self.warehouse = warehouse
        self._read_only = read_only
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Waits while a program that ignores our lock has the file open. Raises WarehouseUnusable, duckdb.Error."""
        if self._connection is None:
            deadline = time.monotonic() + LOCK_TIMEOUT
            while True:
                try:
                    warehouse = self.warehouse
                    self._connection = opened(warehouse.working, warehouse.descriptions, read_only=self._read_only)
                    break
                except duckdb.IOException as error:
                    if "lock" not in str(error).lower() or time.monotonic() > deadline:
                        raise
                    time.sleep(_RETRY_AFTER)
            self._connection.execute(GENTLE)
            if not self._read_only:
                rename_columns(self._connection, self.warehouse.previous_names)
        return self._connection

    def close(self) -> None:
        """Write everything into the file and let go of it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def replace(
        self,
        table: str,
        day: str,
        rows: Rows,
        partitions: PartitionRange,
        *,
        reached: PartitionRange | None = None,
        every_account: bool = False,
        over_all_months: Mapping[str, str] | None = None,
    ) -> Replaced:
        """Make ``partitions`` hold exactly ``rows``, and those of ``reached`` that came out differently.

        One transaction: the table is created from the frame or gets its new columns, the partitions are deleted by
        account and month of the column ``day``, the rows inserted by column name. A crash leaves the table as it was.
        ``every_account``: ``reached`` are its months of all accounts. ``over_all_months``: by column, what it is as an
        SQL expression over all rows of an account, in every month.
        """
        columns = over_all_months or {}
        keys, connection = partitions.keys_frame(), self.connection
        with _readable(connection, _plain(rows)), _transaction(connection):
            _make_room(connection, table)
            changed, source = keys.clear(), "_rows"
            if reached is not None and (every_account or reached != partitions):
                source = f"_rows as t semi join _keys as k on {_in(day)}"
                others = _partitions(connection, (table, "_rows"), day, reached).join(keys, on=keys.columns, how="anti")
                others = others.filter(every_account | pl.col("account").is_in(reached.accounts))
                compared = [name for name in rows.collect_schema() if name not in ("loaded_at", *columns)]
                changed = _changed(connection, table, day, compared, others)
            with _registered(connection, _keys=pl.concat([keys, changed]).to_arrow()):
                deleted = connection.execute(f"delete from {table} as t using _keys as k where {_in(day)}")
                counted = deleted.fetchone()
                connection.execute(f"insert into {table} by name from {source}")
                for name, expression in columns.items():
                    connection.execute(_KEEP_RIGHT.format(table=table, name=name, expression=expression))
        return Replaced(rows=int(counted[0]) if counted else 0, changed=changed.rows())

    def replace_months(self, table: str, day: str, rows: pl.DataFrame, months: Sequence[dt.date]) -> None:
        """As ``replace``, of a table without accounts: make ``months`` hold exactly ``rows``."""
        connection = self.connection
        keys = pl.DataFrame({"month": months}, schema={"month": pl.Date})
        with _registered(connection, _rows=_plain(rows).to_arrow(), _keys=keys.to_arrow()), _transaction(connection):
            _make_room(connection, table)
            connection.execute(
                f"delete from {table} as t using _keys as k where date_trunc('month', t.{day}) = k.month"
            )
            connection.execute(f"insert into {table} by name from _rows")

    def read(
        self,
        table: str,
        day: str,
        partitions: PartitionRange,
        columns: Sequence[str] = (),
        *,
        every_account: bool = False,
    ) -> pl.DataFrame:
        """The rows of ``table`` in the partitions of ``partitions``; all ``columns`` by default.

        ``every_account``: of its months, the rows of all accounts.
        """
        selected = ", ".join(f'"{name}"' for name in columns) or "*"
        connection, keys = self.connection, partitions.keys_frame()
        if every_account:
            keys = _partitions(connection, [table], day, partitions)
        with _registered(connection, _keys=keys.to_arrow()):
            found = connection.sql(f"select {selected} from {table} as t semi join _keys as k on {_in(day)}")
            return pl.DataFrame(found.to_arrow_table())

    def fingerprints(
        self,
        table: str,
        day: str,
        accounts: Sequence[str] | None,
        months: Sequence[dt.date] | None,
        without: Sequence[str] = (),
    ) -> dict[tuple[str, dt.date], str]:
        """By account and month, the number of rows of ``table`` and a hash of them, in whatever order they lie.

        Of all ``accounts`` and ``months`` where None is given. ``without``: columns that are not looked at.
        """
        connection = self.connection
        existing = connection.execute(
            "select column_name from duckdb_columns() where table_name = ? order by column_index", [table]
        ).fetchall()
        names = ", ".join(f't."{name}"' for (name,) in existing if name not in without)
        if not names:
            return {}
        query = _FINGERPRINTS.format(table=table, day=day, names=names)
        found = connection.execute(query, {"accounts": accounts, "months": months}).fetchall()
        return {(account, month): f"{rows}-{number}" for account, month, rows, number in found}

    def publish(self) -> None:
        """Replace the published file atomically by a copy of the working one. Raises WarehouseUnusable, and
        WarehouseOvertaken where another machine has published since the session began.

        Closed before it is copied: reading and closing a file that DuckDB has open in this process would drop DuckDB's
        own lock on it. Our lock is held throughout.
        """
        if isinstance(self.warehouse.published, Path):  # from elsewhere it was restored, and found to be ours
            require_replaceable(self.warehouse.published, self.warehouse.descriptions)
        for name, empty in self.warehouse.always.items():
            with _registered(self.connection, _rows=_plain(empty()).to_arrow()):
                _make_room(self.connection, name)
        for name, query in self.warehouse.views.items():
            with contextlib.suppress(duckdb.CatalogException, duckdb.BinderException):
                self.connection.execute(f"create or replace view {name} as {query}")
        describe(self.connection, self.warehouse.descriptions)
        self.connection.execute("checkpoint")
        is_half_empty = self._is_half_empty()
        self.close()
        self.warehouse.replace_published(is_half_empty=is_half_empty)

    def _is_half_empty(self) -> bool:
        sizes = self.connection.execute("select block_size, total_blocks, free_blocks from pragma_database_size()")
        block, total, free = sizes.fetchone() or (0, 0, 0)
        return block * total > _SMALL and free * 2 > total


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """The statements of the block, all or none of them."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


@contextlib.contextmanager
def _registered(connection: duckdb.DuckDBPyConnection, **tables: pa.Table) -> Iterator[None]:
    """Arrow tables under these names for the block; after a failure, which allows no statement, for longer."""
    for name, table in tables.items():
        connection.register(name, table)
    yield
    for name in tables:
        connection.unregister(name)


@contextlib.contextmanager
def _readable(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Iterator[None]:
    """The rows as ``_rows`` for the block; very many from a file, which DuckDB reads piece by piece."""
    if isinstance(rows, pl.DataFrame):
        # Text in Polars' own form: in the oldest one it is copied.
        with _registered(connection, _rows=rows.to_arrow(compat_level=pl.CompatLevel.newest())):
            yield
        return
    with tempfile.TemporaryDirectory(prefix=FOLDERS) as folder:
        for number, piece in enumerate(pieces(rows)):
            piece.write_parquet(Path(folder) / f"{number:06}.parquet")
        files = sql_literal(Path(folder) / "*.parquet")
        connection.execute(f"create or replace temp view _rows as from read_parquet({files})")
        try:
            yield
        finally:  # else the next rows, a frame, cannot have this name
            with contextlib.suppress(duckdb.Error):  # a failure may allow no statement
                connection.execute("drop view _rows")


# Rows whose value is unchanged are not written again.
_KEEP_RIGHT = """
update {table} as t set "{name}" = now.value
from (select rowid as id, {expression} as value from {table} where account in (select account from _keys)) as now
where t.rowid = now.id and t."{name}" is distinct from now.value
"""


_FINGERPRINTS = """
select account, month, count(*), sum(number)
from (select account, date_trunc('month', t.{day})::date as month, hash({names}) as number from {table} as t)
where ($accounts is null or list_contains($accounts::varchar[], account))
    and ($months is null or list_contains($months::date[], month))
group by account, month
"""


def _in(day: str) -> str:
    """Whether a row ``t`` lies in the partition ``k``."""
    return f"t.account = k.account and date_trunc('month', t.{day}) = k.month"


def _make_room(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create the table for ``_rows``, or add the columns it does not have yet."""
    connection.execute(f"create table if not exists {table} as from _rows limit 0")
    existing = {name for name, *_ in connection.execute(f"describe {table}").fetchall()}
    for name, dtype, *_ in connection.execute("describe from _rows").fetchall():
        if name not in existing:
            connection.execute(f'alter table {table} add column "{name}" {dtype}')


def _partitions(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[str], day: str, months: PartitionRange
) -> pl.DataFrame:
    """The partitions of these months, of any account, that one of the ``sources`` has rows of."""
    found = " union ".join(f"select account, date_trunc('month', {day})::date as month from {one}" for one in sources)
    keys = pl.DataFrame(connection.sql(f"from ({found}) order by all").to_arrow_table())
    return keys.cast({"account": pl.String, "month": pl.Date}).filter(pl.col("month").is_in(months.months))


def _changed(
    connection: duckdb.DuckDBPyConnection, table: str, day: str, columns: Sequence[str], keys: pl.DataFrame
) -> pl.DataFrame:
    """Those of the partitions ``keys`` whose rows differ from ``_rows`` in one of ``columns``."""
    if keys.is_empty():  # as in a first run: no table has to be compared
        return keys
    named = ", ".join(f't."{name}"' for name in columns)
    new, old = (
        f"select k.account as _account, k.month as _month, {named} from {source} as t join _others as k on {_in(day)}"
        for source in ("_rows", table)
    )
    with _registered(connection, _others=keys.to_arrow()):
        found = connection.sql(
            f"select distinct _account as account, _month as month from "
            f"((({new}) except all ({old})) union all (({old}) except all ({new}))) order by all"
        ).to_arrow_table()
    return pl.DataFrame(found).cast(dict(keys.schema))  # pyright: ignore[reportArgumentType]


def _plain(rows: RowsT) -> RowsT:
    """Moments as plain timestamps in UTC: DuckDB does nothing with a time zone without an extension to download."""
    plain = cs.datetime(time_zone="*").dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return cast("RowsT", rows.with_columns(plain))
