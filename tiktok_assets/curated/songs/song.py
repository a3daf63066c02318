"""What a song is, and how its videos are recognised.

Does not belong here: the file of songs (``tiktok_assets.label.songs``), which videos are a song's (``recognition``).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Song:
    """One released song. A video with any of its hashtags, captions or ids is one of the song's videos."""

    key: str
    title: str
    artist: str
    release_date: dt.date
    isrc: tuple[str, ...] = ()
    """International Standard Recording Codes of its recordings, 12 characters each, without hyphens."""
    campaign: str | None = None
    hashtags: tuple[str, ...] = ()
    """Whole hashtags, without #; case does not matter."""
    captions: tuple[str, ...] = ()
    """Words that stand somewhere in a caption, one after the other; case does not matter."""
    video_ids: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    """Keys of the accounts whose videos count; empty is all."""

    def is_on(self, account: str) -> bool:
        """Whether videos of ``account`` can be the song's."""
        return not self.accounts or account in self.accounts
