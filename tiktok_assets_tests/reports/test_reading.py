"""One export read whole; the files are written manually."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from tiktok_assets.exports.problems import BrokenFile, ExportProblem, ForeignFile, UnreadableValue, WrongSection
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.export_files import DOWNLOADED, parsed, quoted, workbook, write, zipped

OVERVIEW = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")


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


def test_unknown_columns_stay_in_raw_and_are_reported(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Overview_x.zip", overview((*DAY, "5", "many"), header=(*OVERVIEW, "New followers", "Saves"))
    )
    with open_export(path) as export:
        ((_, rows),) = export.frames(account="x", source="Overview_x.zip")
        raw = rows.lazy().collect()
        assert raw["Saves"].to_list() == ["many"] and raw["New followers"].to_list() == ["5"]
        assert export.warnings == ("Overview has unknown columns, kept as text in raw: Saves",)
    assert parsed(path)["overview"]["new_followers"].to_list() == [5]


@pytest.mark.parametrize("column", range(1, 6))
@pytest.mark.parametrize("written", ["", " "])
def test_an_empty_cell_is_unknown_and_named(tmp_path: Path, column: int, written: str) -> None:
    edited = [written if number == column else cell for number, cell in enumerate(DAY)]
    lines = [",".join(one) for one in (OVERVIEW, ("March 14", "1", "2", "3", "4", "5"), [*edited])]
    path = write(tmp_path / "Overview.csv", "\n".join(lines).replace("12,345", "12345"))
    with open_export(path) as export:
        (warning,) = (one for one in export.warnings if "empty" in one)
    assert warning == (
        f"Overview has empty cells, their values are unknown (row 2, {OVERVIEW[column]}): the file was edited"
    )
    values = parsed(path)["overview"].row(1, named=True)
    names = ("video_views", "profile_views", "likes", "comments", "shares")
    assert [values[name] is None for name in names] == [number == column for number in range(1, 6)]


def test_missing_columns_are_reported_and_null_in_the_table(tmp_path: Path) -> None:
    path = write(
        tmp_path / "Overview_x.zip", overview(("March 15", "10", "1"), header=("Date", "Video Views", "Likes"))
    )
    with open_export(path) as export:
        assert export.warnings == ("Overview lacks columns, their values are unknown: Profile Views, Comments, Shares",)
    row = parsed(path)["overview"].row(0, named=True)
    assert (row["video_views"], row["likes"], row["comments"], row["shares"]) == (10, 1, None, None)


def test_reach_in_a_file_without_views_is_the_older_name_of_views(tmp_path: Path) -> None:
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


def test_headers_only_of_a_small_account_are_no_data_and_no_error(tmp_path: Path) -> None:
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


def test_days_left_out_or_named_twice_are_reported(tmp_path: Path) -> None:
    rows = [(label, *DAY[1:]) for label in ("March 10", "March 10", "March 13")]
    with open_export(write(tmp_path / "Overview_x.zip", overview(*rows))) as export:
        assert export.warnings == (
            "Overview names a day more than once (rows 1, 2 with equal values); the last row of a day is used",
            "Overview leaves out days between 2026-03-10 and 2026-03-13",
        )


def problem(path: Path, kind: type[ExportProblem]) -> str:
    with pytest.raises(kind) as raised, open_export(path) as export:
        export.validate()
    assert path.name in str(raised.value)
    return str(raised.value)


def test_a_label_that_is_not_a_day_is_named_with_file_row_column_and_text(tmp_path: Path) -> None:
    rows = [DAY, ("March 32", *DAY[1:])]
    message = problem(write(tmp_path / "Overview_x.zip", overview(*rows)), UnreadableValue)
    assert "Overview_x.zip/Overview.csv, row 2, Date: 'March 32'" in message


def test_labels_that_fit_no_year_are_named(tmp_path: Path) -> None:
    rows = [(label, *DAY[1:]) for label in ("March 15", "January 2", "March 14", "February 1")]
    message = problem(write(tmp_path / "Overview_x.zip", overview(*rows)), UnreadableValue)
    assert "Overview_x.zip/Overview.csv, row " in message and "fits no year" in message


def test_a_name_of_another_section_is_refused(tmp_path: Path) -> None:
    assert "name says viewers" in problem(write(tmp_path / "Viewers_x.zip", overview(DAY)), WrongSection)
    text = zipped({"FollowerHistory.csv": quoted(OVERVIEW, DAY)})
    assert "FollowerHistory.csv" in problem(write(tmp_path / "Overview_x.zip", text), WrongSection)


def test_one_report_twice_in_an_archive_is_refused(tmp_path: Path) -> None:
    members = {"Overview.csv": quoted(OVERVIEW, DAY), "Overview (1).csv": quoted(OVERVIEW, DAY)}
    assert "holds Overview 2 times" in problem(write(tmp_path / "Overview_x.zip", zipped(members)), BrokenFile)


@pytest.mark.parametrize(("name", "content"), [("notes.csv", "Song,Plays\na,1"), ("photo.png", b"\x89PNG\r\n\xff\xfe")])
def test_an_unknown_file_in_an_archive_is_reported_as_not_read(tmp_path: Path, name: str, content: str | bytes) -> None:
    members = {"Overview.csv": quoted(OVERVIEW, DAY), name: content}
    path = write(tmp_path / "Overview_x.zip", zipped(members))
    with open_export(path) as export:
        assert [member.report.name for member in export.members] == ["overview"]
        (warning,) = export.warnings
        assert warning.startswith("not read: ") and name in warning


def test_the_message_about_an_archive_of_unknown_files_names_the_first(tmp_path: Path) -> None:
    members = {"notes.csv": "Song,Plays\na,1", "more.csv": "Song,Plays\na,1"}
    assert "notes.csv: no known report" in problem(write(tmp_path / "x.zip", zipped(members)), ForeignFile)


def test_a_damaged_table_beside_a_good_one_is_an_error(tmp_path: Path) -> None:
    members = {"Overview.csv": quoted(OVERVIEW, DAY), "Viewers.csv": 'Date,Total Viewers\n"May 1'}
    assert "Viewers.csv" in problem(write(tmp_path / "x.zip", zipped(members)), BrokenFile)


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


def test_the_handles_of_all_accounts_in_a_content_file_are_reported(tmp_path: Path) -> None:
    rows = [
        ("March 17", "", f"https://www.tiktok.com/@{handle}/video/{number}", "March 1", "1", "2", "3", "4")
        for handle, number in [("zone.a0", 7480000000000000001), ("pig1987", 7480000000000000002)]
    ]
    with open_export(
        write(tmp_path / "Content_zone.a0.zip", zipped({"Content.csv": quoted(CONTENT, *rows)}))
    ) as export:
        assert export.handles == ("pig1987", "zone.a0")


def test_a_copied_content_file_was_downloaded_on_the_day_it_states(tmp_path: Path) -> None:
    # 7480000000000000001 >> 32 is 10 March 2025, 02:20:14 UTC.
    row = ("April 2", "", "https://www.tiktok.com/@x/video/7480000000000000001", "March 11", "1", "2", "3", "4")
    with open_export(
        write(tmp_path / "Content.csv", quoted(CONTENT, row), dt.datetime(2025, 8, 1, tzinfo=dt.UTC))
    ) as export:
        assert export.downloaded_at == dt.datetime(2025, 4, 2, tzinfo=dt.UTC)
        assert export.downloaded_at_evidence == "export_date_column"
