"""Years of labels without one; expectations are written manually or are the real days the labels were made from."""

from __future__ import annotations

import datetime as dt

import pytest
from babel import localedata
from babel.dates import format_skeleton
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.dates import DayTexts, read_day_texts
from tiktok_assets.exports.downloads import downloaded_at
from tiktok_assets.exports.evidence import DatedRows, Evidence
from tiktok_assets.exports.monthdays import ImpossibleCalendar, MonthDay, last_on_or_before
from tiktok_assets.exports.placing import first_on_or_after, walk_back
from tiktok_assets.exports.years import date_rows

# Files of one month in these are read as another language (see test_dates.TWO_MEANINGS).
LOCALES = sorted(set(localedata.locale_identifiers()) - {"ts", "ts_ZA", "rw", "rw_RW"})


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def window(first: str, last: str) -> list[dt.date]:
    return [day(first) + dt.timedelta(days=n) for n in range((day(last) - day(first)).days + 1)]


def labels(dates: list[dt.date]) -> list[MonthDay]:
    return [MonthDay(date.month, date.day) for date in dates]


def rows(dates: list[dt.date]) -> DayTexts:
    return DayTexts(locale="en", days=labels(dates), years=None)


LATER = utc("2031-07-01")  # a modification time that would give wrong years: the file was copied


@st.composite
def windows(draw: st.DrawFn) -> list[dt.date]:
    first = draw(st.dates(dt.date(2016, 9, 1), dt.date(2034, 12, 31)))
    return [first + dt.timedelta(days=n) for n in range(draw(st.integers(1, 366)))]


@given(windows(), st.sampled_from(LOCALES), st.integers(0, 2), st.times())
def test_a_stamped_export_in_any_language_gets_exactly_its_days_back(
    dates: list[dt.date], locale: str, lag: int, time: dt.time
) -> None:
    texts = [format_skeleton("MMMMd", date, locale=locale) for date in dates]
    stamp = dt.datetime.combine(dates[-1] + dt.timedelta(days=lag), time, dt.UTC)
    dated = date_rows(read_day_texts(texts), Evidence(file_time=LATER, stamp=stamp))
    assert dated == DatedRows(dates=dates, year_evidence="zip_stamp")


@given(windows(), st.integers(-1, 1), st.integers(-1, 1), st.times(), st.integers(1, 8))
def test_a_fitting_name_gives_the_days_despite_the_stamp_of_a_repacked_archive(
    dates: list[dt.date], first_shift: int, last_shift: int, time: dt.time, years_later: int
) -> None:
    evidence = Evidence(
        file_time=LATER,
        first_day=dates[0] + dt.timedelta(days=first_shift),
        epoch=dt.datetime.combine(dates[-1] + dt.timedelta(days=last_shift), time, dt.UTC),
        stamp=dt.datetime.combine(dates[-1] + dt.timedelta(days=366 * years_later), time, dt.UTC),
    )
    dated = date_rows(rows(dates), evidence)
    assert dated.dates == dates
    if dated.stamp_overruled:
        assert dated.year_evidence == "zip_name"
        assert "packed again" in dated.warnings[0]


@given(windows(), st.data())
def test_gaps_and_repeats_change_nothing(dates: list[dt.date], data: st.DataObject) -> None:
    kept = sorted(data.draw(st.lists(st.sampled_from(dates), min_size=1, max_size=60)))
    assert walk_back(labels(kept), kept[-1]) == kept


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        ("2024-01-01", "2024-12-31", 366),
        ("2023-03-01", "2024-02-29", 366),
        ("2024-02-29", "2025-02-28", 366),
        ("2023-12-20", "2024-01-10", 22),
        ("2025-03-17", "2026-03-16", 365),
        ("2024-05-28", "2025-05-27", 365),
        ("2022-05-01", "2023-05-01", 366),
        ("2026-03-15", "2026-03-15", 1),
        ("2096-02-28", "2096-03-01", 3),
    ],
)
def test_a_window_walks_back_to_its_days(first: str, last: str, count: int) -> None:
    dates = window(first, last)
    assert len(dates) == count
    for lag in (0, 1, 3):
        assert walk_back(labels(dates), day(last) + dt.timedelta(days=lag)) == dates


