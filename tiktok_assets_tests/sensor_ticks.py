"""Ticks of the real sensor ``new_exports``, and what they request."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import RANGE_END, RANGE_START
from tiktok_assets.settings import Settings


def tick(
    settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorResult | dg.SkipReason:
    """One tick of the real sensor, as the daemon asks for it."""
    definitions = build_definitions(settings)
    sensor = definitions.resolve_sensor_def("new_exports")
    context = dg.build_sensor_context(
        instance=instance, definitions=definitions, sensor_name="new_exports", cursor=cursor
    )
    answer = sensor(context)
    assert isinstance(answer, dg.SensorResult | dg.SkipReason)
    return answer


def requested(answer: dg.SensorResult | dg.SkipReason) -> dict[str, tuple[str, str]]:
    return asked(answer.run_requests or []) if isinstance(answer, dg.SensorResult) else {}


def reason(answer: dg.SensorResult | dg.SkipReason) -> str:
    skipped = answer.skip_reason if isinstance(answer, dg.SensorResult) else answer
    assert skipped is not None and skipped.skip_message, answer
    return skipped.skip_message


def report(instance: dg.DagsterInstance, answer: dg.SensorResult | dg.SkipReason) -> None:
    """What the daemon does with the events of a tick."""
    for event in answer.asset_events if isinstance(answer, dg.SensorResult) else []:
        instance.report_runless_asset_event(event)


def asked(requests: Iterable[dg.RunRequest]) -> dict[str, tuple[str, str]]:
    """By the name of a run's accounts: first and last partition asked for."""
    return {request.tags[ACCOUNT_TAG]: (request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests}
