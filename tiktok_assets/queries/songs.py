"""What the published warehouse says of songs: how each stands on each account, and what could recognise another.

Belongs here: reading. Does not belong here: what is gained (``curated.songs.gains``), what is suggested
(``curated.songs.suggestions``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.curated.songs.gains import recent_gains
from tiktok_assets.curated.songs.suggestions import suggestions
from tiktok_assets.queries.published import read_table
from tiktok_assets.settings import Settings

WINDOW = 28
"""Days that ``standing`` looks back."""

_DAYS = (
    "account, date as day, video_id, views, views_low, views_high, total_views_low, total_views_high",
    "video_daily semi join song_videos using (account, video_id)",
)
_SNAPSHOTS = (
    "account, captured_on as date, video_id, title, hashtags, published_at, publish_date as post_date",
    "content_performance",
)


def standing(settings: Settings) -> pl.DataFrame:
    """One row per song and account with its videos: see ``recent_gains``. Raises NoWarehouse."""
    columns, days = _DAYS
    videos = read_table(settings, "song_videos", "account, song, video_id, published_on")
    return recent_gains(read_table(settings, days, columns), videos, WINDOW)


def suggested(settings: Settings, around: dt.date, days: int) -> pl.DataFrame:
    """The rows of ``Suggestions``. Raises NoWarehouse."""
    columns, snapshots = _SNAPSHOTS
    known = read_table(settings, "song_videos", "account, video_id")
    return suggestions(read_table(settings, snapshots, columns), known, around, days)