def test_the_29th_of_february_shows_that_the_stamp_is_years_later_than_the_data() -> None:
    dates = window("2024-02-20", "2024-03-18")
    assert walk_back(labels(dates), day("2027-06-01")) == dates
    assert walk_back(labels(dates), day("2024-03-17")) == window("2020-02-20", "2020-03-18")


def test_a_century_year_without_leap_day_is_skipped() -> None:
    assert walk_back([MonthDay(2, 29)], day("2103-01-01")) == [day("2096-02-29")]


def test_the_hours_of_follower_activity_repeat_their_day() -> None:
    dates = [date for date in window("2025-12-28", "2026-01-03") for _ in range(24)]
    assert len(dates) == 168
    assert walk_back(labels(dates), day("2026-01-04")) == dates


def test_no_rows_have_no_dates() -> None:
    assert walk_back([], day("2026-01-04")) == []
    assert date_rows(DayTexts(None, [], None), Evidence(file_time=LATER, stamp=utc("2026-01-04"))).dates == []


@pytest.mark.parametrize(
    ("days", "row"),
    [
        ([(3, 3), (3, 2), (3, 1)], 0),
        ([(5, 1), (5, 2), (1, 1), (5, 2)], 0),
        ([(2, 29), (3, 1), (2, 29)], 0),
        ([(1, 1), (12, 31), (1, 2)], 0),
    ],
)
def test_rows_no_year_explains_are_refused_by_row(days: list[tuple[int, int]], row: int) -> None:
    with pytest.raises(ImpossibleCalendar, match=f"^Row {row + 1} ") as caught:
        walk_back([MonthDay(*each) for each in days], day("2026-06-01"))
    assert caught.value.row == row


def test_a_label_may_be_one_day_ahead_of_the_utc_date_of_the_download() -> None:
    dates = window("2026-03-18", "2026-03-25")
    dated = date_rows(rows(dates), Evidence(file_time=LATER, stamp=utc("2026-03-24T23:45:02")))
    assert dated.dates == dates


def test_a_year_in_the_label_needs_no_other_evidence() -> None:
    read = read_day_texts(["2025/12/31 10:00:00", "2026/01/01 09:00:00"])
    dated = date_rows(read, Evidence(file_time=LATER, stamp=utc("2029-01-01")))
    assert dated == DatedRows(dates=[day("2025-12-31"), day("2026-01-01")], year_evidence="label")


def test_a_stamp_before_a_labelled_day_is_ignored() -> None:
    dated = date_rows(read_day_texts(["2026-03-01"]), Evidence(file_time=LATER, stamp=utc("2026-02-01")))
    assert dated.stamp_overruled
    assert "2026-02-01" in dated.warnings[0]


OVERVIEW = Evidence(
    file_time=LATER,
    stamp=utc("2025-05-29T11:38:14"),
    first_day=day("2024-05-28"),
    epoch=utc("2025-05-27T11:38:15"),
)
OVERVIEW_DAYS = window("2024-05-28", "2025-05-27")


def test_a_name_that_agrees_with_the_stamp_leaves_the_stamp_as_the_evidence() -> None:
    assert date_rows(rows(OVERVIEW_DAYS), OVERVIEW) == DatedRows(dates=OVERVIEW_DAYS, year_evidence="zip_stamp")


