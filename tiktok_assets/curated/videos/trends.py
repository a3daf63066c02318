"""Which hashtags are over-represented among the viral videos of all accounts right now?

Across accounts and of one moment, so no partition of one account can hold it. A small count is given as such: no
effect is claimed here (``hashtags`` does that, account by account).
"""

from __future__ import annotations

import datetime as dt

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated.measures import ratio

WINDOW = 28
"""Days up to the day asked for."""
MIN_VIRAL = 2
"""One viral video is no trend."""


class ViralTrends(pa.DataFrameModel):
    """One row per hashtag of at least 2 viral videos."""

    date: pl.Date = pa.Field(description=f"the last of the {WINDOW} days that count")
    hashtag: str = pa.Field(unique=True, description="lower case, without #")
    viral_videos: int = pa.Field(ge=MIN_VIRAL, description="videos with the hashtag found viral in the window")
    accounts: int = pa.Field(ge=1, description="accounts of these videos")
    viral_views: int = pa.Field(nullable=True, description="total_views of these videos, each when it was found viral")
    videos: int = pa.Field(ge=MIN_VIRAL, description="videos with the hashtag in exports of the window")
    lift: float = pa.Field(
        nullable=True,
        description="x: share of viral videos among those with the hashtag / the same share among all videos",
    )
    example_link: str = pa.Field(nullable=True, description="address of the one with the most views")

    class Config(pa.DataFrameModel.Config):
        strict = True


def viral_hashtags(viral: pl.DataFrame, videos: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """The trends as of ``day``, the widest first: most accounts, then most viral videos.

    ``viral``: rows of ``ViralVideos``; ``videos``: snapshots (``Videos``). Of any accounts and days.
    """
    window = (pl.col("date") > day - dt.timedelta(days=WINDOW)) & (pl.col("date") <= day)
    video = ["account", "video_id"]
    found = viral.filter(window).sort("total_views", descending=True).unique(video, keep="first", maintain_order=True)
    newest = videos.filter(window).sort(*video, "date").unique(video, keep="last", maintain_order=True)
    marked = newest.select(*video, "hashtags").join(
        found.select(*video, "link", _viral_views="total_views"), on=video, how="left"
    )
    is_viral = pl.col("_viral_views").is_not_null()
    viral_share = ratio(is_viral.sum(), pl.len())
    tagged = marked.with_columns(_roster=viral_share, hashtag=pl.col("hashtags").list.unique()).explode("hashtag")
    return (
        tagged.drop_nulls("hashtag")
        .group_by("hashtag")
        .agg(
            is_viral.sum().cast(pl.Int64).alias("viral_videos"),
            pl.col("account").filter(is_viral).n_unique().cast(pl.Int64).alias("accounts"),
            pl.col("_viral_views").sum().alias("viral_views"),
            pl.len().cast(pl.Int64).alias("videos"),
            ratio(viral_share, pl.col("_roster").first()).alias("lift"),
            pl.col("link").sort_by("_viral_views", descending=True, nulls_last=True).first().alias("example_link"),
        )
        .filter(pl.col("viral_videos") >= MIN_VIRAL)
        .with_columns(date=pl.lit(day))
        .select(list(ViralTrends.to_schema().columns))
        .sort(["accounts", "viral_videos", "hashtag"], descending=[True, True, False])
    )
