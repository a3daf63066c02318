"""The same CSV files merged into DuckDB by dlt, in a separate environment: it imports nothing from this project.

    python dlt_load.py landing out

As its documentation shows it: a resource for each report yields rows as dicts, with a primary key and explicit types.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt  # pyright: ignore[reportMissingImports]  # in the environment that `machinery` makes

KEYS = {
    "Overview": ["date"],
    "Viewers": ["date"],
    "FollowerHistory": ["date"],
    "FollowerActivity": ["date", "hour"],
    "FollowerGender": ["gender"],
    "FollowerTopTerritories": ["top_territories"],
    "Content": ["video_link"],
}
TEXTS = ("Video title", "Video link", "Gender", "Top territories")
DATES = ("Date", "Time", "Post time")


def rows_of(landing: Path, report: str) -> Iterator[list[dict[str, Any]]]:
    """The typed rows of each file of ``report``."""
    for path in sorted(landing.rglob("*.zip")):
        downloaded_on = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
        with zipfile.ZipFile(path) as archive:
            if f"{report}.csv" not in archive.namelist():
                continue
            text = io.StringIO(archive.read(f"{report}.csv").decode("utf-8-sig"))
        account = path.relative_to(landing).parts[0]
        yield [_typed(row, account, downloaded_on) for row in csv.DictReader(text)]


def _typed(row: dict[str, str], account: str, downloaded_on: dt.date) -> dict[str, Any]:
    found: dict[str, Any] = {"account": account}
    for name, value in row.items():
        if name in DATES:
            found[name] = _day(value, downloaded_on)
        else:
            number = float if name == "Distribution" else int
            found[name] = value if name in TEXTS else number(value)
    return found


def _day(label: str, downloaded_on: dt.date) -> dt.date:
    this = dt.datetime.strptime(f"{label} {downloaded_on.year}", "%B %d %Y").date()  # noqa: DTZ007
    return this if this <= downloaded_on else this.replace(year=this.year - 1)


def load(landing: Path, out: Path) -> None:
    """Every report merged into its table."""
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(out / "pipelines"),
        destination=dlt.destinations.duckdb(str(out / "dlt.duckdb")),
        dataset_name="studio",
    )
    pipeline.run(
        [
            dlt.resource(
                rows_of(landing, report), name=report, write_disposition="merge", primary_key=["account", *keys]
            )
            for report, keys in KEYS.items()
        ]
    )


if __name__ == "__main__":
    load(Path(sys.argv[1]), Path(sys.argv[2]))
