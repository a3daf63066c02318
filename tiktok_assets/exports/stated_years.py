"""Days that state their year: Business Suite's, and those that a spreadsheet added a year to.

Belongs here: evidence against a stated year, and the days without it. Does not belong here: days that state none
(``years``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD, ONE_DAY, DatedRows, Evidence, doubt_of_file_time
from tiktok_assets.exports.monthdays import (
    LEAP_DAY,
    ImpossibleCalendar,
    MonthDay,
    calendar_order,
    is_contiguous,
    is_leap,
    passes_over_leap_day,
)
from tiktok_assets.exports.placing import dates_within, have_no_gap, latest_dates


def dates_as_stated(days: Sequence[MonthDay], years: Sequence[int], evidence: Evidence) -> DatedRows:
    """The dates of rows that state their year; if these were invented, the last such days before the file's time."""
    dates = [dt.date(year, month, day) for year, (month, day) in zip(years, days, strict=True)]
    if dates and (by_name := _dates_by_name(days, dates, evidence)):
        return by_name
    if dates and (reason := _why_invented(dates, evidence)):
        return _without_invented_years(days, dates, reason, evidence)
    if evidence.stamp is None or not dates or max(dates) <= evidence.stamp.date() + ONE_DAY:
        doubts = _doubt_of_stated_year(days, dates, evidence) if dates else ()
        return DatedRows(dates=dates, year_evidence="label", is_by_file_time=bool(doubts)).doubted(*doubts)
    warning = f"The ZIP entry is stamped {evidence.stamp:%Y-%m-%d}, before its own {max(dates)}: the stamp is ignored."
    return DatedRows(dates=dates, year_evidence="label", warnings=(warning,), stamp_overruled=True)


def _dates_by_name(days: Sequence[MonthDay], dates: Sequence[dt.date], evidence: Evidence) -> DatedRows | None:
    """The dates by Studio's name, or by a full date in the name, where the years that the rows state contradict it.

    Studio's own files state no year: a spreadsheet added the current one. None where nothing contradicts them.
    """
    order = sorted(range(len(days)), key=lambda row: dates[row])
    found, because = None, ""
    if (window := evidence.window_of_name) is not None:
        if min(dates) >= window.first - ONE_DAY and max(dates) <= window.last + ONE_DAY:
            return None
        run = _run(days) or order
        for rows in (run, order):
            if found is None and (placed := dates_within([days[row] for row in rows], window.first, window.last)):
                found, because = dict(zip(rows, placed, strict=True)), f"its name says {window}"
    elif _is_before(evidence.name_dates.days, dates):
        rows = _run(days) or order
        placed = latest_dates([days[row] for row in rows], max(evidence.name_dates.days) + ONE_DAY)
        if max(evidence.name_dates.days) - placed[-1] <= DAYS_OF_A_DOWNLOAD:
            found, because = dict(zip(rows, placed, strict=True)), f"its name says {max(evidence.name_dates.days)}"
    if found is None or len({date.year for date in dates}) > 1:
        return None
    read = [found[row] for row in range(len(days))]
    warning = (
        f"The year {max(dates).year} of its dates was added by a spreadsheet: {because}. Read as {min(read)} to "
        f"{max(read)}."
    )
    overruled = evidence.stamp is not None and evidence.stamp.date() + ONE_DAY < max(read)
    name = "zip_name" if window is not None else "file_name"
    return DatedRows(dates=read, year_evidence=name, warnings=(warning,), stamp_overruled=overruled)


def _is_before(named: Sequence[dt.date], dates: Sequence[dt.date]) -> bool:
    """Whether every date in the name lies before the rows: a file is not named for a day before its window."""
    return bool(named) and max(named) < min(dates)


