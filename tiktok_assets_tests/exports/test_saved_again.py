"""Files that other programs saved again: read with a warning where nothing was lost, else refused with the reason."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from xlsxwriter import Workbook

from tiktok_assets.exports.problems import BrokenFile, ExportProblem, ForeignFile, TranslatedHeader, UnreadableValue
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import parsed, quoted, write, zipped

HEADER = ["Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"]
ROWS = [
    ["March 13", "100", "7", "3", "-7", "0"],
    ["March 14", "101", "8", "4", "1", "2"],
    ["March 15", "102", "9", "5", "0", "1"],
]
VIEWS = [(dt.date(2026, 3, 13), 100), (dt.date(2026, 3, 14), 101), (dt.date(2026, 3, 15), 102)]
TOTAL = ["Total", "303", "24", "12", "-6", "3"]


def joined(rows: list[list[str]], separator: str) -> str:
    return "\n".join(separator.join(row) for row in rows)


def views(path: Path) -> list[tuple[dt.date, int]]:
    return parsed(path)["overview"].select("date_label", "video_views").rows()


def warnings(path: Path) -> tuple[str, ...]:
    with open_export(path) as export:
        return export.warnings


def refusal(folder: Path, name: str, content: str | bytes, kind: type[ExportProblem] = ForeignFile) -> str:
    path = write(folder / name, content)
    with pytest.raises(kind) as raised, open_export(path) as export:
        export.validate()
    return str(raised.value)


@examples(60)
@given(
    separator=st.sampled_from([",", ";", "\t", "|"]),
    stated=st.booleans(),
    above=st.integers(0, 3),
    repeated=st.booleans(),
    total=st.sampled_from([None, "Total", "Summe", "合計", ""]),
    empty_column=st.booleans(),
    whole=st.sampled_from(["{}", "{}.0", "{}.00"]),
    unpadded=st.booleans(),
)
def test_whatever_was_added_the_numbers_are_those_of_the_export(
    separator: str,
    stated: bool,
    above: int,
    repeated: bool,
    total: str | None,
    empty_column: bool,
    whole: str,
    unpadded: bool,
) -> None:
    rows = [[row[0], *(whole.format(cell) for cell in row[1:])] for row in ROWS]
    table = [HEADER, *rows[:2], *([HEADER] if repeated else []), rows[2]]
    if total is not None:
        table.append([total, *TOTAL[1:]])
    if empty_column:
        table = [[*row, ""] for row in table]
    lead = [["My channel"] + ([] if unpadded else [""] * 5)] * above
    text = (f"sep={separator}\n" if stated else "") + joined([*lead, *table], separator)
    with TemporaryDirectory() as folder:
        path = write(Path(folder, "Overview.csv"), text)
        assert views(path) == VIEWS
        found = warnings(path)
    is_changed = separator != "," or above or repeated or total is not None or whole != "{}"
    assert [("was saved again" in one) for one in found] == ([True] if is_changed else [])


def test_unprovable_tables_stay_refused_with_a_reason(tmp_path: Path) -> None:
    for cell in ("1.2K", "100.5", "1.234", "~100"):
        text = joined([HEADER, ["March 15", cell, "1", "2", "3", "4"]], ",")
        assert f"row 1, video_views: {cell!r} is not a whole number" in refusal(
            tmp_path, "Overview.csv", text, UnreadableValue
        )
    text = joined([["Gender", "Distribution"], ["Male", "59%"]], ",")
    assert "'59%' is not a share" in refusal(tmp_path, "FollowerGender.csv", text, UnreadableValue)


def test_an_unnamed_last_row_that_is_not_a_sum_is_not_a_total(tmp_path: Path) -> None:
    message = refusal(
        tmp_path, "Overview.csv", joined([HEADER, *ROWS, ["", "300", "24", "12", "-6", "3"]], ","), UnreadableValue
    )
    assert "row 4, Date: ''" in message


def test_an_empty_column_that_has_values_is_reported_by_its_number(tmp_path: Path) -> None:
    path = write(tmp_path / "Overview.csv", joined([[*HEADER, ""], *([*row, "x"] for row in ROWS)], ","))
    assert warnings(path) == ("Overview has unknown columns, kept as text in raw: column 7",)


def book(**sheets: list[list[str]]) -> bytes:
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return buffer.getvalue()


VIEWERS = [["Date", "Total Viewers", "New Viewers", "Returning Viewers"], ["March 15", "9", "4", "5"]]


def test_each_sheet_of_a_workbook_is_read_or_reported_as_not_read(tmp_path: Path) -> None:
    content = book(Notes=[["remember the milk"]], Overview=[HEADER, *ROWS], Empty=[], Viewers=VIEWERS)
    path = write(tmp_path / "mara.xlsx", content)
    frames = parsed(path)
    assert {name: frame.height for name, frame in frames.items()} == {"overview": 3, "viewers": 1}
    assert frames["viewers"]["member"].to_list() == ["mara.xlsx/Viewers"]
    (warning,) = warnings(path)
    assert warning.startswith("not read: mara.xlsx/mara.xlsx/Notes: no known report") or "Notes" in warning


def test_two_sheets_of_one_report_are_refused_since_their_order_is_unknown(tmp_path: Path) -> None:
    content = book(April=[HEADER, *ROWS], May=[HEADER, *ROWS])
    assert "Overview 2 times" in refusal(tmp_path, "mara.xlsx", content, BrokenFile)


def test_the_folders_in_a_drive_archive_are_read_and_name_the_account(tmp_path: Path) -> None:
    members = {
        "Export/Overview_2026-03-13_1773576000_mara.lind/Overview.csv": quoted(tuple(HEADER), *map(tuple, ROWS)),
        "Export/Viewers_mara.lind/Viewers.csv": joined(VIEWERS, ","),
        "Export/notes.txt": "remember the milk",
    }
    path = write(tmp_path / "drive-download-001.zip", zipped(members, dt.datetime(2027, 6, 1, tzinfo=dt.UTC)))
    assert views(path) == VIEWS
    assert parsed(path)["viewers"]["date_label"].to_list() == [dt.date(2026, 3, 15)]  # not the year of the packing
    with open_export(path) as export:
        assert (export.handles, export.vintage_evidence) == (("mara.lind",), "zip_name")
        assert any("not read" in warning and "notes.txt" in warning for warning in export.warnings)


def test_an_archive_of_two_accounts_is_refused(tmp_path: Path) -> None:
    members = {
        "Viewers_mara/Viewers.csv": joined(VIEWERS, ","),
        "Overview_pier/Overview.csv": joined([HEADER, *ROWS], ","),
    }
    assert "several accounts (@mara, @pier)" in refusal(tmp_path, "drive.zip", zipped(members), BrokenFile)


STRANGERS = [
    ("Instagram", 'sep=,\n"Instagram reach"\n"Date","Primary"\n"2026-03-01T00:00:00","12"'),
    ("Meta", "Viewers;\nDate;Primary\n2025-10-31T00:00:00;1148"),
    ("Meta", "Page name,Date,Followers\nx,2026-03-01,1"),
    ("Meta", "Facebook page insights\nDate,Reach\n2026-03-01,5"),
    ("YouTube", "Content,Video title,Video publish time,Views,Watch time (hours)\nx,y,z,1,2"),
    ("TikTok Ads", "Campaign name,Cost,Date,Video views\nx,1,2026-03-01,2"),
    ("Download your data", "Date: 2026-03-01\nUsername: someone\n\nDate: 2026-03-02\nUsername: other"),
    ("another language", "Datum;Videoaufrufe;Profilaufrufe;Likes;Kommentare;Geteilt\n2026/03/01;1;2;3;4;5"),
    ("another language", "日期,觀看次數\n2026/03/01,1"),
    ("another program", "Date,Followers,Posts\n2026-03-01,500,3\n2026-03-02,501,3"),
    ("another program", "Date,Followers\n2026-03-01,500\n2026-03-02,501"),
    ("another program", "Date,Video Views,Likes,Comments,Shares,Store\n2026-03-01,5,1,1,1,x"),
    ("another program", "Gender,Distribution,Country\nMale,0.5,DE"),
]


@pytest.mark.parametrize(("product", "text"), STRANGERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_of_another_product_is_refused_naming_the_product(
    tmp_path: Path, product: str, text: str, encoding: str
) -> None:
    assert product in refusal(tmp_path, "report.csv", text.encode(encoding))


@pytest.mark.parametrize(
    ("name", "header", "date"),
    [
        ("Overview.csv", [*HEADER, "Saves"], "2026-03-15"),
        ("whatever.csv", [*HEADER, "Saves"], "March 15"),
        ("whatever.csv", HEADER, "2026-03-15"),
    ],
)
def test_a_table_proven_to_be_tiktoks_is_read_with_unknown_columns(
    tmp_path: Path, name: str, header: list[str], date: str
) -> None:
    row = [date, "102", "9", "5", "0", "1", "6"][: len(header)]
    assert views(write(tmp_path / name, joined([header, row], ","))) == VIEWS[2:]


@given(st.permutations(["Reach", "Video views", "Likes", "Comments", "Shares", "Add to Favorites"]))
def test_a_videos_own_views_are_read_wherever_the_column_is(columns: list[str]) -> None:
    values = {
        "Reach": "70",
        "Video views": "100",
        "Likes": "1",
        "Comments": "2",
        "Shares": "3",
        "Add to Favorites": "4",
    }
    link = "https://www.tiktok.com/@mara.lind/video/7590910596061605945"
    header = ["Video title", "Video link", "Post time", *columns]
    row = ["harbour", link, "2026/01/02 23:30:00", *(values[name] for name in columns)]
    with TemporaryDirectory() as folder:
        path = write(Path(folder, "Video.csv"), joined([header, row], ","))
        assert parsed(path)["content"].select("total_views", "total_likes", "favorites").rows() == [(100, 1, 4)]
        assert [warning for warning in warnings(path) if "Reach" in warning] != []


@pytest.mark.parametrize(
    "columns", [("reach", "Reached audience"), ("Reached audience", "reach"), ("reach", "Video Views")]
)
def test_reach_is_views_only_where_there_are_none(tmp_path: Path, columns: tuple[str, str]) -> None:
    values = {"reach": "70", "Video Views": "100", "Reached audience": "60"}
    header = ["Date", *columns, "Profile Views", "Likes", "Comments", "Shares"]
    path = write(
        tmp_path / "Overview.csv",
        joined([header, ["March 15", *(values[name] for name in columns), "1", "2", "3", "4"]], ","),
    )
    expected = (70, 60) if "Reached audience" in columns else (100, 70)
    assert parsed(path)["overview"].select("video_views", "reach").rows() == [expected]


def test_business_suites_swedish_columns_are_read(tmp_path: Path) -> None:
    header = "Datum,Videovisningar,Målgrupp som nåtts,Profilvisningar,Gilla-markeringar,Delningar,Kommentarer"
    header += ",Nettotillväxt,Nya följare,Tappade följare"
    path = write(tmp_path / "Oversikt.csv", f"{header}\n2026/03/15,952,800,3,57,1,2,5,6,1")
    row = parsed(path)["overview"].row(0, named=True)
    expected = {"video_views": 952, "reach": 800, "likes": 57, "shares": 1, "comments": 2}
    expected |= {"net_followers": 5, "new_followers": 6, "lost_followers": 1}
    assert {name: row[name] for name in expected} == expected


def test_business_suites_swedish_list_of_videos_is_read(tmp_path: Path) -> None:
    header = "Videotitel,Videolänk,Publiceringstid,Videovisningar,Gilla-markeringar,Kommentarer,Delningar"
    link = "https://www.tiktok.com/@mara.lind/video/7590910596061605945"
    text = f"{header},Lägg till i Favoriter\nHej världen,{link},2026/01/03 15:25:02,196277,8296,44,621,363"
    path = write(tmp_path / "Videor.csv", text)
    row = parsed(path)["content"].row(0, named=True)
    expected = {"title": "Hej världen", "total_views": 196277, "total_likes": 8296, "total_comments": 44}
    expected |= {"total_shares": 621, "favorites": 363, "post_date": dt.date(2026, 1, 3)}
    assert {name: row[name] for name in expected} == expected
    assert warnings(path) == ()


@pytest.mark.parametrize("name", ["Overview.csv", "FollowerGender.csv", "Viewers_mara.lind.zip", "Content (1).csv"])
@pytest.mark.parametrize(
    "header",
    [
        *("Datum;Videoaufrufe;Profilaufrufe;Likes", "Fecha,Seguidores,Diferencia", "性別,分布", "Date,Vues,J’aime"),
        *("Jenis kelamin,Distribusi", "Genre,Répartition", "Время,Название видео,Ссылка", "Tanggal,Penonton"),
        "Datum,Videovisningar i dag,Gilla-markeringar,Delningar",
    ],
)
def test_columns_in_another_language_are_named_with_the_remedy(tmp_path: Path, name: str, header: str) -> None:
    text = f"{header}\n1,2,3,4"
    member = f"{name.split('_')[0]}.csv"
    content = zipped({member: text}) if name.endswith(".zip") else text
    message = refusal(tmp_path, name, content, TranslatedHeader)
    assert message.startswith(name) and ", ".join(header.replace(";", ",").split(",")) in message
    assert "switch TikTok Studio to English and export again" in message.replace("Switch", "switch")
    assert "another program" not in message and "Known reports are" not in message


@pytest.mark.parametrize(
    ("name", "rows", "word"),
    [
        ("Overview.csv", [HEADER, ROWS[0], ROWS[1], [ROWS[1][0], *ROWS[0][1:]]], "a day"),
        (
            "FollowerActivity.csv",
            [["Date", "Hour", "Active followers"], ["March 15", "5", "6"], ["March 15", "5", "77"]],
            "an hour",
        ),
        ("FollowerGender.csv", [["Gender", "Distribution"], ["Male", "0.5"], ["Male", "0.6"]], "a gender"),
        (
            "FollowerTopTerritories.csv",
            [["Top territories", "Distribution"], ["DE", "0.5"], ["DE", "0.6"]],
            "a territory",
        ),
    ],
)
def test_a_duplicate_grain_is_reported_with_its_row(
    tmp_path: Path, name: str, rows: list[list[str]], word: str
) -> None:
    path = write(tmp_path / name, joined(rows, ","))
    last = len(rows) - 1
    told = (
        f"names {word} more than once (rows {last - 1}, {last} with different values); the last row of {word} is used"
    )
    assert any(told in one for one in warnings(path))


@given(st.integers(7, 400), st.integers(2, 12))
def test_rows_weeks_months_or_years_apart_are_not_a_daily_report(step: int, count: int) -> None:
    assume((step, count) != (364, 2))  # 1 January and 31 December: what a spreadsheet makes of two days at New Year
    dates = [dt.date(2010, 1, 1) + dt.timedelta(days=step * n) for n in range(count)]
    text = joined([HEADER, *([f"{date}", *ROWS[0][1:]] for date in dates)], ",")
    with TemporaryDirectory() as folder:
        assert f"its rows lie {step} days apart" in refusal(Path(folder), "Overview.csv", text, UnreadableValue)


def test_a_long_gap_between_two_runs_of_days_is_no_reason_to_refuse_them(tmp_path: Path) -> None:
    dates = [dt.date(2025, month, day) for month in (1, 6) for day in range(1, 6)]
    path = write(tmp_path / "Overview.csv", joined([HEADER, *([f"{date}", *ROWS[0][1:]] for date in dates)], ","))
    assert [date for date, _ in views(path)] == dates
    assert isinstance(parsed(path)["overview"], pl.DataFrame)
