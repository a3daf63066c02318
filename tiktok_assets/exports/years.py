"""The year of the days of an export.

Belongs here: weighing what is known about one export (ZIP stamp, names, video ids, file time) against its month-and-day
labels, and against years that a spreadsheet gave them. Does not belong here: reading any of these from a file
(``archive``, ``names``), languages (``dates``), the order of rows (``monthdays``), the time of the download
(``downloads``), labels that are a day off (``date`` stays what the label says).

The labels carry no year. Rows are contiguous and span 366 days at most, so the year of the last row decides all of
them; a file that passes 29 February, or leaves it out, says whether that is a leap year.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from tiktok_assets.exports.dates import DayTexts
from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD, ONE_DAY, DatedRows, Evidence, doubt_of_file_time
from tiktok_assets.exports.monthdays import ImpossibleCalendar, MonthDay, calendar_order, is_contiguous
from tiktok_assets.exports.placing import (
    dates_within,
    first_on_or_after,
    have_no_gap,
    latest_dates,
    walk_back,
)
from tiktok_assets.exports.stated_years import dates_as_stated

_DOUBT = (
    "The year {last.year} rests on the date in the file's name ({day}), {days} days after its last row "
    "({last:%B} {last.day}). Use Studio's original name, or put a date of its window into the name."
)

_SIGN_AFTER_DAYS = ("ja", "ko", "zh")
"""Languages whose labels have a sign after the day that text is sorted by as after all digits: 10日 before 1日."""
_CONTRADICTED = {
    "zip_stamp": "the stamp of its ZIP",
    "siblings": "the other reports of its visit",
    "label": "the years it states",
}
"""Evidence that a month or a year in the file's name may contradict, in words."""


def date_rows(day_texts: DayTexts, evidence: Evidence) -> DatedRows:
    """The dates of rows, in their order, by the best evidence there is for the year.

    ZIP stamp, then Studio's name, newest upload, a date in the file's name, file time. A label may be a day ahead of
    the UTC date of the download: it counts back from the browser's date. A stamp is overruled where a name that fits
    the rows, an upload after the last row, or a missing 29 February shows that it is not the download's.

    Raises ``ImpossibleCalendar`` where no year explains the rows, or where what is known contradicts itself.
    """
    dated = _date_rows(day_texts, evidence)
    by = _CONTRADICTED.get(dated.year_evidence.removeprefix("doubtful_"))
    if by is None or not dated.dates:
        return dated
    at = (evidence.stamp or evidence.file_time).date()
    contradiction = evidence.name_dates.contradiction(sorted(dated.dates), at, by)
    if contradiction is None:
        return dated
    sentence = contradiction[0].upper() + contradiction[1:]
    if dated.year_evidence == "zip_stamp":  # near its rows it is right
        return replace(dated, warnings=(*dated.warnings, sentence))
    return dated.doubted(sentence)


def _date_rows(day_texts: DayTexts, evidence: Evidence) -> DatedRows:
    days = day_texts.days
    if doubt := evidence.doubt_of_stamp(_last_row(day_texts)):
        dated = _date_rows(day_texts, replace(evidence, stamp=None))
        return replace(dated, warnings=(doubt, *dated.warnings), stamp_overruled=True)
    if day_texts.years is not None:
        return dates_as_stated(days, day_texts.years, evidence)
    if not days:
        return DatedRows(dates=[], year_evidence="zip_stamp" if evidence.stamp else "file_time")
    named = _order_by_name(days, evidence)
    order = calendar_order(days) if named is None else named
    sorted_rows = _dated([days[row] for row in order], evidence)
    dates = [dt.date.min] * len(days)
    for row, date in zip(order, sorted_rows.dates, strict=True):
        dates[row] = date
    is_sorted = order == [*range(len(days))]
    warnings = sorted_rows.warnings if is_sorted else (_out_of_order(day_texts, dates), *sorted_rows.warnings)
    return replace(sorted_rows, dates=dates, warnings=warnings)


def _last_row(day_texts: DayTexts) -> MonthDay | dt.date | None:
    days, years = day_texts.days, day_texts.years
    if days and years is not None:
        return max(dt.date(year, month, day) for year, (month, day) in zip(years, days, strict=True))
    return days[-1] if days else None


