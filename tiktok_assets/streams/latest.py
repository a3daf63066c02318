"""Which file's number of streams counts, where several files report the same: the latest one's."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from tiktok_assets.curated._tables import conform
from tiktok_assets.streams.rows import GRAIN, UNIT, distinct_rows, typed_rows
from tiktok_assets.streams.tables import Streams


def typed_files(files: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """The rows with a number of all ``files``, each the raw rows of one."""
    return pl.concat([Streams.empty(), *(conform(distinct_rows(typed_rows(rows)), Streams) for rows in files)])


def latest_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each recording, store and day the rows of the latest file: the rows of ``Streams``.

    Of files of the same time the one with the greater id counts, so that the result does not depend on their order;
    ``undecided`` names them.
    """
    latest = pl.col("export_id").sort_by("vintage", "export_id").last().over(UNIT)
    return rows.filter(pl.col("export_id") == latest).sort(*GRAIN[::-1])


def undecided(rows: pl.DataFrame) -> pl.DataFrame:
    """The units that files of the same, latest time report differently: ``UNIT`` and ``files``, their names."""
    newest = rows.filter(pl.col("vintage") == pl.col("vintage").max().over(UNIT))
    by_file = newest.group_by(*UNIT, "export_id").agg(pl.col("source").first(), pl.col("streams").sum())
    several = by_file.group_by(UNIT).agg(files=pl.col("source").sort(), kinds=pl.col("streams").n_unique())
    return several.filter(pl.col("kinds") > 1).drop("kinds").sort(UNIT)
