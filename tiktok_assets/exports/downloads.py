"""When an export was downloaded, and which of two exports of one report is the later one.

Belongs here: the two moments of an export and their evidence. Does not belong here: the year of its rows (``years``),
what a later export replaces (``reports.report``).

A file's time is that of its last copy, by a mail program, a cloud or git: it is never earlier than the download and
often months later. So it orders exports only where nothing else does.
"""

from __future__ import annotations

import datetime as dt

from tiktok_assets.exports.evidence import ONE_DAY, Evidence

# Data of a day is available from about 12:00 UTC of the next day on.
_FIRST_DATA = dt.time(12, tzinfo=dt.UTC)


def downloaded_at(
    evidence: Evidence, last_day: dt.date | None, *, stamp_overruled: bool = False
) -> tuple[dt.datetime, str]:
    """When the export was downloaded (UTC), and how that is known: "captured_at", "zip_stamp", "zip_name", "file_time".

    Where no time of the file can be right, it is the earliest at which its last row can be available: "last_row".

    ``last_day`` and ``stamp_overruled`` come from ``date_rows``. A ZIP name gives the earliest possible time: data of
    a day is never available before the next day.
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
    if evidence.has_file_time or last_day is None:
        return evidence.file_time, "file_time"
    return earliest_download(last_day), "last_row"


def earliest_download(last_day: dt.date) -> dt.datetime:
    """The earliest moment at which ``last_day`` can be available."""
    return dt.datetime.combine(last_day + ONE_DAY, _FIRST_DATA)


def vintage(at: dt.datetime, at_evidence: str, last_day: dt.date | None) -> tuple[dt.datetime, str]:
    """The moment that orders an export among others, and its evidence.

    ``at``, ``at_evidence``: the download, as returned by ``downloaded_at``. ``last_day``: the last day of its daily
    reports. Where only the file's time says when it was downloaded, an export with a later last day was made later: the
    moment is the earliest at which its last day can be available, with the evidence "window_end". Only an export
    without days is ordered by its file's time.
    """
    if at_evidence in ("captured_at", "zip_stamp", "zip_name", "export_date_column") or last_day is None:
        return at, at_evidence
    return earliest_download(last_day), "window_end"