def test_in_an_archive_packed_again_years_later_the_name_wins_and_a_warning_says_so() -> None:
    evidence = Evidence(
        file_time=LATER, stamp=utc("2028-01-05T08:00:00"), first_day=OVERVIEW.first_day, epoch=OVERVIEW.epoch
    )
    dated = date_rows(rows(OVERVIEW_DAYS), evidence)
    assert (dated.dates, dated.year_evidence, dated.stamp_overruled) == (OVERVIEW_DAYS, "zip_name", True)
    assert dated.warnings == (
        "The archive was packed again: its entry is stamped 2028-01-05, which would make 2027-05-27 the last day, "
        "but by its name that is 2025-05-27. The name is used.",
    )


def test_a_name_without_a_stamp_gives_the_year() -> None:
    evidence = Evidence(file_time=LATER, first_day=OVERVIEW.first_day, epoch=OVERVIEW.epoch)
    assert date_rows(rows(OVERVIEW_DAYS), evidence) == DatedRows(dates=OVERVIEW_DAYS, year_evidence="zip_name")


@pytest.mark.parametrize("stamp", [utc("2026-03-17T03:30:40"), None])
def test_the_name_of_a_renamed_file_is_ignored_with_a_warning(stamp: dt.datetime | None) -> None:
    dates = window("2026-01-04", "2026-03-15")
    evidence = Evidence(file_time=utc("2026-03-18"), stamp=stamp, first_day=OVERVIEW.first_day, epoch=OVERVIEW.epoch)
    dated = date_rows(rows(dates), evidence)
    assert dated.dates == dates
    assert dated.year_evidence == ("zip_stamp" if stamp else "file_time")
    assert "renamed" in dated.warnings[0]


@pytest.mark.parametrize("kept", [slice(6), slice(-6), slice(-100, None), slice(20, 200, 3)], ids=str)
@pytest.mark.parametrize("is_packed_late", [False, True])
def test_a_part_of_a_named_window_takes_its_year_from_the_name(kept: slice, *, is_packed_late: bool) -> None:
    dates = OVERVIEW_DAYS[kept]
    evidence = Evidence(
        file_time=utc("2026-11-30"),
        stamp=utc("2026-11-20") if is_packed_late else None,
        first_day=OVERVIEW.first_day,
        epoch=OVERVIEW.epoch,
    )
    dated = date_rows(rows(dates), evidence)
    assert dated.dates == dates
    assert "only a part of the days of its name, 2024-05-28 to 2025-05-27" in dated.warnings[0]


def test_a_name_with_the_right_last_day_but_another_first_day_does_not_fit() -> None:
    evidence = Evidence(file_time=utc("2026-06-01"), first_day=day("2025-05-01"), epoch=OVERVIEW.epoch)
    dated = date_rows(rows(OVERVIEW_DAYS), evidence)
    assert (dated.dates[-1], dated.year_evidence) == (day("2026-05-27"), "doubtful_file_time")
    assert "renamed" in dated.warnings[0]


def test_the_last_resort_is_the_time_of_the_file() -> None:
    dates = window("2025-12-28", "2026-01-03")
    dated = date_rows(rows(dates), Evidence(file_time=utc("2026-01-02T23:30:00")))
    assert dated == DatedRows(dates=dates, year_evidence="file_time", is_by_file_time=True)


@pytest.mark.parametrize(
    ("uploaded", "file_time", "expected", "doubts"),
    [
        ("2026-03-09", "2026-03-18", "2026-03-17", 0),
        ("2026-03-18T05:00:00", "2026-03-18", "2026-03-17", 0),
        ("2025-11-02", "2024-01-01", "2026-03-17", 1),
        ("2026-03-09", "1980-01-01", "2026-03-17", 1),
        ("2024-11-02", "2026-04-01", "2026-03-17", 1),
    ],
)
def test_the_date_of_a_content_file_is_not_before_its_newest_video(
    uploaded: str, file_time: str, expected: str, doubts: int
) -> None:
    content = DayTexts("el", [MonthDay(3, 17)] * 14, None)
    dated = date_rows(content, Evidence(file_time=utc(file_time), newest_upload=utc(uploaded)))
    assert dated.dates == [day(expected)] * 14
    assert dated.year_evidence == "video_id"
    assert len(dated.warnings) == doubts


