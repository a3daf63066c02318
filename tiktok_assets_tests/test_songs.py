"""Songs: what the file may say, what is refused in which words, and how a command adds to it."""

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tiktok_assets.label import songs as listed
from tiktok_assets.label.songs import InvalidSongs, Song, add_song, load_songs, unknown_accounts
from tiktok_assets.settings import Settings

SUMMER = """\
# The summer.

[songs.summer-nights]  # the single
title = "Summer Nights"
artist = "Pig"
release_date = 2026-06-12
isrc = ["DE-XX1-26-00001"]
campaign = "summer-2026"
hashtags = ["#SummerNights"]
captions = ["summer   nights"]
video_ids = ["7231000000000000000"]
accounts = ["pig1987"]
"""
AUTUMN = {"title": "Autumn", "artist": "Pig", "release_date": dt.date(2026, 9, 4), "hashtags": ["autumn"]}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "songs.toml").write_text(SUMMER)
    (tmp_path / "accounts.toml").write_text("[accounts.pig1987]\n[accounts.zonea0]\n")
    return Settings(
        data_dir=UPath(tmp_path / "data"),
        songs_file=tmp_path / "songs.toml",
        accounts_file=tmp_path / "accounts.toml",
    )


def refusal(settings: Settings, text: str) -> str:
    """What a person reads when the file says ``text``; always names the file."""
    settings.songs_file.write_text(text)
    with pytest.raises(InvalidSongs) as caught:
        load_songs(settings)
    assert str(settings.songs_file) in str(caught.value)
    return str(caught.value)


def test_a_song_is_read_with_its_texts_as_they_are_compared(settings: Settings) -> None:
    assert load_songs(settings) == (
        Song(
            key="summer-nights",
            title="Summer Nights",
            artist="Pig",
            release_date=dt.date(2026, 6, 12),
            isrc=("DEXX12600001",),
            campaign="summer-2026",
            hashtags=("SummerNights",),
            captions=("summer nights",),
            video_ids=("7231000000000000000",),
            accounts=("pig1987",),
        ),
    )


def test_without_a_file_there_are_no_songs(settings: Settings) -> None:
    settings.songs_file.unlink()
    assert load_songs(settings) == ()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('soundtrack = "x"', "soundtrack = 'x': there is no such field. Valid: title, artist, release_date, isrc"),
        ('release_date = "2026-06-12"', "release_date = '2026-06-12' cannot be used. Write a day without quotes"),
        ("release_date = 2026-06-12T10:00:00", "Write a day without quotes: 2026-06-12."),
        ('isrc = ["DEXX126"]', "isrc = ['DEXX126'] cannot be used. Write a list of codes"),
        ('hashtags = ["summer nights"]', "Write a list of whole hashtags, without #"),
        ('hashtags = "summernights"', "hashtags = 'summernights' cannot be used. Write a list"),
        ("captions = [' … ']", "Write a list of words as they stand in captions"),
        ("video_ids = [7231000000000000000]", "ids of 17 to 19 digits, in quotes"),
        ('title = " "', "title = ' ' cannot be used. Write it in quotes."),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_what_to_write(settings: Settings, line: str, sentence: str) -> None:
    field = line.partition(" ")[0]
    rest = "".join(kept for kept in SUMMER.splitlines(keepends=True) if not kept.startswith(f"{field} "))
    said = refusal(settings, f"{rest}{line}\n")
    assert "song 'summer-nights'" in said
    assert sentence in said


def test_a_song_without_artist_or_without_any_way_to_recognise_it_is_refused(settings: Settings) -> None:
    lines = SUMMER.splitlines(keepends=True)
    assert "artist missing" in refusal(settings, "".join(line for line in lines if not line.startswith("artist")))
    recognised = ("hashtags", "captions", "video_ids")
    assert "nothing says which videos" in refusal(
        settings, "".join(line for line in lines if not line.startswith(recognised))
    )


@pytest.mark.parametrize(
    ("other", "twin"),
    [
        ('[songs.other]\ntitle = "summer NIGHTS"', "the same title 'summer NIGHTS'"),
        ('[songs.Summer-Nights]\ntitle = "Other"', "the same name 'Summer-Nights'"),
        ('[songs.other]\ntitle = "Other"\nisrc = ["dexx12600001"]', "the same isrc 'DEXX12600001'"),
    ],
)
def test_two_songs_that_streams_could_not_tell_apart_are_refused(settings: Settings, other: str, twin: str) -> None:
    said = refusal(settings, f'{SUMMER}\n{other}\nartist = "Pig"\nrelease_date = 2026-01-01\nhashtags = ["x"]\n')
    assert twin in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[songs.a.b]\n", "song 'a': b = {}: there is no such field"),
        ('[songs."no/folder"]\n', "this name cannot be used"),
        ("[song.one]\n", "'song' is not a valid entry here. Write tables [songs.<name>]."),
        ("songs = 3\n", "'songs' is not a valid entry here"),
        ("[songs.a\n", "this is not TOML"),
    ],
)
def test_a_file_of_another_form_is_refused(settings: Settings, text: str, sentence: str) -> None:
    assert sentence in refusal(settings, text)


def test_a_song_of_an_account_that_is_not_in_use_is_no_error(settings: Settings) -> None:
    others = settings.model_copy(update={"accounts": ("zonea0",)})
    songs = load_songs(others)
    assert [song.accounts for song in songs] == [("pig1987",)]
    assert unknown_accounts(others, songs) == []


def test_a_song_of_an_account_that_is_gone_is_read_and_the_account_named(settings: Settings) -> None:
    settings.accounts_file.write_text("[accounts.zonea0]\n[accounts.zero]\n")
    songs = load_songs(settings)
    assert [song.accounts for song in songs] == [("pig1987",)]
    assert unknown_accounts(settings, songs) == [
        f"{settings.songs_file}: song 'summer-nights': accounts: no account is called 'pig1987'. Write the names in "
        "brackets of accounts.toml: zero, zonea0."
    ]


def test_an_added_song_is_read_as_it_was_given_and_all_else_stays(settings: Settings) -> None:
    added = add_song(settings, "autumn", **AUTUMN, campaign=None, isrc=[])
    text = settings.songs_file.read_text()
    assert text.startswith(SUMMER)
    assert "campaign" not in text.removeprefix(SUMMER)
    assert load_songs(settings)[1] == added


def test_a_song_that_cannot_be_added_leaves_the_file_as_it_was(settings: Settings) -> None:
    of_nobody = {**AUTUMN, "accounts": ["pig"]}
    for key, fields in (("summer-nights", AUTUMN), ("autumn", {**AUTUMN, "title": "Summer nights"}), ("a", of_nobody)):
        with pytest.raises(InvalidSongs):
            add_song(settings, key, **fields)
        assert settings.songs_file.read_text() == SUMMER


def test_the_first_song_makes_the_file(settings: Settings) -> None:
    settings.songs_file.unlink()
    added = add_song(settings, "autumn", **AUTUMN)
    assert load_songs(settings) == (added,)


def test_songs_that_are_added_at_the_same_moment_are_all_there(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_table = listed.with_table

    def slowly(*given: Any) -> str:
        time.sleep(0.03)  # the others read meanwhile, unless they wait
        return with_table(*given)

    monkeypatch.setattr(listed, "with_table", slowly)
    keys = ["a", "b", "c", "d"]
    with ThreadPoolExecutor(len(keys)) as pool:
        list(pool.map(lambda key: add_song(settings, key, **{**AUTUMN, "title": key}), keys))
    assert sorted(song.key for song in load_songs(settings)) == [*keys, "summer-nights"]
