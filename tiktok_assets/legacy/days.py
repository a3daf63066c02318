"""The days of checked files, judged by the rules of the asset checks: one implementation for CSV and Parquet.

Belongs here: from rows to what the rules find, each with its place. Does not belong here: the rules themselves
(``curated.quality``), reading files (``validate``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from tiktok_assets.curated.quality.anomaly_rules import FLOWS, STOCKS
from tiktok_assets.curated.quality.check_results import missing_days
from tiktok_assets.curated.quality.quality import broken, find_anomalies

COUNTS = (*STOCKS, *FLOWS)
_DAY = ["account", "date"]
_RATE = "engagement_rate_is_within_bounds"
_COLUMNS = {
    "follower_drop": "followers",
    "views_below_engagement": "video_views",
    "viewers_above_views": "unique_viewers",
    "duplicate_entry": "video_views",
    _RATE: "engagement_rate",
}
"""The column that a finding is about, where it is one."""


@dataclass(frozen=True, kw_only=True)
class DayFinding:
    """What a rule found on a day, and the row of the day; an error is a number not to be used."""

    file: str
    row: int
    column: str | None
    is_error: bool
    message: str


def judged(tables: Iterable[pl.DataFrame]) -> Iterator[DayFinding]:
    """What is wrong with the days of ``tables``, each with other counts of the same accounts.

    Their columns: account, date, file, row (1 is the first below the header), any of ``COUNTS`` and engagement_rate.
    Viral days and other events of severity info are not reported: nothing is wrong with them.
    """
    known = [one.drop_nulls(_DAY).unique(_DAY, keep="first", maintain_order=True) for one in tables]
    known = [one for one in known if one.height]
    if not known:
        return
    for table in known:
        places = {(account, day): (file, row) for account, day, file, row in table.select(*_DAY, "file", "row").rows()}
        for gap in missing_days(table).iter_rows(named=True):
            file, row = places[gap["account"], gap["before"]]
            missing = "1 day is" if gap["missing"] == 1 else f"{gap['missing']} days are"
            message = f"{gap['account'] or 'all rows'}: {missing} missing between {gap['after']} and {gap['before']}"
            yield DayFinding(file=file, row=row, column="date", is_error=False, message=message)
    for account, day, anomaly, severity, sentence in _findings(_joined(known)).rows():
        column = _COLUMNS.get(anomaly)
        holds = [one for one in known if column is None or column in one.columns] or known
        rows = pl.concat(one.select(*_DAY, "file", "row") for one in holds).filter(account=account, date=day)
        file, row = rows.select("file", "row").row(0)
        message = f"{day}: {sentence.rstrip('.')}"
        yield DayFinding(file=file, row=row, column=column, is_error=severity == "error", message=message)


def _joined(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """A row for each account and day, with every column that the rules read."""
    days = pl.concat(one.select(_DAY) for one in tables).unique().sort(_DAY)
    for one in tables:
        days = days.join(one.drop("file", "row"), on=_DAY, how="left", maintain_order="left")
    # Without a column of shares, likes alone may not exceed the views.
    without = {name: 0 if name in FLOWS else None for name in COUNTS if name not in days.columns}
    days = days.with_columns(pl.lit(value, pl.Int64).alias(name) for name, value in without.items())
    days = days.with_columns(engagements=pl.sum_horizontal(FLOWS, ignore_nulls=False))
    if "engagement_rate" in days.columns:
        return days
    views = pl.col("video_views")
    return days.with_columns(engagement_rate=pl.when(views > 0).then(pl.col("engagements") / views))


def _findings(days: pl.DataFrame) -> pl.DataFrame:
    """account, date, anomaly, severity, sentence; gaps are found by table."""
    found = find_anomalies(days)
    columns = [*_DAY, "anomaly", "severity", "sentence"]
    rates = broken(_RATE, days, found).join(found, on=[*_DAY, "sentence"], how="anti", nulls_equal=True)
    reported = found.filter((pl.col("severity") != "info") & (pl.col("anomaly") != "missing_day"))
    outside = rates.with_columns(anomaly=pl.lit(_RATE))
    return pl.concat([reported.select(columns), outside.select(columns)]).sort(columns)
