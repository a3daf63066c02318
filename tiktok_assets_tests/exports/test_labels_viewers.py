"""Viewers against views: the labels of Viewers run a day ahead in most accounts."""

from __future__ import annotations

import pytest

from tiktok_assets.exports.labels import DailyFile, align
from tiktok_assets.exports.labels.viewers import fit
from tiktok_assets_tests.exports.labelled import LONG_AGO, daily

VIEWS = [310, 95, 40, 700, 220, 130, 60, 55, 1500, 480, 210, 90, 75, 300, 110, 65, 820, 340, 150, 80]
PEOPLE = [views * (6 + n % 3) // 10 for n, views in enumerate(VIEWS)]


def pair(
    first_label: str, people: list[int], views: list[int] = VIEWS, *, at: str = LONG_AGO
) -> list[tuple[str, int, str]]:
    """(report, shift, confidence) of Overview from 1 March on, and Viewers from ``first_label`` on."""
    view_rows = [(count, count // 50, count // 9, 0, 0) for count in views]
    viewer_rows = [(count, count // 2, count - count // 2) for count in people]
    files: list[DailyFile] = [
        daily("overview", "2026-03-01", view_rows, at, export="o"),
        daily("viewers", first_label, viewer_rows, at, export="v"),
    ]
    return [(verdict.report, verdict.shift_days, verdict.confidence) for verdict in align(files)]


@pytest.mark.parametrize(("first_label", "shift"), [("2026-03-01", 0), ("2026-03-02", 1)])
def test_viewers_follow_the_views_of_their_day(first_label: str, shift: int) -> None:
    confidence = "relative" if shift else "unproven"
    assert pair(first_label, PEOPLE) == [("overview", 0, confidence), ("viewers", shift, confidence)]


def test_viewers_follow_an_overview_whose_shift_is_proven() -> None:
    """Overview ends on its label 20 March and was downloaded on that day."""
    assert pair("2026-03-02", PEOPLE[:18], at="2026-03-20 20:00") == [
        ("overview", 1, "proven"),
        ("viewers", 2, "likely"),
    ]


def test_single_days_labelled_a_day_early_do_not_hide_the_shift() -> None:
    glitch = [*PEOPLE[:5], PEOPLE[6], *PEOPLE[6:]]
    assert pair("2026-03-02", glitch)[1] == ("viewers", 1, "relative")


def test_a_day_with_more_viewers_than_views_does_not_hide_the_shift() -> None:
    assert pair("2026-03-02", [*PEOPLE[:6], 70, *PEOPLE[7:]])[1] == ("viewers", 1, "relative")


@pytest.mark.parametrize(
    ("days", "noise", "is_clear"),
    [(14, 4, True), (14, 5, False), (28, 5, True), (28, 6, False), (56, 6, False)],  # 1.86, 1.64, 1.67, 1.54, 1.49
)
def test_an_offset_must_be_clearer_than_others_the_more_so_with_few_days(days: int, noise: int, is_clear: bool) -> None:
    views = {label: (1000 + 100 * (label * 5 % 7) + 60 * (label * label % 11),) for label in range(days)}
    people = {label + 1: (count * (30 + noise * (label * 3 % 5)) // 100,) for label, (count,) in views.items()}
    found = fit(views, people)
    assert (found is not None) == is_clear
    assert found is None or found.days == 1


@pytest.mark.parametrize(
    ("people", "views"),
    [
        (PEOPLE[:12], VIEWS[:12]),
        ([70] * 20, [100] * 20),
        ([0] * 20, [0] * 20),
        (PEOPLE[::-1], VIEWS),
        ([count * 3 for count in PEOPLE], VIEWS),
        ([views * 13 // 10 if n % 5 == 0 else PEOPLE[n] for n, views in enumerate(VIEWS)], VIEWS),
    ],
    ids=["few days", "steady", "nobody", "of another account", "always above views", "above views every fifth day"],
)
def test_viewers_that_prove_nothing_keep_their_labels(people: list[int], views: list[int]) -> None:
    assert pair("2026-03-02", people, views) == [("overview", 0, "unproven"), ("viewers", 0, "unproven")]
