"""What is a derived number made of? Its formula in words, and the metrics and days in it, for tracing it back.

Does not belong here: computing them (``metrics``, ``video_growth``), which columns a table's column is made of
(``lineage``: that knows no days).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Formula:
    """What a derived number is made of: other metrics, on the same day and on days before it."""

    text: str
    metrics: tuple[str, ...]
    days_before: tuple[int, ...] = (0,)
    over: str | None = None
    """The column with the number of days back to the other day, where that differs from row to row."""


_ENGAGEMENTS = ("likes", "comments", "shares")
_ALL_ENGAGEMENTS = ("total_likes", "total_comments", "total_shares")
OF_DAY: Mapping[str, Formula] = {
    "engagements": Formula("likes + comments + shares", _ENGAGEMENTS),
    "engagement_rate": Formula("(likes + comments + shares) / video_views", (*_ENGAGEMENTS, "video_views")),
    "virality_rate": Formula("shares / video_views", ("shares", "video_views")),
    "net_followers": Formula(
        "followers - followers of the day before (where unknown, the net growth Business Suite reports)",
        ("followers",),
        (0, 1),
    ),
    "follower_growth_rate": Formula("net_followers / followers of the day before", ("followers",), (0, 1)),
    "video_views_7d_avg": Formula("mean video_views of the 7 days up to this one", ("video_views",), tuple(range(7))),
    "engagements_7d_avg": Formula("mean engagements of the 7 days up to this one", ("engagements",), tuple(range(7))),
    "video_views_growth_1d": Formula("video_views / video_views of the day before - 1", ("video_views",), (0, 1)),
    "video_views_growth_7d": Formula("video_views / video_views of 7 days before - 1", ("video_views",), (0, 7)),
    "video_views_growth_28d": Formula("video_views / video_views of 28 days before - 1", ("video_views",), (0, 28)),
}
OF_VIDEO: Mapping[str, Formula] = {
    "engagement_rate": Formula(
        "(total_likes + total_comments + total_shares) / total_views", (*_ALL_ENGAGEMENTS, "total_views")
    ),
    "virality_rate": Formula("total_shares / total_views", ("total_shares", "total_views")),
    "views_gained": Formula(
        "total_views - total_views of the snapshot before", ("total_views",), over="gained_over_days"
    ),
    "views_per_day": Formula(
        "total_views / days since the upload, whose second is in the video's id", ("total_views",)
    ),
}
