"""Rows for the tests of curated: written manually, or of simulated accounts; and the same rows month by month."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from tiktok_assets.curated.table import Parameters
from tiktok_assets.curated.videos import viral
from tiktok_assets.curated.videos.video_growth import with_growth
from tiktok_assets.simulator.account import SimulatedAccount

_COUNTS = [
    *("video_views", "profile_views", "likes", "comments", "shares"),
    *("unique_viewers", "new_viewers", "returning_viewers", "followers"),
]
_DAYS = {"account": pl.String, "date": pl.Date, **dict.fromkeys(_COUNTS, pl.Int64)}
_SNAPSHOTS = {
    "account": pl.String,
    "date": pl.Date,
    "video_id": pl.String,
    "title": pl.String,
    "hashtags": pl.List(pl.String),
    "link": pl.String,
    "published_at": pl.Datetime("us", "UTC"),
    "post_date": pl.Date,
    **dict.fromkeys(("total_views", "total_likes", "total_comments", "total_shares"), pl.Int64),
    "export_id": pl.String,
}
LAST = dt.date(2026, 3, 23)  # of the days of `active`
HASHTAG = r"#([\p{L}\p{N}\p{M}_]+)"


def parameters(**changes: Any) -> Parameters:
    """The parameters that tables are made with by default."""
    loaded_at = dt.datetime(2026, 3, 31, tzinfo=dt.UTC)
    usual = {"viral_min_views": viral.MIN_VIEWS, "viral_growth": viral.GROWTH_THRESHOLD}
    return Parameters(**{"months": [], "loaded_at": loaded_at, **usual, **changes})


def day_rows(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Days of account "a" with the given values and nothing else."""
    filled = [{"account": "a", **row} for row in rows]
    return pl.DataFrame([{name: row.get(name) for name in _DAYS} for row in filled], schema=_DAYS, orient="row")


def snapshot_rows(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Snapshots of video "1" of account "a" with the given values and nothing else."""
    filled = [{"account": "a", "video_id": "1", **row} for row in rows]
    return pl.DataFrame(
        [{name: row.get(name) for name in _SNAPSHOTS} for row in filled], schema=_SNAPSHOTS, orient="row"
    )


def active(begins: int, *, account: str = "a", days: int = 6, quiet: tuple[int, ...] = ()) -> pl.DataFrame:
    """Active followers of the ``days`` up to 23 March 2026; on the last one nothing is known from ``begins`` on."""
    rows = [
        {
            "account": account,
            "date": LAST - dt.timedelta(back),
            "export_id": "e",
            "dimension": "active_time",
            "hour": hour,
            "count": None if back == 0 and hour >= begins else 0 if hour in quiet else 100 + hour,
        }
        for back in range(days)
        for hour in range(24)
    ]
    schema = {"account": pl.String, "date": pl.Date, "export_id": pl.String, "dimension": pl.String}
    return pl.DataFrame(rows, {**schema, "hour": pl.Int64, "count": pl.Int64})


def true_days(account: SimulatedAccount) -> pl.DataFrame:
    """The days of a simulated account, as a correct pipeline knows them; those of its gap are missing."""
    days = account.daily.rename({"day": "date"}).with_columns(account=pl.lit(account.handle))
    gap = account.traits.gap
    kept = days if gap is None else days.filter(~pl.col("date").is_between(pl.lit(gap[0]), pl.lit(gap[1])))
    return kept.select(list(_DAYS))


def true_snapshots(account: SimulatedAccount, days: list[dt.date]) -> pl.DataFrame:
    """The newest 15 videos of a simulated account on each of ``days``, with their growth."""
    tags = pl.col("title").str.to_lowercase().str.extract_all(HASHTAG)
    lists = [account.videos_on(day).tail(15).with_columns(date=pl.lit(day)) for day in days]
    rows = pl.concat(lists).with_columns(
        account=pl.lit(account.handle), published_at="uploaded_at", hashtags=tags.list.unique(), export_id=pl.lit("e")
    )
    return with_growth(rows.select(list(_SNAPSHOTS)), {account.handle: "UTC"})


def values_of(rows: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return rows.select(columns).rows()


def column(rows: pl.DataFrame, name: str) -> list[Any]:
    return rows[name].to_list()


def months_of(rows: pl.DataFrame) -> list[dt.date]:
    """The months that rows lie in: first days."""
    return sorted(set(rows["date"].dt.truncate("1mo")))


def by_month(
    rows: pl.DataFrame, look_back: int, table: Callable[[pl.DataFrame, dt.date], pl.DataFrame]
) -> pl.DataFrame:
    """``table`` made in one run per month, each of which reads only that month and ``look_back`` days before it."""
    parts = []
    for month in months_of(rows):
        following = (month + dt.timedelta(days=31)).replace(day=1)
        window = rows.filter(pl.col("date") >= month - dt.timedelta(days=look_back), pl.col("date") < following)
        made = table(window, month)
        parts.append(made.filter(pl.col("date") >= month, pl.col("date") < following))
    return pl.concat(parts)
