"""Which numbers did TikTok change after it had told them, and after how many days does it stop?

A number is restated when two exports that follow each other both know it and differ. Unknown -> number is none (nothing
was believed before), and number -> unknown neither (null never replaces a number). Rows stand on their real days: a
label that moved is no restatement.

Only daily reports can be restated: lifetime totals and shares are of the moment they were captured, so that two of them
10 minutes apart may differ and both be right (measured: 14 of 14 videos, 8 of 11 territories).

The age of a number is the time from the end of its real day (UTC) to the download.

Belongs here: comparing exports, and the age that follows. Does not belong here: which export wins
(``reports.report.latest_per_grain``), what a shift is (``exports.labels``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tiktok_assets.curated.table import Input, Table
from tiktok_assets.exports.months import month_of
from tiktok_assets.reports.report import EXPORT_ORDER, Report

WITHOUT_EVIDENCE = 3
"""Days after which a number counts as settled until there is evidence."""
ENOUGH_DAYS = 7
"""Days that were told at an age, told again at least a day later and found the same: evidence for that age."""

LOOK_BACK = 92
"""Days before a month from which on exports are evidence for it. A quarter: a new month does not start without any, and
what TikTok counted otherwise long ago is no longer held against it."""

# Whole numbers that are no measurement of the day. follower_difference means the day before in some exports and the day
# after in others.
_OTHERS = ("follower_difference", "hour", "date_shift_days", "row_number")
_DAY = ["account", "date"]
_METRIC = ["account", "report", "metric"]


class Restatements(pa.DataFrameModel):
    """One row per account, day, item, metric and export that replaced a number by another one."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="the real day (UTC) the number is of")
    report: str = pa.Field(description="daily report, as overview")
    item: str = pa.Field(description="the hour (00 to 23) of follower_activity; empty for a number of the whole day")
    metric: str = pa.Field(description="column of the staging table")
    old_value: int = pa.Field(description="what was told")
    new_value: int = pa.Field(description="what the next export that knows it told")
    old_export_id: str = pa.Field(description="sha256 of the export that told the old value")
    new_export_id: str = pa.Field(description="sha256 of the export that told the new value")
    old_age_days: float = pa.Field(description="days from the end of the day to the download of the old value")
    new_age_days: float = pa.Field(description="days from the end of the day to the download of the new value")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = [*_DAY, "report", "item", "metric", "new_export_id"]


class Settling(pa.DataFrameModel):
    """One row per account, month, daily report and metric: what exports of the month and the quarter before tell twice.

    Exports that speak of one of their days, and of these all days. Later ones are no evidence for the month, so that
    what is said of it comes to rest.
    """

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month that this is said of")
    report: str = pa.Field(description="daily report, as overview")
    metric: str = pa.Field(description="column of the staging table")
    re_reports: int = pa.Field(ge=0, description="numbers that were told again by the next export that knows them")
    changes: int = pa.Field(ge=0, description="of these, numbers that were another one then")
    days_compared: int = pa.Field(ge=0, description="days of which a number was told again at least a day later")
    last_change_age_days: float = pa.Field(
        nullable=True, description="age of the oldest number that was still replaced; null: none was"
    )
    settled_after_days: int = pa.Field(ge=0, description="age from which on a number counts as settled, in whole days")
    has_evidence: bool = pa.Field(
        description=f"whether that follows from what was told twice; else it is {WITHOUT_EVIDENCE}, the assumption"
    )

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = [*_DAY, "report", "metric"]


