"""What a statement is: its numbers as they were believed, and what differs from those believed later. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

COUNTED = ("video_views", "likes", "comments", "shares", "unique_viewers", "profile_views", "followers")
"""The columns of a day that a statement holds, by their names in ``social_media_stats``."""


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


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A number that a later statement gives otherwise. None is unknown."""

    name: str
    """Of the figure, or of the column of a day."""
    date: dt.date | None
    """None: a figure of the month."""
    was: float | None
    now: float | None


class Statement(_Frozen):
    """One statement, as kept beside its pages."""

    number: int
    """1 is the first of its account and month."""
    account: str
    handle: str
    month: dt.date
    """Its first day."""
    issued_at: dt.datetime
    numbers: MonthNumbers
    html_sha256: str = ""
    pdf_sha256: str = ""

    @property
    def name(self) -> str:
        """What it is called by: account, month, number."""
        return f"{self.account}-{self.month:%Y-%m}-{self.number}"


def corrections(before: MonthNumbers, after: MonthNumbers) -> list[Correction]:
    """What ``after`` gives otherwise than ``before``: figures of the month first, then day by day."""
    return [*_of_figures(before, after), *_of_days(before, after)]


def _of_figures(before: MonthNumbers, after: MonthNumbers) -> Iterator[Correction]:
    was = {one.name: one.value for one in before.figures}
    for one in after.figures:
        if was.get(one.name) != one.value:
            yield Correction(name=one.name, date=None, was=was.get(one.name), now=one.value)


def _of_days(before: MonthNumbers, after: MonthNumbers) -> Iterator[Correction]:
    was = {day.date: day for day in before.days}
    now = {day.date: day for day in after.days}
    for date in sorted({*was, *now}):
        for column in COUNTED:
            old, new = (getattr(days[date], column) if date in days else None for days in (was, now))
            if old != new:
                yield Correction(name=column, date=date, was=old, now=new)
