"""Several tables in one file or sheet, one below the other: each is read, or reported as not read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import parsed, workbook, write

LINK = "https://www.tiktok.com/@mara.lind/video/7590910596061605945"
TABLES = {
    "overview": (
        ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares"),
        ("March 13", "1", "2", "3", "4", "5"),
        ("March 14", "2", "2", "3", "4", "5"),
    ),
    "viewers": (("Date", "Total Viewers", "New Viewers", "Returning Viewers"), ("March 14", "9", "4", "5")),
    "follower_history": (
        ("Date", "Followers", "Difference in followers from previous day"),
        ("March 13", "100", "1"),
        ("March 14", "101", "1"),
    ),
    "follower_activity": (("Date", "Hour", "Active followers"), ("March 14", "0", "6"), ("March 14", "1", "7")),
    "follower_gender": (("Gender", "Distribution"), ("Male", "0.6"), ("Female", "0.4")),
    "follower_territories": (("Top territories", "Distribution"), ("DE", "0.5"), ("Others", "0.5")),
    "content": (
        ("Video title", "Video link", "Post time", "Video views", "Likes", "Comments", "Shares", "Add to Favorites"),
        ("harbour", LINK, "2026/01/02 23:30:00", "1", "2", "3", "4", "5"),
    ),
}
Rows = list[tuple[str, ...]]


def file(folder: str, rows: Rows, kind: str) -> Path:
    if kind == "xlsx":
        return write(Path(folder, "analytics.xlsx"), workbook(*rows))
    return write(Path(folder, "analytics.csv"), "\n".join(";".join(row) for row in rows))


def values(frames: dict[str, pl.DataFrame]) -> dict[str, list[tuple[object, ...]]]:
    told = ("member", "source", "export_id", "row_number", "vintage", "vintage_evidence", "window_first", "window_last")
    told += ("year_evidence",)  # a snapshot alone in a file is in doubt
    return {
        name: frame.select(column for column in frame.columns if column not in told).rows()
        for name, frame in frames.items()
    }


@examples(60)
@given(
    reports=st.lists(st.sampled_from(sorted(TABLES)), min_size=1, max_size=4, unique=True),
    gap=st.integers(0, 2),
    is_titled=st.booleans(),
    has_note=st.booleans(),
    kind=st.sampled_from(["csv", "xlsx"]),
)
def test_every_table_of_a_file_is_read(
    reports: list[str], gap: int, *, is_titled: bool, has_note: bool, kind: str
) -> None:
    gap = max(gap, int(is_titled))
    rows: Rows = []
    for report in reports:
        rows += [*([("",)] * gap if rows else []), *([(f"My {report}",)] if is_titled else []), *TABLES[report]]
    if has_note:
        rows += [("",), ("Made by Mara",)]
    with TemporaryDirectory() as folder:
        path = file(folder, rows, kind)
        alone = {report: values(parsed(file(folder + report, [*TABLES[report]], "csv")))[report] for report in reports}
        assert values(parsed(path)) == alone
        with open_export(path) as export:
            assert any("not read" in one and "Made by Mara" in one for one in export.warnings) == has_note
            assert len({member.name for member in export.members}) == len(reports)


def test_a_table_of_another_program_below_is_reported_as_not_read(tmp_path: Path) -> None:
    rows: Rows = [*TABLES["overview"], ("",), ("City", "Share"), ("Lund", "0.3")]
    path = file(str(tmp_path), rows, "csv")
    assert parsed(path)["overview"]["video_views"].to_list() == [1, 2]
    with open_export(path) as export:
        assert any("not read" in one and "City, Share" in one for one in export.warnings)


def test_rows_below_an_empty_row_belong_to_the_table_above(tmp_path: Path) -> None:
    header, first, second = TABLES["overview"]
    for kind in ("csv", "xlsx"):
        path = file(str(tmp_path), [header, first, ("",), second], kind)
        assert parsed(path)["overview"]["video_views"].to_list() == [1, 2]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_one_report_twice_in_a_file_is_refused(tmp_path: Path, kind: str) -> None:
    header, *rows = TABLES["overview"]
    wider = [(*header, "New followers"), *((*row, "1") for row in rows)]
    with (
        pytest.raises(BrokenFile, match="Overview 2 times"),
        open_export(file(str(tmp_path), [*TABLES["overview"], ("",), *wider], kind)),
    ):
        pass


def test_a_file_named_after_one_of_its_tables_is_read(tmp_path: Path) -> None:
    rows = [*TABLES["overview"], ("",), *TABLES["viewers"]]
    path = write(tmp_path / "Overview.csv", "\n".join(",".join(row) for row in rows))
    assert {name: frame.height for name, frame in parsed(path).items()} == {"overview": 2, "viewers": 1}
