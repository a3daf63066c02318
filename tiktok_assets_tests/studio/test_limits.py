"""The ledger: one visit per account and hour, five minutes between accounts, nothing requested twice after a crash."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import multiprocessing
import os
import signal
import sqlite3
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.windows import Window, final_days, windows
from tiktok_assets.failures import LimitReached
from tiktok_assets.studio.ledger_store import LedgerFile
from tiktok_assets.studio.limits import Ledger
from tiktok_assets_tests.budget import examples

T0 = dt.datetime(2026, 1, 10, 18, tzinfo=dt.UTC)
WINDOW = Window(first=dt.date(2025, 12, 1), last=dt.date(2025, 12, 31))
HOUR = dt.timedelta(hours=1)
FORK = multiprocessing.get_context("fork")


def after(**duration: float) -> dt.datetime:
    return T0 + dt.timedelta(**duration)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "limits.sqlite"


@pytest.fixture
def ledger(path: Path) -> Ledger:
    return Ledger(store=LedgerFile(path), export_interval=3600, account_spacing=300)


def in_a_process_that_dies(act: Callable[[], object]) -> None:
    """Run ``act``, then kill -9 from within: no cleanup runs."""

    def die() -> None:
        act()
        os.kill(os.getpid(), signal.SIGKILL)

    process = FORK.Process(target=die)
    process.start()
    process.join(20)
    assert process.exitcode == -signal.SIGKILL


def test_a_second_visit_within_the_hour_says_when_it_may_be_made(ledger: Ledger) -> None:
    ledger.reserve("pig1987", T0)
    with pytest.raises(LimitReached, match=r"pig1987: no export.* again at 2026-01-10 19:00:00 UTC") as refused:
        ledger.reserve("pig1987", after(minutes=59, seconds=59))
    assert refused.value.retry_at == T0 + HOUR
    assert refused.value.allow_retries is False
    ledger.reserve("pig1987", refused.value.retry_at)


def test_accounts_are_spaced(ledger: Ledger) -> None:
    ledger.reserve("pig1987", T0)
    with pytest.raises(LimitReached) as refused:
        ledger.reserve("zonea0", after(seconds=299))
    assert refused.value.retry_at == after(seconds=300)
    ledger.reserve("zonea0", after(seconds=300))


def through(egress: str, ledger: Ledger) -> Ledger:
    return dataclasses.replace(ledger, egress=egress)


def test_accounts_are_spaced_by_egress(ledger: Ledger) -> None:
    lisbon, porto = through("lisbon", ledger), through("porto", ledger)
    lisbon.reserve("pig1987", T0)
    porto.reserve("zonea0", after(seconds=1))
    with pytest.raises(LimitReached, match="300 s between accounts through lisbon") as refused:
        lisbon.reserve("south", after(seconds=299))
    assert refused.value.retry_at == after(seconds=300)
    lisbon.reserve("south", after(seconds=300))


def test_an_account_that_moves_to_another_egress_keeps_its_interval_and_leaves_its_visit_behind(ledger: Ledger) -> None:
    lisbon, porto = through("lisbon", ledger), through("porto", ledger)
    lisbon.reserve("pig1987", T0)
    with pytest.raises(LimitReached) as refused:
        porto.reserve("pig1987", after(minutes=30))
    assert refused.value.retry_at == T0 + HOUR
    with pytest.raises(LimitReached):
        lisbon.reserve("zonea0", after(seconds=299))


def test_two_accounts_of_an_egress_are_visited_at_once_whatever_others_do(ledger: Ledger) -> None:
    lisbon, porto = through("lisbon", ledger), through("porto", ledger)
    with lisbon.visiting("a", T0), lisbon.visiting("b", T0):
        with pytest.raises(LimitReached, match="for two other accounts through lisbon"), lisbon.visiting("c", T0):
            pass
        with porto.visiting("c", T0), porto.visiting("d", T0):
            pass


def test_a_ledger_of_an_earlier_version_counts_for_accounts_without_an_egress(ledger: Ledger, path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as old:
        old.execute(
            "create table visits (id integer primary key, account text not null, reserved_at real not null, "
            "last_click real not null, is_open integer not null default 1)"
        )
        old.execute("insert into visits (account, reserved_at, last_click) values ('a', ?, ?)", [T0.timestamp()] * 2)
        old.commit()
    with pytest.raises(LimitReached):
        ledger.reserve("b", after(seconds=299))
    through("lisbon", ledger).reserve("b", after(seconds=299))


def test_the_four_sections_of_a_visit_count_as_one_and_each_only_once(ledger: Ledger) -> None:
    visit = ledger.reserve("pig1987", T0)
    for second, section in enumerate(("overview", "viewers", "followers", "content")):
        ledger.ask(visit, section, WINDOW, after(seconds=second))
    with pytest.raises(LimitReached, match="overview was already requested in this visit") as refused:
        ledger.ask(visit, "overview", WINDOW, after(seconds=10))
    assert refused.value.retry_at == after(seconds=3603), "an hour after the last click"


def test_check_writes_nothing(ledger: Ledger) -> None:
    ledger.check("pig1987", T0)
    ledger.check("pig1987", T0)
    ledger.reserve("pig1987", T0)
    with pytest.raises(LimitReached):
        ledger.check("pig1987", after(seconds=1))


def test_a_refusal_by_studio_is_remembered(ledger: Ledger) -> None:
    ledger.reserve("pig1987", T0)
    ledger.refused("pig1987", after(hours=5))
    with pytest.raises(LimitReached) as refused:
        ledger.reserve("pig1987", after(hours=2))
    assert refused.value.retry_at == after(hours=5)


def test_the_reservation_of_a_killed_process_counts(ledger: Ledger) -> None:
    in_a_process_that_dies(lambda: ledger.reserve("pig1987", T0))
    with pytest.raises(LimitReached):
        ledger.reserve("pig1987", after(minutes=59))


def test_a_killed_visit_resumes_with_what_it_has_not_requested(ledger: Ledger) -> None:
    def visit() -> None:
        reservation = ledger.reserve("pig1987", T0)
        ledger.landed(ledger.ask(reservation, "overview", WINDOW, T0))
        ledger.ask(reservation, "viewers", WINDOW, T0)

    in_a_process_that_dies(visit)
    with ledger.visiting("pig1987", after(minutes=1)):
        reservation = ledger.unfinished("pig1987", after(minutes=1))
        assert reservation is not None
        with pytest.raises(LimitReached):
            ledger.ask(reservation, "viewers", WINDOW, after(minutes=1))
        ledger.ask(reservation, "followers", WINDOW, after(minutes=1))
        assert [one.window for one in ledger.landed_windows("pig1987", "overview")] == [WINDOW]
        assert ledger.landed_windows("pig1987", "viewers") == []
        assert ledger.unfinished("pig1987", after(minutes=61)) is None, "its time is over"
        ledger.finish(reservation)
        assert ledger.unfinished("pig1987", after(minutes=1)) is None


def test_one_process_visits_an_account_and_a_dead_one_leaves_no_lock(ledger: Ledger) -> None:
    held, done = FORK.Event(), FORK.Event()

    def hold() -> None:
        with ledger.visiting("pig1987", T0):
            held.set()
            done.wait(20)

    process = FORK.Process(target=hold)
    process.start()
    try:
        assert held.wait(20)
        with pytest.raises(LimitReached, match="another process is visiting"), ledger.visiting("pig1987", T0):
            pass
        with ledger.visiting("zonea0", T0):
            pass
    finally:
        process.kill()
        process.join(20)
    with ledger.visiting("pig1987", T0):
        pass


@pytest.mark.parametrize("turn", range(5))
def test_many_concurrent_processes_get_one_visit_per_account(ledger: Ledger, turn: int) -> None:
    apart = Ledger(store=ledger.store, export_interval=3600, account_spacing=0)
    start, answers = FORK.Barrier(8), FORK.Queue()

    def compete(number: int) -> None:
        account = f"account{number % 2}"
        start.wait(20)
        try:
            apart.reserve(account, after(seconds=turn))
            answers.put(account)
        except LimitReached:
            answers.put("later")
        except Exception as error:  # "database is locked" is no answer
            answers.put(repr(error))

    crowd = [FORK.Process(target=compete, args=(number,)) for number in range(8)]
    for process in crowd:
        process.start()
    outcomes = sorted(answers.get(timeout=20) for _ in crowd)
    for process in crowd:
        process.join(20)
    assert outcomes == ["account0", "account1", *["later"] * 6]


def test_a_landed_window_is_not_requested_again_but_a_lost_one_is(ledger: Ledger) -> None:
    visit = ledger.reserve("pig1987", T0)
    ledger.landed(ledger.ask(visit, "overview", WINDOW, T0))
    ledger.ask(visit, "viewers", WINDOW, T0)
    plan = {
        section: windows(
            dt.date(2025, 11, 1),
            WINDOW.last,
            now=after(hours=2),
            max_days=180,
            final=final_days(ledger.landed_windows("pig1987", section)),
        )
        for section in ("overview", "viewers")
    }
    assert plan == {
        "overview": [Window(first=dt.date(2025, 11, 1), last=dt.date(2025, 11, 30))],
        "viewers": [Window(first=dt.date(2025, 11, 1), last=WINDOW.last)],
    }


def test_a_link_can_be_fetched_again_while_it_is_valid(ledger: Ledger) -> None:
    visit = ledger.reserve("pig1987", T0)
    checkpoint = ledger.ask(visit, "overview", WINDOW, T0)
    assert ledger.pending("pig1987", after(seconds=1)) == []
    ledger.keep_link(checkpoint, "https://studio.test/export/1")
    assert (ledger.count_attempt(checkpoint), ledger.count_attempt(checkpoint)) == (1, 2)
    (found,) = ledger.pending("pig1987", after(minutes=59))
    assert (found.section, found.window, found.attempts) == ("overview", WINDOW, 2)
    assert ledger.pending("pig1987", after(hours=1)) == []
    ledger.landing(found, "Overview_pig1987.zip", "ab" * 32)
    (found,) = ledger.pending("pig1987", after(hours=9))
    assert found.file == "Overview_pig1987.zip", "landing shows whether it got its name"
    ledger.landed(found)
    assert ledger.pending("pig1987", after(minutes=1)) == []


def test_the_ledger_is_private_to_its_user(ledger: Ledger, path: Path) -> None:
    ledger.reserve("pig1987", T0)
    files = [path for path in path.parent.glob("limits.sqlite*") if path.stat().st_size]
    assert path in files
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@examples(40)
@given(
    asks=st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 1500), st.booleans()), max_size=40),
    interval=st.sampled_from([0, 700, 3600]),
    spacing=st.sampled_from([0, 300]),
)
def test_no_history_of_visits_breaks_a_limit(asks: list[tuple[str, int, bool]], interval: int, spacing: int) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        ledger = Ledger(
            store=LedgerFile(Path(folder) / "limits.sqlite"), export_interval=interval, account_spacing=spacing
        )
        now, clicks = T0, list[tuple[str, dt.datetime]]()
        for account, pause, is_click_late in asks:
            now += dt.timedelta(seconds=pause)
            try:
                visit = ledger.reserve(account, now)
            except LimitReached as refused:
                assert refused.retry_at > now
                now = refused.retry_at
                visit = ledger.reserve(account, now)  # what it promised is true
            for other, moment in clicks:
                gap = (now - moment).total_seconds()
                assert gap >= (interval if other == account else spacing)
            now += dt.timedelta(seconds=40 * is_click_late)
            ledger.ask(visit, "overview", WINDOW, now)
            clicks.append((account, now))
