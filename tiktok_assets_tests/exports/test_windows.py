"""Which exports are requested."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.windows import (
    DAY,
    LandedWindow,
    NoDays,
    Window,
    final_days,
    is_certain,
    last_day_with_data,
    visits,
    windows,
)

EVENING = dt.datetime(2026, 1, 10, 17, tzinfo=dt.UTC)
D = dt.date
SOME_DAYS = st.dates(D(2025, 1, 1), D(2026, 3, 1))


def between(first: str, last: str) -> Window:
    return Window(first=D.fromisoformat(first), last=D.fromisoformat(last))


def test_data_of_a_day_is_surely_available_from_17_oclock_of_the_next_day() -> None:
    assert last_day_with_data(EVENING) == D(2026, 1, 9)
    assert last_day_with_data(EVENING - dt.timedelta(seconds=1)) == D(2026, 1, 8)
    athens = EVENING.astimezone(dt.timezone(dt.timedelta(hours=14)))
    assert last_day_with_data(athens) == D(2026, 1, 9)


def test_in_the_afternoon_it_is_uncertain_whether_one_more_day_is_available() -> None:
    hours = [hour for hour in range(24) if not is_certain(EVENING.replace(hour=hour))]
    assert hours == [12, 13, 14, 15, 16]


def test_a_moment_without_timezone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no timezone"):
        last_day_with_data(dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_400_days_are_three_windows_newest_first() -> None:
    cut = windows(D(2024, 12, 6), D(2026, 1, 9), now=EVENING, max_days=180)
    assert cut == [
        between("2025-07-14", "2026-01-09"),
        between("2025-01-15", "2025-07-13"),
        between("2024-12-06", "2025-01-14"),
    ]


def test_a_range_that_reaches_into_the_future_ends_with_the_last_day_that_has_data() -> None:
    assert windows(D(2026, 1, 1), D(2026, 12, 31), now=EVENING, max_days=180) == [between("2026-01-01", "2026-01-09")]
    assert windows(D(2026, 1, 10), D(2026, 12, 31), now=EVENING, max_days=180) == []


def test_a_reversed_range_is_an_error_and_not_nothing_to_do() -> None:
    with pytest.raises(NoDays, match="2026-01-02 to 2026-01-01 contains no day"):
        windows(D(2026, 1, 2), D(2026, 1, 1), now=EVENING, max_days=180)


def test_a_day_exported_before_its_data_was_surely_available_is_requested_again() -> None:
    landed = [LandedWindow(window=between("2026-01-01", "2026-01-09"), asked_at=EVENING - dt.timedelta(hours=1))]
    final = final_days(landed)
    assert max(final) == D(2026, 1, 8)
    assert windows(D(2026, 1, 1), D(2026, 1, 9), now=EVENING, max_days=180, final=final) == [
        between("2026-01-09", "2026-01-09")
    ]
    in_the_evening = [
        LandedWindow(window=between("2026-01-01", "2026-01-09"), asked_at=EVENING + dt.timedelta(hours=5))
    ]
    assert max(final_days(in_the_evening)) == D(2026, 1, 9)


def test_refresh_requests_final_days_as_well() -> None:
    final = frozenset(between("2025-12-01", "2026-01-09").days())
    ask = {"now": EVENING, "max_days": 180, "final": final}
    assert windows(D(2025, 12, 1), D(2026, 1, 9), **ask) == []
    assert windows(D(2025, 12, 1), D(2026, 1, 9), refresh=True, **ask) == [between("2025-12-01", "2026-01-09")]


def test_a_visit_takes_one_window_of_each_section_that_has_one_left() -> None:
    old, new = between("2025-01-01", "2025-06-01"), between("2025-06-02", "2025-11-01")
    plan = visits({"overview": [new, old], "viewers": [old], "content": []})
    assert plan == [{"overview": new, "viewers": old}, {"overview": old}]
    assert visits({}) == []


@given(
    first=SOME_DAYS,
    length=st.integers(0, 500),
    max_days=st.integers(1, 365),
    final=st.frozensets(SOME_DAYS, max_size=60),
)
def test_windows_contain_exactly_the_requested_days_and_never_overlap(
    first: dt.date, length: int, max_days: int, final: frozenset[dt.date]
) -> None:
    last = first + DAY * length
    cut = windows(first, last, now=EVENING, max_days=max_days, final=final)
    held = [day for window in cut for day in window.days()]
    wanted = {day for day in Window(first=first, last=last).days() if day <= D(2026, 1, 9)} - final
    assert wanted <= set(held)
    assert len(held) == len(set(held))
    for window in cut:
        assert len(window) <= max_days
        assert window.first in wanted and window.last in wanted
    assert cut == sorted(cut, reverse=True)
    assert len(cut) <= -(-(length + 1) // max_days)
