"""The day of each row of a table of streams, as its date text says; texts of months or without a year are refused."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from tiktok_assets.exports.dates import UnreadableDay, read_day_texts
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.streams.columns import NotDaily

_ISO = "Write the dates as YYYY-MM-DD"
_MONTH = re.compile(r"\d{4}[-/.]?\d{1,2}|\d{1,2}[-/.]\d{4}|[^\W\d]+\.?[ -]\d{4}")
_WEEK = dt.timedelta(days=7)


def days_of(name: str, texts: Sequence[str | None]) -> list[dt.date]:
    """The day of each row of the table ``name``. Raises UnreadableValue with the row, or NotDaily.

    Day and month in numbers are read in the order in which the days of the table are contiguous, or refused.
    """
    cells = [(text or "").strip() for text in texts]
    rows = {cell: row for row, cell in reversed(list(enumerate(cells)))}
    distinct = sorted(rows, key=lambda cell: rows[cell])
    for cell in distinct:
        if not cell:
            raise UnreadableValue(f"{name}, row {rows[cell] + 1}: has no date. {_ISO}, or delete the row.")
        if _MONTH.fullmatch(cell):
            raise NotDaily(
                f"{name}, row {rows[cell] + 1}: {cell!r} is a month, and song_streams has days. Use a report by day; "
                "figures of a month are not divided among its days."
            )
    try:
        read = read_day_texts(distinct)
    except UnreadableDay as problem:
        row = rows[problem.text] + 1
        why = problem.why.rstrip(".")
        remedy = "" if "YYYY-MM-DD" in why else f" {_ISO}."
        raise UnreadableValue(f"{name}, row {row}: the date {problem.text!r} {why}.{remedy}") from problem
    if read.years is None and distinct:
        raise UnreadableValue(f"{name}, row 1: the date {distinct[0]!r} has no year. {_ISO}.")
    dates = [dt.date(year, *day) for year, day in zip(read.years or (), read.days, strict=True)]
    _require_days(name, sorted(set(dates)))
    by_cell = dict(zip(distinct, dates, strict=True))
    return [by_cell[cell] for cell in cells]


def refuse_firsts_of_months(name: str, dates: Collection[dt.date], recordings: int) -> None:
    """Raise NotDaily where the file ``name`` may be of months, each dated by its first day.

    ``dates``: the distinct ones of all its tables. A single recording on a single day is read.
    """
    if any(date.day != 1 for date in dates) or (len(dates) == 1 and recordings == 1):
        return
    raise NotDaily(
        f"{name}: its days are all first days of months ({', '.join(map(str, sorted(dates)[:3]))}), as in a report by "
        "month, and song_streams has days. Use a report by day; if this is one, put the rows of the day before or "
        "after into the same file."
    )


def _require_days(name: str, dates: Sequence[dt.date]) -> None:
    """Refuse first or last days of months, and days a week apart: figures of months and weeks, dated by one day."""
    if len(dates) < 2:
        return
    of_months = all(date.day == 1 for date in dates) or all((date + dt.timedelta(days=1)).day == 1 for date in dates)
    of_weeks = len(dates) > 2 and all(later - earlier == _WEEK for earlier, later in pairwise(dates))
    if of_months or of_weeks:
        what = "one of each month" if of_months else "a week apart"
        raise NotDaily(
            f"{name}: its days are {what} ({dates[0]} to {dates[-1]}), so its figures are of "
            f"{'months' if of_months else 'weeks'}, and song_streams has days. Use a report by day."
        )
