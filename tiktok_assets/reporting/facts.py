"""The numbers of a report: an account's last days against the days before, its top videos, its audience.

Belongs here: reducing frames to a few numbers. Does not belong here: writing (``words``) or drawing them (``charts``).
None is unknown, never 0.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Literal

import polars as pl

WINDOWS = (28, 7)
"""Days of the headline numbers: the last 4 weeks, and the last week."""
ACTIVE_DAYS = 28
"""Days over which the active followers of an hour are averaged."""
LATE_VIEWERS = 2
"""Days by which the last known day of viewers may precede that of views."""
RECENT = 90
"""Days back to which unusual days are listed."""


@dataclass(frozen=True, kw_only=True)
class Headline:
    """A number of the last ``days`` days, and of as many days before."""

    name: str
    kind: Literal["sum", "mean", "rate", "stock"]
    value: float | None
    """The sum, mean or rate of the known days; of a stock, the newest known number."""
    before: float | None
    change: float | None
    """value / before - 1; for a rate, the difference. Unknown unless every day of both windows is known."""
    days: int
    days_known: int
    at: dt.date | None = None
    """Of a stock, the day of ``value``; of a mean, the last of its days if that is not the report's."""


def last_day(days: pl.DataFrame) -> dt.date | None:
    """The day of a report: the newest with known views; if views are never known, the newest with known followers."""
    for column in ("video_views", "followers"):
        newest = days.filter(pl.col(column).is_not_null())["date"].max()
        if isinstance(newest, dt.date):
            return newest
    return None


def headlines(days: pl.DataFrame, last: dt.date, length: int, *, is_fixed: bool = False) -> list[Headline]:
    """The ``length`` days up to ``last`` against the ``length`` days before. ``days``: one account, as ``DayRates``.

    ``is_fixed``: of exactly these days. Else viewers, and the followers that are compared, are those of as many days up
    to their own last known one.
    """
    now = _window(days, last, length)
    before = _window(days, last - dt.timedelta(days=length), length)
    return [
        _total("Video views", "video_views", now, before, length),
        _total("Engagements", "engagements", now, before, length),
        _rate("Engagement rate", now, before, length),
        _followers(days, last, length, is_fixed=is_fixed),
        _total("Viewers a day", "unique_viewers", now, before, length, mean=True)
        if is_fixed
        else _viewers(days, last, length),
        _total("Profile views", "profile_views", now, before, length),
    ]


def _window(days: pl.DataFrame, last: dt.date, length: int) -> pl.DataFrame:
    return days.filter(pl.col("date") > last - dt.timedelta(days=length), pl.col("date") <= last)


def _total(
    name: str, column: str, now: pl.DataFrame, before: pl.DataFrame, length: int, *, mean: bool = False
) -> Headline:
    known, known_before = now[column].drop_nulls(), before[column].drop_nulls()
    value = _number(known.mean() if mean else known.sum()) if len(known) else None
    past = _number(known_before.mean() if mean else known_before.sum()) if len(known_before) == length else None
    comparable = len(known) == length
    return Headline(
        name=name,
        kind="mean" if mean else "sum",
        value=value,
        before=past,
        change=_growth(value, past) if comparable else None,
        days=length,
        days_known=len(known),
    )


def _viewers(days: pl.DataFrame, last: dt.date, length: int) -> Headline:
    """Viewers a day, up to their own last known day: TikTok labels them up to two days later than views.

    Somebody who watched on Monday and on Tuesday is one viewer: viewers are averaged, never summed.
    """
    known = days.filter(pl.col("unique_viewers").is_not_null(), pl.col("date") <= last)["date"].max()
    at = known if isinstance(known, dt.date) and (last - known).days <= LATE_VIEWERS else last
    now, before = _window(days, at, length), _window(days, at - dt.timedelta(days=length), length)
    total = _total("Viewers a day", "unique_viewers", now, before, length, mean=True)
    return dataclasses.replace(total, at=at if at != last else None)


def _rate(name: str, now: pl.DataFrame, before: pl.DataFrame, length: int) -> Headline:
    (value, known), (past, known_before) = _engagement_rate(now), _engagement_rate(before)
    past = past if known_before == length else None
    change = value - past if value is not None and past is not None and known == length else None
    return Headline(name=name, kind="rate", value=value, before=past, change=change, days=length, days_known=known)


