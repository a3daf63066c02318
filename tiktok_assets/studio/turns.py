"""Turns: when an egress makes its visits of a day, how many, and for which accounts. Pure.

Belongs here: times and counts. Does not belong here: which account loses data first (``reporting.urgency``), runs
(``schedules``), and the ledger that keeps the pause whoever visits (``limits``).

A day of visits begins at 17:10 UTC, when the numbers of the day before are available, and ends where the next begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

_BEGIN = dt.timedelta(hours=17, minutes=10)
_DAY, _MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


def step(spacing: float) -> dt.timedelta:
    """The time between two turns of an egress: ``spacing`` seconds, in whole minutes."""
    return _MINUTE * -(-dt.timedelta(seconds=spacing) // _MINUTE)


def visits_a_day(spacing: float) -> int | None:
    """How many turns an egress has in a day; None for as many as there are accounts, where none has to wait."""
    return _DAY // step(spacing) if step(spacing) else None


def day_of(now: dt.datetime) -> dt.date:
    """The day of visits that ``now`` (UTC) belongs to: the date on which it began."""
    return (now - _BEGIN).date()


def begin_of(day: dt.date) -> dt.datetime:
    """When that day of visits begins."""
    return dt.datetime.combine(day, dt.time(), dt.UTC) + _BEGIN


def moments(accounts: int, spacing: float) -> list[dt.timedelta]:
    """The times after midnight UTC of the turns of an egress with so many ``accounts``, in the order of a day."""
    number = min(accounts, visits_a_day(spacing) or 1)
    return [(_BEGIN + turn * step(spacing)) % _DAY for turn in range(number)]


def due(accounts: Sequence[str], done: Collection[str], now: dt.datetime, spacing: float) -> list[str]:
    """Those of the ``accounts`` of an egress whose turn it is at ``now``, first those that come first.

    ``done``: the accounts that have had their turn, or a visit, in this day of visits. Turns that were missed, because
    the computer slept, are made up for.
    """
    begun = len(accounts) if not step(spacing) else (now - begin_of(day_of(now))) // step(spacing) + 1
    waiting = [account for account in accounts if account not in done]
    return waiting[: max(0, begun - (len(accounts) - len(waiting)))]


def crowded(egress: str, accounts: int, spacing: float) -> str | None:
    """That an egress has more accounts than turns in a day, as a sentence; None if it has not."""
    most = visits_a_day(spacing)
    if most is None or accounts <= most:
        return None
    return (
        f"The egress {egress} makes {most:,} visits a day (TIKTOK_ACCOUNT_SPACING={spacing:g}) for {accounts:,} "
        f"accounts with a login: each gets one every {-(-accounts // most):,} days, first those that lose data first. "
        "`tiktok-assets status --fleet` says what is lost, and how many egresses it takes."
    )
