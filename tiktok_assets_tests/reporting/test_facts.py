"""Headline numbers, shares and hours, of manually written rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.audience.audience import Audience
from tiktok_assets.reporting import facts, words
from tiktok_assets.reporting.facts import Headline, activity_by_hour, headlines, last_day, newest_shares
from tiktok_assets_tests.curated.frames import day_rows

LAST = dt.date(2026, 3, 14)


def days(count: int, **columns: Any) -> pl.DataFrame:
    """``count`` days up to ``LAST``; a column is a number, or a function of the days back from ``LAST``."""
    return with_metrics(
        day_rows(
            *(
                {"date": LAST - dt.timedelta(days=back)}
                | {name: value(back) if callable(value) else value for name, value in columns.items()}
                for back in reversed(range(count))
            )
        )
    )


def week(rows: pl.DataFrame) -> dict[str, Headline]:
    return {one.name: one for one in headlines(rows, LAST, 7)}


def test_a_week_is_compared_with_the_week_before() -> None:
    views = week(days(14, video_views=lambda back: 100 if back < 7 else 80))["Video views"]
    assert (views.value, views.before, views.days_known) == (700, 560, 7)
    assert views.change == pytest.approx(0.25)
    assert (words.value_of(views), words.change_of(views), words.before_of(views)) == ("700", "+25%", "from 560")


def test_an_unknown_day_leaves_a_partial_sum_and_no_comparison() -> None:
    views = week(days(14, video_views=lambda back: None if back == 3 else 10))["Video views"]
    assert (views.value, views.change) == (60, None)
    assert (words.change_of(views), words.before_of(views)) == ("—", "6 of 7 days known")


def test_an_unknown_number_is_a_dash_and_never_0() -> None:
    found = week(days(14, video_views=10))
    assert found["Profile views"].value is None
    assert words.value_of(found["Profile views"]) == "—"
    assert words.value_of(found["Engagement rate"]) == "—"
    assert words.value_of(found["Followers"]) == "—"
    assert words.before_of(found["Followers"]) == "no export contains them for the last 7 days"


def test_a_zero_that_is_known_is_0() -> None:
    assert words.value_of(week(days(14, profile_views=0))["Profile views"]) == "0"


def test_nothing_before_is_no_growth() -> None:
    views = week(days(14, video_views=lambda back: 100 if back < 7 else 0))["Video views"]
    assert (views.before, views.change) == (0, None)
    only_this_week = week(days(7, video_views=100))["Video views"]
    assert (only_this_week.value, only_this_week.before) == (700, None)
    assert words.before_of(only_this_week) == "the days before are not known"


def test_growth_over_a_small_number_is_written_as_times() -> None:
    views = week(days(14, video_views=lambda back: 302 if back < 7 else 1))["Video views"]
    assert words.change_of(views) == "302×"
    followers = week(days(14, followers=lambda back: 500 if back < 7 else 10))["Followers"]
    assert words.change_of(followers) == "50×"
    assert words.change_of(week(days(14, video_views=lambda back: 90 if back < 7 else 10))["Video views"]) == "+800%"


def test_viewers_labelled_late_are_compared_over_their_own_last_days() -> None:
    def viewers(back: int) -> int | None:
        return None if back < 1 else 30 if back < 8 else 20

    late = week(days(15, video_views=100, unique_viewers=viewers))["Viewers a day"]
    assert (late.value, late.before, late.days_known) == (30, 20, 7)
    assert words.until_of(late) == "up to 13 March 2026"
    missing = week(days(17, video_views=100, unique_viewers=lambda back: None if back < 3 else 30))["Viewers a day"]
    assert (missing.change, missing.at) == (None, None)  # three days are no late label
    assert words.before_of(missing) == "4 of 7 days known"


def test_the_rate_of_a_week_is_weighted_by_views_and_changes_by_points() -> None:
    rows = days(
        14,
        video_views=lambda back: 900 if back == 0 else 100,
        likes=lambda back: 90 if back == 0 else 1 if back < 7 else 2,
        comments=0,
        shares=0,
    )
    rate = week(rows)["Engagement rate"]
    assert rate.value == pytest.approx(96 / 1500)
    assert rate.before == pytest.approx(0.02)
    assert (words.value_of(rate), words.change_of(rate)) == ("6.4%", "+4.4 points")


def test_viewers_are_a_mean_and_never_summed() -> None:
    viewers = week(days(14, unique_viewers=lambda back: 10 * (back + 1)))["Viewers a day"]
    assert (viewers.value, viewers.before) == (40, 110)
    with_gap = week(days(14, unique_viewers=lambda back: None if back == 3 else 10))["Viewers a day"]
    assert (with_gap.value, with_gap.change) == (10, None)
    assert words.before_of(with_gap) == "6 of 7 days known"


def test_followers_are_the_newest_known_against_exactly_a_week_before() -> None:
    followers = week(days(14, followers=lambda back: None if back == 0 else 1000 - back))["Followers"]
    assert (followers.value, followers.before) == (999, 992)
    assert followers.at == LAST - dt.timedelta(days=1)
    assert words.change_of(followers) == "+7 (+0.7%)"


def changed(kind: str, value: float, before: float) -> tuple[str, str, str]:
    """The figure, its change, and the figure before as they are printed."""
    change = value - before if kind == "rate" else value / before - 1
    known = {"kind": kind, "value": value, "before": before, "change": change, "days": 7, "days_known": 7}
    one = Headline(name="n", **known)  # pyright: ignore[reportArgumentType]
    return words.value_of(one), words.change_of(one), words.before_of(one).removeprefix("from ")


@pytest.mark.parametrize(
    ("kind", "value", "before", "printed"),
    [
        ("rate", 0.0426, 0.0424, ("4.3%", "+0.1 points", "4.2%")),  # of which 0.02 are real: what is printed adds up
        ("rate", 0.0424, 0.0416, ("4.2%", "no change", "4.2%")),
        ("rate", 0.0424, 0.0426, ("4.2%", "−0.1 points", "4.3%")),
        ("sum", 10_040, 10_000, ("10,040", "+0.4%", "10,000")),
        ("sum", 999_900, 1_000_000, ("999,900", "−0.01%", "1,000,000")),
        ("sum", 1_000_001, 1_000_000, ("1,000,001", "+<0.01%", "1,000,000")),
        ("sum", 500, 500, ("500", "no change", "500")),
        ("mean", 1234.4, 1233.6, ("1,234", "no change", "1,234")),
        ("mean", 1.4, 0.4, ("1", "—", "0")),
        ("stock", 100_003, 100_000, ("100,003", "+3 (+<0.01%)", "100,000")),
        ("stock", 99, 100, ("99", "−1 (−1.0%)", "100")),
    ],
)
def test_a_change_is_that_between_the_figures_as_they_are_printed(
    kind: str, value: float, before: float, printed: tuple[str, str, str]
) -> None:
    assert changed(kind, value, before) == printed


def test_the_direction_is_that_of_the_printed_change() -> None:
    directions = {"+12%": "up", "302×": "up", "−0.1 points": "down", "no change": "", "—": "", "−3 (−1.0%)": "down"}
    assert {text: words.direction_of(text) for text in directions} == directions


def test_followers_last_known_long_ago_are_not_those_of_today() -> None:
    rows = days(40, video_views=1, followers=lambda back: 50 if back >= 20 else None)
    assert week(rows)["Followers"].value is None


def test_a_report_ends_with_the_newest_day_of_known_views() -> None:
    assert last_day(days(5, video_views=lambda back: None if back < 2 else 3)) == LAST - dt.timedelta(days=2)
    assert last_day(days(5, followers=9)) == LAST
    assert last_day(days(5)) is None


def audience(*rows: dict[str, Any]) -> pl.DataFrame:
    columns = {name: column.dtype.type for name, column in Audience.to_schema().columns.items()}
    filled = [{"account": "a", "date": LAST, "audience": "followers", **row} for row in rows]
    return pl.DataFrame([[row.get(name) for name in columns] for row in filled], schema=columns, orient="row")


def test_shares_are_those_of_the_newest_day_alone() -> None:
    before = LAST - dt.timedelta(days=3)
    rows = audience(
        {"dimension": "gender", "value": "Other", "share": 1.0, "date": before},
        {"dimension": "gender", "value": "Male", "share": 0.4},
        {"dimension": "gender", "value": "Female", "share": 0.6},
        {"dimension": "territory", "value": "GR", "share": 0.9},
    )
    assert newest_shares(rows, "followers", "gender").rows() == [(LAST, "Female", 0.6), (LAST, "Male", 0.4)]
    assert newest_shares(rows, "viewers", "gender").is_empty()


def test_ages_stay_in_their_order() -> None:
    rows = audience(
        {"dimension": "age_range", "value": "25-34", "share": 0.6},
        {"dimension": "age_range", "value": "18-24", "share": 0.4},
    )
    assert newest_shares(rows, "followers", "age_range")["value"].to_list() == ["18-24", "25-34"]


def test_an_hour_without_data_is_unknown() -> None:
    rows = audience(
        {"dimension": "active_time", "value": "07", "hour": 7, "count": 10},
        {"dimension": "active_time", "value": "07", "hour": 7, "count": 30, "date": LAST - dt.timedelta(days=1)},
        {"dimension": "active_time", "value": "08", "hour": 8, "count": None},
        {"dimension": "active_time", "value": "09", "hour": 9, "count": 5, "date": LAST - dt.timedelta(days=90)},
    )
    hours = activity_by_hour(rows)
    assert hours.height == 24
    assert hours.filter(pl.col("active_followers").is_not_null()).rows() == [(7, 20.0, 2)]


def test_the_newest_snapshot_of_a_video_counts_and_its_last_known_watch_time() -> None:
    rows = pl.DataFrame(
        {
            "video_id": ["1", "1", "2"],
            "date": [LAST - dt.timedelta(days=1), LAST, LAST],
            "total_views": [100, 150, 900],
            "average_watch_time": [7.5, None, None],
            "completion_rate": [None, None, None],
        }
    )
    found = facts.newest_snapshots(rows).select("video_id", "total_views", "average_watch_time")
    assert found.rows() == [("2", 900, None), ("1", 150, 7.5)]
