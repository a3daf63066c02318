"""Sorted rows versus rows that pass New Year: the right days are those the labels were made from."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from babel.dates import format_skeleton
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tiktok_assets.exports.dates import DayTexts, read_day_texts
from tiktok_assets.exports.evidence import Evidence
from tiktok_assets.exports.monthdays import ImpossibleCalendar, MonthDay, calendar_order, is_contiguous
from tiktok_assets.exports.years import date_rows
from tiktok_assets_tests.budget import examples

Sorter = Callable[[list[dt.date], str], list[dt.date]]


def text(date: dt.date, locale: str) -> str:
    return format_skeleton("MMMMd", date, locale=locale)


def by_text(dates: list[dt.date], locale: str) -> list[dt.date]:
    return sorted(dates, key=lambda date: text(date, locale))


def newest_first(dates: list[dt.date], _: str) -> list[dt.date]:
    return dates[::-1]


def by_month_and_day(dates: list[dt.date], _: str) -> list[dt.date]:
    return sorted(dates, key=lambda date: (date.month, date.day))


@st.composite
def windows(draw: st.DrawFn, longest: int = 330) -> list[dt.date]:
    first = draw(st.dates(dt.date(2019, 1, 1), dt.date(2030, 12, 31)))
    return [first + dt.timedelta(days=n) for n in range(draw(st.integers(2, longest)))]


def downloaded(dates: list[dt.date]) -> Evidence:
    return Evidence(file_time=dt.datetime.combine(max(dates) + dt.timedelta(days=2), dt.time(10), dt.UTC))


@example(dates=[dt.date(2019, 1, day) for day in range(1, 12)], sort=by_text, locale="ja")  # 10 and 11 come first
@examples(40)
@given(
    windows(),
    st.sampled_from([by_text, newest_first, by_month_and_day]),
    st.sampled_from(["en", "en_GB", "de", "el", "vi", "ja", "ar", "th"]),
)
def test_sorted_rows_get_the_days_they_were_made_from(dates: list[dt.date], sort: Sorter, locale: str) -> None:
    rows = sort(dates, locale)
    dated = date_rows(read_day_texts([text(date, locale) for date in rows]), downloaded(dates))
    assert dated.dates == rows
    assert any("not in the order of the calendar" in warning for warning in dated.warnings) == (rows != dates)


@examples(30)
@given(windows(longest=60), st.randoms(use_true_random=False))
def test_shuffled_rows_get_the_days_they_were_made_from(dates: list[dt.date], random) -> None:
    rows = random.sample(dates, len(dates))
    days = [MonthDay(date.month, date.day) for date in rows]
    assert date_rows(DayTexts("en", days, None), downloaded(dates)).dates == rows


@examples(20)
@given(st.dates(dt.date(2019, 1, 1), dt.date(2030, 12, 31)), st.integers(365, 366), st.randoms(use_true_random=False))
def test_a_full_year_out_of_order_needs_studios_name(first: dt.date, count: int, random) -> None:
    dates = [first + dt.timedelta(days=n) for n in range(count)]
    rows = random.sample(dates, count)
    assume(not is_contiguous([MonthDay(date.month, date.day) for date in rows]))
    assume(count == 366 or not any((date.month, date.day) == (2, 29) for date in dates))  # else one day is left out
    days = DayTexts("en", [MonthDay(date.month, date.day) for date in rows], None)
    with pytest.raises(ImpossibleCalendar, match="any day can be the first"):
        date_rows(days, downloaded(dates))
    epoch = dt.datetime.combine(dates[-1], dt.time(11), dt.UTC)
    named = date_rows(days, Evidence(file_time=epoch + dt.timedelta(days=900), first_day=first, epoch=epoch))
    if (dates[0].month, dates[0].day) != (dates[-1].month, dates[-1].day):
        assert (named.dates, named.year_evidence) == (rows, "zip_name")


@given(windows(longest=366), st.data())
def test_rows_in_order_with_some_left_out_stay_in_order(dates: list[dt.date], data: st.DataObject) -> None:
    """Up to three days are left out inside, but no 29 February alone: it would say that the year has none."""
    dates = dates[:300]
    can_be_left_out = [date for date in dates[1:-1] if (date.month, date.day) != (2, 29)]
    left_out = set(data.draw(st.lists(st.sampled_from(can_be_left_out or dates), max_size=3)))
    kept = [date for date in dates if date not in left_out] or dates
    assert date_rows(DayTexts("en", [MonthDay(d.month, d.day) for d in kept], None), downloaded(dates)).dates == kept


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("count", [363, 365])
def test_a_year_that_leaves_days_out_inside_is_in_order_as_it_passes_new_year(count: int, reverse: bool) -> None:
    """The longest gap is inside: 10 to 12 March. Sorted rows would begin with January."""
    window = [dt.date(2025, 10, 1) - dt.timedelta(days=n) for n in reversed(range(count))]
    dates = [date for date in window if not dt.date(2025, 3, 10) <= date <= dt.date(2025, 3, 12)]
    rows = dates[::-1] if reverse else dates
    days = DayTexts("en", [MonthDay(date.month, date.day) for date in rows], None)
    assert date_rows(days, downloaded(dates)).dates == rows


@pytest.mark.parametrize(
    "days",
    [
        [(4, 10), (4, 14), (4, 8)],
        [(12, 20), (1, 5), (12, 10)],
        [(3, 15), (1, 2), (3, 14), (2, 1)],
        [(1, 1), (1, 2), (12, 20)],
    ],
)
def test_rows_out_of_order_with_gaps_are_refused_and_named(days: list[tuple[int, int]]) -> None:
    with pytest.raises(ImpossibleCalendar, match=r"^Row \d+ .* leave out days once they are sorted"):
        calendar_order([MonthDay(*day) for day in days])


def test_two_rows_are_neighbours_in_any_order() -> None:
    for first, second in (((4, 8), (4, 9)), ((12, 31), (1, 1)), ((2, 28), (3, 1)), ((2, 29), (3, 1))):
        assert calendar_order([MonthDay(*first), MonthDay(*second)]) == [0, 1]
        assert calendar_order([MonthDay(*second), MonthDay(*first)]) == [1, 0]


def test_the_hours_of_a_day_stay_in_the_order_of_the_file() -> None:
    days = [MonthDay(4, 9)] * 3 + [MonthDay(4, 8)] * 3
    dated = date_rows(DayTexts("en", days, None), Evidence(file_time=dt.datetime(2026, 4, 11, tzinfo=dt.UTC)))
    assert dated.dates == [dt.date(2026, 4, 9)] * 3 + [dt.date(2026, 4, 8)] * 3


@given(st.dates(dt.date(2024, 1, 1), dt.date(2024, 6, 1)), st.integers(2, 40), st.integers(2, 40), st.integers(0, 1))
def test_files_below_each_other_are_called_joined_and_not_sorted(
    first: dt.date, earlier: int, later: int, shared: int
) -> None:
    dates = [first + dt.timedelta(days=number) for number in range(earlier + later)]
    rows = [*dates[earlier - shared :], *dates[:earlier]]
    days = [MonthDay(date.month, date.day) for date in rows]
    as_text = all(str(one.day) <= str(other.day) for one, other in itertools.pairwise(days) if one.month == other.month)
    dated = date_rows(
        DayTexts(locale="en", days=days, years=None),
        Evidence(file_time=dt.datetime.combine(dates[-1] + dt.timedelta(days=1), dt.time(), dt.UTC)),
    )
    assert dated.dates == rows
    assert ("Files were joined" in dated.warnings[0]) is not as_text
    assert ("was sorted" in dated.warnings[0]) is as_text
