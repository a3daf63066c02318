"""Which song is a stream of? By the ISRCs of songs.toml, and by title where no ISRC says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import polars as pl

from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.streams.rows import title_key
from tiktok_assets.streams.tables import SongStreams


def with_songs(rows: pl.DataFrame, songs: Iterable[Song]) -> pl.DataFrame:
    """Rows of ``Streams`` with the key of their ``song_key``; null where they are of no song.

    A row with an ISRC is of the song with that ISRC. A row with a title alone, or of a title whose song has no ISRC in
    songs.toml, is of the song with that title. Two titles that cannot be told apart name no song.
    """
    songs = list(songs)
    by_isrc = {code: song.key for song in songs for code in song.isrc}
    times = Counter(title_key(song.title) for song in songs)
    titles = {title_key(song.title): song for song in songs if times[title_key(song.title)] == 1}
    keys = {title: title_key(title) for title in rows["song"].drop_nulls().unique()}
    named = pl.col("song").replace_strict(keys, default=None, return_dtype=pl.String)

    def found(by_title: dict[str, str]) -> pl.Expr:
        return named.replace_strict(by_title, default=None, return_dtype=pl.String)

    of_title = found({title: song.key for title, song in titles.items()})
    without_isrc = found({title: song.key for title, song in titles.items() if not song.isrc})
    of_isrc = pl.col("isrc").replace_strict(by_isrc, default=None, return_dtype=pl.String)
    return rows.with_columns(
        song_key=pl.when(pl.col("isrc").is_null()).then(of_title).otherwise(pl.coalesce(of_isrc, without_isrc))
    )


def counted_rows(matched: pl.DataFrame) -> pl.DataFrame:
    """The rows that are added up, of rows ``with_songs``.

    Rows that name a song by title alone may hold the same streams as those of its recordings (its ISRCs): they count
    only where no row of the song, store and day has an ISRC.
    """
    has_isrc = pl.col("isrc").is_not_null()
    of_songs = matched.drop_nulls("song_key")
    return of_songs.filter(has_isrc | ~has_isrc.any().over("song_key", "store", "date"))


def song_streams(matched: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``SongStreams`` without ``loaded_at``, from rows ``with_songs``: the recordings of a song in all."""
    counted = counted_rows(matched).drop("song").rename({"song_key": "song"})
    rows = counted.group_by("song", "store", "date").agg(
        pl.col("streams").sum(),
        export_id=pl.when(pl.col("export_id").n_unique() == 1).then(pl.col("export_id").first()),
    )
    return conform(rows, SongStreams).drop("loaded_at").sort("date", "song", "store")


def unmatched(matched: pl.DataFrame) -> pl.DataFrame:
    """The recordings that are of no song, most streams first: ``isrc``, ``song`` (its title), ``streams``."""
    others = matched.filter(pl.col("song_key").is_null())
    counted = others.group_by("isrc", "song").agg(pl.col("streams").sum())
    return counted.sort("streams", "isrc", "song", descending=[True, False, False])


def named_twice(matched: pl.DataFrame) -> pl.DataFrame:
    """The ``song_key``, ``store`` and ``date`` that rows name both by ISRC and by title alone."""
    day = ("song_key", "store", "date")
    kinds = matched.drop_nulls("song_key").group_by(day).agg(kinds=pl.col("isrc").is_null().n_unique())
    return kinds.filter(pl.col("kinds") > 1).drop("kinds").sort(day)
