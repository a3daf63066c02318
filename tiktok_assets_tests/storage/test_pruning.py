"""Old events of the history: which go, which stay, and what Dagster still knows afterwards."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.storage import pruning
from tiktok_assets.storage.event_log import BatchedEventLog
from tiktok_assets.storage.pruning import Pruned, prune
from tiktok_assets_tests.storage import events
from tiktok_assets_tests.storage.sqlite_files import rows

DAY = 24 * 3600.0
NOW = time.time()
ASSET = dg.AssetKey("asset")
CHECK = dg.AssetCheckKey(ASSET, "has_rows")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[BatchedEventLog]:
    log = BatchedEventLog(str(tmp_path / "runs"))
    yield log
    log.dispose()


def run(log: BatchedEventLog, run_id: str, days_ago: float, partitions: str, *, passed: bool = True) -> None:
    """A run that made ``partitions`` (a letter each) of the asset, and checked it."""
    at = NOW - days_ago * DAY
    log.store_event_batch(
        [
            events.started(run_id, at),
            *(events.planned(run_id, "asset", partition, at) for partition in partitions),
            events.step_started(run_id, at),
            *(events.materialized(run_id, "asset", partition, at) for partition in partitions),
            *events.checked(run_id, "asset", passed, at),
            events.ended(run_id, at),
        ]
    )


def pruned(log: BatchedEventLog, *finished: str, days: float = 90) -> Pruned:
    before = dt.datetime.fromtimestamp(NOW - days * DAY, dt.UTC)
    return prune(Path(log.path_for_shard("index")).parent, finished, before)


def answers(log: SqliteEventLogStorage) -> dict[str, object]:
    """The answers to the queries of Dagster's asset and check pages."""
    [record] = log.get_asset_records([ASSET])
    latest_check = log.get_latest_asset_check_execution_by_key([CHECK]).get(CHECK)
    return {
        "partitions": log.get_materialized_partitions(ASSET),
        "latest": dict(log.get_latest_storage_id_by_partition(ASSET, dg.DagsterEventType.ASSET_MATERIALIZATION)),
        "tags": {
            partition: dict(tags)
            for partition, tags in log.get_latest_tags_by_partition(
                ASSET, dg.DagsterEventType.ASSET_MATERIALIZATION, ["dagster/data_version"]
            ).items()
        },
        "attempts": dict(log.get_latest_asset_partition_materialization_attempts_without_materializations(ASSET)),
        "last": record.asset_entry.last_materialization_storage_id,
        "check": latest_check and (latest_check.run_id, latest_check.status),
        "ended": [one.run_id for one in log.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=1).records],
    }


def test_partitions_and_checks_look_the_same_after_pruning(log: BatchedEventLog) -> None:
    run(log, "first", 300, "abc", passed=False)
    run(log, "second", 200, "ab")
    run(log, "recent", 10, "a")
    log.store_event(events.planned("failed", "asset", "b", NOW - 150 * DAY))
    before = answers(log)
    result = pruned(log, "first", "second", "recent")
    assert result.events > 0
    assert answers(log) == before
    with contextlib.closing(sqlite3.connect(log.path_for_shard("index"))) as index:
        left = index.execute(
            "select run_id, partition from event_logs where dagster_event_type = 'ASSET_MATERIALIZATION' order by id"
        ).fetchall()
    # Of c the first run's is the latest one, of b the second's; a was made again ten days ago.
    assert left == [("first", "c"), ("second", "b"), ("recent", "a")]


def test_everything_may_be_old(log: BatchedEventLog) -> None:
    run(log, "first", 300, "ab")
    run(log, "second", 200, "ab")
    before = answers(log)
    pruned(log, "first", "second", days=0)
    assert answers(log) == before
    log.store_event(events.materialized("third", "asset", "c"))
    assert max(log.get_latest_storage_id_by_partition(ASSET, dg.DagsterEventType.ASSET_MATERIALIZATION).values()) > max(
        before["latest"].values()  # pyright: ignore[reportAttributeAccessIssue]
    )


