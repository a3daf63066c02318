"""IO managers of the lake: one immutable file per export in raw, one file per partition in staging and curated.

Both take ranges and rectangles of partitions. What an asset returns replaces exactly the partitions of its run.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
import pandera.polars as pa
import polars as pl
from upath import UPath

from tiktok_assets.exports.long_frames import PIECE, Rows
from tiktok_assets.partitions import PartitionRange, partition_key, partition_range
from tiktok_assets.storage.lake import Lake, read_parquet, scan_long, scan_parquet
from tiktok_assets.storage.partition_metadata import set_run_metadata
from tiktok_assets.storage.raw import raw_rows

# What a row means can depend on its neighbours: FollowerActivity's zeros are judged by the whole export, 8 days long.
_NEIGHBOURS = dt.timedelta(days=8)
Key = tuple[str, dt.date]


@dataclass(frozen=True)
class RawRows:
    """The raw rows of one report out of one export, and the file they become."""

    account: str
    downloaded_at: dt.datetime
    export_id: str
    rows: Rows


class RawIOManager(dg.IOManager):
    """``data/raw/<report>/account=<a>/<downloaded_at>_<sha12>.parquet``. A file that exists is never written again."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake

    def handle_output(self, context: dg.OutputContext, obj: Iterable[RawRows]) -> None:
        report = context.asset_key.path[-1]

        def write(export: RawRows) -> None:
            path = self.lake.raw_file(report, export.account, export.downloaded_at, export.export_id)
            with contextlib.suppress(FileExistsError):
                self.lake.write(path, export.rows, create=True)

        self.lake.each(write, obj)
        set_run_metadata(context)

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        """The raw rows of every export about the run's accounts and months, and the days around them."""
        return self.scan(context.asset_key.path[-1], requested_range(context))

    def scan(self, report: str, partitions: PartitionRange) -> pl.LazyFrame:
        days = (partitions.first_day - _NEIGHBOURS, partitions.last_day + _NEIGHBOURS)
        rows = raw_rows(self.lake, report, partitions.accounts, since=days[0])
        return rows.filter(pl.col("date_label").is_between(*days))


LOOK_BACK, DOWNSTREAM, COLUMNS, MAY_BE_LONG = "look_back_days", "downstream_days", "columns", "may_be_long"


def windowed_input(
    key: Sequence[str],
    *,
    before: int = 0,
    after: int = 0,
    columns: Sequence[str] = (),
    may_be_long: bool = False,
    manager: str | None = None,
    **more: bool,
) -> dg.AssetIn:
    """An input with more than the months of the run: those of ``before`` days before it, and of ``after`` days after.

    ``columns``: all by default. ``may_be_long``: its rows come lazily where there are very many. ``manager``: the IO
    manager's key, where it is not that of the input's asset.
    ``more``: what else its IO manager has to know.
    """
    metadata = {LOOK_BACK: before, DOWNSTREAM: after, COLUMNS: list(columns), MAY_BE_LONG: may_be_long, **more}
    return dg.AssetIn(key, metadata=metadata, input_manager_key=manager)


def requested_range(context: dg.InputContext | dg.OutputContext) -> PartitionRange:
    """The partitions an input requests (``windowed_input``), or an output with ``downstream_days`` may change."""
    metadata = context.definition_metadata
    return partition_range(context.asset_partition_keys).extended(
        before=metadata.get(LOOK_BACK, 0), after=metadata.get(DOWNSTREAM, 0)
    )


