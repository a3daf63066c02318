"""FollowerActivity: how many followers were active in each hour of the last days."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import count, day_rows, hour, text, typed
from tiktok_assets.reports.report import Report, StagedDay


class FollowerActivity(StagedDay):
    """One row per account, day and local hour."""

    hour: int = pa.Field(ge=0, le=23, description="hour of the day on the account's local clock, 0 to 23")
    active_followers: int = pa.Field(nullable=True, ge=0, description="followers active in the hour, as exported")
    is_zero_tail: bool = pa.Field(
        description="True for the zeros at the end of an export: data ends at 00:00 UTC and TikTok fills up with 0"
    )


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows. The zeros after the last counted hour of an export are marked, not removed."""
    values = day_rows(
        typed(
            rows,
            {"hour": hour(text(rows, "hour")), "active_followers": count(text(rows, "active followers"), least=0)},
        )
    )
    moment = pl.col("date_label").dt.combine(pl.time(0)) + pl.duration(hours=pl.col("hour"))
    last_counted = moment.filter(pl.col("active_followers") != 0).max().over("export_id", "member")
    after = (moment > last_counted).fill_null(value=True)
    return values.with_columns(is_zero_tail=after & (pl.col("active_followers") == 0).fill_null(value=False))


FOLLOWER_ACTIVITY = Report(
    name="follower_activity",
    section="followers",
    headers={"studio": ("Date", "Hour", "Active followers")},
    signature=(("date",), ("hour",), ("active followers",)),
    label="Date",
    grain=("date", "hour"),
    unit=("date", "hour"),
    description="Active followers by local hour, for the last 6 to 8 days before the download.",
    parse=parse,
    schema=FollowerActivity,
    parser_version="1",
)
