"""Looks that list only what was changed, in fsspec's memory: never stale, whoever writes, and however he ends."""

from __future__ import annotations

import contextvars
import datetime as dt
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import fsspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from upath import UPath

from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.inbox.receipts import loaded
from tiktok_assets.pipeline.previous_lake import PreviousLake
from tiktok_assets.settings import Settings
from tiktok_assets.storage import changes as marking
from tiktok_assets.storage import copies, listings, objects
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import derived, names_in
from tiktok_assets.storage.objects import Entry
from tiktok_assets_tests import budget
from tiktok_assets_tests.inbox.intake_looks import look
from tiktok_assets_tests.landing_files import insights
from tiktok_assets_tests.memory import empty_memory

ACCOUNTS = ("pig1987", "zonea0")


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each folder was listed, by its last two names."""
    counted, real = Counter[str](), objects.objects_below

    def objects_below(folder: UPath) -> dict[str, Entry]:
        counted["/".join(folder.parts[-2:])] += 1
        return real(folder)

    monkeypatch.setattr(objects, "objects_below", objects_below)
    return counted


def receipts(lake: Lake, account: str) -> set[str]:
    """What a look finds."""
    with lake.looking():
        return set(names_in(lake.raw_folder("exports", account)))


def write(lake: Lake, account: str, name: str) -> None:
    lake.write_bytes(lake.raw_folder("exports", account) / name, b"{}")


def as_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listings, "_kept", {})


def test_only_a_changed_folder_is_listed_again(
    remote: Settings, listed: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "_A_REQUEST", 1)  # so that one folder costs less than all of them
    lake = Lake(remote)
    for account in ACCOUNTS:
        write(lake, account, "1")
    assert [receipts(lake, account) for account in ACCOUNTS] == [{"1"}, {"1"}]
    listed.clear()
    assert [receipts(lake, account) for account in ACCOUNTS] == [{"1"}, {"1"}]
    assert listed == {"data/changes": 2}

    write(lake, "pig1987", "2")
    listed.clear()
    assert [receipts(lake, account) for account in ACCOUNTS] == [{"1", "2"}, {"1"}]
    assert listed == {"data/changes": 2, "exports/account=pig1987": 1}
    lake.remove(lake.raw_folder("exports", "pig1987") / "1")
    assert receipts(lake, "pig1987") == {"2"}


def test_where_many_have_changed_all_are_listed_in_one_go(remote: Settings, listed: Counter[str]) -> None:
    lake = Lake(remote)
    for account in ACCOUNTS:
        write(lake, account, "1")
        receipts(lake, account)
    for account in ACCOUNTS:
        write(lake, account, "2")
    listed.clear()
    assert receipts(lake, "zonea0") == {"1", "2"}
    assert listed == {"data/changes": 1, "raw/exports": 1}


def test_in_a_large_lake_a_new_process_lists_the_folders_at_once(
    remote: Settings, listed: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(remote)
    objects.write(lake.raw_folder("exports", "old") / "1", b"")  # of before marks were made
    for account in ACCOUNTS:
        write(lake, account, "1")
    monkeypatch.setattr(listings, "_MANY", 1)
    listed.clear()
    assert [receipts(lake, account) for account in ("old", *ACCOUNTS)] == [{"1"}] * 3
    assert listed["raw/exports"] == 0


def test_what_is_derived_from_names_is_derived_once_until_they_change(remote: Settings) -> None:
    lake, calls = Lake(remote), list[UPath]()

    def number(folder: UPath) -> int:
        calls.append(folder)
        return len(names_in(folder))

    def look(given: int = 0) -> int:
        with lake.looking():
            return derived(lake.raw_folder("exports", "pig1987"), number, given=given)

    write(lake, "pig1987", "1")
    write(lake, "zonea0", "1")
    assert (look(), look(), len(calls)) == (1, 1, 1)
    assert (look(given=1), len(calls)) == (1, 2)
    write(lake, "zonea0", "2")
    receipts(lake, "zonea0")
    write(lake, "pig1987", "2")
    assert (look(given=1), len(calls)) == (2, 3)
    with lake.looking():
        assert derived(lake.raw_folder("exports", "pig1987"), number, given=1) == 2
        write(lake, "pig1987", "3")
        assert derived(lake.raw_folder("exports", "pig1987"), number, given=1) == 3
    assert look(given=1) == 3


def test_the_receipts_of_an_account_are_counted_from_what_is_kept(remote: Settings) -> None:
    lake = Lake(remote)
    write(lake, "pig1987", f"a.v{READER_VERSION}.json")
    with lake.looking():
        assert loaded(lake, "pig1987") == {"a"}
        write(lake, "pig1987", f"b.v{READER_VERSION}.loaded.json")
        assert loaded(lake, "pig1987") == {"a", "b"}
    with lake.looking():
        assert loaded(lake, "pig1987") == {"a", "b"}


def test_a_block_marks_a_folder_once_and_nothing_else(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, written, real = Lake(remote), list[str](), objects.write
    monkeypatch.setattr(
        objects, "write", lambda path, *rest, **how: (written.append(path.path), real(path, *rest, **how))
    )
    with together(), lake.alone("work"):
        for name in "123":
            write(lake, "pig1987", name)
        lake.write_bytes(remote.landing / "pig1987" / "a.csv", b"")
    marks = [path for path in written if "/changes/" in path]
    assert [path.rpartition("/")[2].partition("-")[0] for path in marks] == ["begun", "ended"]
    assert not [path for path in objects.objects_below(lake.changes.marks) if "begun" in path]


def test_a_change_after_a_failed_mark_is_marked(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, real, fails = Lake(remote), objects.write, [True]

    def fails_once(path: UPath, *rest: bytes, **how: bool) -> None:
        if "begun-" in path.name and fails.pop(0):
            raise OSError("busy")
        real(path, *rest, **how)

    monkeypatch.setattr(objects, "write", fails_once)
    with together():
        with pytest.raises(OSError, match="busy"):
            write(lake, "pig1987", "1")
        fails.append(False)
        write(lake, "pig1987", "1")
        assert contextvars.Context().run(receipts, lake, "pig1987") == {"1"}
        write(lake, "pig1987", "2")
        assert contextvars.Context().run(receipts, lake, "pig1987") == {"1", "2"}


def test_an_end_that_cannot_be_marked_hides_no_error(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoConnection(Exception):
        """As botocore's: no OSError."""

    lake, real = Lake(remote), objects.write

    def fails_at_the_end(path: UPath, *rest: bytes, **how: bool) -> None:
        if path.name == "ended":
            raise NoConnection
        real(path, *rest, **how)

    monkeypatch.setattr(objects, "write", fails_at_the_end)
    with pytest.raises(KeyError), together():
        write(lake, "pig1987", "1")
        raise KeyError
    assert begun(lake) == 1


