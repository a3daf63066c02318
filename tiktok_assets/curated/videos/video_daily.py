"""How many views did a video have on a day? Between which numbers, and what is likely.

No export contains it. Lifetime totals at snapshots limit the total at the end of each day (``total_bounds``), and a
day's views are the difference of two of these totals. The bounds hold where no views were taken back and the account's
final views contain those of its videos.

Views of several days are limited far better by the totals than by the sum of the days' bounds: those of the days after
one up to another are at least the other's ``total_views_low`` minus the one's ``total_views_high``.

A day is known once a later snapshot is. So a row is stored in the month of that snapshot (``date``), not of its own
``day``: it depends on nothing later, like every other table of its partition, and a new snapshot changes no month
before its own.

Belongs here: the views of a day. Does not belong here: what limits a total (``total_bounds``).
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, made_of
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos.counted import COUNTED_AT
from tiktok_assets.curated.videos.total_bounds import LOOK_BACK, day_ends

EVIDENCE = ["exact", "bounded", "contradicts account", "total fell"]

_KEY = ["account", "day", "video_id"]
_MADE_OF_VIEWS = made_of("total_views", "date", "published_at", "post_date", "video_views", "is_settled")


class DayOfVideo(pa.DataFrameModel):
    """What is known of a video's views on a day."""

    video_id: str = pa.Field(description="TikTok's id of the video")
    views: int = pa.Field(
        nullable=True,
        ge=0,
        description="views of the day, estimated: the gain between two snapshots, divided among their days as the "
        "account's views are, within the bounds; null where the total fell",
        metadata=_MADE_OF_VIEWS,
    )
    views_low: int = pa.Field(ge=0, description="the day had at least these views", metadata=_MADE_OF_VIEWS)
    views_high: int = pa.Field(
        nullable=True,
        ge=0,
        description="the day had at most these views; null where the total fell, so that nothing limits them",
        metadata=_MADE_OF_VIEWS,
    )
    bound_width: int = pa.Field(
        nullable=True, ge=0, description="views_high minus views_low", metadata=made_of("views_high", "views_low")
    )
    total_views_low: int = pa.Field(
        nullable=True,
        description="views since publication at the end of the day, at least; null where the total then fell",
        metadata=_MADE_OF_VIEWS,
    )
    total_views_high: int = pa.Field(
        nullable=True, description="views since publication at the end of the day, at most", metadata=_MADE_OF_VIEWS
    )
    evidence: str = pa.Field(
        isin=EVIDENCE,
        description="exact: the bounds are equal; bounded; contradicts account: bounded by the video's totals alone, "
        "for the account's views are fewer than their gain; total fell: views were taken back between the snapshots, "
        "or these are dated on both sides of the date line, in another order than they were counted",
        metadata=_MADE_OF_VIEWS,
    )
    snapshot_before: pl.Date = pa.Field(
        nullable=True,
        description="newest snapshot that was certainly counted before the day began; null: its publication",
        metadata=made_of("date"),
    )


class VideoDaily(DayOfVideo):
    """One row per account, day and video between two snapshots of it, or between its publication and the first one."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="the first snapshot that was certainly counted after the day")
    day: pl.Date = pa.Field(description="the day of the views (UTC)", metadata=made_of("date"))

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _KEY


class VideoDays(DayOfVideo, OfManyExports):
    """One row per account, day and video between two snapshots of it, or between its publication and the first one."""

    date: pl.Date = pa.Field(description="the day of the views (UTC)")
    snapshot_after: pl.Date = pa.Field(description="the first snapshot that was certainly counted after the day")

    class Config(OfManyExports.Config):
        unique = ["platform", "account", "date", "video_id"]


def video_daily(videos: pl.DataFrame, days: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``VideoDaily``; for the arguments see ``day_ends``."""
    ends = day_ends(videos, days, moments)
    before = {name: pl.col(name).shift(1) for name in ("low", "high", "narrow_low", "narrow_high", "expected")}
    is_open = pl.col("fell") | pl.col("fell").shift(1)
    least = pl.max_horizontal(0, pl.col("low") - before["high"])
    most = pl.col("high") - before["low"]
    narrow_least = pl.max_horizontal(0, pl.col("narrow_low") - before["narrow_high"])
    narrow_most = pl.min_horizontal(pl.col("narrow_high") - before["narrow_low"], "limit")
    contradicts = (
        (pl.col("narrow_low") > pl.col("narrow_high"))
        | (before["narrow_low"] > before["narrow_high"])
        | (narrow_least > narrow_most)
    )
    views = pl.col("expected") - before["expected"]
    return (
        ends.with_columns(
            is_open=is_open,
            contradicts=contradicts,
            views_low=pl.when(is_open).then(0).when(contradicts).then(least).otherwise(narrow_least),
            views_high=pl.when(~is_open).then(pl.when(contradicts).then(most).otherwise(narrow_most)),
            total_views_low=pl.when(~pl.col("fell")).then(pl.when(contradicts).then("low").otherwise("narrow_low")),
            total_views_high=pl.when(~pl.col("fell")).then(pl.when(contradicts).then("high").otherwise("narrow_high")),
            views=views,
            snapshot_before=pl.col("before").shift(1),
            is_known=before["low"].is_not_null() & pl.col("low").is_not_null(),
        )
        .filter(~pl.col("is_first"), "is_known")
        .with_columns(
            views=pl.when(~pl.col("is_open")).then(pl.col("views").clip("views_low", "views_high")),
            bound_width=pl.col("views_high") - pl.col("views_low"),
        )
        .with_columns(evidence=_evidence())
        .select(list(VideoDaily.to_schema().columns))
    )


def _evidence() -> pl.Expr:
    exact, bounded, contradicts, fell = map(pl.lit, EVIDENCE)
    found = pl.when("is_open").then(fell).when("contradicts").then(contradicts)
    return found.when(pl.col("bound_width") == 0).then(exact).otherwise(bounded)


def _moments(content: pl.LazyFrame) -> pl.DataFrame:
    """The exports of raw rows that are dated to the second."""
    dated = content.filter(pl.col("downloaded_at_evidence").is_in(COUNTED_AT))
    return dated.select("export_id", counted_at="downloaded_at").unique().collect(engine="streaming")


VIDEO_DAILY = Table(
    key="curated/video_daily",
    schema=VideoDaily,
    version="1",
    inputs={
        "videos": Input(
            "curated/videos",
            look_back=LOOK_BACK,
            columns=(
                *("account", "date", "video_id", "published_at", "post_date", "total_views", "gained_over_days"),
                *("export_id", "insights_export_id"),
            ),
        ),
        "days": Input(
            "curated/account_daily", look_back=LOOK_BACK, columns=("account", "date", "video_views", "is_settled")
        ),
        "exports": Input("raw/content", look_back=LOOK_BACK),
    },
    make=lambda inputs, _: video_daily(inputs["videos"], inputs["days"], _moments(inputs["exports"])),
)
VIDEO_DAYS = publication(
    VIDEO_DAILY, "warehouse/video_daily", VideoDays, renamed={"snapshot_after": "date", "date": "day"}
)
