"""Which alerts were noticed, and which messages still have to reach whom: a small document.

Belongs here: the rules of once and again, as pure functions over a ``Ledger``, and its document. Does not belong here:
what a message says (``messages``), sending it (``delivery``), and the lock under which a ledger is read and written
(``sending``).

A delivery is noted before it begins. One that was cut off is not repeated: it may have arrived, and an alert comes
once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter

from tiktok_assets.failures import PermanentFailure
from tiktok_assets.notices.alerts import Alert
from tiktok_assets.settings import Settings
from tiktok_assets.storage.state import documents_of

_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720))
"""After each failed try, until the next one; after the one that follows the last of them, nobody tries again."""
MOST_TRIES = len(_WAITS) + 1
# An event is news for two weeks (``alerts.NEWS``); a key kept for longer costs nothing.
_KEYS_KEPT = dt.timedelta(days=90)
_NOTES_KEPT = 20
_NAME = "notices.json"
_CUT_OFF = "sending was cut off, so it may have arrived or not"


class DamagedLedger(PermanentFailure):
    """The ledger cannot be read; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """One text for people, complete: it is sent as it was first written, however late."""

    id: str
    subject: str
    text: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message on its way to one recipient."""

    message: Message
    recipient: str
    next_try: dt.datetime
    tries: int = 0
    is_under_way: bool = False


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """A message that did not reach a recipient and is not tried again."""

    recipient: str
    subject: str
    at: dt.datetime
    reason: str

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC: “{self.subject}” did not reach {self.recipient}: {self.reason}."


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What was noticed and sent so far."""

    seen: Mapping[str, dt.datetime] = field(default_factory=dict)
    """By the key of an alert, when it was noticed."""
    standing: frozenset[str] = frozenset()
    """Of these, the keys of states that last."""
    recipients: tuple[str, ...] = ()
    """Those who get alerts."""
    outbox: tuple[Delivery, ...] = ()
    undelivered: tuple[Undelivered, ...] = ()
    """The newest ones; those of a recipient are forgotten once a later message reaches it."""

    @property
    def is_new(self) -> bool:
        """Whether no alert was ever looked for."""
        return not self.recipients

    def due(self, now: dt.datetime) -> list[Delivery]:
        """The deliveries to try at ``now``, in the order of the messages.

        One that would wait for longer than any wait was noted while the clock was ahead.
        """
        return [one for one in self.outbox if not now < one.next_try <= now + _WAITS[-1]]


def noticed(ledger: Ledger, current: Sequence[Alert], now: dt.datetime) -> tuple[Ledger, list[Alert]]:
    """The alerts of ``current`` that nobody was sent yet, noted as seen.

    A state that has ended is forgotten. On the first look everything is seen and nothing is new: an installation may be
    years old.
    """
    new = [alert for alert in {alert.key: alert for alert in current}.values() if alert.key not in ledger.seen]
    ended = ledger.standing - {alert.key for alert in current}
    kept = {
        key: seen
        for key, seen in ledger.seen.items()
        if key not in ended and (key in ledger.standing or now - seen < _KEYS_KEPT)
    }
    seen = kept | {alert.key: now for alert in new}
    standing = frozenset(ledger.standing - ended | {alert.key for alert in new if alert.is_standing})
    return replace(ledger, seen=seen, standing=standing), [] if ledger.is_new else new


def addressed(ledger: Ledger, recipients: Sequence[str]) -> tuple[Ledger, list[str]]:
    """The ledger with these ``recipients``, and which of them are new. Nothing more goes to those that are gone."""
    outbox = tuple(one for one in ledger.outbox if one.recipient in recipients)
    undelivered = tuple(one for one in ledger.undelivered if one.recipient in recipients)
    fresh = [one for one in recipients if one not in ledger.recipients]
    return replace(ledger, recipients=tuple(recipients), outbox=outbox, undelivered=undelivered), fresh


def queued(ledger: Ledger, message: Message, recipients: Iterable[str], now: dt.datetime) -> Ledger:
    """The ledger with ``message`` on its way to ``recipients``; once for each, however often it is queued."""
    waiting = {(one.message.id, one.recipient) for one in ledger.outbox}
    added = tuple(
        Delivery(message=message, recipient=one, next_try=now)
        for one in dict.fromkeys(recipients)
        if (message.id, one) not in waiting
    )
    return replace(ledger, outbox=(*ledger.outbox, *added))


def begun(ledger: Ledger, delivery: Delivery) -> Ledger:
    """Noted before ``delivery`` is tried."""
    trying = replace(delivery, tries=delivery.tries + 1, is_under_way=True)
    return _with(ledger, delivery, trying)


def delivered(ledger: Ledger, delivery: Delivery) -> Ledger:
    """It arrived. Earlier messages that did not are forgotten: the way to this recipient is open again."""
    undelivered = tuple(one for one in ledger.undelivered if one.recipient != delivery.recipient)
    return replace(_with(ledger, delivery, None), undelivered=undelivered)


def failed(ledger: Ledger, delivery: Delivery, reason: str, now: dt.datetime) -> Ledger:
    """A try of ``delivery``, which was begun, failed: it is tried again later, or given up after ``MOST_TRIES``."""
    if delivery.tries >= MOST_TRIES:
        return _given_up(ledger, delivery, f"{reason}, after {MOST_TRIES} tries", now)
    later = replace(delivery, next_try=now + _WAITS[delivery.tries - 1], is_under_way=False)
    return _with(ledger, delivery, later)


def without_cut_off(ledger: Ledger, now: dt.datetime) -> Ledger:
    """Whoever was sending when the ledger was stored is gone: what was under way is given up."""
    for delivery in ledger.outbox:
        if delivery.is_under_way:
            ledger = _given_up(ledger, delivery, _CUT_OFF, now)
    return ledger


def _given_up(ledger: Ledger, delivery: Delivery, reason: str, now: dt.datetime) -> Ledger:
    note = Undelivered(recipient=delivery.recipient, subject=delivery.message.subject, at=now, reason=reason)
    return replace(_with(ledger, delivery, None), undelivered=(*ledger.undelivered, note)[-_NOTES_KEPT:])


def _with(ledger: Ledger, delivery: Delivery, changed: Delivery | None) -> Ledger:
    return replace(ledger, outbox=tuple(_replaced(ledger.outbox, delivery, changed)))


def _replaced(outbox: Collection[Delivery], delivery: Delivery, changed: Delivery | None) -> Iterator[Delivery]:
    for one in outbox:
        if (one.message.id, one.recipient) != (delivery.message.id, delivery.recipient):
            yield one
        elif changed is not None:
            yield changed


_JSON = TypeAdapter(Ledger)


def read_ledger(settings: Settings) -> Ledger:
    """The stored ledger; an empty one where there is none. Raises DamagedLedger."""
    documents = documents_of(settings)
    stored = documents.read(_NAME)
    try:
        return Ledger() if stored is None else _JSON.validate_json(stored)
    except ValueError:
        raise DamagedLedger(
            f"{documents.place(_NAME)}: is damaged, so nobody knows which alerts were sent. Delete it: "
            "what holds then is not sent again."
        ) from None


def write_ledger(settings: Settings, ledger: Ledger) -> None:
    """Store it, readable by this user alone: its messages are about the accounts."""
    documents_of(settings).write(_NAME, _JSON.dump_json(ledger, indent=2) + b"\n")
