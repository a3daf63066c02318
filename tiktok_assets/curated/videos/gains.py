"""How many views did a video gain over several days? Between which numbers, and what is likely.

Its lifetime totals at both ends limit that far better than the sum of the bounds of its days:

    at least  the greater of the sum of views_low, and last day's total_views_low - day before's total_views_high
    at most   the smaller of the sum of views_high, and last day's total_views_high - day before's total_views_low

where the day before is that before the first one: totals of 0 for a video published since. A fall of the total on one
of the days leaves only the sum of views_low.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

VIDEO = ("account", "video_id")
VIEWS = ("views", "views_low", "views_high")


def gains(of_videos: pl.DataFrame, days: pl.DataFrame, by: Sequence[str] = VIDEO) -> pl.DataFrame:
    """``of_videos`` published until ``ends_on``, with what they gained from ``starts_on`` on: ``views_low``, ``views``,
    ``views_high``, as far as known, and ``is_known``: whether every day since the publication is.

    ``of_videos``: a row per span of days and ``by``, the columns that name a video, with ``published_on`` (null: long
    ago); ``days``: rows of ``VideoDaily`` with the columns ``by``.
    """
    span = [*by, "starts_on"]
    there = of_videos.filter((pl.col("published_on") <= pl.col("ends_on")).fill_null(value=True))
    sums = (
        there.join(days.select(*by, "day", *VIEWS), on=by)
        .filter(pl.col("day").is_between("starts_on", "ends_on"))
        .group_by(span)
        .agg(pl.len().alias("_days"), *(sum_of_known(column).alias(column) for column in VIEWS))
    )
    totals = days.select(*by, "day", _low="total_views_low", _high="total_views_high")
    is_new = pl.col("published_on") >= pl.col("starts_on")
    first = pl.when(is_new).then("published_on").otherwise("starts_on")
    return (
        there.join(sums, on=span, how="left")
        .with_columns(_before=pl.col("starts_on").dt.offset_by("-1d"))
        .join(totals, left_on=[*by, "ends_on"], right_on=[*by, "day"], how="left")
        .join(totals, left_on=[*by, "_before"], right_on=[*by, "day"], how="left", suffix="_before")
        .with_columns(pl.when(is_new).then(0).otherwise(name).alias(name) for name in ("_low_before", "_high_before"))
        .with_columns(_all=(pl.col("ends_on") - first).dt.total_days() + 1)
        .with_columns(is_known=(pl.col("_days") == pl.col("_all")).fill_null(value=False))
        .with_columns(_narrowed())
        .with_columns(pl.col("views").clip("views_low", "views_high"))
        .drop("_days", "_all", "_before", "_low", "_high", "_low_before", "_high_before")
    )


def published_on() -> pl.Expr:
    """The first day on which a video of a snapshot may have been there; null where none is known."""
    # A post date is local, so a day ahead of UTC at most, and later than the upload where the post was scheduled.
    return pl.max_horizontal(pl.col("published_at").dt.date(), pl.col("post_date").dt.offset_by("-1d"))


def _narrowed() -> list[pl.Expr]:
    """The bounds of the days, narrowed by the totals unless one fell, or they contradict."""
    least = pl.max_horizontal("views_low", pl.col("_low") - pl.col("_high_before"))
    most = pl.min_horizontal("views_high", pl.col("_high") - pl.col("_low_before"))
    is_usable = pl.col("views_high").is_not_null() & (least <= most)
    return [
        pl.when(is_usable).then(narrow).otherwise(name).alias(name)
        for name, narrow in (("views_low", least), ("views_high", most))
    ]


def sum_of_known(column: str) -> pl.Expr:
    """The sum; null where one value is."""
    return pl.when(pl.col(column).null_count() == 0).then(pl.col(column).sum())
