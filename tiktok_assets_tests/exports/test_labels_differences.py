"""The difference column of FollowerHistory means the day before in some exports, and the day after in others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl
import pytest

from tiktok_assets.exports.labels import DifferenceMeaning, follower_differences_agree, meaning_of_differences

FOLLOWERS = [10, 16, 16, 17, 15, 20]
TO_PREVIOUS = [6, 6, 0, 1, -2, 5]
TO_NEXT = [6, 0, 1, -2, 5, 0]


def history(followers: Sequence[int | None], differences: Sequence[int | None]) -> pl.DataFrame:
    days = [dt.date(2026, 1, 15) + dt.timedelta(days=n) for n in range(len(followers))]
    schema = {"date_label": pl.Date, "followers": pl.Int64, "follower_difference": pl.Int64}
    return pl.DataFrame({"date_label": days, "followers": followers, "follower_difference": differences}, schema=schema)


@pytest.mark.parametrize(
    ("followers", "differences", "found"),
    [
        (FOLLOWERS, TO_PREVIOUS, DifferenceMeaning(meaning="previous_day", agreeing=4, conclusive=4)),
        (FOLLOWERS, TO_NEXT, DifferenceMeaning(meaning="next_day", agreeing=4, conclusive=4)),
        (
            [None, None, *FOLLOWERS],
            [None, None, *TO_NEXT],
            DifferenceMeaning(meaning="next_day", agreeing=4, conclusive=4),
        ),
        ([40] * 6, [0] * 6, DifferenceMeaning(meaning="unknown", agreeing=0, conclusive=0)),
        ([40, 42], [2, 0], DifferenceMeaning(meaning="unknown", agreeing=0, conclusive=0)),
        (FOLLOWERS, [9] * 6, DifferenceMeaning(meaning="unknown", agreeing=0, conclusive=4)),
        ([1, 3, 6, 10, 15], [1, 2, 4, 4, 5], DifferenceMeaning(meaning="unknown", agreeing=2, conclusive=3)),
        ([], [], DifferenceMeaning(meaning="unknown", agreeing=0, conclusive=0)),
    ],
)
def test_the_meaning_is_read_from_the_files_own_numbers(
    followers: list[int | None], differences: list[int | None], found: DifferenceMeaning
) -> None:
    assert meaning_of_differences(history(followers, differences)) == found


def test_a_difference_that_contradicts_the_files_meaning_is_reported() -> None:
    followers = [10, 16, 16, 17, 15, 20, 22, 25, 24, 29, 33, 35, 40]
    following = [6, 0, 1, -2, 5, 2, 3, -1, 5, 4, 2, 5, 0]
    assert follower_differences_agree(history(followers, following)) == []  # the 0 of the last row is no difference
    wrong = [*following[:3], 7, *following[4:]]
    assert follower_differences_agree(history(followers, wrong)) == [dt.date(2026, 1, 18)]


def test_with_an_unknown_meaning_no_difference_is_reported() -> None:
    assert follower_differences_agree(history([40] * 6, [1] * 6)) == []


def test_a_missing_day_is_not_compared_across() -> None:
    rows = history(FOLLOWERS, TO_PREVIOUS).filter(pl.col("date_label") != dt.date(2026, 1, 17))
    assert follower_differences_agree(rows) == []
    assert meaning_of_differences(rows).conclusive == 1  # 19 January alone has both neighbours
