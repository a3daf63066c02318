"""What the published warehouse says of songs: how each stands on each account, and what could recognise another.

Belongs here: reading. Does not belong here: what is gained (``curated.songs.gains``), what is suggested
(``curated.songs.suggestions``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.curated.songs.gains import recent_gains
from tiktok_assets.curated.songs.suggestions import suggestions
from tiktok_assets.queries.tables import read
from tiktok_assets.settings import Settings

WINDOW = 28
"""Days that ``standing`` looks back."""

_VIDEO = ["account", "video_id"]
_DAYS = (*_VIDEO, "date", "views", "views_low", "views_high", "total_views_low", "total_views_high")
_SNAPSHOTS = {"date": "captured_on", "post_date": "publish_date"}


def standing(settings: Settings) -> pl.DataFrame:
    """One row per song and account with its videos: see ``recent_gains``. Raises NoWarehouse."""
    videos = read("song_videos", columns=(*_VIDEO, "song", "published_on"), settings=settings)
    days = read("video_daily", columns=_DAYS, settings=settings).join(videos, on=_VIDEO, how="semi")
    return recent_gains(days.rename({"date": "day"}), videos, WINDOW)


def suggested(settings: Settings, around: dt.date, days: int) -> pl.DataFrame:
    """The rows of ``Suggestions``. Raises NoWarehouse."""
    columns = (*_VIDEO, "title", "hashtags", "published_at", *_SNAPSHOTS.values())
    snapshots = read("content_performance", columns=columns, settings=settings).rename(
        {name: before for before, name in _SNAPSHOTS.items()}
    )
    return suggestions(snapshots, read("song_videos", columns=_VIDEO, settings=settings), around, days)
