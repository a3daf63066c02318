"""The comparison with the legacy pipeline finds what differs, and explains only known differences."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tiktok_assets_tests.former_pipeline import compare_days, legacy_rows, our_days

DAY = dt.date(2025, 5, 1)


def staging(*followers: int | None) -> dict[str, pl.DataFrame]:
    """Three days of an account; without views on the second, and followers as given."""
    days = {"account": "pig1987", "date": [DAY + dt.timedelta(days=at) for at in range(3)]}
    counts = {"video_views": [1000, 0, 3], "profile_views": [5, 6, 7], "likes": [100, 8, 1], "comments": [-2, 0, 0]}
    overview = pl.DataFrame({**days, **counts, "shares": [3, 0, 0]})
    history = pl.DataFrame({**days, "followers": list(followers)}) if followers else pl.DataFrame()
    return {"overview": overview, "follower_history": history}


def legacy(reported: int = 0, **changed: str) -> list[dict[str, str]]:
    """The same days as the legacy pipeline wrote them; ``changed`` in the first row."""
    columns = ["date", "video_views", "profile_views", "likes", "comments", "shares", "engagement_rate"]
    values = ["2025-05-01 1000 5 100 -2 3 0.101", "2025-05-02 0 6 8 0 0 8.0", "2025-05-03 3 7 1 0 0 0.3333"]
    rows = [dict(zip(columns, row.split(), strict=True)) for row in values]
    rows = [row | {"followers": str(reported), "new_followers": "0"} for row in rows]
    rows[0] |= changed
    return rows


def test_what_was_right_is_equal_and_every_other_difference_has_a_kind() -> None:
    found = compare_days(legacy(), our_days(staging()))
    assert found.wrong == []
    assert {column: found.equal[column] for column in ("date", "video_views", "comments", "engagement_rate")} == {
        "date": 3,
        "video_views": 3,
        "comments": 3,
        "engagement_rate": 2,
    }
    assert found.explained == {
        ("engagement_rate", "no views: divided by 1, null here"): 1,
        ("followers", "in no export: 0 written, null here"): 3,
        ("new_followers", "in no export: 0 written, null here"): 3,
    }


def test_the_newest_number_on_every_row_and_dropped_losses_are_reported() -> None:
    found = compare_days(legacy(reported=8), our_days(staging(10, 9, 8)))
    assert found.wrong == []
    assert found.explained["followers", "the newest number on every row"] == 2
    assert found.equal["followers"] == 1
    assert found.explained["new_followers", "a loss dropped, kept here"] == 2


def test_a_gain_that_was_written_as_0_is_reported() -> None:
    found = compare_days(legacy(), our_days(staging(8, 9, 9)))
    assert found.explained["new_followers", "no followers were captured: 0 written"] == 1
    assert found.equal["new_followers"] == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"likes": "101"}, "2025-05-01, likes: 101 there, 100 here"),
        ({"engagement_rate": "0.2"}, "2025-05-01, engagement_rate: 0.2 there, 0.101 here, of no known kind"),
        ({"followers": "3"}, "2025-05-01, followers: 3 there, None here, of no known kind"),
        ({"new_followers": "3"}, "2025-05-01, new_followers: 3 there, None here, of no known kind"),
    ],
)
def test_a_difference_of_no_known_kind_is_wrong(changed: dict[str, Any], message: str) -> None:
    assert compare_days(legacy(**changed), our_days(staging())).wrong == [message]


def test_a_day_that_only_one_side_has_is_wrong() -> None:
    found = compare_days(legacy(date="2025-04-30"), our_days(staging()))
    assert found.wrong == ["2025-04-30: we have no such day", "2025-05-01: the legacy table has no such day"]


def test_the_legacy_table_is_read_by_handle(tmp_path: Path) -> None:
    path = tmp_path / "tiktok_analytics_curated.csv"
    path.write_text("artist,date,Video Views,Year\npig1987,2025-05-01,3,2025\nzone.a0,2025-05-01,4,2025\n")
    rows = legacy_rows(path)
    assert {handle: [row["video_views"] for row in of] for handle, of in rows.items()} == {
        "pig1987": ["3"],
        "zone.a0": ["4"],
    }
    path.write_text("a,b\n")
    with pytest.raises(ValueError, match="is no table of the legacy pipeline: a, b"):
        legacy_rows(path)
