"""The tables of streams: what a row of each is. They have months as partitions and no account."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import made_of
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.reports.report import UtcTime


class Streams(pa.DataFrameModel):
    """One row per recording, store, territory and day: its streams, by the latest file that reports them."""

    date: pl.Date = pa.Field(description="the day, as the file dates it")
    track: str = pa.Field(description="the recording: its ISRC, else its title in lower case")
    isrc: str = pa.Field(nullable=True, description="its ISRC, 12 letters and digits; null where the file has none")
    song: str = pa.Field(nullable=True, description="its title as in the file; null where the file has none")
    store: str = pa.Field(description="the store's name as in the file, in lower case")
    territory: str = pa.Field(nullable=True, description="as in the file; null where the file has none")
    streams: int = pa.Field(ge=0, description="how often it was streamed")
    export_id: str = pa.Field(description="sha256 of the file")
    source: str = pa.Field(description="the file, below landing/streams")
    member: str = pa.Field(description="the table inside the file")
    row_number: pl.UInt32 = pa.Field(description="1 is the first row below the header")
    vintage: UtcTime = pa.Field(description="the time of the file (UTC), which orders files: the latest one counts")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["track", "store", "territory", "date"]


class SongStreams(pa.DataFrameModel):
    """One row per song, store and day: streams of its recordings. A day without a row is unknown, not 0."""

    song: str = pa.Field(description="the song's name in brackets of songs.toml", metadata=made_of("isrc", "song"))
    store: str = pa.Field(description="the store's name as in the files, in lower case")
    date: pl.Date = pa.Field(description="the day, as the file dates it")
    streams: int = pa.Field(ge=0, description="streams of all recordings of the song, in all territories of the file")
    export_id: str = pa.Field(
        nullable=True, description="sha256 of the file, as in landing/streams; null where several contribute"
    )
    loaded_at: UtcTime = pa.Field(description="when the row was written (UTC)")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["song", "store", "date"]


STREAMS = Table(key="staging/streams", schema=Streams, version="1")
SONG_STREAMS = Table(
    key="warehouse/song_streams", schema=SongStreams, version="1", inputs={"rows": Input("staging/streams")}
)
STREAM_TABLES = {table.key: table for table in (STREAMS, SONG_STREAMS)}
"""By asset key. They are no part of ``curated.registry``: those tables are partitioned by account."""
