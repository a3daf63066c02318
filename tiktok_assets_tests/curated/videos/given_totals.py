"""Snapshots with given totals, when they were exported, and the days of an account: what ``video_daily`` reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from tiktok_assets.curated.videos.video_daily import video_daily
from tiktok_assets.curated.videos.video_growth import with_growth
from tiktok_assets_tests.curated.frames import day_rows, snapshot_rows

UTC = dt.UTC


def march(day: int) -> dt.date:
    return dt.date(2025, 3, day)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12, tzinfo=UTC))


def dated(moments: Mapping[str, dt.datetime]) -> pl.DataFrame:
    """The exports that are dated to the second, by id."""
    schema = {"export_id": pl.String, "counted_at": pl.Datetime("us", "UTC")}
    return pl.DataFrame({"export_id": list(moments), "counted_at": list(moments.values())}, schema=schema)


def listed(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Snapshots with their growth."""
    return with_growth(snapshot_rows(*rows), {}).with_columns(insights_export_id=pl.lit(None, pl.String))


def account(views: Mapping[dt.date, int | None], *, is_settled: bool = True) -> pl.DataFrame:
    days = day_rows(*({"date": day, "video_views": one} for day, one in views.items()))
    return days.with_columns(is_settled=pl.lit(is_settled))


NOTHING = account({})


def at_noon(
    totals: Mapping[int, int | None], days: pl.DataFrame = NOTHING, *, is_dated: bool = True, **video: Any
) -> pl.DataFrame:
    """The days of video "1" with these totals at noon of days of March."""
    rows = [{"date": march(day), "total_views": one, "export_id": str(day), **video} for day, one in totals.items()]
    moments = {str(day): noon(march(day)) for day in totals} if is_dated else {}
    return video_daily(listed(*rows), days, dated(moments))