def restatements(report: Report, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of ``Restatements`` among typed rows of a daily report on their real days; exports in any order."""
    changed = _re_reports(report, rows).filter("is_change")
    return changed.select(list(Restatements.to_schema().columns)).sort(*_DAY, "item", "metric", "new_age_days")


def settling(report: Report, rows: pl.DataFrame, months: Sequence[dt.date]) -> pl.DataFrame:
    """The rows of ``Settling`` for each of ``months`` (first days), out of typed rows of a daily report.

    ``rows``: all rows of the exports that speak of these months or of ``LOOK_BACK`` days before, on their real days.
    Leave out exports of which nobody knows when they were downloaded: a copy's time would make their numbers older
    than they were. A month that no export speaks of has no row.

    A number counts as settled from the least whole age on (k) for which both hold:
    no number of that age or above was replaced later;
    ``ENOUGH_DAYS`` days were told at an age from k to k + 1, and the same again a day or more later.
    Without such an age it is ``WITHOUT_EVIDENCE``, or the first whole age above the last change if that is more.
    """
    by_month = rows.join(_evidence(rows, months), on=["account", "export_id"], how="inner")
    told = _re_reports(report, by_month, "month").with_columns(whole_age=pl.col("old_age_days").floor().cast(pl.Int64))
    changed, waited = pl.col("is_change"), pl.col("new_age_days") - pl.col("old_age_days") >= 1
    group = [*_METRIC, "month"]
    found = told.group_by(group).agg(
        re_reports=pl.len().cast(pl.Int64),
        changes=changed.sum().cast(pl.Int64),
        days_compared=pl.col("date").filter(waited).n_unique().cast(pl.Int64),
        last_change_age_days=pl.col("old_age_days").filter(changed).max(),
        still_moving_at=pl.col("whole_age").filter(changed).max(),
    )
    supported = (
        told.filter(~changed & waited & (pl.col("whole_age") >= 0))
        .group_by(*group, "whole_age")
        .agg(days=pl.col("date").n_unique())
        .filter(pl.col("days") >= ENOUGH_DAYS)
        .join(found.select(*group, "still_moving_at"), on=group)
        .filter(pl.col("still_moving_at").is_null() | (pl.col("whole_age") > pl.col("still_moving_at")))
        .group_by(group)
        .agg(supported=pl.col("whole_age").min())
    )
    above = (pl.col("still_moving_at") + 1).fill_null(0)
    assumed = pl.max_horizontal(above, pl.lit(WITHOUT_EVIDENCE, pl.Int64))
    return (
        found.join(supported, on=group, how="left")
        .with_columns(
            date=pl.col("month"),
            settled_after_days=pl.min_horizontal(assumed, "supported"),
            has_evidence=(pl.col("supported") <= assumed).fill_null(value=False) | (above > WITHOUT_EVIDENCE),
        )
        .select(list(Settling.to_schema().columns))
        .sort(*_DAY, "metric")
    )


def _evidence(rows: pl.DataFrame, months: Sequence[dt.date]) -> pl.DataFrame:
    """``account``, ``month``, ``export_id``: the exports that are evidence for each of ``months``."""
    speaks_of = rows.select("account", "export_id", seen=month_of(pl.col("date"))).unique()
    first = month_of(pl.col("month") - pl.duration(days=LOOK_BACK))
    wanted = pl.DataFrame({"month": list(months)}, schema={"month": pl.Date})
    seen = wanted.with_columns(seen=pl.date_ranges(first, "month", "1mo")).explode("seen")
    spoken_of = speaks_of.select("account", month="seen").unique()
    return seen.join(speaks_of, on="seen").drop("seen").unique().join(spoken_of, on=["account", "month"], how="semi")


def settled_days(staged: Mapping[str, pl.DataFrame], settled: pl.DataFrame) -> pl.DataFrame:
    """``account``, ``date``, ``is_settled``: whether all that is known of a day was told at an age of no more change.

    ``staged``: rows of daily reports, by name; ``settled``: rows of ``Settling``. The age of a report's day is that at
    the newest export that told a number of it, and what it has to reach is the most of the report's metrics. A day of
    which no report knows a number is in no row.
    """
    needed = settled.group_by("account", "report", month="date").agg(needed=pl.col("settled_after_days").max())
    days = [
        rows.filter(pl.any_horizontal(pl.col(_numbers(rows)).is_not_null())).select(
            *_DAY, age=_age(), report=pl.lit(name), month=month_of(pl.col("date"))
        )
        for name, rows in staged.items()
    ]
    told = pl.concat(days).join(needed, on=["account", "report", "month"], how="left")
    return (
        told.group_by(_DAY)
        .agg(is_settled=(pl.col("age") >= pl.col("needed").fill_null(WITHOUT_EVIDENCE)).all())
        .sort(_DAY)
    )


def _re_reports(report: Report, rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Each number that the next export knows too: the columns of ``Restatements``, ``is_change`` and ``by``."""
    item = pl.col("hour").cast(pl.String).str.zfill(2) if "hour" in report.grain else pl.lit("")
    metrics = _numbers(rows)
    if "is_zero_tail" in rows.columns:  # zeros that fill up an export's end are no numbers
        rows = rows.with_columns(active_followers=pl.when(~pl.col("is_zero_tail")).then("active_followers"))
    grain = ["account", *by, "date", "item", "metric"]
    day = ["account", *by, "date"]
    told_again = rows.group_by(day).agg(pl.col("export_id").min() != pl.col("export_id").max()).filter("export_id")
    told = (
        rows.join(told_again, on=day, how="semi")  # of what one export alone tells there is nothing to compare
        .select(
            *("account", *by, "date", *EXPORT_ORDER, "row_number"),
            *metrics,
            item=item,
            report=pl.lit(report.name),
            age=_age(),
        )
        .unpivot(metrics, index=cs.exclude(metrics), variable_name="metric", value_name="number")
        .drop_nulls("number")
        .sort(*EXPORT_ORDER, "row_number")
        .unique([*grain, "export_id"], keep="last", maintain_order=True)  # of a day named twice the last row counts
    )

    def before(column: str) -> pl.Expr:
        return pl.col(column).shift(1).over(grain)

    pairs = told.select(
        *by,
        *("account", "date", "report", "item", "metric"),
        old_value=before("number"),
        new_value="number",
        old_export_id=before("export_id"),
        new_export_id="export_id",
        old_age_days=before("age"),
        new_age_days="age",
    ).drop_nulls("old_value")
    return pairs.with_columns(is_change=pl.col("new_value") != pl.col("old_value"))


def _numbers(rows: pl.DataFrame) -> list[str]:
    """The columns of a daily report that hold what was measured."""
    return [name for name, dtype in rows.schema.items() if dtype.is_integer() and name not in _OTHERS]


def _age() -> pl.Expr:
    """Days from the end of the real day to the download."""
    end_of_day = pl.col("date").cast(pl.Datetime("us")).dt.offset_by("1d").dt.replace_time_zone("UTC")
    return (pl.col("downloaded_at") - end_of_day).dt.total_seconds() / 86_400


RESTATEMENTS = Table(
    key="curated/restatements",
    schema=Restatements,
    version="1",
    inputs={"alignment": Input("staging/alignment")},
)
SETTLING = Table(
    key="curated/settling",
    schema=Settling,
    version="1",
    inputs={"alignment": Input("staging/alignment", look_back=LOOK_BACK)},
)
"""Both are made in one step, out of every export's rows (``assets.restatements``)."""
