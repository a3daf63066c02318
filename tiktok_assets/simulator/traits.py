"""The requested kind of simulated account (``Traits``) and the truth of one of its days (``DayTruth``)."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

SMALL_ACCOUNT = 100
"""Followers below which Studio shows no audience: Activity, Gender and Territories contain only their header."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What kind of account it is; every field is a switch.

    ``size``: ``small`` never reaches 100 followers, ``medium`` has thousands, ``large`` hundreds of thousands.
    ``utc_offset``: whole hours of the audience's and the browser's local time.
    ``posts_per_week``: on average. ``scheduled_share``: share (0..1) of videos uploaded days before they are posted.
    ``removals``: one day in ten more comments are removed than written (down to -7), now and then likes or shares too.
    ``viral_day``: a video far above all others is posted on this UTC day.
    ``follower_drop``: on this UTC day a fifth of the followers leave.
    ``release``: a song is released on this UTC day; from a week before it on, two videos of three have its caption.
    ``gap``: (first, last) UTC days that are true but missing as rows in every export.
    ``born``: before it everything is 0 and no video exists; None means the account is older than ``first_day``.
    """

    size: Literal["small", "medium", "large"] = "medium"
    utc_offset: int = 0
    posts_per_week: float = 3.5
    scheduled_share: float = 0.1
    removals: bool = True
    viral_day: date | None = None
    follower_drop: date | None = None
    release: date | None = None
    gap: tuple[date, date] | None = None
    born: date | None = None


PLAIN = Traits()


class DayTruth(NamedTuple):
    """One real UTC day. Views cover likes + comments + shares and unique viewers; unique = new + returning viewers.

    ``followers`` is the count at the end of the day: the day before plus ``new_followers`` minus ``lost_followers``.
    """

    day: date
    video_views: int
    profile_views: int
    likes: int
    comments: int
    shares: int
    unique_viewers: int
    new_viewers: int
    returning_viewers: int
    followers: int
    new_followers: int
    lost_followers: int
