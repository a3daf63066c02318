"""How does a video do? Its lifetime totals at each snapshot, and how long it is watched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, conform, made_of
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos.video_growth import GROWN_FROM, LOOK_BACK, VIDEO, VideoGrowth, with_growth
from tiktok_assets.exports.long_frames import Rows, by_key, gathered, pieces
from tiktok_assets.reports.content import uploaded_at
from tiktok_assets.reports.report import UtcTime

_HASHTAG = r"#([\p{L}\p{N}\p{M}_]+)"


_KEY = ["account", "date", "video_id"]
COUNTS = ("total_views", "total_likes", "total_comments", "total_shares", "favorites")
RATES = ("average_watch_time", "completion_rate")


class VideoMetrics(pa.DataFrameModel):
    """The numbers of a video in Studio: in its Content export, and on its pages (insights)."""

    video_id: str = pa.Field(description="TikTok's id of the video")
    handle: str = pa.Field(nullable=True, description="handle in the video's link, else the account's")
    title: str = pa.Field(nullable=True, description="caption with its hashtags; may be empty")
    hashtags: list[str] = pa.Field(
        nullable=True, description="hashtags in the title, lower case, without #", metadata=made_of("title")
    )
    link: str = pa.Field(nullable=True, description="address of the video; null where only insights contain it")
    published_at: UtcTime = pa.Field(
        nullable=True, description="upload time (UTC), from the video id; null for ids without it"
    )
    total_views: int = pa.Field(nullable=True, description="views since publication")
    total_likes: int = pa.Field(nullable=True, description="likes since publication")
    total_comments: int = pa.Field(nullable=True, description="comments since publication")
    total_shares: int = pa.Field(nullable=True, description="shares since publication")
    favorites: int = pa.Field(nullable=True, description="times added to favorites (insights, Business Suite)")
    average_watch_time: float = pa.Field(nullable=True, ge=0, description="seconds a view lasts on average (insights)")
    completion_rate: float = pa.Field(
        nullable=True, ge=0, le=1, description="share of views that reach the end, 0 to 1 (insights)"
    )
    insights_export_id: str = pa.Field(nullable=True, description="insights file behind the numbers of insights")


class Videos(VideoGrowth, VideoMetrics):
    """One row per account, video and day of a snapshot, be it of the Content export or of insights."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    post_date: pl.Date = pa.Field(nullable=True, description="day of the post on the account's local calendar")
    export_id: str = pa.Field(nullable=True, description="export behind the numbers")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _KEY


class ContentPerformance(VideoGrowth, VideoMetrics, WarehouseRow):
    """One row per account, video and day of a snapshot. Totals are lifetime totals, and so are their rates."""

    captured_on: pl.Date = pa.Field(description="day of the snapshot (UTC)")
    publish_date: pl.Date = pa.Field(nullable=True, description="day of the post on the account's local calendar")
    is_latest: bool = pa.Field(
        nullable=True,
        description="whether this is the newest of all snapshots of the video, whenever it was stored",
        metadata=made_of("date"),
    )

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "captured_on", "video_id"]


def videos(content: Rows, insights: pl.DataFrame, timezones: Mapping[str, str | None]) -> Rows:
    """Each snapshot of each video, with the hashtags of its title and how it grew. ``timezones``: see ``with_growth``.

    Content lists the 15 videos that gained most, insights the newest. A video that only insights contain on a day has
    its own row: title and lifetime totals are those of Studio's list at that moment, so nothing is invented.
    Where both contain it, totals are Content's; watch time, completion and favorites are added.
    """
    rows = _with_insights(content, _of_insights(insights))
    growth = list(VideoGrowth.to_schema().columns)
    # Without the texts, which are most of what a video takes.
    numbers = rows.lazy().select(GROWN_FROM).with_row_index("_row").collect()
    grown = pl.concat(with_growth(part, timezones).select("_row", *growth) for part in by_key(numbers, VIDEO))
    grown = grown.sort("_row").drop("_row")

    def made() -> Iterator[pl.DataFrame]:
        start = 0
        for piece in pieces(rows):
            tagged = piece.with_columns(hashtags=hashtags_of(pl.col("title")))
            yield conform(tagged.hstack(grown.slice(start, piece.height)), Videos)
            start += piece.height

    return gathered(made())


def hashtags_of(title: pl.Expr) -> pl.Expr:
    """The hashtags of a caption in their order, each once, lower case, without #."""
    found = title.str.to_lowercase().str.extract_all(_HASHTAG).list.eval(pl.element().str.strip_prefix("#"))
    return found.list.unique(maintain_order=True)


def _with_insights(content: Rows, of_insights: pl.DataFrame) -> Rows:
    if of_insights.is_empty():
        return content
    both = content.lazy().collect().join(of_insights, on=_KEY, how="full", coalesce=True, suffix="_of_insights")
    return both.with_columns(
        *(pl.coalesce(name, f"{name}_of_insights") for name in ("export_id", "title", *COUNTS)),
        published_at=pl.coalesce("published_at", uploaded_at(pl.col("video_id"))),
    ).sort(_KEY)


def _of_insights(insights: pl.DataFrame) -> pl.DataFrame:
    """The numbers of insights, one row per video and day; a video without any number has none."""
    numbers = insights.filter((pl.col("video_id") != "") & (pl.col("item") == ""))

    def of(metric: str, column: str = "value") -> pl.Expr:
        return pl.col(column).filter(pl.col("metric") == metric).first()

    rows = (
        numbers.sort("downloaded_at")
        .group_by(_KEY)
        .agg(
            *(of(name).cast(pl.Int64).alias(name) for name in COUNTS),
            *(of(name).alias(name) for name in RATES),
            title=of("title", "text"),
            export_id=pl.col("export_id").last(),
            insights_export_id=pl.col("export_id").last(),
        )
    )
    return rows.filter(pl.any_horizontal(pl.col(*COUNTS, *RATES).is_not_null()))


VIDEOS = Table(
    key="curated/videos",
    schema=Videos,
    version="4",
    inputs={
        "content": Input("staging/content", look_back=LOOK_BACK, may_be_long=True),
        "insights": Input(
            "staging/insights",
            look_back=LOOK_BACK,
            pivoted={
                **dict.fromkeys(("export_id", "insights_export_id"), "export_id"),
                **dict.fromkeys((*COUNTS, *RATES), "value"),
                **{name: name for name in _KEY},
                "title": "text",
            },
        ),
    },
    make=lambda inputs, parameters: videos(inputs["content"], inputs["insights"], parameters.timezones),
    is_by_day=True,
)
CONTENT_PERFORMANCE = publication(
    VIDEOS,
    "warehouse/content_performance",
    ContentPerformance,
    renamed={"captured_on": "date", "publish_date": "post_date"},
    has_handles=True,
    over_all_months={"is_latest": "captured_on = max(captured_on) over (partition by account, video_id)"},
)
