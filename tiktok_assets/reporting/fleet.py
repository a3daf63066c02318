"""How many egresses do the accounts of an installation need, and which of them will lose data, and when?

Belongs here: the arithmetic of visits, and reading what it needs. Does not belong here: when a turn is
(``studio.turns``), what is lost first (``urgency``), printing.

An account is visited once a day where its egress has enough turns. With less, follower activity still loses nothing as
long as two visits are at most a week apart; the totals of videos, and the shares of gender and territory, are only ever
known of the day of a visit.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.curated.coverage.coverage import WEEK
from tiktok_assets.exports.windows import DAY
from tiktok_assets.reporting.urgency import last_dates
from tiktok_assets.settings import Settings
from tiktok_assets.studio.session import Sessions, SessionStatus
from tiktok_assets.studio.turns import step, visits_a_day


@dataclass(frozen=True, kw_only=True)
class EgressLoad:
    """What an egress has to do."""

    egress: str
    accounts: int
    """Those with a login."""
    visits_a_day: int | None
    """None where its visits need no pause."""
    days_between: int
    """Days between two visits of an account, rounded up."""

    @property
    def loses(self) -> bool:
        """Whether two visits of an account are so far apart that days in between are lost."""
        return self.visits_a_day is not None and self.accounts > self.visits_a_day * WEEK


@dataclass(frozen=True, kw_only=True)
class Loss:
    """An account that, though it gets its turns, first loses a day of follower activity on the date ``on``."""

    account: str
    egress: str
    on: dt.date


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """All accounts of an installation, by what their visits take."""

    egresses: Sequence[EgressLoad]
    losses: Sequence[Loss]
    """By date."""
    with_login: int
    manual: int
    """Accounts without a login, which somebody exports manually."""
    needed_daily: int
    """Egresses with which each account with a login gets a visit a day."""
    needed: int
    """Egresses with which no account loses a day of follower activity."""


def fleet(
    accounts: Sequence[Account], until: Mapping[str, dt.date], *, now: dt.datetime, spacing: float, manual: int = 0
) -> Fleet:
    """The fleet of ``accounts``, those with a login. ``until``: by account, the last date on which a visit loses
    nothing; ``spacing``: seconds between two accounts of an egress; ``now`` is aware, in UTC."""
    by_egress: dict[str, list[str]] = {}
    for account in sorted(accounts, key=lambda one: until[one.key]):
        by_egress.setdefault(account.egress, []).append(account.key)
    most = visits_a_day(spacing)
    loads = [
        EgressLoad(
            egress=egress,
            accounts=len(keys),
            visits_a_day=most,
            days_between=-(-len(keys) // most) if most else 1,
        )
        for egress, keys in by_egress.items()
    ]
    losses = [
        Loss(account=key, egress=load.egress, on=day)
        for load in loads
        for turn, key in enumerate(by_egress[load.egress])
        if (day := _first_loss(until[key], (now + turn * step(spacing)).date(), load))
    ]
    return Fleet(
        egresses=sorted(loads, key=lambda one: (-one.accounts, one.egress)),
        losses=sorted(losses, key=lambda one: (one.on, one.account)),
        with_login=len(accounts),
        manual=manual,
        needed_daily=needed(len(accounts), most, 1),
        needed=needed(len(accounts), most, WEEK),
    )


def needed(accounts: int, a_day: int | None, days: int) -> int:
    """The egresses that visit so many accounts within ``days``, with ``a_day`` visits each (None: any number)."""
    if not accounts or a_day is None:
        return min(accounts, 1)
    return -(-accounts // (a_day * days))


def look(settings: Settings, roster: Roster, now: dt.datetime) -> Fleet:
    """The fleet of an installation at ``now``, an aware moment in UTC."""
    logins = Sessions.of(settings, clock=lambda: now)
    accounts = [one for one in roster.values() if logins.state(one.key).standing is not SessionStatus.MISSING]
    until = last_dates(settings, [one.key for one in accounts], now.date())
    manual = len(roster) - len(accounts)
    return fleet(accounts, until, now=now, spacing=settings.account_spacing, manual=manual)


def _first_loss(until: dt.date, visit: dt.date, load: EgressLoad) -> dt.date | None:
    """The date on which an account first loses a day: before its next ``visit``, or else before the one after it. None
    if it loses none."""
    if visit > until:
        return until + DAY
    # A visit has the days before it; the day of the visit itself can be exported for a week.
    return visit + DAY * (WEEK + 1) if load.loses else None
