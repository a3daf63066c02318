"""Which year the days of an export lie in, and when it was downloaded.

Belongs here: weighing what is known of one export (ZIP stamp, ZIP name, video ids, file time) against its month-and-day
labels. Does not belong here: reading any of these from a file (``archive``, ``names``), languages (``dates``), labels
that are a day off (``date`` stays what the label says).

The labels carry no year. Rows ascend and span 366 days at most, so the year of the last row settles all of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_assets.exports.dates import DayTexts, MonthDay
from tiktok_assets.exports.problems import UnreadableValue

ONE_DAY = dt.timedelta(days=1)
LEAP_DAY = MonthDay(2, 29)

# First and last row of the longest window, 366 days, are 365 days apart.
_LONGEST_SPAN = dt.timedelta(days=365)
# 29 February can be eight years away (1896 to 1904, 2096 to 2104).
_YEARS_TRIED = 9


class ImpossibleCalendar(UnreadableValue):
    """Rows that no year explains. ``row`` counts from 0."""

    def __init__(self, row: int, day: MonthDay, reason: str) -> None:
        super().__init__(f"Row {row + 1} ({day}) fits no year: {reason}")
        self.row = row
        self.day = day


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of an export besides its rows. Times are aware and in UTC; ``None`` where nothing is known.

    ``stamp``: time of the ZIP entry, which is the download's; None for the 1980 of an XLSX.
    ``first_day``, ``epoch``: from the name of an Overview ZIP, both or neither. The epoch's date is the last day of the
    window, its time of day that of the download.
    ``newest_upload``: from the video ids of a Content file.
    ``file_time``: modification time of the landed file.
    ``captured_at``: what the file itself says; only insights do.
    """

    file_time: dt.datetime
    captured_at: dt.datetime | None = None
    stamp: dt.datetime | None = None
    first_day: dt.date | None = None
    epoch: dt.datetime | None = None
    newest_upload: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class DatedRows:
    """The date of each row, as labelled, and what its year rests on.

    ``year_evidence``: "label", "zip_stamp", "zip_name", "video_id" or "file_time".
    ``stamp_overruled``: there is a ZIP stamp, but better evidence says that it is not the download's.
    """

    dates: list[dt.date]
    year_evidence: str
    warnings: tuple[str, ...] = ()
    stamp_overruled: bool = False


def last_on_or_before(day: MonthDay, latest: dt.date) -> dt.date:
    """The last date with this month and day that is not after ``latest``."""
    year = latest.year if day <= (latest.month, latest.day) else latest.year - 1
    while day == LEAP_DAY and not _is_leap(year):
        year -= 1
    return dt.date(year, day.month, day.day)


def first_on_or_after(day: MonthDay, earliest: dt.date) -> dt.date:
    """The first date with this month and day that is not before ``earliest``."""
    year = earliest.year if day >= (earliest.month, earliest.day) else earliest.year + 1
    while day == LEAP_DAY and not _is_leap(year):
        year += 1
    return dt.date(year, day.month, day.day)


def walk_back(days: Sequence[MonthDay], latest: dt.date) -> list[dt.date]:
    """The dates of rows that ascend, repeat and leave gaps as they like, the last one as late as ``latest`` allows.

    From the last row backwards, each row is the latest such day not after the row that follows. Where that makes an
    impossible 29 February, or more than 366 days, the whole is tried a year earlier: ``latest`` is an upper bound only.
    """
    if not days:
        return []
    wraps = _rows_before_new_year(days)
    leap_lags = {int(row < wraps) for row, day in enumerate(days) if day == LEAP_DAY} if LEAP_DAY in days else ()
    last_year = latest.year if days[-1] <= (latest.month, latest.day) else latest.year - 1
    for year in range(last_year, last_year - _YEARS_TRIED, -1):
        if all(_is_leap(year - lag) for lag in leap_lags):
            dates = [dt.date(year - 1, month, day) for month, day in days[:wraps]]
            dates += [dt.date(year, month, day) for month, day in days[wraps:]]
            if dates[-1] - dates[0] <= _LONGEST_SPAN:
                return dates
    if leap_lags:
        raise ImpossibleCalendar(days.index(LEAP_DAY), LEAP_DAY, "the rows around it leave no leap year for it.")
    raise ImpossibleCalendar(0, days[0], f"it would lie over 366 days before the last row ({days[-1]}).")


