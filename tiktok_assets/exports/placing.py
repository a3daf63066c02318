"""Places days without a year in the calendar, the last of them as late as a given day allows.

Belongs here: leap years and New Year. Does not belong here: which day that is (``years``), rows that are out of order
(``monthdays``).
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Sequence
from itertools import pairwise

from tiktok_assets.exports.evidence import ONE_DAY
from tiktok_assets.exports.monthdays import (
    LEAP_DAY,
    ImpossibleCalendar,
    MonthDay,
    is_contiguous,
    is_leap,
    passes_over_leap_day,
)

# First and last row of the longest window, 366 days, are 365 days apart.
_LONGEST_SPAN = dt.timedelta(days=365)
# 29 February can be eight years away (1896 to 1904, 2096 to 2104).
_YEARS_TRIED = 9


def first_on_or_after(day: MonthDay, earliest: dt.date) -> dt.date:
    """The first date with this month and day that is not before ``earliest``."""
    year = earliest.year if day >= (earliest.month, earliest.day) else earliest.year + 1
    while day == LEAP_DAY and not is_leap(year):
        year += 1
    return dt.date(year, day.month, day.day)


def walk_back(days: Sequence[MonthDay], latest: dt.date) -> list[dt.date]:
    """The dates of ascending rows, with any repeats and gaps, the last one as late as ``latest`` allows.

    From the last row backwards, each row is the latest such day not after the row that follows. Where that makes an
    impossible 29 February, or more than 366 days, the whole is tried a year earlier: ``latest`` is an upper bound only.
    """
    if not days:
        return []
    wraps = _rows_before_new_year(days)
    leap_lags = {int(row < wraps) for row, day in enumerate(days) if day == LEAP_DAY} if LEAP_DAY in days else ()
    last_year = latest.year if days[-1] <= (latest.month, latest.day) else latest.year - 1
    for year in range(last_year, last_year - _YEARS_TRIED, -1):
        if all(is_leap(year - lag) for lag in leap_lags):
            dates = [dt.date(year - 1, month, day) for month, day in days[:wraps]]
            dates += [dt.date(year, month, day) for month, day in days[wraps:]]
            if dates[-1] - dates[0] <= _LONGEST_SPAN:
                return dates
    if leap_lags:
        raise ImpossibleCalendar(days.index(LEAP_DAY), LEAP_DAY, "the rows around it leave no leap year for it.")
    raise ImpossibleCalendar(0, days[0], f"it would lie over 366 days before the last row ({days[-1]}).")


def _rows_before_new_year(days: Sequence[MonthDay]) -> int:
    """How many rows are in the year before the last row's. Rows ascend, so they pass New Year at most once."""
    wraps = 0
    following = days[-1]
    for row in range(len(days) - 1, -1, -1):
        day = days[row]
        if day > following:
            if wraps:
                raise ImpossibleCalendar(
                    row, day, "rows ascend, but this one is later in the year than the next, for a second time."
                )
            wraps = row + 1
        following = day
    return wraps


def latest_dates(days: Sequence[MonthDay], latest: dt.date) -> list[dt.date]:
    """As ``walk_back``; contiguous days that leave out 29 February lie in a year that has none."""
    dates = walk_back(days, latest)
    if is_contiguous(days) and passes_over_leap_day(days):
        while not have_no_gap(dates):
            dates = walk_back(days, dates[-1] - ONE_DAY)
    return dates


def dates_within(days: Sequence[MonthDay], first: dt.date, last: dt.date) -> list[dt.date] | None:
    """The dates of ascending rows inside a window of a year at most, a day outside where nothing else fits.

    None where they do not fit into it.
    """
    for slack in (dt.timedelta(), ONE_DAY):
        try:
            dates = walk_back(days, last + slack)
        except ImpossibleCalendar:  # out of order
            return None
        if dates and dates[0] >= first - slack:
            return dates
    return None


def have_no_gap(dates: Sequence[dt.date]) -> bool:
    """Whether each of the dates, which ascend, is at most a day after the one before."""
    return all(after - before <= ONE_DAY for before, after in pairwise(dates))


def typical_step(dates: Sequence[dt.date]) -> int:
    """The median of days from one date to the next, whatever their order; 0 with less than two different ones."""
    steps = [(after - before).days for before, after in pairwise(sorted(set(dates)))]
    return statistics.median_low(steps) if steps else 0
