"""The trace of a song's streams on a day: every row of every file about it, and which of them count.

Does not belong here: reading files, which song a row is of, which file is the latest (``streams``); printing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tiktok_assets.curated.songs.song import Song
from tiktok_assets.exports.text_rows import normal
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.streams import raw_rows_of
from tiktok_assets.streams.columns import NAMES
from tiktok_assets.streams.latest import latest_rows, typed_files
from tiktok_assets.streams.reading import RAW_ROWS
from tiktok_assets.streams.rows import typed_rows
from tiktok_assets.streams.songs import counted_rows, with_songs

_ROW = ["export_id", "member", "row_number"]


@dataclass(frozen=True, kw_only=True)
class StreamsRow:
    """One row of a file, and what became of it."""

    store: str
    territory: str | None
    streams: int | None
    text: Mapping[str, str]
    """Its cells that are read, by column, as they stand in the file."""
    export_id: str
    file: str
    """Below ``landing/streams`` or ``archive/streams``."""
    member: str
    row: int
    """1 is the first row below the header."""
    vintage: dt.datetime
    """The time of the file, which orders files."""
    counts: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class StreamsTrace:
    """The rows about a song's day, by store, newest file first."""

    song: str
    date: dt.date
    stores: Mapping[str, int]
    """The streams by store, as the tables have them; a store without a number is unknown and not here."""
    rows: Sequence[StreamsRow]


def trace_streams(lake: Lake, songs: Iterable[Song], song: str, date: dt.date) -> StreamsTrace:
    """The trace of ``song``, a key of ``songs``, on ``date``."""
    files = [rows.filter(date_label=date) for rows in raw_rows_of(lake, [date.replace(day=1)])]
    files = [rows for rows in files if rows.height]
    songs = list(songs)
    latest = latest_rows(typed_files(files))
    counted = counted_rows(with_songs(latest, songs)).filter(song_key=song)
    found = [one for rows in files for one in _rows_of_file(rows, songs, song, latest, counted)]
    stores = counted.group_by("store").agg(pl.col("streams").sum()).sort("store")
    return StreamsTrace(
        song=song,
        date=date,
        stores=dict(stores.iter_rows()),
        rows=sorted(found, key=lambda one: (one.store, -one.vintage.timestamp(), one.export_id, one.row)),
    )


def _rows_of_file(
    raw: pl.DataFrame, songs: Sequence[Song], song: str, latest: pl.DataFrame, counted: pl.DataFrame
) -> list[StreamsRow]:
    known = {name for names in NAMES.values() for name in names}
    read = [column for column in raw.columns if column not in RAW_ROWS and normal(column) in known]
    cells = {(row["member"], row["row_number"]): row for row in raw.iter_rows(named=True)}
    rows = with_songs(typed_rows(raw), songs).filter(song_key=song)
    return [
        StreamsRow(
            store=row["store"],
            territory=row["territory"],
            streams=row["streams"],
            text={name: cell for name in read if (cell := cells[row["member"], row["row_number"]][name]) is not None},
            export_id=row["export_id"],
            file=row["source"],
            member=row["member"],
            row=row["row_number"],
            vintage=row["vintage"],
            counts=_is_among(row, counted),
            why=_why(row, latest, counted),
        )
        for row in rows.iter_rows(named=True)
    ]


def _is_among(row: Mapping[str, Any], rows: pl.DataFrame) -> bool:
    return bool(rows.filter(**{name: row[name] for name in _ROW}).height)


def _why(row: Mapping[str, Any], latest: pl.DataFrame, counted: pl.DataFrame) -> str:
    if row["streams"] is None:
        return "not used: the file has no number"
    if _is_among(row, counted):
        return "counts: of the latest file"
    if _is_among(row, latest):
        return "not used: names the song by its title alone, and rows with an ISRC count instead"
    unit = latest.filter(track=row["track"], store=row["store"])
    winner = unit.row(0, named=True)
    if winner["export_id"] == row["export_id"]:
        return "not used: repeats a row of the same file"
    if winner["vintage"] == row["vintage"]:
        return f"not used: as old as {winner['source']}; the larger id wins"
    return f"not used: older than {winner['source']} ({row['vintage']:%Y-%m-%d %H:%M})"
