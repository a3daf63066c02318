"""The runs of Dagster that failed, each with the sentence that says why.

Belongs here: what Dagster's history says of a failure. Does not belong here: which of them somebody was told of
(``ledger``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import dagster as dg

from tiktok_assets.notices.alerts import FailedRun
from tiktok_assets.partitions import accounts_of
from tiktok_assets.storage.faults import sentence_of

LOOK_BACK = dt.timedelta(days=2)
"""A run that failed longer ago, while no alert was looked for, is no news any more."""
_MOST = 100  # runs of one look
_BEFORE_ITS_FIRST_STEP = "the run failed before its first step"


def failed_runs(instance: dg.DagsterInstance, roster: Sequence[str], now: dt.datetime) -> list[FailedRun]:
    """The runs that have failed of late, also those whose process was killed, newest first."""
    lately = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=now - LOOK_BACK)
    return [
        FailedRun(
            run_id=run.run_id,
            job=run.job_name,
            accounts=accounts_of(run.tags, roster),
            why=_why(instance, run.run_id),
            on=_ended(record).date(),
        )
        for record in instance.get_run_records(lately, limit=_MOST)
        if (run := record.dagster_run)
    ]


def newest_failure(instance: dg.DagsterInstance) -> str:
    """The id of the run that failed last; empty if none did."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]), limit=1)
    return runs[0].run_id if runs else ""


def why_failed(events: Iterable[dg.DagsterEvent]) -> str:
    """The failure of the first step that failed, out of the events of a run."""
    for event in events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            if error and error.cls_name == dg.Failure.__name__:  # its message is a sentence
                return f"{event.step_key}: {error.message.partition(': ')[2].strip()}"
            cause = error.cause if error and error.cause else error
            text = cause.message.strip() if cause else "failed"
            # What Dagster itself could not store in its history has not passed ``assets.dagster_failures``.
            return f"{event.step_key}: {sentence_of(RuntimeError(text)) or text}"
    return _BEFORE_ITS_FIRST_STEP


def _ended(record: dg.RunRecord) -> dt.datetime:
    if record.end_time is None:  # its process was killed before Dagster noted a start
        return record.create_timestamp.astimezone(dt.UTC)
    return dt.datetime.fromtimestamp(record.end_time, dt.UTC)


def _why(instance: dg.DagsterInstance, run_id: str) -> str:
    steps = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    why = why_failed(entry.dagster_event for entry in steps if entry.dagster_event)
    if why != _BEFORE_ITS_FIRST_STEP:
        return why
    ended = instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    return next((event.message for entry in ended if (event := entry.dagster_event) and event.message), why)
