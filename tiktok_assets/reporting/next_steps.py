"""What to do next for an account: at most one step of each kind, with its evidence; what has none is one sentence.

Belongs here: choosing and wording. Does not belong here: the evidence (``curated.coverage``, ``curated.videos``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tiktok_assets.curated.songs.effects import song_effects
from tiktok_assets.reporting import words
from tiktok_assets.reporting.account_tables import AccountTables

MOST = 5
SECOND_WAVE_AGE = 14
"""Days after its publication from which on a video that takes off does so again."""
_RECENT = 28  # days before the newest list of videos in which a wave is still worth a post


@dataclass(frozen=True, kw_only=True)
class NextSteps:
    """The steps, most urgent first, and the questions that the account's videos cannot answer."""

    steps: Sequence[str] = ()
    no_evidence: str = ""
    """A sentence; empty if there is evidence about everything."""


def next_steps(tables: AccountTables) -> NextSteps:
    """The steps of an account, at most ``MOST``: an export, a video on a second wave, an hour, a song, two hashtags."""
    hashtags = [_hashtag(tables.hashtags, "more views"), _hashtag(tables.hashtags, "fewer views")]
    hour, song = _hour(tables.posting), _song(tables)
    found = (_export(tables), _second_wave(tables.viral, tables.videos), hour, song, *hashtags)
    missing = [] if hour else [_of_hours(tables.posting)]
    missing += [] if song or tables.songs.members.is_empty() else ["songs"]
    missing += [] if any(hashtags) else [_of_hashtags(tables.hashtags)]
    return NextSteps(
        steps=[step for step in found if step][:MOST],
        no_evidence=f"No evidence yet that {' or '.join(missing)} make a difference." if missing else "",
    )


def _export(tables: AccountTables) -> str:
    """The most urgent export, and where the others are listed."""
    first, *others = tables.completeness.to_do or ("",)
    command = f"tiktok-assets status {tables.account.key}"
    more = f" And {words.counted(len(others), 'more export')}: {command}" if others else ""
    return f"{first}{more}"


def _second_wave(viral: pl.DataFrame, videos: pl.DataFrame) -> str:
    """The latest video that gains many times the views a day it had before, long after its publication."""
    newest = videos["date"].max()
    if viral.is_empty() or not isinstance(newest, dt.date):
        return ""
    ages = videos.select("video_id", "date", "age_days")
    waves = viral.join(ages, on=["video_id", "date"]).filter(
        pl.col("reason") != "views_vs_median",
        pl.col("daily_growth").is_not_null(),
        pl.col("age_days") >= SECOND_WAVE_AGE,
        pl.col("date") > newest - dt.timedelta(days=_RECENT),
    )
    for row in waves.sort("date", "total_views", descending=True).head(1).to_dicts():
        return (
            f"Follow up on “{row['title'] or 'a video without caption'}”: {row['age_days']} days after its publication "
            f"it gained {words.times(row['daily_growth'])} the views a day it had before, up to "
            f"{words.count(row['total_views'])} in all (seen on {words.short_day(row['date'])}; one case, no interval)."
        )
    return ""


def _hour(posting: pl.DataFrame) -> str:
    for row in _proven(posting, "more views"):
        return f"Post on {words.slot(row)}: {words.effect(row)} the views of other videos at equal age, {_cases(row)}."
    return ""


def _song(tables: AccountTables) -> str:
    if tables.songs.members.is_empty():
        return ""
    titles = {song.key: song.title for song in tables.songs.songs}
    for row in _proven(song_effects(tables.videos, tables.songs.members), "more views"):
        title = titles.get(row["song"], row["song"])
        return (
            f"Make more videos of “{title}”: {words.effect(row)} the views of other videos at equal age, "
            f"{_cases(row)}. It may not be the cause."
        )
    return ""


def _hashtag(hashtags: pl.DataFrame, evidence: str) -> str:
    for row in _proven(hashtags, evidence):
        verb = "Keep using" if evidence == "more views" else "Try without"
        return (
            f"{verb} #{row['hashtag']}: {words.effect(row)} the views of other videos at equal age, {_cases(row)}. "
            "It may not be the cause."
        )
    return ""


def _proven(effects: pl.DataFrame, evidence: str) -> Iterator[dict[str, Any]]:
    """The rows with that evidence, the strongest first: that whose interval ends farthest from no effect."""
    of_interest = effects.filter(pl.col("evidence") == evidence)
    nearest = pl.min_horizontal(pl.col("effect_low").log().abs(), pl.col("effect_high").log().abs())
    yield from of_interest.sort(nearest, "n", descending=True).to_dicts()


def _cases(row: dict[str, Any]) -> str:
    return words.counted(row["n"], "video")


def _of_hours(posting: pl.DataFrame) -> str:
    videos = int(posting.filter(pl.col("hour").is_null())["n"].sum()) if posting.height else 0
    return f"hours or weekdays ({words.counted(videos, 'video')})"


def _of_hashtags(hashtags: pl.DataFrame) -> str:
    return (
        f"hashtags ({hashtags.height} used often enough to compare)"
        if hashtags.height
        else "hashtags (none used often)"
    )