def test_the_folder_of_a_killed_writer_is_listed_in_every_look_for_a_day(
    remote: Settings, listed: Counter[str]
) -> None:
    lake = Lake(remote)
    write(lake, "pig1987", "1")
    killed = Writer(lake, "pig1987")
    killed.begin()
    assert receipts(lake, "pig1987") == {"1"}
    killed.write("2")
    assert receipts(lake, "pig1987") == {"1", "2"}
    listed.clear()
    write(lake, "zonea0", "1")  # the newest mark
    assert receipts(lake, "pig1987") == {"1", "2"}
    assert receipts(lake, "pig1987") == {"1", "2"}
    assert (listed["raw/exports"], listed["exports/account=pig1987"]) == (1, 1)

    lake.remove_orphans()
    assert begun(lake) == 1
    for key, file in fsspec.filesystem("memory").store.items():
        if "begun-" in key:
            file.modified -= dt.timedelta(hours=25)
    lake.remove_orphans()
    assert begun(lake) == 0
    killed.end()
    receipts(lake, "pig1987")
    listed.clear()
    assert receipts(lake, "pig1987") == {"1", "2"}
    assert listed == {"data/changes": 1}


def begun(lake: Lake) -> int:
    return sum("begun-" in path for path in objects.objects_below(lake.changes.marks))


