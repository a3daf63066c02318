"""Which numbers did TikTok change after it had reported them, and after how many days does it stop?

A number is restated when two consecutive exports both contain it and differ. Unknown -> number is no restatement (there
was nothing to replace), nor is number -> unknown (null never replaces a number). Rows have their real days: a label
that moved is no restatement.

Only daily reports can be restated: lifetime totals and shares belong to the moment they were captured, so two of them
10 minutes apart may differ and both be right (measured: 14 of 14 videos, 8 of 11 territories).

The age of a number is the time from the end of its real day (UTC) to the download.

Belongs here: comparing exports, and the age from which numbers are final. Does not belong here: which export wins
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
"""Days after which a number counts as final until there is evidence."""
ENOUGH_DAYS = 7
"""Days reported at an age and reported unchanged at least a day later that are needed as evidence for that age."""

LOOK_BACK = 92
"""Days before a month whose exports are evidence for it. A quarter: a new month does not start without any, and changes
of long ago no longer count."""

# Whole numbers that do not measure the day. follower_difference means the day before in some exports and the day after
# in others.
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
    old_value: int = pa.Field(description="the value reported before")
    new_value: int = pa.Field(description="the value in the next export that contains one")
    old_export_id: str = pa.Field(description="sha256 of the export with the old value")
    new_export_id: str = pa.Field(description="sha256 of the export with the new value")
    old_age_days: float = pa.Field(description="days from the end of the day to the download of the old value")
    new_age_days: float = pa.Field(description="days from the end of the day to the download of the new value")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = [*_DAY, "report", "item", "metric", "new_export_id"]


class Settling(pa.DataFrameModel):
    """One row per account, month, daily report and metric: from which age its numbers are final.

    The evidence is every day of the exports that contain a day of the month or of the quarter before it. Later exports
    are no evidence for the month, so its rows stop changing.
    """

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month described")
    report: str = pa.Field(description="daily report, as overview")
    metric: str = pa.Field(description="column of the staging table")
    re_reports: int = pa.Field(
        ge=0, description="numbers that were reported again by the next export that contains them"
    )
    changes: int = pa.Field(ge=0, description="of these, numbers that had changed")
    days_compared: int = pa.Field(ge=0, description="days with a number that was reported again at least a day later")
    last_change_age_days: float = pa.Field(
        nullable=True, description="age of the oldest number that still changed; null: none did"
    )
    settled_after_days: int = pa.Field(ge=0, description="age from which a number counts as final, in whole days")
    has_evidence: bool = pa.Field(
        description=f"whether that follows from repeated reports; else it is {WITHOUT_EVIDENCE}, the assumption"
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

    ``rows``: all rows of the exports that contain these months or ``LOOK_BACK`` days before, on their real days.
    Leave out exports whose download time is unknown: the time of a copy would make their numbers older than they were.
    A month that no export contains has no row.

    A number counts as final from the smallest whole age (k) for which both hold:
    no number of that age or above changed later;
    ``ENOUGH_DAYS`` days were reported at an age from k to k + 1, and unchanged a day or more later.
    Without such an age it is ``WITHOUT_EVIDENCE``, or the first whole age above the last change if that is more.
    """
    by_month = rows.join(_evidence(rows, months), on=["account", "export_id"], how="inner")
    repeated = _re_reports(report, by_month, "month").with_columns(
        whole_age=pl.col("old_age_days").floor().cast(pl.Int64)
    )
    changed, waited = pl.col("is_change"), pl.col("new_age_days") - pl.col("old_age_days") >= 1
    group = [*_METRIC, "month"]
    found = repeated.group_by(group).agg(
        re_reports=pl.len().cast(pl.Int64),
        changes=changed.sum().cast(pl.Int64),
        days_compared=pl.col("date").filter(waited).n_unique().cast(pl.Int64),
        last_change_age_days=pl.col("old_age_days").filter(changed).max(),
        still_moving_at=pl.col("whole_age").filter(changed).max(),
    )
    supported = (
        repeated.filter(~changed & waited & (pl.col("whole_age") >= 0))
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
    contained = rows.select("account", "export_id", evidence_month=month_of(pl.col("date"))).unique()
    first = month_of(pl.col("month") - pl.duration(days=LOOK_BACK))
    requested = pl.DataFrame({"month": list(months)}, schema={"month": pl.Date})
    windows = requested.with_columns(evidence_month=pl.date_ranges(first, "month", "1mo")).explode("evidence_month")
    has_rows = contained.select("account", month="evidence_month").unique()
    evidence = windows.join(contained, on="evidence_month").drop("evidence_month").unique()
    return evidence.join(has_rows, on=["account", "month"], how="semi")


def final_days(staged: Mapping[str, pl.DataFrame], final_ages: pl.DataFrame) -> pl.DataFrame:
    """``account``, ``date``, ``is_settled``: whether all known numbers of a day are final.

    ``staged``: rows of daily reports, by name; ``final_ages``: rows of ``Settling``. A day of a report is as old as it
    was at the newest export with a number of it, and final from the highest age of the report's metrics on. A day
    without a number in any report has no row.
    """
    needed = final_ages.group_by("account", "report", month="date").agg(needed=pl.col("settled_after_days").max())
    days = [
        rows.filter(pl.any_horizontal(pl.col(_numbers(rows)).is_not_null())).select(
            *_DAY, age=_age(), report=pl.lit(name), month=month_of(pl.col("date"))
        )
        for name, rows in staged.items()
    ]
    aged = pl.concat(days).join(needed, on=["account", "report", "month"], how="left")
    return (
        aged.group_by(_DAY)
        .agg(is_settled=(pl.col("age") >= pl.col("needed").fill_null(WITHOUT_EVIDENCE)).all())
        .sort(_DAY)
    )


def _re_reports(report: Report, rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Each number that the next export contains too: the columns of ``Restatements``, ``is_change`` and ``by``."""
    item = pl.col("hour").cast(pl.String).str.zfill(2) if "hour" in report.grain else pl.lit("")
    metrics = _numbers(rows)
    if "is_zero_tail" in rows.columns:  # zeros that fill up an export's end are no numbers
        rows = rows.with_columns(active_followers=pl.when(~pl.col("is_zero_tail")).then("active_followers"))
    grain = ["account", *by, "date", "item", "metric"]
    day = ["account", *by, "date"]
    repeated = rows.group_by(day).agg(pl.col("export_id").min() != pl.col("export_id").max()).filter("export_id")
    numbers = (
        rows.join(repeated, on=day, how="semi")  # a day in one export alone has nothing to compare with
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
        .unique([*grain, "export_id"], keep="last", maintain_order=True)  # of two rows of a day the last one counts
    )

    def before(column: str) -> pl.Expr:
        return pl.col(column).shift(1).over(grain)

    pairs = numbers.select(
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
