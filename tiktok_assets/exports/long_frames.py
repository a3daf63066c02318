"""Frames of so many rows that they do not fit into memory: lazy, in a file, and worked on piece by piece.

That is a list of 800,000 videos, which takes 250 MB as a frame and as much again for each copy, or more than ``PIECE``
rows of staging that are made at once, whatever the report. Does not belong here: long files as people drop them
(``long_tables``).
"""

from __future__ import annotations

import itertools
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import polars as pl

PIECE = 50_000
"""Rows that are worked on at once, where there are more; and rows of a group in a Parquet file, which is read whole."""
Rows = pl.DataFrame | pl.LazyFrame
"""Lazy where there are very many."""
RowsT = TypeVar("RowsT", bound=Rows)
FOLDERS = "tiktok-assets-rows-"
"""How the names of the folders with such files begin, in the system's folder for temporary ones."""
_NUMBER = "_number"


def pieces(rows: Rows) -> Iterator[pl.DataFrame]:
    """The rows in their order; a frame as it is. Of lazy ones Polars' own batches would all be read ahead."""
    if isinstance(rows, pl.DataFrame):
        yield rows
        return
    count = rows.select(pl.len()).collect().item()
    for start in range(0, max(count, 1), PIECE):
        yield rows.slice(start, PIECE).collect()


def by_key(rows: Rows, key: Sequence[str]) -> Iterator[pl.DataFrame]:
    """Pieces in the order of ``key``, in each all rows of its keys; a frame of few rows as it is."""
    if isinstance(rows, pl.DataFrame) and rows.height <= PIECE:
        yield rows
        return
    order = rows.lazy().select(key).with_row_index(_NUMBER).collect(engine="streaming").sort(*key, _NUMBER)
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in key)
    begins = order.select((is_first | (pl.int_range(pl.len()) == 0)).arg_true()).to_series()
    numbers, start = order[_NUMBER], 0
    del order
    if numbers.is_empty():
        yield rows.lazy().head(0).collect()
    while start < len(numbers):
        beyond = begins.search_sorted(start + PIECE)
        end = begins[beyond] if beyond < len(begins) else len(numbers)
        yield _rows_of(rows, numbers[start:end])
        start = end


def _rows_of(rows: Rows, numbers: pl.Series) -> pl.DataFrame:
    """The rows of these numbers, in their order."""
    if isinstance(rows, pl.DataFrame):
        return rows[numbers]
    first, last = numbers.to_frame().select(first=pl.all().min(), last=pl.all().max()).row(0)
    near = rows.slice(first, last - first + 1).with_row_index(_NUMBER, offset=first)
    found = near.filter(pl.col(_NUMBER).is_in(numbers.implode())).collect(engine="streaming")
    ordered = numbers.to_frame().join(found, on=_NUMBER, how="left", maintain_order="left")
    return ordered.drop(_NUMBER)


def gathered(frames: Iterable[pl.DataFrame]) -> Rows:
    """The rows of all ``frames``: of one as it is, of several from a file, which is gone once nobody holds the rows.

    Whoever makes other lazy rows of them holds these as long: those do not.
    """
    frames = iter(frames)
    first, second = next(frames), next(frames, None)
    if second is None:
        return first
    folder = tempfile.TemporaryDirectory(prefix=FOLDERS)
    paths: list[Path] = []
    for number, frame in enumerate(itertools.chain([first, second], frames)):
        paths.append(Path(folder.name) / f"{number:06}.parquet")
        frame.write_parquet(paths[-1], row_group_size=PIECE)
    rows = pl.scan_parquet(paths)
    weakref.finalize(rows, folder.cleanup)
    return rows
