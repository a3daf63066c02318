"""The whole product as people use it: files dropped, partitions backfilled, a notebook left open, a restart."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tiktok_assets.partitions import accounts_of
from tiktok_assets.reports import REPORTS
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev
from tiktok_assets_tests.e2e.running.conftest import ACCOUNTS
from tiktok_assets_tests.e2e.running.drop import BOMBS_DROPPED, DROPPED, WHOLE_YEAR, account, drop

pytestmark = pytest.mark.e2e

TWO_MONTHS = (date(2025, 3, 1), date(2025, 4, 30))
BELOW_LANDING = [
    *(f"{layer}/{report.name}" for layer in ("raw", "staging") for report in REPORTS),
    *("curated/account_daily", "curated/videos", "curated/audience"),
    *("warehouse/social_media_stats", "warehouse/content_performance", "warehouse/audience_insights"),
    "warehouse/exports",
]


@dataclass(frozen=True)
class Backfills:
    """The runs of two backfills made while the sensor was off, and those the sensor requested once it was on again."""

    one_account: list[dict[str, Any]]
    three_accounts: list[dict[str, Any]]
    afterwards: list[dict[str, Any]]
    views_the_reader_saw: tuple[str, str]
    """What a notebook that was open all the time shows: before, and after."""


@pytest.fixture(scope="module")
def backfills(dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float) -> Backfills:
    """Viewers of north for a year, of three others for two months: landed while the sensor is off, and backfilled."""
    dagster_dev.switch_sensor(on=False)
    drop(dagster_dev, "north", "viewers", WHOLE_YEAR)
    three = [name for name in ACCOUNTS if name != "north"]
    for name in three:
        drop(dagster_dev, name, "viewers", TWO_MONTHS)
    with open_reader(dagster_dev.home / "data" / "warehouse" / "tiktok.duckdb") as reader:
        before = ask(reader)
        months = [f"2025-{month:02}-01" for month in range(1, 13)]
        one = dagster_dev.backfill(BELOW_LANDING, [f"north|{month}" for month in months])
        many = dagster_dev.backfill(BELOW_LANDING, [f"{name}|{month}" for name in three for month in months[2:4]])
        one_account, three_accounts = dagster_dev.runs_of(one), dagster_dev.runs_of(many)
        after = ask(reader)
    earlier = {run["runId"] for run in dagster_dev.runs()}
    ticks = len(dagster_dev.sensor_ticks())
    dagster_dev.switch_sensor(on=True)
    dagster_dev.wait_for("two more sensor ticks", lambda: len(dagster_dev.sensor_ticks()) >= ticks + 2)
    later = [run for run in dagster_dev.runs() if run["runId"] not in earlier]
    return Backfills(one_account, three_accounts, later, (before, after))


def open_reader(path: Path) -> subprocess.Popen[str]:
    """A notebook: another process that holds the warehouse open and counts views whenever it gets a line."""
    code = f"""
import sys, duckdb
query = "select sum(video_views), count(unique_viewers) from social_media_stats"
with duckdb.connect({str(path)!r}, read_only=True) as connection:
    for _ in sys.stdin:
        print(connection.sql(query).fetchall(), flush=True)
