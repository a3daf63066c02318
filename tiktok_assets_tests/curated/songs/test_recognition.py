"""Which videos are a song's: hashtags, words of captions, ids; whatever their case, form or script."""

from __future__ import annotations

import datetime as dt
import unicodedata
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.songs.recognition import song_videos
from tiktok_assets.curated.videos.videos import Videos, hashtags_of
from tiktok_assets_tests.curated.frames import values_of
from tiktok_assets_tests.curated.songs.frames import song

DAY = dt.date(2026, 6, 20)


def videos(*captions: str | None, account: str = "north", **fields: Any) -> pl.DataFrame:
    rows = {"account": account, "date": DAY, "video_id": [str(n) for n in range(len(captions))], "title": captions}
    titled = pl.DataFrame({**rows, **fields}, schema_overrides={"title": pl.String})
    return conform(titled.with_columns(hashtags=hashtags_of(pl.col("title"))), Videos)


def found(caption: str | None, **fields: Any) -> bool:
    return song_videos(videos(caption), [song(**fields)]).height == 1


def test_a_video_is_recognised_once_by_the_surest_way_and_can_be_of_several_songs() -> None:
    rows = song_videos(
        videos("Summer nights #SummerNights", "#summernights #autumn", "nothing"),
        [
            song("summer", hashtags=("summernights",), captions=("summer nights",), video_ids=("1",)),
            song("autumn", hashtags=("autumn",)),
        ],
    )
    assert values_of(rows, "song", "video_id", "matched_by") == [
        ("autumn", "1", "hashtag"),
        ("summer", "0", "hashtag"),
        ("summer", "1", "video_id"),
    ]


def test_a_song_of_some_accounts_has_no_videos_of_others() -> None:
    both = pl.concat([videos("#s", account="north"), videos("#s", account="south")])
    assert song_videos(both, [song(hashtags=("s",), accounts=("south",))])["account"].to_list() == ["south"]
    assert song_videos(both, [song(hashtags=("s",))])["account"].to_list() == ["north", "south"]


def test_each_snapshot_is_judged_by_its_own_caption() -> None:
    later = DAY + dt.timedelta(1)
    edited = pl.concat([videos("soon"), videos("#s out now", date=later)])
    assert values_of(song_videos(edited, [song(hashtags=("s",))]), "date", "title") == [(later, "#s out now")]


def test_a_video_has_its_first_day_and_the_sums_of_its_totals() -> None:
    uploaded = dt.datetime(2026, 6, 10, 23, tzinfo=dt.UTC)
    rows = videos("#s", "#s", "#s", published_at=[uploaded, uploaded, None]).with_columns(
        post_date=pl.Series([dt.date(2026, 6, 11), dt.date(2026, 6, 15), None]),
        total_views=100,
        total_likes=pl.Series([5, -1, None]),
        total_comments=2,
        total_shares=1,
    )
    # The second was scheduled: its post date is local, so its day may be the one before.
    assert values_of(
        song_videos(rows, [song(hashtags=("s",))]), "published_on", "total_views", "total_engagements"
    ) == [
        (dt.date(2026, 6, 10), 100, 8),
        (dt.date(2026, 6, 14), 100, None),
        (None, 100, None),
    ]


def test_without_songs_or_captions_nothing_is_recognised() -> None:
    assert song_videos(videos("#s"), []).is_empty()
    assert not found(None, hashtags=("s",), captions=("s",))


@pytest.mark.parametrize(
    ("caption", "hashtag", "expected"),
    [
        ("#SummerNights", "summernights", True),
        ("wow#summernights!", "SummerNights", True),
        ("#summernights2026", "summernights", False),
        ("#summer_nights", "summernights", False),
        ("summernights", "summernights", False),
        ("# summernights", "summernights", False),
        ("#ΟΔΟΣ", "οδοσ", True),
        ("#cafe\N{COMBINING ACUTE ACCENT}", "café", True),
        ("#새노래", "새노래", True),
        ("#caf", "café", False),
        ("#GROSSSTADT", "großstadt", True),
    ],
)
def test_a_hashtag_is_matched_as_a_whole(caption: str, hashtag: str, *, expected: bool) -> None:
    assert found(caption, hashtags=(hashtag,)) is expected


@pytest.mark.parametrize(
    ("caption", "phrase", "expected"),
    [
        ("My SUMMER   nights, tonight", "summer nights", True),
        ("summer\N{NO-BREAK SPACE}nights", "summer nights", True),
        ("(summer nights)", "Summer Nights", True),
        ("midsummer nights", "summer nights", False),
        ("summer nightshift", "summer nights", False),
        ("summer, nights", "summer nights", False),
        ("a+b=c?", "a+b", True),
        ("aab", "a+b", False),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER S}ummer nights", "summer nights", True),
        ("\N{MATHEMATICAL BOLD CAPITAL S}ummer nights", "summer nights", True),
        ("これは新曲です", "新曲", True),
        ("!go now", "!go", True),
        ("don\N{RIGHT SINGLE QUOTATION MARK}t stop", "don't stop", True),
        ("don\N{LEFT SINGLE QUOTATION MARK}t stop", "don\N{MODIFIER LETTER APOSTROPHE}t stop", True),
        ("don't stop", "don\N{RIGHT SINGLE QUOTATION MARK}t stop", True),
        ("dont stop", "don't stop", False),
        ("AUF DER STRASSE", "auf der Straße", True),
        ("İSTANBUL nights", "istanbul nights", True),
    ],
)
def test_words_are_matched_as_whole_words(caption: str, phrase: str, *, expected: bool) -> None:
    assert found(caption, captions=(phrase,)) is expected


_letters = st.characters(categories=["Ll", "Lu", "Lo", "Nd"])
_tags = st.text(_letters, min_size=1, max_size=12)
# Letters with no other case (ß has SS) are not what a change of case is about.
_cased = _tags.filter(
    lambda tag: unicodedata.normalize("NFKC", tag).upper().lower() == unicodedata.normalize("NFKC", tag).lower()
)
_surroundings = st.text(
    st.sampled_from("☀★🎵❤🔥")  # of the category So, which has letters as well, such as 🅐
    | st.characters(categories=["Zs", "Po", "Sc"]).filter(
        lambda one: not any(part.isalnum() or part == "#" for part in unicodedata.normalize("NFKC", one))
    ),
    min_size=1,
    max_size=5,
)
fewer = settings(max_examples=50)  # each builds a frame


@fewer
@given(tag=_cased, before=_surroundings, after=_surroundings)
def test_a_hashtag_is_found_in_any_case_between_anything_that_is_no_letter(tag: str, before: str, after: str) -> None:
    for written in (tag, tag.upper(), tag.lower(), unicodedata.normalize("NFD", tag)):
        assert found(f"{before}#{written}{after}", hashtags=(tag,)), written


@fewer
@given(tag=_tags, more=_tags)
def test_a_longer_hashtag_is_another_one(tag: str, more: str) -> None:
    assert not found(f"#{tag}{more}", hashtags=(tag,))


@fewer
@given(words=st.lists(_cased, min_size=1, max_size=3), before=_surroundings, after=_surroundings)
def test_words_are_found_in_any_case_between_anything_that_is_no_letter(
    words: list[str], before: str, after: str
) -> None:
    assert found(f"{before}{'  '.join(words).upper()}{after}", captions=(" ".join(words),))


@fewer
@given(caption=st.text(max_size=40), phrase=st.text(min_size=1, max_size=12).filter(lambda text: bool(text.split())))
def test_no_text_is_an_error(caption: str, phrase: str) -> None:
    found(caption, captions=(phrase,))
