"""Which hashtags go with more views? Each against the account's other videos, at equal age.

A hashtag comes with others, and with the video's topic: this is no proof that it causes anything.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, made_of
from tiktok_assets.curated.table import Input, Table, publication
from tiktok_assets.curated.videos import equal_age
from tiktok_assets.curated.videos.equal_age import MIN_GROUP, Effect, residuals, sums, with_effects
from tiktok_assets.exports.long_frames import Rows, pieces

LOOK_BACK = equal_age.LOOK_BACK
"""Days before the first of the earliest requested month that ``hashtag_effects`` needs."""

COLUMNS = ("hashtags",)
"""The columns of a snapshot that ``hashtag_effects`` needs, beside those of ``equal_age``."""


class Hashtags(Effect):
    """One row per account, month and hashtag of at least 5 videos."""

    hashtag: str = pa.Field(description="lower case, without #", metadata=made_of("hashtags"))

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "hashtag"]


class HashtagPerformance(Hashtags, OfManyExports):
    """One row per account, month and hashtag of at least 5 videos."""

    class Config(Hashtags.Config, OfManyExports.Config):
        unique = ["platform", "account", "date", "hashtag"]


def hashtag_effects(videos: Rows, months: Sequence[dt.date]) -> pl.DataFrame:
    """The effects known at the end of each of ``months`` (first days); hashtags of fewer than 5 videos are left out.

    ``videos``: snapshots with the columns of ``Videos`` and ``VideoGrowth``. Videos of unknown title do not count.
    """
    numbered = videos.with_row_index("number")
    rows = residuals(numbered.filter(pl.col("hashtags").is_not_null()), months, "number")
    # Lists are costly to sort: they come to the chosen snapshots only now.
    tagged = (
        rows.join(piece, on="number", maintain_order="left").explode("hashtag").drop_nulls("hashtag")
        for piece in pieces(numbered.select("number", hashtag=pl.col("hashtags").list.unique()))
    )
    groups = pl.concat(sums(part, "hashtag") for part in tagged)
    effects = with_effects(rows, groups, "hashtag")
    return effects.filter(pl.col("n") >= MIN_GROUP).select(list(Hashtags.to_schema().columns))


HASHTAGS = Table(
    key="curated/hashtags",
    schema=Hashtags,
    version="4",
    inputs={
        "videos": Input("curated/videos", look_back=LOOK_BACK, columns=(*equal_age.COLUMNS, *COLUMNS), may_be_long=True)
    },
    make=lambda inputs, parameters: hashtag_effects(inputs["videos"], parameters.months),
)
HASHTAG_PERFORMANCE = publication(HASHTAGS, "warehouse/hashtag_performance", HashtagPerformance)