def _dated(days: Sequence[MonthDay], evidence: Evidence) -> DatedRows:
    """As ``date_rows``, for days in the order of the calendar."""
    named, within = _dates_by_name(days, evidence), _dates_within_name(days, evidence)
    warnings: tuple[str, ...] = ()
    if named is None and within is not None:
        warnings = (f"Its rows are only a part of the days of its name, {evidence.window_of_name}.",)
    elif named is None and evidence.first_day is not None and evidence.epoch is not None:
        warnings = (
            f"The file is named for {evidence.first_day} to {evidence.epoch.date()}, but its rows are {days[0]} to "
            f"{days[-1]}: it was renamed, and its name is ignored.",
        )
    if evidence.stamp is not None:
        dates = walk_back(days, evidence.stamp.date() + ONE_DAY)
        late = evidence.stamp.date() - dates[-1] > DAYS_OF_A_DOWNLOAD
        contradiction = _contradiction_of_stamp(dates, named or (within if late else None), evidence)
        if contradiction is None:
            return DatedRows(dates=dates, year_evidence="zip_stamp", warnings=warnings)
        warnings += (contradiction,)
    overruled = evidence.stamp is not None
    if (by_name := named or within) is not None:
        return DatedRows(dates=by_name, year_evidence="zip_name", warnings=warnings, stamp_overruled=overruled)
    dates = latest_dates(days, evidence.latest_label)
    by_upload = _dates_by_upload(days, dates, evidence)
    if by_upload is not None and not by_upload.is_by_file_time:
        return replace(by_upload, warnings=warnings + by_upload.warnings, stamp_overruled=overruled)
    by_visit = _dates_by_visit(days, evidence)
    if len(by_visit) == 1:
        warnings += _disagreement_with_visit(dates[-1], by_visit[0][-1], evidence)
        return DatedRows(dates=by_visit[0], year_evidence="siblings", warnings=warnings, stamp_overruled=overruled)
    if by_upload is not None:
        return replace(by_upload, warnings=warnings + by_upload.warnings, stamp_overruled=overruled)
    by_date = _dates_by_date_in_name(days, evidence)
    if by_date is not None:
        doubts = _doubt_of_date_in_name(by_date[-1], evidence)
        return DatedRows(
            dates=by_date, year_evidence="file_name", warnings=warnings + doubts, stamp_overruled=overruled
        )
    if contradiction := evidence.name_dates.contradiction(dates, evidence.file_time.date(), "the time of the file"):
        raise ImpossibleCalendar(len(days) - 1, days[-1], contradiction)
    if not evidence.has_file_time and evidence.today is None:
        raise ImpossibleCalendar(
            len(days) - 1,
            days[-1],
            f"the time of the file ({evidence.file_time:%Y-%m-%d}) cannot be right, and nothing else names its year. "
            "Use Studio's original name, or put a full date of its window (YYYY-MM-DD) into the name.",
        )
    doubts = doubt_of_file_time(dates[-1], evidence)
    if by_visit:
        years = " and ".join(str(one[-1].year) for one in by_visit)
        doubts += (f"The other reports of its visit are of {years}; the time of the file makes it {dates[-1].year}.",)
    return DatedRows(
        is_by_file_time=True,
        dates=dates,
        year_evidence="file_time" if evidence.has_file_time else "today",
        warnings=warnings,
        stamp_overruled=overruled,
    ).doubted(*doubts)


def _out_of_order(day_texts: DayTexts, dates: Sequence[dt.date]) -> str:
    days = day_texts.days
    row = next(row for row in range(1, len(dates)) if dates[row] < dates[row - 1])
    if _are_joined(days, dates, day_texts.locale):
        return f"Files were joined (row {row + 1}, {days[row]}, is below {days[row - 1]}). Its days were put in order."
    return (
        f"The rows are not in the order of the calendar (row {row + 1}, {days[row]}, is below {days[row - 1]}): "
        "the file was sorted. Its days were put in order."
    )