class PartitionIOManager(dg.IOManager):
    """``data/<layer>/<table>/account=<a>/date=<YYYY-MM-01>/data.parquet``; a partition without rows has no file.

    An asset whose later months look back at the run's has ``downstream_days`` in its metadata and returns their rows
    too. Of these, changed partitions are replaced, so that tables do not depend on the order of runs.
    """

    def __init__(self, lake: Lake, schemas: Mapping[str, type[pa.DataFrameModel]]) -> None:
        self.lake = lake
        self.schemas = schemas
        """By asset key as text ("staging/overview"): the schema of its rows, for months without files."""

    def handle_output(self, context: dg.OutputContext, obj: Rows) -> None:
        layer, table = context.asset_key.path
        partitions, reached = partition_range(context.asset_partition_keys), requested_range(context)
        by_key = _split(reached.require(obj, context.asset_key.to_user_string()))
        later = [month for month in reached.months if month not in partitions.months]
        stored = self.lake.partition_files(layer, table, partitions.accounts, later) if later else {}
        changed = [key for key in reached.keys_frame().rows() if key[1] in later and _differs(stored, by_key, key)]

        def write(key: Key) -> None:
            path = self.lake.partition_file(layer, table, *key)
            if key in by_key:
                self.lake.write(path, by_key[key])
            else:
                self.lake.remove(path)

        self.lake.each(write, [*partitions.keys_frame().rows(), *changed])
        set_run_metadata(context, {"later_partitions_changed": named(changed)} if changed else {})

    def load_input(self, context: dg.InputContext) -> Rows:
        layer, table = context.asset_key.path
        partitions = requested_range(context)
        paths = self.lake.partition_files(layer, table, partitions.accounts, partitions.months).values()
        empty = _empty(self.schemas[context.asset_key.to_user_string()])
        if context.definition_metadata.get(MAY_BE_LONG) and (long := scan_long(paths, empty.schema)) is not None:
            return long.select(context.definition_metadata.get(COLUMNS) or pl.all())
        stored = scan_parquet(paths)
        found = stored.collect_schema().names()
        requested = context.definition_metadata.get(COLUMNS) or list(dict.fromkeys([*found, *empty.columns]))
        rows = stored.select(name for name in requested if name in found).collect()
        if rows.width == len(requested):
            return rows
        # Older files lack newer columns; without a file all of them are missing.
        return pl.concat([rows, empty], how="diagonal").select(requested) if paths else empty.select(requested)


@functools.cache
def _empty(schema: type[pa.DataFrameModel]) -> pl.DataFrame:
    """No rows of ``schema``, made once: pandera copies the whole schema for each, and a run asks for dozens."""
    return schema.empty()


def named(keys: Sequence[tuple[str, dt.date]]) -> str:
    """The first of some partitions as one line, and how many more there are."""
    shown = ", ".join(partition_key(*key) for key in keys[:_SHOWN])
    return shown + (f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else "")


_SHOWN = 12


def _split(rows: Rows) -> dict[Key, pl.DataFrame | pl.LazyFrame]:
    """The rows of each partition, by account and ``month``, without that column; lazy where there are very many."""
    by_key: dict[Key, pl.DataFrame | pl.LazyFrame] = {}
    if isinstance(rows, pl.LazyFrame):
        counted = rows.group_by("account", "month").len().filter(pl.col("len") > PIECE).collect(engine="streaming")
        is_long = [(pl.col("account") == account) & (pl.col("month") == month) for account, month, _ in counted.rows()]
        by_key |= {key[:2]: rows.filter(one).drop("month") for key, one in zip(counted.rows(), is_long, strict=True)}
        # Each of the others by itself would be a pass over all rows.
        rows = (rows.filter(~pl.any_horizontal(is_long)) if is_long else rows).collect()
    parts = rows.with_columns(_account="account").partition_by("_account", "month", include_key=False, as_dict=True)
    return by_key | {(account, month): of_key for (account, month), of_key in parts.items()}


def _differs(stored: Mapping[Key, UPath], made: Mapping[Key, Rows], key: Key) -> bool:
    """Whether the rows ``made`` of a partition differ from those stored."""
    if key not in made or key not in stored:
        return (key in made) != (key in stored)
    return not read_parquet([stored[key]]).equals(made[key].lazy().collect())
