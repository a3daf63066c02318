"""The files of deploy/ as Dagster, Celery and dagster-celery read them, without any service."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config
from dagster._core.instance.ref import InstanceRef

from tiktok_assets.assets.run_coordinator import QueueByAssets
from tiktok_assets.queues import LAKE
from tiktok_assets.settings import project_root
from tiktok_assets_tests.cluster.services import object_store

pytestmark = pytest.mark.cluster

DEPLOY = project_root() / "deploy"
SECRET = "t0p-secret"
ENVIRONMENT = {
    "DAGSTER_POSTGRES_URL": f"postgresql+psycopg2://tiktok:{SECRET}@postgres/tiktok",
    "CELERY_BROKER_URL": f"redis://:{SECRET}@redis:6379/0",
    "CELERY_RESULT_BACKEND": f"redis://:{SECRET}@redis:6379/1",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def test_dagster_accepts_its_configuration() -> None:
    from dagster_celery.launcher import CeleryRunLauncher
    from dagster_postgres import DagsterPostgresStorage

    config, _ = dagster_instance_config(str(DEPLOY))
    assert config["run_monitoring"]["max_runtime_seconds"] > 0
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert not config["telemetry"]["enabled"]
    ref = InstanceRef.from_dir(str(DEPLOY))
    launcher = ref.run_launcher
    assert isinstance(launcher, CeleryRunLauncher)
    assert launcher.celery.conf.broker_url == ENVIRONMENT["CELERY_BROKER_URL"]
    assert launcher.default_queue == LAKE
    assert isinstance(ref.run_coordinator, QueueByAssets)
    assert ref.run_coordinator.dequeue_interval_seconds == 1 and ref.compute_log_manager is not None
    [url] = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())["storage"].values()
    storage = process_config(DagsterPostgresStorage.config_type(), url)
    assert storage.value and storage.value["postgres_url"] == ENVIRONMENT["DAGSTER_POSTGRES_URL"]


def test_a_worker_finds_the_broker_and_writes_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster_celery.cli import get_config_dir
    from dagster_celery.make_app import make_app

    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    written = Path(get_config_dir(str(DEPLOY / "celery.yaml")))
    monkeypatch.syspath_prepend(str(written))
    conf = make_app().conf
    assert (conf.broker_url, conf.result_backend) == tuple(list(ENVIRONMENT.values())[1:])
    assert conf.worker_disable_prefetch and conf.task_default_queue == LAKE
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_both_sides_wait_as_long_before_redis_hands_out_a_run_again() -> None:
    launching = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    working = yaml.safe_load((DEPLOY / "celery.yaml").read_text())["execution"]["config"]["config_source"]
    [ours, theirs] = [
        one["broker_transport_options"]["visibility_timeout"]
        for one in (launching["run_launcher"]["config"]["config_source"], working)
    ]
    assert ours == theirs > launching["run_monitoring"]["max_runtime_seconds"]


def test_every_program_of_a_process_is_installed() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"].values()
    programs = {one["command"][0] for one in services if one.get("env_file")}
    assert [one for one in programs if shutil.which(one, path=str(Path(sys.executable).parent)) is None] == []


def test_a_lake_is_copied_to_s3_and_back_with_the_times_of_its_files(tmp_path: Path) -> None:
    moment = 1_600_000_000_123_456_789
    kept = tmp_path / "data/landing/pig1987/Over view.csv"
    for file in (kept, tmp_path / "data/state/sessions/pig1987.json"):
        file.parent.mkdir(parents=True)
        file.write_text("1")
        os.utime(file, ns=(moment, moment))
    steps = [("data", "s3://lake/data"), ("data", "s3://lake/data"), ("s3://lake/data", "back")]
    load = f"import runpy; copy = runpy.run_path({str(DEPLOY / 'copy_lake.py')!r}); place = copy['place_of']; "
    with object_store() as store:
        store.make_bucket("lake")
        run = [sys.executable, "-c", load + "; ".join(f"copy['main'](*map(place, {step}))" for step in steps)]
        environment = os.environ | store.environment | {"PYTHONPATH": str(project_root())}
        told = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert ["1 files copied" in line for line in told.splitlines()] == [True, False, True]
    back = [path for path in (tmp_path / "back").rglob("*") if path.is_file()]
    assert [(path.relative_to(tmp_path / "back"), path.stat().st_mtime_ns) for path in back] == [
        (kept.relative_to(tmp_path / "data"), moment)
    ]
