"""Streams of songs on their page: by week beside the views, and by store. What a store does not report is unknown.

Belongs here: sums of days, and of how many days they are. Does not belong here: which row of a file is a song's
(``streams``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.reporting import words
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.song_tables import WINDOW
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_rows

NO_STREAMS = pl.DataFrame(schema={"song": pl.String, "store": pl.String, "date": pl.Date, "streams": pl.Int64})


def read_streams(settings: Settings) -> pl.DataFrame:
    """One row per song, store and day with streams, from the published warehouse."""
    query = "select song, store, date, sum(streams)::bigint as streams from song_streams group by song, store, date"
    found = published_rows(settings, query)
    return NO_STREAMS if found is None else found


def in_period(streams: pl.DataFrame, period: Period) -> dict[str, str]:
    """The sum over the stores of a song's ``streams``, and of how many days it is where not every store knows all."""
    stores, known = streams["store"].n_unique(), _within(streams, period)
    days = "days" if stores == 1 else "days of stores"
    is_partial = 0 < known.height < stores * period.days
    return {
        "streams": words.count(_sum(known) if known.height else None),
        "streamed": f"{known.height} of {stores * period.days} {days}" if is_partial else "",
    }


def by_store(streams: pl.DataFrame) -> list[dict[str, str]]:
    """A line per store of a song's ``streams``, most of them first, below that of all, where there are several.

    Of the days up to the newest one of any store.
    """
    newest = streams["date"].max()
    if not isinstance(newest, dt.date):
        return []
    period = Period.up_to(newest, WINDOW)
    stores = streams.group_by("store").agg(
        pl.col("streams").filter(pl.col("date") >= period.first).sum().alias("recent")
    )
    names = stores.sort("recent", "store", descending=[True, False])["store"]
    lines = [{"store": name, **_line(streams.filter(store=name), period)} for name in names]
    return [{"store": "All stores", **_line(streams, period)}, *lines] if len(lines) > 1 else lines


def _line(streams: pl.DataFrame, period: Period) -> dict[str, str]:
    now, before = _within(streams, period), _within(streams, period.before)
    whole = streams["store"].n_unique() * period.days
    is_compared = now.height == before.height == whole and _sum(before) > 0
    change = words.growth(_sum(now) / _sum(before) - 1) if is_compared else ""
    return {
        **in_period(streams, period),
        "change": change,
        "direction": words.direction_of(change),
        "all": words.count(_sum(streams)),
        "all_days": words.counted(streams["date"].n_unique(), "day"),
        "until": words.short_day(streams["date"].max()),  # pyright: ignore[reportArgumentType]
    }


def _within(streams: pl.DataFrame, period: Period) -> pl.DataFrame:
    return streams.filter(pl.col("date").is_between(period.first, period.last))


def _sum(streams: pl.DataFrame) -> int:
    return int(streams["streams"].sum())
