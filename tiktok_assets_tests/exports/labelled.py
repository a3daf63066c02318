"""Manually written daily files for the tests of labels: a list of numbers, the first label, the download time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from tiktok_assets.exports.labels import DailyFile, Upload, Verdict
from tiktok_assets.exports.labels.files import METRICS

LONG_AGO = "2026-06-01 20:00"
"""A download so long after the days of a test that its time says nothing about their labels."""

BUSY = [
    (399, 17, 28, 3, 2),
    (199, 5, 41, 0, 2),
    (144, 3, 2, 6, 0),
    (518, 4, 11, 0, 9),
    (9594, 133, 1335, 21, 127),
    (30640, 454, 3920, 85, 262),
    (11373, 146, 1428, 21, 100),
    (8925, 118, 1221, 30, 90),
    (6280, 89, 931, 19, 73),
    (4064, 51, 557, 14, 29),
]
"""Ten days of Overview no two of which are alike."""


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def daily(
    report: str,
    first_label: str,
    numbers: Sequence[tuple[int | None, ...] | int | None],
    at: str = LONG_AGO,
    *,
    export: str = "a",
    evidence: str = "zip_stamp",
) -> DailyFile:
    """A file with one row per label from ``first_label`` on; a row is a tuple, or a number if there is one metric."""
    rows = [row if isinstance(row, tuple) else (row,) * len(METRICS[report]) for row in numbers]
    columns = dict(zip(METRICS[report], zip(*rows, strict=True), strict=True))
    labels = [day(first_label) + dt.timedelta(days=back) for back in range(len(rows))]
    schema = {"date_label": pl.Date, **dict.fromkeys(columns, pl.Int64)}
    return DailyFile(
        export_id=export,
        report=report,
        downloaded_at=utc(at),
        downloaded_at_evidence=evidence,
        rows=pl.DataFrame({"date_label": labels, **columns}, schema=schema),
    )


def overview(
    first_label: str, numbers: Sequence[tuple[int, ...] | int], at: str = LONG_AGO, *, export: str = "a"
) -> DailyFile:
    return daily("overview", first_label, numbers, at, export=export)


def activity(
    first_label: str, dates: int, at: str, *, last_hours: int = 24, quiet: Sequence[int] = (), export: str = "a"
) -> DailyFile:
    """FollowerActivity of so many dates; the last one counts its first ``last_hours`` hours, ``quiet`` hours never."""
    rows = [
        (
            day(first_label) + dt.timedelta(days=number),
            hour,
            0 if hour in quiet or (number == dates - 1 and hour >= last_hours) else 500 + 31 * number + 7 * hour,
        )
        for number in range(dates)
        for hour in range(24)
    ]
    schema = {"date_label": pl.Date, "hour": pl.Int64, "active_followers": pl.Int64}
    return DailyFile(
        export_id=export,
        report="follower_activity",
        downloaded_at=utc(at),
        downloaded_at_evidence="zip_stamp",
        rows=pl.DataFrame(rows, schema=schema, orient="row"),
    )


def video(uploaded_at: str, *, views: int = 100_000, post_date: str | None = "") -> Upload:
    """A video posted at once, by a local date that is the UTC date; ``post_date`` says otherwise."""
    posted = uploaded_at[:10] if post_date == "" else post_date
    return Upload(
        video_id=str(int(utc(uploaded_at).timestamp()) << 32),
        uploaded_at=utc(uploaded_at),
        post_date=day(posted) if posted else None,
        total_views=views,
    )


def shifts_of(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, str]]:
    """export_id -> (shift, confidence), for files of different exports."""
    return {verdict.export_id: (verdict.shift_days, verdict.confidence) for verdict in verdicts}
