"""Between which numbers does a video's lifetime total lie at the end of a day?

A snapshot's total was counted at a moment inside a day, and totals only rise. So at the end of a day the total is at
least that of the last snapshot counted before, and at most that of the first one counted after. It rises by no more
than the account's views of the days between, which narrows both; and before publication it is 0.

Belongs here: totals. Does not belong here: on which days they were counted (``counted``), the views of a day, the
difference of two of them (``video_daily``).
"""

from __future__ import annotations

import polars as pl

from tiktok_assets.curated.videos.counted import LONGEST_GAP, VIDEO, counted_snapshots, day_before, earlier

MOST_VIDEOS = 10_000
"""Videos of a snapshot whose days are given, those that gained most: a list of a million would make 31 million rows."""
LOOK_BACK = 2 * LONGEST_GAP + 5
"""Days before a snapshot that its rows depend on: two gaps, and the days by which calendars differ."""
_NEARBY = (1, 2, 3)
"""Snapshots before one that are looked at: of daily ones without an exact time, only the third is certainly older."""
_UNLIMITED = 10**12
"""The limit of a day whose account's views set none: more than any video has, and exact in sums."""


def day_ends(videos: pl.DataFrame, days: pl.DataFrame, moments: pl.DataFrame) -> pl.DataFrame:
    """One row per video, snapshot (``date``) and day that ends between the one before and it, and for the day before.

    ``low``, ``high``: bounds of the total at the end of ``day``, null where nothing of the ``LONGEST_GAP`` days before
    limits it; ``narrow_low``, ``narrow_high``: these, narrowed by the account's views, which may contradict
    (low above high); ``limit``: the most views of the day by the account's, if any; ``expected``: a point between
    ``low`` and ``high``; ``fell``: whether totals fell between the two snapshots; ``before``: the day of the older one,
    null for the publication; ``is_first``: the row is the day before.

    ``videos``: rows of ``Videos``; ``days``: of ``AccountDaily``; ``moments``: ``export_id`` and ``counted_at`` of the
    exports that are dated to the second.
    """
    snapshots = counted_snapshots(videos, moments)
    calendar = _calendar(snapshots, days)
    anchors = pl.concat([_counted(snapshots, calendar), _published(snapshots, calendar)])
    ends = (
        _opened(snapshots)
        .with_columns(
            day=pl.date_ranges(pl.col("opens_on").dt.offset_by("-1d"), pl.col("first_on").dt.offset_by("-1d"))
        )
        .explode("day")
        .join(calendar, on=["account", "day"], how="left", maintain_order="left")
    )
    # A limit rests on the next day as well: beyond the month of the snapshot it would depend on a later partition.
    is_in_month = pl.col("day") < pl.col("date").dt.month_end()
    ends = ends.with_columns(pl.when(is_in_month).then(name).alias(name) for name in ("limit", "limited"))
    return _bounds(_with_anchors(ends, anchors))


