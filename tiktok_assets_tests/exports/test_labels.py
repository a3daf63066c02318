"""Labels of one account's daily files: rows that are equal, and what is chosen where nothing says which day is real."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from tiktok_assets.exports.labels import DailyFile, LocalDate, align
from tiktok_assets.exports.labels.groups import Groups
from tiktok_assets_tests.exports.labelled import BUSY, activity, daily, day, overview, shifts_of, utc

STEADY = [(7, 1, 2, 0, 0)] * 10
ZEROS = [(0, 0, 0, 0, 0)] * 10


def test_no_files_have_no_verdicts() -> None:
    assert align([]) == []


def test_a_file_alone_keeps_its_labels() -> None:
    [verdict] = align([overview("2026-03-01", BUSY)])
    assert (verdict.shift_days, verdict.confidence, verdict.against) == (0, "unproven", ())


def test_a_file_given_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        align([overview("2026-03-01", BUSY), overview("2026-03-01", BUSY)])


def test_equal_days_under_later_labels_are_one_day_and_the_last_label_says_which() -> None:
    earlier = overview("2026-03-06", BUSY[:8], "2026-03-15 04:00", export="early")
    moved = overview("2026-03-08", BUSY[1:], "2026-03-16 23:45", export="moved")
    first, second = align([earlier, moved])
    assert (first.shift_days, first.confidence) == (0, "proven")
    assert (second.shift_days, second.confidence) == (1, "proven")
    assert second.evidence == (
        "7 of 7 days equal on 5 metrics with overview of export early (2026-03-15), labelled here 1 day later",
        "its labels end on 2026-03-16, it was downloaded 2026-03-16 23:45 UTC: a day is never available "
        "before it has ended, so its labels are at least 1 day ahead",
    )
    assert first.calendar == second.calendar == "early/overview"


def test_equal_days_under_equal_labels_move_nothing() -> None:
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-04", BUSY[3:], export="b")]
    assert shifts_of(align(files)) == {"a": (0, "unproven"), "b": (0, "unproven")}
    assert len({verdict.calendar for verdict in align(files)}) == 1


@pytest.mark.parametrize("rows", [ZEROS, STEADY], ids=["zeros", "the same numbers every day"])
def test_days_that_are_all_alike_are_equal_at_any_shift_and_prove_none(rows: list[tuple[int, ...]]) -> None:
    files = [overview("2026-03-01", rows, export="a"), overview("2026-03-02", rows, export="b")]
    assert shifts_of(align(files)) == {"a": (0, "unproven"), "b": (0, "unproven")}
    assert len({verdict.calendar for verdict in align(files)}) == 2


def test_a_single_equal_day_proves_nothing() -> None:
    files = [overview("2026-03-01", BUSY[:6], export="a"), overview("2026-03-07", BUSY[5:], export="b")]
    assert shifts_of(align(files)) == {"a": (0, "unproven"), "b": (0, "unproven")}
    assert len({verdict.calendar for verdict in align(files)}) == 2


def test_counts_of_a_few_prove_nothing() -> None:
    rows = [(3, 1, 0, 0, 0), (4, 2, 0, 0, 0), (2, 1, 1, 0, 0)]  # 7 digits
    files = [overview("2026-03-01", rows, export="a"), overview("2026-03-02", rows, export="b")]
    assert len({verdict.calendar for verdict in align(files)}) == 2


def test_equal_days_among_many_that_differ_prove_nothing() -> None:
    other = [(1000 + n, 50 + n, 60 + n, n, n) for n in range(10)]
    rows = [BUSY[0], *other[:4], BUSY[5], *other[5:]]  # two days of BUSY, a day later; the others are of another kind
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-02", rows, export="b")]
    assert len({verdict.calendar for verdict in align(files)}) == 2


def test_a_restated_day_does_not_undo_a_match() -> None:
    restated = [*BUSY[:5], (30655, 454, 3921, 85, 262), *BUSY[6:]]
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-02", restated, export="b")]
    assert len({verdict.calendar for verdict in align(files)}) == 1


def test_equal_days_with_one_contradiction_prove_nothing() -> None:
    """Four days have the same labels, a fifth is a day earlier: with so few days, either may be chance."""
    rows = [*BUSY[:4], BUSY[5]]
    files = [overview("2026-03-01", BUSY[:6], export="a"), overview("2026-03-01", rows, export="b")]
    assert len({verdict.calendar for verdict in align(files)}) == 2
    longer = [*BUSY[:8], BUSY[9]]
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-01", longer, export="b")]
    assert len({verdict.calendar for verdict in align(files)}) == 1


def test_a_day_given_twice_in_one_file_proves_nothing() -> None:
    """Found in Viewers: one day appears under two labels, as if the second had not been moved."""
    days = [(313, 258, 55), (1522, 1422, 100), (1522, 1422, 100), (619, 541, 78)]
    other = [(313, 258, 55), (1522, 1422, 100), (371, 266, 105), (619, 541, 78)]
    a, b = daily("viewers", "2026-03-01", days, export="a"), daily("viewers", "2026-03-01", other, export="b")
    assert dict(a.distinctive_days) == {(313, 258, 55): 739676, (619, 541, 78): 739679}
    assert shifts_of(align([a, b])) == {"a": (0, "unproven"), "b": (0, "unproven")}


def test_labels_three_days_apart_are_impossible_and_reported() -> None:
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-04", BUSY, export="b")]
    verdicts = align(files)
    assert shifts_of(verdicts) == {"a": (0, "unproven"), "b": (0, "unproven")}
    assert verdicts[1].against == (
        "10 of 10 days equal on 5 metrics with overview of export a (2026-06-01), labelled here 3 days later",
    )


def test_labels_two_days_apart_are_one_behind_and_one_ahead() -> None:
    files = [overview("2026-03-01", BUSY, export="a"), overview("2026-03-03", BUSY, export="b")]
    assert shifts_of(align(files)) == {"a": (-1, "proven"), "b": (1, "proven")}


def test_a_tie_that_contradicts_stronger_ones_changes_nothing() -> None:
    groups = Groups([overview("2026-03-01", BUSY, export=export) for export in "abc"])
    assert groups.tie(0, 1, 1)
    assert groups.tie(1, 2, 0)
    assert not groups.tie(0, 2, 0)
    assert groups.tie(0, 2, 1)
    [group] = groups
    assert {group.ahead[number] - group.ahead[0] for number in (1, 2)} == {1}


def test_steps_of_the_follower_count_tie_files_and_a_constant_count_does_not() -> None:
    growing = [40, 40, 42, 42, 42, 45, 46, 46, 50, 51]
    a, b = (
        daily("follower_history", label, growing, export=export)
        for label, export in (("2026-03-01", "a"), ("2026-03-02", "b"))
    )
    assert {verdict.calendar for verdict in align([a, b])} == {"a/follower_history"}
    standing = [40] * 60
    c, d = (
        daily("follower_history", label, standing, export=export)
        for label, export in (("2026-03-01", "c"), ("2026-03-02", "d"))
    )
    assert shifts_of(align([c, d])) == {"c": (0, "unproven"), "d": (0, "unproven")}
    assert len({verdict.calendar for verdict in align([c, d])}) == 2


def test_four_steps_of_the_follower_count_prove_nothing() -> None:
    four = [3117, 3200, 3311, 3400, 3520]
    files = [
        daily("follower_history", "2026-03-01", four, export="a"),
        daily("follower_history", "2026-03-02", four, export="b"),
    ]
    assert len({verdict.calendar for verdict in align(files)}) == 2


def test_activity_is_matched_by_dates_and_its_unfinished_last_date_is_left_out() -> None:
    whole = activity("2026-03-01", 7, "2026-06-01 20:00", export="a")
    shorter = activity("2026-03-01", 5, "2026-06-01 20:00", last_hours=2, export="b")
    first, second = align([whole, shorter])
    assert first.calendar == second.calendar
    assert second.evidence[0].startswith("4 of 4 days equal on 24 hours")


def test_where_nothing_says_which_day_is_real_the_fewest_files_are_moved() -> None:
    files = [
        overview("2026-03-02", BUSY, export="a"),
        overview("2026-03-02", BUSY, export="b"),
        overview("2026-03-01", BUSY, export="c"),
    ]
    assert shifts_of(align(files)) == {"a": (0, "relative"), "b": (0, "relative"), "c": (-1, "relative")}


def test_of_two_files_the_one_with_later_labels_is_moved() -> None:
    files = [overview("2026-03-02", BUSY, export="a"), overview("2026-03-01", BUSY, export="b")]
    verdicts = align(files)
    assert shifts_of(verdicts) == {"a": (1, "relative"), "b": (0, "relative")}
    assert verdicts[0].evidence[-1] == ("which day is the real one is not known: labels ahead by 0 or 1 are possible")


def test_the_accounts_own_date_at_the_downloads_chooses_between_the_rest() -> None:
    """Two files labelled a day ahead, one not: their owner's date was ahead of UTC at these two downloads."""
    files = [
        overview("2026-03-02", BUSY, "2026-04-01 20:00", export="a"),
        overview("2026-03-02", BUSY, "2026-04-02 21:00", export="b"),
        overview("2026-03-01", BUSY, "2026-04-03 09:00", export="c"),
    ]
    dates = [
        LocalDate(utc("2026-04-01 20:00"), day("2026-04-02")),
        LocalDate(utc("2026-04-03 09:00"), day("2026-04-03")),
    ]
    assert shifts_of(align(files, local_dates=dates)) == {
        "a": (1, "relative"),
        "b": (1, "relative"),
        "c": (0, "relative"),
    }


def test_a_row_with_an_undefined_number_is_no_evidence_and_no_error() -> None:
    rows: list[tuple[int | None, ...]] = [(None, 0, 0)] * 5
    assert shifts_of(align([daily("viewers", "2026-03-01", rows)])) == {"a": (0, "unproven")}


def test_a_file_without_rows_keeps_its_labels() -> None:
    empty = pl.DataFrame(schema={"date_label": pl.Date, "hour": pl.Int64, "active_followers": pl.Int64})
    file = DailyFile(
        export_id="a",
        report="follower_activity",
        downloaded_at=dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        downloaded_at_evidence="zip_stamp",
        rows=empty,
    )
    assert shifts_of(align([file])) == {"a": (0, "unproven")}
