"""Of several files about the same recording, store and day the latest one counts, as a whole."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.streams.latest import latest_rows, typed_files, undecided
from tiktok_assets.streams.tables import Streams
from tiktok_assets_tests.streams.files import DOWNLOADED, ISRC, raw_of

HEADER = "date,isrc,store,streams,country\n"
LATER = DOWNLOADED + dt.timedelta(days=1)


def numbers(rows: pl.DataFrame) -> list[tuple[str, str | None, int]]:
    return rows.select(pl.col("date").cast(pl.String), "territory", "streams").rows()


def test_the_later_file_replaces_a_day_of_a_store_with_all_its_territories(tmp_path: Path) -> None:
    total = raw_of(tmp_path, "total.csv", f"{HEADER}2026-06-29,{ISRC},Spotify,9,\n2026-06-30,{ISRC},Spotify,10,\n")
    parts = raw_of(
        tmp_path, "parts.csv", f"{HEADER}2026-06-30,{ISRC},Spotify,7,DE\n2026-06-30,{ISRC},Spotify,5,FR\n", LATER
    )
    for files in itertools.permutations([total, parts]):
        latest = latest_rows(typed_files(files))
        assert numbers(latest) == [("2026-06-29", None, 9), ("2026-06-30", "DE", 7), ("2026-06-30", "FR", 5)]
        Streams.validate(latest)


def test_an_unknown_number_of_a_later_file_replaces_none(tmp_path: Path) -> None:
    known = raw_of(tmp_path, "known.csv", f"{HEADER}2026-06-30,{ISRC},Spotify,10,\n")
    unknown = f"{HEADER}2026-06-30,{ISRC},Spotify,--,\n2026-07-01,{ISRC},Spotify,11,\n"
    latest = latest_rows(typed_files([known, raw_of(tmp_path, "unknown.csv", unknown, LATER)]))
    assert numbers(latest) == [("2026-06-30", None, 10), ("2026-07-01", None, 11)]


def test_files_of_the_same_time_that_disagree_are_named(tmp_path: Path) -> None:
    one = raw_of(tmp_path, "one.csv", f"{HEADER}2026-06-29,{ISRC},Spotify,9,\n2026-06-30,{ISRC},Spotify,10,\n")
    two = raw_of(tmp_path, "two.csv", f"{HEADER}2026-06-29,{ISRC},Spotify,9,\n2026-06-30,{ISRC},Spotify,12,\n")
    tie = undecided(typed_files([one, two]))
    assert tie.rows() == [(ISRC, "spotify", dt.date(2026, 6, 30), ["one.csv", "two.csv"])]
    third = raw_of(tmp_path, "three.csv", f"{HEADER}2026-06-30,{ISRC},Spotify,13,\n", LATER)
    assert undecided(typed_files([one, two, third])).is_empty()


CELLS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 9)), min_size=1, max_size=8)


@given(CELLS, st.integers(0, 99))
def test_the_result_depends_on_no_order_of_rows(cells: list[tuple[int, int, int]], seed: int) -> None:
    fixed = {"track": ISRC, "isrc": ISRC, "store": "spotify", "source": "a", "member": "a", "row_number": 1}
    rows = pl.DataFrame(
        [
            {
                **fixed,
                "date": dt.date(2026, 6, 1 + day),
                "streams": streams,
                "export_id": f"{file}-{number}",
                "vintage": DOWNLOADED + dt.timedelta(days=file),
            }
            for number, (file, day, streams) in enumerate(cells)
        ],
        schema=Streams.empty().schema,
    )
    latest = latest_rows(rows)
    assert latest.equals(latest_rows(rows.sample(fraction=1, shuffle=True, seed=seed)))
    assert latest["date"].is_unique().all() and set(latest["date"]) == set(rows["date"])