def _calendar(snapshots: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Every day of each account, with sums up to its end: ``seen`` and ``known``, its views and on how many days they
    are known; ``limited``, the most views that a video can have had.

    The account's final views of a day limit those of its videos. Labels of exports may be a day off where nothing
    proves their shift (docs/calendar.md), so the ``limit`` of a day is the most of it and of its neighbours.
    """
    views = pl.when(pl.col("video_views") >= 0).then("video_views")
    known = days.select("account", day="date", views=views, final=pl.when(pl.col("is_settled")).then(views))
    first, last = pl.col("date").min().dt.offset_by(f"-{LOOK_BACK}d"), pl.col("date").max().dt.offset_by("2d")
    around = [pl.col("final").shift(by).over("account") for by in (-1, 0, 1)]
    limit = pl.when(pl.all_horizontal(one.is_not_null() for one in around)).then(pl.max_horizontal(around))
    return (
        snapshots.group_by("account")
        .agg(day=pl.date_range(first, last))
        .explode("day")
        .join(known.unique(["account", "day"], keep="none"), on=["account", "day"], how="left")
        .sort("account", "day")
        .with_columns(limit=limit.fill_null(_UNLIMITED))
        .select(
            "account",
            "day",
            "limit",
            limited=pl.col("limit").cum_sum().over("account"),
            seen=pl.col("views").fill_null(0).cum_sum().over("account"),
            known=pl.col("views").is_not_null().cum_sum().cast(pl.Int64).over("account"),
        )
    )


_ANCHOR = ["date", "first_on", "last_on", "total", "falls", "limited_before", "limited_after", "seen", "known", "time"]


def _counted(snapshots: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """Each snapshot as what bounds a day's end. Inside its day it is taken to have been counted at noon.

    ``limited_before``, ``limited_after``: ``limited`` up to the days on which it may have been counted, and with them.
    """
    noon = pl.min_horizontal("last_on", "date")
    ends = calendar.rename({"limited": "limited_after"}).select("account", "day", "limited_after")
    halves = calendar.select(
        "account", "day", *((pl.col(name) + pl.col(name).shift(1).over("account")) / 2 for name in ("seen", "known"))
    )
    return (
        snapshots.with_columns(noon=noon, day_before=day_before("first_on"))
        .join(halves, left_on=["account", "noon"], right_on=["account", "day"], how="left", maintain_order="left")
        .join(ends, left_on=["account", "last_on"], right_on=["account", "day"], how="left", maintain_order="left")
        .join(
            ends.rename({"limited_after": "limited_before"}),
            left_on=["account", "day_before"],
            right_on=["account", "day"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            limited_after=pl.when(pl.col("last_on") < pl.col("date").dt.month_end()).then("limited_after"),
            time=_day_number("noon") + 0.5,
        )
        .select(_ANCHOR)
    )


def _published(snapshots: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """The publication of each snapshot's video as what bounds a day's end: a total of 0 until its day begins."""
    return (
        snapshots.with_columns(day_before=day_before("starts_on"))
        .join(
            calendar, left_on=["account", "day_before"], right_on=["account", "day"], how="left", maintain_order="left"
        )
        .select(
            date=pl.lit(None, pl.Date),
            first_on="starts_on",
            last_on="day_before",
            total=pl.lit(0, pl.Int64),
            falls="falls_before",
            limited_before="limited",
            limited_after=pl.lit(None, pl.Int64),
            seen=pl.col("seen").cast(pl.Float64),
            known=pl.col("known").cast(pl.Float64),
            time=_day_number("starts_on"),
        )
        .select(_ANCHOR)
    )


def _opened(snapshots: pl.DataFrame) -> pl.DataFrame:
    """The snapshots that days end before, the first of these days (``opens_on``), and when earlier ones were counted.

    ``last_on_1``: the last day on which the one before it may have been counted, and so on.
    """
    opens_on = pl.coalesce(
        pl.when((pl.col("first_on") - day).dt.total_days() <= LONGEST_GAP).then(day)
        for day in (earlier("first_on"), pl.col("starts_on"))
    )
    opened = (
        snapshots.with_columns(
            opens_on=pl.max_horizontal(opens_on, pl.when(opens_on.is_not_null()).then("starts_on")),
            next_from=earlier("first_on"),
            gained=pl.col("total") - earlier("total").fill_null(0),
            **{f"last_on_{back}": earlier("last_on", back) for back in _NEARBY},
        )
        .filter(pl.col("opens_on") < pl.col("first_on"))
        .drop("total", "falls", "falls_before", "last_on", "video")
    )
    place = pl.struct(-pl.col("gained"), "row").rank("ordinal").over("account", "date")
    is_long = pl.len().over("account", "date") > MOST_VIDEOS
    return opened if not opened.select(is_long.any()).item() else opened.filter(place <= MOST_VIDEOS)


def _with_anchors(ends: pl.DataFrame, anchors: pl.DataFrame) -> pl.DataFrame:
    """Each day's end with what bounds it: the columns of ``anchors``, as ``low_`` of the older, ``high_`` of the newer.

    ``anchors``: all snapshots, then the publication of each one's video.
    """
    row, day = pl.col("row").cast(pl.Int64), pl.col("day")

    def counted_by(last_on: pl.Expr) -> pl.Expr:
        return (day - last_on).dt.total_days().is_between(0, LONGEST_GAP)

    older = pl.coalesce(
        *(pl.when(counted_by(pl.col(f"last_on_{back}"))).then(row - back) for back in _NEARBY),
        pl.when(counted_by(day_before("starts_on"))).then(row + anchors.height // 2),
    )
    newer = pl.when(day < pl.col("next_from")).then(row - 1).otherwise(row)
    found = ends.select(older=older, newer=newer)
    return ends.hstack(
        [
            anchors[name].gather(found[index]).alias(f"{prefix}_{name}")
            for prefix, index in (("low", "older"), ("high", "newer"))
            for name in anchors.columns
        ]
    )


def _bounds(ends: pl.DataFrame) -> pl.DataFrame:
    low, high = pl.col("low_total"), pl.col("high_total")
    is_before = pl.col("day") < pl.col("starts_on")
    rise_since = pl.col("limited") - pl.col("low_limited_before")
    rise_until = pl.col("high_limited_after") - pl.col("limited")
    bounds = {
        "low": low,
        "high": high,
        "narrow_low": pl.max_horizontal(low, high - rise_until),
        "narrow_high": pl.min_horizontal(high, low + rise_since),
        "expected": (low + (high - low) * _share() + 0.5).floor().cast(pl.Int64),
    }
    is_bounded = low.is_not_null()
    return ends.select(
        *VIDEO,
        "date",
        "day",
        "limit",
        *(
            pl.when(is_bounded & is_before).then(0).when(is_bounded).then(value).alias(name)
            for name, value in bounds.items()
        ),
        before="low_date",
        fell=pl.col("high_falls") > pl.col("low_falls"),
        is_first=pl.col("day") < pl.col("opens_on"),
    )


def _share() -> pl.Expr:
    """Of the gain between two anchors, the share up to the end of the day: as the account's views, 0 to 1.

    A day whose views are unknown counts as the mean of the known ones; without any, or without views, days are equal.
    """
    time = _day_number("day") + 1.0
    days, known = pl.col("high_time") - pl.col("low_time"), pl.col("high_known") - pl.col("low_known")
    elapsed, known_elapsed = time - pl.col("low_time"), pl.col("known") - pl.col("low_known")
    mean = pl.when(known > 0).then((pl.col("high_seen") - pl.col("low_seen")) / known)
    by_views = (pl.col("seen") - pl.col("low_seen") + mean * (elapsed - known_elapsed)) / (mean * days)
    return pl.when(mean > 0).then(by_views).when(days > 0).then(elapsed / days).otherwise(1.0).clip(0, 1)


def _day_number(day: str) -> pl.Expr:
    return pl.col(day).to_physical().cast(pl.Float64)
