"""Frames of very many rows: the same rows, whole keys, and no file left behind."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import polars as pl
import pytest

from tiktok_assets.exports import long_frames
from tiktok_assets.exports.long_frames import Rows, by_key, gathered, pieces

ROWS = pl.DataFrame({"account": "a", "key": random.Random(1).choices(range(20), k=57), "value": range(57)})


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(long_frames, "PIECE", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def lazy() -> Rows:
    return gathered(ROWS.iter_slices(25))


def test_pieces_are_all_rows_in_their_order() -> None:
    found = list(pieces(lazy()))
    assert [piece.height for piece in found] == [10, 10, 10, 10, 10, 7]
    assert pl.concat(found).equals(ROWS)


@pytest.mark.parametrize("rows", [ROWS, lazy])
def test_a_key_is_never_divided(rows: Rows) -> None:
    found = list(by_key(rows if isinstance(rows, pl.DataFrame) else lazy(), ["account", "key"]))
    keys = [set(piece["key"]) for piece in found]
    assert len(found) > 2
    assert sum(map(len, keys)) == len(set(ROWS["key"]))
    assert pl.concat(found).equals(ROWS.sort("account", "key", maintain_order=True))


def test_few_rows_are_a_frame_as_it_is() -> None:
    few = ROWS.head(10)
    assert next(by_key(few, ["key"])) is few
    assert gathered([few]) is few
    assert [piece.height for piece in by_key(gathered([few.clear(), few.clear()]), ["key"])] == [0]


def test_the_file_is_gone_once_nobody_holds_the_rows(tmp_path: Path) -> None:
    rows = lazy()
    assert len(list(tmp_path.rglob("*.parquet"))) == 3
    del rows
    assert list(tmp_path.iterdir()) == []
