"""Raw rows read from the lake: of many exports, and of so many rows that they do not fit into memory at once.

Belongs here: which files, and in which pieces. Does not belong here: what is written (``parquet``), Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import polars as pl

from tiktok_assets.exports.long_frames import PIECE
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports.alignment import DAILY
from tiktok_assets.reports.content import CONTENT
from tiktok_assets.storage.lake import Lake, scan_each, scan_parquet

# Studio lists 15 videos; a list as long as this is no export of Studio's, and is no evidence of its labels.
_MOST_VIDEOS = 1000


def raw_rows(lake: Lake, report: str, accounts: Iterable[str], since: dt.date | None = None) -> pl.LazyFrame:
    """The raw rows of every export of ``accounts`` that can contain the day ``since`` or later ones."""
    # A label may be a day ahead of the download.
    earliest = since - dt.timedelta(days=1) if since else dt.date.min
    paths = [path for account in accounts for path in lake.raw_files(report, account, earliest)]
    return scan_parquet(paths) if paths else pl.LazyFrame(schema=PROVENANCE)


def raw_of_account(lake: Lake, report: str, account: str, most_rows: int | None = None) -> pl.DataFrame:
    """The raw rows of every export of ``account``, without exports of more than ``most_rows`` rows."""
    files = scan_each(lake.raw_files(report, account))
    if most_rows is not None:
        files = [rows for rows in files if rows.select(pl.len()).collect().item() <= most_rows]
    return pl.concat(files, how="diagonal").collect() if files else pl.DataFrame()


def judged_rows(lake: Lake, account: str) -> dict[str, pl.DataFrame]:
    """The raw rows that labels are judged by, of every export of ``account``, by the name of the report."""
    raw = {report.name: raw_of_account(lake, report.name, account) for report in DAILY}
    raw[CONTENT.name] = raw_of_account(lake, CONTENT.name, account, _MOST_VIDEOS)
    return raw


def by_export(rows: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Raw rows in pieces that fit into memory: read at once, the text of 900,000 videos takes 400 MB, and 800 parsed.

    An export stays whole, since its rows may be judged together; only one that alone is too long is split. That is a
    list of videos, whose rows stand alone.
    """
    sizes = rows.group_by("export_id").agg(pl.len(), last=pl.col("row_number").max()).sort("export_id")
    sizes = sizes.collect(engine="streaming")
    if sizes["len"].sum() <= PIECE:
        yield rows.collect()
        return
    groups = sizes.group_by(upto=pl.col("len").cum_sum() // PIECE, is_long=pl.col("len") > PIECE, maintain_order=True)
    for (_, is_long), exports in groups:
        piece = rows.filter(pl.col("export_id").is_in(exports["export_id"].implode()))
        if not is_long:
            yield piece.collect()
            continue
        for start in range(1, exports["last"].item() + 1, PIECE):  # batches of Polars are all read ahead
            yield piece.filter(pl.col("row_number").is_between(start, start + PIECE - 1)).collect()
