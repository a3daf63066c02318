"""Generated exports have exactly the form measured on real ones; expectations here are written manually."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import fastexcel
import pytest

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import (
    SECTIONS,
    GeneratedExport,
    available_until,
    land,
    studio_export,
    studio_exports,
)
from tiktok_assets.simulator.traits import Traits

ReadCsv = Callable[[bytes], list[list[str]]]
FIRST, LAST = date(2025, 12, 4), date(2025, 12, 31)

HEADERS = {
    "Overview.csv": "Date,Video Views,Profile Views,Likes,Comments,Shares",
    "Content.csv": "Time,Video title,Video link,Post time,Total likes,Total comments,Total shares,Total views",
    "Viewers.csv": "Date,Total Viewers,New Viewers,Returning Viewers",
    "FollowerHistory.csv": "Date,Followers,Difference in followers from previous day",
    "FollowerActivity.csv": "Date,Hour,Active followers",
    "FollowerGender.csv": "Gender,Distribution",
    "FollowerTopTerritories.csv": "Top territories,Distribution",
}

VALUES = {  # the last columns of each report, under our names, in the order of the file
    "overview": ("video_views", "profile_views", "likes", "comments", "shares"),
    "content": ("total_likes", "total_comments", "total_shares", "total_views"),
    "viewers": ("unique_viewers", "new_viewers", "returning_viewers"),
    "follower_history": ("followers", "follower_difference"),
    "follower_activity": ("hour", "active_followers"),
    "follower_gender": ("gender", "share"),
    "follower_territories": ("territory", "share"),
}


@pytest.fixture(scope="module")
def exports(account: SimulatedAccount, downloaded_at: datetime) -> dict[str, GeneratedExport]:
    made = studio_exports(account, FIRST, LAST, downloaded_at=downloaded_at)
    return dict(zip(SECTIONS, made, strict=True))


def test_the_bytes_are_bom_quotes_on_every_field_lf_and_no_newline_at_the_end(
    exports: dict[str, GeneratedExport],
) -> None:
    for export in exports.values():
        for name, content in export.members.items():
            assert content.startswith(b'\xef\xbb\xbf"' + HEADERS[name].replace(",", '","').encode() + b'"\n')
            assert content.endswith(b'"') and b"\r" not in content
            assert all(line.startswith('"') and line.endswith('"') for line in content.decode("utf-8-sig").split("\n"))


def test_a_row_of_overview_reads_as_studio_writes_it(
    account: SimulatedAccount, exports: dict[str, GeneratedExport]
) -> None:
    truth = account.on(date(2025, 12, 31))
    assert truth is not None
    last_line = exports["overview"].members["Overview.csv"].decode().split("\n")[-1]
    numbers = f'"{truth.video_views}","{truth.profile_views}","{truth.likes}","{truth.comments}","{truth.shares}"'
    assert last_line == f'"December 31",{numbers}'


def test_every_expected_value_is_what_another_reader_finds_in_the_file(
    exports: dict[str, GeneratedExport], read_csv: ReadCsv
) -> None:
    compared = 0
    for export in exports.values():
        for (report, expected), content in zip(export.expected.items(), export.members.values(), strict=True):
            for cells, row in zip(read_csv(content)[1:], expected, strict=True):
                found = dict(zip(VALUES[report], cells[-len(VALUES[report]) :], strict=True))
                for name, cell in found.items():
                    as_typed = type(row[name])  # str, int or float
                    assert row[name] == as_typed(cell), (report, name)
                    compared += 1
    assert compared == 28 * (5 + 3 + 2) + 7 * 24 * 2 + 3 * 2 + 11 * 2 + 15 * 4


def test_expected_days_are_the_truth_of_the_account(
    account: SimulatedAccount, exports: dict[str, GeneratedExport]
) -> None:
    for section, report in (("overview", "overview"), ("viewers", "viewers"), ("followers", "follower_history")):
        rows = exports[section].expected[report]
        assert [row["date_label"] for row in rows] == [FIRST + timedelta(days=n) for n in range(28)]
        for row in rows:
            truth = account.on(row["true_day"])
            assert truth is not None
            named = {name: value for name, value in row.items() if name in truth._fields}
            assert named and named == {name: getattr(truth, name) for name in named}


def test_names_carry_the_first_day_an_epoch_of_the_last_day_and_the_handle(
    exports: dict[str, GeneratedExport],
) -> None:
    epoch = int(datetime(2025, 12, 31, 16, 20, 31, tzinfo=UTC).timestamp())
    assert {section: export.name for section, export in exports.items()} == {
        "overview": f"Overview_2025-12-04_{epoch}_north.pier_2.0.zip",
        "content": "Content_north.pier_2.0.zip",
        "viewers": "Viewers_north.pier_2.0.zip",
        "followers": "Followers_north.pier_2.0.zip",
    }


def test_a_zip_is_stored_flat_and_stamped_with_the_download_in_utc(exports: dict[str, GeneratedExport]) -> None:
    for export in exports.values():
        with ZipFile(BytesIO(export.content)) as archive:
            assert archive.testzip() is None
            assert {info.filename: archive.read(info) for info in archive.infolist()} == export.members
            for info in archive.infolist():
                assert info.date_time == (2026, 1, 1, 16, 20, 30)  # ZIP keeps even seconds
                assert (info.compress_type, info.external_attr, info.create_system) == (ZIP_STORED, 0, 0)


def test_the_same_request_makes_the_same_bytes(account: SimulatedAccount, downloaded_at: datetime) -> None:
    for file_format in ("csv", "xlsx"):
        one, again = (
            studio_exports(account, FIRST, LAST, downloaded_at=downloaded_at, file_format=file_format) for _ in range(2)
        )
        assert [export.content for export in one] == [export.content for export in again]


def test_an_xlsx_has_one_sheet_named_as_the_section_with_every_cell_text(
    account: SimulatedAccount, downloaded_at: datetime, read_csv: ReadCsv
) -> None:
    as_csv, as_xlsx = (
        studio_export(account, "viewers", FIRST, LAST, downloaded_at=downloaded_at, file_format=file_format)
        for file_format in ("csv", "xlsx")
    )
    assert as_xlsx.name == as_csv.name and list(as_xlsx.members) == ["Viewers.xlsx"]
    book = fastexcel.read_excel(as_xlsx.members["Viewers.xlsx"])
    assert book.sheet_names == ["Viewers"]
    sheet = book.load_sheet(0, header_row=None).to_polars()
    assert set(map(str, sheet.dtypes)) == {"String"}
    assert [list(row) for row in sheet.iter_rows()] == read_csv(as_csv.members["Viewers.csv"])
    with ZipFile(BytesIO(as_xlsx.content)) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("locale", "day", "text"),
    [
        ("en", date(2025, 4, 12), "April 12"),
        ("en_GB", date(2025, 5, 28), "28 May"),
        ("el", date(2025, 2, 25), "25 Φεβρουαρίου"),
        ("es", date(2025, 1, 4), "4 de enero"),
        ("pt-BR", date(2025, 5, 1), "1 de maio"),
        ("ru", date(2025, 1, 20), "20 января"),
        ("fr", date(2025, 10, 1), "1 octobre"),
        ("vi", date(2025, 8, 18), "18 tháng Tám"),
        ("vi", date(2025, 11, 3), "3 tháng Mười Một"),
        ("ja", date(2025, 9, 13), "9月13日"),
        ("id", date(2025, 7, 8), "8 Juli"),
        ("th", date(2025, 1, 1), "1 มกราคม"),
    ],
)
def test_dates_follow_the_interface_language_and_headers_do_not(
    account: SimulatedAccount, downloaded_at: datetime, read_csv: ReadCsv, locale: str, day: date, text: str
) -> None:
    export = studio_export(account, "overview", day, day, downloaded_at=downloaded_at, locale=locale)
    header, row = read_csv(export.members["Overview.csv"])
    assert (",".join(header), row[0]) == (HEADERS["Overview.csv"], text)


def test_content_holds_15_posted_videos_with_totals_of_the_moment(
    account: SimulatedAccount, downloaded_at: datetime, read_csv: ReadCsv
) -> None:
    early, late = (
        studio_export(account, "content", date(2025, 3, 1), date(2025, 12, 31), downloaded_at=moment)
        for moment in (downloaded_at, downloaded_at + timedelta(days=2))
    )
    rows = read_csv(early.members["Content.csv"])[1:]
    assert len(rows) == 15 and {row[0] for row in rows} == {"January 1"}
    assert all(row[2].startswith("https://www.tiktok.com/@north.pier_2.0/video/") for row in rows)
    before = {row["video_id"]: row["total_views"] for row in early.expected["content"]}
    after = {row["video_id"]: row["total_views"] for row in late.expected["content"]}
    assert any(after[video] > before[video] for video in before.keys() & after.keys())


def test_days_before_the_account_are_zero_in_overview_and_undefined_elsewhere(
    downloaded_at: datetime, read_csv: ReadCsv
) -> None:
    traits = Traits(born=date(2025, 12, 10))
    account = SimulatedAccount.generate("new.one", 1, date(2025, 1, 1), date(2025, 12, 31), traits=traits)
    overview, _, viewers, followers = studio_exports(account, FIRST, LAST, downloaded_at=downloaded_at)
    assert read_csv(overview.members["Overview.csv"])[6] == ["December 9", "0", "0", "0", "0", "0"]
    assert read_csv(viewers.members["Viewers.csv"])[6] == ["December 9", "undefined", "0", "0"]
    assert read_csv(followers.members["FollowerHistory.csv"])[6] == ["December 9", "undefined", "0"]
    assert viewers.expected["viewers"][5]["unique_viewers"] is None
    assert viewers.expected["viewers"][5]["new_viewers"] is None
    assert followers.expected["follower_history"][5]["follower_difference"] is None


def test_a_small_account_shows_no_audience(downloaded_at: datetime) -> None:
    account = SimulatedAccount.generate("tiny", 1, FIRST, LAST, traits=Traits(size="small"))
    export = studio_export(account, "followers", FIRST, LAST, downloaded_at=downloaded_at)
    assert export.members["FollowerActivity.csv"] == b'\xef\xbb\xbf"Date","Hour","Active followers"'
    assert export.members["FollowerGender.csv"] == b'\xef\xbb\xbf"Gender","Distribution"'
    assert export.members["FollowerTopTerritories.csv"] == b'\xef\xbb\xbf"Top territories","Distribution"'
    assert len(export.expected["follower_history"]) == 28


def test_rows_of_the_gap_are_missing_although_the_days_are_true(downloaded_at: datetime) -> None:
    traits = Traits(gap=(date(2025, 12, 10), date(2025, 12, 12)))
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=traits)
    for export in studio_exports(account, FIRST, LAST, downloaded_at=downloaded_at):
        for report in {"overview", "viewers", "follower_history"} & set(export.expected):
            days = {row["true_day"] for row in export.expected[report]}
            assert len(days) == 25 and date(2025, 12, 11) not in days
    assert account.on(date(2025, 12, 11)) is not None


@pytest.mark.parametrize(
    ("moment", "last"),
    [
        (datetime(2026, 1, 1, 17, 2, tzinfo=UTC), date(2025, 12, 31)),
        (datetime(2026, 1, 1, 3, 30, tzinfo=UTC), date(2025, 12, 30)),
    ],
)
def test_a_day_appears_in_the_afternoon_after_it(account: SimulatedAccount, moment: datetime, last: date) -> None:
    export = studio_export(account, "overview", FIRST, date(2026, 1, 5), downloaded_at=moment)
    assert available_until(moment) == last
    assert export.expected["overview"][-1]["true_day"] == last


def test_a_window_of_a_leap_year_has_366_rows(downloaded_at: datetime, read_csv: ReadCsv) -> None:
    account = SimulatedAccount.generate("x", 1, date(2024, 1, 1), date(2024, 12, 31))
    export = studio_export(account, "overview", date(2024, 1, 1), date(2024, 12, 31), downloaded_at=downloaded_at)
    rows = read_csv(export.members["Overview.csv"])[1:]
    assert len(rows) == 366 and rows[59][0] == "February 29"


def test_landing_leaves_one_finished_file_as_old_as_the_download(
    exports: dict[str, GeneratedExport], downloaded_at: datetime, tmp_path: Path
) -> None:
    path = land(exports["viewers"], tmp_path / "new" / "folder")
    assert list(path.parent.iterdir()) == [path]
    assert path.read_bytes() == exports["viewers"].content
    assert path.stat().st_mtime == downloaded_at.timestamp()


def test_a_window_or_moment_that_makes_no_sense_is_refused(account: SimulatedAccount, downloaded_at: datetime) -> None:
    with pytest.raises(ValueError, match="the window ends 2025-12-04, before it begins 2025-12-31"):
        studio_export(account, "viewers", LAST, FIRST, downloaded_at=downloaded_at)
    with pytest.raises(ValueError, match="has no timezone"):
        studio_export(account, "viewers", FIRST, LAST, downloaded_at=downloaded_at.replace(tzinfo=None))


def test_titles_with_quotes_survive_a_plain_csv_reader(downloaded_at: datetime) -> None:
    account = SimulatedAccount.generate("x", 3, date(2025, 1, 1), LAST, traits=Traits(posts_per_week=14))
    export = studio_export(account, "content", date(2025, 1, 1), LAST, downloaded_at=downloaded_at)
    text = export.members["Content.csv"].decode("utf-8-sig")
    titles = [row[1] for row in csv.reader(text.split("\n")[1:], strict=True)]
    assert titles == [row["title"] for row in export.expected["content"]]
    assert any('"' in title for title in titles)
