"""Which content exports to make: where an account posts more videos than one export lists.

Belongs here: lists of videos, and advice from them. Does not belong here: days of the daily reports (``export_coach``).

An export lists at most 15 videos. No export says which 15 of more it lists, or how many
were posted, so this advice says "about" and "may".
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping

import polars as pl

from tiktok_assets.curated.coverage.advice import Advice
from tiktok_assets.curated.coverage.coverage import YEAR
from tiktok_assets.exports.windows import DAY, Window, last_day_with_data, windows

MOST_VIDEOS = 15
# What is still in time, and the days from which the posting rate is taken.
_SOON = 2 * DAY
_RATE_DAYS = 28
_CANNOT_KNOW = f"Which {MOST_VIDEOS} of more Studio lists cannot be known; shorter ranges list more of them."

VideoLists = Mapping[dt.date, Mapping[str, dt.date | None]]
"""The videos of one account by the day of the download and by video id: the day of the post, None where not known."""


def video_lists(videos: pl.DataFrame) -> dict[str, VideoLists]:
    """By account, the lists in ``videos``: account, date (of the download), video_id, posted_on.

    Only those that advice needs: the lists of the last four weeks, and at least two.
    """
    is_recent = pl.col("date").max().over("account") - pl.col("date") <= pl.duration(days=_RATE_DAYS)
    is_newest = pl.col("date").rank("dense", descending=True).over("account") <= 2
    used = videos.filter(is_recent | is_newest).sort("account", "date")
    found: dict[str, dict[dt.date, Mapping[str, dt.date | None]]] = {}
    # A list at a time, not a video at a time: a list of Business Suite may hold a million.
    for one in used.partition_by("account", "date", maintain_order=True):
        account, day = one.select("account", "date").row(0)
        found.setdefault(account, {})[day] = dict(zip(one["video_id"], one["posted_on"], strict=True))
    return {account: dict(lists) for account, lists in found.items()}


def between_lists(account: str, lists: VideoLists, *, now: dt.datetime, max_days: int) -> Iterator[Advice]:
    """Two content exports, of half the days each, where the newest list is full of videos posted since the one before.

    A day with several exports lists more than 15; then nothing more can be done.
    """
    if len(lists) < 2:
        return
    before, last = sorted(lists)[-2:]
    posted = [day for day in lists[last].values() if day is not None and day > before]
    days = Window(first=before + DAY, last=max(before + DAY, min(last, last_day_with_data(now))))
    is_in_reach = days.first >= now.astimezone(dt.UTC).date() - DAY * YEAR
    if len(posted) != MOST_VIDEOS or len(lists[last]) != MOST_VIDEOS or len(days) < 2 or not is_in_reach:
        return
    reason = (
        f"The content export of {last} lists {MOST_VIDEOS} videos, the maximum, all posted since the previous "
        f"one ({before}): any more videos are in no list. {_CANNOT_KNOW}"
    )
    yield from _shorter(account, days, reason, now=now, span=min(max_days, math.ceil(len(days) / 2)))


def since_last_list(account: str, lists: VideoLists, *, now: dt.datetime, max_days: int) -> Iterator[Advice]:
    """Where about 15 videos have been posted since the newest list, or will have been in a moment."""
    if not lists:
        return
    last, newest, today = max(lists), last_day_with_data(now), now.astimezone(dt.UTC).date()
    rate, is_least = _videos_a_day(lists)
    if not rate or last >= min(today - 2 * DAY, newest):  # lists of yesterday, as daily exports have
        return
    full_on = last + DAY * math.floor(MOST_VIDEOS / rate)
    about = f"About {round(rate * (today - last).days)} videos were posted since the content export of {last}"
    often = f"({'at least ' if is_least else ''}{rate * 7:.3g} a week)"
    since = Window(first=last, last=newest)
    if full_on < today:
        reason = f"{about} {often}, and an export lists at most {MOST_VIDEOS}. {_CANNOT_KNOW}"
        span = min(max_days, max(1, math.floor(MOST_VIDEOS / rate)))
        yield from _shorter(account, since, reason, now=now, span=span)
    elif full_on <= today + _SOON:
        reason = (
            f"{about} {often}; an export lists at most {MOST_VIDEOS}, which is about what there will be on {full_on}."
        )
        yield _advice(account, since, reason, full_on)


def _shorter(account: str, days: Window, reason: str, *, now: dt.datetime, span: int) -> Iterator[Advice]:
    for window in windows(days.first, days.last, now=now, max_days=span):
        yield _advice(account, window, reason, window.first + DAY * YEAR)


def _advice(account: str, window: Window, reason: str, before: dt.date) -> Advice:
    return Advice(
        account=account, sections=("content",), first=window.first, last=window.last, reason=reason, before=before
    )


def _videos_a_day(lists: VideoLists) -> tuple[float, bool]:
    """Videos posted a day before the newest list, and whether it may be more: a full list may omit videos."""
    last = max(lists)
    posts = {video: day for videos in lists.values() for video, day in videos.items() if day is not None}
    rate = sum(last - DAY * _RATE_DAYS < day <= last for day in posts.values()) / _RATE_DAYS
    newest = [day for day in lists[last].values() if day is not None]
    if len(newest) < MOST_VIDEOS:
        return rate, False
    return max(rate, len(newest) / ((last - min(newest)).days + 1)), True
