"""How unusual is a number of a day for its account? Robust scores against the days before.

    usual    = median of log1p(value) on the same weekday of the last 8 weeks
    surprise = log1p(value) - usual
    spread   = 1.4826 * median of the surprises' size over the last 8 weeks (their MAD around 0)
    score    = surprise / spread
    ordinary = what 9 days in 10 of the last 8 weeks stay below

Medians, so one viral day moves none of them. The spread is that of earlier surprises: an account whose days vary widely
surprises nobody by doing so. Only days before the scored one count, and it is not among them.
"""

from __future__ import annotations

import polars as pl

HISTORY = 56
"""Days a median looks back: 8 of each weekday."""
LOOK_BACK = 2 * HISTORY
"""Days needed before the first requested day: surprises of the last 8 weeks look back 8 weeks themselves."""
MIN_WEEKDAYS = 4
"""Known days of the same weekday below which there is no usual, and ..."""
MIN_SURPRISES = 14
"""... known surprises below which there is no spread: 6 weeks of days in all."""
LEAST_SPREAD = 0.2
"""A spread of 20%: days that were equal by chance must not make the next one an outlier."""

_MAD = 1.4826  # makes the MAD of a normal distribution its standard deviation
_ORDINARY = 0.9


def with_scores(days: pl.DataFrame, name: str, value: pl.Expr, counts: pl.Expr) -> pl.DataFrame:
    """``days`` with ``{name}_usual``, ``_surprise``, ``_spread`` and ``_ordinary``; null below a minimum of history.

    ``value``: on a log scale. ``counts``: whether a day may be part of the history of later ones. All are natural logs.
    Rows come back sorted by account and date.
    """
    usual, surprise, spread, ordinary = (f"{name}_{part}" for part in ("usual", "surprise", "spread", "ordinary"))
    ordinary_days = pl.when(counts).then(value)
    window = f"{HISTORY}d"
    return (
        days.sort("account", "date")
        .with_columns(
            ordinary_days.rolling_median_by("date", window, closed="left", min_samples=MIN_WEEKDAYS)
            .over("account", pl.col("date").dt.weekday())
            .alias(usual),
            ordinary_days.rolling_quantile_by(
                "date", window, quantile=_ORDINARY, interpolation="linear", closed="left", min_samples=MIN_SURPRISES
            )
            .over("account")
            .alias(ordinary),
        )
        .with_columns((value - pl.col(usual)).alias(surprise))
        .with_columns(
            (_MAD * pl.when(counts).then(pl.col(surprise).abs()))
            .rolling_median_by("date", window, closed="left", min_samples=MIN_SURPRISES)
            .over("account")
            .clip(lower_bound=LEAST_SPREAD)
            .alias(spread)
        )
    )
