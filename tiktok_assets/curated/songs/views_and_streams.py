"""A song's views on TikTok beside its streams in stores, day by day: a query over song_days and song_streams.

Belongs here: the query and what its columns mean. Both tables are made by runs of their own; the view exists
once both do.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl


class ViewsAndStreams(pa.DataFrameModel):
    """One row per song and day with known views or streams; null is unknown, not 0."""

    song: str = pa.Field(description="the song's name in brackets of songs.toml")
    date: pl.Date = pa.Field(description="the day: in UTC for views, as the store dates it for streams")
    views: int = pa.Field(nullable=True, description="sum over accounts of song_days; null where one has no estimate")
    views_low: int = pa.Field(nullable=True, description="its known videos had at least these views")
    views_high: int = pa.Field(
        nullable=True, description="its known videos had at most these views; null where nothing limits those of one"
    )
    accounts: int = pa.Field(nullable=True, description="accounts that know views of the day; the others are in no sum")
    streams: int = pa.Field(nullable=True, description="sum over the stores")
    stores: pl.List(pl.String) = pa.Field(  # pyright: ignore[reportInvalidTypeForm]
        nullable=True, description="stores that report streams of the day; the others are in no sum"
    )


QUERY = """
with viewed as (
    select song, date,
        case when count(views) = count(*) then sum(views)::bigint end as views,
        sum(views_low)::bigint as views_low,
        case when count(views_high) = count(*) then sum(views_high)::bigint end as views_high,
        count(*) as accounts
    from song_days where is_latest group by song, date
), streamed as (
    select song, date, sum(streams)::bigint as streams, list(store order by store) as stores
    from song_streams group by song, date
)
select song, date, views, views_low, views_high, accounts, streams, stores
from viewed full join streamed using (song, date)
order by song, date
"""
