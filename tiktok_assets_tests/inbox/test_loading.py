"""Which runs load what is complete in the lake, and that none of it waits for ever."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

from tiktok_assets.inbox.receipts import RunOfLake, note_curated, write_receipt
from tiktok_assets.inbox.run_plan import MAX_TRIES, Loading, loading
from tiktok_assets.inbox.tries import note_tries, tries
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.reading import open_export
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, drop_export, export
from tiktok_assets_tests.sensor_ticks import tick

ROSTER = ("pig1987", "zonea0")
MONTHS = (dt.date(2025, 5, 1), dt.date(2025, 6, 1))


@pytest.fixture
def lake(install: Install) -> Lake:
    return Lake(install(*ROSTER, loading="apart"))


def curate(lake: Lake, tmp_path: Path, account: str) -> str:
    """An export of two months that a run of the lake has made the tables of."""
    made = export(account, "overview")
    with open_export(drop(made.content, tmp_path, made.name)) as opened:
        write_receipt(lake, account, made.name, opened, "a run")
        run = RunOfLake(run_id="a run", started_at=dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
        note_curated(lake, account, PartitionRange((account,), MONTHS), run)
        return opened.export_id


def planned(found: Loading) -> list[tuple[str, ...]]:
    return [batch.new for batch in found.runs]


def test_one_run_loads_all_accounts_and_those_that_come_meanwhile_are_in_the_next_one(
    lake: Lake, tmp_path: Path
) -> None:
    assert planned(loading(lake, ROSTER, (), is_under_way=False)) == []
    for account in ROSTER:
        curate(lake, tmp_path, account)
    assert planned(loading(lake, ROSTER, (), is_under_way=False)) == [ROSTER]
    assert planned(loading(lake, ROSTER, ["pig1987"], is_under_way=False)) == [("zonea0",)]
    waiting = loading(lake, ROSTER, ["pig1987"], is_under_way=True)
    assert (planned(waiting), waiting.before_the_lake) == ([], {*ROSTER})  # neither can be overtaken by the lake


def test_what_cannot_be_loaded_is_given_up_and_holds_nothing_up(lake: Lake, tmp_path: Path) -> None:
    export_id = curate(lake, tmp_path, "pig1987")
    assert tries(lake, ["pig1987"]) == {"pig1987": {}}  # those of the lake are over
    note_tries(lake, {"pig1987": [export_id]}, alone=True, by=MAX_TRIES)
    found = loading(lake, ROSTER, (), is_under_way=False)
    assert (planned(found), found.given_up, found.before_the_lake) == ([], ["pig1987"], set())


def test_however_many_exports_arrive_an_account_is_loaded_before_the_lake_gets_it_again(
    lake: Lake, tmp_path: Path
) -> None:
    curate(lake, tmp_path, "pig1987")
    for account in ROSTER:
        drop_export(lake.settings, account, "followers")
    answer = tick(lake.settings, fresh())
    assert isinstance(answer, dg.SensorResult)
    asked = {request.job_name: request.tags["tiktok/account"] for request in answer.run_requests or []}
    assert asked == {"load_warehouse": "pig1987", "process_lake": "zonea0"}
