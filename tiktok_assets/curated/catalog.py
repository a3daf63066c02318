"""What does a column mean, in which unit, and what is it computed from? What every table's documentation shares.

Descriptions are the schemas'. Does not belong here: Dagster's words for them (``assets``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_ENGAGEMENT = ("total_likes", "total_comments", "total_shares")
_EFFECT = ("total_views", "age_days")

COMPUTED: Mapping[str, Sequence[str]] = {
    "engagements": ("likes", "comments", "shares"),
    "engagement_rate": ("engagements", "video_views", *_ENGAGEMENT, "total_views"),
    "virality_rate": ("shares", "video_views", "total_shares", "total_views"),
    "net_followers": ("followers", "new_followers", "lost_followers"),
    "follower_growth_rate": ("followers",),
    "video_views_7d_avg": ("video_views",),
    "engagements_7d_avg": ("engagements",),
    "video_views_growth_1d": ("video_views",),
    "video_views_growth_7d": ("video_views",),
    "video_views_growth_28d": ("video_views",),
    "anomalies": ("video_views", "profile_views", "likes", "comments", "shares", "unique_viewers", "followers"),
    "hashtags": ("title",),
    "publish_hour_local": ("published_at", "post_date"),
    "publish_weekday_local": ("published_at", "post_date"),
    "views_gained": ("total_views",),
    "gained_over_days": ("date", "total_views"),
    "age_days": ("date", "published_at", "post_date"),
    "views_per_day": ("total_views", "age_days"),
    "is_latest": ("date",),
    **dict.fromkeys(("label", "starts_on", "days", "period"), ("date",)),
    **dict.fromkeys(("days_known", "is_complete", "video_views_daily_avg", "video_views_growth"), ("video_views",)),
    "unique_viewers_daily_avg": ("unique_viewers",),
    "engagements_growth": ("engagements",),
    "daily_growth": ("views_gained", "gained_over_days", "total_views", "age_days"),
    **dict.fromkeys(("views_vs_median", "peers"), _EFFECT),
    "reason": ("daily_growth", "views_vs_median"),
    "rank": ("total_views",),
    "n": ("video_id",),
    **dict.fromkeys(("effect", "effect_low", "effect_high", "evidence"), _EFFECT),
    "weekday": ("publish_weekday_local",),
    "hour": ("publish_hour_local",),
    "hashtag": ("hashtags",),
    "account_periods.net_followers": ("followers",),
    **dict.fromkeys(("anomaly", "check", "kind", "severity", "first_day", "last_day", "sentence"), ("anomalies",)),
    **dict.fromkeys(("passed", "data_errors", "events"), ("anomalies",)),
    **dict.fromkeys(("data_quality.table", "days_examined"), ("date",)),
    **dict.fromkeys(("anomalies.value", "anomalies.usual"), ("anomalies",)),
    **dict.fromkeys(
        (f"account_benchmarks.{name}" for name in ("metric", "value", "roster_median", "percentile", "accounts")),
        ("video_views", "likes", "comments", "shares", "followers"),
    ),
}
"""By computed column, as ``column`` or ``table.column``: those of its own table or of the tables before that it is made
of. A name that several tables have names the parts of all of them; each table has some."""

_UNITS: Mapping[str, str] = {
    r"average_watch_time": "seconds",
    r"daily_growth|views_vs_median|effect|effect_low|effect_high|lift": "times",
    r"share|percentile|completion_rate": "0 to 1",
    r"\w*_rate|views_per_follower": "ratio",
    r"\w*_growth(_\d+d)?": "ratio; 0 is no change",
    r"\w*_avg": "mean a day",
    r"views_per_day": "views a day",
    r"(\w+_)?days(_\w+)?": "days",
    r"hour|publish_hour_local": "hour, 0 to 23",
    r"weekday|publish_weekday_local": "weekday, 1 is Monday",
    r"rank": "place, 1 is the first",
    r"value|roster_median|usual": "that of what the row tells: its metric, or the count that is unusual",
}
_UNITS_OF_TYPES: Mapping[str, str] = {
    "Date": "day",
    "Datetime": "moment (UTC)",
    "Boolean": "true or false",
    "String": "text",
    "List": "list of texts",
    "Int64": "count",
}


def unit_of(column: str, dtype: str) -> str:
    """The unit of a column by its name, else by its type as Polars writes it. Raises KeyError where neither tells."""
    if dtype not in ("String", "Date"):
        for pattern, unit in _UNITS.items():
            if re.fullmatch(pattern, column):
                return unit
    return _UNITS_OF_TYPES[dtype.partition("(")[0]]
