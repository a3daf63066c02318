"""On which UTC days may the total of a snapshot have been counted?

The UTC day of a count is known for exports that are dated to the second (``COUNTED_AT``): totals are live, those of two
exports ten minutes apart differ. Others are dated by the exporter's calendar, which may be a day ahead of UTC or behind
it: their totals count as of any moment within these three days.

Belongs here: snapshots of one video in order. Does not belong here: what follows for a day (``total_bounds``).
"""

from __future__ import annotations

import polars as pl

LONGEST_GAP = 31
"""Most days between two snapshots, or from publication to the first, whose days are given, a month: what a day of a
longer gap had would be invented."""
COUNTED_AT = ("zip_stamp", "captured_at")
"""Evidence of a download that is exact to the second."""

VIDEO = ["account", "video_id"]


def counted_snapshots(videos: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """Snapshots in order of video and date, with the first and last UTC day on which each may have been counted.

    Only of videos that have days. ``starts_on``: the first day on which the video can have had views.
    """
    counted_on = pl.col("counted_at").dt.date()
    is_counted = (counted_on - pl.col("date")).dt.total_days().abs() <= 1
    is_captured = pl.col("export_id") == pl.col("insights_export_id")
    exact = pl.when(is_counted).then(counted_on).when(is_captured).then("date")
    # A post date is local, so a day ahead of UTC at most, and later than the upload where the post was scheduled.
    starts_on = pl.max_horizontal(pl.col("published_at").dt.date(), day_before("post_date"))
    known = (
        videos.filter(pl.col("total_views") >= 0)
        .join(moments, on="export_id", how="left", maintain_order="left")
        .select(
            *VIDEO,
            "date",
            "gained_over_days",
            total="total_views",
            starts_on=starts_on,
            first_on=pl.coalesce(exact, day_before("date")),
            last_on=pl.coalesce(exact, pl.col("date").dt.offset_by("1d")),
        )
    )
    is_new = (pl.col("date") - pl.col("starts_on")).dt.total_days() <= LONGEST_GAP + 1
    with_days = known.filter((pl.col("gained_over_days") <= LONGEST_GAP + 2) | is_new).select(VIDEO).unique()
    ordered = (
        known.join(with_days, on=VIDEO, how="semi")
        .drop("gained_over_days")
        .sort(*VIDEO, "date")
        .with_columns(video=pl.struct(VIDEO).rle_id())
        .with_row_index("row")
    )
    # The dates of two exporters on both sides of the date line can be in another order than their moments.
    not_before = {name: pl.max_horizontal(name, earlier(name)) for name in ("first_on", "last_on")}
    return ordered.with_columns(
        **not_before, falls=(pl.col("total") < earlier("total")).fill_null(value=False).cum_sum()
    ).with_columns(
        starts_on=pl.when(pl.col("starts_on") <= pl.col("last_on")).then("starts_on"),
        falls_before=pl.when(earlier("video").is_null()).then("falls").forward_fill(),
    )


def earlier(name: str, back: int = 1) -> pl.Expr:
    """The value ``back`` rows before, of snapshots in order, if it is of the same video. No ``over``: a million groups
    take a minute."""
    return pl.when(pl.col("video").shift(back) == pl.col("video")).then(pl.col(name).shift(back))


def day_before(day: str) -> pl.Expr:
    """The day before ``day``."""
    return pl.col(day).dt.offset_by("-1d")
