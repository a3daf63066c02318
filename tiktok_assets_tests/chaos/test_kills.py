"""Killed at every kind of moment: nothing is torn, and the next `process` ends with equal tables."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest

from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.chaos.conftest import Note
from tiktok_assets_tests.chaos.moments import ANY, KINDS, Kill
from tiktok_assets_tests.chaos.world import ARCHIVE, PROCESS, SAVE, Undisturbed, World
from tiktok_assets_tests.lake_contents import differing

pytestmark = pytest.mark.chaos

KILLS = len(rounds(6, at_most=80))
"""Of each part. The parts are alike; they run on several workers."""
IN_A_ROW = 6
"""Kills one after the other before a run may finish: what makes good the last one is killed as well."""
COMMANDS = {"archive": ARCHIVE, "session write": SAVE}


@pytest.mark.parametrize("_part", rounds(1, at_most=4))
def test_whatever_is_killed_whenever_the_next_process_makes_the_tables_whole(
    world: World, tried: Note, _part: int
) -> None:
    chance, killed = random.Random(random.randrange(10**6)), Counter[str]()
    undisturbed = world.undisturbed()
    while killed.total() < KILLS:
        kill_some(world, undisturbed, killed, chance)
    for kind, times in killed.items():
        tried(f"kill: {kind}", times, "no torn file, no lost input; equal tables after the next `process`")


def kill_some(world: World, undisturbed: Undisturbed, killed: Counter[str], chance: random.Random) -> None:
    """Kill a few processes in a row, each at a moment that was hit least, then let one finish."""
    world.begun(is_empty=chance.random() < 0.2)
    states, history = [world.published(), undisturbed.published], list[Kill]()
    for _ in range(min(IN_A_ROW, KILLS - killed.total())):
        least = min(killed[kind] for kind in KINDS)
        kind = chance.choice([kind for kind in KINDS if killed[kind] == least])
        history.append(planned(kind, undisturbed.seen.kinds, chance))
        ended = world.run(*COMMANDS.get(kind, PROCESS), planned=history[-1])
        assert world.broken() == [], history
        assert any(differing(world.published(), state) == [] for state in states), history
        if not ended.was_killed:  # it had fewer moments: the kills before had left it less to do
            break
        killed[kind] += 1
    ended = world.run(*PROCESS)
    assert ended.code in (0, 1), (history, ended.output)  # 1: the unusable file
    assert world.differences(undisturbed) == [], history
    assert world.broken() == [], history


def planned(kind: str, moments: Mapping[str, int], chance: random.Random) -> Kill:
    """Any of the moments of the kind, the early ones more often; just before it, or a moment into it."""
    if kind == ANY:
        return Kill(kind=kind, after=chance.uniform(0.01, 3))
    number = 1 + int(moments[kind] * chance.random() ** 2)
    return Kill(kind=kind, number=number, after=chance.choice([0, 0, chance.uniform(0.0001, 0.01)]))
