"""What we use of Dagster's inside still is what we think it is, in the version that is pinned."""

from __future__ import annotations

import tomllib
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import RunFailureReason
from dagster._core.test_utils import create_run_for_test

from tiktok_assets.settings import project_root
from tiktok_assets.storage import dagster_internals
from tiktok_assets_tests.instances import kept_in


@dg.op
def number() -> int:
    return 7


@dg.job(executor_def=dg.in_process_executor)
def counts() -> None:
    number()


def test_the_version_is_the_one_that_is_pinned_and_named() -> None:
    dependencies = tomllib.loads((project_root() / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"dagster=={dg.__version__}" in dependencies
    assert f"Dagster {dg.__version__}" in str(dagster_internals.__doc__)


def test_the_class_of_asset_jobs_is_what_define_asset_job_makes() -> None:
    assert type(dg.define_asset_job("all_of_them")) is dagster_internals.AssetJob


def test_a_run_in_this_process_is_stored_and_keeps_no_output(tmp_path: Path) -> None:
    run_id = "6a7b1c2d-0000-4000-8000-000000000000"
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with kept_in(tmp_path) as instance:
        result = dagster_internals.execute_quietly(counts, instance, {"tiktok/account": "pig1987"}, run_id, quiet)
        stored = instance.get_run_by_id(run_id)
    assert (result.success, result.run_id) == (True, run_id)
    assert stored is not None
    assert (stored.status, stored.tags["tiktok/account"]) == (dg.DagsterRunStatus.SUCCESS, "pig1987")
    with pytest.raises(dg.DagsterInvariantViolationError):
        result.output_for_node("number")


def test_a_dead_run_is_marked_as_failed_with_the_reason_of_dagsters_own_monitoring() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = create_run_for_test(instance, job_name="counts", status=dg.DagsterRunStatus.STARTED)
        dagster_internals.report_dead(instance, run, "its process is gone")
        stored = instance.get_run_by_id(run.run_id)
        (entry,) = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert stored is not None and stored.status is dg.DagsterRunStatus.FAILURE
    assert entry.dagster_event is not None and entry.dagster_event.message == "its process is gone"
    assert entry.dagster_event.job_failure_data.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION


def test_the_event_logs_are_where_the_storage_writes_them(tmp_path: Path) -> None:
    with kept_in(tmp_path) as instance:
        counts.execute_in_process(instance=instance)
        folder = dagster_internals.event_log_files(instance)
    assert folder == tmp_path / "storage" / "history" / "runs"
    assert (tmp_path / "storage" / "history" / "runs" / "index.db").exists()
    with dg.DagsterInstance.ephemeral() as instance:
        assert dagster_internals.event_log_files(instance) is None
