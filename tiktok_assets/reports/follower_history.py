"""FollowerHistory: how many followers an account has, day by day."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import count, day_rows, text, typed
from tiktok_assets.reports.report import Report, StagedDay


class FollowerHistory(StagedDay):
    """One row per account and day. Growth is computed from ``followers`` only."""

    followers: int = pa.Field(nullable=True, ge=0, description="followers at the end of the day")
    follower_difference: int = pa.Field(
        nullable=True,
        description="as exported; some exports mean the difference to the previous day, others to the next",
    )
    new_followers: int = pa.Field(nullable=True, description="new followers (Business Suite)")
    reach: int = pa.Field(nullable=True, description="reached audience (Business Suite)")
    engaged_audience: int = pa.Field(nullable=True, description="engaged audience (Business Suite)")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows. Beside ``undefined`` followers the difference is a placeholder 0: it is unknown too."""
    values = typed(
        rows,
        {
            "followers": count(text(rows, "followers", "total followers"), least=0),
            "follower_difference": count(text(rows, "difference in followers from previous day")),
            "new_followers": count(text(rows, "new followers")),
            "reach": count(text(rows, "reached audience")),
            "engaged_audience": count(text(rows, "engaged audience")),
        },
    )
    difference = pl.col("follower_difference")
    placeholder = pl.col("followers").is_null() & (difference == 0)
    return day_rows(values.with_columns(follower_difference=pl.when(~placeholder).then(difference)))


FOLLOWER_HISTORY = Report(
    name="follower_history",
    section="followers",
    headers={
        "studio": ("Date", "Followers", "Difference in followers from previous day"),
        "business_suite": ("Date", "New followers", "Total followers", "Reached audience", "Engaged audience"),
    },
    signature=(("date",), ("followers", "total followers")),
    alternatives=(("followers", "total followers"),),
    label="Date",
    grain=("date",),
    unit=("date",),
    description="Followers at the end of the day.",
    parse=parse,
    schema=FollowerHistory,
    parser_version="1",
)
