"""From the bytes of a member to its header and rows of text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter import Workbook

from tiktok_assets.exports.archive import Member
from tiktok_assets.exports.problems import BrokenFile, ForeignFile
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.tables import read_table
from tiktok_assets.exports.text_rows import Table, normal
from tiktok_assets_tests.export_files import BOM, quoted, workbook, write

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
LINK = "https://www.tiktok.com/@zone.a0/video/7480000000000000001"


def read(content: str | bytes, name: str = "Overview.csv") -> Table:
    content = content.encode() if isinstance(content, str) else content
    return read_table(Member(name=name, content=content, stamp=None))


def cells(table: Table) -> list[tuple[str, ...]]:
    return table.rows.lazy().collect().select(table.header).rows()


def problem(content: str | bytes, name: str = "Overview.csv") -> str:
    with pytest.raises(BrokenFile) as raised:
        read(content, name)
    assert name in str(raised.value)
    return str(raised.value)


TEXT = '"Date","Likes"\n"May 1","1,234"\n"May 2",""'
ROWS = [("May 1", "1,234"), ("May 2", "")]


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        BOM + TEXT,
        BOM + BOM + TEXT,
        TEXT + "\n",
        TEXT + "\n\n  \n",
        "\n" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r\n") + "\r\n",
        TEXT.replace("\n", "\r"),
        'Date,Likes\nMay 1,"1,234"\nMay 2,\n,\n',
        TEXT.encode("utf-16"),
        (BOM + TEXT).encode("utf-16-be"),
    ],
)
def test_the_same_table_however_a_program_saved_it(content: str | bytes) -> None:
    table = read(content)
    assert table.header == ("Date", "Likes")
    assert cells(table) == ROWS
    assert isinstance(table.rows, pl.DataFrame) and table.rows["row_number"].to_list() == [1, 2]


def test_a_header_alone_is_a_table_without_rows() -> None:
    for content in (quoted(("Gender", "Distribution")), "Gender,Distribution\r\n"):
        table = read(content)
        assert table.header == ("Gender", "Distribution") and cells(table) == []
        assert isinstance(table.rows, pl.DataFrame) and table.rows.schema["Gender"] == pl.String


def test_columns_keep_their_names_unless_two_share_one_or_it_is_one_of_ours() -> None:
    table = read("Likes,Likes,Likes (2),source,Phone number clicks \n1,2,3,4,5")
    assert table.header == ("Likes", "Likes (2)", "Likes (2) (2)", "source (2)", "Phone number clicks ")
    assert cells(table) == [("1", "2", "3", "4", "5")]
    assert not PROVENANCE.keys() & set(table.header)


def test_a_column_is_found_whatever_its_case_underscores_and_spaces() -> None:
    assert [normal(name) for name in ("Video Views", " video_views ", "VIDEO  VIEWS")] == ["video views"] * 3
    assert read("date, Video_Link \n1,2").column("video link") == " Video_Link "
    assert read("date\n1").column("video link") is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('"Date","Likes"\n"May 1","1"\n"May 2"', "row 2 has 1 field, its header 2 (Date, Likes)"),
        ('"Date","Likes"\n"May 1","1","9"', "row 1 has 3 fields"),
        ('"Date","Likes"\n"May 1","1', "cut off or wrongly quoted"),
        ('"Date","Likes"\n"May "1"","1"', "cut off or wrongly quoted"),
        (b"Date,Likes\nMay 1,1\n\xd0 2,2", "line 3 is not UTF-8 text"),
        (b"\xff\xfeD\x00a", "line 1 is not UTF-16 text"),
    ],
)
def test_a_row_that_does_not_fit_is_named(content: str | bytes, why: str) -> None:
    assert why in problem(content)


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_table_saved_again_with_other_separators_is_read_and_says_so(separator: str) -> None:
    table = read(TEXT.replace('","', f'"{separator}"'))
    assert (table.header, cells(table)) == (("Date", "Likes"), ROWS)
    assert [note.split(" by ")[0] for note in table.saved_again] == ["its columns separated"]


def test_json_of_download_your_data_is_refused_by_name() -> None:
    for content in ('{"Activity": {}}', BOM + " [1]"):
        with pytest.raises(ForeignFile, match="Download your data"):
            read(content)


def content_row(title: str) -> tuple[str, ...]:
    return ("March 17", title, LINK, "March 1", "1", "2", "3", "4")


STRANGE_TITLES = [
    "",
    "plain, with comma #tag",
    'she said "one more time"',
    '"live"',
    '"first","second" or "third"?',
    f'read this","{LINK}","May 1","9","9","9","9',
    'ends with a quote"',
    'x","https://vm.tiktok.com/ZM1/","y',
    "строка, 새 노래, όλο, não",
    "line\u2028separator and\ttab",
    "'" * 3 + ";|",
    "w" * 3830,
]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_titles_with_unescaped_quotes_stay_whole(newline: str) -> None:
    content = quoted(CONTENT, *map(content_row, STRANGE_TITLES)).replace("\n", newline)
    assert cells(read(content, "Content.csv")) == [content_row(title) for title in STRANGE_TITLES]


def test_titles_with_doubled_quotes_are_read_as_typed() -> None:
    content = quoted(CONTENT, *(content_row(title.replace('"', '""')) for title in STRANGE_TITLES))
    assert cells(read(content, "Content.csv")) == [content_row(title) for title in STRANGE_TITLES]


def test_a_title_of_quotes_and_commas_stays_whole() -> None:
    assert cells(read(quoted(CONTENT, content_row('","')), "Content.csv")) == [content_row('","')]


@pytest.mark.parametrize("titles", [["one"], ["one", 'a "b" c', "#three"]])
def test_a_header_without_one_of_its_columns_lets_no_title_swallow_a_field(titles: list[str]) -> None:
    content = quoted(CONTENT[1:], *map(content_row, titles))
    with pytest.raises(BrokenFile):
        read(content, "Content.csv")


@given(st.lists(st.text(st.characters(exclude_characters="\n\r", exclude_categories=("Cs",)), max_size=40), max_size=6))
def test_any_titles_are_read_as_typed_when_quotes_are_doubled(titles: list[str]) -> None:
    content = quoted(CONTENT, *(content_row(title.replace('"', '""')) for title in titles))
    assert cells(read(content, "Content.csv")) == [content_row(title) for title in titles]


@given(
    st.lists(st.text('ab",;: /#', max_size=40), min_size=1, max_size=6).filter(lambda titles: '"' in "".join(titles))
)
def test_any_titles_are_read_as_typed_when_quotes_are_not_doubled(titles: list[str]) -> None:
    titles = [title.replace('""', '"a"') for title in titles]  # a title of doubled quotes looks like escapes
    titles = [title.replace('""', '"a"').strip('"') for title in titles] + ['a "b" c']
    content = quoted(CONTENT, *map(content_row, titles))
    assert cells(read(content, "Content.csv")) == [content_row(title) for title in titles]


def test_a_content_file_saved_again_without_quotes_is_read_too() -> None:
    buffer = io.StringIO()
    rows = [content_row(title) for title in ("plain", 'a "quote"', "comma, here", "")]
    csv.writer(buffer).writerows([CONTENT, *rows])
    assert cells(read(buffer.getvalue(), "Content.csv")) == rows


def test_a_content_file_cut_off_in_a_row_is_broken() -> None:
    content = quoted(CONTENT, content_row('say "hi"'), content_row("two"))
    assert "cut off or wrongly quoted" in problem(content[:-20], "Content.csv")


def test_a_workbook_is_read_as_text() -> None:
    table = read(workbook(("Date", "Likes", ""), ("May 1", "1,234", ""), ("May 2", 17, ""), ("", "", "")), "x.xlsx")
    assert table.header == ("Date", "Likes") and cells(table) == [("May 1", "1,234"), ("May 2", "17")]


def test_a_workbook_with_columns_of_one_name_is_read() -> None:
    assert read(workbook(("Date", "Likes", "Likes"), ("May 1", "1", "2")), "x.xlsx").header == (
        "Date",
        "Likes",
        "Likes (2)",
    )


def test_a_workbook_that_is_none_or_empty_is_broken() -> None:
    assert "not a readable XLSX" in problem(b"PK\x03\x04 no workbook", "x.xlsx")
    assert "is empty" in problem(workbook(), "x.xlsx")


HUGE = 'Video title,Video link,Video views\n"a ""b""\nc",x,1\n,y,"2"\n'


@pytest.mark.parametrize(("row", "column"), [(1_048_575, 0), (500_000, 5), (1_000, 900), (20_000, 30)])
def test_a_value_far_from_the_table_is_refused_with_the_size_of_the_sheet(row: int, column: int) -> None:
    buffer = io.BytesIO()
    with Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Overview")
        for number, cell in enumerate(("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")):
            sheet.write(0, number, cell)
        sheet.write(row, column, "a note")
    columns = max(column + 1, 6)
    size = rf"{row + 1:,} rows and {columns:,} columns, of whose {(row + 1) * columns:,} cells 7 are written"
    with pytest.raises(BrokenFile, match=size):
        read_table(Member(name="Overview.xlsx", content=buffer.getvalue(), stamp=None))


def test_a_huge_member_is_streamed_from_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "huge", BOM + HUGE)
    table = read_table(Member(name="videos.csv", content=path, stamp=None))
    assert isinstance(table.rows, pl.LazyFrame)
    assert cells(table) == [('a "b"\nc', "x", "1"), ("", "y", "2")]
    assert table.rows.collect()["row_number"].to_list() == [1, 2]


@pytest.mark.parametrize(
    ("row", "why"),
    [("only,two\n", "row 3 has 2 fields"), ("a,b,c,d\n", "row 3 has 4 fields"), ('"open,b,c', "cut off")],
)
def test_a_row_of_a_huge_member_that_does_not_fit_is_named(tmp_path: Path, row: str, why: str) -> None:
    path = write(tmp_path / "huge", HUGE + row)
    with pytest.raises(BrokenFile, match=why):
        read_table(Member(name="videos.csv", content=path, stamp=None))
