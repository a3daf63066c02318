"""Fixtures of the attacks. What they tried is printed at the end (``figures``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiktok_assets_tests.chaos.figures import PROPERTY, Tried
from tiktok_assets_tests.chaos.worker import Worker
from tiktok_assets_tests.chaos.world import World
from tiktok_assets_tests.made_once import MadeOnce

Note = Callable[[str, int, str], None]


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Note:
    """``tried("a kill at publish", 30, "equal tables")``: note an attack that was made so often, and what held."""

    def note(attack: str, times: int, held: str) -> None:
        record_property(PROPERTY, tuple(Tried(attack, times, held)))

    return note


@pytest.fixture(scope="session")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


@pytest.fixture
def world(tmp_path: Path, worker: Worker, made_once: MadeOnce) -> World:
    """An installation of one account, with nothing in it."""
    return prepared(World(home=tmp_path / "home", worker=worker, made_once=made_once))


@pytest.fixture
def two_accounts(tmp_path: Path, worker: Worker, made_once: MadeOnce) -> World:
    """The same of two."""
    return prepared(World(home=tmp_path / "two", worker=worker, made_once=made_once, accounts=("north", "south")))


def prepared(world: World) -> World:
    world.prepare()
    return world
