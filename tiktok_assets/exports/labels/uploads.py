"""First views against upload times: the day on which views leap is the day a video was posted.

``id >> 32`` is the upload's second in UTC. A scheduled video is posted later, so only those count whose post date (a
local date) leaves one UTC day for the posting. One video proves nothing: it may catch on late. Three that agree do.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tiktok_assets.exports.labels.files import Numbers

FEWEST_VIDEOS = 3
CLEAR = 8
"""How many times more videos must agree than disagree."""

REACH = 2
"""Days around the posting in which the leap is searched; one at that distance belongs to another video."""

LEAP = 4
"""How many times the views of the two days before a day must have for a video to start on it."""

SMALLEST_LEAP = 30
"""Views; below that, chance in a quiet account looks like a leap."""

LATEST_HOUR = 18
"""Uploads after this UTC hour get many of their first views on the next day."""

QUIET = 1.25
QUIET_VIEWS = 10
"""How far the day before the leap may be above the two days before it: more, and the video had begun on it already."""

QUIET_DAYS = 2
"""No other video may be posted this near to one that counts."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A video as Content lists it. ``uploaded_at``: aware, from the id. ``post_date``: the local date in Post time."""

    video_id: str
    uploaded_at: dt.datetime
    post_date: dt.date | None
    total_views: int | None


@dataclass(frozen=True, kw_only=True)
class FirstViews:
    """By how many days the labels of views run ahead of the postings, and how many videos say so."""

    days: int
    videos: int
    against: int


def lone_videos(uploads: Iterable[Upload], offset: tuple[float, float]) -> Mapping[int, int]:
    """UTC day (an ordinal) -> most views of a video certainly posted on it, if no other began within two days.

    ``offset``: the range of the account's UTC offset, in hours.
    """
    best: dict[int, int] = {}
    crowded: set[int] = set()
    for upload in _distinct(uploads):
        day = posted_on(upload, offset)
        if day is not None:
            best[day] = max(best.get(day, 0), upload.total_views or 0)
            crowded.update({*range(day - QUIET_DAYS, day + QUIET_DAYS + 1)} - {day})
        else:
            first = upload.uploaded_at.date().toordinal()
            last = max(first, upload.post_date.toordinal() + 1) if upload.post_date else first
            crowded.update(range(first - QUIET_DAYS, last + QUIET_DAYS + 1))
    return {day: views for day, views in sorted(best.items()) if day not in crowded}


def first_views(views: Mapping[int, Numbers], videos: Mapping[int, int]) -> FirstViews | None:
    """What the ``lone_videos`` agree on; None if fewer than three are conclusive. ``views``: label -> numbers, views
    first."""
    leaps = Counter(leap for day, most in videos.items() if (leap := _leap(views, day, most)) is not None)
    if not leaps:
        return None
    days, agreeing = max(leaps.items(), key=lambda item: (item[1], -abs(item[0]), item[0]))
    against = leaps.total() - agreeing
    if agreeing < FEWEST_VIDEOS or agreeing < CLEAR * against:
        return None
    return FirstViews(days=days, videos=agreeing, against=against)


def posted_on(upload: Upload, offset: tuple[float, float]) -> int | None:
    """The UTC day (an ordinal) a video was certainly posted on; None if it may be one of two, or late on the day."""
    if upload.post_date is None:
        return None
    low, high = (dt.timedelta(hours=hours) for hours in offset)
    midnight = dt.datetime.combine(upload.post_date, dt.time(), dt.UTC)
    earliest = max(upload.uploaded_at.astimezone(dt.UTC), midnight - high)
    latest = max(earliest, midnight + dt.timedelta(days=1) - low - dt.timedelta(seconds=1))
    if earliest.date() != latest.date() or earliest.hour >= LATEST_HOUR:
        return None
    return earliest.date().toordinal()


def _leap(views: Mapping[int, Numbers], day: int, most: int) -> int | None:
    """How many days after ``day`` the views leap, by label; None without a leap that the video explains."""
    if not all(label in views for label in range(day - REACH - 3, day + REACH + 1)):
        return None
    for label in range(day - REACH, day + REACH + 1):
        count, before, earlier, earliest = (views[label - back][0] for back in range(4))
        usual = max(before, earlier, 0)
        if count >= LEAP * usual and count - usual >= SMALLEST_LEAP:
            was_quiet = before <= QUIET * max(earlier, earliest) + QUIET_VIEWS
            is_near = abs(label - day) < REACH
            return label - day if was_quiet and is_near and count - usual <= most else None
    return None


def _distinct(uploads: Iterable[Upload]) -> list[Upload]:
    """Each video once, with the most views in any export."""
    known: dict[str, Upload] = {}
    for upload in sorted(uploads, key=lambda one: (one.video_id, one.total_views or 0, one.post_date or dt.date.min)):
        known[upload.video_id] = upload
    return list(known.values())
