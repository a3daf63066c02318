"""Two accounts, a Studio of New Year's Day 2026, and clients with and without a login."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account
from tiktok_assets_tests.simulator.studio.studio_client import StudioClient

NOW = datetime(2026, 1, 1, 16, 20, 30, tzinfo=UTC)
"""After the data of 31 December has arrived; an even second, as a ZIP can keep it."""
YESTERDAY = date(2025, 12, 31)


@pytest.fixture(scope="session")
def accounts() -> tuple[StudioAccount, StudioAccount]:
    """``north.pier`` in English and ``south_pier`` in Greek, with data of 2024 to February 2026."""
    first, last = date(2024, 1, 1), date(2026, 2, 28)
    return invent_account("north.pier", 1, first, last), invent_account("south_pier", 2, first, last, locale="el")


@pytest.fixture
def north(accounts: tuple[StudioAccount, StudioAccount]) -> StudioAccount:
    return accounts[0]


@pytest.fixture
def south(accounts: tuple[StudioAccount, StudioAccount]) -> StudioAccount:
    return accounts[1]


@pytest.fixture
def world(accounts: tuple[StudioAccount, StudioAccount]) -> StudioWorld:
    """Its clock stands still until a test moves it, and files are ready at once."""
    return StudioWorld(accounts, clock=lambda: NOW, prepare_seconds=0, start="a start")


@pytest.fixture
def anonymous_client(world: StudioWorld) -> StudioClient:
    """A client that is not logged in."""
    return StudioClient(world)


@pytest.fixture
def client(world: StudioWorld, anonymous_client: StudioClient, north: StudioAccount) -> StudioClient:
    """A client logged in as the owner of ``north.pier``."""
    assert anonymous_client.log_in(north).status_code == 303
    return anonymous_client


@pytest.fixture
def hour() -> timedelta:
    return timedelta(hours=1)