def _rows_before_new_year(days: Sequence[MonthDay]) -> int:
    """How many rows lie in the year before the last row's. Rows ascend, so the calendar starts anew at most once."""
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


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def date_rows(day_texts: DayTexts, evidence: Evidence) -> DatedRows:
    """The dates of rows whose labels carry no year, by the best evidence there is.

    ZIP stamp, then ZIP name, newest upload, file time. A label may be a day ahead of the UTC date of the download: it
    counts back from the browser's date. A stamp is overruled where a name that fits the rows, or an upload after the
    last row, shows that it is not the download's.

    Raises ``ImpossibleCalendar`` where no year explains the rows.
    """
    days = day_texts.days
    if day_texts.years is not None:
        return _labelled(day_texts, day_texts.years, evidence)
    named = _dates_by_name(days, evidence)
    warnings: tuple[str, ...] = ()
    if days and named is None and evidence.first_day is not None and evidence.epoch is not None:
        warnings = (
            f"The ZIP is named for {evidence.first_day} to {evidence.epoch.date()}, but its rows are {days[0]} to "
            f"{days[-1]}: the file was renamed, its name is ignored.",
        )
    if evidence.stamp is not None:
        dates = walk_back(days, evidence.stamp.date() + ONE_DAY)
        contradiction = _contradiction_of_stamp(dates, named, evidence)
        if contradiction is None:
            return DatedRows(dates=dates, year_evidence="zip_stamp", warnings=warnings)
        warnings += (contradiction,)
    overruled = evidence.stamp is not None
    if named is not None:
        return DatedRows(dates=named, year_evidence="zip_name", warnings=warnings, stamp_overruled=overruled)
    dates = walk_back(days, evidence.file_time.date() + ONE_DAY)
    if evidence.newest_upload is None or not days:
        return DatedRows(dates=dates, year_evidence="file_time", warnings=warnings, stamp_overruled=overruled)
    dates, doubts = _not_before_upload(dates, days, evidence.newest_upload)
    return DatedRows(dates=dates, year_evidence="video_id", warnings=warnings + doubts, stamp_overruled=overruled)


def downloaded_at(
    evidence: Evidence, last_day: dt.date | None, *, stamp_overruled: bool = False
) -> tuple[dt.datetime, str]:
    """When the export was downloaded (UTC), and how that is known: "captured_at", "zip_stamp", "zip_name", "file_time".

    ``last_day`` and ``stamp_overruled`` come from ``date_rows``. A ZIP name gives the earliest possible time: data of
    a day is never there before the next day.
    """
    if evidence.captured_at is not None:
        return evidence.captured_at, "captured_at"
    if (
        evidence.stamp is not None
        and not stamp_overruled
        and (last_day is None or last_day <= evidence.stamp.date() + ONE_DAY)
    ):
        return evidence.stamp, "zip_stamp"
    if evidence.epoch is not None and (last_day is None or abs(evidence.epoch.date() - last_day) <= ONE_DAY):
        return evidence.epoch + ONE_DAY, "zip_name"
    return evidence.file_time, "file_time"


def _labelled(day_texts: DayTexts, years: list[int], evidence: Evidence) -> DatedRows:
    dates = [dt.date(year, month, day) for year, (month, day) in zip(years, day_texts.days, strict=True)]
    if evidence.stamp is None or not dates or max(dates) <= evidence.stamp.date() + ONE_DAY:
        return DatedRows(dates=dates, year_evidence="label")
    warning = f"The ZIP entry is stamped {evidence.stamp:%Y-%m-%d}, before its own {max(dates)}: the stamp is ignored."
    return DatedRows(dates=dates, year_evidence="label", warnings=(warning,), stamp_overruled=True)


def _dates_by_name(days: Sequence[MonthDay], evidence: Evidence) -> list[dt.date] | None:
    """The dates as the ZIP's name has them; None where it has none, or its window is more than a day off the rows."""
    if not days or evidence.first_day is None or evidence.epoch is None:
        return None
    named_last = evidence.epoch.date()
    for last in (named_last, named_last + ONE_DAY, named_last - ONE_DAY):
        if (last.month, last.day) == days[-1]:
            dates = walk_back(days, last)
            if dates[-1] == last and abs(dates[0] - evidence.first_day) <= ONE_DAY:
                return dates
    return None


def _contradiction_of_stamp(dates: list[dt.date], named: list[dt.date] | None, evidence: Evidence) -> str | None:
    """Why the dates that follow from the ZIP stamp cannot be right, in plain words; None if nothing speaks against."""
    if named is not None and named[-1] != dates[-1]:
        return (
            f"The archive was packed again: its entry is stamped {evidence.stamp:%Y-%m-%d}, which would make "
            f"{dates[-1]} the last day, but by its name that is {named[-1]}. The name is followed."
        )
    if dates and evidence.newest_upload is not None and dates[-1] < evidence.newest_upload.date() - ONE_DAY:
        return (
            f"The ZIP entry is stamped {evidence.stamp:%Y-%m-%d}, before the newest video in it was uploaded "
            f"({evidence.newest_upload:%Y-%m-%d}): the stamp is ignored."
        )
    return None


def _not_before_upload(
    dates: list[dt.date], days: Sequence[MonthDay], newest_upload: dt.datetime
) -> tuple[list[dt.date], tuple[str, ...]]:
    """``dates`` from the file time, or later ones where these lie before a video that the rows already show."""
    first_possible = first_on_or_after(days[-1], newest_upload.date() - ONE_DAY)
    if dates[-1] < first_possible:
        warning = (
            f"The file's time would make {dates[-1]} the last day, but its newest video was uploaded on "
            f"{newest_upload:%Y-%m-%d}: {first_possible} is taken, the first such day after that."
        )
        return walk_back(days, first_possible), (warning,)
    if dates[-1] > first_possible:
        warning = (
            f"The last day is {dates[-1]} by the file's time, but the newest video allows any year from "
            f"{first_possible.year} on."
        )
        return dates, (warning,)
    return dates, ()