def _engagement_rate(days: pl.DataFrame) -> tuple[float | None, int]:
    """Engagements / views of the days on which both are known, and the number of these days."""
    known = days.filter(pl.col("engagements").is_not_null(), pl.col("video_views").is_not_null())
    views, engagements = int(known["video_views"].sum()), int(known["engagements"].sum())
    return (engagements / views if views > 0 else None), known.height


def _followers(days: pl.DataFrame, last: dt.date, length: int, *, is_fixed: bool) -> Headline:
    known = days.filter(pl.col("followers").is_not_null(), pl.col("date") <= last).sort("date")
    newest = known.tail(1)
    at = newest["date"].max()
    is_recent = isinstance(at, dt.date) and (last - at).days < length
    value = _number(newest["followers"].max()) if is_recent else None
    day_before = at - dt.timedelta(days=length) if isinstance(at, dt.date) else last
    past = _number(known.filter(pl.col("date") == day_before)["followers"].max())
    if is_fixed and at != last:
        past = None
    return Headline(
        name="Followers",
        kind="stock",
        value=value,
        before=past,
        change=_growth(value, past),
        days=length,
        days_known=length if value is not None else 0,
        at=at if is_recent and isinstance(at, dt.date) else None,
    )


def _growth(value: float | None, before: float | None) -> float | None:
    return value / before - 1 if value is not None and before is not None and before > 0 and value >= 0 else None


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) else None


def newest_snapshots(videos: pl.DataFrame) -> pl.DataFrame:
    """The newest snapshot of known views of each video, most views first, with its last known watch time."""
    watched = [pl.col(name).forward_fill().over("video_id") for name in ("average_watch_time", "completion_rate")]
    return (
        videos.sort("video_id", "date")
        .with_columns(watched)
        .filter(pl.col("total_views").is_not_null())
        .unique("video_id", keep="last", maintain_order=True)
        .sort("total_views", "video_id", descending=[True, False])
    )


def engagement_rate_of_video() -> pl.Expr:
    """(likes + comments + shares) / views of a snapshot; null if one is unknown or a total is below 0."""
    totals = [pl.col(f"total_{name}") for name in ("likes", "comments", "shares")]
    sound = pl.all_horizontal(total >= 0 for total in totals) & (pl.col("total_views") > 0)
    return pl.when(sound).then(pl.sum_horizontal(totals) / pl.col("total_views"))


def newest_shares(audience: pl.DataFrame, whose: str, dimension: str) -> pl.DataFrame:
    """The shares of the newest day with any: date, value, share; largest first, ages in their own order."""
    rows = audience.filter(
        pl.col("audience") == whose, pl.col("dimension") == dimension, pl.col("share").is_not_null()
    ).filter(pl.col("date") == pl.col("date").max())
    by_age = dimension == "age_range"
    order = ["value"] if by_age else ["share", "value"]
    return rows.select("date", "value", "share").sort(order, descending=[False] if by_age else [True, False])


def activity_by_hour(audience: pl.DataFrame) -> pl.DataFrame:
    """24 rows: ``hour``, ``active_followers`` (mean of the newest ``ACTIVE_DAYS`` days), ``days`` that contain it."""
    known = audience.filter(pl.col("dimension") == "active_time", pl.col("count").is_not_null())
    recent = known.filter(pl.col("date") > pl.col("date").max().dt.offset_by(f"-{ACTIVE_DAYS}d"))
    means = recent.group_by("hour").agg(
        active_followers=pl.col("count").mean(), days=pl.col("date").n_unique().cast(pl.Int64)
    )
    hours = pl.DataFrame({"hour": list(range(24))}, schema={"hour": pl.Int64})
    return hours.join(means, on="hour", how="left").with_columns(pl.col("days").fill_null(0)).sort("hour")


def recent_events(anomalies: pl.DataFrame, last: dt.date) -> pl.DataFrame:
    """Correct but unusual days among the last ``RECENT`` days, newest first."""
    since = last - dt.timedelta(days=RECENT)
    return anomalies.filter(pl.col("kind") == "event", pl.col("date") > since).sort("date", descending=True)


def data_errors(anomalies: pl.DataFrame) -> pl.DataFrame:
    """Days with misleading or missing numbers, newest first."""
    return anomalies.filter(pl.col("kind") == "data_error").sort("date", descending=True)
