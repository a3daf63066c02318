"""The rules by which a day is found anomalous, with their thresholds and sentences.

Belongs here: one ``Rule`` a finding, as data. Does not belong here: what the rules look at (``quality``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from tiktok_assets.curated.measures import before

UNUSUAL = 3.5
"""Score from which a day is an outlier (Iglewicz and Hoaglin, 1993)."""
TIMES = 3
"""It is also at least 3 times the usual, or a third of it at most. A single video on top moves an account's engagement
by up to 2.8 times, as rates of 3% to 14% go: which is not news in itself."""
VIEWS_RECORD = 5
ENGAGEMENT_RECORD = 3
"""Or, for accounts whose days vary too much for any score: so many times what 9 days in 10 stay below."""
LEAST_VIEWS = 100
"""Below this many views, found or usual, counts are too small to be unusual."""
LEAST_ENGAGEMENTS = 20
FOLLOWER_DROP = 0.1
LEAST_LOST = 3
"""Followers: two of ten leaving is a fifth, and no news."""
VIEWERS_TIMES = 2
"""Viewers beyond so many times the views, and more than them by ``LEAST_VIEWS``: up to 1.5 times was measured on days
of few views whose labels are right, 8.6 times on a day whose viewers are another day's."""
NET_REMOVALS = 10
"""Net removals of likes, comments or shares that still are ordinary; down to -7 was measured on 11 accounts."""

STOCKS = ("video_views", "profile_views", "unique_viewers", "new_viewers", "returning_viewers", "followers")
FLOWS = ("likes", "comments", "shares")
OVERVIEW = ("video_views", "profile_views", *FLOWS)


