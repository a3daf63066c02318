"""First views against upload times."""

from __future__ import annotations

import pytest

from tiktok_assets.exports.labels import DailyFile, LocalDate, Upload, align
from tiktok_assets_tests.exports.labelled import day, overview, shifts_of, utc, video

EAST = [LocalDate(utc("2026-06-01 20:00"), day("2026-06-02"))]
"""The account's clock is ahead of UTC: a video is posted before the UTC date of its local post date has ended."""

POSTED = ("2026-03-08", "2026-03-18", "2026-03-28")


def quiet_but_for(leaps: dict[str, int]) -> DailyFile:
    """40 labels from 1 March on with 20 views, and more on some."""
    rows = [(leaps.get(f"2026-{3 + n // 31:02}-{n % 31 + 1:02}", 20), 1, 2, 0, 0) for n in range(40)]
    return overview("2026-03-01", rows)


def three_videos(**changes: str | int | None) -> list[Upload]:
    return [video(f"{date} 09:00", **changes) for date in POSTED]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("labels", "shift"),
    [
        (("2026-03-08", "2026-03-18", "2026-03-28"), 0),
        (("2026-03-09", "2026-03-19", "2026-03-29"), 1),
        (("2026-03-07", "2026-03-17", "2026-03-27"), -1),
    ],
)
def test_three_videos_whose_views_leap_alike_prove_the_day(labels: tuple[str, ...], shift: int) -> None:
    [verdict] = align([quiet_but_for(dict.fromkeys(labels, 900))], uploads=three_videos(), local_dates=EAST)
    assert (verdict.shift_days, verdict.confidence) == (shift, "likely")
    assert "the posting of 3 of 3 conclusive videos" in verdict.evidence[0]


A_DAY_LATER = {"2026-03-09": 900, "2026-03-19": 900, "2026-03-29": 900}


def test_two_videos_prove_nothing() -> None:
    assert shifts_of(align([quiet_but_for(A_DAY_LATER)], uploads=three_videos()[:2], local_dates=EAST)) == {
        "a": (0, "unproven")
    }


def test_three_videos_that_disagree_prove_nothing() -> None:
    file = quiet_but_for({"2026-03-09": 900, "2026-03-19": 900, "2026-03-28": 900})
    assert shifts_of(align([file], uploads=three_videos(), local_dates=EAST)) == {"a": (0, "unproven")}


def test_three_videos_against_one_prove_nothing() -> None:
    file = quiet_but_for(A_DAY_LATER | {"2026-04-03": 900})
    uploads = [*three_videos(), video("2026-04-03 09:00")]
    assert shifts_of(align([file], uploads=uploads, local_dates=EAST)) == {"a": (0, "unproven")}
    assert shifts_of(align([file], uploads=uploads[:3], local_dates=EAST)) == {"a": (1, "likely")}


@pytest.mark.parametrize(
    "uploads",
    [
        [],
        [video(f"{date} 09:00", post_date=None) for date in POSTED],
        [video(f"{date} 09:00", post_date=f"{date[:-1]}9") for date in POSTED],
        [video(f"{date} 19:00") for date in POSTED],  # most first views come on the next day
        [video(f"{date} 09:00", views=300) for date in POSTED],  # 880 more views are not this video's
        [*three_videos(), *(video(f"{date[:-1]}9 09:00", views=300) for date in POSTED)],
    ],
    ids=["none", "no post date", "scheduled", "late in the day", "too few views", "in company"],
)
def test_videos_that_do_not_count(uploads: list[Upload]) -> None:
    assert shifts_of(align([quiet_but_for(A_DAY_LATER)], uploads=uploads, local_dates=EAST)) == {"a": (0, "unproven")}


def test_west_of_greenwich_a_video_of_today_may_be_posted_tomorrow_in_utc() -> None:
    file = quiet_but_for(A_DAY_LATER)
    west = [LocalDate(utc("2026-06-01 03:00"), day("2026-05-31"))]
    assert shifts_of(align([file], uploads=three_videos(), local_dates=west)) == {"a": (0, "unproven")}
    assert shifts_of(align([file], uploads=three_videos())) == {"a": (0, "unproven")}


def test_a_leap_after_a_day_that_was_already_up_is_not_the_first() -> None:
    """Posted in the afternoon: first views on the day, most of them on the next."""
    file = quiet_but_for(A_DAY_LATER | {"2026-03-08": 60, "2026-03-18": 60, "2026-03-28": 60})
    assert shifts_of(align([file], uploads=three_videos(), local_dates=EAST)) == {"a": (0, "unproven")}


def test_a_small_rise_is_no_leap() -> None:
    file = quiet_but_for(dict.fromkeys(A_DAY_LATER, 70))
    assert shifts_of(align([file], uploads=three_videos(), local_dates=EAST)) == {"a": (0, "unproven")}


def test_an_unfinished_day_overrules_first_views_which_are_reported() -> None:
    """Labelled to 9 April and downloaded on it: a day ahead, though the views leap on the days of posting."""
    rows = quiet_but_for(dict.fromkeys(POSTED, 900))
    file = DailyFile(
        export_id="a",
        report="overview",
        downloaded_at=utc("2026-04-09 20:00"),
        downloaded_at_evidence="zip_stamp",
        rows=rows.rows,
    )
    [verdict] = align([file], uploads=three_videos(), local_dates=EAST)
    assert (verdict.shift_days, verdict.confidence) == (1, "proven")
    assert verdict.against == ("by its labels, views leap on the day of the posting of 3 of 3 conclusive videos",)


def test_one_video_listed_by_many_exports_is_one_video() -> None:
    uploads = [video("2026-03-08 09:00", views=views) for views in (90, 900, 950)] * 3
    assert shifts_of(align([quiet_but_for(A_DAY_LATER)], uploads=uploads, local_dates=EAST)) == {"a": (0, "unproven")}
