"""How many views did a song's videos have on a day? The sum of what is known of each, with its bounds.

A day is known once later snapshots of its videos are (``video_daily``). So a row says what was known at the end of a
month (``date``) that had such a snapshot, and the newest of a day is the one that counts: no row depends on a later
month. The view ``song_daily`` has these alone.

Belongs here: days. Does not belong here: weeks since the release (``song_weeks``), which videos a song has
(``recognition``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, conform, made_of
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos.gains import sum_of_known
from tiktok_assets.curated.videos.total_bounds import LONGEST_GAP
from tiktok_assets.exports.months import month_of

LATEST_SNAPSHOT = LONGEST_GAP + 3
"""Most days from a day to the snapshot that makes it known: the longest gap of ``video_daily``, and calendars."""
DAYS_BACK = LATEST_SNAPSHOT + 8
"""Days before the first of a month within which a week begins, and the day before it, of which it makes a day known."""
VIDEOS_BACK = 366
"""Days before the first of a month in which snapshots say which videos a song has."""

_DAY = ["account", "song", "day"]
DAY_COLUMNS = (
    "account",
    "date",
    "day",
    "video_id",
    "views",
    "views_low",
    "views_high",
    "total_views_low",
    "total_views_high",
)
VIDEO_COLUMNS = ("account", "date", "song", "video_id", "published_on", "total_views", "total_engagements")


class DayOfSong(pa.DataFrameModel):
    """What is known of a song's views on a day."""

    song: str = pa.Field(description="the song's name in brackets of songs.toml")
    videos: int = pa.Field(
        ge=1,
        description=f"videos of the song in snapshots of the {VIDEOS_BACK} days before, published until that day; as "
        "known when the row was made: one first listed later does not change it",
        metadata=made_of("video_id", "published_on"),
    )
    videos_known: int = pa.Field(
        ge=1,
        description="those whose views of the day were known then; the others are in no sum",
        metadata=made_of("video_id"),
    )
    views: int = pa.Field(
        nullable=True,
        ge=0,
        description="sum of their estimates, between the bounds; null where one has none",
    )
    views_low: int = pa.Field(ge=0, description="they had at least these views")
    views_high: int = pa.Field(
        nullable=True,
        ge=0,
        description="they had at most these views; null where nothing limits those of one",
    )


class SongDaily(DayOfSong):
    """One row per account, song and day, and month with a snapshot that made more of the day known."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month at whose end this was known")
    day: pl.Date = pa.Field(description="the day of the views (UTC)")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["date", *_DAY]


class SongDays(DayOfSong, OfManyExports):
    """One row per account, song and day, and month with a snapshot that made more of the day known; see song_daily."""

    date: pl.Date = pa.Field(description="the day of the views (UTC)")
    known_in: pl.Date = pa.Field(description="first day of the month at whose end this was known")
    is_latest: bool = pa.Field(
        nullable=True,
        description="whether this is what was known last, and so what counts",
        metadata=made_of("date"),
    )

    class Config(OfManyExports.Config):
        unique = ["platform", "account", "song", "date", "known_in"]


def song_daily(video_days: pl.DataFrame, videos: pl.DataFrame, months: Sequence[dt.date]) -> pl.DataFrame:
    """The rows of ``SongDaily`` of ``months`` (first days).

    ``video_days``: rows of ``VideoDaily`` with ``DAY_COLUMNS``; ``videos``: rows of ``SongVideos`` with
    ``VIDEO_COLUMNS``; both of these months and of ``DAYS_BACK`` and ``VIDEOS_BACK`` days before them.
    """
    found = [_days(known).with_columns(date=pl.lit(known.month)) for known in known_at_ends(video_days, videos, months)]
    return conform(pl.concat(found), SongDaily) if found else SongDaily.empty()


class Known(NamedTuple):
    """What was known of the songs' videos at the end of a month that made days of them known."""

    month: dt.date
    days: pl.DataFrame
    """Of ``VideoDaily``, once for each song of the video, and ``is_new``: whether the month made it known."""
    snapshots: pl.DataFrame
    """Of ``SongVideos``."""
    videos: pl.DataFrame
    """One row per account, song and video: ``published_on``."""


def known_at_ends(video_days: pl.DataFrame, videos: pl.DataFrame, months: Sequence[dt.date]) -> Iterator[Known]:
    """For each of ``months`` that made days of songs' videos known. For the arguments see ``song_daily``."""
    of_songs = video_days.join(videos, on=["account", "video_id"], how="semi")
    for month in sorted(set(months) & set(of_songs.select(month_of(pl.col("date")).unique())["date"])):
        end = (month + dt.timedelta(days=31)).replace(day=1)
        snapshots = videos.filter(pl.col("date") >= month - dt.timedelta(days=VIDEOS_BACK), pl.col("date") < end)
        members = snapshots.group_by("account", "song", "video_id").agg(pl.col("published_on").max())
        days = of_songs.filter(pl.col("date") >= month - dt.timedelta(days=DAYS_BACK), pl.col("date") < end)
        known = days.join(members, on=["account", "video_id"]).with_columns(is_new=pl.col("date") >= month)
        if known["is_new"].any():
            yield Known(month, known, snapshots, members)


def _days(known: Known) -> pl.DataFrame:
    """The columns of ``DayOfSong`` for the days that the month made known."""
    sums = (
        known.days.group_by(_DAY)
        .agg(
            pl.len().cast(pl.Int64).alias("videos_known"),
            *(sum_of_known(column).alias(column) for column in ("views", "views_low", "views_high")),
            pl.col("is_new").any(),
        )
        .filter("is_new")
        .sort(_DAY)
    )
    is_published = (pl.col("published_on") <= pl.col("day")).fill_null(value=True)
    published = (
        sums.select(_DAY)
        .join(known.videos, on=["account", "song"])
        .group_by(_DAY)
        .agg(is_published.sum().cast(pl.Int64).alias("videos"))
    )
    return sums.join(published, on=_DAY, how="left", maintain_order="left")


def inputs_of_songs() -> dict[str, Input]:
    """What tables of a song's views are made of."""
    return {
        "days": Input("curated/video_daily", look_back=DAYS_BACK, columns=DAY_COLUMNS),
        "videos": Input("curated/song_videos", look_back=VIDEOS_BACK, columns=VIDEO_COLUMNS),
    }


SONG_DAILY = Table(
    key="curated/song_daily",
    schema=SongDaily,
    version="1",
    inputs=inputs_of_songs(),
    make=lambda inputs, parameters: song_daily(inputs["days"], inputs["videos"], parameters.months),
)
SONG_DAYS = publication(
    SONG_DAILY,
    "warehouse/song_days",
    SongDays,
    renamed={"known_in": "date", "date": "day"},
    over_all_months={"is_latest": "known_in = max(known_in) over (partition by account, song, date)"},
)
