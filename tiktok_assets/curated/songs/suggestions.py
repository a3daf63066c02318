"""Which hashtags and phrases came up around a day? Candidates for recognising the videos of a song released then.

A hashtag or phrase is suggested if it recurs among the videos published around the day, and was rare before: a person
decides whether it is the song's. Does not belong here: which videos a song has (``recognition``).
"""

from __future__ import annotations

import datetime as dt

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated.songs.recognition import folded

MIN_VIDEOS = 2
"""One video is no recurrence."""
MIN_LIFT = 5.0
"""How many times as common it is among the videos around the day as among those before."""
BEFORE = 365
"""Days before, whose videos say what was common."""
WORDS = (2, 4)
"""Fewest and most words of a phrase."""
COLUMNS = ("account", "date", "video_id", "title", "hashtags", "published_at", "post_date")
"""The columns of a snapshot that ``suggestions`` needs."""

_BREAK = "\n"
_NO_WORD = r"#[\p{L}\p{N}\p{M}_]+|[^\p{L}\p{N}\p{M}'’\s]\p{M}*|\n"
"""A hashtag, or a sign that is part of no word."""
_VIDEO = ["account", "video_id"]
_TERM = ["kind", "text"]


class Suggestions(pa.DataFrameModel):
    """One row per hashtag or phrase, the one with most videos first."""

    kind: str = pa.Field(isin=["hashtag", "phrase"])
    text: str = pa.Field(description="hashtag in lower case without #; phrase in lower case")
    videos: int = pa.Field(ge=MIN_VIDEOS, description="videos published around the day that have it")
    accounts: int = pa.Field(ge=1, description="accounts of these videos")
    videos_before: int = pa.Field(ge=0, description="videos published in the year before that have it")
    first_on: pl.Date = pa.Field(description="when the first of the videos was published")
    video_ids: list[str] = pa.Field(description="these videos, the first published first")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _TERM


def suggestions(videos: pl.DataFrame, known: pl.DataFrame, around: dt.date, days: int) -> pl.DataFrame:
    """The rows of ``Suggestions`` for videos published at most ``days`` before or after ``around``.

    ``videos``: snapshots with ``COLUMNS``, of which the newest of each video counts; ``known``: ``account`` and
    ``video_id`` of videos that are some song's, which need no suggestion.
    """
    published_on = pl.coalesce(pl.col("published_at").dt.date(), "post_date")
    newest = videos.sort("date").unique(_VIDEO, keep="last").with_columns(published_on=published_on)
    first, last = around - dt.timedelta(days=days), around + dt.timedelta(days=days)
    then = newest.filter(pl.col("published_on").is_between(first, last)).join(known, on=_VIDEO, how="anti")
    before = newest.filter(pl.col("published_on").is_between(first - dt.timedelta(days=BEFORE), first, closed="left"))
    found = (
        _terms(then)
        .group_by(_TERM)
        .agg(
            pl.len().cast(pl.Int64).alias("videos"),
            pl.col("account").n_unique().cast(pl.Int64).alias("accounts"),
            pl.col("published_on").min().alias("first_on"),
            pl.col("video_id").sort_by("published_on", "video_id").alias("video_ids"),
        )
        .filter(pl.col("videos") >= MIN_VIDEOS)
        .join(_terms(before).group_by(_TERM).agg(videos_before=pl.len().cast(pl.Int64)), on=_TERM, how="left")
        .with_columns(pl.col("videos_before").fill_null(0))
    )
    usual = pl.col("videos_before") * then.height * MIN_LIFT
    return _without_parts(found.filter(pl.col("videos") * before.height >= usual)).select(
        list(Suggestions.to_schema().columns)
    )


def _terms(videos: pl.DataFrame) -> pl.DataFrame:
    """Each hashtag and phrase of each video, once, with the video. Only spaces stand between the words of a phrase."""
    columns = [*_VIDEO, "published_on"]
    hashtags = videos.select(*columns, text="hashtags").explode("text")
    spans = (
        videos.select(*columns, text=folded(pl.col("title")).str.replace_all(_NO_WORD, _BREAK).str.split(_BREAK))
        .explode("text")
        .with_row_index("_span")
        .with_columns(pl.col("text").str.extract_all(r"\S+"))
        .explode("text")
    )
    fewest, most = WORDS
    phrases = pl.concat(
        spans.select(
            *columns,
            text=pl.concat_str(
                [pl.col("text").shift(-by).over("_span") for by in range(length)], separator=" ", ignore_nulls=False
            ),
        )
        for length in range(fewest, most + 1)
    )
    return pl.concat(
        rows.drop_nulls("text").unique().select(*columns, "text", kind=pl.lit(kind))
        for kind, rows in (("hashtag", hashtags), ("phrase", phrases))
    )


def _without_parts(found: pl.DataFrame) -> pl.DataFrame:
    """Without phrases that are a part of a longer one of the same videos."""
    phrases = found.filter(kind="phrase").with_columns(_same=pl.col("video_ids").list.join(" "))
    longer = phrases.select("_same", _longer="text")
    parts = (
        phrases.join(longer, on="_same")
        .filter(
            pl.col("text") != pl.col("_longer"),
            (" " + pl.col("_longer") + " ").str.contains(" " + pl.col("text") + " ", literal=True),
        )
        .select(_TERM)
        .unique()
    )
    return found.join(parts, on=_TERM, how="anti").sort(
        ["videos", "accounts", "first_on", "kind", "text"], descending=[True, True, False, False, False]
    )