def _are_joined(days: Sequence[MonthDay], dates: Sequence[dt.date], locale: str | None) -> bool:
    """Whether each row but a few follows the one above, as in files below each other, and not as text is sorted."""
    starts = [0, *(row for row in range(1, len(dates)) if dates[row] - dates[row - 1] not in (dt.timedelta(), ONE_DAY))]
    ends = [*starts[1:], len(dates)]
    is_sorted = _is_text_order(days, locale) or [*days] == sorted(days)
    return not is_sorted and all(end - start > 1 for start, end in zip(starts, ends, strict=True))


def _is_text_order(days: Sequence[MonthDay], locale: str | None) -> bool:
    """Whether the days of each month stand as labels of this language are sorted as text."""
    sign = "日" if (locale or "").startswith(_SIGN_AFTER_DAYS) else ""
    texts = [(day.month, f"{day.day}{sign}") for day in days]
    return all(before <= after for before, after in pairwise(texts) if before[0] == after[0])


def _order_by_name(days: Sequence[MonthDay], evidence: Evidence) -> list[int] | None:
    """The order of the rows in the window of Studio's name, unchanged if that fits; None if no order fits."""
    if evidence.first_day is None or evidence.epoch is None:
        return None
    as_written = [*range(len(days))]
    if _dates_by_name(days, evidence) is not None or _dates_within_name(days, evidence) is not None:
        return as_written
    for shift in (dt.timedelta(), ONE_DAY, -ONE_DAY):
        first = evidence.first_day + shift
        order = calendar_order(days, MonthDay(first.month, first.day))
        if _dates_by_name([days[row] for row in order], evidence) is not None:
            return order
    return None


def _dates_by_visit(days: Sequence[MonthDay], evidence: Evidence) -> list[list[dt.date]]:
    """The dates that end with other reports of the same visit: several where these are of several years."""
    found: dict[dt.date, list[dt.date]] = {}
    for last in evidence.visit_days:
        dates = latest_dates(days, last + DAYS_OF_A_DOWNLOAD)
        if abs(last - dates[-1]) <= DAYS_OF_A_DOWNLOAD:
            found[dates[-1]] = dates
    return [found[last] for last in sorted(found)]


def _disagreement_with_visit(by_time: dt.date, used: dt.date, evidence: Evidence) -> tuple[str, ...]:
    if by_time == used:
        return ()
    return (
        f"The time of the file ({evidence.file_time:%Y-%m-%d}) would make {by_time} the last day, but the other "
        f"reports of its visit end on {max(evidence.visit_days)}: {used} is used.",
    )


def _dates_by_date_in_name(days: Sequence[MonthDay], evidence: Evidence) -> list[dt.date] | None:
    """The dates by the full dates in the file's name; None without one that can be.

    Each is the first day, the last, that of the download, or another after the rows; none lies after the file's time.
    Raises ImpossibleCalendar where they allow two years.
    """
    known = [day for day in evidence.name_dates.days if day <= evidence.latest_label]
    if not known:
        return None
    found = [dates for day in known for dates in _windows_at(days, day, evidence.latest_label)]
    counted = Counter(dates[-1] for dates in found).most_common(2)
    if len(counted) == 2 and counted[0][1] == counted[1][1]:
        raise ImpossibleCalendar(
            len(days) - 1,
            days[-1],
            f"by the date in its name the last row can be {counted[0][0]} or {counted[1][0]}. Use Studio's "
            "original name, or put the dates of its first and last day into the name.",
        )
    last = counted[0][0] if counted else max(known) + ONE_DAY
    return latest_dates(days, last)


def _doubt_of_date_in_name(last: dt.date, evidence: Evidence) -> tuple[str, ...]:
    """A warning where no date in the name is near the end of the window, nor its first day."""
    nearest = min((day for day in evidence.name_dates.days if day <= evidence.latest_label), default=last)
    apart = nearest - last
    return () if apart <= DAYS_OF_A_DOWNLOAD else (_DOUBT.format(last=last, day=nearest, days=apart.days),)


def _windows_at(days: Sequence[MonthDay], day: dt.date, latest: dt.date) -> list[list[dt.date]]:
    """The windows that end just before ``day`` or with it, and those that start with it."""
    windows: list[list[dt.date]] = []
    dates = latest_dates(days, day + ONE_DAY)
    if day - dates[-1] <= DAYS_OF_A_DOWNLOAD:
        windows.append(dates)
    dates = latest_dates(days, latest)
    while dates[0] > day + ONE_DAY:
        dates = latest_dates(days, dates[-1] - ONE_DAY)
    if abs(dates[0] - day) <= ONE_DAY and dates not in windows:
        windows.append(dates)
    return windows


