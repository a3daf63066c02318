"""Songs on the pages: a line each on the front page and on an account's, and a page of their own, week by week.

Belongs here: sums over accounts, and what is shown. Does not belong here: what a song gained (``curated.songs``), the
wording of numbers (``words``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from tiktok_assets.curated.measures import ratio
from tiktok_assets.curated.songs.song_weeks import DAYS
from tiktok_assets.label.songs import Song
from tiktok_assets.reporting import words
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.song_streams import NO_STREAMS, by_store, in_period
from tiktok_assets.reporting.song_tables import WINDOW, SongTables

PAGE = "songs.html"
_VIEWS = ("views_low", "views", "views_high")
_WIDTH = 100  # of the picture of bounds


def songs_of_roster(accounts: Mapping[str, SongTables]) -> list[dict[str, Any]]:
    """A line per song, over the accounts of these keys; none without songs.

    A song's sums are over the videos whose views are known, and say how many those are.
    """
    songs = next((tables.songs for tables in accounts.values() if tables.songs), ())
    if not songs:
        return []
    recent = pl.concat(tables.recent for tables in accounts.values())
    return [_line(song, recent.filter(song=song.key)) for song in songs]


def songs_of_account(account: str, tables: SongTables) -> list[dict[str, Any]]:
    """The lines of the songs that have videos on the account."""
    return [line for line in songs_of_roster({account: tables}) if line["videos"]]


def songs_page(
    accounts: Mapping[str, SongTables],
    handles: Mapping[str, str],
    front: str,
    made_at: dt.datetime,
    streams: pl.DataFrame = NO_STREAMS,
) -> str:
    """The page of all songs, as of ``made_at`` (aware).

    ``handles``: by account; ``front``: the front page beside it; ``streams``: as ``read_streams`` returns them.
    """
    recent = pl.concat(tables.recent for tables in accounts.values())
    weeks = pl.concat(tables.weeks for tables in accounts.values())
    lines = [
        {
            **line,
            "accounts": [
                {**_numbers(row), "key": row["account"], "handle": handles[row["account"]]}
                for row in recent.filter(song=line["key"]).iter_rows(named=True)
            ],
            "weeks": _weeks(weeks.filter(song=line["key"]), streams.filter(song=line["key"])),
            "stores": by_store(streams.filter(song=line["key"])),
        }
        for line in songs_of_roster(accounts)
    ]
    styles = ["page.css", "front.css"]
    return rendered(
        "songs.html", scripts=[text("csv.js")], styles=styles, songs=lines, front=front, window=WINDOW, made_at=made_at
    )


def _line(song: Song, recent: pl.DataFrame) -> dict[str, Any]:
    total = _total(recent).to_dicts()[0] if recent.height else {"videos": 0, "videos_known": 0}
    ends_on: Any = recent["ends_on"].max() if recent.height else None
    return {
        "key": song.key,
        "title": song.title,
        "artist": song.artist,
        "campaign": song.campaign or "",
        "released": words.short_day(song.release_date),
        "week": (ends_on - song.release_date).days // DAYS if ends_on else None,
        **_numbers({**total, "ends_on": ends_on}),
    }


def _total(rows: pl.DataFrame) -> pl.DataFrame:
    """The sums of rows with videos and views; of views null where one is unknown, or all are."""
    is_known = pl.col("videos_known") > 0
    return rows.select(
        pl.col("videos", "videos_known").sum(),
        *(
            pl.when(is_known.any(), pl.col(name).filter(is_known).null_count() == 0)
            .then(pl.col(name).filter(is_known).sum())
            .alias(name)
            for name in _VIEWS
        ),
    )


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    """Videos and views in words."""
    low, views, high = (row.get(name) for name in _VIEWS)
    if row["videos_known"] < row["videos"]:  # what the others gained is not known: no most, and no estimate
        views = high = None
    return {
        "videos": row["videos"],
        "known": f"{row['videos_known']:,} of {row['videos']:,}",
        "views": words.between(low, views, high),
        "until": words.short_day(row.get("ends_on")),
    }


def _weeks(weeks: pl.DataFrame, streams: pl.DataFrame) -> list[dict[str, Any]]:
    """The weeks of a song over all accounts, the newest first, with the streams of the days that are known."""
    if weeks.is_empty():
        return []
    rows = [
        {
            **_total(of_week).to_dicts()[0],
            "week": week,
            "starts_on": of_week["starts_on"][0],
            "published": of_week["videos_published"].sum(),
            "rate": _rate(of_week),
            "rated": _rated(of_week),
        }
        for (week,), of_week in weeks.sort("week", descending=True).group_by("week", maintain_order=True)
    ]
    most = max((row["views_high"] or row["views_low"] or 0 for row in rows), default=0)
    return [
        {
            **_numbers(row),
            "week": row["week"],
            "starts": words.short_day(row["starts_on"]),
            "published": words.count(row["published"]),
            "rate": words.percent(row["rate"]),
            "rated": row["rated"],
            **in_period(streams, Period(row["starts_on"], row["starts_on"] + dt.timedelta(days=DAYS - 1))),
            "picture": _picture(row, most),
        }
        for row in rows
    ]


def _rate(weeks: pl.DataFrame) -> float | None:
    total = pl.col("total_views", "total_engagements").sum()
    return weeks.select(total).select(ratio(pl.col("total_engagements"), pl.col("total_views"))).item()


def _rated(weeks: pl.DataFrame) -> str:
    """Of how many videos the rate is: ``3 of 5 videos``; nothing where that is not known, or there is none."""
    if weeks["videos_with_totals"].null_count() or not (of := weeks["videos_with_totals"].sum()):
        return ""
    return f"{of:,} of {words.counted(int(weeks['videos'].sum()), 'video')}"


def _picture(row: Mapping[str, Any], most: int) -> dict[str, str] | None:
    """Where a line from the least to the most views begins and ends, and the estimate, of a width of 100."""
    low, views, high = (row[name] for name in _VIEWS)
    if low is None or high is None or not most or row["videos_known"] < row["videos"]:
        return None
    return {
        name: f"{value / most * _WIDTH:.1f}"
        for name, value in (("low", low), ("views", low if views is None else views), ("high", high))
    }
