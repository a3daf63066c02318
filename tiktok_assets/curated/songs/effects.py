"""Do an account's videos of a song get other views than its others of that age and time? As ``equal_age`` judges it."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import made_of
from tiktok_assets.curated.videos.equal_age import Effect, residuals, sums, with_effects
from tiktok_assets.exports.months import month_of


class SongEffect(Effect):
    """One row per account and song with videos in the 12 months up to the end of the newest month."""

    song: str = pa.Field(description="the song's name in brackets of songs.toml", metadata=made_of("video_id"))


def song_effects(videos: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``SongEffect``, known at the end of the newest month of ``videos``.

    ``videos``: snapshots with the columns of ``Videos`` and ``VideoGrowth``; ``members``: ``account``, ``video_id`` and
    ``song`` of each video of a song.
    """
    months = videos.select(month_of(pl.col("date")).max())["date"].drop_nulls().to_list()
    rows = residuals(videos, months)
    of_songs = rows.join(members.unique(), on=["account", "video_id"]).select("account", "date", "residual", "song")
    return with_effects(rows, sums(of_songs, "song"), "song").select(list(SongEffect.to_schema().columns))