def _why_invented(dates: Sequence[dt.date], evidence: Evidence) -> str | None:
    """The evidence against the years that the rows state; None if there is none.

    A spreadsheet gives a date without a year the current year (Microsoft KB Q214327): all rows get the same one, and
    December saved in January becomes the coming December.
    """
    last, latest = max(dates), evidence.latest_label
    if last > latest and evidence.has_file_time:
        return f"{last} lies after the file's own time ({evidence.file_time:%Y-%m-%d})"
    if len({date.year for date in dates}) == 1 and not have_no_gap(sorted(set(dates))):
        days = [MonthDay(date.month, date.day) for date in dates]
        if (order := _run(days)) and days[order[0]] > days[order[-1]]:
            return f"the rows pass New Year, but all of them state {last.year}"
        if order and is_leap(last.year) and passes_over_leap_day([days[row] for row in order]):
            return f"the rows leave out no day but 29 February, which {last.year} has"
    return None


def _doubt_of_stated_year(days: Sequence[MonthDay], dates: Sequence[dt.date], evidence: Evidence) -> tuple[str, ...]:
    """A warning where a spreadsheet may have added the year of the rows, and it may be that of a later day.

    It adds the year in which it opens the file. So all rows state the year of the file's time; what else says that year
    is a name, a video, a 29 February, a file of the same visit, or that time just after the last row, as of a download.
    """
    first, last = min(dates), max(dates)
    at = evidence.stamp.date() if evidence.stamp else evidence.file_time.date() if evidence.has_file_time else None
    if evidence.states_years or first.year != last.year or LEAP_DAY in days:
        return ()
    if at is not None and (at.year != last.year or at - last <= DAYS_OF_A_DOWNLOAD):
        return ()
    window, upload = evidence.window_of_name, evidence.newest_upload
    named = [day for day in evidence.name_dates.days if day >= first - ONE_DAY]
    visits = [day for day in evidence.visit_days if abs(day - last) <= DAYS_OF_A_DOWNLOAD]
    if window is not None and first >= window.first - ONE_DAY and last <= window.last + ONE_DAY:
        return ()
    if named or visits or evidence.name_dates.confirms(last) or (upload is not None and upload.year == last.year):
        return ()
    return (
        f"The year {last.year} of its dates may have been added by a spreadsheet, which adds the current one: the file "
        f"was saved {f'on {at}' if at else 'at an unknown time'}, long after its last row ({last:%B} {last.day}). Use "
        f"Studio's original file, or put a full date of its window into its name ({last}).",
    )


def _run(days: Sequence[MonthDay]) -> list[int] | None:
    """The order in which the days are contiguous; None where they are not."""
    try:
        order = calendar_order(days)
    except ImpossibleCalendar:
        return None
    return order if is_contiguous([days[row] for row in order]) else None


def _without_invented_years(
    days: Sequence[MonthDay], dates: Sequence[dt.date], reason: str, evidence: Evidence
) -> DatedRows:
    """The rows as if they stated no year, no later than the year they state. Raises ImpossibleCalendar."""
    row = max(range(len(dates)), key=lambda row: dates[row])
    stated = {date.year for date in dates}
    order = _run(days)
    # A spreadsheet gives the year in which it opens the file, and the file's time is not before that.
    if len(stated) > 1 or order is None or max(stated) > evidence.latest_label.year:
        raise ImpossibleCalendar(
            row, days[row], f"{reason}, so the years are not those of the export. Use the original file from TikTok."
        )
    latest = min(evidence.latest_label, dt.date(max(stated), 12, 31))
    found = dict(zip(order, latest_dates([days[row] for row in order], latest), strict=True))
    read = [found[row] for row in range(len(days))]
    warning = (
        f"The year {max(stated)} of its dates was added by a spreadsheet: {reason}. Read as {min(read)} to "
        f"{max(read)}, the latest such days before the file was saved."
    )
    dated = DatedRows(dates=read, year_evidence="file_time", warnings=(warning,), is_by_file_time=True)
    return dated.doubted(*doubt_of_file_time(max(read), evidence))
