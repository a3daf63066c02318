"""How does a video stand against the account's other videos at equal age?

Equal age without a guess at how views grow: a total never falls, so the first one captured at this age or above bounds
what another video had at this age. From ``MATURE_AGE`` days on all count as equally old, with their newest total. So
one export, where every video has another age, is enough, and a ratio to the median is never too high by it.

    peers of a snapshot = videos at least as old, captured in the PEER_DAYS days up to it, less the video itself;
                          of each age in days, and of all mature ones, the MAX_PEERS newest
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tiktok_assets.curated.measures import ratio
from tiktok_assets.exports.long_frames import PIECE

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
_IS_KNOWN = pl.col("total_views").is_not_null() & pl.col("age_days").is_not_null()
_DAYS_AGO = (pl.col("date") - pl.col("captured_on")).dt.total_days()


@dataclass(frozen=True, kw_only=True)
class Peers:
    """The peers of snapshots: few numbers, however many snapshots there are."""

    middles: pl.DataFrame
    """By day of a snapshot and level of age: the middle of the peers' totals (``_middle_of``)."""
    members: pl.DataFrame
    """By day of a snapshot: the videos that are peers."""

    @classmethod
    def of(cls, videos: pl.DataFrame) -> Peers:
        """``videos``: all snapshots, as in ``with_peers``."""
        rows = videos.filter(_IS_KNOWN).select(*_SNAPSHOT, "total_views", "age_days")
        parts = [_captured_until(of_account) for _, of_account in rows.group_by("account", maintain_order=True)]
        captured = pl.concat(parts) if parts else _captured_until(rows)
        return cls(
            middles=_at_each_level(captured).group_by(*_DAY, "level").agg(_middle_of(pl.col("total_views").sort())),
            members=captured.select(_SNAPSHOT).unique().with_columns(is_member=pl.lit(value=True)),
        )


def with_peers(videos: pl.DataFrame, peers: Peers) -> pl.DataFrame:
    """Snapshots with ``peers``, how many others there are, and ``views_vs_median`` (x); null below ``MIN_PEERS``.

    ``videos``: account, date, video_id, age_days and total_views, known or not. Rows come back in their order.
    """
    joined = (
        videos.with_columns(level=pl.when(_IS_KNOWN).then(pl.min_horizontal("age_days", pl.lit(MATURE_AGE))))
        .join(peers.middles, on=[*_DAY, "level"], how="left", maintain_order="left")
        .join(peers.members, on=_SNAPSHOT, how="left", maintain_order="left")
    )
    own, is_member = pl.col("total_views"), pl.col("is_member").fill_null(value=False)
    # Without the video itself, which stands somewhere in the sorted totals, those above it move down by one place.
    without = [pl.when(pl.col(low) < own).then(low).otherwise(high) for low, high in (("l0", "l1"), ("h0", "h1"))]
    median = pl.when(is_member).then((without[0] + without[1]) / 2).otherwise("median")
    number = (pl.col("known") - is_member.cast(pl.Int64)).fill_null(0)
    return joined.select(
        *videos.columns,
        peers=number,
        views_vs_median=pl.when(number >= MIN_PEERS).then(ratio(own, median)),
    )


def _captured_until(rows: pl.DataFrame) -> pl.DataFrame:
    """For each day with a snapshot: the snapshots of the days up to it, of the newest videos of each age."""
    days = rows.lazy().select(_DAY).unique()
    others = rows.lazy().select("account", "video_id", "total_views", "age_days", captured_on="date")
    is_before = (_DAYS_AGO >= 0) & (_DAYS_AGO <= PEER_DAYS)
    slices = [part.lazy() for part in others.collect().iter_slices(PIECE)] or [others]
    parts = [_newest(days.join(part, on="account").filter(is_before).collect(engine="streaming")) for part in slices]
    captured = parts[0] if len(parts) == 1 else _newest(pl.concat(parts))
    return captured.sort(*_SNAPSHOT, "captured_on")


def _newest(captured: pl.DataFrame) -> pl.DataFrame:
    """Of the snapshots up to each day, those of the newest videos of each age."""
    age_on_the_day = pl.col("age_days") + _DAYS_AGO
    generation = pl.min_horizontal(age_on_the_day, pl.lit(MATURE_AGE))
    place = pl.struct(age_on_the_day, "video_id").rank("dense").over(*_DAY, generation)
    return captured.filter(place <= MAX_PEERS + 1)


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
