"""Days of the calendar whose year is unknown, and the order in which the rows of one file have them.

Belongs here: rows that were sorted (as text, newest first) versus rows that pass New Year. Does not belong here: which
year that is (``years``), what a label says (``dates``).

Studio writes contiguous days in ascending order: 37 of 37 files, 5,700 rows. So of all ways to place the days of a file
in the calendar the shortest is right, and rows in any other order were sorted by a person.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tiktok_assets.exports.problems import UnreadableValue


class MonthDay(NamedTuple):
    """A day of the calendar, its year unknown."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.day} {calendar.month_name[self.month]}"


LEAP_DAY = MonthDay(2, 29)
_YEAR = 366
CALENDAR = [MonthDay(day.month, day.day) for day in (dt.date(2024, 1, 1) + dt.timedelta(n) for n in range(_YEAR))]
_POSITION = {day: position for position, day in enumerate(CALENDAR)}


class ImpossibleCalendar(UnreadableValue):
    """Rows that no year explains. ``row`` counts from 0."""

    def __init__(self, row: int, day: MonthDay, reason: str) -> None:
        super().__init__(f"Row {row + 1} ({day}) fits no year: {reason}")
        self.row = row
        self.day = day
        self.why = f"fits no year: {reason}"


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def last_on_or_before(day: MonthDay, latest: dt.date) -> dt.date:
    """The last date with this month and day that is not after ``latest``."""
    year = latest.year if day <= (latest.month, latest.day) else latest.year - 1
    while day == LEAP_DAY and not is_leap(year):
        year -= 1
    return dt.date(year, day.month, day.day)


def is_contiguous(days: Sequence[MonthDay]) -> bool:
    """Each row is the same day as the row before or the day after; 1 March may follow 28 February."""
    return all(_step(before, after) <= 1 for before, after in pairwise(days))


def passes_over_leap_day(days: Sequence[MonthDay]) -> bool:
    """Whether contiguous ``days`` go from 28 February to 1 March: their year is no leap year."""
    return any(pair == ((2, 28), (3, 1)) for pair in pairwise(days))


def calendar_order(days: Sequence[MonthDay], start: MonthDay | None = None) -> list[int]:
    """The numbers of the rows in calendar order; ``range(len(days))`` if they are in that order already.

    ``start``: the first day, where it is known. Without it the days begin after the longest gap that they leave in
    the year; a file of a whole year leaves none, so its rows have to be in order, or in the reverse order. Rows that
    pass New Year on their way were not sorted, wherever the longest gap is: a sorted file begins with January.

    Raises ``ImpossibleCalendar`` for rows that are out of order and not contiguous once they are sorted.
    """
    as_written = [*range(len(days))]
    if start is None:
        for order in (as_written, as_written[::-1]):
            if is_contiguous(ordered := [days[row] for row in order]) or _passes_new_year_in_order(ordered):
                return order
    distinct = sorted({_POSITION[day] for day in days})
    gaps = [_gap(last, first) for last, first in zip([distinct[-1], *distinct[:-1]], distinct, strict=True)]
    widest = max(gaps)
    starts = [first for first, gap in zip(distinct, gaps, strict=True) if gap == widest]
    if start is not None:
        starts = [_POSITION[start]]
    elif widest == 1:
        raise ImpossibleCalendar(
            *_first_out_of_order(days),
            "the rows contain every day of a year and are not in order, so any day can be the first.",
        )
    orders = [_ascending(days, first) for first in starts]
    if as_written in orders:
        return as_written
    if start is None and sum(gap > 1 for gap in gaps) > 1:
        raise ImpossibleCalendar(
            *_first_out_of_order(days),
            "the rows are not in the order of the calendar, and leave out days once they are sorted.",
        )
    return orders[0]


def _passes_new_year_in_order(days: Sequence[MonthDay]) -> bool:
    """Whether the rows ascend, but for one New Year, and leave out fewer days than a tenth of their number."""
    if sum(after < before for before, after in pairwise(days)) != 1:
        return False
    return sum(max(_step(before, after) - 1, 0) for before, after in pairwise(days)) < len(days) / 10


def _ascending(days: Sequence[MonthDay], first: int) -> list[int]:
    """The rows in calendar order from the day at position ``first`` on; rows of one day keep their order."""
    return sorted(range(len(days)), key=lambda row: (_POSITION[days[row]] - first) % _YEAR)


def _step(before: MonthDay, after: MonthDay) -> int:
    return _gap(_POSITION[before], _POSITION[after])


def _gap(before: int, after: int) -> int:
    """How many days on ``after`` is, 0 to 366; 29 February does not count, for three years of four have none."""
    gap = (after - before) % _YEAR
    leap = _POSITION[LEAP_DAY]
    return gap - any(before < day < before + gap for day in (leap, leap + _YEAR))


def _first_out_of_order(days: Sequence[MonthDay]) -> tuple[int, MonthDay]:
    row = next(row for row in range(1, len(days)) if _step(days[row - 1], days[row]) > 1)
    return row, days[row]
