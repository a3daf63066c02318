"""What is known about the account's clock, and what a file's last label and download time say about its shift.

Data of a UTC day is never available before that day has ended, and was never found before noon of the next. Both only
say how far labels run ahead *at least*: a person may pick a window that ends early, and one of four measured visits
ended a day earlier than its hour suggested. So this never proves a file unmoved, or behind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tiktok_assets.exports.labels.files import DailyFile

NOON = 12
"""UTC hour before which no export contained the day before: data appears between about 12:00 and 17:00."""

WIDEST = (-12.0, 14.0)
"""The range of UTC offsets on Earth, in hours."""

_DATE_LINE = (12, 14)
"""Hours of the tail that may mean either side of the date line: 13 is UTC+13 in Auckland, or UTC-11 in Pago Pago."""

_DATES_OF_A_HABIT = 3
"""Dates that Activity must have before zeros at the end count as a tail: on the others those hours are not zero."""


@dataclass(frozen=True)
class LocalDate:
    """The local date of the account at a download, from the column ``Time`` of Content.csv."""

    downloaded_at: dt.datetime
    date: dt.date


@dataclass(frozen=True)
class Bound:
    """A file's labels run at least ``shift`` days ahead. ``is_certain``: it follows from the calendar alone."""

    shift: int
    is_certain: bool
    says: str


def bounds(file: DailyFile) -> Iterator[Bound]:
    """How far the last label forces the file's labels to be ahead: by the end of that day, and by noon of the next."""
    last = last_utc_day(file)
    if last is None or not file.is_stamped:
        return
    moment = file.downloaded_at.astimezone(dt.UTC)
    ended = moment.date().toordinal() - 1
    facts = f"its labels end on {dt.date.fromordinal(last)}, it was downloaded {moment:%Y-%m-%d %H:%M} UTC"
    yield Bound(last - ended, True, f"{facts}: a day is never available before it has ended")
    if moment.hour < NOON:
        yield Bound(last - ended + 1, False, f"{facts}: no day was ever available before noon of the next")


def last_utc_day(file: DailyFile) -> int | None:
    """The last UTC day, by the file's labels, with numbers (an ordinal). Never later than the real one.

    Activity counts local hours up to 00:00 UTC. Where the hour of that midnight is not clear, the least is taken.
    """
    if file.report != "follower_activity":
        return file.last_counted
    label = max((label for label, counts in file.hours.items() if any(counts.values())), default=None)
    if label is None:
        return None
    begins = [hour for hour, count in file.hours[label].items() if count]
    tail = zero_tail(file)
    if tail is not None:
        return label - 1 if tail <= _DATE_LINE[1] else label
    return label - 1 if max(begins) < _DATE_LINE[1] else label


def zero_tail(file: DailyFile) -> int | None:
    """The first hour of the zeros that fill up the last date; None if they may be hours without followers."""
    dates = sorted(file.hours) if file.report == "follower_activity" else []
    if len(dates) < _DATES_OF_A_HABIT:
        return None
    last = file.hours[dates[-1]]
    begin = max((hour + 1 for hour, count in last.items() if count), default=0)
    before = [file.hours[label].get(hour) for label in dates[:-1] for hour in range(begin, 24)]
    return begin if 0 < begin < 24 and all(before) else None


def utc_offset(files: Iterable[DailyFile], local_dates: Iterable[LocalDate]) -> tuple[float, float]:
    """The range of the account's UTC offset, in hours; ``WIDEST`` if nothing is known.

    The tail begins with the first whole hour after 00:00 UTC: 2 is an offset above 1 and up to 2. From 12 to 14 it may
    be either side of the date line.
    """
    tails = [tail for file in files if (tail := zero_tail(file)) is not None]
    if any(_DATE_LINE[0] <= tail <= _DATE_LINE[1] for tail in tails):
        return WIDEST
    ranges = [(tail - 1.0, float(tail)) if tail < _DATE_LINE[0] else (tail - 25.0, tail - 24.0) for tail in tails]
    if ranges:
        return min(low for low, _ in ranges), max(high for _, high in ranges)
    low, high = WIDEST
    for local in local_dates:
        moment = local.downloaded_at.astimezone(dt.UTC)
        midnight = (dt.datetime.combine(local.date, dt.time(), dt.UTC) - moment) / dt.timedelta(hours=1)
        low, high = max(low, midnight), min(high, midnight + 24)
    return (low, high) if low < high else WIDEST


def local_day_ahead(file: DailyFile, offset: tuple[float, float]) -> int | None:
    """By how many days the account's date was ahead of the UTC date at the download; None if that is not known."""
    if not file.is_stamped or offset == WIDEST:
        return None
    moment = file.downloaded_at.astimezone(dt.UTC)
    ahead = {((moment + dt.timedelta(hours=hours)).date() - moment.date()).days for hours in offset}
    return ahead.pop() if len(ahead) == 1 else None
