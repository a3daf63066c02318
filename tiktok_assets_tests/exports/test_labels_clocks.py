"""The last label compared with the time of the download, and the account's own clock."""

from __future__ import annotations

import pytest

from tiktok_assets.exports.labels import DailyFile, LocalDate, align
from tiktok_assets.exports.labels.clocks import utc_offset, zero_tail
from tiktok_assets_tests.exports.labelled import BUSY, activity, daily, day, overview, shifts_of, utc

# BUSY from 1 March on ends on 10 March.


@pytest.mark.parametrize(
    ("at", "found"),
    [
        ("2026-03-10 23:59", (1, "proven")),  # the day itself: it has not ended
        ("2026-03-11 00:01", (1, "likely")),  # it has ended, but no day was ever available before noon
        ("2026-03-11 11:59", (1, "likely")),
        ("2026-03-11 12:00", (0, "unproven")),  # available, or a day late: both were observed
        ("2026-03-11 20:00", (0, "unproven")),
        ("2026-03-12 04:00", (0, "unproven")),
        ("2026-03-30 20:00", (0, "unproven")),  # a window may end early
    ],
)
def test_the_last_label_against_the_download(at: str, found: tuple[int, str]) -> None:
    assert shifts_of(align([overview("2026-03-01", BUSY, at)])) == {"a": found}


def test_rows_without_numbers_after_the_data_do_not_count() -> None:
    rows = [*BUSY[:8], (0, 0, 0, 0, 0), (0, 0, 0, 0, 0)]
    assert shifts_of(align([overview("2026-03-01", rows, "2026-03-10 20:00")])) == {"a": (0, "unproven")}
    viewers: list[tuple[int | None, ...]] = [*[(9, 8, 1)] * 8, *[(None, 0, 0)] * 2]
    assert shifts_of(align([daily("viewers", "2026-03-01", viewers, "2026-03-10 20:00")])) == {"a": (0, "unproven")}


@pytest.mark.parametrize("evidence", ["file_time", "zip_name", "export_date_column", "last_row"])
def test_a_time_that_is_not_the_downloads_own_says_nothing(evidence: str) -> None:
    file = daily("overview", "2026-03-01", BUSY, "2026-03-10 20:00", evidence=evidence)
    assert shifts_of(align([file])) == {"a": (0, "unproven")}


def test_viewers_a_day_ahead_may_be_two_ahead_and_stay() -> None:
    rows = [(100 + n, 60, 40 + n) for n in range(10)]
    [verdict] = align([daily("viewers", "2026-03-01", rows, "2026-03-10 20:00")])
    assert (verdict.shift_days, verdict.confidence) == (0, "unproven")
    assert "at least 1 day ahead" in verdict.evidence[-1]


def test_viewers_labelled_after_the_download_are_two_ahead() -> None:
    rows = [(100 + n, 60, 40 + n) for n in range(10)]
    assert shifts_of(align([daily("viewers", "2026-03-01", rows, "2026-03-09 20:00")])) == {"a": (2, "proven")}


def test_a_clock_that_requires_an_impossible_shift_is_overruled_and_reported() -> None:
    [verdict] = align([overview("2026-03-01", BUSY, "2026-03-07 20:00")])
    assert (verdict.shift_days, verdict.confidence) == (0, "unproven")
    assert "at least 4 days ahead" in verdict.against[0]


def test_a_clock_that_contradicts_two_equal_files_is_overruled() -> None:
    """Labels of ``b`` are behind those of ``a``: it cannot be ahead as its clock says, unless ``a`` were two ahead."""
    a = overview("2026-03-02", BUSY, "2026-06-01 20:00", export="a")
    b = overview("2026-03-01", BUSY, "2026-03-10 20:00", export="b")
    verdicts = align([a, b])
    assert shifts_of(verdicts) == {"a": (1, "relative"), "b": (0, "relative")}
    assert "at least 1 day ahead" in next(verdict for verdict in verdicts if verdict.export_id == "b").against[0]


# Activity: dates from 18 March on; the last one counts until 00:00 UTC by its own clock.


