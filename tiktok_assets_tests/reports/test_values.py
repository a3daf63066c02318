"""From the text of a cell to a value: a number, a known mark for "missing", or an error; never a wrong number."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.checks.schema import violations
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.report import Report, latest_per_grain
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import DOWNLOADED, parsed, quoted, write, zipped

LINK = "https://www.tiktok.com/@zone.a0/video/7480000000000000001"
# A good row of each report, and the column whose text a test replaces: header -> (report, column of staging).
ROWS = {
    ("overview", "Video Views"): "video_views",
    ("overview", "Profile Views"): "profile_views",
    ("overview", "Comments"): "comments",
    ("viewers", "Total Viewers"): "unique_viewers",
    ("viewers", "New Viewers"): "new_viewers",
    ("follower_history", "Followers"): "followers",
    ("follower_history", "Difference in followers from previous day"): "follower_difference",
    ("follower_activity", "Hour"): "hour",
    ("follower_activity", "Active followers"): "active_followers",
    ("follower_gender", "Distribution"): "share",
    ("follower_territories", "Distribution"): "share",
    ("content", "Total likes"): "total_likes",
    ("content", "Total views"): "total_views",
}
TEXTS = {
    "Date": "March 15",
    "Time": "March 17",
    "Post time": "March 1",
    "Video title": "",
    "Video link": LINK,
    "Gender": "Male",
    "Top territories": "GR",
    "Distribution": "0.5",
}
COUNTS = [key for key in ROWS if key[1] not in ("Hour", "Distribution")]
NEVER_NEGATIVE = ("unique_viewers", "followers", "active_followers", "total_views", "hour")


def report_named(name: str) -> Report:
    return next(report for report in REPORTS if report.name == name)


def read(folder: Path, name: str, column: str, *texts: str) -> pl.DataFrame:
    """Rows that differ only in ``column``."""
    report = report_named(name)
    header = report.headers["studio"]
    rows = [tuple(text if cell == column else TEXTS.get(cell, "5") for cell in header) for text in texts]
    path = write(folder / f"{report.section.capitalize()}_x.zip", zipped({report.member: quoted(header, *rows)}))
    return parsed(path)[name]


def refusal(folder: Path, name: str, column: str, *texts: str) -> str:
    with pytest.raises(UnreadableValue) as raised:
        read(folder, name, column, *texts)
    return str(raised.value)


@pytest.mark.parametrize(("name", "column"), COUNTS)
@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("100.0", 100), ("7.00", 7), ("100,0", 100), ("1'234", 1234), ("1 234", 1234)),
        ("1\u202f234\u00a0567", 1234567),
        *(("١٢", 12), ("۱۲", 12), ("๑๒", 12), ("१२", 12), ("１２", 12), ("١٬٢٣٤", 1234)),
        *(("0", 0), ("7", 7), (" 12 ", 12), ("1,234", 1234), ("12,345,678", 12345678), ("1234567", 1234567)),
        *((mark, None) for mark in ("undefined", "NAN", "--", "", "-", "N/A", "null")),
    ],
)
def test_a_count_is_a_whole_number_or_a_mark_for_missing(
    tmp_path: Path, name: str, column: str, text: str, number: int | None
) -> None:
    assert read(tmp_path, name, column, text)[ROWS[name, column]].to_list() == [number]


@pytest.mark.parametrize(("name", "column"), COUNTS)
@pytest.mark.parametrize(
    "text",
    [
        *("1,5", "12.5", "1.05", "1,23,456", "1234,567", ",123", "1.234", "12K", "1.2M", "5 6", "1e3", "0x10", "+5"),
        *("99999999999999999999", "٥٫٥", "²", "n.d.", "undefined!", "1,234.5", "--5", "5-", "∞", "=1+1"),
    ],
)
def test_anything_else_in_a_count_is_refused_and_never_a_wrong_number(
    tmp_path: Path, name: str, column: str, text: str
) -> None:
    message = refusal(tmp_path, name, column, "1", text)
    report = report_named(name)
    where = f"{report.section.capitalize()}_x.zip/{report.member}, row 2, {ROWS[name, column]}: {text!r}"
    assert message.startswith(f"{where} is not a whole number")
    assert "Export it again" in message


@pytest.mark.parametrize(("name", "column"), COUNTS)
@pytest.mark.parametrize(("text", "number"), [("-7", -7), ("−7", -7), ("-1,234", -1234)])
def test_removals_are_negative_but_no_total_is(tmp_path: Path, name: str, column: str, text: str, number: int) -> None:
    if ROWS[name, column] in NEVER_NEGATIVE:
        assert "from 0 on" in refusal(tmp_path, name, column, text)
    else:
        assert read(tmp_path, name, column, text)[ROWS[name, column]].to_list() == [number]


@pytest.mark.parametrize("text", ["", "undefined", "24", "-1", "1.5", "noon"])
def test_an_invalid_hour_is_refused(tmp_path: Path, text: str) -> None:
    assert f"hour: {text!r} is not an hour from 0 to 23" in refusal(tmp_path, "follower_activity", "Hour", text)


@pytest.mark.parametrize("name", ["follower_gender", "follower_territories"])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.8099999999999999", 0.8099999999999999),
        ("1", 1.0),
        ("0", 0.0),
        ("1.0", 1.0),
        ("5e-05", 0.00005),
        ("1E-3", 0.001),
        (".5", 0.5),
        ("0,56", 0.56),
        ("٠٫٥٦", 0.56),
        ("0.386", 0.386),
        ("0.28400000000000003", 0.28400000000000003),
        ("undefined", None),
        ("--", None),
    ],
)
def test_a_share_is_the_float_that_is_written(tmp_path: Path, name: str, text: str, value: float | None) -> None:
    assert read(tmp_path, name, "Distribution", text)["share"].to_list() == [value]


@pytest.mark.parametrize("name", ["follower_gender", "follower_territories"])
@pytest.mark.parametrize(
    "text", ["1,56", "56%", "59,5%", "56", "1.5", "-0.1", "1e3", ".5e5", "1.", "half", "0.5.1", "1,000"]
)
def test_anything_else_in_a_share_is_refused(tmp_path: Path, name: str, text: str) -> None:
    message = refusal(tmp_path, name, "Distribution", text)
    assert f"row 1, share: {text!r} is not a share from 0 to 1 with a decimal point" in message


def test_a_gender_or_territory_without_a_name_is_refused(tmp_path: Path) -> None:
    assert "gender: '' is not a name" in refusal(tmp_path, "follower_gender", "Gender", "")
    assert "territory: ' ' is not" in refusal(tmp_path, "follower_territories", "Top territories", " ").replace(
        "''", "' '"
    )


def test_namibia_is_not_a_mark_for_missing(tmp_path: Path) -> None:
    frame = read(tmp_path, "follower_territories", "Top territories", "NA", "Others")
    assert frame["territory"].to_list() == ["NA", "Others"]


def test_many_unreadable_cells_are_counted_and_the_first_shown(tmp_path: Path) -> None:
    message = refusal(tmp_path, "follower_activity", "Active followers", *(["many"] * 9))
    assert message.count("'many'") == 5 and "and 4 more" in message


TEXT = st.one_of(st.sampled_from(["undefined", "--", "0", "-3", "1,234", "0.5", "1.5", "", " "]), st.text(max_size=6))


@examples(60)
@given(st.sampled_from(sorted(ROWS)), st.lists(TEXT.filter(lambda text: not {'"', "\n", "\r"} & set(text)), max_size=3))
def test_what_the_parser_lets_through_keeps_the_schema(key: tuple[str, str], texts: list[str]) -> None:
    """A value that only the schema refuses would stop the whole account instead of one file."""
    with TemporaryDirectory() as folder:
        try:
            rows = read(Path(folder), *key, *texts)
        except UnreadableValue:
            return
    report = report_named(key[0])
    assert violations(report.schema, rows.select(report.columns)) == []
    assert violations(report.schema, latest_per_grain(report, rows)) == []


def test_beside_an_undefined_total_zeros_are_placeholders_and_other_numbers_are_not(tmp_path: Path) -> None:
    header = ("Date", "Total Viewers", "New Viewers", "Returning Viewers")
    rows = [("March 12", "undefined", "0", "0"), ("March 13", "undefined", "3", "0"), ("March 14", "5", "5", "0")]
    frame = parsed(write(tmp_path / "Viewers.csv", quoted(header, *rows)))["viewers"]
    assert frame.select("unique_viewers", "new_viewers", "returning_viewers").rows() == [
        (None, None, None),
        (None, 3, None),
        (5, 5, 0),
    ]
    header = ("Date", "Followers", "Difference in followers from previous day")
    rows = [("March 12", "undefined", "0"), ("March 13", "undefined", "4"), ("March 14", "10", "0")]
    frame = parsed(write(tmp_path / "FollowerHistory.csv", quoted(header, *rows)))["follower_history"]
    assert frame.select("followers", "follower_difference").rows() == [(None, None), (None, 4), (10, 0)]


def test_the_zeros_after_the_last_counted_hour_are_marked_and_kept(tmp_path: Path) -> None:
    hours = [("March 15", hour, "0" if hour == 3 else "9") for hour in range(24)]
    hours += [("March 16", hour, "9" if hour < 2 else "0") for hour in range(24)]
    rows = [(label, str(hour), active) for label, hour, active in hours]
    path = write(tmp_path / "FollowerActivity.csv", quoted(("Date", "Hour", "Active followers"), *rows))
    frame = parsed(path)["follower_activity"]
    assert frame["active_followers"].to_list() == [int(active) for *_, active in hours]
    tail = frame.filter("is_zero_tail").select("date_label", "hour").rows()
    assert tail == [(dt.date(2026, 3, 16), hour) for hour in range(2, 24)]
    assert DOWNLOADED.date() == dt.date(2026, 3, 17)
