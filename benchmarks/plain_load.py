"""What processing amounts to without a pipeline: the same rows in Parquet and DuckDB, by Polars and DuckDB alone.

    python -m benchmarks.plain_load landing out

It trusts everything: each label is within the year before the download, every file is well-formed, nothing was stored
before.
"""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl

NAMES = {
    "Date": "date",
    "Time": "date",
    "Video Views": "video_views",
    "Profile Views": "profile_views",
    "Total Viewers": "unique_viewers",
    "Difference in followers from previous day": "follower_difference",
}
TEXTS = ("Video title", "Video link", "Gender", "Top territories")
DAILY = ("Overview", "Viewers", "FollowerHistory")


def members(landing: Path) -> Iterator[tuple[str, str, dt.date, bytes]]:
    """Every CSV file of one folder per account: the account, the report, the day of the download, the bytes."""
    for path in sorted(landing.rglob("*.zip")):
        account = path.relative_to(landing).parts[0]
        downloaded_on = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
        with zipfile.ZipFile(path) as archive:
            for entry in archive.namelist():
                yield account, Path(entry).stem, downloaded_on, archive.read(entry)


def typed(content: bytes, account: str, downloaded_on: dt.date) -> pl.DataFrame:
    """The rows of a file: labels as dates, counts and shares as numbers."""
    rows = pl.read_csv(io.BytesIO(content), infer_schema=False)
    dates = [name for name in ("Date", "Time", "Post time") if name in rows.columns]
    numbers = [name for name in rows.columns if name not in (*dates, *TEXTS)]
    kind = pl.Float64 if "Distribution" in numbers else pl.Int64
    return rows.select(
        pl.lit(account).alias("account"),
        *(_day(name, downloaded_on) for name in dates),
        *(name for name in TEXTS if name in rows.columns),
        *(pl.col(name).cast(kind) for name in numbers),
    ).rename(lambda name: NAMES.get(name, name.lower().replace(" ", "_")))


def _day(name: str, downloaded_on: dt.date) -> pl.Expr:
    def in_year(year: int) -> pl.Expr:
        return (pl.col(name) + f" {year}").str.to_date("%B %e %Y", strict=False)

    this, last = in_year(downloaded_on.year), in_year(downloaded_on.year - 1)
    return pl.when(this <= downloaded_on).then(this).otherwise(last).alias(name)


def load(landing: Path, out: Path) -> None:
    """A Parquet file for each report and account, a DuckDB table for each report, and one of all daily numbers."""
    reports: dict[str, list[pl.DataFrame]] = {}
    for account, report, downloaded_on, content in members(landing):
        rows = typed(content, account, downloaded_on)
        folder = out / report / f"account={account}"
        folder.mkdir(parents=True)
        rows.write_parquet(folder / "data.parquet")
        reports.setdefault(report, []).append(rows)
    tables = {name: pl.concat(rows) for name, rows in reports.items()}
    first, *others = (tables[name] for name in DAILY)
    for rows in others:
        first = first.join(rows, on=["account", "date"], how="full", coalesce=True)
    with duckdb.connect(out / "plain.duckdb") as connection:
        for name, rows in {**tables, "social_media_stats": first}.items():
            connection.register("_rows", rows.to_arrow())
            connection.execute(f"create table {name} as from _rows")


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]))
