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
from tiktok_assets.curated.videos.videos import Videos, hashtags_of

RELEASE = dt.date(2026, 6, 12)


def song(key: str = "s", **fields: Any) -> Song:
    return Song(**{"key": key, "title": key, "artist": "Pig", "release_date": RELEASE, **fields})


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


def published(*videos: tuple[int, str], account: str = "a", first_id: int = 1) -> pl.DataFrame:
    """Videos published that many days after the release, with these captions."""
    rows = [
        {"account": account, "date": RELEASE + dt.timedelta(60), "video_id": str(first_id + n), "title": caption}
        | {"post_date": RELEASE + dt.timedelta(after)}
        for n, (after, caption) in enumerate(videos)
    ]
    return conform(pl.DataFrame(rows).with_columns(hashtags=hashtags_of(pl.col("title"))), Videos)
