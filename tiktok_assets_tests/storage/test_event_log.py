"""The batched event log: the files of the stock one, whoever writes, reads, forks or is killed meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO, TypeVar

import dagster as dg
import pytest
from dagster._core.events import DagsterEventType
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.event_log.sqlite import sqlite_event_log as stock_module
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.exc import DatabaseError, OperationalError

from tiktok_assets.storage import history_files
from tiktok_assets.storage.event_log import BatchedEventLog
from tiktok_assets_tests.storage import events
from tiktok_assets_tests.storage.children import forked
from tiktok_assets_tests.storage.sqlite_files import rows, tables

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

Log = TypeVar("Log", bound=SqliteEventLogStorage)
MONTHS = [f"2025-{month:02}" for month in range(1, 13)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def log(folder: Path) -> Iterator[BatchedEventLog]:
    with opened(BatchedEventLog, folder) as log:
        yield log


@contextlib.contextmanager
def opened(kind: Callable[[str], Log], folder: Path) -> Iterator[Log]:
    log = kind(str(folder))
    try:
        yield log
    finally:
        log.dispose()


def test_what_is_relied_upon_in_dagster_has_not_changed() -> None:
    """On a new release: read what changed in these, then adapt ``event_log`` and ``history_files``, then this."""
    relied_upon = [
        stock_module.SqliteEventLogStorage,
        stock_module.SqliteEventLogStorageWatchdog,
        SqlEventLogStorage.store_event,
        SqlEventLogStorage._event_to_row,
        SqlEventLogStorage._store_asset_event,
        SqlEventLogStorage._get_asset_entry_values,
        SqlEventLogStorage._store_asset_event_tags,
        SqlEventLogStorage.store_asset_check_event,
        SqlEventLogStorage.has_secondary_index,
        SqlEventLogStorage._has_asset_key_col_on_connection,
        SqlEventLogStorage._wipe_index,
    ]
    source = "".join(inspect.getsource(one) for one in relied_upon)
    assert dg.__version__ == history_files.KNOWN_DAGSTER
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == "48eaf3a3bc115968"


def test_the_same_events_become_the_same_rows_as_in_the_stock_class(tmp_path: Path) -> None:
    stored = [
        *events.of_a_run("one", ["a", "b"], MONTHS),
        events.materialized("two", "unpartitioned"),
        events.planned("two", "a", MONTHS[0]),
        *events.checked("two", "a", passed=False),
    ]
    with opened(SqliteEventLogStorage, tmp_path / "stock") as stock, opened(BatchedEventLog, tmp_path / "ours") as ours:
        for event in stored:
            stock.store_event(event)
        ours.store_event_batch(stored)
        for name in ("index.db", "one.db", "two.db"):
            assert tables(tmp_path / "stock" / name) == tables(tmp_path / "ours" / name)
            for table in history_files.INDEX.tables.tables:
                assert rows(tmp_path / "stock" / name, table) == rows(tmp_path / "ours" / name, table), (name, table)


def test_the_stock_class_and_this_one_continue_each_others_files(folder: Path) -> None:
    kinds = [BatchedEventLog, SqliteEventLogStorage] * 2
    with contextlib.ExitStack() as stack:
        logs = [stack.enter_context(opened(kind, folder)) for kind in kinds]  # all of them open at once
        for number, log in enumerate(logs):
            log.store_event_batch([events.materialized("run", "asset", str(number)), events.step_started("run")])
    for kind in kinds[:2]:
        with opened(kind, folder) as log:
            assert log.get_materialized_partitions(dg.AssetKey("asset")) == {"0", "1", "2", "3"}
            assert len(log.get_logs_for_run("run")) == 8


def test_a_batch_is_stored_whole_or_not_at_all(log: BatchedEventLog, folder: Path) -> None:
    batch = [events.materialized("run", "asset", month) for month in MONTHS]
    with contextlib.closing(sqlite3.connect(folder / "index.db", isolation_level=None)) as other, impatient(log):
        other.execute("begin immediate")
        with pytest.raises(OperationalError, match="locked"):
            log.store_event_batch(batch)
        other.execute("rollback")
    assert log.get_logs_for_run("run") == []
    for event in batch:  # what Dagster does when a batch fails
        log.store_event(event)
    assert len(log.get_logs_for_run("run")) == 12
    assert len(rows(folder / "index.db", "event_logs")) == 12


@contextlib.contextmanager
def impatient(log: BatchedEventLog) -> Iterator[None]:
    """Fails at once on a locked file."""
    for shard in ("index", "run"):
        with log._connect(shard) as connection:
            connection.exec_driver_sql("pragma busy_timeout=0")
    yield
    log._connections.close()


def test_a_batch_that_failed_between_both_commits_is_not_stored_twice(
    log: BatchedEventLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [events.materialized("run", "asset", month) for month in MONTHS]
    writing = log._writing

    @contextlib.contextmanager
    def first_only(shards: list[str]) -> Iterator[object]:
        with writing(shards) as connections:
            yield connections
            connections["run"].commit()
            raise OperationalError("commit", {}, sqlite3.OperationalError("database or disk is full"))

    with monkeypatch.context() as patched, pytest.raises(OperationalError, match="full"):
        patched.setattr(log, "_writing", first_only)
        log.store_event_batch(batch)
    assert len(rows(folder / "run.db", "event_logs")) == 12
    assert rows(folder / "index.db", "event_logs") == []
    for event in batch:
        log.store_event(event)
    assert len(rows(folder / "run.db", "event_logs")) == len(rows(folder / "index.db", "event_logs")) == 12
    log.store_event(batch[0])  # only a retry adds nothing
    assert len(log.get_logs_for_run("run")) == 13


def test_the_row_of_an_asset_is_written_once_for_all_its_partitions(log: BatchedEventLog) -> None:
    statements: list[str] = []
    with log.index_connection() as connection:
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(statements.append)
    log.store_event_batch([events.materialized("run", asset, month) for month in MONTHS for asset in ("a", "b")])
    assert len([one for one in statements if one.startswith("INSERT INTO asset_keys")]) == 2
    assert not [one for one in statements if "sqlite_master" in one and "alembic" in one]
    latest = log.get_latest_materialization_events([dg.AssetKey("a")])[dg.AssetKey("a")]
    assert latest is not None
    assert latest.get_dagster_event().partition == "2025-12"


def test_nothing_that_was_acknowledged_is_lost_when_the_writer_is_killed(folder: Path) -> None:
    def write(say: TextIO) -> None:
        log = BatchedEventLog(str(folder))
        for number in range(100_000):
            log.store_event_batch([events.materialized("run", "asset", f"{number} {part}") for part in range(3)])
            say.write(f"{number}\n")

    for acknowledged in (1, 7, 23, 60):
        writer, output = forked(write)
        with output:
            stored = [int(next(output)) for _ in range(acknowledged)]
            os.kill(writer, signal.SIGKILL)
            stored += [int(line) for line in output]
        os.waitpid(writer, 0)
        for kind in (BatchedEventLog, SqliteEventLogStorage):
            with opened(kind, folder) as log:
                partitions = log.get_materialized_partitions(dg.AssetKey("asset"))
                of_run = {event.get_dagster_event().partition for event in log.get_logs_for_run("run")}
                assert {f"{number} {part}" for number in stored for part in range(3)} <= partitions
                assert partitions <= of_run
        with contextlib.closing(sqlite3.connect(folder / "index.db")) as connection:
            assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_many_threads_write_and_read_at_once(log: BatchedEventLog) -> None:
    def work(number: int) -> int:
        log.store_event_batch(events.of_a_run(f"run{number % 7}", [f"asset{number}"], MONTHS[:3]))
        return len(log.get_logs_for_run(f"run{number % 7}"))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(30)))
    assert sum(len(log.get_logs_for_run(f"run{number}")) for number in range(7)) == 30 * 11
    assert len(log._connections._open) <= 4


def test_a_forked_process_has_connections_of_its_own(log: BatchedEventLog, folder: Path) -> None:
    log.store_event(events.materialized("run", "asset", "before"))

    def write(say: TextIO) -> None:
        log.store_event(events.materialized("run", "asset", "child"))
        log.dispose()

    child, output = forked(write)
    log.store_event(events.materialized("run", "asset", "parent"))
    with output:
        assert output.read() == ""
    os.waitpid(child, 0)
    log.store_event(events.materialized("run", "asset", "after"))
    with opened(SqliteEventLogStorage, folder) as stock:
        assert stock.get_materialized_partitions(dg.AssetKey("asset")) == {"before", "child", "parent", "after"}


def test_after_a_wipe_nothing_is_written_into_deleted_files(log: BatchedEventLog, folder: Path) -> None:
    log.store_event(events.materialized("run", "asset", "old"))
    log.wipe()
    assert not (folder / "run.db").exists()
    log.store_event(events.materialized("run", "asset", "new"))
    with opened(SqliteEventLogStorage, folder) as stock:
        assert len(stock.get_logs_for_run("run")) == 1
        assert stock.get_materialized_partitions(dg.AssetKey("asset")) == {"new"}


def test_a_file_that_another_process_deleted_is_made_again(log: BatchedEventLog, folder: Path) -> None:
    log.store_event(events.step_started("run"))
    with opened(SqliteEventLogStorage, folder) as stock:
        stock.wipe()
    log.store_event(events.step_started("run"))
    with opened(SqliteEventLogStorage, folder) as stock:
        assert len(stock.get_logs_for_run("run")) == 1


def test_the_events_of_a_run_can_be_deleted_while_its_file_is_open(log: BatchedEventLog) -> None:
    log.store_event_batch([events.materialized("run", "asset", "a"), events.materialized("other", "asset", "b")])
    log.delete_events("run")
    assert log.get_logs_for_run("run") == []
    assert log.get_materialized_partitions(dg.AssetKey("asset")) == {"b"}


def test_a_damaged_file_is_replaced_once_it_is_deleted(log: BatchedEventLog, folder: Path) -> None:
    (folder / "run.db").write_bytes(b"no database" * 500)
    for _ in range(2):
        with pytest.raises(DatabaseError, match="not a database"):
            log.get_logs_for_run("run")
    (folder / "run.db").unlink()
    log.store_event(events.step_started("run"))
    assert len(log.get_logs_for_run("run")) == 1


@pytest.mark.parametrize("kind", [BatchedEventLog, SqliteEventLogStorage])
def test_the_page_of_a_run_follows_what_another_process_writes(
    log: BatchedEventLog, folder: Path, kind: type[SqliteEventLogStorage]
) -> None:
    received: list[str] = []
    all_there = threading.Event()

    def callback(event: dg.EventLogEntry, cursor: str) -> None:
        received.append(str(event.get_dagster_event().partition))
        if len(received) == 5:
            all_there.set()

    waiting, start = os.pipe()

    def write(say: TextIO) -> None:
        other = kind(str(folder))
        os.read(waiting, 1)
        for number in range(5):
            other.store_event(events.materialized("run", "asset", str(number)))
        time.sleep(60)  # with the file open

    writer, output = forked(write)
    log.store_event(events.step_started("run"))
    log.watch("run", log.get_records_for_run("run").cursor, callback)
    os.write(start, b"!")
    with output:
        arrived = all_there.wait(timeout=30)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    os.close(waiting)
    os.close(start)
    assert arrived
    time.sleep(0.6)  # the second look adds nothing
    assert received == ["0", "1", "2", "3", "4"]
    log.end_watch("run", callback)


def test_status_changes_are_found_across_runs(log: BatchedEventLog) -> None:
    log.store_event_batch([event for run in ("one", "two") for event in (events.started(run), events.ended(run))])
    changes = log.fetch_run_status_changes(DagsterEventType.RUN_SUCCESS, limit=10)
    assert [change.run_id for change in changes.records] == ["two", "one"]
