"""The benchmark's other two ways to the same tables, as witnesses: days with all that is unusual come out alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmarks.analytics import assert_equal, in_polars, in_sql, in_the_project, staged_days, write

ACCOUNTS = ("north", "pier", "south")


VIEWS, LIKES = pl.col("video_views"), pl.col("likes")
PLANTED: dict[str, dict[str, dict[int, object]]] = {
    "overview": {
        "video_views": {150: VIEWS * 40, 190: None, 210: 0},
        "likes": {150: LIKES * 40, 170: VIEWS + 20, 200: None},
        "comments": {180: -60},
    },
    "viewers": {"unique_viewers": {220: 10_000_000, 221: None}},
    "follower_history": {"followers": {230: 5, 240: None}},
}
"""By report and column: the value of each day of the year."""


def planted(rows: pl.DataFrame, columns: dict[str, dict[int, Any]]) -> pl.DataFrame:
    """``rows`` with other ``columns`` for the account ``pier``."""
    for name, days in columns.items():
        for day, value in days.items():
            is_there = (pl.col("account") == "pier") & (pl.col("date").dt.ordinal_day() == day)
            rows = rows.with_columns(pl.when(is_there).then(value).otherwise(name).alias(name))
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("days")
    staged = staged_days(ACCOUNTS, 300)
    write({name: planted(rows, PLANTED[name]) for name, rows in staged.items()}, made)
    return made


def test_plain_polars_and_plain_sql_make_the_same_tables(folder: Path) -> None:
    ours = in_the_project(folder)
    found = set(ours["social_media_stats"]["anomalies"].explode().drop_nulls())
    assert found >= {
        *("views_outlier", "views_below_engagement", "negative_count", "missing_day"),
        *("viewers_above_views", "follower_drop"),
    }
    assert_equal(ours, {"Polars": in_polars(folder), "SQL": in_sql(folder)})


def test_another_number_is_not_called_equal(folder: Path) -> None:
    ours = in_the_project(folder)
    stats = ours["social_media_stats"]
    wrong = stats.with_columns(likes=pl.when(pl.int_range(pl.len()) == 7).then(pl.col("likes") + 1).otherwise("likes"))
    with pytest.raises(AssertionError, match="likes"):
        assert_equal(ours, {"side": {"social_media_stats": wrong}})
