"""One `dagster dev` for all tests of this folder: a start costs 12 to 25 s. It ends with the last of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from tiktok_assets.simulator.studio import StudioWorld, invent_account, serve
from tiktok_assets_tests.e2e.dagster_dev import DagsterDev
from tiktok_assets_tests.e2e.running.drop import drop_a_year_of_two_accounts

ACCOUNTS = ("pig1987", "zonea0", "south", "north")
EXTRACTED = "harbour"
"""The account whose exports are not dropped: a browser fetches them from the simulator."""


@pytest.fixture(scope="package")
def simulator() -> Iterator[tuple[StudioWorld, str]]:
    """The Studio that the running Dagster extracts from, and its address."""
    today = dt.datetime.now(dt.UTC).date()
    account = invent_account(EXTRACTED, 5, today - dt.timedelta(days=200), today + dt.timedelta(days=1))
    world = StudioWorld([account])
    with serve(world) as address:
        yield world, address


@pytest.fixture(scope="package")
def dagster_dev(tmp_path_factory: pytest.TempPathFactory, simulator: tuple[StudioWorld, str]) -> Iterator[DagsterDev]:
    """Running, with nothing in landing, and a sensor that ticks every few seconds."""
    home = tmp_path_factory.mktemp("dagster_dev") / "home"
    installation = DagsterDev(home, (*ACCOUNTS, EXTRACTED), sensor_interval=2, studio_url=simulator[1])
    installation.prepare()
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="package")
def seconds_from_drop_to_warehouse(dagster_dev: DagsterDev) -> float:
    """Overview of a year, of two accounts, dropped into the running Dagster; how long until both can be queried."""
    return drop_a_year_of_two_accounts(dagster_dev)
