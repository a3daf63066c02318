"""The history of an installation: where it is, how concurrent processes create it, how a broken one is repaired."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import logging
import os
import sqlite3
from functools import partial
from pathlib import Path
from typing import TextIO

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sql import get_alembic_config
from dagster._core.storage.sqlite import LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

from tiktok_assets.settings import load_settings
from tiktok_assets.storage import history as history_module
from tiktok_assets.storage import history_files
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.history import ENVIRONMENT, History, history_folder, take_over
from tiktok_assets.storage.history_files import BrokenHistory
from tiktok_assets_tests.storage import events
from tiktok_assets_tests.storage.children import forked
from tiktok_assets_tests.storage.sqlite_files import rows, tables

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")

FILES = ("history/runs.db", "history/runs/index.db", "history/runs/run.db", "schedules/schedules.db")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "dagster"


def configured(folder: Path, config: str) -> dg.DagsterInstance:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(f"storage: {{custom: {config}}}\ntelemetry: {{enabled: false}}\n")
    return dg.DagsterInstance.from_config(str(folder))


def test_what_is_relied_upon_in_dagster_has_not_changed() -> None:
    relied_upon = [
        DagsterSqliteStorage,
        sqlite_run_storage.SqliteRunStorage,
        sqlite_schedule_storage.SqliteScheduleStorage.from_local,
    ]
    source = "".join(inspect.getsource(one) for one in relied_upon)
    assert hashlib.sha256(source.encode()).hexdigest()[:16] == "9e3cf99d5e277872"
    for module in (sqlite_run_storage, sqlite_schedule_storage):
        assert ScriptDirectory.from_config(get_alembic_config(module.__file__)).get_heads() == [history_files.REVISION]


def test_a_new_history_equals_the_one_dagster_would_create(folder: Path, tmp_path: Path) -> None:
    stock = DagsterSqliteStorage.from_local(str(tmp_path / "stock"))
    ours = History(str(folder))
    for storage in (stock, ours):
        storage.event_log_storage.store_event(events.step_started("run"))
        storage.dispose()
    for name in FILES:
        made, expected = folder / "storage" / name, tmp_path / "stock" / name
        assert tables(made) == tables(expected)
        for table in ("alembic_version", "secondary_indexes"):
            assert rows(made, table) == rows(expected, table), (name, table)
        for pragma in ("journal_mode", "page_size", "user_version", "encoding", "auto_vacuum"):
            assert asked(made, pragma) == asked(expected, pragma), (name, pragma)
    assert not list(folder.rglob("*.new*"))


def asked(path: Path, pragma: str) -> object:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"pragma {pragma}").fetchone()


def test_runs_and_ticks_are_shared_with_the_stock_history(folder: Path) -> None:
    kinds = [DagsterSqliteStorage, History] * 2
    for number, kind in enumerate(kinds):
        base = folder / "storage" if kind is DagsterSqliteStorage else folder
        storage = kind.from_local(str(base))
        storage.run_storage.add_run(dg.DagsterRun("job", run_id=f"run{number}"))
        assert len(storage.run_storage.get_runs()) == number + 1
        assert storage.schedule_storage.all_instigator_state() == []
        storage.dispose()


def test_four_processes_start_on_a_fresh_folder_at_once(folder: Path) -> None:
    waiting, start = os.pipe()

    def write(number: int, say: TextIO) -> None:
        os.read(waiting, 1)
        log = History(str(folder)).event_log_storage
        log.store_event_batch(events.of_a_run(f"run{number}", ["asset"], [f"run{number}"]))
        log.store_event(events.step_started("shared"))
        say.write("stored")

    children = [forked(partial(write, number)) for number in range(4)]
    os.write(start, b"now!")
    for child, output in children:
        with output:
            assert output.read() == "stored"
        os.waitpid(child, 0)
    os.close(waiting)
    os.close(start)
    storage = History(str(folder))
    log = storage.event_log_storage
    assert log.get_materialized_partitions(dg.AssetKey("asset")) == {f"run{number}" for number in range(4)}
    assert len(log.get_logs_for_run("shared")) == 4
    storage.dispose()
    for path in folder.rglob("*.db"):
        assert rows(path, "alembic_version") == [(history_files.REVISION,)], path


def test_others_wait_while_the_history_is_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = FileLocks(folder.parent / "locks")
    held = []
    monkeypatch.setattr(
        history_files, "make_or_repair", lambda *_: held.append(locks.is_held("history")) or True, raising=True
    )
    history_module.prepare(folder)
    assert held == [True] * 3


@pytest.mark.parametrize("name", [*FILES])
def test_a_history_with_two_versions_is_repaired(folder: Path, name: str) -> None:
    storage = History(str(folder))
    storage.event_log_storage.store_event(events.materialized("run", "asset", "kept"))
    storage.dispose()
    mark(folder / "storage" / name, LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION)
    again = History(str(folder))
    assert len(again.event_log_storage.get_logs_for_run("run")) == 1
    assert again.event_log_storage.get_materialized_partitions(dg.AssetKey("asset")) == {"kept"}
    assert again.run_storage.get_runs() == []
    again.dispose()
    assert rows(folder / "storage" / name, "alembic_version") == [(history_files.REVISION,)]


def mark(path: Path, version: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("insert into alembic_version values (?)", (version,))


def test_the_error_about_an_unrepairable_history_names_file_and_remedy(folder: Path) -> None:
    History(str(folder)).dispose()
    index = folder / "storage" / "history" / "runs" / "index.db"
    mark(index, "an invented one")
    with pytest.raises(BrokenHistory, match=r"index\.db is marked .* move this file away and start again"):
        History(str(folder))
    index.unlink()
    History(str(folder)).dispose()
    mark(index, LAST_KNOWN_STAMPED_SQLITE_ALEMBIC_REVISION)
    with contextlib.closing(sqlite3.connect(index)) as connection:
        connection.execute("alter table asset_keys drop column cached_status_data")
    with pytest.raises(BrokenHistory, match=r"lacks asset_keys\.cached_status_data"):
        History(str(folder))


def test_a_file_whose_creation_was_interrupted_is_created_again(folder: Path) -> None:
    for name in FILES:
        (folder / "storage" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "storage" / name).touch()
    storage = History(str(folder))
    storage.event_log_storage.store_event(events.materialized("run", "asset"))
    assert storage.run_storage.get_runs() == []
    storage.dispose()


def test_an_unknown_release_of_dagster_creates_its_files_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_files, "KNOWN_DAGSTER", "1.13.26")
    monkeypatch.setattr(history_files, "_make", lambda *_: pytest.fail("made by us"))
    for _ in range(2):
        storage = History(str(folder))
        storage.event_log_storage.store_event(events.materialized("run", "asset"))
        assert storage.run_storage.get_runs() == []
        assert storage.schedule_storage.all_instigator_state() == []
        storage.dispose()
    assert {path.relative_to(folder / "storage").as_posix() for path in folder.rglob("*.db")} == set(FILES)


def test_two_data_folders_have_two_histories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = "{module: tiktok_assets.storage.history, class: History}"

    @dg.asset
    def made() -> None: ...

    for name in ("one", "two"):
        monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / name))
        with configured(tmp_path / "home", config) as instance:
            assert instance.get_latest_materialization_event(dg.AssetKey("made")) is None
            assert dg.materialize([made], instance=instance).success
            assert history_folder(load_settings()) == tmp_path / name / "state" / "dagster"
        assert (tmp_path / name / "state/dagster/storage/history/runs/index.db").exists()
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "one"))
    with configured(tmp_path / "home", config) as instance:
        assert instance.get_latest_materialization_event(dg.AssetKey("made")) is not None
        assert len(instance.get_runs()) == 1


def test_dagster_batches_the_events_of_an_output_without_configuration() -> None:
    assert ENVIRONMENT.items() <= os.environ.items()


def legacy_history(folder: Path) -> Path:
    stock = SqliteEventLogStorage(str(folder / "storage/history/runs"))
    stock.store_event(events.materialized("run", "asset", "legacy"))
    (folder / "compute_logs").mkdir()
    return folder


def test_a_legacy_history_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history_module, "project_root", lambda: tmp_path)
    legacy_history(tmp_path / ".dagster")
    folder = tmp_path / "data" / "state" / "dagster"
    for _ in range(2):
        storage = History(str(folder))
        assert storage.event_log_storage.get_materialized_partitions(dg.AssetKey("asset")) == {"legacy"}
        storage.dispose()
    assert not (tmp_path / ".dagster").exists()
    assert (folder / "compute_logs").is_dir()
    assert [record.message for record in caplog.records] == [
        f"Dagster's history was moved from {tmp_path / '.dagster'} to {folder}."
    ]


def test_a_legacy_history_of_another_data_folder_stays_with_one_warning(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(history_module, "project_root", lambda: tmp_path)
    legacy_history(tmp_path / ".dagster")
    for _ in range(2):
        History(str(folder)).dispose()
    assert (tmp_path / ".dagster" / "storage").is_dir()
    [warning] = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "is left unchanged" in warning.message


def test_an_empty_legacy_folder_is_no_history(tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ".dagster").mkdir()
    take_over(tmp_path / ".dagster", folder, is_default=True)
    assert not folder.exists()
    assert caplog.records == []
