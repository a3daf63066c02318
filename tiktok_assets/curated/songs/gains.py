"""How many views did a song's videos gain over several days? The sums of what each gained (``videos.gains``)."""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.curated.videos.gains import VIEWS, gains

SONG_VIDEO = ("account", "song", "video_id")
"""A video of a song: one of two songs counts for both."""


def sums_of_gains() -> list[pl.Expr]:
    """Of a song's ``gains``: ``videos``, ``videos_known``, and what these gained; null where one is unknown, or all."""
    is_known = pl.col("is_known")
    return [
        pl.len().cast(pl.Int64).alias("videos"),
        is_known.sum().cast(pl.Int64).alias("videos_known"),
        *(
            pl.when(is_known.any(), pl.col(name).filter("is_known").null_count() == 0)
            .then(pl.col(name).filter("is_known").sum())
            .alias(name)
            for name in VIEWS
        ),
    ]


def recent_gains(video_days: pl.DataFrame, videos: pl.DataFrame, days: int) -> pl.DataFrame:
    """One row per account and song: what its videos gained in the ``days`` up to the newest day known of them.

    With ``starts_on`` and ``ends_on``. ``video_days``: rows of ``VideoDaily``; ``videos``: rows of ``SongVideos``.
    """
    members = videos.group_by(SONG_VIDEO).agg(pl.col("published_on").max())
    known = video_days.join(members.drop("published_on"), on=["account", "video_id"])
    spans = known.group_by("account").agg(ends_on=pl.col("day").max())
    spans = spans.with_columns(starts_on=pl.col("ends_on") - dt.timedelta(days=days - 1))
    return (
        gains(members.join(spans, on="account"), known, SONG_VIDEO)
        .group_by("account", "song", "starts_on", "ends_on")
        .agg(sums_of_gains())
        .sort("song", "account")
    )
