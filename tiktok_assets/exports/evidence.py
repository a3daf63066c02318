"""What is known about one export besides its rows, and the dates derived from it.

Belongs here: the two records that ``years``, ``stated_years`` and ``downloads`` share, and what a file's time proves.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tiktok_assets.exports.name_dates import NO_DATES, NameDates

ONE_DAY = dt.timedelta(days=1)
# A file keeps the time of its download or gets that of a copy. Data ends one or two days before a download, so a file
# that is later than this may be a copy of one from another year.
DAYS_OF_A_DOWNLOAD = dt.timedelta(days=4)


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

    @property
    def latest_label(self) -> dt.date:
        """The last day that a label can name: a download is never later than the file, and labels a day ahead."""
        return self.file_time.date() + ONE_DAY


@dataclass(frozen=True, kw_only=True)
class DatedRows:
    """The date of each row, as labelled, and the evidence for its year.

    ``year_evidence``: "label", "zip_stamp", "zip_name", "video_id", "file_name" (a full date in it) or "file_time".
    ``stamp_overruled``: there is a ZIP stamp, but better evidence says that it is not the download's.
    """

    dates: list[dt.date]
    year_evidence: str
    warnings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """Of the warnings, those that say that the year may be wrong."""
    stamp_overruled: bool = False


def doubt_of_file_time(last: dt.date, evidence: Evidence) -> tuple[str, ...]:
    """A warning where the file may be a copy from another year."""
    apart = evidence.file_time.date() - last
    if apart <= DAYS_OF_A_DOWNLOAD or evidence.name_dates.confirms(last):
        return ()
    return (
        f"The year {last.year} rests on the time of the file ({evidence.file_time:%Y-%m-%d}), {apart.days} days after "
        f"its last row ({last:%B} {last.day}); a copy of an older file would be read in the wrong year. Use Studio's "
        "original name (Overview_<first day>_<number>_<handle>) or ZIP, or put a full date of its window into "
        f"its name ({last}).",
    )