def _dates_by_name(days: Sequence[MonthDay], evidence: Evidence) -> list[dt.date] | None:
    """The dates as the ZIP's name has them; None where it has none, or its window is more than a day off the rows."""
    if not days or evidence.first_day is None or evidence.epoch is None:
        return None
    named_last = evidence.epoch.date()
    for last in (named_last, named_last + ONE_DAY, named_last - ONE_DAY):
        if (last.month, last.day) == days[-1]:
            try:
                dates = walk_back(days, last)
            except ImpossibleCalendar:  # the rows were sorted
                return None
            if dates[-1] == last and abs(dates[0] - evidence.first_day) <= ONE_DAY:
                return dates
    return None


def _dates_within_name(days: Sequence[MonthDay], evidence: Evidence) -> list[dt.date] | None:
    """The dates of rows that are a part of the window of Studio's name; None without a name, or where they are not.

    A time of the file just after its last row goes before: then the name is that of another file.
    """
    if not days or evidence.window_of_name is None:
        return None
    dates = dates_within(days, evidence.window_of_name.first, evidence.window_of_name.last)
    if dates is None:
        return None
    at = (evidence.stamp or evidence.file_time).date()
    by_time = latest_dates(days, at + ONE_DAY)
    is_fresh = at - by_time[-1] <= DAYS_OF_A_DOWNLOAD  # the time of a download, and the name that of another file
    return None if is_fresh and by_time != dates else dates


def _contradiction_of_stamp(dates: list[dt.date], named: list[dt.date] | None, evidence: Evidence) -> str | None:
    """Why the dates derived from the ZIP stamp cannot be right, in plain words; None if nothing contradicts them."""
    if named is not None and named[-1] != dates[-1]:
        return (
            f"The archive was packed again: its entry is stamped {evidence.stamp:%Y-%m-%d}, which would make "
            f"{dates[-1]} the last day, but by its name that is {named[-1]}. The name is used."
        )
    if dates and evidence.newest_upload is not None and dates[-1] < evidence.newest_upload.date() - ONE_DAY:
        return (
            f"The ZIP entry is stamped {evidence.stamp:%Y-%m-%d}, before the newest video in it was uploaded "
            f"({evidence.newest_upload:%Y-%m-%d}): the stamp is ignored."
        )
    days = [MonthDay(date.month, date.day) for date in dates]
    if named is None and is_contiguous(days) and not have_no_gap(dates):
        return (
            f"The ZIP entry is stamped {evidence.stamp:%Y-%m-%d}, but its rows go from 28 February to 1 March and "
            f"leave out no other day, which is impossible in {dates[-1].year}: the stamp is ignored."
        )
    return None


def _dates_by_upload(days: Sequence[MonthDay], by_time: list[dt.date], evidence: Evidence) -> DatedRows | None:
    """The dates of a list of videos, which none of them is newer than; None without videos.

    ``by_time``: by the time of the file, which decides where the newest video allows several years.
    """
    upload = evidence.newest_upload
    if upload is None:
        return None
    first_possible = first_on_or_after(days[-1], upload.date() - ONE_DAY)
    dates, warnings = by_time, ()
    if not evidence.has_file_time:
        dates = walk_back(days, first_possible)
        warnings = (
            f"The file's time cannot be right: {first_possible} is used, the first such day after its newest video was "
            f"uploaded ({upload:%Y-%m-%d}).",
        )
    elif by_time[-1] < first_possible:
        dates = walk_back(days, first_possible)
        warnings = (
            f"The file's time would make {by_time[-1]} the last day, but its newest video was uploaded on "
            f"{upload:%Y-%m-%d}: {first_possible} is used, the first such day after that.",
        )
    elif by_time[-1] > first_possible:
        warnings = (
            f"The last day is {by_time[-1]} by the file's time, but the newest video allows any year from "
            f"{first_possible.year} on.",
        )
    decides = evidence.has_file_time and by_time[-1] > first_possible
    return DatedRows(dates=dates, year_evidence="video_id", warnings=warnings, is_by_file_time=decides)
