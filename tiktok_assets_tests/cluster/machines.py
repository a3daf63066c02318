"""A cluster on one computer: the services, and processes that share nothing but them.

A machine is a folder of its own, with the environment that docs/cluster.md gives every process, and the processes
started in it. They run the files of ``deploy/`` as they are.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
import pytest

from tiktok_assets.settings import Settings, load_settings, project_root
from tiktok_assets_tests.cluster.services import Postgres, broker, object_store, postgres
from tiktok_assets_tests.lake_contents import LakeContents, tables

DEPLOY = project_root() / "deploy"
PROGRAMS = Path(sys.executable).parent
BUCKET = "lake"


@dataclass(frozen=True)
class Machine:
    """One machine: ``folder`` is all it has of its own."""

    folder: Path
    environment: Mapping[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def local(self) -> Path:
        """Where the product keeps what is this machine's alone."""
        return self.folder / "local"

    def start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one of the environment's programs, as the leader of a process group; its output goes to ``log``."""
        with (self.folder / "output.log").open("ab") as log:
            process = subprocess.Popen(
                [str(PROGRAMS / program), *arguments],
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def start_worker(self, *queues: str, at_once: int = 1) -> subprocess.Popen[bytes]:
        """A worker of Celery, as deploy/compose.yaml starts it."""
        named = [part for queue in queues for part in ("-q", queue)]
        command = ("worker", "start", "-A", "dagster_celery.app", "-y", str(DEPLOY / "celery.yaml"), *named)
        return self.start("dagster-celery", *command, "--", f"--concurrency={at_once}")

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(PROGRAMS / program), *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=dict(self.environment), capture_output=True, text=True, check=False
        )

    def log(self) -> str:
        return (self.folder / "output.log").read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL for every process of the machine, as when its power fails."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()


@dataclass(frozen=True)
class Cluster:
    """The services, and what every machine is told of them."""

    folder: Path
    environment: Mapping[str, str]
    database: Postgres
    machines: dict[str, Machine] = field(default_factory=dict)

    def settings(self) -> Settings:
        """The settings of a machine without anything on it, for this process."""
        return load_settings(local_dir=self.folder / "reader")

    @contextlib.contextmanager
    def history(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's history, as a machine opens it."""
        with dg.DagsterInstance.from_config(str(DEPLOY)) as instance:
            yield instance

    def put(self, key: str, content: bytes) -> None:
        """Put an object into the bucket."""
        path = self.settings().data_dir.parent / key
        path.write_bytes(content)

    def tables(self) -> LakeContents:
        """What the lake holds, and the published tables."""
        settings, copy = self.settings(), self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        settings.data_dir.fs.get(f"{settings.data_dir.path}/", str(copy), recursive=True)
        return tables(Settings(data_dir=str(copy)))  # pyright: ignore[reportArgumentType]

    def machine(self, name: str, **environment: str) -> Machine:
        """A machine with nothing on it but ``dagster.yaml``."""
        folder = self.folder / name
        (folder / "dagster").mkdir(parents=True)
        shutil.copy(DEPLOY / "dagster.yaml", folder / "dagster")
        own = {"HOME": str(folder), "DAGSTER_HOME": str(folder / "dagster"), "TIKTOK_LOCAL_DIR": str(folder / "local")}
        path = {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(project_root())}
        made = Machine(folder, {**path, **self.environment, **own, **environment})
        self.machines[name] = made
        return made


@contextlib.contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Postgres, Redis and S3 that are empty, and no machine yet; this process finds them as well. All ends with the
    block."""
    with (
        pytest.MonkeyPatch.context() as patch,
        postgres() as database,
        broker() as redis,
        object_store() as store,
    ):
        store.make_bucket(BUCKET)
        environment = {
            **store.environment,
            "DAGSTER_POSTGRES_URL": database.url.replace("postgresql://", "postgresql+psycopg2://"),
            "CELERY_BROKER_URL": f"{redis}/0",
            "CELERY_RESULT_BACKEND": f"{redis}/1",
            "DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS": "1",
            "DAGSTER_EVENT_BATCH_SIZE": "1000",
            "TIKTOK_STATE_URL": database.url,
            "TIKTOK_DATA_DIR": f"s3://{BUCKET}/data",
            "TIKTOK_ACCOUNTS_FILE": f"s3://{BUCKET}/accounts.toml",
            "TIKTOK_SONGS_FILE": f"s3://{BUCKET}/songs.toml",
            "TIKTOK_TARGETS_FILE": f"s3://{BUCKET}/targets.csv",
            "TIKTOK_LOADING": "apart",
            "TIKTOK_SESSION_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
            "TIKTOK_SENSOR_INTERVAL": "2",
            **settings,
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        made = Cluster(folder, environment, database)
        try:
            yield made
        finally:
            for machine in made.machines.values():
                machine.kill()
