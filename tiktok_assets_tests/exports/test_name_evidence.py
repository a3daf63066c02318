"""What people and systems do to names, and the years that names prove, confirm or contradict."""

from __future__ import annotations

import datetime as dt
import itertools
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.names import dates_in_name, read_name
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import quoted, write

BEFORE = [
    "",
    "TIKTOK ",
    "TIKTOK_",
    "Copy of ",
    "Copy of Copy of ",
    "Kopie von ",
    "Copia de ",
    "2025 report - ",
    "(mara) ",
]
AFTER = [
    "",
    "-2",
    " 2",
    " (1)",
    "(1)",
    " copy",
    " - Copy (2)",
    " - Kopie",
    " - Kopie (3)",
    "~2",
    ".csv",
    ".csv (1)",
    " final",
]
HANDLES = st.from_regex(r"[a-z][a-z0-9_.]{1,20}[a-z0-9_]", fullmatch=True).filter(
    lambda handle: not handle.endswith(("zip", "csv", "xlsx", "xls", "json", "tsv", "txt"))
)


@given(HANDLES, st.sampled_from(BEFORE), st.sampled_from(AFTER), st.sampled_from([".zip", ".csv", ".csv.csv", ""]))
def test_studios_name_is_found_anywhere_in_the_name(handle: str, before: str, after: str, file_type: str) -> None:
    found = read_name(f"{before}Overview_2025-04-12_1744632000_{handle}{after}{file_type}")
    assert (found.section, found.handle, found.first_day) == ("overview", handle, dt.date(2025, 4, 12))
    assert found.epoch == dt.datetime(2025, 4, 14, 12, tzinfo=dt.UTC)


@given(
    HANDLES,
    st.sampled_from(BEFORE),
    st.sampled_from(AFTER),
    st.sampled_from(["Viewers", "Followers", "Content"]),
    st.sampled_from([".zip", ""]),
)
def test_a_mark_of_a_copy_is_no_part_of_a_handle(
    handle: str, before: str, after: str, section: str, file_type: str
) -> None:
    found = read_name(f"{before}{section}_{handle}{after}{file_type}")
    assert (found.section, found.handle) == (section.lower(), handle)


@pytest.mark.parametrize("name", ["my_content_plan.csv", "content house.csv", "Video performance.csv", "export-2.csv"])
def test_a_persons_own_name_is_not_studios(name: str) -> None:
    assert not read_name(name).is_studios


FIRST = dt.date(2025, 12, 1)


def overview(name: str, first: dt.date, days: int, file_time: str) -> tuple[list[dt.date], tuple[str, ...], str]:
    """The dates, the warnings and the evidence of the year of an Overview of ``days`` rows from ``first`` on."""
    header = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")
    dates = [first + dt.timedelta(days=n) for n in range(days)]
    rows = [(f"{date:%B} {date.day}", "100", "1", "2", "3", "4") for date in dates]
    with TemporaryDirectory() as folder:
        path = write(Path(folder, name), quoted(header, *rows), dt.datetime.fromisoformat(f"{file_time}T10:00+00:00"))
        with open_export(path) as export:
            (member,) = export.members
            return member.days.dates, export.warnings, member.days.year_evidence


@examples(60)
@given(
    st.dates(dt.date(2019, 1, 1), dt.date(2026, 6, 1)),
    st.integers(1, 90),
    st.sampled_from(
        ["{last}", "{after}", "{first}", "{first} {last}", "{last:%d.%m.%Y}", "{last:%B %d, %Y}", "{after:%Y%m%d}"]
    ),
    st.sampled_from(["Overview {}.csv", "{} Overview.csv", "Overview_{}.csv", "mara {} (1).csv"]),
)
def test_a_full_date_of_its_window_or_its_download_gives_the_year(
    first: dt.date, days: int, date: str, name: str
) -> None:
    last = first + dt.timedelta(days=days - 1)
    text = date.format(first=first, last=last, after=last + dt.timedelta(days=2))
    dates, warnings, evidence = overview(name.format(text), first, days, "2027-11-20")
    assert (dates[0], dates[-1], evidence) == (first, last, "file_name")
    assert not warnings


@pytest.mark.parametrize(
    "name", ["Overview Dec 24.csv", "Overview 2024.csv", "Overview 2024-12.csv", "2024 Dezember.csv"]
)
def test_a_name_of_another_year_than_the_files_time_gives_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(UnreadableValue, match=r"its name says .*24.* or put a full date of its window"):
        overview(name, dt.date(2024, 12, 1), 20, "2026-11-20")


@pytest.mark.parametrize("name", ["Overview Dec 25.csv", "Overview 2025-12.csv", "december 2025.csv"])
def test_a_name_of_the_same_month_confirms_the_files_time(name: str) -> None:
    dates, warnings, evidence = overview(name, FIRST, 20, "2026-11-20")
    assert (dates[0], warnings, evidence) == (FIRST, (), "file_time")


