"""Which exports to ask Studio for: a range of days cut into as few windows as the limit allows. Pure.

Belongs here: days. Does not belong here: when the next export may be made (``limits``), and how (``resource``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

DAY = dt.timedelta(days=1)
# Data for day D appears between about 12:00 and 17:00 UTC of D+1, and was never observed to change afterwards.
MAY_BE_THERE = dt.timedelta(days=1, hours=12)
SURELY_THERE = dt.timedelta(days=1, hours=17)


class NoDays(ValueError):
    """The range contains no day: its end is before its beginning."""


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """The days of one export, both ends included."""

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise NoDays(f"{self.first} to {self.last} contains no day. Give the earlier day first.")

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def days(self) -> list[dt.date]:
        """Every day of it."""
        return [self.first + DAY * number for number in range(len(self))]


@dataclass(frozen=True, kw_only=True)
class LandedWindow:
    """A window that is in landing, and when it was requested (aware)."""

    window: Window
    asked_at: dt.datetime


def last_day_with_data(now: dt.datetime) -> dt.date:
    """The last UTC day whose data is surely available, which is the last one requested."""
    return (_utc(now) - SURELY_THERE).date()


def is_certain(now: dt.datetime) -> bool:
    """Whether that is the last day Studio has. From 12:00 to 17:00 UTC it may have one more."""
    return (_utc(now) - MAY_BE_THERE).date() == last_day_with_data(now)


def final_days(landed: Iterable[LandedWindow]) -> frozenset[dt.date]:
    """The days that were exported when their data was surely available. A second export would contain the same."""
    final: set[dt.date] = set()
    for one in landed:
        last = (_utc(one.asked_at) - SURELY_THERE).date()
        final.update(day for day in one.window.days() if day <= last)
    return frozenset(final)


def windows(
    first: dt.date,
    last: dt.date,
    *,
    now: dt.datetime,
    max_days: int,
    final: Collection[dt.date] = frozenset(),
    refresh: bool = False,
) -> list[Window]:
    """The fewest windows of at most ``max_days`` that contain every day from ``first`` to ``last`` worth requesting.

    Newest first, since those days matter most. No window begins or ends with a final day (unless ``refresh``), none
    includes a day that has no data yet. Empty if there is nothing to request. Raises NoDays.
    """
    if max_days < 1:
        raise ValueError(f"max_days is {max_days}; an export spans 1 day or more")
    asked = Window(first=first, last=last)
    newest = last_day_with_data(now)
    known: Collection[dt.date] = frozenset[dt.date]() if refresh else final
    missing = [day for day in asked.days() if day <= newest and day not in known]
    cut: list[Window] = []
    while missing:
        end = missing[-1]
        begin = next(day for day in missing if day > end - DAY * max_days)
        cut.append(Window(first=begin, last=end))
        missing = [day for day in missing if day < begin]
    return cut


def visits(of_sections: Mapping[str, list[Window]]) -> list[dict[str, Window]]:
    """One entry per visit: a window of each section that still has one. A visit exports each section once."""
    rounds = max((len(cut) for cut in of_sections.values()), default=0)
    return [{section: cut[turn] for section, cut in of_sections.items() if turn < len(cut)} for turn in range(rounds)]


def _utc(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no timezone; give it in UTC")
    return moment.astimezone(dt.UTC)
