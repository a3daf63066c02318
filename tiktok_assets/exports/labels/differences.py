"""What FollowerHistory's difference column means in one file, and the days on which it breaks that meaning.

Trap 3: it is named for the previous day, but in files that end two days before the download it is the difference to the
next day, with 0 in the last row. So growth comes from ``followers`` alone, and this column only checks it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

import polars as pl

Meaning = Literal["previous_day", "next_day", "unknown"]

FEWEST_ROWS = 2
"""Rows that must agree with one meaning and contradict the other: a single change of followers already makes two."""

CLEAR = 0.9
"""Their share among all rows that distinguish the two."""


@dataclass(frozen=True, kw_only=True)
class DifferenceMeaning:
    """``agreeing`` of the ``conclusive`` rows, on which the two meanings are different numbers, have the meaning."""

    meaning: Meaning
    agreeing: int
    conclusive: int


def meaning_of_differences(rows: pl.DataFrame) -> DifferenceMeaning:
    """What the column means in one file. ``rows``: date_label, followers, follower_difference; null where undefined."""
    conclusive = _compared(rows).filter(pl.col("to_previous") != pl.col("to_next"))
    agreeing: dict[Meaning, int] = {
        "previous_day": conclusive.filter(pl.col("follower_difference") == pl.col("to_previous")).height,
        "next_day": conclusive.filter(pl.col("follower_difference") == pl.col("to_next")).height,
    }
    meaning, most = max(agreeing.items(), key=lambda item: item[1])
    if most < FEWEST_ROWS or most < CLEAR * conclusive.height:
        return DifferenceMeaning(meaning="unknown", agreeing=most, conclusive=conclusive.height)
    return DifferenceMeaning(meaning=meaning, agreeing=most, conclusive=conclusive.height)


def follower_differences_agree(rows: pl.DataFrame) -> list[dt.date]:
    """The labels of one file whose difference is not that of ``followers``; none where its meaning is unknown.

    A row without the other day's followers is not compared: the first, or with the next day's meaning the last.
    """
    meaning = meaning_of_differences(rows).meaning
    if meaning == "unknown":
        return []
    expected = "to_previous" if meaning == "previous_day" else "to_next"
    wrong = _compared(rows).filter(pl.col("follower_difference") != pl.col(expected))
    return wrong["date_label"].to_list()


def _compared(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with the difference to the day before and to the day after; null where that day is not in the file."""
    days = rows.select("date_label", "followers", "follower_difference").unique("date_label", keep="last")
    other = days.select("date_label", other="followers")
    previous = days.join(other.with_columns(pl.col("date_label").dt.offset_by("1d")), on="date_label", how="left")
    following = days.join(other.with_columns(pl.col("date_label").dt.offset_by("-1d")), on="date_label", how="left")
    return days.with_columns(
        to_previous=previous["followers"] - previous["other"], to_next=following["other"] - following["followers"]
    ).sort("date_label")