@pytest.mark.parametrize("file_time", ["2025-12-30", "2026-11-20"])
@pytest.mark.parametrize("name", ["Overview {}.csv", "{} mara overview.csv", "Overview_{}.csv"])
def test_a_lone_year_may_be_that_of_the_download_and_decides_nothing(name: str, file_time: str) -> None:
    """Of December 2024, downloaded in January 2025, and copied later: the file is named as one of December 2025."""
    dates, warnings, evidence = overview(name.format(2025), FIRST, 20, file_time)
    assert (dates[0], evidence) == (FIRST, "doubtful_file_time")
    assert any("rests on the time of the file" in one for one in warnings)
    of_download = overview(name.format(2026), dt.date(2025, 10, 1), 20, "2026-02-20")
    assert (of_download[0][0], of_download[2]) == (dt.date(2025, 10, 1), "doubtful_file_time")


def test_dec_24_may_be_a_day_of_december() -> None:
    dates, warnings, evidence = overview("Overview Dec 24.csv", FIRST, 31, "2026-01-02")
    assert (dates[0], evidence, warnings) == (FIRST, "file_time", ())


@examples(30)
@given(st.dates(dt.date(2019, 1, 1), dt.date(2026, 1, 1)), st.integers(0, 360))
def test_a_year_by_a_file_time_long_after_the_last_row_carries_a_warning(last: dt.date, later: int) -> None:
    dates, warnings, evidence = overview("Overview.csv", last, 1, str(last + dt.timedelta(days=later)))
    assert (dates, evidence) == ([last], "doubtful_file_time" if later > 4 else "file_time")
    assert [
        f"rests on the time of the file ({last + dt.timedelta(days=later)})" in warning for warning in warnings
    ] == ([True] if later > 4 else [])


@examples(40)
@given(st.integers(2017, 2030), st.integers(1, 100), st.integers(1, 100), st.integers(0, 3))
def test_a_present_or_missing_29_february_limits_the_possible_years(
    year: int, before: int, after: int, years_later: int
) -> None:
    first = dt.date(year, 2, 28) - dt.timedelta(days=before)
    days = (dt.date(year, 3, 1) - first).days + after
    written = [first + dt.timedelta(days=n) for n in range(days)]
    dates, _, _ = overview("Overview.csv", first, days, f"{year + years_later}-12-30")
    assert [(date.month, date.day) for date in dates] == [(date.month, date.day) for date in written]
    assert {after - before for before, after in itertools.pairwise(dates)} == {dt.timedelta(days=1)}


def test_a_name_keeps_its_dates_apart_from_its_handle() -> None:
    found = read_name("Viewers_mara.lind_2025-04-14.zip")
    assert (found.handle, dates_in_name("Viewers_mara.lind_2025-04-14.zip").days) == (
        "mara.lind",
        (dt.date(2025, 4, 14),),
    )


@examples(30)
@given(
    st.dates(dt.date(2019, 1, 1), dt.date(2025, 6, 1)),
    st.integers(0, 360),
    st.sampled_from([("Viewers.zip", True), ("mine.zip", False), ("Viewers_mara.lind.zip", False)]),
)
def test_a_zip_that_a_person_made_is_dated_like_a_copy(last: dt.date, later: int, made: tuple[str, bool]) -> None:
    """The stamp in it is the time of a file. Studio's own ZIP may be of an earlier window."""
    name, is_stored = made
    header = ("Date", "Total Viewers", "New Viewers", "Returning Viewers")
    text = quoted(header, (f"{last:%B} {last.day}", "3", "1", "2"))
    stamp = dt.datetime.combine(last + dt.timedelta(days=later), dt.time(18), dt.UTC)
    with TemporaryDirectory() as folder:
        for zipped, stored in ((Path(folder, name), is_stored), (Path(folder, "sub", "Viewers_mara.lind.zip"), True)):
            zipped.parent.mkdir(exist_ok=True)
            with zipfile.ZipFile(zipped, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
                entry = zipfile.ZipInfo("Viewers.csv", stamp.timetuple()[:6])
                archive.writestr(entry, text, archive.compression)
            is_in_doubt = later > 4 and zipped.parent.name != "sub"
            with open_export(zipped) as export:
                assert export.members[0].days.dates == [last]
                evidence = export.members[0].days.year_evidence
                assert evidence == ("doubtful_file_time" if is_in_doubt else "zip_stamp")
                assert export.vintage_evidence == ("window_end" if is_in_doubt else "zip_stamp")
                assert export.downloaded_at == stamp
                assert [f"rests on the time of the file ({stamp:%Y-%m-%d})" in one for one in export.doubts] == (
                    [True] if is_in_doubt else []
                )