def test_an_old_run_keeps_its_outcome_and_its_latest_events(log: BatchedEventLog) -> None:
    run(log, "first", 300, "ab")
    run(log, "second", 200, "a")
    run(log, "unfinished", 100, "a")
    pruned(log, "first", "second")

    def kinds(run_id: str) -> list[str]:
        return [event.get_dagster_event().event_type_value for event in log.get_logs_for_run(run_id)]

    assert kinds("first") == [
        "PIPELINE_START",
        "ASSET_MATERIALIZATION_PLANNED",
        "ASSET_MATERIALIZATION",
        "PIPELINE_SUCCESS",
    ]
    assert "STEP_START" not in kinds("second")
    assert kinds("second")[-1] == "PIPELINE_SUCCESS"
    assert len(kinds("unfinished")) == 7


def test_pruning_twice_deletes_nothing_more(log: BatchedEventLog) -> None:
    for number in range(5):
        run(log, f"run{number}", 300 - number, "ab")
    finished = [f"run{number}" for number in range(5)]
    assert pruned(log, *finished).run_events > 0
    again = pruned(log, *finished)
    assert (again.events, again.run_events, again.runs) == (0, 0, 0)


def test_tags_and_checks_go_with_their_events(log: BatchedEventLog) -> None:
    for number in range(5):
        run(log, f"run{number}", 300 - number, "ab")
    pruned(log)
    index = Path(log.path_for_shard("index"))
    assert len(rows(index, "asset_event_tags")) == 2
    assert len(rows(index, "asset_check_executions")) == 1
    assert len(rows(index, "asset_keys")) == 1


def test_files_shrink_while_others_have_them_open(log: BatchedEventLog) -> None:
    for number in range(30):
        run(log, f"run{number}", 300 - number, "abcdefgh" * 2)
    result = pruned(log, "run0", "run1", "run2")
    assert result.bytes_freed > 500_000
    assert result.locked == ()
    run(log, "new", 0, "a")
    assert log.get_materialized_partitions(ASSET) == set("abcdefgh")


def test_a_file_under_constant_writes_is_not_shrunk_and_reported(
    log: BatchedEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        run(log, f"run{number}", 300 - number, "ab")
    monkeypatch.setattr(pruning, "_BUSY_TIMEOUT", 0.01)
    give_back = pruning._give_back

    def while_written_to(connection: sqlite3.Connection) -> bool:
        path = connection.execute("pragma database_list").fetchone()[2]
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as writer:
            writer.execute("begin immediate")
            return give_back(connection)

    monkeypatch.setattr(pruning, "_give_back", while_written_to)
    result = pruned(log, "run0")
    assert [path.name for path in result.locked] == ["index.db", "run0.db"]
    assert result.events > 0


def test_the_command_reports_deletions_and_partitions_keep_their_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)

    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
    def asset() -> None: ...

    from tiktok_assets.pipeline.process import project_instance

    with project_instance() as instance:
        for partition in "aab":
            assert dg.materialize([asset], instance=instance, partition_key=partition).success
        runs = instance.get_runs()
    files = list((tmp_path / "data/state/dagster").rglob("*.db"))
    for path in files:  # as if all of it had happened half a year ago
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            for table, column in (("event_logs", "timestamp"), ("runs", "update_timestamp")):
                with contextlib.suppress(sqlite3.OperationalError):
                    connection.execute(f"update {table} set {column} = datetime({column}, '-180 days')")
    for arguments, deleted in (["--older-than", "30w"], False), (["--older-than", "90d"], True):
        done = CliRunner().invoke(app, ["history", "prune", *arguments])
        assert done.exit_code == 0, done.output
        assert ("Deleted 0 events" in done.output) is not deleted
        assert "MB freed" in done.output
    found = json.loads(CliRunner().invoke(app, ["history", "prune", "--older-than", "90d", "--json"]).stdout)
    assert (found["events"], found["locked"]) == (0, [])
    with project_instance() as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("asset")) == {"a", "b"}
        assert len(instance.get_runs()) == len(runs)


@pytest.mark.parametrize("age", ["90", "0d", "-1d", "ninety days", "90m"])
def test_an_invalid_age_is_refused(age: str) -> None:
    refused = CliRunner().invoke(app, ["history", "prune", f"--older-than={age}"])
    assert refused.exit_code == 2
    assert "days or weeks, for example 90d or 12w" in " ".join(refused.output.replace("│", " ").split())
