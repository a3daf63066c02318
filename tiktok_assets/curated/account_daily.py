"""How did an account do on a day? Overview, viewers, followers and insights side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, conform

_KEY = ["account", "date"]


class DayMetrics(pa.DataFrameModel):
    """What exports tell of an account's day. Null is unknown."""

    date: pl.Date = pa.Field(description="the day, as its export labels it")
    video_views: int = pa.Field(nullable=True, description="views of all videos on the day")
    unique_viewers: int = pa.Field(nullable=True, description="people who watched; never to be summed over days")
    new_viewers: int = pa.Field(nullable=True, description="first-time viewers")
    returning_viewers: int = pa.Field(nullable=True, description="viewers who had watched before")
    profile_views: int = pa.Field(nullable=True, description="visits of the profile")
    likes: int = pa.Field(nullable=True, description="likes less likes taken back; may be negative")
    comments: int = pa.Field(nullable=True, description="comments less comments removed; may be negative")
    shares: int = pa.Field(nullable=True, description="shares; may be negative")
    followers: int = pa.Field(nullable=True, description="followers at the end of the day")
    following: int = pa.Field(
        nullable=True, description="accounts followed, as Studio showed it when it was read on the day"
    )
    date_label: pl.Date = pa.Field(description="the day as the export labelled it; the day where only insights tell it")
    date_shift_days: int = pa.Field(description="date_label minus date, in days")


class AccountDaily(DayMetrics):
    """One row per account and day that at least one report speaks of."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    reach: int = pa.Field(nullable=True, description="reached audience (Business Suite)")
    engaged_audience: int = pa.Field(nullable=True, description="engaged audience (Business Suite)")
    new_followers: int = pa.Field(nullable=True, description="new followers (Business Suite)")
    lost_followers: int = pa.Field(nullable=True, description="lost followers (Business Suite)")
    clicks: int = pa.Field(nullable=True, description="phone number clicks (Business Suite)")
    leads: int = pa.Field(nullable=True, description="leads submitted (Business Suite)")
    export_id: str = pa.Field(nullable=True, description="export behind the Overview columns")
    viewers_export_id: str = pa.Field(nullable=True, description="export behind the viewer columns")
    followers_export_id: str = pa.Field(nullable=True, description="export behind followers")
    insights_export_id: str = pa.Field(nullable=True, description="insights file behind following")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _KEY


class SocialMediaStats(DayMetrics, WarehouseRow):
    """One row per account and day. Rate and growth columns are null."""

    handle: str = pa.Field(nullable=True, description="the account's handle")
    engagements: int = pa.Field(nullable=True, description="likes + comments + shares")
    engagement_rate: float = pa.Field(nullable=True, description="engagements / video_views")
    virality_rate: float = pa.Field(nullable=True, description="shares / video_views")
    net_followers: int = pa.Field(nullable=True, description="followers minus followers of the day before")
    follower_growth_rate: float = pa.Field(nullable=True, description="net_followers / followers of the day before")
    video_views_7d_avg: float = pa.Field(nullable=True, description="mean views of the 7 days up to this one")
    video_views_growth_7d: float = pa.Field(
        nullable=True, description="views against the day 7 days before, as a ratio"
    )
    video_views_growth_28d: float = pa.Field(
        nullable=True, description="views against the day 28 days before, as a ratio"
    )
    anomalies: list[str] = pa.Field(nullable=True, description="names of data errors and events; null: not examined")
    is_settled: bool = pa.Field(nullable=True, description="whether the numbers have stopped moving")
    viewers_export_id: str = pa.Field(nullable=True, description="export behind the viewer columns")
    followers_export_id: str = pa.Field(nullable=True, description="export behind followers")
    insights_export_id: str = pa.Field(nullable=True, description="insights file behind following")

    class Config(WarehouseRow.Config):
        unique = ["platform", *_KEY]


def account_daily(
    overview: pl.DataFrame, viewers: pl.DataFrame, follower_history: pl.DataFrame, insights: pl.DataFrame
) -> pl.DataFrame:
    """The three daily reports and insights joined on account and day; what lacks a day leaves its columns null.

    Where two reports tell the same Business Suite metric, Overview's is taken first. ``followers`` are the export's,
    which tells the end of a day; insights tell the moment they were read.
    """
    viewers = viewers.rename({"export_id": "viewers_export_id"})
    followers = follower_history.rename({"export_id": "followers_export_id"})
    joined = overview.join(viewers, on=_KEY, how="full", coalesce=True, suffix="_of_viewers").join(
        followers, on=_KEY, how="full", coalesce=True, suffix="_of_followers"
    )
    joined = joined.join(_following(insights), on=_KEY, how="full", coalesce=True)
    shared = ("date_label", "date_shift_days", "reach", "new_followers")
    told = {name: [column for column in joined.columns if column.split("_of_")[0] == name] for name in shared}
    return conform(
        joined.with_columns(pl.coalesce(columns).alias(name) for name, columns in told.items()).with_columns(
            pl.col("date_label").fill_null(pl.col("date")), pl.col("date_shift_days").fill_null(0)
        ),
        AccountDaily,
    ).sort(_KEY)


def _following(insights: pl.DataFrame) -> pl.DataFrame:
    told = insights.filter((pl.col("metric") == "following") & pl.col("value").is_not_null())
    return told.select(*_KEY, following=pl.col("value").cast(pl.Int64), insights_export_id=pl.col("export_id"))


def with_handles(rows: pl.DataFrame, handles: Mapping[str, str]) -> pl.DataFrame:
    """``rows`` with the ``handle`` of each account, where they do not tell one themselves."""
    known = pl.col("account").replace_strict(handles, default=None, return_dtype=pl.String)
    return rows.with_columns(handle=pl.coalesce("handle", known) if "handle" in rows.columns else known)
