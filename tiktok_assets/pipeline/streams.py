"""A run of ``process_streams`` in this process: its months, and its result. Does not belong here: which are due."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence

import dagster as dg

from tiktok_assets.inbox.streams import LandedStreams
from tiktok_assets.partitions import month_tags
from tiktok_assets.pipeline.results import StreamsResult
from tiktok_assets.pipeline.runs import QUIET, failure_of
from tiktok_assets.storage.dagster_internals import execute_quietly

PROCESS_STREAMS = "process_streams"


def run_streams(
    job: dg.JobDefinition, history: dg.DagsterInstance, months: Sequence[dt.date], landed: Sequence[LandedStreams]
) -> StreamsResult:
    """Make ``months`` of streams, from what ``landed`` as well."""
    run = execute_quietly(job, history, month_tags(months), str(uuid.uuid4()), QUIET)
    broken = [one for one in run.get_asset_check_evaluations() if not one.passed]
    return StreamsResult(
        files=len(landed),
        first_month=months[0],
        last_month=months[-1],
        error=None if run.success else failure_of(run),
        warned_checks={f"{one.asset_key.to_user_string()} {one.check_name}": one.description or "" for one in broken},
        warnings=tuple(f"{one.source}: {text}" for one in landed for text in one.warnings),
    )
