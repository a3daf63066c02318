"""Months, the cadence of partitions: pure, for those who know of partitions only that a day lies in one."""

from __future__ import annotations

import polars as pl


def month_of(day: pl.Expr) -> pl.Expr:
    """First day of the month a day lies in: the ``date`` of its partition."""
    return day.dt.truncate("1mo")
