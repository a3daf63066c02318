"""Files of streams for tests: written as text, with a time of their own."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import polars as pl

from tiktok_assets.curated.songs.song import Song
from tiktok_assets.streams.reading import read_streams

DOWNLOADED = dt.datetime(2026, 7, 1, 8, tzinfo=dt.UTC)
ISRC, OTHER_ISRC = "DEXX12600001", "DEXX12600002"


def song(key: str, title: str, *isrc: str) -> Song:
    return Song(key=key, title=title, artist="Pig", release_date=dt.date(2026, 6, 12), isrc=isrc)


def dropped(folder: Path, name: str, text: str, at: dt.datetime = DOWNLOADED) -> Path:
    """A file with this text, last changed ``at``."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def raw_of(folder: Path, name: str, text: str, at: dt.datetime = DOWNLOADED) -> pl.DataFrame:
    """The raw rows of such a file."""
    return read_streams(dropped(folder, name, text, at), name).rows
