"""Years that a spreadsheet added to dates without one, versus years that TikTok wrote."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tiktok_assets.exports.dates import read_day_texts
from tiktok_assets.exports.evidence import DatedRows, Evidence
from tiktok_assets.exports.monthdays import ImpossibleCalendar
from tiktok_assets.exports.name_dates import NameDates
from tiktok_assets.exports.years import date_rows


def read(dates: list[dt.date], file_time: dt.datetime) -> DatedRows:
    return date_rows(read_day_texts([f"{date}" for date in dates]), Evidence(file_time=file_time))


@st.composite
def saved_again(draw: st.DrawFn) -> tuple[list[dt.date], dt.datetime]:
    """The days of an export, and when a spreadsheet saved it: in the year after the first of them."""
    saved = draw(st.dates(dt.date(2019, 1, 1), dt.date(2030, 12, 20)))
    last = saved - dt.timedelta(days=draw(st.integers(1, 20)))
    count = draw(st.integers(1, 300))
    dates = [last - dt.timedelta(days=n) for n in reversed(range(count))]
    assume(dates[0].year < saved.year and not any((date.month, date.day) == (2, 29) for date in dates))
    return dates, dt.datetime.combine(saved, dt.time(10), dt.UTC)


@given(saved_again(), st.booleans())
def test_the_coming_december_is_the_last_one(case: tuple[list[dt.date], dt.datetime], is_sorted: bool) -> None:
    dates, saved = case
    invented = {date: date.replace(year=saved.year) for date in dates}
    rows = sorted(dates, key=invented.__getitem__) if is_sorted else dates
    dated = read([invented[date] for date in rows], saved)
    assert (dated.dates, dated.year_evidence.removeprefix("doubtful_")) == (rows, "file_time")
    assert "was added by a spreadsheet" in dated.warnings[0]


@given(st.dates(dt.date(2017, 1, 1), dt.date(2030, 1, 1)), st.integers(1, 800), st.integers(0, 3000), st.booleans())
def test_years_without_contrary_evidence_are_used_unchanged(
    first: dt.date, count: int, later: int, newest_first: bool
) -> None:
    dates = [first + dt.timedelta(days=n) for n in range(count)]
    rows = dates[::-1] if newest_first else dates
    saved = dt.datetime.combine(dates[-1] + dt.timedelta(days=later), dt.time(1), dt.UTC)
    found = read(rows, saved)
    assert found.dates == rows
    assert found.year_evidence == ("doubtful_label" if found.doubts else "label")
    may_be_added = saved.year == dates[-1].year == dates[0].year and later > 4
    assert bool(found.doubts) == (may_be_added and not any((day.month, day.day) == (2, 29) for day in dates))
    texts = read_day_texts([date.isoformat() for date in rows])
    month = NameDates(months=((dates[-1].year, dates[-1].month),))
    for proof in (
        Evidence(file_time=saved, states_years=True),
        Evidence(file_time=saved, first_day=dates[0], epoch=saved - dt.timedelta(days=later)),
        Evidence(file_time=saved, name_dates=NameDates(days=(dates[-1],))),
        Evidence(file_time=saved, name_dates=month),
        Evidence(file_time=saved, visit_days=(dates[-1],)),
        Evidence(file_time=saved, newest_upload=dt.datetime.combine(dates[-1], dt.time(), dt.UTC)),
    ):
        assert not date_rows(texts, proof).doubts, proof
    other = NameDates(years=(dates[0].year - 1,))
    named = date_rows(texts, Evidence(file_time=saved, name_dates=other))
    assert any("Its name says" in one and "by the years it states" in one for one in named.doubts)


@pytest.mark.parametrize("count", range(2, 40, 9))
def test_a_stated_leap_year_whose_29_february_is_left_out_was_added(count: int) -> None:
    last = dt.date(2023, 3, 1)
    dates = [last - dt.timedelta(days=number) for number in reversed(range(count))]
    found = read([date.replace(year=2024) for date in dates], dt.datetime(2024, 6, 1, tzinfo=dt.UTC))
    assert (found.dates, found.year_evidence) == (dates, "doubtful_file_time")
    assert "leave out no day but 29 February" in found.warnings[0]


def test_a_copy_made_years_later_is_read_by_the_order_of_its_rows() -> None:
    dates = [dt.date(2025, 12, 30), dt.date(2025, 12, 31), dt.date(2025, 1, 1), dt.date(2025, 1, 2)]
    dated = read(dates, dt.datetime(2027, 6, 1, tzinfo=dt.UTC))
    assert dated.dates == [dt.date(2024, 12, 30), dt.date(2024, 12, 31), dt.date(2025, 1, 1), dt.date(2025, 1, 2)]
    assert any("pass New Year" in warning for warning in dated.warnings)
    assert any("rests on the time of the file" in warning for warning in dated.warnings)


@pytest.mark.parametrize(
    "dates",
    [
        [dt.date(2025, 3, 1), dt.date(2026, 3, 2)],
        [dt.date(2099, 3, 1), dt.date(2099, 3, 2)],
        [dt.date(2025, 3, 1), dt.date(2025, 5, 2), dt.date(2025, 9, 2)],
    ],
)
def test_days_after_the_files_own_time_that_no_year_explains_are_refused(dates: list[dt.date]) -> None:
    with pytest.raises(ImpossibleCalendar, match="lies after the file's own time"):
        read(dates, dt.datetime(2025, 2, 1, tzinfo=dt.UTC))


def test_a_file_time_from_before_studio_existed_says_nothing() -> None:
    dates = [dt.date(2025, 3, 1), dt.date(2025, 3, 2)]
    assert read(dates, dt.datetime(1980, 1, 1, tzinfo=dt.UTC)).dates == dates


NAMED = {"first_day": dt.date(2024, 5, 28), "epoch": dt.datetime(2025, 5, 27, 11, 38, 15, tzinfo=dt.UTC)}


@pytest.mark.parametrize("stamp", [None, dt.datetime(2025, 5, 29, 11, 38, tzinfo=dt.UTC)])
@pytest.mark.parametrize("days", [365, 147, 20])
def test_studios_name_goes_before_years_that_a_spreadsheet_added(days: int, stamp: dt.datetime | None) -> None:
    """Excel writes the year in which it opens the file, and that year has passed."""
    last = dt.date(2025, 5, 27)
    true = [last - dt.timedelta(days=days - 1 - number) for number in range(days)]
    written = [date.replace(year=2026) for date in true]
    evidence = Evidence(file_time=dt.datetime(2026, 11, 30, tzinfo=dt.UTC), stamp=stamp, **NAMED)
    found = date_rows(read_day_texts([date.isoformat() for date in written]), evidence)
    assert found.dates == true
    assert found.year_evidence == "zip_name"
    assert "added by a spreadsheet: its name says 2024-05-28 to 2025-05-27" in found.warnings[0]


def test_a_full_date_in_the_name_goes_before_years_that_a_spreadsheet_added() -> None:
    true = [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(147)]
    evidence = Evidence(
        file_time=dt.datetime(2026, 11, 30, tzinfo=dt.UTC), name_dates=NameDates(days=(dt.date(2025, 5, 27),))
    )
    found = date_rows(read_day_texts([date.replace(year=2026).isoformat() for date in true]), evidence)
    assert (found.dates, found.year_evidence) == (true, "file_name")
    assert "its name says 2025-05-27" in found.warnings[0]


def test_a_date_after_the_rows_in_the_name_changes_no_stated_year() -> None:
    dates = [dt.date(2026, 1, 1) + dt.timedelta(days=number) for number in range(100)]
    evidence = Evidence(
        file_time=dt.datetime(2026, 11, 30, tzinfo=dt.UTC), name_dates=NameDates(days=(dt.date(2026, 11, 29),))
    )
    found = date_rows(read_day_texts([date.isoformat() for date in dates]), evidence)
    assert found == DatedRows(dates=dates, year_evidence="label")
