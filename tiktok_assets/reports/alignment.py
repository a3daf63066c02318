"""The labels of an account's exports compared with the true calendar: raw rows in, a shift per daily report out.

Belongs here: which raw rows the pure ``exports.labels`` needs, and its verdicts as the table ``staging/alignment``.
Does not belong here: how labels are judged (``exports.labels``), storage, Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping

import pandera.polars as pa
import polars as pl

from tiktok_assets.exports.dates import UnreadableDay, read_day_texts
from tiktok_assets.exports.labels import DailyFile, LocalDate, Upload, Verdict, align
from tiktok_assets.exports.labels.files import METRICS
from tiktok_assets.exports.months import month_of
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports._columns import text
from tiktok_assets.reports.content import CONTENT
from tiktok_assets.reports.report import UtcTime

DAILY = tuple(report for report in REPORTS if report.name in METRICS)


class Alignment(pa.DataFrameModel):
    """One row per export, daily report and month of its days: by how many days its labels run ahead.

    The first and last day with a number are those of the whole export, whichever month the row is of.
    The reasons are in the metadata of each run and not stored, since the next export may add another.
    """

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of a month that the labels, or the days behind them, lie in")
    report: str = pa.Field(description="daily report, as overview")
    export_id: str = pa.Field(description="sha256 of the export")
    downloaded_at: UtcTime = pa.Field(description="when it was downloaded (UTC)")
    date_shift_days: int = pa.Field(description="label minus real UTC day, for every row of the report")
    first_known: pl.Date = pa.Field(nullable=True, description="first real day with a number in the export, if any")
    last_known: pl.Date = pa.Field(nullable=True, description="last real day with a number in the export, if any")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "report", "export_id"]


def verdicts(raw: Mapping[str, pl.DataFrame]) -> list[tuple[Verdict, DailyFile]]:
    """A verdict for each daily report of each export of one account, and the file it is about.

    ``raw``: all raw rows of the account, by the name of the report.
    """
    files = {file.key: file for report in DAILY for file in _files(report.name, raw)}
    content = raw.get(CONTENT.name)
    uploads, dates = ([], []) if content is None or content.is_empty() else (_uploads(content), _local_dates(content))
    found = align(files.values(), uploads=uploads, local_dates=dates)
    return [(verdict, files[verdict.export_id, verdict.report]) for verdict in found]


def table(account: str, found: Iterable[tuple[Verdict, DailyFile]]) -> pl.DataFrame:
    """The rows of ``Alignment`` for one account."""
    rows = [
        (
            account,
            month,
            verdict.report,
            verdict.export_id,
            file.downloaded_at,
            verdict.shift_days,
            *known_days(file, verdict.shift_days),
        )
        for verdict, file in found
        for month in months(file, verdict.shift_days)
    ]
    schema = {name: column.dtype.type for name, column in Alignment.to_schema().columns.items()}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("date", "report", "downloaded_at", "export_id")


def months(file: DailyFile, shift: int) -> list[dt.date]:
    """First day of every month with a label of the file, or with the real day of one."""
    labels = file.rows["date_label"]
    days = pl.concat([labels, labels.dt.offset_by(f"{-shift}d")]).alias("day").to_frame()
    return days.select(month_of(pl.col("day")).unique().sort())["day"].to_list()


def known_days(file: DailyFile, shift: int) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last real day of which the file contains a number; None if it contains none."""
    is_known = pl.any_horizontal(pl.col(METRICS[file.report]).is_not_null())
    labels = file.rows.filter(is_known)["date_label"]
    moved = labels.dt.offset_by(f"{-shift}d")
    first, last = moved.min(), moved.max()
    return (first if isinstance(first, dt.date) else None, last if isinstance(last, dt.date) else None)


def aligned(rows: pl.DataFrame, alignment: pl.DataFrame, report: str) -> pl.DataFrame:
    """Typed rows of a daily report on their real days. An export without a verdict keeps its labels."""
    shifts = alignment.filter(pl.col("report") == report).select("export_id", "date_shift_days").unique()
    shift = pl.col("date_shift_days").fill_null(0)
    return (
        rows.drop("date_shift_days")
        .join(shifts, on="export_id", how="left", maintain_order="left")
        .with_columns(date_shift_days=shift, date=pl.col("date_label") - pl.duration(days=shift))
    )


def _files(report: str, raw: Mapping[str, pl.DataFrame]) -> Iterator[DailyFile]:
    rows = raw.get(report)
    if rows is None or rows.is_empty():
        return
    [parse] = [one.parse for one in DAILY if one.name == report]
    known = rows.select("export_id", "downloaded_at_evidence", "source").unique("export_id", keep="any").rows()
    facts = {export_id: (evidence, source) for export_id, evidence, source in known}
    for (export_id, downloaded_at), own_rows in (
        parse(rows).partition_by("export_id", "downloaded_at", as_dict=True, maintain_order=True).items()
    ):
        evidence, source = facts[export_id]
        yield DailyFile(
            export_id=export_id,
            report=report,
            downloaded_at=downloaded_at,
            downloaded_at_evidence=evidence,
            rows=own_rows.sort("row_number"),
            source=source,
        )


def _uploads(content: pl.DataFrame) -> list[Upload]:
    """Every video in the exports, with its most views."""
    videos = (
        CONTENT.parse(content)
        .filter(pl.col("published_at").is_not_null())
        .group_by("video_id", "published_at", "post_date")
        .agg(pl.col("total_views").max())
        .sort("video_id")
    )
    return [
        Upload(video_id=video, uploaded_at=uploaded_at, post_date=post_date, total_views=views)
        for video, uploaded_at, post_date, views in videos.rows()
    ]


def _local_dates(content: pl.DataFrame) -> list[LocalDate]:
    """The account's local date at each download, from the text of the column Time: at most a day off the UTC date."""
    texts = (
        content.select("downloaded_at", time=text(content, "time")).drop_nulls().unique().sort("downloaded_at", "time")
    )
    found: list[LocalDate] = []
    for downloaded_at, written in texts.rows():
        try:
            [day] = read_day_texts([written]).days
        except UnreadableDay:
            continue
        near = (downloaded_at.date() + dt.timedelta(days=days) for days in (0, 1, -1))
        found += [LocalDate(downloaded_at, date) for date in near if (date.month, date.day) == (day.month, day.day)]
    return found
