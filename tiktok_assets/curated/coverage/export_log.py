"""Which exports stand behind the numbers? What ``export_id`` in every other table refers to."""

from __future__ import annotations

from collections.abc import Mapping

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.exports.months import month_of
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import UtcTime

_PER_EXPORT = [
    *("source", "member", "product", "variant", "locale", "downloaded_at", "downloaded_at_evidence"),
    *("vintage", "vintage_evidence"),
    *("window_first", "window_last", "year_evidence", "parser_version"),
]


class Exports(WarehouseRow):
    """One row per export, report and month of its rows."""

    month: pl.Date = pa.Field(description="first day of the month of the rows")
    report: str = pa.Field(description="the report: overview, viewers, follower_history ...")
    rows: int = pa.Field(description="rows of the report in the month")
    source: str = pa.Field(description="the file, below the account's folder in landing or the archive")
    member: str = pa.Field(description="the table inside the file")
    product: str = pa.Field(description="studio or business_suite")
    variant: str = pa.Field(description="the known header that the file's header is nearest to")
    locale: str = pa.Field(nullable=True, description="language of the date labels; null where they are numbers")
    downloaded_at: UtcTime = pa.Field(description="when the export was downloaded (UTC)")
    downloaded_at_evidence: str = pa.Field(description="where that is known from")
    vintage: UtcTime = pa.Field(description="what puts the export in order among others: the later one wins (UTC)")
    vintage_evidence: str = pa.Field(description="what that rests on; file_time only where nothing else is known")
    window_first: pl.Date = pa.Field(description="first day of the export")
    window_last: pl.Date = pa.Field(description="last day of the export")
    year_evidence: str = pa.Field(description="where the year of the labels is known from")
    parser_version: str = pa.Field(description="version of the reader")


def export_log(report: str, raw: pl.LazyFrame) -> pl.DataFrame:
    """One row per account, export and month out of the raw rows of ``report``."""
    return (
        raw.group_by("account", "export_id", month=month_of(pl.col("date_label")))
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.col(_PER_EXPORT).first())
        .with_columns(report=pl.lit(report))
        .collect(engine="streaming")
    )


def export_logs(raw: Mapping[str, pl.LazyFrame]) -> pl.DataFrame:
    """``export_log`` of every report, in order of month, report and download."""
    log = pl.concat([export_log(report, rows) for report, rows in raw.items()], how="diagonal")
    return log.sort("month", "report", "downloaded_at", "export_id")


EXPORTS = Table(
    key="warehouse/exports",
    schema=Exports,
    version="3",
    inputs={report.name: Input(f"raw/{report.name}") for report in REPORTS},
    make=lambda inputs, _: export_logs(inputs),
    day="month",
)
