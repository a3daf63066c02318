"""Services that the tests of a cluster share: each is started once a process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tiktok_assets.storage.postgres import Postgres
from tiktok_assets_tests.cluster import services

KEY = "a2V5IG9mIGEgY2x1c3RlciB0aGF0IGlzIDMyIGJ5dGU="
_numbers = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[services.Postgres]:
    """A running Postgres."""
    with services.postgres() as running:
        yield running


@pytest.fixture
def state_url(server: services.Postgres) -> str:
    """An empty database of its own, as ``TIKTOK_STATE_URL``."""
    import psycopg

    name = f"test{next(_numbers)}"
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return f"{server.url.rpartition('/')[0]}/{name}"


@pytest.fixture
def database(state_url: str) -> Postgres:
    """The same, as the package knows it."""
    return Postgres(SecretStr(state_url))
