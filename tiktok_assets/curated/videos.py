"""How does a video do? Its lifetime totals at each snapshot."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, conform
from tiktok_assets.reports.report import UtcTime

_HASHTAG = r"#([\p{L}\p{N}\p{M}_]+)"


class VideoMetrics(pa.DataFrameModel):
    """What an export tells of a video."""

    video_id: str = pa.Field(description="TikTok's id of the video")
    handle: str = pa.Field(nullable=True, description="handle in the video's link")
    title: str = pa.Field(nullable=True, description="caption with its hashtags; may be empty")
    hashtags: list[str] = pa.Field(nullable=True, description="hashtags in the title, lower case, without #")
    link: str = pa.Field(nullable=True, description="address of the video")
    published_at: UtcTime = pa.Field(
        nullable=True, description="upload time (UTC), from the video id; null for ids without it"
    )
    total_views: int = pa.Field(nullable=True, description="views since publication")
    total_likes: int = pa.Field(nullable=True, description="likes since publication")
    total_comments: int = pa.Field(nullable=True, description="comments since publication")
    total_shares: int = pa.Field(nullable=True, description="shares since publication")
    favorites: int = pa.Field(nullable=True, description="times added to favorites (Business Suite)")


class Videos(VideoMetrics):
    """One row per account, video and day of a snapshot."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    post_date: pl.Date = pa.Field(nullable=True, description="day of the post on the account's local calendar")
    export_id: str = pa.Field(nullable=True, description="export behind the numbers")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "video_id"]


class ContentPerformance(VideoMetrics, WarehouseRow):
    """One row per account, video and day of a snapshot. Totals are lifetime totals. Rate columns are null."""

    captured_on: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    publish_date: pl.Date = pa.Field(nullable=True, description="day of the post on the account's local calendar")
    publish_hour_local: int = pa.Field(nullable=True, description="hour of publication in the account's timezone")
    views_gained: int = pa.Field(nullable=True, description="views since the snapshot before")
    engagement_rate: float = pa.Field(nullable=True, description="(likes + comments + shares) / views")
    virality_rate: float = pa.Field(nullable=True, description="shares / views")
    average_watch_time: float = pa.Field(nullable=True, description="seconds; not part of the CSV exports")
    completion_rate: float = pa.Field(nullable=True, description="0 to 1; not part of the CSV exports")
    age_days: int = pa.Field(nullable=True, description="days from publication to the snapshot")
    views_per_day: float = pa.Field(nullable=True, description="total_views / age_days")
    is_latest: bool = pa.Field(nullable=True, description="whether this is the video's newest snapshot")

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "captured_on", "video_id"]


def videos(content: pl.DataFrame) -> pl.DataFrame:
    """Each snapshot of each video, with the hashtags of its title."""
    hashtags = (
        pl.col("title").str.to_lowercase().str.extract_all(_HASHTAG).list.eval(pl.element().str.strip_prefix("#"))
    )
    return conform(content.with_columns(hashtags=hashtags.list.unique(maintain_order=True)), Videos)
