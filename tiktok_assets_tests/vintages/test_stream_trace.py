"""The trace of a song's streams: every row of every file, its text, which rows count, and the sum of the tables."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tiktok_assets.cli.app import app
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.streams import write_raw
from tiktok_assets.streams.latest import latest_rows, typed_files
from tiktok_assets.streams.reading import read_streams
from tiktok_assets.streams.songs import song_streams, with_songs
from tiktok_assets.vintages.stream_trace import StreamsTrace, trace_streams
from tiktok_assets_tests.streams.files import DOWNLOADED, ISRC, OTHER_ISRC, dropped, song

DAY = dt.date(2026, 6, 30)
SONGS = [song("summer", "Summer Nights", ISRC, OTHER_ISRC), song("winter", "Winter")]
OLD = f"date,isrc,store,streams\n2026-06-30,{ISRC},Spotify,7\n2026-06-29,{ISRC},Spotify,1\n"
NEW = (
    f'Date,ISRC,Store,Plays\n2026-06-30,{ISRC},Spotify,"1,008"\n2026-06-30,{ISRC},Spotify,"1,008"\n'
    f"2026-06-30,{OTHER_ISRC},Spotify,2\n2026-06-30,{ISRC},Deezer,-\n2026-06-30,DEXX12600009,Spotify,5\n"
)
TITLED = "date,streams\n2026-06-30,900\n"


@pytest.fixture
def lake(settings: Settings, tmp_path: Path) -> Lake:
    lake, later = Lake(settings), DOWNLOADED + dt.timedelta(hours=1)
    for name, text, at in [
        ("old.csv", OLD, DOWNLOADED),
        ("new/june.csv", NEW, later),
        ("Summer Nights-timeline.csv", TITLED, DOWNLOADED),
    ]:
        path = dropped(tmp_path / "files", name, text, at)
        write_raw(lake, read_streams(path, name))
        dropped(Path(str(settings.landed_streams)), name, text, at)
    return lake


def traced(lake: Lake) -> StreamsTrace:
    return trace_streams(lake, SONGS, "summer", DAY)


def test_every_row_is_there_with_file_row_text_and_the_reason(lake: Lake) -> None:
    rows = [(one.file, one.row, one.store, one.streams, one.counts, one.why) for one in traced(lake).rows]
    assert rows == [
        ("new/june.csv", 4, "deezer", None, False, "not used: the file has no number"),
        ("new/june.csv", 1, "spotify", 1008, True, "counts: of the latest file"),
        ("new/june.csv", 2, "spotify", 1008, False, "not used: repeats a row of the same file"),
        ("new/june.csv", 3, "spotify", 2, True, "counts: of the latest file"),
        *sorted(
            [
                ("old.csv", 1, "spotify", 7, False, "not used: older than new/june.csv (2026-07-01 08:00)"),
                (
                    "Summer Nights-timeline.csv",
                    1,
                    "spotify",
                    900,
                    False,
                    "not used: names the song by its title alone, and rows with an ISRC count instead",
                ),
            ],
            key=lambda row: next(one.export_id for one in traced(lake).rows if one.file == row[0]),
        ),
    ]
    assert traced(lake).rows[1].text == {"Date": "2026-06-30", "ISRC": ISRC, "Store": "Spotify", "Plays": "1,008"}


def test_the_traced_sum_is_that_of_the_tables(lake: Lake) -> None:
    files = [read_streams(path, path.name).rows for path in Path(str(lake.settings.landed_streams)).rglob("*.csv")]
    table = song_streams(with_songs(latest_rows(typed_files(files)), SONGS)).filter(song="summer", date=DAY)
    assert traced(lake).stores == {"spotify": 1010} == dict(table.select("store", "streams").iter_rows())


def test_the_command_prints_it_and_names_the_songs_there_are(
    lake: Lake, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for field in ("data_dir", "accounts_file", "songs_file"):
        monkeypatch.setenv(f"TIKTOK_{field}".upper(), str(getattr(settings, field)))
    Path(str(settings.songs_file)).write_text(
        f'[songs.summer]\ntitle = "Summer Nights"\nartist = "Pig"\nrelease_date = 2026-06-12\nisrc = ["{ISRC}"]\n'
        'hashtags = ["summer"]\n'
    )

    def ran(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["trace", *arguments, "streams"])
        return done.exit_code, done.output

    code, shown = ran("summer", "2026-06-30")
    assert code == 0 and shown.startswith("summer 2026-06-30 streams: spotify 1,008\n")
    assert 'Plays "1,008"' in shown and "new/june.csv, row 1" in shown
    code, shown = ran("summer", "2026-06-01")
    assert code == 1 and shown.startswith("summer 2026-06-01 streams: unknown\n")
    code, shown = ran("autumn", "2026-06-30")
    assert code == 2 and "There are: summer." in " ".join(shown.split())
