"""Do the years of an account's days rest on more than a file's time?

Belongs here: exports that are dated only by a file's time, and the sentence about one. Does not belong here: how years
are found (``exports.years``), which checks say so (``checks.dated``, ``check_results``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD
from tiktok_assets.exports.safe_text import one_line


def doubtful_exports(raw: pl.LazyFrame) -> pl.DataFrame:
    """The exports whose year rests on a file time long after their last row: a copy of an older file has such a time.

    One row each: ``account``, ``export_id``, ``source``, the ``last`` day, ``file_time``; null if that cannot be right.
    """
    by_time = (pl.col("year_evidence") == "file_time") & (pl.col("downloaded_at_evidence") == "file_time")
    apart = pl.col("downloaded_at").dt.date() - pl.col("window_last")
    by_today = pl.col("year_evidence") == "today"
    return (
        raw.filter((by_time & (apart > DAYS_OF_A_DOWNLOAD)) | by_today)
        .group_by("account", "export_id", "source")
        .agg(last=pl.col("window_last").first(), file_time=pl.col("downloaded_at").filter(~by_today).first())
        .sort("account", "source", "export_id")
        .collect(engine="streaming")
    )


def sentence(source: str, last: dt.date, file_time: dt.datetime | None, more: int = 0) -> str:
    """What is in doubt, and what to do. ``more``: how many other files it concerns."""
    source = one_line(source)
    others = f" (and {more} more)" if more else ""
    if file_time is None:
        return (
            f"The year {last.year} of {source}{others} rests on the day it was processed, for the time of the file "
            "cannot be right. Name it as Studio did, or with a full date of its window."
        )
    return (
        f"The year {last.year} of {source}{others} rests on the time of the file ({file_time:%Y-%m-%d}), which may "
        "be that of a copy. Name it as Studio did, or with a full date of its window."
    )