def test_of_two_writers_of_a_folder_the_end_of_one_does_not_hide_the_other(remote: Settings) -> None:
    lake, first, second = Lake(remote), Writer(Lake(remote), "pig1987"), Writer(Lake(remote), "pig1987")
    first.begin()
    second.begin()
    second.end()
    assert receipts(lake, "pig1987") == set()
    first.write("1")
    assert receipts(lake, "pig1987") == {"1"}
    first.end()
    assert receipts(lake, "pig1987") == {"1"}


def test_a_look_stays_of_its_moment_while_another_thread_changes_what_both_know(remote: Settings) -> None:
    lake = Lake(remote)
    write(lake, "pig1987", "1")
    other = contextvars.copy_context()
    with lake.looking():
        assert names_in(lake.raw_folder("exports", "pig1987")) == ["1"]

        def changed() -> list[str]:
            with lake.looking():
                names_in(lake.raw_folder("exports", "pig1987"))
                write(lake, "pig1987", "2")
                return sorted(names_in(lake.raw_folder("exports", "pig1987")))

        assert other.run(changed) == ["1", "2"]
        assert names_in(lake.raw_folder("exports", "pig1987")) == ["1"]


@pytest.mark.parametrize("damage", ["deleted", "overwritten", "all deleted"])
def test_a_damaged_mark_counts_as_a_change(remote: Settings, listed: Counter[str], damage: str) -> None:
    lake = Lake(remote)
    write(lake, "pig1987", "1")
    receipts(lake, "pig1987")
    ended = lake.changes.marks / "raw" / "exports" / "account=pig1987" / "ended"
    objects.write(lake.raw_folder("exports", "pig1987") / "2", b"by hand")
    if damage == "overwritten":
        objects.write(ended, b"\0")
    elif damage == "deleted":
        objects.remove(ended)
    else:
        fsspec.filesystem("memory").rm(lake.changes.marks.path, recursive=True)
    assert receipts(lake, "pig1987") == {"1", "2"}
    listed.clear()
    assert receipts(lake, "pig1987") == {"1", "2"}
    assert listed == {"data/changes": 1}


