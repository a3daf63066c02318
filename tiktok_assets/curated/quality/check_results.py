"""Does a month keep its promises? Each promise about an account's days, month by month, with its evidence.

Belongs here: findings counted by month. Does not belong here: what makes a day anomalous (``quality``), the checks that
Dagster shows for a run's partitions (``checks``). ``keeps_schema`` is not among these: a table that breaks it stops the
run, so nothing here comes from one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, conform, made_of
from tiktok_assets.curated.quality import quality
from tiktok_assets.curated.quality.dated import doubtful_exports, sentence
from tiktok_assets.curated.quality.quality import EXAMINED, PROMISES, broken, examined_days, find_anomalies
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.exports.months import month_of

LOOK_BACK = quality.LOOK_BACK
"""Days before the first requested day that ``check_results`` needs."""
DAYS = "curated/account_daily"
REPORTS = ("overview", "viewers", "follower_history")
"""The reports with a row for every day of their window."""
_REPORT_CHECKS = ("has_rows", "days_are_contiguous")
_DATED = "exports_are_dated"
_CHECKS = [*_REPORT_CHECKS, _DATED, *PROMISES]
_KEY = ["account", "date", "table_name", "check_name"]


class DataQuality(OfManyExports):
    """One row per account, month, table and check: whether the table keeps that promise in the month, and the evidence.

    A promise that could not be judged on any day of the month has no row.
    """

    date: pl.Date = pa.Field(description="first day of the month")
    table_name: str = pa.Field(
        description="the asset the promise is about, as curated/account_daily", metadata=made_of("date")
    )
    check_name: str = pa.Field(
        isin=_CHECKS,
        description="the promise: the name of its check in Dagster, where that shows it",
        metadata=made_of(*EXAMINED),
    )
    passed: bool = pa.Field(description="whether nothing was found that breaks it", metadata=made_of(*EXAMINED))
    severity: str = pa.Field(
        nullable=True,
        isin=quality.SEVERITIES,
        description="the worst of what was found; error: do not use the number; warning: look at it; info: know it",
        metadata=made_of(*EXAMINED),
    )
    days_examined: int = pa.Field(
        ge=0, description="days of the month on which the promise could be judged", metadata=made_of("date")
    )
    data_errors: int = pa.Field(
        ge=0,
        description="findings that break an identity: the number misleads or is missing",
        metadata=made_of(*EXAMINED),
    )
    events: int = pa.Field(ge=0, description="findings that are right and rare", metadata=made_of(*EXAMINED))
    first_day: pl.Date = pa.Field(nullable=True, description="first day concerned", metadata=made_of(*EXAMINED))
    last_day: pl.Date = pa.Field(nullable=True, description="last day concerned", metadata=made_of(*EXAMINED))
    sentence: str = pa.Field(
        nullable=True,
        description="the newest finding in words, and how many more there are",
        metadata=made_of(*EXAMINED),
    )

    class Config(OfManyExports.Config):
        unique = ["platform", *_KEY]


def check_results(
    days: pl.DataFrame, reports: Mapping[str, pl.DataFrame], doubtful: Mapping[str, pl.DataFrame] | None = None
) -> pl.DataFrame:
    """The rows of ``DataQuality`` for each month of ``days`` (``AccountDaily``) and of staged ``reports``, by name.

    ``doubtful``: of each report whose years are judged, the ``doubtful_exports``; its rows name their ``export_id``.
    """
    staged = {f"staging/{name}": reports[name] for name in REPORTS}
    dated = {f"staging/{name}": exports for name, exports in (doubtful or {}).items()}
    judged = [examined_days(days).with_columns(table_name=pl.lit(DAYS))] + [
        rows.select("account", "date", table_name=pl.lit(table), check_name=pl.lit(check))
        for table, rows in staged.items()
        for check in (*_REPORT_CHECKS, *([_DATED] if table in dated else []))
    ]
    examined = (
        pl.concat(judged, how="diagonal")
        .group_by("account", "table_name", "check_name", date=month_of(pl.col("date")))
        .agg(days_examined=pl.col("date").n_unique().cast(pl.Int64))
    )
    expected = pl.DataFrame({"table_name": list(staged)}, schema={"table_name": pl.String}).with_columns(
        check_name=pl.lit("has_rows")
    )
    found = pl.concat(
        [
            _of_days(days),
            *(_of_report(table, rows) for table, rows in staged.items()),
            *(_of_years(table, staged[table], exports) for table, exports in dated.items()),
        ]
    )
    rows = (
        examined.join(
            examined.select("account", "date").unique().join(expected, how="cross"), on=_KEY, how="full", coalesce=True
        )
        .join(_counted(found), on=_KEY, how="full", coalesce=True)
        .with_columns(pl.col("days_examined", "data_errors", "events").fill_null(0))
    )
    return conform(_with_absent_reports(rows), DataQuality).sort(_KEY)


def in_months_of(days: pl.DataFrame, reports: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """``reports`` in the months that an account has ``days`` in: in others exports list days without any number."""
    months = days.select("account", month=month_of(pl.col("date"))).unique()
    return {
        name: rows.join(
            months, left_on=["account", month_of(pl.col("date"))], right_on=["account", "month"], how="semi"
        )
        for name, rows in reports.items()
    }


def missing_days(rows: pl.DataFrame) -> pl.DataFrame:
    """The gaps between days of an account: ``account``, days ``after`` and ``before`` which some are ``missing``."""
    days = rows.select("account", "date").unique().sort("account", "date")
    gaps = days.select("account", after=pl.col("date").shift(1).over("account"), before="date")
    between = (pl.col("before") - pl.col("after")).dt.total_days() - 1
    return gaps.with_columns(missing=between).filter(pl.col("missing") > 0)


def _of_days(days: pl.DataFrame) -> pl.DataFrame:
    """Each finding about ``days``: ``account``, ``table_name``, ``check_name``, the columns of ``quality.FINDING``."""
    anomalies = find_anomalies(days)
    return pl.concat(
        broken(promise, days, anomalies).with_columns(table_name=pl.lit(DAYS), check_name=pl.lit(promise))
        for promise in PROMISES
    )


def _of_report(table: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Each gap between the days of a report, dated the first day after it; without gaps longer than ``LOOK_BACK``."""
    first, last = pl.col("after").dt.offset_by("1d"), pl.col("before").dt.offset_by("-1d")
    sentence = pl.format(
        "No export contains {} {}, from {} to {}: export that window again.",
        "missing",
        pl.when(pl.col("missing") == 1).then(pl.lit("day")).otherwise(pl.lit("days")),
        first.dt.to_string("%-d %B %Y"),
        last.dt.to_string("%-d %B %Y"),
    )
    gaps = missing_days(rows).filter((pl.col("before") - pl.col("after")).dt.total_days() <= LOOK_BACK)
    return gaps.select(
        "account",
        date="before",
        kind=pl.lit("data_error"),
        severity=pl.lit("warning"),
        first_day=first,
        last_day=last,
        sentence=sentence,
        table_name=pl.lit(table),
        check_name=pl.lit("days_are_contiguous"),
    )


