"""The commands for songs, over a warehouse of a few rows written manually."""

from __future__ import annotations

import json

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from tiktok_assets.cli.app import app
from tiktok_assets.settings import Settings
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.curated.songs.frames import RELEASE, exact_days, members, published, video_days

OBEYED = ("\x1b", "\x07", "\x9b", "\u202e", "\r", "\b")
NASTY = f"{''.join(OBEYED)}[red]"
ADD = ("songs", "add", "summer", "--title", "Summer [red]", "--artist", "Pig", "--released", "2026-06-12")


@pytest.fixture
def settings(install: Install, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = install("a")
    for name in ("data_dir", "accounts_file", "songs_file"):
        monkeypatch.setenv(f"TIKTOK_{name}".upper(), str(getattr(settings, name)))
    return settings


def stored(settings: Settings) -> None:
    """Song "summer": one video known for 28 days, one not; and other videos about a hashtag."""
    settings.warehouse.parent.mkdir(parents=True)
    days = video_days(*exact_days(RELEASE, *[10] * 28, since=5))
    videos = members({"date": RELEASE, "song": "summer"}, {"date": RELEASE, "song": "summer", "video_id": "2"})
    captions = published((1, f"wild nights {NASTY} #thenights"), (2, f"wild nights {NASTY} #thenights"), first_id=7)
    tables = {
        "video_daily": days.drop("date").rename({"day": "date"}),
        "song_videos": videos,
        "content_performance": captions.rename({"date": "captured_on", "post_date": "publish_date"}),
    }
    with duckdb.connect(settings.warehouse) as connection:
        for name, rows in tables.items():
            connection.register("_rows", rows.with_columns(pl.col(pl.Datetime).dt.replace_time_zone(None)).to_arrow())
            connection.execute(f"create table {name} as from _rows")


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_a_song_is_added_listed_and_counted(settings: Settings) -> None:
    assert ran("songs", "list").stdout.startswith("No songs. Add one")
    assert ran(*ADD, "--hashtag", "#Summer", "--account", "a", "--isrc", "DE-XX1-26-00001").exit_code == 0
    assert "release_date = 2026-06-12" in settings.songs_file.read_text()
    assert "`tiktok-assets process` looks for the videos" in ran("songs", "list").stdout
    stored(settings)
    listed = ran("songs", "list")
    assert "Summer [red]" in listed.stdout and "280" in listed.stdout
    (song,) = json.loads(ran("songs", "list", "--json").stdout)
    assert (song["videos"], song["videos_known"], song["views_low"], song["views_high"]) == (2, 1, 280, 280)
    assert (song["accounts"][0]["starts_on"], song["accounts"][0]["ends_on"]) == ("2026-06-12", "2026-07-09")


def test_a_song_that_cannot_be_used_ends_with_2_and_a_sentence(settings: Settings) -> None:
    refused = ran(*ADD)
    assert refused.exit_code == 2
    assert "nothing says which videos are its own" in refused.stderr
    assert not settings.songs_file.exists()


def test_an_account_that_is_gone_is_named_and_the_songs_are_listed(settings: Settings) -> None:
    assert ran(*ADD, "--hashtag", "#Summer", "--account", "a").exit_code == 0
    settings.accounts_file.write_text("[accounts.b]\n")
    listed = ran("songs", "list")
    assert listed.exit_code == 0 and "Summer [red]" in listed.stdout
    assert "song 'summer': accounts: no account is called 'a'" in listed.stderr


def test_suggestions_show_text_of_strangers_as_text(settings: Settings) -> None:
    missing = ran("songs", "suggest", "--around", "2026-06-12")
    assert (missing.exit_code, "there is no warehouse yet" in missing.stderr) == (2, True)
    stored(settings)
    shown = ran("songs", "suggest", "--around", "2026-06-12", "--days", "5")
    assert "#thenights" in shown.stdout
    assert [sign for sign in OBEYED if sign in shown.stdout] == []
    found, phrase = json.loads(ran("songs", "suggest", "--around", "2026-06-12", "--json").stdout)
    assert phrase["text"] == "wild nights"
    assert (found["text"], found["video_ids"], found["first_on"]) == ("thenights", ["7", "8"], "2026-06-13")
    assert "No hashtag or phrase recurs" in ran("songs", "suggest", "--around", "2025-06-12").stdout
