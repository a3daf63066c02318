"""One account of a bit more than a year, a download, and a CSV reader that shares no code with ours."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import StringIO

import pytest

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.traits import Traits


@pytest.fixture(scope="session")
def account() -> SimulatedAccount:
    """A medium account at UTC+2 with dots and underscores in its handle."""
    traits = Traits(utc_offset=2, viral_day=date(2025, 6, 4))
    return SimulatedAccount.generate("north.pier_2.0", 7, date(2024, 12, 1), date(2026, 1, 10), traits=traits)


@pytest.fixture(scope="session")
def downloaded_at() -> datetime:
    """After that day's data arrived: exports made then contain 31 December."""
    return datetime(2026, 1, 1, 16, 20, 31, tzinfo=UTC)


@pytest.fixture(scope="session")
def read_csv() -> Callable[[bytes], list[list[str]]]:
    """Header and rows of a Studio CSV, through the csv module."""

    def read(content: bytes) -> list[list[str]]:
        return list(csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True))

    return read
