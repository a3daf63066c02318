"""A file of streams is read whole, or refused with file, row and remedy."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import polars as pl
import pytest

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.streams.columns import NotDaily
from tiktok_assets.streams.reading import StreamsFile, read_streams
from tiktok_assets.streams.rows import typed_rows
from tiktok_assets_tests.streams.files import DOWNLOADED, ISRC, OTHER_ISRC, dropped

HEADER = "date,isrc,store,streams"


def read(folder: Path, text: str, name: str = "streams.csv") -> StreamsFile:
    return read_streams(dropped(folder, name, text), f"here/{name}")


def values(file: StreamsFile) -> list[tuple[object, ...]]:
    rows = typed_rows(file.rows).sort("date", "track", "store")
    return rows.select(pl.col("date").cast(pl.String), "isrc", "song", "store", "territory", "streams").rows()


def test_the_contract_is_read_and_every_cell_stays_as_text(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        "date,isrc,song,store,streams,Label\n"
        f'2026-06-30,{ISRC},Summer Nights,Spotify,"1,200",Pig\n'
        "2026-07-01,,Other,Apple  Music,0,Pig\n",
    )
    assert values(file) == [
        ("2026-06-30", ISRC, "Summer Nights", "spotify", None, 1200),
        ("2026-07-01", None, "Other", "apple music", None, 0),
    ]
    assert file.months == (dt.date(2026, 6, 1), dt.date(2026, 7, 1))
    assert file.window == (dt.date(2026, 6, 30), dt.date(2026, 7, 1))
    assert file.rows["streams"].to_list() == ["1,200", "0"] and file.rows["Label"].to_list() == ["Pig", "Pig"]
    assert file.rows.select("source", "row_number", "vintage").row(0) == ("here/streams.csv", 1, DOWNLOADED)
    assert file.warnings == ("columns that are not read, kept as text in raw: Label",)


@pytest.mark.parametrize(
    "header",
    [
        "Date;ISRC;Store;Streams",
        "Day;isrc_code;DSP;Plays",
        "date;ISRC;Retailer;streams",
        "DATE;ISRC;Service;STREAMS",
    ],
)
def test_other_names_of_the_columns_mean_the_same(tmp_path: Path, header: str) -> None:
    assert values(read(tmp_path, f"{header}\n2026-06-30;de-xx1-26-00001;Spotify;7\n")) == [
        ("2026-06-30", ISRC, None, "spotify", None, 7)
    ]


def test_a_song_timeline_of_spotify_for_artists_is_named_after_its_song(tmp_path: Path) -> None:
    file = read(tmp_path, "date,streams\n2026-06-30,7\n2026-07-01,8\n", "What now_-timeline (1).csv")
    assert values(file) == [
        ("2026-06-30", None, "What now_", "spotify", None, 7),
        ("2026-07-01", None, "What now_", "spotify", None, 8),
    ]


def test_territories_are_rows_of_their_own(tmp_path: Path) -> None:
    file = read(tmp_path, f"{HEADER},country\n2026-06-30,{ISRC},Spotify,7,DE\n2026-06-30,{ISRC},Spotify,8,AT\n")
    assert [row[4:] for row in values(file)] == [("DE", 7), ("AT", 8)]


@pytest.mark.parametrize(
    ("total", "other"),
    [("", "DE"), ("-", "DE"), ("Worldwide", "DE"), ("WORLD", "DE"), ("all", "DE"), ("Total", ""), ("gLobal", "world")],
)
def test_a_total_beside_its_parts_is_refused_and_never_added_to_them(tmp_path: Path, total: str, other: str) -> None:
    rows = f"2026-06-29,{ISRC},Spotify,9,{total}\n2026-06-30,{ISRC},Spotify,5,{other}\n"
    alone = read(tmp_path, f"{HEADER},territory\n{rows}2026-06-30,{ISRC},Deezer,8,{total}\n")
    assert alone.warnings == ()
    doubled = f"{HEADER},territory\n{rows}2026-06-30,{ISRC},Spotify,8,{total}\n2026-06-30,{ISRC},Spotify,,FR\n"
    with pytest.raises(ExportProblem, match="keep either the total or the countries") as problem:
        read(tmp_path, doubled)
    assert problem.value.reason == "contradictory_rows"
    assert "streams.csv, row 2 and row 3" in str(problem.value)


def test_a_total_beside_countries_without_numbers_counts(tmp_path: Path) -> None:
    rows = f"2026-06-30,{ISRC},Spotify,,DE\n2026-06-30,{ISRC},Spotify,8,Worldwide\n"
    assert len(read(tmp_path, f"{HEADER},territory\n{rows}").warnings) == 1


def test_a_zip_holds_several_tables(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("one.csv", f"{HEADER}\n2026-06-30,{ISRC},Spotify,7\n")
        archive.writestr("two.csv", "date,song,store,streams\n2026-06-30,Other,Spotify,8\n")
        archive.writestr("notes.csv", "for,you\n1,2\n")
    file = read_streams(tmp_path / "all.zip", "all.zip")
    assert [row[1:3] for row in values(file)] == [(ISRC, None), (None, "Other")]
    assert file.warnings == ("notes.csv: is no table of streams and is not read",)


def test_a_missing_number_is_unknown_and_not_zero(tmp_path: Path) -> None:
    file = read(tmp_path, f"{HEADER}\n2026-06-30,{ISRC},Spotify,--\n2026-07-01,{ISRC},Spotify,8\n")
    assert [row[-1] for row in values(file)] == [None, 8]
    assert file.warnings == ("1 row has no number of streams: its day stays unknown",)


def test_a_row_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    file = read(tmp_path, f"{HEADER}\n" + f"2026-06-30,{ISRC},Spotify,7\n" * 2)
    assert file.warnings == ("1 row appears more than once, alike in every column, and counts once",)


def test_a_zip_of_months_is_refused_and_one_of_days_is_read(tmp_path: Path) -> None:
    def zipped(*days: str) -> Path:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for day in days:
                archive.writestr(f"{day}.csv", f"{HEADER}\n{day},{ISRC},Spotify,7\n")
        return tmp_path / "all.zip"

    with pytest.raises(NotDaily, match=r"all\.zip.*first days of months"):
        read_streams(zipped("2026-05-01", "2026-06-01"), "all.zip")
    assert len(read_streams(zipped("2026-05-31", "2026-06-01"), "all.zip").rows) == 2


def test_one_recording_of_one_first_of_a_month_is_read(tmp_path: Path) -> None:
    rows = "".join(f"2026-07-01,{ISRC},{store},7\n" for store in ("Spotify", "Deezer"))
    assert len(values(read(tmp_path, f"{HEADER}\n{rows}"))) == 2


REFUSED = {
    "negative": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,7\n2026-07-01,{ISRC},Spotify,-1\n", "unreadable_value", "row 2"),
    "fraction": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,7.5\n", "unreadable_value", "'7.5' is not a whole number"),
    "thousands of another language": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,1.200\n", "unreadable_value", "row 1"),
    "more than anybody streams": (
        f"{HEADER}\n2026-06-30,{ISRC},Spotify,1000000000000\n2026-07-01,{ISRC},Spotify,1000000000001\n",
        "unreadable_value",
        "row 2, streams: '1000000000001' is not a whole number from 0 to 1,000,000,000,000",
    ),
    "isrc": (f"{HEADER}\n2026-06-30,DEXX1260000,Spotify,7\n", "unreadable_value", "is not an ISRC of 12"),
    "no store in a row": (f"{HEADER}\n2026-06-30,{ISRC},,7\n", "unreadable_value", "row 1, store"),
    "no song in a row": (f"{HEADER}\n2026-06-30,,Spotify,7\n", "no_song", "row 1"),
    "no song": ("date,store,streams\n2026-06-30,Spotify,7\n", "no_song", "Add a column isrc or song"),
    "audience timeline": ("date,listeners,streams,followers\n2026-06-30,1,7,2\n", "no_song", "Add a column isrc"),
    "no store": (f"date,isrc,streams\n2026-06-30,{ISRC},7\n", "no_store", "Add a column store"),
    "no date": ("song,listeners,streams,saves,release_date\nx,1,7,2,2026-06-01\n", "not_daily", "no column date"),
    "months": (f"Sale Month,Store,ISRC,Quantity\n2026-06,Spotify,{ISRC},7\n", "not_daily", "Sale Month has months"),
    "month as a date": (f"{HEADER}\n2026-06,{ISRC},Spotify,7\n", "not_daily", "'2026-06' is a month"),
    "firsts of months": (
        f"{HEADER}\n2026-06-01,{ISRC},Spotify,7\n2026-07-01,{ISRC},Spotify,7\n",
        "not_daily",
        "one of each month",
    ),
    "several recordings of one first of a month": (
        f"{HEADER}\n2026-07-01,{ISRC},Spotify,31000\n2026-07-01,{OTHER_ISRC},Spotify,42000\n",
        "not_daily",
        "rows of the day before or after",
    ),
    "sales": (f"date,store,isrc,Quantity\n2026-06-30,Spotify,{ISRC},7\n", "foreign_file", "also downloads"),
    "ambiguous": (f"{HEADER}\n04/06/2026,{ISRC},Spotify,7\n", "unreadable_value", "ambiguous"),
    "no year": (f"{HEADER}\n30 June,{ISRC},Spotify,7\n", "unreadable_value", "no year"),
    "no such day": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,7\n2026-06-31,{ISRC},x,7\n", "unreadable_value", "row 2"),
    "empty date": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,7\n,{ISRC},Spotify,7\n", "unreadable_value", "row 2"),
    "contradiction": (
        f"{HEADER}\n2026-06-30,{ISRC},Spotify,7\n2026-06-30,{ISRC},spotify,8\n",
        "contradictory_rows",
        "row 1 and row 2",
    ),
    "parts": (
        f"{HEADER},tier\n2026-06-30,{ISRC},Spotify,7,free\n2026-06-30,{ISRC},Spotify,7,paid\n",
        "contradictory_rows",
        "add them up in one row",
    ),
    "another table": ("title,views\nx,7\n", "foreign_file", "Expected: date, isrc or song, store, streams"),
    "no rows": (f"{HEADER}\n", "broken_file", "no row"),
    "no numbers": (f"{HEADER}\n2026-06-30,{ISRC},Spotify,-\n", "broken_file", "no row"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_certain_is_refused_with_file_row_and_remedy(tmp_path: Path, case: str) -> None:
    text, reason, words = REFUSED[case]
    with pytest.raises(ExportProblem) as problem:
        read(tmp_path, text)
    assert problem.value.reason == reason
    assert "streams.csv" in str(problem.value) and words in str(problem.value)


def test_day_and_month_in_numbers_are_read_where_the_days_are_contiguous(tmp_path: Path) -> None:
    days = "".join(f"{day:02}/06/2026,{ISRC},{store},7\n" for day in (11, 12, 13) for store in ("Spotify", "Deezer"))
    found = values(read(tmp_path, f"{HEADER}\n{days}"))
    assert [row[0] for row in found[::2]] == ["2026-06-11", "2026-06-12", "2026-06-13"]


def test_a_second_day_decides_the_order_of_day_and_month(tmp_path: Path) -> None:
    days = "".join(f"{day}/06/2026,{ISRC},Spotify,7\n" for day in ("04", "05"))
    assert [row[0] for row in values(read(tmp_path, f"{HEADER}\n{days}"))] == ["2026-06-04", "2026-06-05"]
