"""What an account's tables hold of songs: what their videos gained of late, and by week since the release."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from tiktok_assets.curated.songs.gains import recent_gains
from tiktok_assets.curated.songs.recognition import SONG_VIDEOS
from tiktok_assets.curated.songs.song_weeks import SONG_WEEKS
from tiktok_assets.curated.videos.video_daily import VIDEO_DAILY
from tiktok_assets.label.songs import Song
from tiktok_assets.reporting.stored import stored
from tiktok_assets.storage.lake import Lake

TABLES = (SONG_VIDEOS, SONG_WEEKS, VIDEO_DAILY)
"""The curated tables that pages read for songs."""
_MEMBER = ("account", "video_id", "song")
WINDOW = 28
"""Days up to the newest known one of an account's videos of songs."""


@functools.cache
def _none_recent() -> pl.DataFrame:
    return recent_gains(VIDEO_DAILY.schema.empty(), SONG_VIDEOS.schema.empty(), WINDOW)


def _no_members() -> pl.DataFrame:
    return SONG_VIDEOS.schema.empty().select(_MEMBER)


@dataclass(frozen=True, kw_only=True)
class SongTables:
    """The songs of songs.toml on one account."""

    songs: Sequence[Song] = ()
    """All there are, in their order."""
    recent: pl.DataFrame = field(default_factory=_none_recent)
    """``recent_gains`` of ``WINDOW`` days: a row per song that has videos here."""
    weeks: pl.DataFrame = field(default_factory=SONG_WEEKS.schema.empty)
    """``SongWeeks``, of each week what was known last."""
    members: pl.DataFrame = field(default_factory=_no_members)
    """The account's videos of songs: ``account``, ``video_id``, ``song``."""


def read_songs(lake: Lake, account: str, songs: Sequence[Song], days: pl.DataFrame) -> SongTables:
    """The stored tables of the account's videos of songs; without any, no frame has a row. ``days``: ``VideoDaily``."""
    if not songs or (videos := stored(lake, SONG_VIDEOS, account)).is_empty():
        return SongTables(songs=songs)
    weeks = stored(lake, SONG_WEEKS, account).sort("date").unique(["song", "week"], keep="last").sort("song", "week")
    members = videos.select(_MEMBER).unique(maintain_order=True)
    return SongTables(songs=songs, recent=recent_gains(days, videos, WINDOW), weeks=weeks, members=members)
