"""Ratio, growth, and the value of a day n calendar days before: shared by several questions.

A measure is right or null: a denominator that is 0, unknown or negative gives no ratio.
"""

from __future__ import annotations

import polars as pl

ENGAGEMENTS = pl.col("likes") + pl.col("comments") + pl.col("shares")


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """``numerator`` / ``denominator``; null where one is unknown, or the denominator is not above 0."""
    return pl.when(denominator > 0).then(numerator / denominator)


def growth(now: pl.Expr, before: pl.Expr) -> pl.Expr:
    """``now`` / ``before`` - 1: 0.5 is half as much again, -1 is a total loss; null also where ``now`` is below 0."""
    return pl.when(now >= 0).then(ratio(now - before, before))


def before(column: str, days: int) -> str:
    """Name of the column that ``with_earlier`` adds."""
    return f"{column}_{days}d_before"


def with_earlier(rows: pl.DataFrame, days: int, *columns: str) -> pl.DataFrame:
    """``rows`` with the value of each of ``columns`` on the account's day exactly ``days`` calendar days before.

    Null where that day has no row, or two, of which either could be right.
    """
    earlier = rows.select(
        "account",
        pl.col("date").dt.offset_by(f"{days}d"),
        *(pl.col(column).alias(before(column, days)) for column in columns),
    )
    single = earlier.unique(["account", "date"], keep="none")
    return rows.join(single, on=["account", "date"], how="left", maintain_order="left")
