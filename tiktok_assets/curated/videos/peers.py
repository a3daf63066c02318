"""How does a video stand against the account's other videos at equal age?

Equal age without a guess at how views grow: a total never falls, so the first one captured at this age or above bounds
what another video had at this age. From ``MATURE_AGE`` days on all count as equally old, with their newest total. So
one export, where every video has another age, is enough, and a ratio to the median is never too high by it.

    peers of a snapshot = videos at least as old, captured in the PEER_DAYS days up to it, less the video itself;
                          of each age in days, and of all mature ones, the MAX_PEERS newest
"""

from __future__ import annotations

import polars as pl

from tiktok_assets.curated.measures import ratio

MIN_PEERS = 5
"""Other videos below which there is no median to speak of."""
MAX_PEERS = 200
"""Of one age. An account changes: what it got 200 videos ago is no measure. And lists of 900,000 videos stay quick."""
MATURE_AGE = 28
PEER_DAYS = 92
"""A quarter."""
LOOK_BACK = PEER_DAYS

_DAY = ["account", "date"]
_SNAPSHOT = [*_DAY, "video_id"]


def with_peers(videos: pl.DataFrame) -> pl.DataFrame:
    """Snapshots with ``peers``, how many others there are, and ``views_vs_median`` (x); null below ``MIN_PEERS``.

    ``videos``: account, date, video_id, age_days and total_views, known or not. Rows come back in their order.
    """
    parts = [
        _of_account(rows) for _, rows in videos.group_by("account", maintain_order=True)
    ]  # memory of one at a time
    medians = pl.concat(parts) if parts else _of_account(videos)
    return videos.join(medians, on=_SNAPSHOT, how="left", maintain_order="left").with_columns(
        pl.col("peers").fill_null(0),
        views_vs_median=pl.when(pl.col("peers") >= MIN_PEERS).then(ratio(pl.col("total_views"), pl.col("_median"))),
    ).drop("_median")  # fmt: skip


def _of_account(videos: pl.DataFrame) -> pl.DataFrame:
    rows = videos.filter(pl.col("total_views").is_not_null(), pl.col("age_days").is_not_null()).select(
        *_SNAPSHOT, "total_views", "age_days", level=pl.min_horizontal("age_days", pl.lit(MATURE_AGE))
    )
    captured = _captured_until(rows)
    members = captured.select(*_DAY, "video_id").unique().with_columns(is_member=pl.lit(value=True))
    middles = _at_each_level(captured).group_by(*_DAY, "level").agg(_middle_of(pl.col("total_views").sort()))
    joined = rows.join(middles, on=[*_DAY, "level"], how="left").join(members, on=_SNAPSHOT, how="left")
    own, is_member = pl.col("total_views"), pl.col("is_member").fill_null(value=False)
    # Without the video itself, which stands somewhere in the sorted totals, those above it move down by one place.
    without = [pl.when(pl.col(low) < own).then(low).otherwise(high) for low, high in (("l0", "l1"), ("h0", "h1"))]
    return joined.select(
        *_SNAPSHOT,
        peers=(pl.col("known") - is_member.cast(pl.Int64)).fill_null(0),
        _median=pl.when(is_member).then((without[0] + without[1]) / 2).otherwise("median"),
    )


def _captured_until(rows: pl.DataFrame) -> pl.DataFrame:
    """For each day with a snapshot: the snapshots of the days up to it, of the newest videos of each age."""
    days = rows.lazy().select(_DAY).unique()
    others = rows.lazy().select("account", "video_id", "total_views", "age_days", captured_on="date")
    days_ago = (pl.col("date") - pl.col("captured_on")).dt.total_days()
    age_on_the_day = pl.col("age_days") + days_ago
    generation = pl.min_horizontal(age_on_the_day, pl.lit(MATURE_AGE))
    newest = pl.struct(age_on_the_day, "video_id").rank("dense").over(*_DAY, generation)
    return (
        days.join(others, on="account")
        .filter(days_ago >= 0, days_ago <= PEER_DAYS)
        .collect(engine="streaming")
        .filter(newest <= MAX_PEERS + 1)
        .sort(*_SNAPSHOT, "captured_on")
    )


def _at_each_level(captured: pl.DataFrame) -> pl.DataFrame:
    """The total of each video at each age below ``MATURE_AGE``: the first captured then or later; its newest above."""
    video = [*_DAY, "video_id"]
    older = pl.col("age_days").shift(1).over(video).fill_null(-1)
    levels = pl.int_ranges(older + 1, pl.min_horizontal(pl.col("age_days") + 1, pl.lit(MATURE_AGE)))
    young = captured.with_columns(level=levels).filter(pl.col("level").list.len() > 0).explode("level")
    mature = captured.filter(pl.col("age_days") >= MATURE_AGE).unique(video, keep="last", maintain_order=True)
    columns = [*_DAY, "level", "total_views"]
    return pl.concat([young.select(columns), mature.with_columns(level=pl.lit(MATURE_AGE, pl.Int64)).select(columns)])


def _middle_of(ordered: pl.Expr) -> list[pl.Expr]:
    """The median of ``ordered``, and the places where the median lies once one value is taken out."""
    low, high = (pl.len().cast(pl.Int64) - 2).clip(lower_bound=0) // 2, (pl.len().cast(pl.Int64) - 1) // 2
    places = {"l0": low, "l1": low + 1, "h0": high, "h1": high + 1}
    return [
        pl.len().cast(pl.Int64).alias("known"),
        ordered.median().alias("median"),
        *(ordered.get(place, null_on_oob=True).alias(name) for name, place in places.items()),
    ]
