"""How many views did a song's videos gain in a week since its release? With bounds, and what was published.

Week 0 begins on the day of the release; what was published before it has weeks below 0. A video's gain over a week is
limited by its lifetime totals at the week's two ends, far better than by the sum of the bounds of its days:

    at least  the greater of: the sum of views_low; total_views_low of the last day - total_views_high of the day before
    at most   the smaller of: the sum of views_high; total_views_high of the last day - total_views_low of the day before

where the totals of the day before are 0 for a video published in the week, and a fall of the total in the week leaves
only the sum of views_low. The song's bounds are the sums of its videos'.

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
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.songs.song_daily import Known, inputs_of_songs, known_at_ends, sum_of_known
from tiktok_assets.curated.table import Table, publication

DAYS = 7

_WEEK = ["account", "song", "starts_on"]
_VIDEO = ["account", "song", "video_id"]
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
        description="videos of the song in snapshots of the 366 days before, published until the end of the week",
        metadata=made_of("video_id", "published_on"),
    )
    videos_published: int = pa.Field(
        ge=0, description="those published in the week", metadata=made_of("video_id", "published_on")
    )
    videos_known: int = pa.Field(
        ge=0,
        description="those whose views are known on every day of the week from their publication on; the others are in no "
        "sum of views",
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
    total_views: int = pa.Field(
        nullable=True,
        description="views since publication, at each video's newest snapshot up to the end of the week; null where those "
        "of one are unknown",
    )
    total_engagements: int = pa.Field(
        nullable=True, description="likes + comments + shares since publication, at the same snapshots"
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
    of_videos = weeks.join(known.videos, on=["account", "song"]).filter(
        (pl.col("published_on") <= _ends_on()).fill_null(value=True)
    )
    gains = of_videos.join(_gains(of_videos, days), on=[*_VIDEO, "starts_on"], how="left")
    gains = _with_totals(gains, known.snapshots)
    is_known = pl.col("is_known").fill_null(value=False)
    return (
        gains.group_by(*_WEEK, "week")
        .agg(
            pl.len().cast(pl.Int64).alias("videos"),
            (pl.col("published_on") >= pl.col("starts_on")).sum().cast(pl.Int64).alias("videos_published"),
            is_known.sum().cast(pl.Int64).alias("videos_known"),
            *(_sum_where(is_known, column).alias(column) for column in ("views", "views_low", "views_high")),
            *(sum_of_known(column).alias(column) for column in _ENGAGEMENT),
        )
        .with_columns(engagement_rate=ratio(pl.col("total_engagements"), pl.col("total_views")))
        .sort(_WEEK)
    )


def _gains(of_videos: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """By video and week: its bounds and estimate, and ``is_known``: whether all of its days are."""
    week = [*_VIDEO, "starts_on"]
    fell = pl.col("views_high").is_null().any()
    sums = days.group_by(week).agg(
        pl.len().alias("_days"),
        fell.alias("_fell"),
        *(sum_of_known(column).alias(column) for column in ("views", "views_low", "views_high")),
    )
    ends = days.select(*_VIDEO, "day", _end_low="total_views_low", _end_high="total_views_high")
    before = ends.rename({"_end_low": "_before_low", "_end_high": "_before_high"})
    rows = (
        of_videos.join(sums, on=week)
        .with_columns(_ends_on=_ends_on(), _day_before=pl.col("starts_on").dt.offset_by("-1d"))
        .join(ends, left_on=[*_VIDEO, "_ends_on"], right_on=[*_VIDEO, "day"], how="left")
        .join(before, left_on=[*_VIDEO, "_day_before"], right_on=[*_VIDEO, "day"], how="left")
    )
    is_new = pl.col("published_on") >= pl.col("starts_on")
    first = pl.when(is_new).then("published_on").otherwise("starts_on")
    low, high = (pl.when(is_new).then(0).otherwise(pl.col(f"_before_{bound}")) for bound in ("low", "high"))
    by_totals = ~pl.col("_fell")
    return (
        rows.with_columns(
            is_known=pl.col("_days") == (pl.col("_ends_on") - first).dt.total_days() + 1,
            _least=pl.max_horizontal("views_low", pl.when(by_totals).then(pl.col("_end_low") - high)),
            _most=pl.min_horizontal("views_high", pl.when(by_totals).then(pl.col("_end_high") - low)),
        )
        .with_columns(_agree=(pl.col("_least") <= pl.col("_most")).fill_null(value=True))
        .with_columns(
            views_low=pl.when("_agree").then("_least").otherwise("views_low"),
            views_high=pl.when("_agree").then("_most").otherwise("views_high"),
        )
        .select(*week, "is_known", "views_low", "views_high", pl.col("views").clip("views_low", "views_high"))
    )


def _with_totals(gains: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """With the lifetime totals of each video at its newest snapshot up to the end of the week."""
    return (
        gains.with_columns(_ends_on=_ends_on())
        .sort("_ends_on")
        .join_asof(
            snapshots.select(*_VIDEO, "date", *_ENGAGEMENT).sort("date"), left_on="_ends_on", right_on="date", by=_VIDEO
        )
    )


def _ends_on() -> pl.Expr:
    return pl.col("starts_on").dt.offset_by(f"{DAYS - 1}d")


def _sum_where(condition: pl.Expr, column: str) -> pl.Expr:
    counted = pl.col(column).filter(condition)
    return pl.when(counted.len() > 0, counted.null_count() == 0).then(counted.sum())


SONG_WEEKS = Table(
    key="curated/song_weeks",
    schema=SongWeeks,
    version="1",
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
