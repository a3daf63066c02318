"""What a run makes of the data it has read, as frames: the assets call it for a run's partitions, ``as_of`` for all.

Does not belong here: what one table is (``reports``, ``curated``), what is read and stored (``storage``), Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.curated.quality.restatements import (
    RESTATEMENTS,
    SETTLING,
    Restatements,
    Settling,
    restatements,
    settling,
)
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.curated.table import Parameters, Table
from tiktok_assets.exports.long_frames import Rows, RowsT, by_key, gathered
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.alignment import DAILY, aligned
from tiktok_assets.reports.report import EXPORT_ORDER, Report, latest_per_grain, undecided
from tiktok_assets.settings import Settings
from tiktok_assets.storage.manifest import digest_of
from tiktok_assets.storage.raw import by_export

COMPARED = (RESTATEMENTS, SETTLING)
"""The tables that ``compared`` makes, in its order."""


def staged_rows(
    report: Report, raw: pl.LazyFrame, partitions: PartitionRange, alignment: pl.DataFrame | None = None
) -> tuple[Rows, pl.DataFrame]:
    """The rows of staging in ``partitions``, and those ``undecided``, out of the raw rows of every export.

    ``alignment``: rows of ``Alignment``, where the days are those of labels (``DAILY``).
    """
    typed = gathered(_typed(report, raw)) if alignment is None else _aligned(report, raw, alignment)
    rivals: list[pl.DataFrame] = []

    def latest() -> Iterator[pl.DataFrame]:
        for piece in by_key(typed, ["account", *report.unit]):
            rivals.append(partitions.within(undecided(report, piece)))
            yield partitions.within(latest_per_grain(report, piece))

    return gathered(latest()), pl.concat(rivals)


def _typed(report: Report, raw: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Raw rows parsed, piece by piece, with no more columns than staging needs."""
    needed = list(dict.fromkeys((*report.columns, *EXPORT_ORDER, "row_number")))
    return (report.parse(piece).select(needed) for piece in by_export(raw))


def _aligned(report: Report, raw: pl.LazyFrame, alignment: pl.DataFrame) -> pl.DataFrame:
    """Raw rows parsed, on their true days."""
    return aligned(pl.concat(_typed(report, raw)), alignment, report.name)


def compared(
    raw: Mapping[str, pl.LazyFrame], alignment: pl.DataFrame, partitions: PartitionRange
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of ``Restatements`` for ``partitions``, and of ``Settling`` also for later months that look back.

    ``raw`` (by report) and ``alignment`` hold at least every export with rows in these months or in the ``LOOK_BACK``
    days before, and ``raw`` all of its rows.
    """
    months = partitions.extended(after=downstream_days(SETTLING.key)).months
    moved: list[pl.DataFrame] = [Restatements.empty()]
    final_ages: list[pl.DataFrame] = [Settling.empty()]
    for report in DAILY:
        rows = _aligned(report, raw[report.name], alignment)
        moved.append(restatements(report, partitions.within(rows)))
        final_ages.append(settling(report, _timed(rows, raw[report.name]), months))
    return pl.concat(moved), pl.concat(final_ages)


def _timed(typed: pl.DataFrame, raw: pl.LazyFrame) -> pl.DataFrame:
    """The rows of exports with a known download time; a file's own time may be that of a copy."""
    guessed = raw.filter(pl.col("downloaded_at_evidence") == "file_time").select("export_id").unique().collect()
    return typed.join(guessed, on="export_id", how="anti")


def parameters_of(
    table: Table,
    settings: Settings,
    roster: Roster,
    songs: Sequence[Song],
    partitions: PartitionRange,
    loaded_at: dt.datetime,
) -> Parameters:
    """The parameters of the table in a run over ``partitions``; its months include later ones that may change."""
    return Parameters(
        months=partitions.extended(after=downstream_days(table.key)).months,
        loaded_at=loaded_at,
        timezones={key: account.timezone for key, account in roster.items()},
        handles={key: account.handle for key, account in roster.items()},
        viral_min_views=settings.viral_min_views,
        viral_growth=settings.viral_growth,
        songs=songs,
    )


def made_with(settings: Settings, roster: Roster, songs: Sequence[Song]) -> dict[str, str]:
    """By account, a digest of all that its tables are made with beside the exports: settings, the songs that its videos
    can be of, and versions of code."""
    versions = {table.key: table.version for table in TABLES.values()}
    rules = (settings.viral_min_views, settings.viral_growth, versions)
    return {
        key: digest_of(account.handle, account.timezone, rules, [asdict(song) for song in songs if song.is_on(key)])
        for key, account in roster.items()
    }


def rows_to_store(table: Table, rows: RowsT, partitions: PartitionRange) -> RowsT:
    """Those of ``rows`` that a run over ``partitions`` stores: of its months, and of downstream ones."""
    reached = partitions.extended(after=downstream_days(table.key))
    return rows if table.needs_all_accounts else reached.within(rows, table.day)