@pytest.mark.parametrize(
    ("last_hours", "at", "found"),
    [
        (2, "2026-03-24 23:45", (1, "proven")),  # UTC+2: 24 March, on 24 March
        (2, "2026-03-25 12:30", (0, "unproven")),
        (19, "2026-03-25 23:45", (1, "proven")),  # UTC-5: 25 March, on 25 March
        (19, "2026-03-26 12:30", (0, "unproven")),
        (13, "2026-03-25 14:00", (0, "unproven")),  # UTC+13: 24 March; or UTC-11: then it would be moved
        (24, "2026-03-25 20:00", (1, "proven")),  # no tail: at the very least, the 25th had begun
    ],
)
def test_activity_ends_at_midnight_utc(last_hours: int, at: str, found: tuple[int, str]) -> None:
    assert shifts_of(align([activity("2026-03-18", 8, at, last_hours=last_hours)])) == {"a": found}


def test_hours_without_any_active_followers_are_not_a_tail() -> None:
    assert zero_tail(activity("2026-03-18", 8, "2026-06-01 20:00", last_hours=2)) == 2
    assert zero_tail(activity("2026-03-18", 8, "2026-06-01 20:00", last_hours=22, quiet=(23,))) is None
    assert zero_tail(activity("2026-03-18", 8, "2026-06-01 20:00", last_hours=24)) is None
    assert zero_tail(activity("2026-03-18", 2, "2026-06-01 20:00", last_hours=2)) is None
    assert zero_tail(overview("2026-03-18", BUSY)) is None


def test_the_history_of_one_zip_follows_its_activity() -> None:
    history = daily("follower_history", "2026-01-01", [40, 40, 41], "2026-03-24 23:45", export="z")
    hours = activity("2026-03-18", 8, "2026-03-24 23:45", last_hours=2, export="z")
    assert [(v.report, v.shift_days, v.confidence) for v in align([history, hours])] == [
        ("follower_activity", 1, "proven"),
        ("follower_history", 1, "likely"),
    ]


def test_files_of_one_zip_that_contradict_each_other_are_reported() -> None:
    growing = [40, 41, 43, 46, 50, 55, 61]
    others = [
        daily("follower_history", "2026-01-01", growing, "2026-01-07 20:00", export="x"),  # proven a day ahead
        daily("follower_history", "2025-12-31", growing, "2026-03-24 23:45", export="z"),  # so this is not
    ]
    hours = activity("2026-03-18", 8, "2026-03-24 23:45", last_hours=2, export="z")
    found = {(v.export_id, v.report): v for v in align([*others, hours])}
    assert found["z", "follower_history"].shift_days == 0
    assert found["z", "follower_activity"].shift_days == 1
    assert "one ZIP" in found["z", "follower_history"].against[0]


AT = "2026-06-01 20:00"


@pytest.mark.parametrize(
    ("files", "dates", "hours"),
    [
        ([], [], (-12, 14)),
        ([activity("2026-03-18", 8, AT, last_hours=2)], [], (1, 2)),
        ([activity("2026-03-18", 8, AT, last_hours=19)], [], (-6, -5)),
        ([activity("2026-03-18", 8, AT, last_hours=12)], [], (-12, 14)),
        ([], [("2026-06-29 20:00", "2026-06-30")], (4, 14)),
        ([], [("2026-06-29 20:00", "2026-06-29")], (-12, 4)),
        ([], [("2026-06-29 20:00", "2026-06-30"), ("2026-06-29 15:00", "2026-06-29")], (4, 9)),
        ([], [("2026-06-29 20:00", "2026-06-30"), ("2026-06-29 03:00", "2026-06-28")], (-12, 14)),  # a traveller
        ([activity("2026-03-18", 8, AT, last_hours=2), activity("2026-03-18", 8, AT, last_hours=3)], [], (1, 3)),
    ],
)
def test_the_utc_offset_is_a_range(
    files: list[DailyFile], dates: list[tuple[str, str]], hours: tuple[float, float]
) -> None:
    assert utc_offset(files, [LocalDate(utc(at), day(date)) for at, date in dates]) == hours
