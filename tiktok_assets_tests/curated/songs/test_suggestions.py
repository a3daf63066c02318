"""Which hashtags and phrases came up around a day."""

from __future__ import annotations

from typing import Any

import polars as pl

from tiktok_assets.curated.songs.recognition import song_videos
from tiktok_assets.curated.songs.suggestions import suggestions
from tiktok_assets_tests.curated.frames import values_of
from tiktok_assets_tests.curated.songs.frames import RELEASE, published, song

NONE_KNOWN = pl.DataFrame(schema={"account": pl.String, "video_id": pl.String})


def suggested(videos: pl.DataFrame, known: pl.DataFrame = NONE_KNOWN) -> list[tuple[Any, ...]]:
    columns = ("kind", "text", "videos", "accounts", "videos_before", "video_ids")
    return values_of(suggestions(videos, known, RELEASE, 21), *columns)


def test_what_recurs_around_the_day_and_was_not_there_before_is_suggested_with_its_videos() -> None:
    videos = pl.concat(
        [
            published((-40, "#fyp old"), (-30, "#fyp #lost"), (-7, "Summer nights soon #fyp #SummerNights")),
            published(
                (3, "summer NIGHTS #summernights #fyp"), (40, "#autumn"), (41, "#autumn"), account="b", first_id=7
            ),
        ]
    )
    assert suggested(videos) == [
        ("hashtag", "summernights", 2, 2, 0, ["3", "7"]),
        ("phrase", "summer nights", 2, 2, 0, ["3", "7"]),
    ]


def test_what_was_a_fifth_as_common_before_is_suggested_and_no_more() -> None:
    before = published(*((-30 - n, "#rare #usual" if n == 0 else "#usual" if n == 1 else "-") for n in range(10)))
    around = published((1, "#rare #usual"), (2, "#rare #usual"), (3, "-"), (4, "-"), first_id=100)
    # rare: 2 of 4 against 1 of 10 is 5 times as common; usual: against 2 of 10 it is 2.5 times.
    assert [row[:5] for row in suggested(pl.concat([before, around]))] == [("hashtag", "rare", 2, 1, 1)]


def test_a_phrase_is_shown_at_its_longest_and_counts_a_video_once() -> None:
    videos = published((1, "turn the lights low"), (2, "turn the lights low, turn the lights low"), (3, "turn it"))
    assert [row[1:3] for row in suggested(videos)] == [("turn the lights low", 2)]


def test_a_suggested_phrase_catches_the_videos_it_names() -> None:
    captions = ("SUMMER nights ☀️ pov: the bass", "(Summer  Nights) ☀️ pov: the bass #now", "☀️ it's, it's summer nights")
    videos = published(*enumerate(captions))
    found = suggestions(videos, NONE_KNOWN, RELEASE, 21)
    assert found.filter(kind="phrase")["text"].to_list() == ["summer nights", "the bass"]
    for phrase, ids in values_of(found, "text", "video_ids"):
        assert song_videos(videos, [song(captions=(phrase,))])["video_id"].to_list() == ids


def test_videos_that_are_some_songs_need_no_suggestion() -> None:
    videos = published((1, "#summernights"), (2, "#summernights"))
    known = pl.DataFrame({"account": ["a"], "video_id": ["2"]})
    assert suggested(videos, known) == []


def test_without_videos_nothing_is_suggested() -> None:
    assert suggested(published((1, "#summernights")).clear()) == []
