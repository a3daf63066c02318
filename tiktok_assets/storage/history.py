"""Where Dagster keeps its history: in the data folder it describes. The classes that ``dagster.yaml`` names.

Belongs here: which folder, and that it is there before Dagster opens it, made by one process at a time. Does not belong
here: how events are stored (``event_log``), and what a new file contains (``history_files``). Each class finds the
folder itself, in every process anew; what Dagster hands on to its workers is only the name of the class.
"""

from __future__ import annotations

import contextlib
import logging
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import create_db_conn_string
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection

from tiktok_assets.settings import Settings, load_settings, project_root
from tiktok_assets.storage import history_files
from tiktok_assets.storage.connections import KeptConnections
from tiktok_assets.storage.event_log import BatchedEventLog
from tiktok_assets.storage.file_locks import FileLocks

log = logging.getLogger(__name__)

ENVIRONMENT = {"DAGSTER_EVENT_BATCH_SIZE": "1000", "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1"}
"""What Dagster reads for each event, in whichever process: the events of one output are stored at once, however many
partitions it has, and the partitions that a run plans are one event instead of one each."""

for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)

_LOCK = "history"
_OPTIONAL_FOLDER: UserConfigSchema = {"base_dir": Field(StringSource, is_required=False)}


def history_folder(settings: Settings) -> Path:
    """Dagster's history, logs and artifacts of one installation: two data folders never share their partitions."""
    return settings.state / "dagster"


class History(DagsterSqliteStorage):
    """``DagsterSqliteStorage`` in the folder of the installation, with the batched event log.

    ``base_dir``: another folder than that of the settings. Its files are made, or repaired, by one process at a time.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super(DagsterSqliteStorage, self).__init__()  # its own opens the stock classes, which load alembic's scripts
        self.base_dir = base_dir
        self._inst_data = inst_data
        storage = Path(base_dir) / "storage"
        prepare(Path(base_dir))
        self._run_storage = KeptRunStorage(storage / "history" / "runs.db")
        self._event_log_storage = BatchedEventLog(str(storage / "history" / "runs"))
        self._schedule_storage = SqliteScheduleStorage(create_db_conn_string(str(storage / "schedules"), "schedules"))

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return _OPTIONAL_FOLDER

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> Self:
        return cls(str(_folder_of(config_value)), inst_data)


class KeptRunStorage(SqliteRunStorage):
    """``SqliteRunStorage`` with one connection that stays open, instead of one for each question."""

    def __init__(self, path: Path, inst_data: ConfigurableClassData | None = None) -> None:
        self._path = str(path)
        self._connections = KeptConnections()
        weakref.finalize(self, self._connections.close)
        super().__init__(create_db_conn_string(str(path.parent), path.stem), inst_data)

    def connect(self) -> contextlib.AbstractContextManager[Connection]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._connections.transaction(self._path)

    def dispose(self) -> None:
        self._connections.close()


class ComputeLogs(LocalComputeLogManager):
    """What the steps of a run print, in the folder of the installation."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return _OPTIONAL_FOLDER

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(_folder_of(config_value) / "compute_logs"), inst_data=inst_data)


class Artifacts(LocalArtifactStorage):
    """What Dagster itself keeps in files, in the folder of the installation."""

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return _OPTIONAL_FOLDER

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(_folder_of(config_value) / "artifacts"), inst_data=inst_data)


def _folder_of(config: Mapping[str, Any]) -> Path:
    return Path(config["base_dir"]) if "base_dir" in config else history_folder(load_settings())


def prepare(folder: Path) -> None:
    """Create missing files of the history in ``folder`` and repair broken ones. One process does it, others wait.

    Two processes that created it at once left files that Dagster never opens again. Raises BrokenHistory if such a file
    cannot be repaired.
    """
    files = _files(folder)
    if all(history_files.is_current(path) for path, _ in files):
        return
    with FileLocks(folder.parent / "locks", holder="the making of the history").hold(_LOCK):
        if not folder.exists():
            take_over(project_root() / ".dagster", folder, is_default=folder == project_root() / "data/state/dagster")
        for path, kind in files:
            if path.exists() and not path.stat().st_size:  # left by a power cut or by an earlier version
                path.unlink()
            if not history_files.is_current(path) and not history_files.make_or_repair(path, kind):
                _leave_to_dagster(path)


def take_over(legacy: Path, folder: Path, *, is_default: bool) -> None:
    """Move the history that was kept in ``legacy`` to ``folder``, if that belongs to the default data folder.

    It used to serve all data folders, so it may not describe another one. Then it stays, with a single warning.
    """
    if not (legacy / "storage").is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    if is_default:
        with contextlib.suppress(OSError):  # another disk
            legacy.rename(folder)
            log.warning("Dagster's history was moved from %s to %s.", legacy, folder)
            return
    log.warning(
        "Dagster's history is now kept in %s. The previous one in %s is left unchanged and no longer read. To keep "
        "using it, stop Dagster and move that folder to the new location.",
        folder,
        legacy,
    )


def _files(folder: Path) -> list[tuple[Path, history_files.Kind]]:
    storage = folder / "storage"
    return [
        (storage / "history" / "runs.db", history_files.RUNS),
        (storage / "history" / "runs" / "index.db", history_files.INDEX),
        (storage / "schedules" / "schedules.db", history_files.SCHEDULES),
    ]


def _leave_to_dagster(path: Path) -> None:
    """Files of another release are made, and judged, by that release's own classes."""
    if path.name == "runs.db":
        SqliteRunStorage.from_local(str(path.parent))
    elif path.name == "schedules.db":
        SqliteScheduleStorage.from_local(str(path.parent))
    # The index is the event log's own, which asks the stock class in the same case.