def test_a_stamp_before_the_newest_video_is_ignored() -> None:
    content = DayTexts("el", [MonthDay(3, 17)], None)
    evidence = Evidence(file_time=utc("2026-03-18"), stamp=utc("2022-01-01"), newest_upload=utc("2026-03-09"))
    dated = date_rows(content, evidence)
    assert (dated.dates, dated.year_evidence, dated.stamp_overruled) == ([day("2026-03-17")], "video_id", True)
    assert "2022-01-01" in dated.warnings[0]
    assert downloaded_at(evidence, dated.dates[-1], stamp_overruled=True) == (utc("2026-03-18"), "file_time")


def test_a_browser_a_day_behind_utc_does_not_make_the_stamp_doubtful() -> None:
    content = DayTexts("en", [MonthDay(3, 17)], None)
    evidence = Evidence(file_time=LATER, stamp=utc("2026-03-18T05:30:00"), newest_upload=utc("2026-03-18T05:00:00"))
    assert date_rows(content, evidence) == DatedRows(dates=[day("2026-03-17")], year_evidence="zip_stamp")


def test_the_stamp_is_the_time_of_the_download() -> None:
    assert downloaded_at(OVERVIEW, day("2025-05-27")) == (utc("2025-05-29T11:38:14"), "zip_stamp")
    assert downloaded_at(OVERVIEW, None) == (utc("2025-05-29T11:38:14"), "zip_stamp")


def test_a_name_gives_the_earliest_possible_download_the_day_after_the_window() -> None:
    by_name = (utc("2025-05-28T11:38:15"), "zip_name")
    nameonly = Evidence(file_time=LATER, first_day=OVERVIEW.first_day, epoch=OVERVIEW.epoch)
    assert downloaded_at(nameonly, day("2025-05-27")) == by_name
    assert downloaded_at(nameonly, None) == by_name
    assert downloaded_at(OVERVIEW, day("2025-05-27"), stamp_overruled=True) == by_name


def test_a_name_of_another_window_does_not_date_the_download() -> None:
    renamed = Evidence(file_time=LATER, first_day=OVERVIEW.first_day, epoch=OVERVIEW.epoch)
    assert downloaded_at(renamed, day("2026-03-15")) == (LATER, "file_time")


def test_a_stamp_before_the_last_day_does_not_date_the_download() -> None:
    evidence = Evidence(file_time=utc("2026-03-20"), stamp=utc("2026-03-14"))
    assert downloaded_at(evidence, day("2026-03-15")) == (utc("2026-03-14"), "zip_stamp")
    assert downloaded_at(evidence, day("2026-03-16")) == (utc("2026-03-20"), "file_time")


@given(st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31)), st.dates(dt.date(2000, 1, 1), dt.date(2090, 12, 31)))
def test_nearest_dates_bracket_the_given_day(some: dt.date, bound: dt.date) -> None:
    wanted = MonthDay(some.month, some.day)
    longest = dt.timedelta(days=8 * 366 if wanted == (2, 29) else 366)
    before, after = last_on_or_before(wanted, bound), first_on_or_after(wanted, bound)
    assert labels([before, after]) == [wanted, wanted]
    assert bound - longest < before <= bound <= after < bound + longest
    assert last_on_or_before(wanted, some) == first_on_or_after(wanted, some) == some


def test_a_scheduled_post_lies_after_its_upload_across_the_year() -> None:
    assert first_on_or_after(MonthDay(1, 4), day("2025-12-29")) == day("2026-01-04")
    assert first_on_or_after(MonthDay(2, 29), day("2025-12-29")) == day("2028-02-29")
    assert last_on_or_before(MonthDay(2, 29), day("2103-12-29")) == day("2096-02-29")
