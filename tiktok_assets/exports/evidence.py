"""What is known about one export besides its rows, and the dates derived from it.

Belongs here: the two records that ``years``, ``stated_years`` and ``downloads`` share, what a file's time proves, and
times that cannot be right.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import NamedTuple

from tiktok_assets.exports.monthdays import MonthDay, last_on_or_before
from tiktok_assets.exports.name_dates import NO_DATES, NameDates

ONE_DAY = dt.timedelta(days=1)
# A file keeps the time of its download or gets that of a copy. Data ends one or two days before a download, so a file
# that is later than this may be a copy of one from another year.
DAYS_OF_A_DOWNLOAD = dt.timedelta(days=4)
# A time before that is none: archives write 1980 for an unknown one, a reset clock starts in 1970.
FIRST_DAY_OF_TIKTOK = dt.date(2016, 9, 1)
# A stamp that fits its rows and is less than this ahead of the machine's clock shows that the clock is behind.
_CLOCK_BEHIND = dt.timedelta(days=300)
_END_OF_DAYS = dt.date(2099, 12, 31)


IN_DOUBT = {
    "file_time": "doubtful_file_time",
    "label": "doubtful_label",
    "siblings": "doubtful_siblings",
    "none": "doubtful_day",
    "today": "today",
}
"""The evidence for a year, or for the day of a snapshot, that may be wrong; by what it rests on."""


class NamedWindow(NamedTuple):
    """The window that Studio's name of a file states."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about an export besides its rows. Times are aware and in UTC; ``None`` where nothing is known.

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
    name_dates: NameDates = NO_DATES
    """Further dates in the file's name, written by a person."""
    visit_days: tuple[dt.date, ...] = ()
    """The last days of other reports of the same visit, whose year rests on better evidence than a file's time."""
    states_years: bool = False
    """Whether TikTok writes years into this table, as Business Suite does; a spreadsheet adds the current one."""
    today: dt.date | None = None
    """By the machine's clock; None where that is certainly wrong, or not asked for."""

    @property
    def window_of_name(self) -> NamedWindow | None:
        """First and last day by Studio's name."""
        if self.first_day is None or self.epoch is None:
            return None
        return NamedWindow(self.first_day, self.epoch.date())

    @property
    def has_file_time(self) -> bool:
        """Whether the time of the file can be right: neither before TikTok existed nor in the future."""
        date = self.file_time.date()
        return date >= FIRST_DAY_OF_TIKTOK and not self._is_future(date)

    @property
    def latest_label(self) -> dt.date:
        """The last day that a label can name: a download is never later than the file, and labels a day ahead."""
        return (self.file_time.date() if self.has_file_time else self.today or _END_OF_DAYS) + ONE_DAY

    def doubt_of_stamp(self, last: MonthDay | dt.date | None) -> str | None:
        """Why the ZIP stamp cannot be the time of the download, by the calendar alone; None where it can.

        ``last``: the last row. A stamp in the future is right, and the machine's clock wrong, where something else of
        TikTok's says so too: the time in the name, an upload, or the last row, which a download follows by days.
        """
        if self.stamp is None:
            return None
        at, today = self.stamp.date(), self.today
        if at < FIRST_DAY_OF_TIKTOK:
            return f"The ZIP entry is stamped {at}, before TikTok existed: the stamp is ignored."
        if today is None or not self._is_future(at):
            return None
        if self.epoch is not None and abs(at - self.epoch.date()) <= DAYS_OF_A_DOWNLOAD:
            return None
        if self.newest_upload is not None and self._is_future(self.newest_upload.date()):
            return None
        day = last if isinstance(last, dt.date) or last is None else last_on_or_before(last, at + ONE_DAY)
        fits = day is None or at - day <= DAYS_OF_A_DOWNLOAD
        if fits and at - today < _CLOCK_BEHIND:
            return None
        return f"The ZIP entry is stamped {at}, which is after today ({today}): the stamp is ignored."

    def _is_future(self, date: dt.date) -> bool:
        return self.today is not None and date > self.today + ONE_DAY


@dataclass(frozen=True, kw_only=True)
class DatedRows:
    """The date of each row, as labelled, and the evidence for its year.

    ``year_evidence``: "label", "zip_stamp", "zip_name", "video_id", "siblings" (of the visit), "file_name" (a full date
    in it), "file_time" or, where no time of the file can be right, "today". With ``doubts`` it is that of ``IN_DOUBT``.
    ``stamp_overruled``: there is a ZIP stamp, but better evidence says that it is not the download's.
    """

    dates: list[dt.date]
    year_evidence: str
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """Of the warnings, those that say that the year may be wrong."""
    stamp_overruled: bool = False
    is_by_file_time: bool = False
    """Whether the year is that of the file's time, or of today, and nothing else says it."""

    def doubted(self, *doubts: str) -> DatedRows:
        """The same with ``doubts``, if there are any."""
        if not doubts:
            return self
        return replace(
            self,
            year_evidence=IN_DOUBT.get(self.year_evidence, self.year_evidence),
            warnings=(*self.warnings, *doubts),
            doubts=(*self.doubts, *doubts),
        )


def doubt_of_file_time(last: dt.date, evidence: Evidence) -> tuple[str, ...]:
    """A warning where the file may be a copy from another year."""
    if not evidence.has_file_time:
        return (
            f"The year {last.year} rests on today's date: the time of the file ({evidence.file_time:%Y-%m-%d}) cannot "
            "be right, and nothing else names a year. Use Studio's original name "
            "(Overview_<first day>_<number>_<handle>) or ZIP, or put a full date of its window into its name "
            f"({last}).",
        )
    apart = evidence.file_time.date() - last
    if apart <= DAYS_OF_A_DOWNLOAD or evidence.name_dates.confirms(last):
        return ()
    return (
        f"The year {last.year} rests on the time of the file ({evidence.file_time:%Y-%m-%d}), {apart.days} days after "
        f"its last row ({last:%B} {last.day}); a copy of an older file would be read in the wrong year. Use Studio's "
        "original name (Overview_<first day>_<number>_<handle>) or ZIP, or put a full date of its window into "
        f"its name ({last}).",
    )
