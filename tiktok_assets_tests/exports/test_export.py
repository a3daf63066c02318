"""One export read whole; expectations are the simulator's truth, or written by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiktok_assets.exports.export import open_export
from tiktok_assets.exports.problems import BrokenFile, ExportProblem, ForeignFile, UnreadableValue, WrongSection
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.business_suite import Kind, business_suite_export
from tiktok_assets.simulator.exports import (
    SECTIONS,
    GeneratedExport,
    Quirks,
    land,
    studio_export,
    usual_quirks,
)
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.written import DOWNLOADED, parsed, quoted, workbook, write, zipped

FIRST, LAST = dt.date(2024, 10, 1), dt.date(2026, 1, 10)
LOCALES = (
    "en",
    "en_GB",
    "el",
    "es",
    "pt",
    "ru",
    "fr",
    "vi",
    "ja",
    "id",
    "th",
    "de",
    "ko",
    "ar",
    "zh",
    "hi",
    "fa",
    "he",
)
NOT_OURS = {"true_day", "hour_utc"}
OVERVIEW = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")


def make(handle: str = "north.pier_2.0", **traits: object) -> SimulatedAccount:
    return SimulatedAccount.generate(handle, 7, FIRST, LAST, traits=Traits(**traits))  # pyright: ignore[reportArgumentType]


ACCOUNTS = (
    make(utc_offset=2),
    make("zone.a0", utc_offset=9, posts_per_week=14.0, size="large"),
    make("tiny_", size="small", utc_offset=-5),
    make("gap", gap=(dt.date(2025, 3, 10), dt.date(2025, 3, 12)), born=dt.date(2025, 2, 1)),
)


def assert_reads_as_expected(export: GeneratedExport) -> None:
    """Every report of the file has exactly the rows, labels and values it was made from."""
    with TemporaryDirectory() as folder:
        frames = parsed(land(export, Path(folder)))
    assert frames.keys() == export.expected.keys()
    for report, rows in export.expected.items():
        told = frames[report].to_dicts()
        assert len(told) == len(rows)
        for found, row in zip(told, rows, strict=True):
            wanted = {name: value for name, value in row.items() if name not in NOT_OURS}
            if report == "content" or row["date_label"] is None:  # a snapshot speaks of the day of its download
                wanted["date_label"] = row["true_day"]
            assert {name: found[name] for name in wanted} == wanted


@st.composite
def quirks(draw: st.DrawFn) -> Quirks:
    return Quirks(
        bom=draw(st.booleans()),
        crlf=draw(st.booleans()),
        final_newline=draw(st.booleans()),
        unescaped_quotes=draw(st.booleans()),
        label_shift=draw(st.integers(0, 1)),
        viewers_offset=draw(st.integers(0, 1)),
        difference=draw(st.sampled_from(("previous", "next"))),
        undefined_leading=draw(st.integers(0, 5)),
        undefined_trailing=draw(st.integers(0, 2)),
        zero_tail=draw(st.booleans()),
        activity_days=draw(st.integers(6, 8)),
        thousands_commas=draw(st.booleans()),
        duplicate_name=draw(st.booleans()),
        extra_columns=draw(st.sampled_from(((), ("New followers",), ("Saves",)))),
        empty_section=draw(st.integers(0, 9)) == 0,
    )


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(ACCOUNTS),
    st.sampled_from(tuple(SECTIONS)),
    st.dates(dt.date(2025, 2, 1), dt.date(2025, 12, 31)),
    st.integers(1, 366),
    st.sampled_from(LOCALES),
    quirks(),
    st.sampled_from(("csv", "csv", "xlsx")),
    st.times(),
)
def test_a_generated_export_is_read_as_what_it_was_made_from(
    account: SimulatedAccount, section, last: dt.date, days: int, locale: str, form: Quirks, file_format, time: dt.time
) -> None:
    first = max(last - dt.timedelta(days=days - 1), FIRST)
    # By then all of the window's data is there, also where labels run ahead.
    downloaded_at = dt.datetime.combine(last + dt.timedelta(days=2), time.replace(microsecond=0), dt.UTC)
    export = studio_export(
        account, section, first, last, downloaded_at=downloaded_at, locale=locale, file_format=file_format, quirks=form
    )
    assert_reads_as_expected(export)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
@pytest.mark.parametrize("hour", [1, 11, 16, 23])
def test_what_studio_usually_shows_is_read(account: SimulatedAccount, hour: int) -> None:
    downloaded_at = dt.datetime(2025, 7, 3, hour, 5, 30, tzinfo=dt.UTC)
    for section in SECTIONS:
        export = studio_export(
            account,
            section,
            dt.date(2024, 10, 5),
            dt.date(2025, 7, 4),
            downloaded_at=downloaded_at,
            locale="el",
            quirks=usual_quirks(account, downloaded_at),
        )
        assert_reads_as_expected(export)


@pytest.mark.parametrize("kind", ["overview", "audience", "video"])
@pytest.mark.parametrize("missing", ["NAN", "--"])
@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
def test_a_business_suite_file_is_read(account: SimulatedAccount, kind: Kind, missing, older: bool) -> None:
    export = business_suite_export(
        account,
        kind,
        dt.date(2025, 1, 15),
        dt.date(2025, 6, 30),
        downloaded_at=dt.datetime(2025, 6, 30, 9, tzinfo=dt.UTC),
        missing=missing,
        older=older,
    )
    assert_reads_as_expected(export)
    with TemporaryDirectory() as folder, open_export(land(export, Path(folder))) as opened:
        assert opened.warnings == () or all("leaves out" in warning for warning in opened.warnings)
        assert {member.layout.product for member in opened.members} == {"business_suite"}


def test_a_window_of_366_days_over_a_leap_day_keeps_both_ends(tmp_path: Path) -> None:
    account = SimulatedAccount.generate("leap", 1, dt.date(2023, 12, 1), dt.date(2025, 1, 31))
    for first, last in [("2024-01-01", "2024-12-31"), ("2024-02-29", "2025-02-27"), ("2023-12-15", "2024-12-14")]:
        window = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        at = dt.datetime.combine(window[1] + dt.timedelta(days=2), dt.time(12), dt.UTC)
        export = studio_export(account, "overview", *window, downloaded_at=at, locale="ja")
        assert_reads_as_expected(export)


def test_an_export_of_xlsx_without_stamps_gets_its_year_from_the_time_of_the_file(tmp_path: Path) -> None:
    at = dt.datetime(2025, 3, 2, 16, tzinfo=dt.UTC)
    window = dt.date(2024, 12, 20), dt.date(2025, 2, 28)
    export = studio_export(ACCOUNTS[0], "viewers", *window, downloaded_at=at, file_format="xlsx")
    with open_export(land(export, tmp_path)) as opened:
        assert opened.window == window
        assert (opened.downloaded_at, opened.downloaded_at_evidence) == (at, "file_time")


def test_an_archive_that_was_packed_again_later_keeps_the_days_of_its_name(tmp_path: Path) -> None:
    at = dt.datetime(2025, 3, 2, 16, tzinfo=dt.UTC)
    window = dt.date(2024, 12, 20), dt.date(2025, 2, 28)
    export = studio_export(ACCOUNTS[0], "overview", *window, downloaded_at=at)
    path = write(tmp_path / export.name, zipped(export.members, stamp=dt.datetime(2026, 8, 1, tzinfo=dt.UTC)))
    with open_export(path) as opened:
        assert opened.window == window
        assert opened.downloaded_at_evidence == "zip_name"
        assert any("packed again" in warning for warning in opened.warnings)


def overview(*rows: tuple[str, ...], header: tuple[str, ...] = OVERVIEW) -> bytes:
    return zipped({"Overview.csv": quoted(header, *rows)})


DAY = ("March 15", "12,345", "7", "3", "-7", "0")


def test_labels_in_vietnamese_with_spelled_out_months_are_read(tmp_path: Path) -> None:
    rows = [(label, *DAY[1:]) for label in ("31 tháng Mười", "1 tháng Mười Một", "2 tháng Mười Một")]
    frames = parsed(write(tmp_path / "Overview_x.zip", overview(*rows)))
    assert frames["overview"]["date_label"].to_list() == [
        dt.date(2025, 10, 31),
        dt.date(2025, 11, 1),
        dt.date(2025, 11, 2),
    ]


@pytest.mark.parametrize(
    ("folder", "name", "handles"),
    [
        ("Followers_zone.a0", "FollowerHistory.csv", ("zone.a0",)),
        ("Followers_zone.a0", "FollowerHistory (1).csv", ("zone.a0",)),
        ("Content_zone.a0", "FollowerHistory.csv", ()),
        ("content_house", "my followers.csv", ()),
        ("zonea0", "FollowerHistory.csv", ()),
        ("zonea0", "Followers_zone.a0.csv", ("zone.a0",)),
    ],
)
def test_a_loose_file_belongs_to_the_handle_of_the_folder_its_archive_was_unpacked_into(
    tmp_path: Path, folder: str, name: str, handles: tuple[str, ...]
) -> None:
    text = quoted(("Date", "Followers", "Difference in followers from previous day"), ("March 15", "10", "6"))
    with open_export(write(tmp_path / folder / name, text)) as export:
        assert export.handles == handles
        assert export.sections == ("followers",)
        assert export.window == (dt.date(2026, 3, 15), dt.date(2026, 3, 15))


@pytest.mark.parametrize("name", ["Overview.csv", "Overview 4.csv", "Overview (1).xlsx", "whatever.csv"])
def test_a_loose_file_under_any_name_is_read(tmp_path: Path, name: str) -> None:
    content = workbook(OVERVIEW, DAY) if name.endswith("xlsx") else quoted(OVERVIEW, DAY)
    row = parsed(write(tmp_path / name, content))["overview"].row(0, named=True)
    assert (row["date_label"], row["video_views"], row["comments"]) == (dt.date(2026, 3, 15), 12345, -7)


def test_unknown_columns_stay_in_raw_and_are_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Overview_x.zip", overview((*DAY, "5", "many"), header=(*OVERVIEW, "New followers", "Saves"))
    )
    with open_export(path) as export:
        raw = export.frame(export.members[0], account="x", source="Overview_x.zip").lazy().collect()
        assert raw["Saves"].to_list() == ["many"] and raw["New followers"].to_list() == ["5"]
        assert export.warnings == ("Overview has unknown columns, kept as text in raw: Saves",)
    assert parsed(path)["overview"]["new_followers"].to_list() == [5]


def test_missing_columns_are_told_and_unknown_in_the_table(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Overview_x.zip", overview(("March 15", "10", "1"), header=("Date", "Video Views", "Likes"))
    )
    with open_export(path) as export:
        assert export.warnings == ("Overview lacks columns, their values are unknown: Profile Views, Comments, Shares",)
    row = parsed(path)["overview"].row(0, named=True)
    assert (row["video_views"], row["likes"], row["comments"], row["shares"]) == (10, 1, None, None)


def test_a_file_with_reach_and_no_views_is_of_the_older_schema_where_views_were_called_reach(tmp_path: Path) -> None:
    for header in [("Date", "reach", "page_views", *OVERVIEW[3:]), ("Date", "Reach", "Profile Views", *OVERVIEW[3:])]:
        path = write(tmp_path / "Overview_x.zip", overview(DAY, header=header))
        row = parsed(path)["overview"].row(0, named=True)
        assert (row["video_views"], row["reach"], row["profile_views"]) == (12345, None, 7)
        with open_export(path) as export:
            assert export.warnings == ()


def test_reach_beside_views_is_reach(tmp_path: Path) -> None:
    path = write(tmp_path / "Overview_x.zip", overview((*DAY, "99"), header=(*OVERVIEW, "reach")))
    row = parsed(path)["overview"].row(0, named=True)
    assert (row["video_views"], row["reach"]) == (12345, 99)


def test_header_names_with_stray_spaces_and_other_case_are_known(tmp_path: Path) -> None:
    header = (" date", "VIDEO VIEWS ", "Profile  views", "likes", "comments", "shares")
    row = parsed(write(tmp_path / "x.csv", quoted(header, DAY)))["overview"].row(0, named=True)
    assert (row["date_label"], row["video_views"], row["profile_views"]) == (dt.date(2026, 3, 15), 12345, 7)


def test_a_small_account_has_only_headers_which_is_no_data_and_no_error(tmp_path: Path) -> None:
    members = {
        "FollowerHistory.csv": quoted(
            ("Date", "Followers", "Difference in followers from previous day"), ("March 15", "64", "0")
        ),
        "FollowerActivity.csv": quoted(("Date", "Hour", "Active followers")),
        "FollowerGender.csv": quoted(("Gender", "Distribution")),
        "FollowerTopTerritories.csv": quoted(("Top territories", "Distribution")),
    }
    path = write(tmp_path / "Followers_sobat.ti.zip", zipped(members))
    frames = parsed(path)
    assert [frame.height for frame in frames.values()] == [1, 0, 0, 0]
    with open_export(path) as export:
        assert len([warning for warning in export.warnings if "has no rows" in warning]) == 3
        assert export.window == (dt.date(2026, 3, 15), DOWNLOADED.date())
        assert export.months == [dt.date(2026, 3, 1)]


def test_every_month_of_the_window_is_touched(tmp_path: Path) -> None:
    rows = [((dt.date(2025, 12, 30) + dt.timedelta(days=day)).strftime("%B %-d"), *DAY[1:]) for day in range(64)]
    with open_export(write(tmp_path / "Overview_x.zip", overview(*rows))) as export:
        assert export.window == (dt.date(2025, 12, 30), dt.date(2026, 3, 3))
        assert export.months == [dt.date(2025, 12, 1), *(dt.date(2026, month, 1) for month in (1, 2, 3))]


def test_days_left_out_and_named_twice_are_told(tmp_path: Path) -> None:
    rows = [(label, *DAY[1:]) for label in ("March 10", "March 10", "March 13")]
    with open_export(write(tmp_path / "Overview_x.zip", overview(*rows))) as export:
        assert export.warnings == (
            "Overview names a day more than once; the last row of a day is taken",
            "Overview leaves out days between 2026-03-10 and 2026-03-13",
        )


def problem(path: Path, kind: type[ExportProblem]) -> str:
    with pytest.raises(kind) as raised, open_export(path) as export:
        export.validate()
    assert path.name in str(raised.value)
    return str(raised.value)


def test_a_label_that_is_no_day_is_named_with_file_row_column_and_text(tmp_path: Path) -> None:
    rows = [DAY, ("March 32", *DAY[1:])]
    message = problem(write(tmp_path / "Overview_x.zip", overview(*rows)), UnreadableValue)
    assert "Overview_x.zip/Overview.csv, row 2, Date: 'March 32'" in message


def test_labels_that_no_year_explains_are_named(tmp_path: Path) -> None:
    rows = [(label, *DAY[1:]) for label in ("March 15", "January 2", "March 14", "February 1")]
    message = problem(write(tmp_path / "Overview_x.zip", overview(*rows)), UnreadableValue)
    assert "Overview_x.zip/Overview.csv, row " in message and "fits no year" in message


def test_a_name_that_promises_another_section_is_refused(tmp_path: Path) -> None:
    assert "name says viewers" in problem(write(tmp_path / "Viewers_x.zip", overview(DAY)), WrongSection)
    text = zipped({"FollowerHistory.csv": quoted(OVERVIEW, DAY)})
    assert "FollowerHistory.csv" in problem(write(tmp_path / "Overview_x.zip", text), WrongSection)


def test_one_report_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    members = {"Overview.csv": quoted(OVERVIEW, DAY), "Overview (1).csv": quoted(OVERVIEW, DAY)}
    assert "holds Overview 2 times" in problem(write(tmp_path / "Overview_x.zip", zipped(members)), BrokenFile)


def test_an_archive_with_a_stranger_in_it_names_the_stranger(tmp_path: Path) -> None:
    members = {"Overview.csv": quoted(OVERVIEW, DAY), "notes.csv": "Song,Plays\na,1"}
    assert "notes.csv: no known report" in problem(write(tmp_path / "Overview_x.zip", zipped(members)), ForeignFile)


CONTENT = (
    "Time",
    "Video title",
    "Video link",
    "Post time",
    "Total likes",
    "Total comments",
    "Total shares",
    "Total views",
)


def test_the_handles_of_all_accounts_in_a_content_file_are_told(tmp_path: Path) -> None:
    rows = [
        ("March 17", "", f"https://www.tiktok.com/@{handle}/video/{number}", "March 1", "1", "2", "3", "4")
        for handle, number in [("zone.a0", 7480000000000000001), ("pig1987", 7480000000000000002)]
    ]
    with open_export(
        write(tmp_path / "Content_zone.a0.zip", zipped({"Content.csv": quoted(CONTENT, *rows)}))
    ) as export:
        assert export.handles == ("pig1987", "zone.a0")


def test_a_copied_content_file_was_downloaded_on_the_day_it_tells(tmp_path: Path) -> None:
    # 7480000000000000001 >> 32 is 10 March 2025, 02:20:14 UTC.
    row = ("April 2", "", "https://www.tiktok.com/@x/video/7480000000000000001", "March 11", "1", "2", "3", "4")
    with open_export(
        write(tmp_path / "Content.csv", quoted(CONTENT, row), dt.datetime(2025, 8, 1, tzinfo=dt.UTC))
    ) as export:
        assert export.downloaded_at == dt.datetime(2025, 4, 2, tzinfo=dt.UTC)
        assert export.downloaded_at_evidence == "export_date_column"


def test_a_list_of_very_many_videos_is_read_lazily_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = dt.datetime(2025, 12, 30, 9, tzinfo=dt.UTC)
    window = dt.date(2024, 10, 1), dt.date(2025, 12, 28)
    export = business_suite_export(ACCOUNTS[1], "video", *window, downloaded_at=at)
    monkeypatch.setattr("tiktok_assets.exports.archive.IN_MEMORY_BYTES", 1000)
    with open_export(land(export, tmp_path)) as opened:
        assert isinstance(opened.members[0].table.rows, pl.LazyFrame)
        assert opened.handles == ("zone.a0",)
    assert_reads_as_expected(export)