"""
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(reader: subprocess.Popen[str]) -> str:
    assert reader.stdin is not None and reader.stdout is not None
    reader.stdin.write("now\n")
    reader.stdin.flush()
    return reader.stdout.readline().strip()


def test_dropped_exports_of_two_accounts_are_730_rows_of_the_warehouse(
    dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float
) -> None:
    print(f"dagster dev answered after {dagster_dev.started_in:.1f} s")
    print(f"dropped to warehouse: {seconds_from_drop_to_warehouse:.1f} s")
    found = dagster_dev.published(
        f"select account, count(*) as days, sum(video_views)::bigint as views from social_media_stats "
        f"where account in {DROPPED} group by account order by account"
    )
    truth = [account(name).daily.filter(pl.col("day").is_between(*WHOLE_YEAR)) for name in DROPPED]
    assert found.rows() == [(name, 365, days["video_views"].sum()) for name, days in zip(DROPPED, truth, strict=True)]


def test_bombs_beside_them_are_quarantined_and_the_code_location_lives(
    dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float
) -> None:
    def reasons() -> dict[str, str]:
        quarantined = (dagster_dev.landing.parent / "quarantine").glob("*")
        notes = [json.loads(path.read_text()) for path in quarantined if path.with_suffix("").exists()]
        return {Path(note["file"]).parent.name: note["reason"] for note in notes}

    dagster_dev.wait_for("the bombs in quarantine", lambda: set(BOMBS_DROPPED) <= set(reasons()))
    assert {reasons()[kind] for kind in BOMBS_DROPPED} <= {"limit_exceeded", "broken_file"}


def test_the_sensor_requested_each_account_once_and_names_the_accounts_of_a_run(
    dagster_dev: DagsterDev, seconds_from_drop_to_warehouse: float
) -> None:
    runs = [run["tags"] for run in dagster_dev.runs() if "dagster/backfill" not in run["tags"]]
    runs = [tags for tags in runs if tags["tiktok/account"].split()[0] in DROPPED]
    for name in DROPPED:
        [tags] = [tags for tags in runs if name in accounts_of(tags, list(ACCOUNTS))]
        first, last = tags["dagster/asset_partition_range_start"], tags["dagster/asset_partition_range_end"]
        assert (first.split("|")[1], last.split("|")[1]) == ("2025-01-01", "2025-12-01")
    names = sorted(tags["tiktok/account"] for tags in runs)
    assert names in (
        ["pig1987 and 1 more"],
        ["pig1987", "zonea0"],
    )  # depending on what was there when the sensor ticked


def test_a_backfill_of_twelve_months_of_an_account_is_one_run(dagster_dev: DagsterDev, backfills: Backfills) -> None:
    (run,) = backfills.one_account
    assert run["status"] == "SUCCESS"
    found = dagster_dev.published(
        "select count(*), sum(unique_viewers)::bigint from social_media_stats where account = 'north'"
    )
    truth = account("north").daily.filter(pl.col("day").is_between(*WHOLE_YEAR))
    assert found.row(0) == (365, truth["unique_viewers"].sum())


def test_a_backfill_of_three_accounts_over_two_months_is_at_most_three_runs(
    dagster_dev: DagsterDev, backfills: Backfills
) -> None:
    print(f"three accounts, two months: {len(backfills.three_accounts)} runs")
    assert 1 <= len(backfills.three_accounts) <= 3
    assert {run["status"] for run in backfills.three_accounts} == {"SUCCESS"}
    found = dagster_dev.published(
        "select account, count(*), sum(unique_viewers)::bigint from social_media_stats "
        "where unique_viewers is not null and account != 'north' group by account order by account"
    )
    truth = {name: account(name).daily.filter(pl.col("day").is_between(*TWO_MONTHS)) for name in ACCOUNTS}
    assert found.rows() == [
        (name, 61, truth[name]["unique_viewers"].sum()) for name in sorted(ACCOUNTS) if name != "north"
    ]


def test_a_backfill_of_months_keeps_the_other_months_and_reports(dagster_dev: DagsterDev, backfills: Backfills) -> None:
    found = dagster_dev.published(
        "select account, count(*), count(video_views) from social_media_stats group by account order by account"
    )
    assert found.rows() == [("north", 365, 0), ("pig1987", 365, 365), ("south", 61, 0), ("zonea0", 365, 365)]


def test_the_sensor_does_not_process_backfilled_exports_again(backfills: Backfills) -> None:
    assert backfills.afterwards == []


def test_an_open_notebook_stops_no_run_and_keeps_what_it_opened(backfills: Backfills) -> None:
    before, after = backfills.views_the_reader_saw
    assert before == after and before.endswith(", 0)]")
    assert backfills.one_account[0]["status"] == "SUCCESS"


def test_the_published_folder_contains_only_the_warehouse(dagster_dev: DagsterDev, backfills: Backfills) -> None:
    assert [path.name for path in (dagster_dev.home / "data" / "warehouse").iterdir()] == ["tiktok.duckdb"]


def test_a_restart_keeps_the_history_and_processes_nothing_again(dagster_dev: DagsterDev, backfills: Backfills) -> None:
    before = dagster_dev.runs()
    dagster_dev.stop()
    dagster_dev.start()
    ticks = len(dagster_dev.sensor_ticks())
    dagster_dev.wait_for("the sensor's first look", lambda: len(dagster_dev.sensor_ticks()) > ticks)
    assert dagster_dev.runs() == before
    query = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
        partitionStats { numMaterialized } } } }"""
    found = dagster_dev.ask(query, key={"path": ["staging", "viewers"]})
    assert found["assetNodeOrError"]["partitionStats"]["numMaterialized"] == 12 * 3 + 2
