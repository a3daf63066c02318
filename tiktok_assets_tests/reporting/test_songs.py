"""Songs on pages: sums over accounts and weeks in words, and titles as text."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.songs.song_weeks import SongWeeks
from tiktok_assets.reporting.song_streams import NO_STREAMS
from tiktok_assets.reporting.song_tables import SongTables
from tiktok_assets.reporting.songs import songs_of_account, songs_of_roster, songs_page
from tiktok_assets.reporting.words import between
from tiktok_assets_tests.curated.songs.frames import song
from tiktok_assets_tests.reporting.simulated_tables import TITLE, text_of

MADE = dt.datetime(2026, 7, 1, 9, 30, tzinfo=dt.UTC)
SONGS = (song("s", title=TITLE, campaign=TITLE), song("quiet", title="Quiet"))


def on(account: str, videos: int, known: int, *views: int | None, **week: Any) -> SongTables:
    """Least, estimated and most views of song "s" on an account, of the last 28 days and of one week."""
    low, likely, high = views
    counts = {"account": account, "song": "s", "videos": videos, "videos_known": known}
    numbers = {**counts, "views_low": low, "views": likely, "views_high": high}
    nothing = SongTables()
    span = {"starts_on": dt.date(2026, 6, 2), "ends_on": dt.date(2026, 6, 29)}
    weekly = {"week": 1, "starts_on": dt.date(2026, 6, 19), "videos_published": 1, **week}
    return SongTables(
        songs=SONGS,
        recent=pl.DataFrame([numbers | span], schema=nothing.recent.schema),
        weeks=conform(pl.DataFrame([numbers | weekly]), SongWeeks),
    )


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ((None, None, None), "—"),
        ((1200, 1200, 1200), "1,200"),
        ((1200, 1300, 1500), "about 1,300 (1,200 to 1,500)"),
        ((1200, None, 1500), "1,200 to 1,500"),
        ((1200, None, None), "at least 1,200"),
    ],
)
def test_a_number_within_bounds_is_said_with_them(bounds: tuple[Any, ...], text: str) -> None:
    assert between(*bounds) == text


def test_a_song_has_the_sums_of_its_accounts_and_says_of_how_many_videos() -> None:
    both = {"a": on("a", 5, 3, 10, 20, 30), "b": on("b", 2, 2, 1, 2, 3), "c": on("c", 1, 0, None, None, None)}
    line, quiet = songs_of_roster(both)
    assert (line["views"], line["known"], line["week"]) == ("at least 11", "5 of 8", 2)
    assert (quiet["views"], quiet["known"], quiet["week"]) == ("—", "0 of 0", None)
    all_known = {"a": on("a", 3, 3, 10, 20, 30), "b": on("b", 2, 2, 1, 2, 3)}
    (line, _) = songs_of_roster(all_known)
    assert (line["views"], line["known"]) == ("about 22 (11 to 33)", "5 of 5")


def test_views_without_a_limit_on_one_account_have_none_in_the_sum() -> None:
    both = {"a": on("a", 1, 1, 10, None, None), "b": on("b", 1, 1, 1, 2, 3)}
    assert songs_of_roster(both)[0]["views"] == "at least 11"


def test_an_account_lists_the_songs_that_have_videos_on_it() -> None:
    assert [line["key"] for line in songs_of_account("a", on("a", 1, 1, 1, 1, 1))] == ["s"]
    assert songs_of_account("a", SongTables(songs=SONGS)) == []
    assert songs_of_roster({"a": SongTables()}) == []


def test_the_page_has_each_song_by_account_and_week_and_texts_are_no_markup() -> None:
    totals = {"total_views": 200, "total_engagements": 10}
    accounts = {"a": on("a", 3, 3, 10, 20, 30, **totals), "b": on("b", 2, 2, 1, 2, 3)}
    made = songs_page(accounts, {"a": "north.pier", "b": "<b>"}, "index.html", MADE)
    text = text_of(made)
    assert TITLE in text.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&amp;", "&")
    assert made.count("<script") == 1 and "<img" not in made and "@<b>" not in made
    assert "1 19 Jun 2026 2 5 of 5 about 22 (11 to 33) 5.0%" in text
    assert "@north.pier 3 of 3 about 20 (10 to 30) 29 Jun 2026" in text
    assert "Quiet" in text and "None of its videos was recognised yet." in text
    assert 'x1="33.3" x2="100.0"' in made  # 11 to 33 of a most of 33


def test_a_week_of_which_some_videos_are_unknown_has_no_most_and_no_picture() -> None:
    accounts = {"a": on("a", 5, 3, 10, 20, 30), "b": on("b", 2, 2, 1, 2, 3)}
    made = songs_page(accounts, {"a": "north.pier", "b": "b"}, "index.html", MADE)
    assert "1 19 Jun 2026 2 5 of 7 at least 11" in text_of(made)
    assert "@north.pier 3 of 5 at least 10 29 Jun 2026" in text_of(made)
    assert "x1=" not in made


def streamed(*rows: tuple[str, str, dt.date, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=NO_STREAMS.schema, orient="row")


def test_a_week_has_the_streams_of_its_known_days() -> None:
    week = dt.date(2026, 6, 19)
    streams = streamed(
        ("s", "spotify", week, 10),
        ("s", "spotify", week + dt.timedelta(days=6), 5),
        ("s", "spotify", week + dt.timedelta(days=7), 1000),
        ("other", "spotify", week, 1000),
    )
    accounts = {"a": on("a", 5, 3, 10, 20, 30, total_views=200, total_engagements=10)}
    text = text_of(songs_page(accounts, {"a": "a"}, "index.html", MADE, streams))
    assert "5.0% 15 2 of 7 days" in text
    without = text_of(songs_page(accounts, {"a": "a"}, "index.html", MADE, streams.filter(song="other")))
    assert "Engagement Streams" not in without and "Streams by store" not in without


def test_streams_stand_by_store_beside_their_sum_and_an_unknown_day_is_said() -> None:
    """Spotify: 56 days, 10 then 12 a day. Deezer: 3 a day on the last 30 days but the newest one, 2 on TITLE."""
    newest = dt.date(2026, 6, 25)  # the last day of week 1
    back = [newest - dt.timedelta(days=number) for number in range(56)]
    streams = streamed(
        *(("s", "spotify", day, 12 if number < 28 else 10) for number, day in enumerate(back)),
        *(("s", "deezer", day, 3) for day in back[1:31]),
        ("s", TITLE, back[40], 2),
    )
    text = text_of(songs_page({"a": on("a", 3, 3, 10, 20, 30)}, {"a": "a"}, "index.html", MADE, streams))
    assert "All stores 417 55 of 84 days of stores 708 56 days 25 Jun 2026" in text  # one day unknown: no change
    assert "spotify 336 +20% 616 56 days 25 Jun 2026" in text  # 28 * 12 against 28 * 10
    assert "deezer 81 27 of 28 days 90 30 days 24 Jun 2026" in text  # compared with nothing
    assert f"{TITLE} — 2 1 day 16 May 2026" in text
    assert text.rindex("All stores") < text.rindex("spotify") < text.rindex("deezer") < text.rindex(TITLE)
    assert f" {7 * 12 + 6 * 3} 13 of 21 days of stores" in text  # the week's sum


def test_engagement_says_of_how_many_videos_it_is() -> None:
    rated = {"total_views": 200, "total_engagements": 10}
    some = on("a", 3, 3, 1, 1, 1, videos_with_totals=1, **rated)
    both = {"a": some, "b": on("b", 2, 2, 1, 1, 1, videos_with_totals=0)}
    assert "5.0% 1 of 5 videos" in text_of(songs_page(both, {"a": "a", "b": "b"}, "index.html", MADE))
    older = {"a": on("a", 3, 3, 1, 1, 1, **rated)}  # stored by a version that did not count them
    mixed = {**older, "b": on("b", 2, 2, 1, 1, 1, videos_with_totals=1)}
    assert "1 of 5 videos" not in text_of(songs_page(mixed, {"a": "a", "b": "b"}, "index.html", MADE))
    text = text_of(songs_page(older, {"a": "a"}, "index.html", MADE))
    assert "5.0%" in text and "of 3 videos" not in text.replace("3 of 3 videos known", "")
