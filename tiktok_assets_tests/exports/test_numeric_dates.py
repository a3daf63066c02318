"""Numeric dates: read if the rows prove their order, otherwise refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.dates import UnreadableDay, read_day_texts

FORMS = [
    *("{a}/{b}", "{a}-{b}", "{a}/{b}/{y}", "{a:02}/{b:02}/{y}"),
    *("{a}.{b}.{y}", "{a:02}-{b:02}-{s:02}", "{a}/{b}/{y} 0:00"),
]


def written(dates: list[dt.date], form: str, *, month_first: bool) -> list[str]:
    return [
        form.format(
            a=date.month if month_first else date.day,
            b=date.day if month_first else date.month,
            y=date.year,
            s=date.year % 100,
        )
        for date in dates
    ]


@given(
    st.dates(dt.date(2019, 1, 1), dt.date(2030, 1, 1)),
    st.integers(3, 120),
    st.sampled_from(FORMS),
    st.booleans(),
    st.sampled_from(["up", "down"]),
)
def test_neighbouring_days_say_which_number_is_the_month(
    first: dt.date, count: int, form: str, month_first: bool, order: str
) -> None:
    dates = [first + dt.timedelta(days=n) for n in range(count)][:: 1 if order == "up" else -1]
    read = read_day_texts(written(dates, form, month_first=month_first))
    assert read.locale is None
    assert read.days == [(date.month, date.day) for date in dates]
    assert read.years == ([date.year for date in dates] if "{y}" in form or "{s" in form else None)


@given(st.dates(dt.date(2019, 1, 1), dt.date(2030, 1, 1)), st.sampled_from(FORMS), st.booleans(), st.integers(1, 24))
def test_one_day_is_read_only_where_a_number_is_no_month(
    date: dt.date, form: str, month_first: bool, times: int
) -> None:
    texts = written([date] * times, form, month_first=month_first)
    if date.day <= 12 and date.day != date.month:
        with pytest.raises(UnreadableDay, match=r"day and month are ambiguous\. Write the dates as YYYY-MM-DD"):
            read_day_texts(texts)
    else:
        assert set(read_day_texts(texts).days) == {(date.month, date.day)}


def test_days_that_are_apart_in_either_reading_are_refused() -> None:
    with pytest.raises(UnreadableDay, match="day and month are ambiguous"):
        read_day_texts(["4/10", "4/12", "6/10"])


@given(st.dates(dt.date(2019, 1, 1), dt.date(2030, 1, 1)), st.sampled_from(["{}-{:02}-{:02}", "{}/{}/{}"]))
def test_buddhist_years_are_543_ahead(date: dt.date, form: str) -> None:
    read = read_day_texts([form.format(date.year + 543, date.month, date.day)])
    assert (read.days, read.years) == ([(date.month, date.day)], [date.year])
    assert any("Buddhist" in note for note in read.notes)


@pytest.mark.parametrize(
    "text", ["1405/01/23", "1447-10-24", "1405/1/3", "23/1/1405", "23 Farvardin 1405", "۱۴۰۵/۰۱/۲۳"]
)
def test_years_of_other_calendars_are_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(UnreadableDay, match=r"another calendar|no language"):
        read_day_texts([text])


@pytest.mark.parametrize(
    ("text", "day", "year"),
    [
        ("12-Apr", (4, 12), None),
        ("12-Apr-26", (4, 12), 2026),
        ("April 12, 2026", (4, 12), 2026),
        ("12 de abril de 2026", (4, 12), 2026),
        ("12. April 2026", (4, 12), 2026),
        ("2026年4月12日", (4, 12), 2026),
        ("12 เมษายน 2569", (4, 12), 2026),
    ],
)
def test_dates_in_words_that_spreadsheets_shorten_or_give_a_year_are_read(
    text: str, day: tuple[int, int], year: int | None
) -> None:
    read = read_day_texts([text])
    assert (read.days, read.years) == ([day], None if year is None else [year])


def test_a_29_february_that_its_year_does_not_have_is_refused() -> None:
    with pytest.raises(UnreadableDay, match="not a day of the calendar"):
        read_day_texts(["29 February 2025"])
