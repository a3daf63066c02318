"""Which videos went viral, when, and by which rule?

A video is viral on the day of a snapshot when
- ``daily_growth``: its total is at least ``min_views``, and since the snapshot before it gained per day at least
  ``growth_threshold`` times what it had gained per day of its life until then; or
- ``views_vs_median``: its total is at least ``median_threshold`` times the median of the account's other videos at
  equal age, and there are at least 5 of them.

Belongs here: the rules. Does not belong here: what equal age means (``peers``).
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, made_of
from tiktok_assets.curated.measures import ratio
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos import peers
from tiktok_assets.curated.videos.peers import Peers, with_peers
from tiktok_assets.exports.long_frames import Rows, pieces
from tiktok_assets.exports.months import month_of

MIN_VIEWS = 10_000
GROWTH_THRESHOLD = 5.0
MEDIAN_THRESHOLD = 5.0
QUIET_DAYS = 92
"""A video that met no rule for a quarter and meets one again is a second wave: a row of its own."""
LOOK_BACK = peers.LOOK_BACK + QUIET_DAYS
"""Days before the first requested day that ``viral_videos`` needs."""

_SNAPSHOT = ["account", "video_id", "date"]
_JUDGED = (*_SNAPSHOT, "total_views", "views_gained", "gained_over_days", "age_days")
_DESCRIPTIVE = ("title", "link", "export_id")
COLUMNS = (*_JUDGED, *_DESCRIPTIVE)
"""The columns of a snapshot that ``viral_videos`` needs."""

REASONS = ["daily_growth", "views_vs_median", "both"]


class ViralMetrics(pa.DataFrameModel):
    """How viral a video was when it was found to be."""

    video_id: str = pa.Field(description="TikTok's id of the video")
    title: str = pa.Field(nullable=True, description="caption with its hashtags; may be empty")
    link: str = pa.Field(nullable=True, description="address of the video")
    total_views: int = pa.Field(description="views since publication, at that snapshot")
    daily_growth: float = pa.Field(
        nullable=True,
        description="x: views gained per day since the snapshot before / views per day of its life until then; null "
        "where either is unknown or the latter is 0",
        metadata=made_of("views_gained", "gained_over_days", "total_views", "age_days"),
    )
    views_vs_median: float = pa.Field(
        nullable=True,
        description="x, at least: total_views / median of the account's other videos at equal age",
        metadata=made_of("total_views", "age_days"),
    )
    peers: int = pa.Field(description="other videos in that median", metadata=made_of("total_views", "age_days"))
    reason: str = pa.Field(
        isin=REASONS,
        description="the rule that was met: daily_growth, views_vs_median or both",
        metadata=made_of("daily_growth", "views_vs_median"),
    )
    rank: int = pa.Field(
        ge=1,
        description="1 is the most views among the account's viral videos found in the month",
        metadata=made_of("total_views"),
    )


class ViralVideos(ViralMetrics):
    """One row per account, video and day on which it was found to be viral."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the snapshot that first met a rule")
    export_id: str = pa.Field(nullable=True, description="export behind the numbers")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _SNAPSHOT


class ViralContent(ViralMetrics, WarehouseRow):
    """One row per account, video and day on which it was found to be viral."""

    detected_on: pl.Date = pa.Field(description="day of the snapshot that first met a rule")

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "video_id", "detected_on"]


def viral_videos(
    videos: Rows,
    *,
    min_views: int = MIN_VIEWS,
    growth_threshold: float = GROWTH_THRESHOLD,
    median_threshold: float = MEDIAN_THRESHOLD,
) -> pl.DataFrame:
    """The videos found viral, out of snapshots with the columns of ``Videos`` and ``VideoGrowth``."""
    views = pl.col("total_views")
    gained_per_day = ratio(pl.col("views_gained"), pl.col("gained_over_days"))
    per_day_before = ratio(views - pl.col("views_gained"), pl.col("age_days") - pl.col("gained_over_days"))
    grew = (views >= min_views) & (gained_per_day > 0) & (gained_per_day >= growth_threshold * per_day_before)
    stands_out = pl.col("views_vs_median") >= median_threshold
    peers = Peers.of(videos.lazy().select(*_SNAPSHOT, "total_views", "age_days").collect())
    judged = pl.concat(
        with_peers(piece.filter(views.is_not_null()), peers)
        .with_columns(
            daily_growth=ratio(gained_per_day, per_day_before),
            _grew=grew.fill_null(value=False),
            _stands_out=stands_out.fill_null(value=False),
        )
        .filter(pl.col("_grew") | pl.col("_stands_out"))
        for piece in pieces(videos.select(_JUDGED))
    )
    reason = pl.when(pl.col("_grew") & pl.col("_stands_out")).then(pl.lit("both"))
    reason = reason.when("_grew").then(pl.lit("daily_growth")).otherwise(pl.lit("views_vs_median"))
    found = _first_of_each_wave(judged)
    texts = videos.lazy().select(*_SNAPSHOT, *_DESCRIPTIVE).join(found.lazy(), on=_SNAPSHOT, how="semi")
    return (
        found.join(texts.collect(engine="streaming"), on=_SNAPSHOT, how="left", maintain_order="left")
        .with_columns(reason=reason, rank=_rank())
        .select(list(ViralVideos.to_schema().columns))
        .sort("account", "date", "rank")
    )


def _rank() -> pl.Expr:
    order = pl.struct(-pl.col("total_views"), pl.col("video_id"))
    return order.rank("ordinal").over("account", month_of(pl.col("date"))).cast(pl.Int64)


def _first_of_each_wave(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.sort(_SNAPSHOT)
    quiet = (pl.col("date") - pl.col("date").shift(1).over("account", "video_id")).dt.total_days()
    return rows.filter((quiet > QUIET_DAYS).fill_null(value=True))


VIRAL_VIDEOS = Table(
    key="curated/viral_videos",
    schema=ViralVideos,
    version="4",
    inputs={"videos": Input("curated/videos", look_back=LOOK_BACK, columns=COLUMNS, may_be_long=True)},
    make=lambda inputs, parameters: viral_videos(
        inputs["videos"], min_views=parameters.viral_min_views, growth_threshold=parameters.viral_growth
    ),
)
VIRAL_CONTENT = publication(VIRAL_VIDEOS, "warehouse/viral_content", ViralContent, renamed={"detected_on": "date"})
