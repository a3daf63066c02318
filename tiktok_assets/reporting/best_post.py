"""The best post of some days: the video that gained the most views in them, whenever it was published.

Belongs here: which video that is, and whether the bounds of what each gained decide it. Does not belong here: these
bounds (``curated.videos.gains``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from tiktok_assets.curated.videos.gains import VIDEO, gains, published_on
from tiktok_assets.reporting.period import Period

WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Post:
    """A video, and the views it gained in ``period``: at least, estimated, at most."""

    title: str | None
    link: str | None
    views_low: int
    views: int | None
    """None where a total fell."""
    views_high: int | None
    """None where nothing limits them."""
    period: Period
    is_certain: bool
    """Whether no other video of which the days are known can have gained more."""


def best_of_last_week(videos: pl.DataFrame, video_days: pl.DataFrame, until: dt.date | None = None) -> Post | None:
    """The best post of the 7 days that end on the newest known day of videos up to ``until``. For frames see below."""
    days = video_days["day"] if until is None else video_days.filter(pl.col("day") <= until)["day"]
    newest = days.max()
    return best_post(videos, video_days, Period.up_to(newest, WEEK)) if isinstance(newest, dt.date) else None


def best_post(videos: pl.DataFrame, video_days: pl.DataFrame, period: Period) -> Post | None:
    """Of the videos whose views of every day of ``period`` since their publication are known, the one that gained most.

    By the estimate; where there is none, by what it gained at least. None if nothing is known, or nothing was gained.
    ``videos``: snapshots of an account (``Videos``); ``video_days``: its rows of ``VideoDaily``.
    """
    published = videos.group_by(VIDEO).agg(published_on=published_on().max())
    spans = published.with_columns(starts_on=pl.lit(period.first), ends_on=pl.lit(period.last))
    likely = pl.coalesce("views", "views_low")
    known = (
        gains(spans, video_days)
        .filter("is_known")
        .with_columns(likely=likely)
        .sort("likely", "views_low", "video_id", descending=[True, True, False])
    )
    if known.is_empty() or known["likely"][0] <= 0:
        return None
    best, others = known.row(0, named=True), known[1:]["views_high"]
    newest = videos.filter(video_id=best["video_id"]).sort("date")
    return Post(
        title=_newest(newest["title"]),
        link=_newest(newest["link"]),
        **{name: best[name] for name in ("views_low", "views", "views_high")},
        period=period,
        is_certain=others.null_count() == 0 and bool((others <= best["views_low"]).all()),
    )


def _newest(texts: pl.Series) -> str | None:
    known = texts.drop_nulls()
    return known[-1] if len(known) else None
