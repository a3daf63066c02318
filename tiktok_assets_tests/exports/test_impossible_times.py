"""Clocks that are wrong: of the ZIP's entry, of the file, of the machine. No row moves to another year for them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.dates import DayTexts
from tiktok_assets.exports.downloads import downloaded_at
from tiktok_assets.exports.evidence import Evidence
from tiktok_assets.exports.monthdays import ImpossibleCalendar, MonthDay
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.exports.years import date_rows
from tiktok_assets.reports.export import Export
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import quoted, write, zipped

TODAY = dt.date(2026, 11, 30)
LAST = dt.date(2026, 11, 28)
DAYS = [LAST - dt.timedelta(days=n) for n in range(9, -1, -1)]
ROWS = DayTexts(locale="en", days=[MonthDay(day.month, day.day) for day in DAYS], years=None)


def at(day: str | dt.date) -> dt.datetime:
    day = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return dt.datetime.combine(day, dt.time(10), dt.UTC)


@pytest.mark.parametrize("stamp", ["1999-05-05", "2016-08-31", "2026-12-20", "2027-03-10", "2036-11-29", "2099-01-01"])
def test_a_stamp_that_cannot_be_right_is_no_evidence_and_is_noted(stamp: str) -> None:
    evidence = Evidence(file_time=at(TODAY), stamp=at(stamp), today=TODAY)
    dated = date_rows(ROWS, evidence)
    assert (dated.dates, dated.year_evidence, dated.stamp_overruled) == (DAYS, "file_time", True)
    assert f"is stamped {stamp}" in dated.warnings[0] and "ignored" in dated.warnings[0]
    assert downloaded_at(evidence, LAST, stamp_overruled=True) == (at(TODAY), "file_time")


@pytest.mark.parametrize("behind", [0, 1, 2, 30, 200])
def test_a_stamp_that_fits_its_rows_is_right_and_the_clock_behind(behind: int) -> None:
    clock = TODAY - dt.timedelta(days=behind)
    dated = date_rows(ROWS, Evidence(file_time=at(clock), stamp=at(TODAY), today=clock))
    assert (dated.dates, dated.year_evidence, dated.warnings) == (DAYS, "zip_stamp", ())


def test_a_clock_that_is_certainly_wrong_doubts_no_stamp() -> None:
    dated = date_rows(ROWS, Evidence(file_time=at("2016-11-29"), stamp=at(TODAY), today=None))
    assert (dated.dates, dated.year_evidence) == (DAYS, "zip_stamp")


def test_a_stamp_in_the_future_is_right_where_studios_name_or_an_upload_says_so_too() -> None:
    clock = dt.date(2022, 11, 29)
    named = Evidence(file_time=at(clock), stamp=at("2026-11-29"), first_day=DAYS[0], epoch=at(LAST), today=clock)
    assert date_rows(ROWS, named).year_evidence == "zip_stamp"
    content = Evidence(file_time=at(clock), stamp=at("2026-11-29"), newest_upload=at("2026-11-20"), today=clock)
    assert date_rows(ROWS, content).dates == DAYS


@pytest.mark.parametrize("file_time", ["1970-01-01", "1980-01-01", "2036-11-30"])
def test_a_file_time_that_cannot_be_right_is_no_evidence(file_time: str) -> None:
    evidence = Evidence(file_time=at(file_time), today=TODAY)
    dated = date_rows(ROWS, evidence)
    assert (dated.dates, dated.year_evidence) == (DAYS, "today")
    assert "cannot be right" in dated.doubts[0]
    moment, by = downloaded_at(evidence, LAST)
    assert (moment.date(), by) == (LAST + dt.timedelta(days=1), "last_row")
    with pytest.raises(ImpossibleCalendar, match="cannot be right"):
        date_rows(ROWS, Evidence(file_time=at("1970-01-01"), today=None))


def test_a_list_of_videos_without_a_time_is_of_the_year_of_its_newest_video() -> None:
    for file_time in ("1970-01-01", "2036-11-30"):
        evidence = Evidence(file_time=at(file_time), newest_upload=at("2026-11-14"), today=TODAY)
        assert date_rows(DayTexts("en", [MonthDay(11, 28)], None), evidence).dates == [LAST]


@examples(60)
@given(st.dates(dt.date(2017, 1, 1), LAST), st.dates(dt.date(1980, 1, 2), dt.date(2107, 12, 31)))
def test_no_stamp_puts_rows_after_today(last: dt.date, stamp: dt.date) -> None:
    days = DayTexts("en", [MonthDay(last.month, last.day)], None)
    found = date_rows(days, Evidence(file_time=at(TODAY), stamp=at(stamp), today=TODAY)).dates[0]
    assert found <= TODAY + dt.timedelta(days=1) or found - TODAY < dt.timedelta(days=300)


# --- reports of one visit --------------------------------------------------------------------------------------------

OVERVIEW = quoted(
    ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"),
    *((f"{day:%B} {day.day}", "5", "1", "2", "3", "4") for day in DAYS),
)
VIEWERS = quoted(
    ("Date", "Total Viewers", "New Viewers", "Returning Viewers"),
    *((f"{day:%B} {day.day}", "5", "2", "3") for day in DAYS),
)
GENDER = quoted(("Gender", "Distribution"), ("Male", "0.5"), ("Female", "0.5"))
WRONG = at("2036-11-30")
"""A time of a machine whose clock is ten years ahead."""


def read(path: Path, *siblings: Path, today: dt.date | None = dt.date(2036, 11, 30)) -> Export:
    with open_export(path, siblings, today) as export:
        return export


def test_a_file_that_only_its_time_dates_is_held_against_the_files_of_its_visit(tmp_path: Path) -> None:
    name = f"Overview_{DAYS[0]}_{at(LAST).timestamp():.0f}_mara.zip"
    overview = write(tmp_path / name, zipped({"Overview.csv": OVERVIEW}, None), WRONG)
    viewers = write(tmp_path / "Viewers_mara.zip", zipped({"Viewers.csv": VIEWERS}, None), WRONG)
    assert read(viewers).window[1] == dt.date(2036, 11, 28)
    export = read(viewers, overview)
    assert (export.window, export.members[0].days.year_evidence) == ((DAYS[0], LAST), "siblings")
    assert export.warnings == (
        "The time of the file (2036-11-30) would make 2036-11-28 the last day, but the other reports of its visit end "
        "on 2026-11-28: 2026-11-28 is used.",
    )
    assert read(overview, viewers).window == (DAYS[0], LAST)


def test_tables_of_one_archive_that_disagree_about_the_year_are_held_against_each_other(tmp_path: Path) -> None:
    epoch = f"{at(LAST).timestamp():.0f}"
    folder = {f"Overview_{DAYS[0]}_{epoch}_mara/Overview.csv": OVERVIEW, "Viewers.csv": VIEWERS}
    export = read(write(tmp_path / "both.zip", zipped(folder, None), WRONG))
    assert {member.days.dates[-1] for member in export.members} == {LAST}


def test_tables_of_different_years_by_equal_evidence_are_a_warning(tmp_path: Path) -> None:
    other = quoted(
        ("Date", "Total Viewers", "New Viewers", "Returning Viewers"),
        *((f"{day.replace(year=2025)}", "5", "2", "3") for day in DAYS),
    )
    stated = OVERVIEW
    for day in DAYS:
        stated = stated.replace(f'"{day:%B} {day.day}"', f'"{day}"')
    export = read(write(tmp_path / "both.zip", zipped({"Overview.csv": stated, "Viewers.csv": other}, None), at(TODAY)))
    assert any("Its reports end in different years" in warning for warning in export.warnings)


def test_a_snapshot_whose_time_cannot_be_right_is_dated_by_its_visit_or_refused(tmp_path: Path) -> None:
    early = at("1970-01-02")
    gender = write(tmp_path / "FollowerGender.csv", GENDER, early)
    overview = write(tmp_path / "Overview_2026-11-28.csv", OVERVIEW, early)
    assert read(gender, overview, today=TODAY).downloaded_at.date() == LAST + dt.timedelta(days=1)
    with pytest.raises(UnreadableValue, match=r"its own time \(1970-01-02\) cannot be right. Put it beside"):
        read(gender, today=TODAY)
