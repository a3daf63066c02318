"""Events as Dagster stores them, for the tests of its history."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
)
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)

_moments = itertools.count()


def _entry(run_id: str, kind: DagsterEventType, data: object = None, at: float | None = None) -> dg.EventLogEntry:
    moment = time.time() + next(_moments) / 1e6 if at is None else at
    event = DagsterEvent(kind.value, "job", step_key="step", event_specific_data=data)  # pyright: ignore[reportArgumentType]
    return dg.EventLogEntry(None, "debug", "", run_id, moment, step_key="step", job_name="job", dagster_event=event)


def materialized(run_id: str, asset: str, partition: str | None = None, at: float | None = None) -> dg.EventLogEntry:
    """The step of a run made ``asset``. Two of them are never equal, unless they have the same ``at``."""
    made = dg.AssetMaterialization(asset, partition=partition, tags={"dagster/data_version": f"{partition} {at}"})
    return _entry(run_id, DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(made), at)


def planned(run_id: str, asset: str, partition: str | None = None, at: float | None = None) -> dg.EventLogEntry:
    data = AssetMaterializationPlannedData(dg.AssetKey(asset), partition=partition)
    return _entry(run_id, DagsterEventType.ASSET_MATERIALIZATION_PLANNED, data, at)


def checked(run_id: str, asset: str, passed: bool, at: float | None = None) -> list[dg.EventLogEntry]:
    """The two events of a check: planned, then evaluated."""
    before = AssetCheckEvaluationPlanned(asset_key=dg.AssetKey(asset), check_name="has_rows", partitions_subset=None)
    result = AssetCheckEvaluation(asset_key=dg.AssetKey(asset), check_name="has_rows", passed=passed, metadata={})
    return [
        _entry(run_id, DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, before, at),
        _entry(run_id, DagsterEventType.ASSET_CHECK_EVALUATION, result, at),
    ]


def started(run_id: str, at: float | None = None) -> dg.EventLogEntry:
    return _entry(run_id, DagsterEventType.RUN_START, at=at)


def step_started(run_id: str, at: float | None = None) -> dg.EventLogEntry:
    """An event that concerns nothing but its run."""
    return _entry(run_id, DagsterEventType.STEP_START, at=at)


def ended(run_id: str, at: float | None = None) -> dg.EventLogEntry:
    return _entry(run_id, DagsterEventType.RUN_SUCCESS, at=at)


def of_a_run(run_id: str, assets: Iterable[str], partitions: Iterable[str]) -> list[dg.EventLogEntry]:
    """All kinds of events of a run that made ``partitions`` of ``assets``."""
    pairs = list(itertools.product(assets, partitions))
    return [
        started(run_id),
        *(planned(run_id, asset, partition) for asset, partition in pairs),
        step_started(run_id),
        *(materialized(run_id, asset, partition) for asset, partition in pairs),
        *(event for asset in assets for event in checked(run_id, asset, passed=True)),
        ended(run_id),
    ]
