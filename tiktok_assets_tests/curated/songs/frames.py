"""Rows of songs' inputs, written manually."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.songs.recognition import SongVideos
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.songs.song_daily import DAY_COLUMNS, VIDEO_COLUMNS
from tiktok_assets.curated.videos.video_daily import VideoDaily


def song(key: str = "s", **fields: Any) -> Song:
    return Song(**{"key": key, "title": key, "artist": "Pig", "release_date": dt.date(2026, 6, 12), **fields})


def video_days(*rows: dict[str, Any]) -> pl.DataFrame:
    """Days of video "1" of account "a", each known by a snapshot of the day after, with the given values."""
    filled = [{"account": "a", "video_id": "1", "date": row["day"] + dt.timedelta(1), **row} for row in rows]
    return conform(pl.DataFrame(filled, infer_schema_length=None), VideoDaily).select(DAY_COLUMNS)


def exact_days(first: dt.date, *views: int, since: int = 0, **more: Any) -> list[dict[str, Any]]:
    """Days from ``first`` on whose views are exactly known; ``since``: the total before them."""
    rows = []
    for number, gained in enumerate(views):
        since += gained
        known = {"views": gained, "views_low": gained, "views_high": gained}
        totals = {"total_views_low": since, "total_views_high": since}
        rows.append({"day": first + dt.timedelta(number), **known, **totals, **more})
    return rows


def members(*rows: dict[str, Any]) -> pl.DataFrame:
    """Snapshots of video "1" of account "a", which is song "s"'s, on the given days."""
    filled = [{"account": "a", "song": "s", "video_id": "1", **row} for row in rows]
    return conform(pl.DataFrame(filled, infer_schema_length=None), SongVideos).select(VIDEO_COLUMNS)
