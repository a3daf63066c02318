"""A pass over what is to be sent: new alerts are noticed, messages queued, and those that are due tried.

Belongs here: the order of the steps, and the lock under which they are taken. Does not belong here: the rules of once
and again (``ledger``). A recipient that cannot be reached is a warning and never a failure.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tiktok_assets.accounts import Roster
from tiktok_assets.notices import ledger as ledgers
from tiktok_assets.notices.alerts import Alert, FailedRun
from tiktok_assets.notices.delivery import NotDelivered, Recipient, deliver, recipients
from tiktok_assets.notices.ledger import Delivery, Ledger, Message, read_ledger, write_ledger
from tiktok_assets.notices.messages import message_of_alerts, welcome
from tiktok_assets.notices.state import current_alerts
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.state import locks_of

log = logging.getLogger(__name__)

SENDING = "the sending of messages"
NOT_SET = "TIKTOK_NOTIFY is not set: nobody gets alerts or the digest. docs/notices.md shows how."
# Seconds of one pass; a tick of a sensor has 60, and one more recipient may take 15.
_BUDGET = 30.0
_NO_TIME = "“{}” was not tried for {}: the others took too long. It is tried later, by the sensor or `process`."
Send = Callable[[Message, Recipient], None]


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a pass did."""

    alerts: int = 0
    """New ones."""
    delivered: Sequence[str] = ()
    """Subject and recipient of each message that arrived."""
    problems: Sequence[str] = ()
    """What did not work, in a sentence each."""

    def __str__(self) -> str:
        lines = [*(f"Sent {one}." for one in self.delivered), *self.problems]
        return " ".join(lines) or "Nothing is to be sent."


def send_alerts(
    lake: Lake, roster: Roster, runs: Sequence[FailedRun], now: dt.datetime, *, wait: bool = True, send: Send = deliver
) -> Sent:
    """Send the alerts that hold at ``now`` (aware) and were not sent yet, and whatever else is due.

    ``runs``: those that failed of late. Raises LockTaken without ``wait`` if another process is sending.
    """
    with locks_of(lake.settings).hold(SENDING, wait=wait, say=log.info):
        to, unusable = recipients(lake.settings)
        if not to:
            return Sent(problems=unusable)
        current = current_alerts(lake, roster, runs, now)
        known, new = ledgers.noticed(_opened(lake.settings, now), current, now)
        known, newcomers = ledgers.addressed(known, [one.name for one in to])
        known = _queued(known, current, new, newcomers, lake.settings.web_url, now)
        sent = _deliver_due(lake.settings, known, to, now, send)
        return replace(sent, alerts=len(new), problems=[*unusable, *sent.problems])


def send_message(
    settings: Settings, message: Message, now: dt.datetime, *, is_once: bool = False, send: Send = deliver
) -> Sent:
    """Send ``message`` to every recipient. ``is_once``: unless one of its id was sent before."""
    with locks_of(settings).hold(SENDING, say=log.info):
        to, unusable = recipients(settings)
        known = _opened(settings, now)
        if to and not (is_once and message.id in known.seen):
            known = ledgers.queued(known, message, [one.name for one in to], now)
            known = replace(known, seen={**known.seen, message.id: now}) if is_once else known
        sent = _deliver_due(settings, known, to, now, send)
        return replace(sent, problems=[*unusable, *sent.problems])


def has_work(settings: Settings, now: dt.datetime) -> bool:
    """Whether a message waits for its next try."""
    return bool(read_ledger(settings).due(now))


def _opened(settings: Settings, now: dt.datetime) -> Ledger:
    return ledgers.without_cut_off(read_ledger(settings), now)


def _queued(
    known: Ledger,
    current: Sequence[Alert],
    new: Sequence[Alert],
    newcomers: Sequence[str],
    web_url: str,
    now: dt.datetime,
) -> Ledger:
    """Newcomers are welcomed with what lasts and what is new; the others get what is new."""
    if newcomers:
        shown = [alert for alert in current if alert.is_standing or alert in new]
        known = ledgers.queued(known, welcome(shown, web_url, now), newcomers, now)
    if new:
        others = [one for one in known.recipients if one not in newcomers]
        known = ledgers.queued(known, message_of_alerts(new, web_url, now), others, now)
    return known


def _deliver_due(settings: Settings, known: Ledger, to: Sequence[Recipient], now: dt.datetime, send: Send) -> Sent:
    """Try what is due, noting each step in the file before the next one."""
    by_name, until = {one.name: one for one in to}, time.monotonic() + _BUDGET
    delivered, problems = [], []
    write_ledger(settings, known)
    for delivery in known.due(now):
        if (recipient := by_name.get(delivery.recipient)) is None:
            continue
        if time.monotonic() > until:
            problems.append(_NO_TIME.format(delivery.message.subject, recipient.name))
            continue
        known = ledgers.begun(known, delivery)
        write_ledger(settings, known)
        known, problem = _tried(known, delivery, recipient, now, send)
        write_ledger(settings, known)
        if problem is None:
            delivered.append(f"“{delivery.message.subject}” to {recipient.name}")
        else:
            problems.append(problem)
    for problem in problems:
        log.warning("%s", problem)
    return Sent(delivered=delivered, problems=problems)


def _tried(
    known: Ledger, delivery: Delivery, recipient: Recipient, now: dt.datetime, send: Send
) -> tuple[Ledger, str | None]:
    """The ledger after one try, and what went wrong."""
    try:
        send(delivery.message, recipient)
    except NotDelivered as error:
        trying = replace(delivery, tries=delivery.tries + 1)
        again = "It is not tried again." if trying.tries >= ledgers.MOST_TRIES else "It is tried again later."
        problem = f"“{delivery.message.subject}” did not reach {recipient.name}: {error.description}. {again}"
        return ledgers.failed(known, trying, error.description, now), problem
    return ledgers.delivered(known, delivery), None
