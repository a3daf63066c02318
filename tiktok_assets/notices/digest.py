"""The digest: what a week was, for each account and in all.

Belongs here: choosing the facts of a week. Does not belong here: their formulas (``reporting.facts``), their wording
(``messages``). None is unknown, never 0.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.reporting import facts, sums
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.best_post import Post, best_of_last_week
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.roster_line import RosterLine, roster_line
from tiktok_assets.reporting.sums import Sum

_NAME = re.compile(r"(\d{4})-W(\d{2})")
DAYS = 7


@dataclass(frozen=True, order=True)
class Week:
    """A week of ISO 8601: from Monday to Sunday, in UTC as all days."""

    monday: dt.date

    @classmethod
    def named(cls, name: str) -> Week:
        """``2026-W48``. Raises ValueError for anything else, and for a week that does not exist."""
        if (match := _NAME.fullmatch(name)) is None:
            raise ValueError(f"{name!r} is no week: write it as 2026-W48.")
        try:
            return cls(dt.date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError as error:
            raise ValueError(f"{name}: {match[1]} has no such week.") from error

    @classmethod
    def last_before(cls, now: dt.datetime) -> Week:
        """The newest week that has ended at ``now`` (aware), whether or not its numbers are there yet."""
        today = now.astimezone(dt.UTC).date()
        return cls(today - dt.timedelta(days=today.weekday() + DAYS))

    @property
    def sunday(self) -> dt.date:
        return self.monday + dt.timedelta(days=DAYS - 1)

    def __str__(self) -> str:
        year, number, _ = self.monday.isocalendar()
        return f"{year}-W{number:02}"


@dataclass(frozen=True, kw_only=True)
class AccountWeek:
    """The week of an account."""

    key: str
    handle: str
    numbers: Mapping[str, Headline]
    """By name, against the week before."""
    best: Post | None
    """Of the 7 days up to the newest day of the week that is known of videos; None if none is."""
    viral: Sequence[Mapping[str, Any]]
    """The videos found viral in the week: rows of ``ViralVideos``."""
    unusual: Sequence[tuple[dt.date, str]]
    """The days of the week that are wrong or unusual, and how."""
    line: RosterLine
    """The account on the front page, as it is at the moment."""

    @property
    def views(self) -> Headline:
        return self.numbers["Video views"]


@dataclass(frozen=True, kw_only=True)
class Digest:
    """A week of all accounts, most views first."""

    week: Week
    accounts: Sequence[AccountWeek]
    is_newest: bool
    """Whether no later week has ended: only then what needs attention now belongs to it."""

    def total(self, name: str) -> Sum:
        """A number over the accounts that know every day of the week."""
        return sums.total(one.numbers[name] for one in self.accounts)


def digest(accounts: Iterable[AccountTables], week: Week, now: dt.datetime) -> Digest:
    """The digest of ``week``. ``accounts`` may be read while they are asked for; ``now`` is aware."""
    found = [_account_week(tables, week, now) for tables in accounts]
    found.sort(key=lambda one: (-(one.views.value if one.views.value is not None else -1), one.handle.casefold()))
    return Digest(week=week, accounts=found, is_newest=week >= Week.last_before(now))


def _account_week(tables: AccountTables, week: Week, now: dt.datetime) -> AccountWeek:
    of_week = pl.col("date").is_between(week.monday, week.sunday)
    best = best_of_last_week(tables.videos, tables.video_days, week.sunday)
    return AccountWeek(
        key=tables.account.key,
        handle=tables.account.handle,
        numbers={one.name: one for one in facts.headlines(tables.days, week.sunday, DAYS)},
        best=best if best and best.period.last >= week.monday else None,
        viral=tables.viral.filter(of_week).to_dicts(),
        unusual=tables.anomalies.filter(of_week).sort("date").select("date", "sentence").rows(),
        line=roster_line(tables, last_day_with_data(now)),
    )
