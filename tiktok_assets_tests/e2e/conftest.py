"""One `dagster dev` for all end-to-end tests of a session: a start costs 12 to 25 s."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tiktok_assets_tests.e2e.dagster_dev import DagsterDev
from tiktok_assets_tests.e2e.drop import drop_a_year_of_two_accounts

ACCOUNTS = ("pig1987", "zonea0", "south", "north")


@pytest.fixture(scope="session")
def dagster_dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterDev]:
    """Running, with nothing in landing, and a sensor that looks every 10 s."""
    installation = DagsterDev(tmp_path_factory.mktemp("dagster_dev") / "home", ACCOUNTS, sensor_interval=10)
    installation.prepare()
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="session")
def seconds_from_drop_to_warehouse(dagster_dev: DagsterDev) -> float:
    """Overview of a year, of two accounts, dropped into the running Dagster; how long until both can be queried."""
    return drop_a_year_of_two_accounts(dagster_dev)
