"""Snapshots without a date, dated by the files of their visit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.visits import Sibling, is_undated, moment_of_visit, of_one_visit
from tiktok_assets.reports.reading import open_export
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import write

COPIED = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
GENDER = "Gender,Distribution\nMale,0.6\nFemale,0.4"
TERRITORIES = "Top territories,Distribution\nDE,0.5\nOthers,0.5"
HISTORY = "Date,Followers,Difference in followers from previous day\n{:%Y-%m-%d},100,0\n{:%Y-%m-%d},101,1"
OVERVIEW = "Date,Video Views,Profile Views,Likes,Comments,Shares\n{:%B} {:%-d},1,2,3,4,5"
UNDATED = {"FollowerGender": GENDER, "FollowerTopTerritories": TERRITORIES}


def dated(path: Path) -> tuple[dt.date, str, tuple[str, ...]]:
    with open_export(path, of_one_visit(path, path.parent.iterdir())) as export:
        [rows] = [rows.lazy().collect() for _, rows in export.frames(account="mara", source=path.name)]
        return rows["date_label"][0], export.downloaded_at_evidence, export.warnings


def history(last: dt.date) -> str:
    return HISTORY.format(last - dt.timedelta(days=1), last)


@examples(40)
@given(
    report=st.sampled_from(sorted(UNDATED)),
    name=st.sampled_from(["{}.csv", "{} (1).csv", "{}-2.csv", "Copy of {}.csv", "{} - Kopie.csv", "2026-04 {}.csv"]),
    last=st.dates(dt.date(2025, 1, 1), dt.date(2026, 11, 1)),
)
def test_a_snapshot_has_the_day_of_the_file_of_the_same_name(report: str, name: str, last: dt.date) -> None:
    with TemporaryDirectory() as folder:
        write(Path(folder, name.format("FollowerHistory")), history(last), COPIED)
        write(Path(folder, "FollowerHistory (7).csv"), history(last - dt.timedelta(days=60)), COPIED)
        path = write(Path(folder, name.format(report)), UNDATED[report], COPIED)
        date, evidence, warnings = dated(path)
    assert (date, evidence) == (last + dt.timedelta(days=1), "siblings")
    assert any(f"dated {date} like" in one and f"whose last day is {last}" in one for one in warnings)


def test_the_name_that_studio_gives_to_overview_dates_the_snapshots_beside_it(tmp_path: Path) -> None:
    day = dt.date(2026, 4, 13)
    write(tmp_path / "Overview_2026-04-13_1776074400_mara.lind.csv", OVERVIEW.format(day, day), COPIED)
    for report, text in UNDATED.items():
        date, evidence, (warning,) = dated(write(tmp_path / f"{report}.csv", text, COPIED))
        assert (date, evidence) == (dt.date(2026, 4, 14), "siblings")
        assert "like Overview_2026-04-13_1776074400_mara.lind.csv beside it, by its name" in warning


def test_a_file_that_was_copied_at_another_time_is_no_evidence_unless_the_names_share_a_date(tmp_path: Path) -> None:
    last, later = dt.date(2026, 4, 13), COPIED - dt.timedelta(days=30)
    write(tmp_path / "FollowerHistory.csv", history(last), later)
    *found, (doubt,) = dated(write(tmp_path / "FollowerGender.csv", GENDER, COPIED))
    assert found == [COPIED.date(), "file_time"]
    assert doubt.startswith("FollowerGender contains no date: its day rests on the time of the file")
    write(tmp_path / "2026-04-14 FollowerHistory.csv", history(last), later)
    path = write(tmp_path / "2026-04-14 FollowerGender.csv", GENDER, COPIED)
    assert dated(path)[:2] == (dt.date(2026, 4, 14), "siblings")


@pytest.mark.parametrize("others", [[], ["notes.txt"], ["FollowerGender.csv"], ["Followers_mara.lind.zip"]])
def test_without_dated_files_beside_it_a_snapshot_has_the_day_of_its_file(tmp_path: Path, others: list[str]) -> None:
    for other in others:
        write(tmp_path / other, "no table", COPIED)
    path = write(tmp_path / "FollowerTopTerritories.csv", TERRITORIES, COPIED)
    *found, (doubt,) = dated(path)
    assert found == [COPIED.date(), "file_time"]
    assert f"its day rests on the time of the file ({COPIED:%Y-%m-%d}), which may be that of a copy" in doubt
    with open_export(path) as export:
        assert export.doubts == (doubt,)
        assert [member.days.year_evidence for member in export.members] == ["doubtful_day"]


def test_files_of_several_visits_date_nothing_and_are_named(tmp_path: Path) -> None:
    write(tmp_path / "FollowerHistory.csv", history(dt.date(2026, 4, 13)), COPIED)
    day = dt.date(2026, 6, 13)
    write(tmp_path / "Overview_2026-06-13_1781344800_mara.lind.csv", OVERVIEW.format(day, day), COPIED)
    date, evidence, (doubt, warning) = dated(write(tmp_path / "FollowerGender.csv", GENDER, COPIED))
    assert (date, evidence) == (COPIED.date(), "file_time")
    assert "may be that of a copy" in doubt
    assert "several visits" in warning and "FollowerHistory.csv" in warning and "folder of their own" in warning


def sibling(day: int, evidence: str = "window_end") -> Sibling:
    moment = dt.datetime(2026, 4, day, 12, tzinfo=dt.UTC)
    return Sibling(name=f"{day}.csv", moment=moment, evidence=evidence, last_day=moment.date() - dt.timedelta(days=1))


def test_the_best_evidence_and_then_the_latest_file_of_the_visit_counts() -> None:
    def day(*siblings: Sibling) -> int | None:
        moment, _ = moment_of_visit(COPIED, siblings)
        return moment.day if moment else None

    assert day(sibling(13), sibling(14)) == 14
    assert day(sibling(13, "zip_name"), sibling(14)) == 13
    assert day(sibling(1), sibling(14)) is None
    assert moment_of_visit(dt.datetime(2026, 4, 15, tzinfo=dt.UTC), [sibling(14)]) == (
        None,
        "",
    )


NAMES: Iterable[tuple[str, bool]] = [
    *(
        ("FollowerGender.csv", True),
        ("Follower Top Territories (1).xlsx", True),
        ("FollowerGender_mara.lind.csv", True),
    ),
    *(("FollowerGender.zip", False), ("Gender.csv", False), ("FollowerHistory.csv", False)),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_names_of_loose_reports_without_a_date(name: str, *, expected: bool) -> None:
    assert is_undated(name) is expected
