"""The tables of the label's legacy pipeline: how to recognise one, its columns' current names, its known faults.

Belongs here: the header and the numbers of such a table. Does not belong here: files and their backups
(``migrate``), reports for people (``validate``).

Its three scripts wrote ``artist,zone,date,Video Views,Profile Views,Likes,Comments,Shares,Year,engagement_rate,
Followers,new_followers``, older ones ``reach`` and ``page_views``. Its daily counts and dates were right; the faults
below are in all of its files.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.text_rows import normal

# By normal form: the column of social_media_stats, where one has that meaning. ``artist`` held handles.
CURRENT_NAMES = {
    "artist": "handle",
    "zone": "zone",
    "date": "date",
    "video views": "video_views",
    "reach": "video_views",
    "profile views": "profile_views",
    "page views": "profile_views",
    "likes": "likes",
    "comments": "comments",
    "shares": "shares",
    "year": "year",
    "engagement rate": "engagement_rate",
    "followers": "followers",
    "new followers": "new_followers",
}
# An older name means something else if the file also has that column under its newer name.
_OLDER = {"reach": "video views", "page views": "profile views"}
# Columns that TikTok's own files never have.
_ONLY_HERE = {"artist", "zone", "year", "engagement rate", "handle"}
_OLD_FILE = re.compile(r"^tiktok_(metrics|analytics)", re.IGNORECASE)

COUNTS = ("video_views", "profile_views", "likes", "comments", "shares")
REQUIRED = ("date", "video_views")
EXPECTED = ("handle", "date", *COUNTS, "engagement_rate", "followers", "new_followers")
_WHOLE = re.compile(r"[-+]?[0-9]+(\.0+)?")
_LONG_RUN = 7
"""From this many consecutive days without a single view on, they are reported."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong, or known to be doubtful, in a table: ``row`` 1 is the first below the header."""

    row: int | None
    column: str | None
    value: str | None
    message: str


def current_names(header: Sequence[str], file: str = "") -> tuple[str, ...] | None:
    """The header in current names; None if it is not a table of the legacy pipeline. Unknown columns keep theirs.

    Recognised by columns that only that pipeline wrote, or by the ``file`` name. A current header is returned as it is.
    """
    names = [normal(name) for name in header]
    held = set(names)
    if "date" not in held or not held & {"video views", "reach"}:
        return None
    if not held & _ONLY_HERE and not _OLD_FILE.match(file):
        return None
    return tuple(
        written if name not in CURRENT_NAMES or _OLDER.get(name) in held else CURRENT_NAMES[name]
        for written, name in zip(header, names, strict=True)
    )


def faults(rows: Sequence[Mapping[str, str]], today: dt.date) -> tuple[list[Fault], list[Fault]]:
    """The errors of a table, and its doubtful values. ``rows``: text by current name, in order."""
    days = [_day(row["date"]) for row in rows]
    wrong = [*_unreadable(rows, days), *_impossible(rows, days, today), *_twice(rows)]
    return sorted(wrong, key=lambda fault: fault.row or 0), list(_doubtful(rows, days))


def days(rows: Sequence[Mapping[str, str]], file: str) -> pl.DataFrame:
    """The days of a table with the numbers that could be read, as ``days.judged`` takes them."""
    counts = [name for name in (*COUNTS, "followers") if any(name in row for row in rows)]
    found = [
        {
            "account": _whose(row),
            "date": _day(row["date"]),
            "file": file,
            "row": number,
            **{name: count(row[name]) for name in counts},
            "engagement_rate": _rate(row.get("engagement_rate", "")),
        }
        for number, row in enumerate(rows, start=1)
    ]
    numbers = dict.fromkeys(counts, pl.Int64) | {"engagement_rate": pl.Float64}
    return pl.DataFrame(found, {"account": pl.String, "date": pl.Date, "file": pl.String, "row": pl.Int64, **numbers})


def _unreadable(rows: Sequence[Mapping[str, str]], days: Sequence[dt.date | None]) -> Iterator[Fault]:
    for number, (row, day) in enumerate(zip(rows, days, strict=True), start=1):
        if day is None:
            yield Fault(row=number, column="date", value=row["date"], message="is not a date such as 2025-05-28")
        for column in (*COUNTS, "followers", "new_followers"):
            if column in row and row[column].strip() and count(row[column]) is None:
                yield Fault(row=number, column=column, value=row[column], message="is not a whole number")
        rate = row.get("engagement_rate", "").strip()
        if rate and _rate(rate) is None:
            yield Fault(row=number, column="engagement_rate", value=rate, message="is not a number")


