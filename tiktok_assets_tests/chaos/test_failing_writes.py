"""Each write of a run fails in each way a disk can: a sentence, nothing torn, and the next `process` makes it whole."""

from __future__ import annotations

import errno
import os
import random
import re
from collections import Counter

import pytest

from tiktok_assets_tests.budget import FACTOR, rounds
from tiktok_assets_tests.chaos.conftest import Note
from tiktok_assets_tests.chaos.jobs import Ended
from tiktok_assets_tests.chaos.moments import Fault, Seen
from tiktok_assets_tests.chaos.world import ARCHIVE, PROCESS, SAVE, Undisturbed, World

pytestmark = pytest.mark.chaos

ERRNOS = (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES)
IN_A_ROW = 12
"""Faults one after the other, each a little later in the run, before a run may finish."""
STEP = max(1, 100 // FACTOR)
"""Each error is tried at every so many writes, each at others: every fifth in `make chaos`, so that all are tried."""
EACH_KIND = FACTOR >= 100
"""With TEST_BUDGET=100 each error is tried once at each kind of write instead: those of the same lines of code, which
differ in the export, the table or the month. Each error at each single write would take hours."""
EVERY_SO_MANY = 150
"""Of the commits of Dagster's history, nine hundred in a run. Each lock is opened several times: the first counts."""
_VARYING = re.compile(
    r"[0-9a-f]{64}|\d{8}T\d{6}Z_[0-9a-f]{12}|\d{4}-\d\d-\d\d"
    r"|(?<=staging/)\w+|(?<=curated/)\w+|(?<=raw/)(?!exports)\w+|(?<=north/)[^/]+\.zip"
)
"""What the names of writes of one kind differ in."""
_OTHER_EACH_TIME = re.compile(r"state/locks$|\.probe|state/dagster|run%20")
# As our sentences say it, where the system's own words are not repeated.
_MEANING = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "is full",
    errno.EIO: "does not answer",
    errno.EROFS: "can only be read",
    errno.EACCES: "may not read or write",
}


@pytest.mark.parametrize("number", ERRNOS[: len(rounds(1, at_most=5))], ids=errno.errorcode.get)
def test_a_write_that_fails_is_a_sentence_and_costs_nothing(world: World, tried: Note, number: int) -> None:
    undisturbed = world.undisturbed()
    faults, failed = faults_of(undisturbed.seen, number), Counter[str]()
    for begin in range(0, len(faults), IN_A_ROW):
        fail_some(world, undisturbed, faults[begin : begin + IN_A_ROW], failed)
    for what, times in failed.items():
        tried(
            f"{errno.errorcode[number]}: {what}",
            times,
            "a sentence, no traceback, no torn file; equal tables afterwards",
        )


def faults_of(seen: Seen, number: int) -> list[Fault]:
    """This error at every write whose turn it is, in the order of the run."""
    counted, faults = Counter[str](), list[Fault]()
    for write in seen.writes:
        counted[write] += 1
        is_tried = counted[write] % EVERY_SO_MANY == 0 if write == "history commit" else True
        is_tried &= counted[write] == 1 or "state/locks" not in write
        if is_tried and not _OTHER_EACH_TIME.search(write):
            faults.append(Fault(write=write, number=counted[write], errno=number))
    if EACH_KIND:
        of_kinds: dict[str, Fault] = {}
        for fault in faults:
            of_kinds.setdefault(_VARYING.sub("*", fault.write), fault)
        return list(of_kinds.values())
    first = ERRNOS.index(number) if len(ERRNOS) >= STEP else random.randrange(STEP)
    return faults[first % STEP :: STEP]


def fail_some(world: World, undisturbed: Undisturbed, faults: list[Fault], failed: Counter[str]) -> None:
    """One fault a process; then one without any, which makes good what all of them left undone."""
    world.begun()
    for fault in faults:
        ended = world.run(*command_of(fault), planned=fault)
        if not ended.seen.has(fault):  # the faults before had left it less to do
            world.begun()
            ended = world.run(*command_of(fault), planned=fault)
        assert ended.seen.has(fault), fault
        assert world.broken() == [], fault
        assert is_said(ended, fault) or is_done(world, undisturbed, ended, fault), (fault, ended.output)
        failed[kind_of(fault)] += 1
    ended = world.run(*PROCESS)
    assert ended.code in (0, 1), (faults, ended.output)  # 1: the unusable file
    assert world.differences(undisturbed) == [], faults
    assert world.broken() == [], faults


def command_of(fault: Fault) -> tuple[str, ...]:
    if fault.write.startswith("archive/"):
        return ARCHIVE
    return SAVE if fault.write.endswith("north.json") else PROCESS


def kind_of(fault: Fault) -> str:
    """The write in a few words, for the figures."""
    if "commit" in fault.write or "checkpoint" in fault.write:
        return fault.write
    if fault.write.startswith(("scratch", "half")):
        return fault.write.split()[0] + " of a file" if fault.write.startswith("half") else "beginning of a file"
    return "a file's rename into its place"


def is_said(ended: Ended, fault: Fault) -> bool:
    """Whether the output names the error."""
    return any(words in ended.output for words in (os.strerror(fault.errno), _MEANING[fault.errno]))


def is_done(world: World, undisturbed: Undisturbed, ended: Ended, fault: Fault) -> bool:
    """Whether the command has done everything all the same, as where a file that cannot be renamed is copied."""
    if command_of(fault) == PROCESS:
        return world.differences(undisturbed) == []
    return ended.code == 0
