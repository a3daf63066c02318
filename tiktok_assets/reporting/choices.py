"""What a person may choose of a page. The commands show it in their help, so nothing else is imported here."""

from __future__ import annotations

from enum import StrEnum


class Paper(StrEnum):
    """The sizes of paper."""

    A4 = "A4"
    LETTER = "Letter"


class Part(StrEnum):
    """What a media kit can show."""

    FOLLOWERS = "followers"
    VIEWS = "views"
    VIEWERS = "viewers"
    ENGAGEMENT = "engagement"
    VIDEOS = "videos"
    AUDIENCE = "audience"
