"""What to do next: each step with its evidence, effect, cases and interval; what has none is one sentence."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import polars as pl
import pytest

from tiktok_assets.reporting.account_tables import AccountTables, Completeness
from tiktok_assets.reporting.next_steps import next_steps
from tiktok_assets.reporting.song_tables import SongTables
from tiktok_assets_tests.curated.songs.frames import song
from tiktok_assets_tests.reporting.simulated_tables import simulated, tables


@pytest.fixture(scope="module")
def known() -> AccountTables:
    """Nothing is due, and nothing has evidence."""
    of_account = tables(simulated())
    unproven = pl.lit("no evidence")
    return dataclasses.replace(
        of_account,
        completeness=Completeness(),
        viral=of_account.viral.clear(),
        posting=of_account.posting.with_columns(evidence=unproven),
        hashtags=of_account.hashtags.with_columns(evidence=unproven),
    )


def proven(effects: pl.DataFrame, effect: float, low: float, high: float, evidence: str) -> pl.DataFrame:
    """Two groups with that evidence, of which the first is less sure."""
    weaker = {"effect": effect, "effect_low": 1 + (low - 1) / 2, "effect_high": 1 + (high - 1) / 2}
    rows = effects.head(2).with_columns(evidence=pl.lit(evidence))
    stronger = {"effect": effect, "effect_low": low, "effect_high": high}
    return pl.concat(
        rows[number].with_columns(pl.lit(value).alias(name) for name, value in of.items())
        for number, of in enumerate((weaker, stronger))
    )


def test_without_evidence_one_sentence_says_so(known: AccountTables) -> None:
    found = next_steps(known)
    videos = known.posting.filter(pl.col("hour").is_null())["n"].sum()
    assert found.steps == []
    assert found.no_evidence == (
        f"No evidence yet that hours or weekdays ({videos} videos) or hashtags ({known.hashtags.height} used often "
        "enough to compare) make a difference."
    )


def test_without_any_video_nothing_is_claimed(known: AccountTables) -> None:
    empty = {name: getattr(known, name).clear() for name in ("videos", "viral", "posting", "hashtags")}
    found = next_steps(dataclasses.replace(known, **empty))
    assert (found.steps, "hours or weekdays (0 videos)" in found.no_evidence) == ([], True)


def test_the_most_urgent_export_is_named_and_the_others_are_counted(known: AccountTables) -> None:
    to_do = ["Overview lacks 7 days: export them.", "Content is 9 days old.", "Viewers lack 3 days."]
    assert next_steps(dataclasses.replace(known, completeness=Completeness(to_do=to_do))).steps == [
        "Overview lacks 7 days: export them. And 2 more exports: tiktok-assets status pig1987"
    ]


def test_an_hour_with_evidence_has_its_effect_interval_and_cases(known: AccountTables) -> None:
    posting = proven(known.posting.filter(pl.col("hour").is_not_null()), 1.8, 1.4, 2.6, "more views")
    (step,) = next_steps(dataclasses.replace(known, posting=posting)).steps
    row = posting.row(1, named=True)  # the surer one
    assert f"{row['hour']:02}:00 to " in step
    assert step.endswith(f"1.8× (1.4 to 2.6) the views of other videos at equal age, {row['n']} videos.")


def test_hashtags_are_kept_or_left_by_their_evidence(known: AccountTables) -> None:
    more = proven(known.hashtags, 1.5, 1.2, 1.9, "more views")
    fewer = proven(known.hashtags, 0.5, 0.3, 0.8, "fewer views").with_columns(hashtag=pl.lit("tired"))
    steps = next_steps(dataclasses.replace(known, hashtags=pl.concat([more, fewer]))).steps
    assert [step.split(":")[0] for step in steps] == [f"Keep using #{more['hashtag'][1]}", "Try without #tired"]
    assert "0.5× (0.3 to 0.8)" in steps[1]


@pytest.mark.parametrize(
    ("age", "days_ago", "reason", "is_shown"),
    [
        (14, 0, "daily_growth", True),
        (40, 27, "both", True),
        (13, 0, "daily_growth", False),  # its first wave
        (40, 28, "daily_growth", False),  # too long ago
        (40, 0, "views_vs_median", False),  # large, but not growing
    ],
)
def test_a_second_wave_is_worth_a_post(
    known: AccountTables, age: int, days_ago: int, reason: str, is_shown: bool
) -> None:
    newest = known.videos["date"].max()
    assert isinstance(newest, dt.date)
    of_video = {"video_id": "1", "date": newest - dt.timedelta(days=days_ago)}
    videos = pl.concat([known.videos, pl.DataFrame([of_video | {"age_days": age}])], how="diagonal_relaxed")
    wave = of_video | {"title": "Encore", "reason": reason, "daily_growth": 6.25, "total_views": 12_345}
    found = next_steps(dataclasses.replace(known, viral=pl.DataFrame([wave]), videos=videos)).steps
    growth = f"{age} days after its publication it gained 6.2× the views a day it had before, up to 12,345 in all"
    assert [growth in step and "Follow up on “Encore”" in step for step in found] == [True] * is_shown


def test_a_song_with_evidence_is_worth_more_videos(known: AccountTables) -> None:
    """Every fourth video is a song's, and has twelve times the views of the others."""
    ids = known.videos["video_id"].unique().sort().to_list()
    chosen = ids[1::4]
    views = pl.when(pl.col("video_id").is_in(chosen)).then(pl.col("total_views") * 12).otherwise("total_views")
    members = pl.DataFrame({"account": "pig1987", "video_id": chosen, "song": "summer"})
    songs = SongTables(songs=[song(key="summer", title="Summer <b>Nights")], members=members)
    loud = dataclasses.replace(known, videos=known.videos.with_columns(total_views=views), songs=songs)
    (step,) = next_steps(loud).steps
    assert step.startswith("Make more videos of “Summer <b>Nights”: ")
    shown = re.search(r": ([\d.]+)× \(([\d.]+) to ([\d.]+)\) the views", step)
    assert shown is not None
    factor, low, high = map(float, shown.groups())
    assert low < factor < high and low > 1
    quiet = next_steps(dataclasses.replace(known, songs=songs))
    assert quiet.steps == []
    assert " or songs or hashtags" in quiet.no_evidence


def test_there_are_at_most_five_steps(known: AccountTables) -> None:
    newest = known.videos["date"].max()
    wave = {"video_id": "1", "date": newest}
    found = next_steps(
        dataclasses.replace(
            known,
            completeness=Completeness(to_do=["Export Overview."]),
            videos=pl.concat([known.videos, pl.DataFrame([wave | {"age_days": 40}])], how="diagonal_relaxed"),
            viral=pl.DataFrame([wave | {"title": "x", "reason": "both", "daily_growth": 6.0, "total_views": 5}]),
            posting=proven(known.posting, 1.8, 1.4, 2.6, "more views"),
            hashtags=pl.concat(
                [
                    proven(known.hashtags, 1.5, 1.2, 1.9, "more views"),
                    proven(known.hashtags, 0.5, 0.3, 0.8, "fewer views"),
                ]
            ),
        )
    )
    assert len(found.steps) == 5
    assert found.no_evidence == ""
