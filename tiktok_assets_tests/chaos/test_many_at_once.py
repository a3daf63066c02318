"""Several processes at once while files arrive, and readers all the time: whole states, and the end of one alone."""

from __future__ import annotations

import itertools
import json
import shutil

import pytest

from tiktok_assets_tests.budget import in_the_long_run, rounds
from tiktok_assets_tests.chaos.conftest import Note
from tiktok_assets_tests.chaos.jobs import DROP, READ_ON, Ended
from tiktok_assets_tests.chaos.world import ARCHIVE, PROCESS, World

pytestmark = pytest.mark.chaos

WRITERS, READERS = 4, 4
ROWS = "select account, count(*) from social_media_stats group by account order by account"
# In one state of all tables: whatever export a row names is logged, and whatever is logged has its rows.
UNLOGGED = "select count(*) from social_media_stats where export_id not in (select export_id from exports)"
UNSTORED = """
select count(*) from exports as e
where e.report = 'overview' and e.account not in (select account from social_media_stats)
"""


@in_the_long_run
@pytest.mark.parametrize("_round", rounds(1, at_most=20))
def test_four_processes_and_four_readers_at_once_see_and_leave_whole_states(
    two_accounts: World, tried: Note, _round: int
) -> None:
    world = two_accounts
    undisturbed = world.undisturbed()
    world.clear()
    world.visit(0)
    world.visit(1, "waiting")
    jobs = [world.job(*PROCESS)] * WRITERS + [world.job(DROP, "waiting")]
    jobs += [world.job(READ_ON, ROWS, UNLOGGED, UNSTORED)] * READERS
    ended = world.worker.run(jobs)
    assert [one.code for one in ended] == [0] * len(jobs), [one.output for one in ended[:WRITERS]]
    readings = sum(whole_states(reader) for reader in ended[-READERS:])
    world.drop_unusable()
    world.run(*ARCHIVE)
    world.run(*PROCESS)  # what was dropped after the last of the four had looked
    assert world.broken() == []
    assert world.differences(undisturbed) == []
    shutil.rmtree(world.data)
    tried(
        f"{WRITERS} `process` and {READERS} readers at once while files arrive",
        1,
        "equal tables, nothing lost or doubled",
    )
    tried("readings meanwhile", readings, "a whole state, never with fewer rows than before")


def whole_states(reader: Ended) -> int:
    """How many readings there were; each saw a whole state, and no account ever had fewer rows than before."""
    readings = [json.loads(line) for line in reader.output.splitlines()]
    assert all(unlogged == unstored == [[0]] for _, unlogged, unstored in readings), readings
    for (before, *_), (after, *_) in itertools.pairwise(readings):
        assert all(dict(after).get(account, 0) >= rows for account, rows in before), (before, after)
    return len(readings)