def _of_years(table: str, rows: pl.DataFrame, exports: pl.DataFrame) -> pl.DataFrame:
    """Each of ``exports`` that ``rows`` come from, once a month, dated the last of its days in it."""
    texts = [sentence(*export) for export in exports.select("source", "last", "evidence", "file_time").rows()]
    sentences = exports.select("account", "export_id", sentence=pl.Series(texts, dtype=pl.String))
    months = ["account", "export_id", "sentence", month_of(pl.col("date")).alias("month")]
    found = rows.join(sentences, on=["account", "export_id"]).group_by(months)
    return found.agg(first_day=pl.col("date").min(), last_day=pl.col("date").max()).select(
        "account",
        date="last_day",
        kind=pl.lit("data_error"),
        severity=pl.lit("warning"),
        first_day="first_day",
        last_day="last_day",
        sentence="sentence",
        table_name=pl.lit(table),
        check_name=pl.lit(_DATED),
    )


def _counted(found: pl.DataFrame) -> pl.DataFrame:
    """The findings of each month and check as one row."""
    worst_first = pl.Enum(quality.SEVERITIES)
    more = pl.len() - 1
    newest = pl.col("sentence").last()
    return (
        found.sort("account", "table_name", "check_name", "date", "sentence")
        .group_by("account", "table_name", "check_name", date=month_of(pl.col("date")), maintain_order=True)
        .agg(
            severity=pl.col("severity").cast(worst_first).min().cast(pl.String),
            data_errors=(pl.col("kind") == "data_error").sum().cast(pl.Int64),
            events=(pl.col("kind") == "event").sum().cast(pl.Int64),
            first_day=pl.col("first_day").min(),
            last_day=pl.col("last_day").max(),
            sentence=pl.when(more > 0).then(pl.format("{} And {} more.", newest, more)).otherwise(newest),
        )
    )


def _with_absent_reports(rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with ``passed``, and has_rows broken by each report without a day in the month."""
    is_absent = (pl.col("check_name") == "has_rows") & (pl.col("days_examined") == 0)
    finding = {
        "severity": pl.lit("warning"),
        "data_errors": pl.lit(1),
        "first_day": pl.col("date"),
        "last_day": pl.col("date").dt.month_end(),
        "sentence": pl.lit("No export contains this report for the month."),
    }
    absent = (pl.when(is_absent).then(value).otherwise(name).alias(name) for name, value in finding.items())
    return rows.with_columns(absent).with_columns(passed=pl.col("sentence").is_null())


_OF_REPORT = ("account", "date", "export_id")


def _made(inputs: Mapping[str, Any]) -> pl.DataFrame:
    reports = in_months_of(inputs["days"], {name: inputs[name] for name in REPORTS})
    return check_results(inputs["days"], reports, {name: doubtful_exports(inputs[f"raw_{name}"]) for name in REPORTS})


DATA_QUALITY = Table(
    key="warehouse/data_quality",
    schema=DataQuality,
    version="5",
    inputs={
        "days": Input(DAYS, look_back=LOOK_BACK),
        **{name: Input(f"staging/{name}", look_back=LOOK_BACK, columns=_OF_REPORT) for name in REPORTS},
        **{f"raw_{name}": Input(f"raw/{name}") for name in REPORTS},
    },
    make=lambda inputs, _: _made(inputs),
    previous_names={"table_name": "table", "check_name": "check"},
)
