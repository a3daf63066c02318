"""What do an account's daily counts amount to? Rates, growth and averages of a day.

Belongs here: measures of one day, or of a day and those before it. Does not belong here: weeks and months
(``periods``), what is unusual (``quality``), other accounts (``benchmarks``).

Counts are net: 7 comments removed and none written are -7. Sums and rates keep the sign, so that the rate of a week is
the rate of its days weighted by views. A rate below 0 therefore means that more was taken back than given.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import made_of
from tiktok_assets.curated.measures import ENGAGEMENTS, before, growth, ratio, with_earlier

LOOK_BACK = 28
"""Days before the first requested day that ``with_metrics`` needs."""

_KEY = ["account", "date"]


class DayRates(pa.DataFrameModel):
    """What ``with_metrics`` adds to a day. Null is unknown."""

    engagements: int = pa.Field(
        nullable=True,
        description="likes + comments + shares; net, may be negative",
        metadata=made_of("likes", "comments", "shares"),
    )
    engagement_rate: float = pa.Field(
        nullable=True,
        description="engagements / video_views; below 0 where more was taken back than given",
        metadata=made_of("engagements", "video_views"),
    )
    virality_rate: float = pa.Field(
        nullable=True, description="shares / video_views", metadata=made_of("shares", "video_views")
    )
    net_followers: int = pa.Field(
        nullable=True,
        description="followers minus followers of the calendar day before; where these are unknown, the net growth "
        "that Business Suite reports, or its new minus lost followers",
        metadata=made_of("followers", "new_followers", "lost_followers"),
    )
    follower_growth_rate: float = pa.Field(
        nullable=True, description="net_followers / followers of the day before", metadata=made_of("followers")
    )
    video_views_7d_avg: float = pa.Field(
        nullable=True,
        description="mean video_views of the 7 calendar days up to this one; null unless all are known",
        metadata=made_of("video_views"),
    )
    engagements_7d_avg: float = pa.Field(
        nullable=True,
        description="mean engagements of the 7 calendar days up to this one; null unless all are known",
        metadata=made_of("engagements"),
    )
    video_views_growth_1d: float = pa.Field(
        nullable=True,
        description="video_views / those of the calendar day before, minus 1 (0.5: half as many again)",
        metadata=made_of("video_views"),
    )
    video_views_growth_7d: float = pa.Field(
        nullable=True,
        description="video_views / those of exactly 7 calendar days before, minus 1",
        metadata=made_of("video_views"),
    )
    video_views_growth_28d: float = pa.Field(
        nullable=True,
        description="video_views / those of exactly 28 calendar days before, minus 1",
        metadata=made_of("video_views"),
    )


def with_metrics(days: pl.DataFrame) -> pl.DataFrame:
    """``days`` (account, date, video_views, likes, comments, shares, followers) with the columns of ``DayRates``.

    One row per account and day, in any order; days without a row are unknown days. Rows come back sorted.
    """
    rows = days.sort(_KEY).with_columns(engagements=ENGAGEMENTS)
    for distance, columns in ((1, ("video_views", "followers")), (7, ("video_views",)), (28, ("video_views",))):
        rows = with_earlier(rows, distance, *columns)
    views, followers_before = pl.col("video_views"), pl.col(before("followers", 1))
    return rows.with_columns(
        engagement_rate=ratio(pl.col("engagements"), views),
        virality_rate=ratio(pl.col("shares"), views),
        net_followers=_net_followers(days),
        follower_growth_rate=ratio(pl.col("followers") - followers_before, followers_before),
        video_views_7d_avg=_mean_of_7_days("video_views"),
        engagements_7d_avg=_mean_of_7_days("engagements"),
        **{f"video_views_growth_{n}d": growth(views, pl.col(before("video_views", n))) for n in (1, 7, 28)},
    ).drop(before("followers", 1), *(before("video_views", n) for n in (1, 7, 28)))


def _net_followers(days: pl.DataFrame) -> pl.Expr:
    """Counted where two days are known, else as Business Suite reports it."""
    counted = pl.col("followers") - pl.col(before("followers", 1))
    reported = [pl.col("net_followers")] if "net_followers" in days.columns else []
    if {"new_followers", "lost_followers"} <= set(days.columns):
        reported.append(pl.col("new_followers") - pl.col("lost_followers"))
    return pl.coalesce(counted, *reported)


def _mean_of_7_days(column: str) -> pl.Expr:
    return pl.col(column).rolling_mean_by("date", window_size="7d", min_samples=7).over("account")
