"""A stream is of the song that its ISRC, or its title where no ISRC says it, names in songs.toml."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl

from tiktok_assets.streams.latest import latest_rows, typed_files
from tiktok_assets.streams.songs import named_twice, song_streams, unmatched, with_songs
from tiktok_assets_tests.streams.files import ISRC, OTHER_ISRC, raw_of, song

HEADER = "date,isrc,song,store,streams\n"
SUMMER = song("summer", "Summer Nights", ISRC, OTHER_ISRC)


def staged(folder: Path, *texts: str) -> pl.DataFrame:
    return latest_rows(typed_files(raw_of(folder, f"{n}.csv", HEADER + text) for n, text in enumerate(texts)))


def published(rows: pl.DataFrame) -> list[tuple[str, str, int]]:
    return rows.select("song", "store", "streams").rows()


def test_the_recordings_of_a_song_are_added_up(tmp_path: Path) -> None:
    rows = staged(tmp_path, f"2026-06-30,{ISRC},a,Spotify,7\n2026-06-30,{OTHER_ISRC},b,Spotify,5\n")
    found = song_streams(with_songs(rows, [SUMMER]))
    assert published(found) == [("summer", "spotify", 12)]
    assert found["export_id"].to_list() == rows["export_id"].unique().to_list()
    split = staged(tmp_path, f"2026-06-30,{ISRC},a,Spotify,7\n", f"2026-06-30,{OTHER_ISRC},b,Spotify,5\n")
    both = song_streams(with_songs(split, [SUMMER]))
    assert (published(both), both["export_id"].to_list()) == ([("summer", "spotify", 12)], [None])


def test_a_title_names_a_song_only_where_no_isrc_can(tmp_path: Path) -> None:
    rows = staged(
        tmp_path,
        "2026-06-30,,SUMMER  nights,Deezer,1\n"
        "2026-06-30,DEXX12600009,Summer Nights,Spotify,2\n"
        "2026-06-30,DEXX12600008,What now?,Spotify,4\n",
    )
    matched = with_songs(rows, [SUMMER, song("what", "What now?")])
    assert published(song_streams(matched)) == [("summer", "deezer", 1), ("what", "spotify", 4)]
    assert unmatched(matched).rows() == [("DEXX12600009", "Summer Nights", 2)]


def test_titles_that_cannot_be_told_apart_name_no_song(tmp_path: Path) -> None:
    rows = staged(tmp_path, "2026-06-30,,What now?,Spotify,4\n")
    assert song_streams(with_songs(rows, [song("a", "What now?"), song("b", "What now/")])).is_empty()


def test_rows_by_title_are_not_added_to_those_by_isrc(tmp_path: Path) -> None:
    rows = staged(tmp_path, f"2026-06-30,{ISRC},,Spotify,7\n", "2026-06-30,,Summer Nights,Spotify,7\n")
    matched = with_songs(rows, [SUMMER])
    assert published(song_streams(matched)) == [("summer", "spotify", 7)]
    assert named_twice(matched).rows() == [("summer", "spotify", dt.date(2026, 6, 30))]


def test_without_songs_nothing_is_published_and_everything_reported(tmp_path: Path) -> None:
    matched = with_songs(staged(tmp_path, f"2026-06-30,{ISRC},a,Spotify,7\n"), [])
    assert song_streams(matched).is_empty() and unmatched(matched)["streams"].to_list() == [7]
