"""Which content exports to make: where an account posts more videos than one export lists.

Belongs here: lists of videos, and advice from them. Does not belong here: days of the daily reports (``export_coach``).

An export lists at most 15 videos. No export says which 15 of more it lists, or how many
were posted, so this advice says "about" and "may".
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from tiktok_assets.curated.coverage.advice import Advice
from tiktok_assets.curated.coverage.coverage import YEAR
from tiktok_assets.exports.windows import DAY, Window, last_day_with_data, windows

MOST_VIDEOS = 15
# What is still in time, and the days from which the posting rate is taken.
_SOON = 2 * DAY
_RATE_DAYS = 28
_CANNOT_KNOW = f"Which {MOST_VIDEOS} of more Studio lists cannot be known; shorter ranges list more of them."


@dataclass(frozen=True, kw_only=True)
class VideoLists:
    """The lists of videos of an account, as far as advice needs them: a list of Business Suite may hold a million."""

    last: dt.date
    """The day of the newest list."""
    before: dt.date | None = None
    """That of the list before it."""
    listed: int
    """Videos in the newest list."""
    posted_since: int
    """Of these, the ones posted after the list before."""
    posted_on_known_days: int
    """Of these, the ones with a known day of the post."""
    first_post: dt.date | None
    """The first of these days."""
    recent_posts: int = 0
    """Videos posted in the ``_RATE_DAYS`` days up to the newest list, by the newest list that knows their day."""


def video_lists(videos: pl.LazyFrame) -> dict[str, VideoLists]:
    """By account, its lists in ``videos``: account, date (of the download), video_id, posted_on; None is not known.

    Posts are counted in the lists of the last four weeks, and in at least two.
    """
    days = videos.select("account", "date").unique().collect(engine="streaming").sort("account", "date").lazy()
    days = days.with_columns(last=pl.col("date").max().over("account"))
    is_recent = pl.col("last") - pl.col("date") <= pl.duration(days=_RATE_DAYS)
    place = pl.col("date").rank("dense", descending=True).over("account")
    before = pl.col("date").filter(pl.col("date") < pl.col("last")).max().over("account")
    used = videos.join(
        days.with_columns(before=before).filter(is_recent | (place <= 2)), on=["account", "date"], how="inner"
    )
    posted = pl.col("posted_on")
    newest = (
        used.filter(pl.col("date") == pl.col("last"))
        .group_by("account", "last", "before")
        .agg(
            listed=pl.len(),
            posted_since=(posted > pl.col("before")).sum(),
            posted_on_known_days=posted.count(),
            first_post=posted.min(),
        )
    )
    is_counted = posted.is_between(pl.col("last") - pl.duration(days=_RATE_DAYS), pl.col("last"), closed="right")
    video = ["account", "video_id"]
    # Another list may know another day, so all days of these videos are compared; of a million, few are posted lately.
    counted = used.filter(is_counted).select(video).unique()
    recent = (
        used.filter(posted.is_not_null())
        .join(counted, on=video, how="semi")
        .group_by(video)
        .agg(pl.col("last").first(), posted_on=posted.sort_by("date").last())
        .filter(is_counted)
        .group_by("account")
        .agg(recent_posts=pl.len())
    )
    found = newest.join(recent, on="account", how="left").with_columns(pl.col("recent_posts").fill_null(0))
    lines = found.sort("account").collect(engine="streaming").iter_rows(named=True)
    return {line.pop("account"): VideoLists(**line) for line in lines}


def between_lists(account: str, lists: VideoLists | None, *, now: dt.datetime, max_days: int) -> Iterator[Advice]:
    """Two content exports, of half the days each, where the newest list is full of videos posted since the one before.

    A day with several exports lists more than 15; then nothing more can be done.
    """
    if lists is None or lists.before is None:
        return
    before, last = lists.before, lists.last
    days = Window(first=before + DAY, last=max(before + DAY, min(last, last_day_with_data(now))))
    is_in_reach = days.first >= now.astimezone(dt.UTC).date() - DAY * YEAR
    if lists.posted_since != MOST_VIDEOS or lists.listed != MOST_VIDEOS or len(days) < 2 or not is_in_reach:
        return
    reason = (
        f"The content export of {last} lists {MOST_VIDEOS} videos, the maximum, all posted since the previous "
        f"one ({before}): any more videos are in no list. {_CANNOT_KNOW}"
    )
    yield from _shorter(account, days, reason, now=now, span=min(max_days, math.ceil(len(days) / 2)))


def since_last_list(account: str, lists: VideoLists | None, *, now: dt.datetime, max_days: int) -> Iterator[Advice]:
    """Where about 15 videos have been posted since the newest list, or will have been in a moment."""
    if lists is None:
        return
    last, newest, today = lists.last, last_day_with_data(now), now.astimezone(dt.UTC).date()
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
    rate, posts = lists.recent_posts / _RATE_DAYS, lists.posted_on_known_days
    if lists.first_post is None or posts < MOST_VIDEOS:
        return rate, False
    return max(rate, posts / ((lists.last - lists.first_post).days + 1)), True
