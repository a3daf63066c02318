"""Dagster's event log in SQLite with its own files and tables, written a batch at a time through kept connections.

Belongs here: what differs from ``SqliteEventLogStorage``, and nothing else of the history; this is the one module that
reaches into it. Why: the stock class opens and closes both of its files for every event, asks for their tables each
time, and writes the whole latest event of an asset again for each of its partitions; of a first `process` of an account
that was more than half. It relies on internals of the pinned release; ``test_event_log.py`` fails when they change.

Either class opens what the other one wrote, also while the other one has it open.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import sqlalchemy as db
from dagster._core.event_api import EventHandlerFn
from dagster._core.events import (
    ASSET_CHECK_EVENTS,
    ASSET_EVENTS,
    EVENT_TYPE_TO_PIPELINE_RUN_STATUS,
    DagsterEventType,
)
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.schema import AssetKeyTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import (
    INDEX_SHARD_NAME,
    SqliteEventLogStorage,
    SqliteEventLogStorageWatchdog,
)
from dagster._serdes import ConfigurableClassData
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection
from watchdog.events import FileSystemEvent, PatternMatchingEventHandler
from watchdog.observers import Observer

from tiktok_assets.storage import history_files
from tiktok_assets.storage.connections import KeptConnections, open_engine

_LOOK_AGAIN = 0.5  # seconds until a change that was not visible yet is looked for again

_Row = dict[str, object]


class BatchedEventLog(SqliteEventLogStorage):
    """``SqliteEventLogStorage`` with one open connection per file and one transaction per batch.

    A batch is stored whole or not at all, in the file of its run and in the index across runs; storing it again after
    a failure adds nothing.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._connections = KeptConnections()
        self._tables: set[str] = set()
        self._asset_key_columns: set[str] = set()
        self._secondary_indexes: set[str] = set()
        self._half_stored: set[str] = set()
        history_files.make_or_repair(Path(base_dir) / f"{INDEX_SHARD_NAME}.db", history_files.INDEX)
        super().__init__(base_dir, inst_data)
        weakref.finalize(self, self._connections.close)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(inst_data=inst_data, **config_value)

    def dispose(self) -> None:
        super().dispose()
        self._connections.close()

    # -- Connections: the stock class opens one for each question, under a lock that its own thread waits for as well.

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._connections.transaction(self.path_for_shard(shard), partial(self._prepare, shard)) as connection:
            yield connection

    def _prepare(self, shard: str, path: str) -> None:
        """Make the file of ``shard`` where there is none; leave to the stock class what only it can judge."""
        kind = history_files.INDEX if shard == INDEX_SHARD_NAME else history_files.EVENTS_OF_A_RUN
        if not history_files.make_or_repair(Path(path), kind):
            self._initdb(open_engine(path), for_index_shard=shard == INDEX_SHARD_NAME)

    def wipe(self) -> None:
        self._connections.close()  # else what is stored next goes into deleted files
        super().wipe()

    def upgrade(self) -> None:
        self._connections.close()
        super().upgrade()

    # -- What the stock class asks again and again. Only a yes is remembered: a migration turns a no into a yes.

    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables:
            with self.index_connection() as connection:
                if connection.dialect.has_table(connection, table_name):
                    self._tables.add(table_name)
        return table_name in self._tables

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        if column_name not in self._asset_key_columns and super()._has_asset_key_col_on_connection(conn, column_name):
            self._asset_key_columns.add(column_name)
        return column_name in self._asset_key_columns

    def has_secondary_index(self, name: str) -> bool:
        if name not in self._secondary_indexes and super().has_secondary_index(name):
            self._secondary_indexes.add(name)
        return name in self._secondary_indexes

    # -- Storing

    def store_event(self, event: EventLogEntry) -> None:
        self.store_event_batch([event])

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store ``events`` in the files of their runs and, those that concern more than a run, in the index.

        Both are locked before the first row is written: if one of them stays locked, neither gets a row. If the
        second commit still fails (a full disk), what the first one stored is found when Dagster tries again.
        """
        entries = [(event, self._event_to_row(event)) for event in map(with_own_sentence, events)]
        shared = [(event, row) for event, row in entries if _concerns_more_than_its_run(event)]
        of_runs: dict[str, list[_Row]] = {}
        for event, row in entries:
            of_runs.setdefault(event.run_id, []).append(row)
        try:
            with self._writing([*([INDEX_SHARD_NAME] if shared else []), *of_runs]) as connections:
                for run_id, rows in of_runs.items():
                    _insert(connections[run_id], self._not_yet_stored(connections[run_id], rows))
                if shared:
                    self._store_in_index(connections[INDEX_SHARD_NAME], shared)
        except Exception:
            self._half_stored.update(str(row["event"]) for _, row in entries)
            raise

    @contextlib.contextmanager
    def _writing(self, shards: Sequence[str]) -> Iterator[dict[str, Connection]]:
        """Connections to files that nobody else writes to meanwhile. The last one is committed first."""
        with contextlib.ExitStack() as stack:
            connections = {shard: stack.enter_context(self._connect(shard)) for shard in shards}
            for connection in connections.values():
                connection.exec_driver_sql("begin immediate")
            yield connections

    def _not_yet_stored(self, connection: Connection, rows: list[_Row]) -> list[_Row]:
        """``rows`` without those that a failed attempt stored already."""
        if not self._half_stored.intersection(str(row["event"]) for row in rows):
            return rows
        table = SqlEventLogStorageTable.c
        new = []
        for row in rows:
            there = db.select(table.id).where(table.timestamp == row["timestamp"], table.event == row["event"])
            if row["event"] not in self._half_stored or connection.execute(there).first() is None:
                new.append(row)
        self._half_stored.difference_update(str(row["event"]) for row in rows)
        return new

    def _store_in_index(self, connection: Connection, entries: Sequence[tuple[EventLogEntry, _Row]]) -> None:
        ids = _insert(connection, [row for _, row in entries])
        numbered = [(event, id_) for (event, _), id_ in zip(entries, ids, strict=True)]
        of_assets = [(event, id_) for event, id_ in numbered if event.dagster_event_type in ASSET_EVENTS]
        if of_assets:
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [id_ for _, id_ in of_assets])
            self._store_latest_of_assets(connection, of_assets)
        for event, id_ in numbered:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, id_)

    def _store_latest_of_assets(self, connection: Connection, events: list[tuple[EventLogEntry, int]]) -> None:
        """What the asset's row holds of its latest events, once for each asset and kind of event.

        The stock class writes the whole event for each partition, 21 times for 21 months, and keeps the last one.
        """
        values: dict[str, dict[str, object]] = {}
        latest: dict[tuple[str, str], tuple[EventLogEntry, int]] = {}
        for event, id_ in events:
            occurred = event.get_dagster_event()
            if occurred.asset_key is not None:
                asset = occurred.asset_key.to_string()
                values[asset] = {}
                latest.pop((asset, occurred.event_type_value), None)  # the order is that of the last ones
                latest[asset, occurred.event_type_value] = (event, id_)
        has_columns = self._has_asset_key_index_cols_on_connection(connection)
        for (asset, _), (event, id_) in latest.items():
            values[asset].update(self._get_asset_entry_values(event, id_, has_columns))
        for asset, of_asset in values.items():
            if of_asset:
                new = insert(AssetKeyTable).values(asset_key=asset, **of_asset)
                connection.execute(new.on_conflict_do_update(index_elements=["asset_key"], set_=of_asset))

    # -- The page of a run that goes on

    def watch(self, run_id: str, cursor: str | None, callback: EventHandlerFn) -> None:
        if not self._obs:
            self._obs = Observer()
            self._obs.start()
        watchdog = _WriteAheadLogWatchdog(self, run_id, callback, cursor)
        self._watchers[run_id][callback] = (watchdog, self._obs.schedule(watchdog, self._base_dir, recursive=True))


class _WriteAheadLogWatchdog(SqliteEventLogStorageWatchdog):
    """Follows the write-ahead log as well: while a writer keeps its connection, the file itself does not change."""

    def __init__(self, event_log: BatchedEventLog, run_id: str, callback: EventHandlerFn, cursor: str | None) -> None:
        super().__init__(event_log, run_id, callback, cursor)
        PatternMatchingEventHandler.__init__(self, patterns=[self._log_path, f"{self._log_path}-wal"])
        self._one_at_a_time = threading.Lock()
        self._again: threading.Timer | None = None

    def on_modified(self, event: FileSystemEvent) -> None:
        """Read now and again a moment later: a commit becomes visible slightly after its change to the file."""
        self._process_log()
        if self._again is None or not self._again.is_alive():
            self._again = threading.Timer(_LOOK_AGAIN, self._process_log)
            self._again.daemon = True
            self._again.start()

    def _process_log(self) -> None:
        with self._one_at_a_time:
            super()._process_log()


def with_own_sentence(event: EventLogEntry) -> EventLogEntry:
    """The failure of a step with the description of its ``dg.Failure`` as its message; others unchanged.

    The UI shows the message first, then the error and its trace. Dagster's message, 'Execution of step "raw" failed.',
    says nothing that the row of the step does not.
    """
    found = event.dagster_event
    if found is None or found.event_type is not DagsterEventType.STEP_FAILURE:
        return event
    failure = found.step_failure_data.user_failure_data
    if failure is None or not failure.description:
        return event
    return event._replace(dagster_event=found._replace(message=failure.description))


def _concerns_more_than_its_run(event: EventLogEntry) -> bool:
    kind = event.dagster_event_type
    return kind in ASSET_EVENTS or kind in ASSET_CHECK_EVENTS or kind in EVENT_TYPE_TO_PIPELINE_RUN_STATUS


_LAST_ID = f"select max(id) from {SqlEventLogStorageTable.name}"  # as text: asked for each event, so not built anew


def _insert(connection: Connection, rows: Sequence[_Row]) -> Sequence[int]:
    """Insert ``rows`` under the next ids, which nobody else can take meanwhile; those ids."""
    if not rows:
        return []
    last = connection.exec_driver_sql(_LAST_ID).scalar() or 0
    ids = range(last + 1, last + 1 + len(rows))
    numbered = [{**row, "id": id_} for id_, row in zip(ids, rows, strict=True)]
    connection.execute(SqlEventLogStorageTable.insert(), numbered)
    return ids
