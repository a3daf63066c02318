"""One `dagster dev` for all end-to-end tests of a session: a start costs 12 to 25 s."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tiktok_assets_tests.e2e.dagster_dev import DagsterDev

ACCOUNTS = ("pig1987", "zonea0", "sobatti", "okn")


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
