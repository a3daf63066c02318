"""Dates written in numbers alone: with the year in front, or day and month in either order, with a year or without.

Belongs here: which of the readings of "4/10" the other rows prove, and the years of other calendars. Does not belong
here: dates with a month's name (``dates``), the year of a date without one (``years``).

Studio writes no such dates. Business Suite writes ``YYYY/MM/DD``; all other forms come from spreadsheet programs.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tiktok_assets.exports.monthdays import CALENDAR, ImpossibleCalendar, MonthDay, calendar_order, is_contiguous

_TIME = r"(?:[ t]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?(?:z|[+-]\d{2}:?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_TIME}")
_PAIR = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})(?:\2(\d{{4}}|\d{{2}})|\.)?{_TIME}")
_BUDDHIST_AHEAD = 543
_BUDDHIST = range(2400, 2700)
# Persian years run 621 behind, Islamic ones about 579: 1405 and 1447 are 2026. No file of ours is from before 2016.
_OTHER_CALENDARS = range(1300, 1600)

DAY_OR_MONTH = "day and month are ambiguous. Write the dates as YYYY-MM-DD, or use the original file."
OTHER_CALENDAR = (
    "the year is of another calendar (Persian or Islamic). Set the spreadsheet to Gregorian dates, write them as "
    "YYYY-MM-DD, or use the original file."
)


@dataclass(frozen=True)
class Dates:
    """``days`` row by row, and their ``years`` where the texts carry them."""

    days: list[MonthDay]
    years: list[int] | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unread:
    """The first ``row`` (from 0) that contradicts a reading, and why."""

    row: int
    reason: str


def starts_with_year(key: str) -> bool:
    return _YEAR_FIRST.fullmatch(key) is not None


def is_pair(key: str) -> bool:
    """Whether the text is two numbers that can be a day and a month, with a year after them or without."""
    return _PAIR.fullmatch(key) is not None


def gregorian(year: int) -> int:
    """The year of our calendar: Buddhist years, as a Thai spreadsheet writes them, have the same months and days."""
    return year - _BUDDHIST_AHEAD if year in _BUDDHIST else year


def buddhist_note(years: Iterable[int]) -> tuple[str, ...]:
    """A note about dates with these years as written."""
    if any(year in _BUDDHIST for year in years):
        return ("The years of its dates are Buddhist (2569 is 2026): it was saved again by a spreadsheet program.",)
    return ()


def is_of_other_calendar(year: int) -> bool:
    return year in _OTHER_CALENDARS


def date_with_year(key: str) -> dt.date | None:
    """The day of "2026-04-12", "2026/4/12" or "2026-04-12 00:00:00"; None for other texts and impossible days."""
    match = _YEAR_FIRST.fullmatch(key)
    return _date(gregorian(int(match[1])), int(match[3]), int(match[4])) if match else None


def read_with_years(keys: Sequence[str]) -> Dates | Unread:
    """Texts with the year in front."""
    found: list[dt.date] = []
    for row, key in enumerate(keys):
        match = _YEAR_FIRST.fullmatch(key)
        if match and is_of_other_calendar(int(match[1])):
            return Unread(row, OTHER_CALENDAR)
        date = date_with_year(key)
        if date is None:
            return Unread(row, "not a day of the calendar, while other rows are year, month, day.")
        found.append(date)
    return replace(_dates(found), notes=buddhist_note(int(key[:4]) for key in keys))


def read_pairs(keys: Sequence[str]) -> Dates | Unread:
    """Texts of day and month in an unstated order: the one in which the rows are valid and contiguous days."""
    matches = [_PAIR.fullmatch(key) for key in keys]
    for row, match in enumerate(matches):
        if match is None or (match[4] is None) != (matches[0] is not None and matches[0][4] is None):
            return Unread(row, "the other rows are dates in numbers, this one is another text.")
    cells = [(int(match[1]), int(match[3]), _full_year(match[4])) for match in matches if match]
    for row, (_, _, year) in enumerate(cells):
        if year is not None and is_of_other_calendar(year):
            return Unread(row, OTHER_CALENDAR)
    day_first = _reading((day, month, year) for day, month, year in cells)
    month_first = _reading((day, month, year) for month, day, year in cells)
    readings = [one for one in (day_first, month_first) if one is not None]
    if not readings:
        return Unread(0, "no order of day and month makes every row a day of the calendar.")
    if len(readings) == 2 and day_first != month_first:
        readings = [one for one in readings if _is_one_run(one)]
        if len(readings) != 1:
            return Unread(0, DAY_OR_MONTH)
    order = "month first" if readings[0] == month_first else "day first"
    notes = () if day_first == month_first else (f"Its dates are numbers, read with the {order}, as its rows prove.",)
    return replace(readings[0], notes=notes + buddhist_note(year for _, _, year in cells if year))


def _full_year(text: str | None) -> int | None:
    if text is None:
        return None
    return 2000 + int(text) if len(text) == 2 else int(text)


def _reading(cells: Iterable[tuple[int, int, int | None]]) -> Dates | None:
    """``cells`` (day, month, year) as days; None if one of them is not a day of the calendar."""
    rows = [*cells]
    if rows[0][2] is None:
        days = [MonthDay(month, day) for day, month, _ in rows]
        return Dates(days, None) if set(days) <= _ALL_DAYS else None
    dates = [_date(gregorian(year or 0), month, day) for day, month, year in rows]
    return None if None in dates else _dates([date for date in dates if date is not None])


_ALL_DAYS = frozenset(CALENDAR)


def _is_one_run(read: Dates) -> bool:
    """Whether the days are contiguous, in the file's order or once they are sorted."""
    if read.years is not None:
        dates = sorted({dt.date(year, *day) for year, day in zip(read.years, read.days, strict=True)})
        return all((after - before).days == 1 for before, after in pairwise(dates))
    try:
        order = calendar_order(read.days)
    except ImpossibleCalendar:
        return False
    return is_contiguous([read.days[row] for row in order])


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _dates(found: Sequence[dt.date]) -> Dates:
    return Dates([MonthDay(date.month, date.day) for date in found], [date.year for date in found])
