"""Months, the cadence of partitions: pure, for those who know of partitions only that a day lies in one."""

from __future__ import annotations

import datetime as dt

import polars as pl


def month_of(day: pl.Expr) -> pl.Expr:
    """First day of the month a day lies in: the ``date`` of its partition."""
    return day.dt.truncate("1mo")


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """First day of every month from that of ``first`` to that of ``last``."""
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    ordinals = (12 * first.year + first.month - 1 + number for number in range(count))
    return [dt.date(ordinal // 12, ordinal % 12 + 1, 1) for ordinal in ordinals]
