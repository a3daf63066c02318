"""How does a video grow? Each snapshot compared with the one before it, and with its publication.

Belongs here: one video at a time. Does not belong here: other videos of the account (``viral``, ``equal_age``).

The upload time is in the video's id. A scheduled video is published later, at an hour that no export contains: its
post date is its day, and its hour is null.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import made_of
from tiktok_assets.curated.measures import ratio

LOOK_BACK = 366
"""Days, the longest window of Studio. A snapshot before that is too long ago to count views from."""

VIDEO = ["account", "video_id"]
_TOTALS = ("total_likes", "total_comments", "total_shares")
GROWN_FROM = (*VIDEO, "date", "published_at", "post_date", "total_views", *_TOTALS)
"""The columns of a snapshot that ``with_growth`` needs."""


class VideoGrowth(pa.DataFrameModel):
    """What ``with_growth`` adds to a snapshot. Null is unknown."""

    publish_hour_local: int = pa.Field(
        nullable=True,
        ge=0,
        le=23,
        description="hour of publication on the account's clock; null for scheduled videos, and where accounts.toml "
        "has no timezone",
        metadata=made_of("published_at", "post_date"),
    )
    publish_weekday_local: int = pa.Field(
        nullable=True,
        ge=1,
        le=7,
        description="weekday of publication on the account's calendar, 1 is Monday",
        metadata=made_of("published_at", "post_date"),
    )
    views_gained: int = pa.Field(
        nullable=True,
        description="total_views minus those of the last snapshot before with known views; below 0 where TikTok took "
        f"views back; null for the first, and where that is more than {LOOK_BACK} days before",
        metadata=made_of("total_views"),
    )
    gained_over_days: int = pa.Field(
        nullable=True, ge=1, description="days between these two snapshots", metadata=made_of("date", "total_views")
    )
    engagement_rate: float = pa.Field(
        nullable=True,
        description="(likes + comments + shares) / views, lifetime totals",
        metadata=made_of("total_likes", "total_comments", "total_shares", "total_views"),
    )
    virality_rate: float = pa.Field(
        nullable=True, description="shares / views, lifetime totals", metadata=made_of("total_shares", "total_views")
    )
    age_days: int = pa.Field(
        nullable=True,
        ge=0,
        description="days from publication to the snapshot (calendar, UTC)",
        metadata=made_of("date", "published_at", "post_date"),
    )
    views_per_day: float = pa.Field(
        nullable=True,
        description="total_views / age_days; null on the day of the publication",
        metadata=made_of("total_views", "age_days"),
    )


def with_growth(videos: pl.DataFrame, timezones: Mapping[str, str | None]) -> pl.DataFrame:
    """Snapshots (``Videos``) with the columns of ``VideoGrowth``; rows come back sorted by account, video and date.

    ``timezones``: IANA name by account; None is unknown, not UTC.
    """
    views = pl.col("total_views")
    # Lifetime totals cannot be negative. One that is, is an error of the source, and no rate is made of it.
    likes, comments, shares = (pl.when(pl.col(total) >= 0).then(pl.col(total)) for total in _TOTALS)
    return (
        _with_publication(videos, timezones)
        .sort(*VIDEO, "date")
        .with_columns(
            _known_on=pl.when(views.is_not_null()).then("date").forward_fill().shift(1).over(VIDEO),
            _known_views=views.forward_fill().shift(1).over(VIDEO),
            engagement_rate=ratio(likes + comments + shares, views),
            virality_rate=ratio(shares, views),
            age_days=(pl.col("date") - pl.col("_published_on")).dt.total_days(),
        )
        .with_columns(
            gained_over_days=(pl.col("date") - pl.col("_known_on")).dt.total_days(),
            age_days=pl.when(pl.col("age_days") >= 0).then("age_days"),
        )
        .with_columns(
            gained_over_days=pl.when(views.is_not_null(), pl.col("gained_over_days") <= LOOK_BACK).then(
                "gained_over_days"
            ),
            views_per_day=ratio(views, pl.col("age_days")),
        )
        .with_columns(
            views_gained=pl.when(pl.col("gained_over_days").is_not_null()).then(views - pl.col("_known_views"))
        )
        .drop("_known_on", "_known_views", "_published_on")
    )


def with_latest(videos: pl.DataFrame) -> pl.DataFrame:
    """Snapshots with ``is_latest``, right only if ``videos`` holds every snapshot known: later ones decide it."""
    return videos.with_columns(is_latest=pl.col("date") == pl.col("date").max().over(VIDEO))


def _with_publication(videos: pl.DataFrame, timezones: Mapping[str, str | None]) -> pl.DataFrame:
    """Adds the local hour and weekday of the publication, and its day for the age (``_published_on``)."""
    uploaded_on = pl.col("published_at").dt.date()
    # Calendars of the world differ by a day at most, so without a timezone only two days prove a schedule.
    latest_local_day = pl.coalesce("_local_date", uploaded_on.dt.offset_by("1d"))
    scheduled = (pl.col("post_date") > latest_local_day).fill_null(value=False)
    return (
        _with_local_clock(videos, timezones)
        .with_columns(
            publish_hour_local=pl.when(~scheduled).then(pl.col("_local_hour").cast(pl.Int64)),
            publish_weekday_local=pl.when(scheduled)
            .then("post_date")
            .otherwise(pl.coalesce("_local_date", "post_date"))
            .dt.weekday()
            .cast(pl.Int64),
            _published_on=pl.when(scheduled).then("post_date").otherwise(pl.coalesce(uploaded_on, "post_date")),
        )
        .drop("_local_date", "_local_hour")
    )


def _with_local_clock(videos: pl.DataFrame, timezones: Mapping[str, str | None]) -> pl.DataFrame:
    """Adds date and hour of the upload in each account's timezone."""
    zones = sorted({zone for zone in timezones.values() if zone})
    local = {
        zone: pl.when(pl.col("account").is_in([account for account in timezones if timezones[account] == zone])).then(
            pl.col("published_at").dt.convert_time_zone(zone).dt.replace_time_zone(None)
        )
        for zone in zones
    }
    clock = pl.coalesce(*local.values(), pl.lit(None, dtype=pl.Datetime("us")))
    return videos.with_columns(_local_date=clock.dt.date(), _local_hour=clock.dt.hour())
