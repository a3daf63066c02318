"""What this project needs from Dagster 1.13.27 that the public API does not offer. Each docstring says why.

The version is pinned in pyproject.toml; ``test_dagster_internals`` fails where a new one has moved or changed a piece.
Other modules with private API, each for one purpose: ``partition_metadata``, and the classes of the history that
``dagster.yaml`` names (``history``, ``history_files``, ``event_log``). ``test_architecture`` refuses it elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.execute_in_process import core_execute_in_process, merge_run_tags
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

AssetJob = UnresolvedAssetJobDefinition
"""What ``dg.define_asset_job`` makes. Its class has no public name, and is needed for annotations."""


def execute_quietly(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    tags: dict[str, str],
    run_id: str,
    run_config: Mapping[str, object],
) -> dg.ExecuteInProcessResult:
    """What ``job.execute_in_process`` does, without keeping every output: 1.7 GB for a list of 900,000 videos."""
    return core_execute_in_process(
        job=InMemoryJob(job_def=job.as_ephemeral_job(resource_defs={}, input_values={})),
        run_config=run_config,
        instance=instance,
        output_capturing_enabled=False,
        raise_on_error=False,
        run_tags=merge_run_tags(
            job_def=job, partition_key=None, tags=tags, asset_selection=[], instance=instance, run_config=run_config
        ),
        run_id=run_id,
        asset_selection=frozenset(),
    )


def report_dead(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str) -> None:
    """Mark ``run``, whose process is gone, as failed, with the reason Dagster's own run monitoring would give."""
    failure = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
    instance.report_run_failed(run, why, failure)


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Let a history in Postgres use a connection for many statements, as the webserver has it do; each statement opens
    one otherwise, and a run takes three times as long. A history in files does so by itself."""
    for storage in (instance.event_log_storage, instance.run_storage):
        storage.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)


def event_log_files(instance: dg.DagsterInstance) -> Path | None:
    """The folder of the SQLite files with the events of runs; None where they are kept otherwise."""
    storage = instance.event_log_storage
    return Path(storage.path_for_shard("index")).parent if isinstance(storage, SqliteEventLogStorage) else None