def _impossible(rows: Sequence[Mapping[str, str]], days: Sequence[dt.date | None], today: dt.date) -> Iterator[Fault]:
    for number, (row, day) in enumerate(zip(rows, days, strict=True), start=1):
        if day is not None and day > today:
            message = "is in the future: the legacy pipeline gave all days the same year"
            yield Fault(row=number, column="date", value=row["date"], message=message)
        if day is not None and row.get("year", "").strip() not in ("", str(day.year)):
            yield Fault(row=number, column="year", value=row["year"], message=f"is not the year of {day}")
        views, engaged, rate = count(row["video_views"]), engagements(row), _rate(row.get("engagement_rate", ""))
        if views and views > 0 and engaged is not None and rate is not None and abs(rate - engaged / views) > 1e-4:
            message = f"is not (likes + comments + shares) / views, {engaged / views:.4f}"
            yield Fault(row=number, column="engagement_rate", value=row["engagement_rate"], message=message)


def _twice(rows: Sequence[Mapping[str, str]]) -> Iterator[Fault]:
    first_rows: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows, start=1):
        first = first_rows.setdefault((_whose(row), row["date"].strip()), number)
        if first != number:
            yield Fault(row=number, column="date", value=row["date"], message=f"repeats row {first}")


def _doubtful(rows: Sequence[Mapping[str, str]], days: Sequence[dt.date | None]) -> Iterator[Fault]:
    """The known faults of the legacy pipeline: one per kind and, where it matters, account."""
    of: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        of.setdefault(_whose(row), []).append(number)
    for whose, numbers in of.items():
        yield from _of_account(whose or "all rows", [rows[number] for number in numbers], [days[n] for n in numbers])
    divided = [n for n, row in enumerate(rows, start=1) if count(row["video_views"]) == 0 and engagements(row)]
    if divided and any("engagement_rate" in row for row in rows):
        yield Fault(
            row=divided[0],
            column="engagement_rate",
            value=rows[divided[0] - 1].get("engagement_rate"),
            message=f"{len(divided)} rows without views have a rate: it was divided by 1; the true rate is unknown",
        )


def _of_account(whose: str, rows: Sequence[Mapping[str, str]], days: Sequence[dt.date | None]) -> Iterator[Fault]:
    followers = Counter(row["followers"].strip() for row in rows if "followers" in row)
    if len(rows) > 1 and len(followers) == 1:
        [(value, times)] = followers.items()
        description = "0: none was known" if count(value) == 0 else f"{value}, the newest one"
        message = f"{whose}: all {times} rows have the same number of followers ({description}); it is not a history"
        yield Fault(row=None, column="followers", value=value, message=message)
    gained = [number for row in rows if (number := count(row.get("new_followers", ""))) is not None]
    if gained and min(gained) >= 0:
        message = f"{whose}: no row has a loss of followers; losses were dropped, so sums may be too high"
        yield Fault(row=None, column="new_followers", value=None, message=message)
    nothing = [all(count(row.get(column, "0")) == 0 for column in COUNTS) for row in rows]
    if run := _longest_run(nothing):
        first, last = days[run.start], days[run.stop - 1]
        message = (
            f"{whose}: {sum(nothing)} days have 0 in every count (the longest run: {first} to {last}): unknown was "
            "written as 0, so they may be unknown or days before the account began"
        )
        yield Fault(row=None, column="video_views", value="0", message=message)


def _longest_run(flags: Sequence[bool]) -> range | None:
    """The longest run of true ``flags``, if at least ``_LONG_RUN`` long."""
    longest, start = range(0), 0
    for at, flag in enumerate([*flags, False]):
        if not flag:
            longest, start = max(longest, range(start, at), key=len), at + 1
    return longest if len(longest) >= _LONG_RUN else None


def _whose(row: Mapping[str, str]) -> str:
    return (row.get("handle") or row.get("account") or "").strip()


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()[:10]) if re.fullmatch(r"\s*\d{4}-\d\d-\d\d([ T].*)?", text) else None
    except ValueError:
        return None


def count(text: str) -> int | None:
    """A whole number; pandas wrote some as 12.0."""
    text = text.strip()
    return int(float(text)) if _WHOLE.fullmatch(text) else None


def _rate(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def engagements(row: Mapping[str, str]) -> int | None:
    """likes + comments + shares; None if one is unknown."""
    parts = [count(row.get(column, "")) for column in ("likes", "comments", "shares")]
    return None if None in parts else sum(part for part in parts if part is not None)
