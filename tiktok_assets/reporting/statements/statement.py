"""What a statement is: its numbers as they were believed, and what differs from those believed later. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

COUNTED = ("video_views", "likes", "comments", "shares", "unique_viewers", "profile_views", "followers")
"""The columns of a day that a statement holds, by their names in ``social_media_stats``."""
_LONGEST = 60  # signs of a client's name in that of a file


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Figure(_Frozen):
    """A number of the month and of as many days before, as ``reporting.facts.Headline``."""

    name: str
    kind: Literal["sum", "mean", "rate", "stock"]
    value: float | None
    before: float | None
    change: float | None
    days: int
    days_known: int
    at: dt.date | None


class Day(_Frozen):
    """The counts of one day; None is unknown."""

    date: dt.date
    video_views: int | None
    likes: int | None
    comments: int | None
    shares: int | None
    unique_viewers: int | None
    profile_views: int | None
    followers: int | None
    is_settled: bool | None


class Post(_Frozen):
    """A video published in the month."""

    video_id: str
    title: str | None
    link: str | None
    views: int
    """Lifetime views on the day ``counted``."""
    counted: dt.date


class MonthNumbers(_Frozen):
    """A month of an account."""

    figures: Sequence[Figure]
    days: Sequence[Day]
    """Those of the month that have a row."""
    posts: Sequence[Post]
    exports: Sequence[str]
    """The sha256 of each export that the days come from."""

    @property
    def days_known(self) -> int:
        """Days with known views."""
        return sum(day.video_views is not None for day in self.days)

    @property
    def provisional(self) -> list[dt.date]:
        """Days with views that TikTok may still change."""
        return [day.date for day in self.days if day.video_views is not None and not day.is_settled]


_NOTHING = MonthNumbers(figures=[], days=[], posts=[], exports=[])


class AccountMonth(_Frozen):
    """A month of an account in a statement."""

    account: str
    handle: str
    numbers: MonthNumbers


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A number that a later statement gives otherwise. None is unknown."""

    account: str
    name: str
    """Of the figure, or of the column of a day."""
    date: dt.date | None
    """None: a figure of the month."""
    was: float | None
    now: float | None


class Statement(_Frozen):
    """One statement, as kept beside its pages."""

    number: int
    """1 is the first of its account or client, and month."""
    client: str | None = None
    """Whose accounts it is of; None: it is of one account."""
    accounts: Sequence[AccountMonth]
    month: dt.date
    """Its first day."""
    issued_at: dt.datetime
    html_sha256: str = ""
    pdf_sha256: str = ""

    @model_validator(mode="before")
    @classmethod
    def _of_one_account(cls, record: Any) -> Any:
        """A record of a version whose statements were of one account each; it lies there as it was issued."""
        if isinstance(record, dict) and "numbers" in record:
            account = {name: record[name] for name in AccountMonth.model_fields if name in record}
            return {name: value for name, value in record.items() if name not in account} | {"accounts": [account]}
        return record

    @property
    def folder(self) -> str:
        return folder_of_account(self.accounts[0].account) if self.client is None else folder_of_client(self.client)

    @property
    def name(self) -> str:
        """What it is called by: account or client, month, number."""
        return f"{name_in(self.folder)}-{self.month:%Y-%m}-{self.number}"


def folder_of_account(key: str) -> str:
    """Where an account's statements lie, below those of all."""
    return f"account={key}"


def folder_of_client(client: str) -> str:
    """Where a client's statements lie. Case does not matter, as in the commands; two other names never share one."""
    name = client.strip().casefold()
    slug = "-".join(re.findall(r"[a-z0-9]+", name))
    if slug.replace("-", " ") != name or len(slug) > _LONGEST:
        slug = f"{slug[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}".removeprefix("-")
    return f"client={slug}"


def name_in(folder: str) -> str:
    """What the name of each statement in ``folder`` begins with."""
    kind, _, name = folder.partition("=")
    return name if kind == "account" else f"{kind}-{name}"


def corrections(before: Sequence[AccountMonth], after: Sequence[AccountMonth]) -> list[Correction]:
    """What ``after`` gives otherwise than ``before``: of each account the figures of the month, then day by day.

    An account that only one of them has is unknown in the other.
    """
    was, now = ({one.account: one.numbers for one in accounts} for accounts in (before, after))
    found = []
    for account in {**now, **was}:
        old, new = (numbers.get(account, _NOTHING) for numbers in (was, now))
        found += [*_of_figures(account, old, new), *_of_days(account, old, new)]
    return found


def _of_figures(account: str, before: MonthNumbers, after: MonthNumbers) -> Iterator[Correction]:
    was, now = ({one.name: one.value for one in numbers.figures} for numbers in (before, after))
    for name in {**now, **was}:
        if was.get(name) != now.get(name):
            yield Correction(account=account, name=name, date=None, was=was.get(name), now=now.get(name))


def _of_days(account: str, before: MonthNumbers, after: MonthNumbers) -> Iterator[Correction]:
    was = {day.date: day for day in before.days}
    now = {day.date: day for day in after.days}
    for date in sorted({*was, *now}):
        for column in COUNTED:
            old, new = (getattr(days[date], column) if date in days else None for days in (was, now))
            if old != new:
                yield Correction(account=account, name=column, date=date, was=old, now=new)
