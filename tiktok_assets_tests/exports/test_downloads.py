"""Which of two exports is the later one: by the best evidence, the time of a file last."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.exports.downloads import vintage
from tiktok_assets.reports.overview import OVERVIEW
from tiktok_assets.reports.reading import open_export
from tiktok_assets.reports.report import settle, undecided
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.export_files import quoted, write, zipped

HEADER = ("Date", "Video Views", "Profile Views", "Likes", "Comments", "Shares")
FIRST = dt.date(2026, 4, 1)
Made = tuple[str, str | bytes, dt.datetime]


def at(day: dt.date, hour: int = 10) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), dt.UTC)


def table(days: int, views: int) -> str:
    dates = [FIRST + dt.timedelta(days=n) for n in range(days)]
    return quoted(HEADER, *((f"{date:%B} {date.day}", str(views), "1", "2", "3", "4") for date in dates))


def loose(name: str, days: int, views: int, copied_on: dt.date) -> Made:
    return name, table(days, views), at(copied_on)


def stamped(name: str, days: int, views: int, downloaded_on: dt.date, copied_on: dt.date) -> Made:
    return name, zipped({"Overview.csv": table(days, views)}, at(downloaded_on, 18)), at(copied_on)


def rows(*exports: Made) -> pl.DataFrame:
    frames = []
    with TemporaryDirectory() as folder:
        for name, content, changed in exports:
            with open_export(write(Path(folder, name), content, changed)) as export:
                frames += [
                    member.report.parse(raw.lazy().collect()) for member, raw in export.frames(account="m", source=name)
                ]
    return pl.concat(frames)


def views_on(frame: pl.DataFrame, day: dt.date) -> int:
    return settle(OVERVIEW, frame).filter(date=day)["video_views"].item()


@examples(40)
@given(st.integers(2, 40), st.integers(1, 40), st.integers(2, 300), st.integers(2, 300), st.booleans())
def test_a_late_copy_of_an_older_export_never_wins(
    days: int, more: int, copied: int, other_copied: int, is_stamped: bool
) -> None:
    """Of two exports of one account the one whose window ends later was made later, whenever they were copied."""
    last, later = FIRST + dt.timedelta(days=days - 1), FIRST + dt.timedelta(days=days + more - 1)
    older = loose("older.csv", days, 5, last + dt.timedelta(days=copied))
    other = later + dt.timedelta(days=other_copied)
    newer = loose("newer.csv", days + more, 109, other)
    if is_stamped:
        newer = stamped("Overview_mara.zip", days + more, 109, later + dt.timedelta(days=1), other)
    for exports in itertools.permutations((older, newer)):
        frame = rows(*exports)
        assert views_on(frame, last) == 109
        assert undecided(OVERVIEW, frame).is_empty()


def test_of_equal_windows_the_later_file_time_decides() -> None:
    first = loose("first.csv", 10, 5, dt.date(2026, 4, 12))
    second = loose("second.csv", 10, 9, dt.date(2026, 4, 13))
    for exports in itertools.permutations((first, second)):
        frame = rows(*exports)
        assert views_on(frame, FIRST) == 9 and undecided(OVERVIEW, frame).is_empty()


def test_what_only_the_ids_decide_is_reported_with_both_of_them() -> None:
    frame = rows(loose("one.csv", 3, 5, dt.date(2026, 4, 5)), loose("two.csv", 3, 9, dt.date(2026, 4, 5)))
    found = undecided(OVERVIEW, frame)
    assert found["date"].to_list() == [FIRST + dt.timedelta(days=n) for n in range(3)]
    assert found["export_ids"].list.len().to_list() == [2, 2, 2]


def test_exports_that_agree_leave_nothing_undecided() -> None:
    frame = rows(loose("one.csv", 3, 5, dt.date(2026, 4, 5)), loose("two.csv", 3, 5, dt.date(2026, 4, 5)))
    assert undecided(OVERVIEW, frame).is_empty()


def test_rivals_that_a_later_export_overrules_decide_nothing() -> None:
    copies = [loose("one.csv", 3, 5, dt.date(2026, 4, 5)), loose("two.csv", 3, 9, dt.date(2026, 4, 5))]
    assert undecided(OVERVIEW, rows(*copies, loose("three.csv", 4, 7, dt.date(2026, 4, 5)))).is_empty()


MOMENT = dt.datetime(2026, 5, 1, 10, tzinfo=dt.UTC)


@pytest.mark.parametrize("evidence", ["captured_at", "zip_stamp", "zip_name", "export_date_column"])
def test_what_states_the_download_orders_by_it(evidence: str) -> None:
    assert vintage(MOMENT, evidence, dt.date(2026, 4, 10)) == (MOMENT, evidence)


def test_without_it_the_end_of_the_window_orders_and_without_days_the_file() -> None:
    noon = dt.datetime(2026, 4, 11, 12, tzinfo=dt.UTC)
    assert vintage(MOMENT, "file_time", dt.date(2026, 4, 10)) == (noon, "window_end")
    assert vintage(MOMENT, "last_row", dt.date(2026, 4, 10)) == (noon, "window_end")
    assert vintage(MOMENT, "file_time", None) == (MOMENT, "file_time")
