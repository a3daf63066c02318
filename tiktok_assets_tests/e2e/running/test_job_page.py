"""Backfills launched from the page of a job: every partition that was asked for is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev

pytestmark = pytest.mark.e2e

MONTHS = [f"2025-{month:02}-01" for month in (3, 4)]
_SHAPES = {
    "several accounts": [f"{account}|{month}" for account in ("pig1987", "zonea0") for month in MONTHS],
    "one account": [f"pig1987|{month}" for month in MONTHS],
}
ASKED_FOR = dict([*_SHAPES.items()][: len(rounds(1, at_most=2))])
LAST_ASSET = {
    "process_exports": "warehouse/social_media_stats",
    "extract_exports": "landing/overview",
    "report_accounts": "reports/account_report",
}

Runs = list[dict[str, Any]]


@pytest.fixture(scope="module")
def backfills(dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float) -> Mapping[tuple[str, str], Runs]:
    """The runs of each backfill, by its job and by what it was asked for."""
    launched = {
        (job, shape): dagster_dev.backfill_of_job(job, keys) for job in LAST_ASSET for shape, keys in ASKED_FOR.items()
    }
    return {which: dagster_dev.runs_of(backfill) for which, backfill in launched.items()}


@pytest.mark.parametrize("job", LAST_ASSET)
@pytest.mark.parametrize("shape", ASKED_FOR)
def test_a_backfill_from_a_job_s_page_makes_each_partition_once(
    dagster_dev: DagsterDev, backfills: Mapping[tuple[str, str], Runs], job: str, shape: str
) -> None:
    runs = backfills[job, shape]
    assert {(run["jobName"], run["status"]) for run in runs} == {(job, "SUCCESS")}
    made = Counter(event for run in runs for event in _materialized(dagster_dev, run["runId"]))
    assets = {asset for asset, _ in made}
    assert LAST_ASSET[job] in assets
    assert made == Counter((asset, key) for asset in assets for key in ASKED_FOR[shape])


def _materialized(dagster_dev: DagsterDev, run_id: str) -> list[tuple[str, str]]:
    """Asset and partition of each materialization of a run."""
    query = """query ($id: ID!) { runOrError(runId: $id) { ... on Run {
        assetMaterializations { assetKey { path } partition } } } }"""
    events = dagster_dev.ask(query, id=run_id)["runOrError"]["assetMaterializations"]
    return [("/".join(event["assetKey"]["path"]), event["partition"]) for event in events]
