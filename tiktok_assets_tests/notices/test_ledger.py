"""Once and again: whatever fails, restarts and comes back, each alert reaches each recipient once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.notices import ledger as ledgers
from tiktok_assets.notices.alerts import Alert
from tiktok_assets.notices.ledger import (
    MOST_TRIES,
    DamagedLedger,
    Ledger,
    Message,
    read_ledger,
    write_ledger,
)
from tiktok_assets.settings import Settings

NOW = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def alert(key: str, *, is_standing: bool = False) -> Alert:
    return Alert(key=key, title=key, sentence=key, remedy="", link="/", is_standing=is_standing)


def message(id: str) -> Message:
    return Message(id=id, subject=f"subject of {id}", text="", html="")


def begun_before(*recipients: str) -> Ledger:
    """The ledger of an installation that has sent alerts before."""
    return ledgers.addressed(Ledger(), recipients)[0]


def new(ledger: Ledger, *current: Alert, now: dt.datetime = NOW) -> tuple[Ledger, list[str]]:
    after, found = ledgers.noticed(ledger, current, now)
    return after, [one.key for one in found]


def test_the_first_look_sees_everything_and_finds_nothing_new() -> None:
    ledger, found = new(Ledger(), alert("old"), alert("lasting", is_standing=True))
    assert found == []
    ledger, newcomers = ledgers.addressed(ledger, ["a"])
    assert newcomers == ["a"]
    assert new(ledger, alert("old"), alert("lasting", is_standing=True), alert("fresh"))[1] == ["fresh"]


def test_an_event_is_new_once_though_it_is_gone_in_between() -> None:
    ledger, found = new(begun_before("a"), alert("run/1"))
    assert found == ["run/1"]
    for current in ([], [alert("run/1")], [], [alert("run/1")]):
        ledger, found = new(ledger, *current, now=NOW + DAY)
        assert found == []


def test_a_state_that_ended_and_begins_anew_is_new_again() -> None:
    late = alert("not fresh/a", is_standing=True)
    ledger, first = new(begun_before("a"), late)
    ledger, lasting = new(ledger, late, now=NOW + 200 * DAY)
    ledger, ended = new(ledger, now=NOW + 201 * DAY)
    _, again = new(ledger, late, now=NOW + 202 * DAY)
    assert [first, lasting, ended, again] == [["not fresh/a"], [], [], ["not fresh/a"]]


def test_two_alerts_of_one_key_are_one() -> None:
    assert new(begun_before("a"), alert("x"), alert("x"))[1] == ["x"]


def test_a_failed_delivery_is_tried_again_after_longer_and_longer_waits_and_then_given_up() -> None:
    ledger, now, waits = ledgers.queued(begun_before("a"), message("m"), ["a"], NOW), NOW, []
    while due := ledger.due(now):
        (delivery,) = due
        ledger = ledgers.begun(ledger, delivery)
        (trying,) = ledger.outbox
        ledger = ledgers.failed(ledger, trying, "no connection", now)
        if ledger.outbox:
            waits.append((ledger.outbox[0].next_try - now).total_seconds() / 60)
            assert ledger.due(ledger.outbox[0].next_try - dt.timedelta(seconds=1)) == []
            now = ledger.outbox[0].next_try
    assert waits == [1, 5, 15, 60, 180, 360, 720]
    (note,) = ledger.undelivered
    assert str(note).endswith("“subject of m” did not reach a: no connection, after 8 tries.")


def test_what_waits_for_longer_than_any_wait_is_due_as_a_clock_was_ahead() -> None:
    ledger = ledgers.queued(begun_before("a"), message("m"), ["a"], NOW)
    assert [len(ledger.due(NOW - wait)) for wait in (HOUR, 12 * HOUR, 13 * HOUR, 3650 * DAY)] == [0, 0, 1, 1]


def test_a_later_message_that_arrives_ends_the_note_of_its_recipient_alone() -> None:
    ledger = begun_before("a", "b")
    for recipient in ("a", "b"):
        ledger = ledgers.queued(ledger, message("m"), [recipient], NOW)
        ledger = ledgers.without_cut_off(ledgers.begun(ledger, ledger.outbox[0]), NOW)
    ledger = ledgers.queued(ledger, message("n"), ["a"], NOW)
    assert [one.recipient for one in ledgers.delivered(ledger, ledger.outbox[0]).undelivered] == ["b"]


def test_a_delivery_that_was_cut_off_is_not_repeated_and_is_noted() -> None:
    ledger = ledgers.queued(begun_before("a", "b"), message("m"), ["a", "b"], NOW)
    ledger = ledgers.without_cut_off(ledgers.begun(ledger, ledger.outbox[0]), NOW)
    assert [one.recipient for one in ledger.due(NOW)] == ["b"]
    (note,) = ledger.undelivered
    assert (note.recipient, note.reason) == ("a", "sending was cut off, so it may have arrived or not")


def test_nothing_goes_to_somebody_who_is_no_longer_named() -> None:
    ledger = ledgers.queued(begun_before("a", "b"), message("m"), ["a", "b"], NOW)
    ledger, newcomers = ledgers.addressed(ledger, ["b", "c"])
    assert [one.recipient for one in ledger.outbox] == ["b"]
    assert newcomers == ["c"]


def test_the_file_is_private_and_reads_as_it_was_written(settings: Settings) -> None:
    assert read_ledger(settings) == Ledger()
    ledger, _ = new(begun_before("a"), alert("x"), alert("y", is_standing=True))
    ledger = ledgers.queued(ledger, message("m"), ["a"], NOW)
    write_ledger(settings, ledger)
    assert read_ledger(settings) == ledger
    assert (settings.state / "notices.json").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_a_sentence(settings: Settings) -> None:
    write_ledger(settings, Ledger())
    (settings.state / "notices.json").write_text("{")
    with pytest.raises(DamagedLedger, match=r"notices\.json: is damaged.*Delete it"):
        read_ledger(settings)


KEYS = st.sampled_from(["run/1", "run/2", "viral/1", "lasting/1"])
PASSES = st.lists(st.tuples(st.frozensets(KEYS), st.sampled_from(["works", "fails", "killed", "killed later"])))


def one_pass(ledger: Ledger, current: Sequence[Alert], now: dt.datetime, outcome: str, sent: Counter[str]) -> Ledger:
    """As ``sending`` does it; returns the ledger as it was stored last, wherever the process was killed."""
    ledger, found = ledgers.noticed(ledgers.without_cut_off(ledger, now), current, now)
    for one in found:
        ledger = ledgers.queued(ledger, message(f"{one.key} at {now}"), ["a"], now)
    for delivery in ledger.due(now):
        ledger = ledgers.begun(ledger, delivery)
        if outcome == "killed":
            return ledger
        trying = next(one for one in ledger.outbox if one.message.id == delivery.message.id)
        if outcome == "fails":
            ledger = ledgers.failed(ledger, trying, "no connection", now)
            continue
        sent[delivery.message.id.partition(" at ")[0]] += 1
        if outcome == "killed later":
            return ledger
        ledger = ledgers.delivered(ledger, trying)
    return ledger


def after_all(passes: list[tuple[frozenset[str], str]], make: Callable[[str], Alert]) -> tuple[Ledger, Counter[str]]:
    ledger, sent, now = begun_before("a"), Counter[str](), NOW
    for keys, outcome in passes:
        ledger = one_pass(ledger, [make(key) for key in sorted(keys)], now, outcome, sent)
        now += HOUR
    return ledger, sent


@given(PASSES)
def test_no_event_arrives_twice_whatever_fails_and_whenever_the_process_is_killed(
    passes: list[tuple[frozenset[str], str]],
) -> None:
    _, sent = after_all(passes, alert)
    assert [key for key, times in sent.items() if times > 1] == []


@given(PASSES)
def test_every_event_arrives_or_waits_or_is_noted_as_undelivered(passes: list[tuple[frozenset[str], str]]) -> None:
    ledger, sent = after_all(passes, alert)
    waiting = {one.message.id.partition(" at ")[0] for one in ledger.outbox}
    noted = {one.subject.removeprefix("subject of ").partition(" at ")[0] for one in ledger.undelivered}
    happened = {key for keys, _ in passes for key in keys}
    if not any(outcome == "works" for _, outcome in passes):  # a message that arrives ends earlier notes
        assert happened == {*sent, *waiting, *noted}
    assert {one.tries for one in ledger.outbox} <= set(range(MOST_TRIES))
