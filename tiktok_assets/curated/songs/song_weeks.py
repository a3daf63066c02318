"""How many views did a song's videos gain in a week since its release? With bounds (``gains``), and what was published.

Week 0 begins on the day of the release; what was published before it has weeks below 0. The song's bounds are the sums
of its videos'.

As in ``song_daily``, a row says what was known at the end of a month, and the newest of a week counts. Does not belong
here: other accounts (the view ``song_performance``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, conform, made_of
from tiktok_assets.curated.measures import ratio
from tiktok_assets.curated.songs.gains import SONG_VIDEO, sums_of_gains
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.songs.song_daily import Known, inputs_of_songs, known_at_ends
from tiktok_assets.curated.table import Table, publication
from tiktok_assets.curated.videos.gains import gains

DAYS = 7

_WEEK = ["account", "song", "starts_on"]
_TOTALS = ("total_views_low", "total_views_high")
_ENGAGEMENT = ("total_views", "total_engagements")


class WeekOfSong(pa.DataFrameModel):
    """What is known of a song's week."""

    song: str = pa.Field(description="the song's name in brackets of songs.toml")
    week: int = pa.Field(
        description="week since the release; 0 begins on its day, before it are weeks below 0", metadata=made_of("date")
    )
    starts_on: pl.Date = pa.Field(description="first day of the 7 (UTC)", metadata=made_of("date"))
    videos: int = pa.Field(
        ge=1,
        description="videos of the song in snapshots of the 366 days before, published until the end of the week; as "
        "known when the row was made: one first listed later does not change it",
        metadata=made_of("video_id", "published_on"),
    )
    videos_published: int = pa.Field(
        ge=0, description="those published in the week", metadata=made_of("video_id", "published_on")
    )
    videos_known: int = pa.Field(
        ge=0,
        description="those whose views were known then on every day of the week from their publication on; the others "
        "are in no sum of views",
        metadata=made_of("video_id", "day"),
    )
    views: int = pa.Field(
        nullable=True,
        ge=0,
        description="views they gained in the week, estimated, between the bounds; null where one is unknown, or all",
        metadata=made_of(*_TOTALS),
    )
    views_low: int = pa.Field(
        nullable=True, ge=0, description="they gained at least these views", metadata=made_of(*_TOTALS)
    )
    views_high: int = pa.Field(
        nullable=True,
        ge=0,
        description="they gained at most these views; null where nothing limits those of one",
        metadata=made_of(*_TOTALS),
    )
    videos_with_totals: int = pa.Field(
        ge=0,
        description="those of videos with a snapshot up to the end of the week that has all totals; engagement is of "
        "these alone",
        metadata=made_of("video_id", *_ENGAGEMENT),
    )
    total_views: int = pa.Field(
        nullable=True,
        description="views since publication, at the newest snapshot up to the end of the week, of "
        "videos_with_totals; null where there is none",
    )
    total_engagements: int = pa.Field(
        nullable=True, description="likes + comments + shares since publication, of the same snapshots"
    )
    engagement_rate: float = pa.Field(
        nullable=True,
        description="total_engagements / total_views, of their lives up to then",
        metadata=made_of(*_ENGAGEMENT),
    )


class SongWeeks(WeekOfSong):
    """One row per account, song and week since release, and month with a snapshot that made more of the week known."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month at whose end this was known")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["date", *_WEEK]


class WeeksOfSongs(WeekOfSong, OfManyExports):
    """One row per account, song and week since release, and month with a snapshot that made more of the week known; see
    song_performance."""

    known_in: pl.Date = pa.Field(description="first day of the month at whose end this was known")
    is_latest: bool = pa.Field(
        nullable=True, description="whether this is what was known last, and so what counts", metadata=made_of("date")
    )

    class Config(OfManyExports.Config):
        unique = ["platform", "account", "song", "week", "known_in"]


def song_weeks(
    video_days: pl.DataFrame, videos: pl.DataFrame, songs: Sequence[Song], months: Sequence[dt.date]
) -> pl.DataFrame:
    """The rows of ``SongWeeks`` of ``months`` (first days). For the frames see ``song_daily``."""
    releases = pl.DataFrame(
        {"song": [song.key for song in songs], "released_on": [song.release_date for song in songs]},
        schema={"song": pl.String, "released_on": pl.Date},
    )
    found = [
        _weeks(known, releases).with_columns(date=pl.lit(known.month))
        for known in known_at_ends(video_days, videos, months)
    ]
    return conform(pl.concat(found), SongWeeks) if found else SongWeeks.empty()


def _weeks(known: Known, releases: pl.DataFrame) -> pl.DataFrame:
    """The columns of ``WeekOfSong`` for the weeks that the month made a day of known."""
    days = known.days.join(releases, on="song").with_columns(
        week=(pl.col("day") - pl.col("released_on")).dt.total_days().floordiv(DAYS)
    )
    days = days.with_columns(starts_on=pl.col("released_on") + pl.duration(days=pl.col("week") * DAYS))
    weeks = days.filter("is_new").select(*_WEEK, "week").unique()
    spans = weeks.with_columns(ends_on=pl.col("starts_on").dt.offset_by(f"{DAYS - 1}d"))
    of_videos = gains(spans.join(known.videos, on=["account", "song"]), days, SONG_VIDEO)
    return (
        _with_totals(of_videos, known.snapshots)
        .group_by(*_WEEK, "week")
        .agg(
            *sums_of_gains(),
            (pl.col("published_on") >= pl.col("starts_on")).sum().cast(pl.Int64).alias("videos_published"),
            _with_both().sum().cast(pl.Int64).alias("videos_with_totals"),
            *(_sum_of_both(column).alias(column) for column in _ENGAGEMENT),
        )
        .with_columns(engagement_rate=ratio(pl.col("total_engagements"), pl.col("total_views")))
        .sort(_WEEK)
    )


def _with_totals(of_videos: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """With the lifetime totals of each video at its newest snapshot up to the end of the week."""
    totals = snapshots.select(*SONG_VIDEO, "date", *_ENGAGEMENT).sort("date")
    return of_videos.sort("ends_on").join_asof(
        totals, left_on="ends_on", right_on="date", by=SONG_VIDEO, check_sortedness=False
    )


def _with_both() -> pl.Expr:
    return pl.all_horizontal(pl.col(_ENGAGEMENT).is_not_null())


def _sum_of_both(column: str) -> pl.Expr:
    """The sum over videos with both totals; null without any."""
    return pl.when(_with_both().any()).then(pl.col(column).filter(_with_both()).sum())


SONG_WEEKS = Table(
    key="curated/song_weeks",
    schema=SongWeeks,
    version="2",
    inputs=inputs_of_songs(),
    make=lambda inputs, parameters: song_weeks(inputs["days"], inputs["videos"], parameters.songs, parameters.months),
)
WEEKS_OF_SONGS = publication(
    SONG_WEEKS,
    "warehouse/song_weeks",
    WeeksOfSongs,
    renamed={"known_in": "date"},
    over_all_months={"is_latest": "known_in = max(known_in) over (partition by account, song, week)"},
)