_DAY = pl.col("date")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One way in which a day is found anomalous. Expressions are over what ``quality`` makes of a day."""

    anomaly: str
    kind: Literal["data_error", "event"]
    severity: Literal["error", "warning", "info"]
    found: pl.Expr
    value: pl.Expr
    usual: pl.Expr
    sentence: Callable[[Mapping[str, Any]], str]
    """From the finding, and the columns of its day, to a sentence."""
    first_day: pl.Expr = _DAY
    last_day: pl.Expr = _DAY


def _is_outlier(name: str, record: float, *, certain: pl.Expr | None = None) -> pl.Expr:
    """Whether a day is far from the usual both in scores and in times; ``certain`` is variance known from elsewhere."""
    surprise, spread = pl.col(f"{name}_surprise"), pl.col(f"{name}_spread")
    if certain is not None:
        spread = (spread**2 + certain).sqrt()
    ordinary = pl.col(f"{name}_usual") + surprise - pl.col(f"{name}_ordinary")
    far = (surprise.abs() >= UNUSUAL * spread) & (surprise.abs() >= math.log(TIMES))
    return pl.col("sound") & (far | (ordinary >= math.log(record)))


_VIEWS = pl.col("video_views")
_FOLLOWERS, _FOLLOWERS_BEFORE = pl.col("followers"), pl.col(before("followers", 1))
_USUAL_VIEWS = pl.col("views_usual").exp() - 1
_UNKNOWN = pl.lit(None, dtype=pl.Float64)
_DROPPED = (_FOLLOWERS < (1 - FOLLOWER_DROP) * _FOLLOWERS_BEFORE) & (_FOLLOWERS_BEFORE - _FOLLOWERS >= LEAST_LOST)
_MISSING_DAYS = (pl.col("date") - pl.col("known_before")).dt.total_days() - 1
_LEAST_FLOW = pl.min_horizontal(FLOWS)


def _times(row: Mapping[str, Any]) -> str:
    """ "13 times" or "11% of": how the finding compares with the usual."""
    ratio = row["_value"] / row["_usual"] if row["_usual"] else math.inf
    return (
        f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times" if ratio > 1 else f"only {max(ratio, 0):.0%} of"
    )


def _named(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return " and ".join(
        f"{name.replace('_', ' ')} {row[name]:,}" for name in names if row.get(name) is not None and row[name] < 0
    )


RULES = (
    Rule(
        anomaly="duplicate_entry",
        kind="data_error",
        severity="error",
        found=pl.col("repeated"),
        value=_VIEWS,
        usual=_UNKNOWN,
        sentence=lambda row: f"{row['date']:%-d %B %Y} is stored more than once; sums count it twice.",
    ),
    Rule(
        anomaly="duplicate_entry",
        kind="data_error",
        severity="error",
        found=pl.col("same_as_before"),
        value=_VIEWS,
        usual=pl.col(before("video_views", 1)),
        first_day=pl.col("date").dt.offset_by("-1d"),
        sentence=lambda row: (
            f"All counts equal those of the day before ({row['video_views']:,} views): TikTok probably labelled one "
            "day with two dates, so it is counted twice. Export these days again."
        ),
    ),
    Rule(
        anomaly="negative_count",
        kind="data_error",
        severity="error",
        found=pl.col("below_zero"),
        value=pl.min_horizontal(*(pl.col(f"^({'|'.join(STOCKS)})$"),)),
        usual=_UNKNOWN,
        sentence=lambda row: f"A count that cannot be below 0 is: {_named(row, STOCKS)}.",
    ),
    Rule(
        anomaly="negative_count",
        kind="event",
        severity="warning",
        found=_LEAST_FLOW < -NET_REMOVALS,
        value=_LEAST_FLOW,
        usual=_UNKNOWN,
        sentence=lambda row: f"Many more were removed than given: {_named(row, FLOWS)}.",
    ),
    Rule(
        anomaly="views_below_engagement",
        kind="data_error",
        severity="error",
        found=pl.col("below_engagement"),
        value=pl.col("engagements"),
        usual=_VIEWS,
        sentence=lambda row: (
            f"{row['engagements']:,} likes, comments and shares on {row['video_views']:,} views: nobody engages "
            "without viewing, so one of the numbers is wrong."
        ),
    ),
    Rule(
        anomaly="viewers_above_views",
        kind="data_error",
        severity="warning",
        found=pl.col("sound")
        & (pl.col("unique_viewers") > VIEWERS_TIMES * _VIEWS)
        & (pl.col("unique_viewers") - _VIEWS >= LEAST_VIEWS),
        value=pl.col("unique_viewers"),
        usual=_VIEWS,
        sentence=lambda row: (
            f"{row['unique_viewers']:,} viewers on {row['video_views']:,} views: nobody watches without a view. TikTok "
            "probably reported the viewers of another day, so do not use those of this one."
        ),
    ),
    Rule(
        anomaly="missing_day",
        kind="data_error",
        severity="warning",
        found=_MISSING_DAYS > 0,
        value=_MISSING_DAYS,
        usual=_UNKNOWN,
        first_day=pl.col("known_before").dt.offset_by("1d"),
        last_day=pl.col("date").dt.offset_by("-1d"),
        sentence=lambda row: (
            f"No data for {row['_value']:.0f} day{'s' if row['_value'] > 1 else ''}, from "
            f"{row['_first']:%-d %B %Y} to {row['_last']:%-d %B %Y}: export that window again."
        ),
    ),
    Rule(
        anomaly="follower_drop",
        kind="data_error",
        severity="error",
        found=_DROPPED & (_FOLLOWERS <= 0),
        value=_FOLLOWERS,
        usual=_FOLLOWERS_BEFORE,
        sentence=lambda row: (
            f"Followers fell from {row['_usual']:,.0f} to none in a day: the number was probably lost."
        ),
    ),
    Rule(
        anomaly="follower_drop",
        kind="event",
        severity="warning",
        found=_DROPPED,
        value=_FOLLOWERS,
        usual=_FOLLOWERS_BEFORE,
        sentence=lambda row: (
            f"Followers fell from {row['_usual']:,.0f} to {row['_value']:,.0f} in a day "
            f"({row['_value'] / row['_usual'] - 1:.0%})."
        ),
    ),
    Rule(
        anomaly="views_outlier",
        kind="event",
        severity="info",
        found=_is_outlier("views", VIEWS_RECORD) & (pl.max_horizontal(_VIEWS, _USUAL_VIEWS) >= LEAST_VIEWS),
        value=_VIEWS,
        usual=_USUAL_VIEWS,
        sentence=lambda row: (
            f"{row['_value']:,.0f} views are {_times(row)} the {row['_usual']:,.0f} of a usual {row['date']:%A}."
        ),
    ),
    Rule(
        anomaly="engagement_outlier",
        kind="event",
        severity="warning",
        # Few engagements vary by chance alone: the variance of log(count) is about 1 / count.
        found=_is_outlier("rate", ENGAGEMENT_RECORD, certain=1 / (pl.col("expected_engagements") + 1))
        & (_VIEWS >= LEAST_VIEWS)
        & (pl.max_horizontal("engagements", "expected_engagements") >= LEAST_ENGAGEMENTS)
        & (_LEAST_FLOW >= -NET_REMOVALS),  # else it is reported as negative_count
        value=pl.col("engagements"),
        usual=pl.col("expected_engagements"),
        sentence=lambda row: (
            f"{row['_value']:,.0f} likes, comments and shares are {_times(row)} the {row['_usual']:,.0f} usual for "
            f"{row['video_views']:,} views."
        ),
    ),
)
