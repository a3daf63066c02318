"""When does posting pay? The effect of weekday and hour of publication on views at equal age.

168 combinations are too many for most accounts, so weekdays and hours also have rows of their own. "No evidence" is the
usual answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, made_of
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos import equal_age
from tiktok_assets.curated.videos.equal_age import Effect, residuals, sums, with_effects
from tiktok_assets.exports.long_frames import Rows

LOOK_BACK = equal_age.LOOK_BACK
"""Days before the first of the earliest requested month that ``posting_times`` needs."""

COLUMNS = ("publish_weekday_local", "publish_hour_local")
"""The columns of a snapshot that ``posting_times`` needs, beside those of ``equal_age``."""


class PostingTimes(Effect):
    """One row per account, month, and weekday, hour or both at which it posted."""

    weekday: int = pa.Field(
        nullable=True,
        ge=1,
        le=7,
        description="local weekday, 1 is Monday; null: all weekdays",
        metadata=made_of("publish_weekday_local"),
    )
    hour: int = pa.Field(
        nullable=True,
        ge=0,
        le=23,
        description="local hour of the day; null: all hours",
        metadata=made_of("publish_hour_local"),
    )

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "weekday", "hour"]


class PostingPerformance(PostingTimes, OfManyExports):
    """One row per account, month, and weekday, hour or both at which it posted."""

    class Config(PostingTimes.Config, OfManyExports.Config):
        unique = ["platform", "account", "date", "weekday", "hour"]


def posting_times(videos: Rows, months: Sequence[dt.date]) -> pl.DataFrame:
    """The effects known at the end of each of ``months`` (first days).

    ``videos``: snapshots with the columns of ``Videos`` and ``VideoGrowth``. Only those with a known local hour count.
    """
    weekday, hour = pl.col("publish_weekday_local"), pl.col("publish_hour_local")
    rows = residuals(
        videos.filter(weekday.is_not_null(), hour.is_not_null()), months, "publish_weekday_local", "publish_hour_local"
    )
    every = pl.lit(None, dtype=pl.Int64)
    by = [{"weekday": weekday, "hour": hour}, {"weekday": weekday, "hour": every}, {"weekday": every, "hour": hour}]
    groups = pl.concat([rows.select("account", "date", "residual", **columns) for columns in by])
    return with_effects(rows, sums(groups, "weekday", "hour"), "weekday", "hour").select(
        list(PostingTimes.to_schema().columns)
    )


POSTING_TIMES = Table(
    key="curated/posting_times",
    schema=PostingTimes,
    version="4",
    inputs={
        "videos": Input("curated/videos", look_back=LOOK_BACK, columns=(*equal_age.COLUMNS, *COLUMNS), may_be_long=True)
    },
    make=lambda inputs, parameters: posting_times(inputs["videos"], parameters.months),
)
POSTING_PERFORMANCE = publication(POSTING_TIMES, "warehouse/posting_times", PostingPerformance)
