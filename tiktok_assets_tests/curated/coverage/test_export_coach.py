"""Which export to make next, and until when: every kind of advice, with its dates written out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.curated.coverage.advice import Advice, command, manual_steps
from tiktok_assets.curated.coverage.content_coach import VideoLists, video_lists
from tiktok_assets.curated.coverage.coverage import COUNTED, ReportCoverage
from tiktok_assets.curated.coverage.export_coach import advise
from tiktok_assets.exports.windows import DAY, Window
from tiktok_assets_tests.budget import examples

# The newest day Studio may have data for is 20 November.
NOW = dt.datetime(2026, 11, 21, 18, tzinfo=dt.UTC)
NEWEST = dt.date(2026, 11, 20)
Lists = Mapping[dt.date, Mapping[str, dt.date | None]]
"""By day of the list and by video: the day of the post."""
ALL = ("overview", "viewers", "followers", "content")
YESTERDAYS_LIST: Lists = {NEWEST: {"1": dt.date(2026, 11, 3)}}
Days = Iterable[dt.date]


def days(first: str, last: str) -> frozenset[dt.date]:
    return frozenset(Window(first=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last)).days())


def one(report: str, missing: Days = (), *, unsettled: Days = (), without_number: Days = ()) -> ReportCoverage:
    """A report that covers 2025-01-01 to 20 November but for what is ``missing``."""
    every = days("2025-01-01", "2026-11-20")
    covered = every - frozenset(missing) if COUNTED[report].reach else frozenset([NEWEST])
    return ReportCoverage(
        report=report,
        covered=covered,
        missing=frozenset(missing),
        without_number=frozenset(without_number),
        unsettled=frozenset(unsettled),
        last_export=NOW,
    )


def coach(
    *reported: ReportCoverage, lists: Lists = YESTERDAYS_LIST, now: dt.datetime = NOW, max_days: int = 180
) -> list[Advice]:
    """The advice for an account that is complete in all other reports."""
    given = {report.report: report for report in reported}
    return advise("north", [given.get(name) or one(name) for name in COUNTED], read(lists), now=now, max_days=max_days)


def read(lists: Lists) -> VideoLists | None:
    rows = [("north", day, video, posted) for day, videos in lists.items() for video, posted in videos.items()]
    schema = {"account": pl.String, "date": pl.Date, "video_id": pl.String, "posted_on": pl.Date}
    return video_lists(pl.LazyFrame(rows, schema=schema, orient="row")).get("north")


def test_a_complete_account_gets_no_advice() -> None:
    assert coach() == []


def test_the_newest_two_days_are_routine_and_the_third_is_not() -> None:
    assert coach(one("overview", days("2026-11-19", "2026-11-20"))) == []
    [advice] = coach(one("overview", days("2026-11-18", "2026-11-20")))
    assert (advice.sections, advice.first, advice.last) == (
        ("overview",),
        dt.date(2026, 11, 18),
        dt.date(2026, 11, 20),
    )
    assert advice.before == dt.date(2027, 11, 18)


def test_an_account_without_exports_is_advised_to_make_the_first() -> None:
    [advice] = advise("north", [], None, now=NOW, max_days=180)
    assert (advice.sections, advice.first, advice.last) == (ALL, dt.date(2026, 5, 25), dt.date(2026, 11, 20))
    assert advice.reason.startswith("There is no export of this account yet.")


def test_a_gap_is_one_visit_for_all_reports_that_lack_it() -> None:
    hole = days("2026-03-03", "2026-03-05")
    [advice] = coach(
        one("overview", hole), one("viewers", hole), one("follower_history", hole | days("2026-03-09", "2026-03-09"))
    )
    assert advice == Advice(
        account="north",
        sections=("overview", "viewers", "followers"),
        first=dt.date(2026, 3, 3),
        last=dt.date(2026, 3, 9),
        reason="Overview and viewers lack 3 days (2026-03-03 to 2026-03-05). "
        "Follower history lacks 4 days (2026-03-03 to 2026-03-05, 2026-03-09).",
        before=dt.date(2027, 3, 3),
    )


def test_gaps_further_apart_than_one_export_take_several_the_most_urgent_first() -> None:
    found = coach(one("viewers", days("2026-01-10", "2026-01-10") | days("2026-09-01", "2026-09-02")), max_days=180)
    assert [(advice.first.isoformat(), advice.last.isoformat(), str(advice.before)) for advice in found] == [
        ("2026-01-10", "2026-01-10", "2027-01-10"),
        ("2026-09-01", "2026-09-02", "2027-09-01"),
    ]


def test_a_gap_older_than_a_year_is_lost_and_reported_once() -> None:
    found = coach(one("viewers", days("2025-10-01", "2025-10-03") | days("2025-11-20", "2025-11-22")))
    urgent, lost = found
    assert (urgent.first, urgent.last, urgent.before) == (
        dt.date(2025, 11, 21),
        dt.date(2025, 11, 22),
        dt.date(2026, 11, 21),  # today is the last chance for the 21st
    )
    assert (lost.is_permanent, lost.before) == (True, None)
    assert lost.reason == (
        "Viewers of 4 days (2025-10-01 to 2025-10-03, 2025-11-20): lost for good, Studio exports only the last year."
    )


def test_active_hours_are_urgent_within_a_week_and_lost_after_it() -> None:
    found = coach(one("follower_activity", days("2026-11-10", "2026-11-20")))
    urgent, lost = found
    assert (urgent.sections, urgent.first, urgent.before) == (
        ("followers",),
        dt.date(2026, 11, 14),
        dt.date(2026, 11, 21),
    )
    assert "Follower activity is only ever exported for the last 7 days." in urgent.reason
    assert lost.reason == (
        "Follower activity of 4 days (2026-11-10 to 2026-11-13): lost for good, Studio exports only the last 7 days."
    )


def test_active_hours_set_the_date_of_the_visit_that_brings_the_newest_days() -> None:
    lately = days("2026-11-17", "2026-11-20")
    [advice] = coach(
        *(one(report, lately) for report in ("overview", "viewers", "follower_history", "follower_activity"))
    )
    assert (advice.sections, advice.before) == (("overview", "viewers", "followers"), dt.date(2026, 11, 24))


def test_days_that_were_exported_too_early_are_exported_again_once_final() -> None:
    [advice] = coach(one("overview", unsettled=days("2026-06-28", "2026-06-30")))
    assert (advice.first, advice.last, advice.before) == (
        dt.date(2026, 6, 28),
        dt.date(2026, 6, 30),
        dt.date(2027, 6, 28),
    )
    assert advice.reason == ("Numbers of 3 days (2026-06-28 to 2026-06-30) were exported before they were final.")
    assert coach(one("overview", unsettled=days("2026-11-17", "2026-11-19"))) == []  # a daily export has such days


def test_a_visit_for_the_newest_days_includes_the_final_ones_before_them() -> None:
    [advice] = coach(one("overview", days("2026-11-18", "2026-11-20"), unsettled=days("2026-11-16", "2026-11-17")))
    assert (advice.first, advice.last) == (dt.date(2026, 11, 16), dt.date(2026, 11, 20))


def test_days_that_studio_itself_does_not_know_are_not_advised() -> None:
    unknown = days("2026-02-01", "2026-02-20")
    assert coach(one("viewers", unknown, without_number=unknown)) == []


def listed(first: str, last: str) -> dict[str, dt.date | None]:
    """A video a day."""
    return {f"v{day}": day for day in sorted(days(first, last))}


def test_a_content_export_comes_along_with_the_newest_days() -> None:
    lists = {dt.date(2026, 11, 17): {"1": dt.date(2026, 11, 3)}}
    [advice] = coach(one("overview", days("2026-11-18", "2026-11-20")), lists=lists)
    assert advice.sections == ("overview", "content")


def test_the_sixteenth_video_is_near_by_the_posting_rate() -> None:
    """A list of 14 in 28 days is a video every two days: the 15th since 24 October on 23 November."""
    every_other_day = {f"v{number}": dt.date(2026, 10, 24) - 2 * DAY * number for number in range(14)}
    [advice] = coach(lists={dt.date(2026, 10, 24): every_other_day})
    assert (advice.sections, advice.first, advice.last) == (("content",), dt.date(2026, 10, 24), NEWEST)
    assert advice.before == dt.date(2026, 11, 23)
    assert advice.reason == (
        "About 14 videos were posted since the content export of 2026-10-24 (3.5 a week); an export lists at most 15, "
        "which is about what there will be on 2026-11-23."
    )


def test_more_videos_than_a_list_holds_take_shorter_ranges() -> None:
    """14 in 28 days: 15 in 30 days, 21 in the six weeks since."""
    found = coach(lists={dt.date(2026, 10, 10): listed("2026-09-27", "2026-10-10")})
    assert [(str(advice.first), str(advice.last)) for advice in found] == [
        ("2026-10-10", "2026-10-21"),
        ("2026-10-22", "2026-11-20"),
    ]
    assert "Which 15 of more Studio lists cannot be known" in found[0].reason
    assert "About 21 videos" in found[0].reason


def test_the_rate_of_a_full_list_is_given_as_a_minimum() -> None:
    [first, *_] = coach(
        lists={
            dt.date(2026, 11, 10): listed("2026-11-06", "2026-11-10")
            | {f"w{n}": dt.date(2026, 11, 6) for n in range(10)}
        }
    )
    assert "(at least 21 a week)" in first.reason


def test_a_list_full_of_videos_posted_since_the_one_before_takes_two_halves() -> None:
    before = {dt.date(2026, 10, 20): {"old": dt.date(2026, 10, 1)}}
    full = listed("2026-11-01", "2026-11-15")
    found = coach(lists=before | {NEWEST: full})
    assert [(str(advice.first), str(advice.last), str(advice.before)) for advice in found] == [
        ("2026-10-21", "2026-11-04", "2027-10-21"),
        ("2026-11-05", "2026-11-20", "2027-11-05"),
    ]
    assert "any more videos are in no list" in found[0].reason
    assert coach(lists=before | {NEWEST: full | {"one more": dt.date(2026, 10, 25)}}) == []  # two exports on one day
    assert coach(lists=before | {NEWEST: listed("2026-11-01", "2026-11-14") | {"old": dt.date(2026, 10, 1)}}) == []


def test_an_account_without_content_exports_is_advised_to_make_one() -> None:
    [advice] = coach(lists={})
    assert (advice.sections, advice.first, advice.last) == (("content",), dt.date(2026, 10, 24), NEWEST)
    assert advice.reason.startswith("There is no content export yet.")


def test_lists_of_long_ago_are_left_out_but_for_two() -> None:
    """The post of each list is counted on the day that the newest list with one knows."""
    lists = [dt.date(2026, 1, 1), dt.date(2026, 6, 1), NEWEST]
    posted = {"1": NEWEST - DAY, "2": NEWEST - 28 * DAY, "3": NEWEST + DAY}
    found = read({day: posted | {f"of {day}": NEWEST} for day in lists} | {NEWEST: {"1": None, "4": NEWEST - DAY}})
    assert found == VideoLists(
        last=NEWEST,
        before=lists[1],
        listed=2,
        posted_since=1,
        posted_on_known_days=1,
        first_post=NEWEST - DAY,
        recent_posts=3,  # 1, 4 and the one of June
    )


def test_a_post_counts_on_the_day_that_the_newest_list_knows() -> None:
    found = read({NEWEST - DAY: {"1": NEWEST - DAY, "2": NEWEST}, NEWEST: {"1": NEWEST - 40 * DAY, "2": None}})
    assert found is not None
    assert found.recent_posts == 1


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (ALL, "tiktok-assets extract north --from 2026-11-01 --to 2026-11-20 --refresh"),
        (("content",), "tiktok-assets extract north --from 2026-11-01 --to 2026-11-20 --section content --refresh"),
    ],
)
def test_with_a_login_advice_is_a_command(sections: tuple[str, ...], expected: str) -> None:
    advice = Advice(account="north", sections=sections, first=dt.date(2026, 11, 1), last=NEWEST, reason="")
    assert command(advice) == expected


@pytest.mark.parametrize(
    ("first", "last", "max_days", "expected"),
    [
        ("2026-11-15", "2026-11-20", 180, "choose Last 7 days, Download data in each of the tabs Overview and Viewers"),
        ("2026-11-10", "2026-11-20", 180, "choose Last 28 days,"),
        ("2026-11-10", "2026-11-12", 180, "choose Custom, 2026-11-10 to 2026-11-12,"),
        ("2026-06-01", "2026-11-20", 180, "choose Custom, 2026-06-01 to 2026-11-20,"),
        ("2026-06-01", "2026-11-20", 365, "choose Last 365 days,"),
    ],
)
def test_without_a_login_advice_describes_the_manual_steps(first: str, last: str, max_days: int, expected: str) -> None:
    begin, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    advice = Advice(account="north", sections=("overview", "viewers"), first=begin, last=end, reason="")
    steps = manual_steps(advice, now=NOW, max_days=max_days, landing="/music/exports")
    assert expected in steps
    assert steps.endswith("drop the ZIPs into /music/exports")


HOLES = st.sets(st.integers(0, 500).map(lambda back: NEWEST - DAY * back), max_size=40)


@examples(80)
@given(holes=HOLES, early=HOLES, max_days=st.integers(1, 365))
def test_each_missing_day_is_advised_in_time_lost_or_routine(
    holes: set[dt.date], early: set[dt.date], max_days: int
) -> None:
    found = coach(one("viewers", holes, unsettled=early - holes), max_days=max_days)
    asked = {
        day
        for advice in found
        if not advice.is_permanent
        for day in Window(first=advice.first, last=advice.last).days()
    }
    gone = {day for day in holes if day + DAY * 365 < NOW.date()}
    assert holes - asked - gone <= {NEWEST, NEWEST - DAY}
    assert any(advice.is_permanent for advice in found) == bool(gone)
    for advice in found:
        if not advice.is_permanent:
            assert advice.before is not None and NOW.date() <= advice.before
            assert advice.last <= NEWEST and (advice.last - advice.first).days < max_days
    dates = [advice.before for advice in found if advice.before]
    assert dates == sorted(dates)
