"""What is stored of streams: raw files, the months of staging, the rows in the warehouse, and what they were made of.

``data/raw/streams/<sha256>.v<reader>.parquet`` is one immutable file per dropped file, ``data/raw/streams/made.json``
the manifest. Streams belong to no account; their partitions are months. Does not belong here: which files are new
(``inbox.streams``), Dagster.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import polars as pl
from pydantic import TypeAdapter, ValidationError
from upath import UPath

from tiktok_assets.curated.songs.song import Song
from tiktok_assets.exports.months import month_of
from tiktok_assets.storage.duckdb import Session
from tiktok_assets.storage.lake import Lake, changed_at, partitions_in, read_many, read_parquet, scan_parquet
from tiktok_assets.storage.look import exists, names_in
from tiktok_assets.storage.manifest import digest_of
from tiktok_assets.streams.reading import STREAMS_READER, StreamsFile
from tiktok_assets.streams.tables import SONG_STREAMS, STREAM_TABLES, STREAMS, Streams

_ENDING = f".v{STREAMS_READER}.parquet"
_COMPARED = ", ".join(name for name in SONG_STREAMS.columns if name != "loaded_at")
STREAMS_LOCK = "streams"
"""The lock of a run that changes streams."""


@dataclass(frozen=True, kw_only=True)
class MonthMade:
    """What a month of streams holds, and what it was made of."""

    exports: tuple[str, ...]
    """The ids of the files with rows of the month."""
    made_with: str
    """A digest of what it was made with beside them: the songs, and versions of code."""
    file: str = ""
    """A digest of its file in staging; empty where it has none."""
    rows: str = ""
    """Number and hash of its rows in the warehouse; empty where it has none."""


Made = Mapping[dt.date, MonthMade]
_FORM = TypeAdapter(dict[dt.date, MonthMade])


def raw_file(lake: Lake, export_id: str) -> UPath:
    return lake.settings.raw / "streams" / f"{export_id}{_ENDING}"


def raw_files(lake: Lake) -> dict[str, UPath]:
    """By the id of the dropped file, its raw file; one that cannot be read is as none."""
    folder = lake.settings.raw / "streams"
    files = [folder / name for name in sorted(names_in(folder)) if name.endswith(_ENDING)]
    return {path.name.removesuffix(_ENDING): path for path in files if _months_in(path)}


def write_raw(lake: Lake, file: StreamsFile) -> None:
    """Store the rows of a file, unless they are stored."""
    if file.export_id not in raw_files(lake):
        lake.write(raw_file(lake, file.export_id), file.rows)


@functools.lru_cache(maxsize=10_000)
def _months_at(path: UPath, changed: float) -> tuple[dt.date, ...]:
    """The months of a raw file that was last ``changed`` then; none of one that cannot be read."""
    try:
        days = read_parquet([path]).select(month_of(pl.col("date_label")))
    except pl.exceptions.PolarsError:
        return ()
    return tuple(days.to_series().unique().sort())


def _months_in(path: UPath) -> tuple[dt.date, ...]:
    return _months_at(path, changed_at(path))


def months_of_files(lake: Lake) -> dict[str, list[dt.date]]:
    """By file in raw, those of its months that have a partition."""
    return {export_id: lake.months_kept(_months_in(path)) for export_id, path in raw_files(lake).items()}


def raw_rows_of(lake: Lake, months: Collection[dt.date]) -> list[pl.DataFrame]:
    """The rows of each file in raw that has some of these months."""
    files = raw_files(lake)
    return [read_parquet([files[one]]) for one, own in months_of_files(lake).items() if set(own) & set(months)]


def made_of_today(lake: Lake, songs: Iterable[Song]) -> dict[dt.date, MonthMade]:
    """What each month would be made of now, by the files in raw and the songs; not what it would hold."""
    versions = {key: table.version for key, table in STREAM_TABLES.items()}
    made_with = digest_of(STREAMS_READER, versions, [(song.key, song.title, song.isrc) for song in songs])
    exports: dict[dt.date, list[str]] = {}
    for export_id, months in months_of_files(lake).items():
        for month in months:
            exports.setdefault(month, []).append(export_id)
    return {month: MonthMade(exports=tuple(sorted(ids)), made_with=made_with) for month, ids in sorted(exports.items())}


def month_file(lake: Lake, month: dt.date) -> UPath:
    """The file of a month of staging/streams."""
    return lake.settings.data_dir / f"{STREAMS.key}/date={month}/data.parquet"


def write_months(lake: Lake, rows: pl.DataFrame, months: Iterable[dt.date]) -> None:
    """Make ``months`` of staging hold exactly ``rows``; a month without rows has no file."""
    for month in months:
        of_month = rows.filter(month_of(pl.col("date")) == month)
        if of_month.is_empty():
            lake.remove(month_file(lake, month))
        else:
            lake.write(month_file(lake, month), of_month)


def staged_streams(lake: Lake) -> pl.LazyFrame:
    """The rows of staging/streams, of all months."""
    folder = lake.settings.staging / "streams"
    paths = [path for one in sorted(partitions_in(folder)) if exists(path := folder / one / "data.parquet")]
    return scan_parquet(paths) if paths else Streams.empty().lazy()


def stored_file(lake: Lake, month: dt.date) -> str:
    """A digest of the month's file in staging; empty where it has none."""
    content = read_many([month_file(lake, month)])[0]
    return "" if content is None else hashlib.blake2b(content, digest_size=8).hexdigest()


def stored_rows(session: Session) -> dict[dt.date, str]:
    """By month, number and hash of the rows in the warehouse."""
    connection, table = session.connection, SONG_STREAMS.name
    if not connection.execute("select 1 from duckdb_tables() where table_name = ?", [table]).fetchall():
        return {}
    hashed = f"select date_trunc('month', date)::date as month, hash({_COMPARED}) as number from {table}"
    found = connection.execute(f"select month, count(*), sum(number) from ({hashed}) group by month").fetchall()
    return {month: f"{rows}-{number}" for month, rows, number in found}


def noted(lake: Lake) -> dict[dt.date, MonthMade]:
    """By month, what a run has noted; nothing where there is no manifest that can be read: all is made again."""
    if not exists(path := _manifest(lake)):
        return {}
    try:
        return _FORM.validate_json(read_many([path])[0] or b"{}")
    except ValidationError:
        return {}


def note(lake: Lake, made: Made) -> None:
    """Note what these months hold, beside what is noted of others."""
    write_manifest(lake, {**noted(lake), **made})


def write_manifest(lake: Lake, made: Made) -> None:
    content = dict(sorted(made.items()))
    lake.write_bytes(_manifest(lake), _FORM.dump_json(content, indent=2, exclude_defaults=True) + b"\n")


def _manifest(lake: Lake) -> UPath:
    return lake.settings.raw / "streams" / "made.json"
