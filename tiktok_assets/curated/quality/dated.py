"""Do the years of an account's days rest on more than a file's time?

Belongs here: exports whose dates may be wrong, and the sentence about one. Does not belong here: how years are found
and doubted (``exports.years``), which checks say so (``checks.dated``, ``check_results``).
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from tiktok_assets.exports.evidence import IN_DOUBT
from tiktok_assets.exports.safe_text import one_line

_SENTENCES = {
    "doubtful_file_time": (
        "The year {year} of {file} rests on the time of the file ({at:%Y-%m-%d}), which may be that of a copy. "
        "Name it as Studio did, or with a full date of its window."
    ),
    "doubtful_label": (
        "The year {year} of {file} may have been added by a spreadsheet, which adds the current one. "
        "Use the original file, or name it with a full date of its window."
    ),
    "doubtful_siblings": (
        "The year {year} of {file} rests on the other files of its visit, and its name says another one. "
        "Name it as Studio did, or with a full date of its window."
    ),
    "doubtful_day": (
        "The day of {file}, which contains none, rests on the time of the file ({at:%Y-%m-%d}), which may be that of a "
        "copy. Use Studio's ZIP, or put it beside the dated files of its visit."
    ),
    "today": (
        "The year {year} of {file} rests on the day it was processed, for the time of the file cannot be right. "
        "Name it as Studio did, or with a full date of its window."
    ),
}


def doubtful_exports(raw: pl.LazyFrame) -> pl.DataFrame:
    """The exports whose year, or day, may be wrong: it rests on what a copy or a spreadsheet changes.

    One row each: ``account``, ``export_id``, ``source``, the ``last`` day, ``evidence``, the ``file_time``.
    """
    return (
        raw.filter(pl.col("year_evidence").is_in(sorted(IN_DOUBT.values())))
        .group_by("account", "export_id", "source")
        .agg(
            last=pl.col("window_last").first(),
            evidence=pl.col("year_evidence").first(),
            file_time=pl.col("downloaded_at").first(),
        )
        .sort("account", "source", "export_id")
        .collect(engine="streaming")
    )


def sentence(source: str, last: dt.date, evidence: str, file_time: dt.datetime, more: int = 0) -> str:
    """What is in doubt, and what to do. ``more``: how many other files it concerns."""
    others = f" (and {more} more)" if more else ""
    return _SENTENCES[evidence].format(year=last.year, file=f"{one_line(source)}{others}", at=file_time)