def test_what_somebody_puts_into_a_folder_by_hand_is_seen_by_a_new_process_and_after_a_day(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(remote)
    write(lake, "pig1987", "1")
    receipts(lake, "pig1987")
    objects.write(lake.raw_folder("exports", "pig1987") / "2", b"by hand")
    assert receipts(lake, "pig1987") == {"1"}
    with monkeypatch.context() as another:
        as_another_process(another)
        assert receipts(lake, "pig1987") == {"1", "2"}
    with lake.looking_at_everything():
        assert set(names_in(lake.raw_folder("exports", "pig1987"))) == {"1", "2"}
    assert receipts(lake, "pig1987") == {"1"}
    monkeypatch.setattr(listings, "_KEPT_FOR", 0.0)
    assert receipts(lake, "pig1987") == {"1", "2"}


def test_a_file_that_a_person_moves_back_from_the_archive_is_found_in_landing(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, content = Lake(remote), insights("pig1987")
    archived, closed = remote.archive / "pig1987" / "1.json", f"{sha256(content).hexdigest()}.v{READER_VERSION}.json"
    lake.write_bytes(archived, content)
    write(lake, "pig1987", closed)
    assert look(remote).landed == ()
    objects.remove(archived)
    objects.write(remote.landing / "pig1987" / "back.json", content)
    lake.remove(lake.raw_folder("exports", "pig1987") / closed)  # its tables have to be made again
    kept = copies.Copies()  # the one of the archived file has made room
    monkeypatch.setattr(copies, "_copies", lambda: kept)
    first = look(remote)
    assert (first.landed, first.unreadable) == ((), ())
    assert [one.source for one in look(remote).landed] == ["back.json"]


def test_a_mark_that_cannot_be_stored_lets_nothing_be_changed(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, real = Lake(remote), objects.write

    def refuse(path: UPath, content: bytes | Path, **how: bool) -> None:
        if "begun-" in path.name:
            raise OSError(28, "no space")
        real(path, content, **how)

    monkeypatch.setattr(objects, "write", refuse)
    with pytest.raises(OSError, match="no space"):
        write(lake, "pig1987", "1")
    assert receipts(lake, "pig1987") == set()


def test_a_rebuild_is_seen_although_it_replaces_everything(remote: Settings) -> None:
    lake = Lake(remote)
    for account in ACCOUNTS:
        write(lake, account, "1")
    assert receipts(lake, "pig1987") == {"1"}
    previous = PreviousLake(remote)
    previous.set_aside()
    assert [receipts(lake, account) for account in ACCOUNTS] == [set(), set()]
    write(lake, "pig1987", "2")
    previous.restore()
    assert [receipts(lake, account) for account in ACCOUNTS] == [{"1"}, {"1"}]


class Writer:
    """A block of another process, step by step."""

    def __init__(self, lake: Lake, account: str) -> None:
        self._lake, self._account = lake, account
        self._context = contextvars.copy_context()
        self._block = together()
        self._context.run(self._block.__enter__)

    def begin(self) -> None:
        """Mark the folder, and change nothing yet."""
        folder = self._lake.raw_folder("exports", self._account)
        self._context.run(lambda: self._lake.changes.marked(folder).__enter__())

    def write(self, name: str) -> None:
        self._context.run(write, self._lake, self._account, name)

    def end(self) -> None:
        self._context.run(self._block.__exit__, None, None, None)


Steps = list[tuple[str, int]]
"""Of a writer, by its number: what it does next."""
STEP = strategies.tuples(strategies.sampled_from(["begin", "write", "end", "kill"]), strategies.integers(0, 2))
STEPS = strategies.lists(STEP, max_size=4)
LOOK = strategies.tuples(strategies.integers(0, 1), STEPS, STEPS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40 * budget.FACTOR)
@given(rounds=strategies.lists(strategies.tuples(STEPS, LOOK), min_size=2, max_size=6))
def test_however_writers_and_looks_interleave_a_look_shows_all_that_was_stored_before_it(
    remote: Settings,
    rounds: list[tuple[list[tuple[str, int]], tuple[int, list[tuple[str, int]], list[tuple[str, int]]]]],
) -> None:
    """Three writers of two accounts, two processes that look. Steps also fall between the names of one listing of the
    marks, of which ``begun`` is read before ``ended``, and between it and the listings of the folders."""
    empty_memory()
    lake, real = Lake(remote), objects.objects_below
    writers, killed = dict[int, Writer](), list[Writer]()
    stored = {account: set[str]() for account in ACCOUNTS}
    kept = [dict[str, listings.Kept](), dict[str, listings.Kept]()]

    def play(steps: Steps) -> None:
        for step, number in steps:
            account = ACCOUNTS[number % 2]
            if number not in writers and step in ("begin", "write"):
                writers[number] = Writer(lake, account)
            if step == "begin":
                writers[number].begin()
            elif step == "write":
                name = f"{sum(map(len, stored.values()))}"
                writers[number].write(name)
                stored[account].add(name)
            elif number in writers:
                if step == "end":
                    writers[number].end()
                else:
                    killed.append(writers[number])
                del writers[number]

    def in_pieces(within: Steps, after: Steps) -> Callable[[UPath], dict[str, Entry]]:
        def objects_below(folder: UPath) -> dict[str, Entry]:
            if folder.name != "changes":
                return real(folder)
            found = {key: one for key, one in real(folder).items() if "begun-" in key}
            play(within)
            found |= {key: one for key, one in real(folder).items() if "begun-" not in key}
            play(after)
            return found

        return objects_below

    for steps, (process, within, after) in rounds:
        play(steps)
        before = {account: set(names) for account, names in stored.items()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(listings, "_kept", kept[process])
            with lake.looking():
                patch.setattr(objects, "objects_below", in_pieces(within, after))
                seen = {account: set(names_in(lake.raw_folder("exports", account))) for account in ACCOUNTS}
        assert all(seen[account] >= before[account] for account in ACCOUNTS)
    for writer in (*writers.values(), *killed):  # of which nothing else is left
        writer.end()


def test_marks_are_where_a_listing_shows_the_begin_before_the_end() -> None:
    assert marking._BEGUN < marking._ENDED  # pyright: ignore[reportPrivateUsage]
