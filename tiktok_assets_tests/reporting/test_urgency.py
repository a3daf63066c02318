"""Which account loses data first: out of a published warehouse, and without one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import duckdb
import pytest

from tiktok_assets.reporting.urgency import by_urgency, last_dates
from tiktok_assets.settings import Settings

TODAY = dt.date(2026, 3, 10)


def day(number: int, month: int = 3) -> dt.date:
    return dt.date(2026, month, number)


def publish(
    settings: Settings, hours: Sequence[tuple[str, dt.date, int | None]], days: Mapping[str, dt.date | None]
) -> None:
    """A warehouse with these hours of followers' activity, and days with all numbers up to these."""
    settings.warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.warehouse)) as connection:
        connection.execute(
            "create table audience_insights (account text, captured_on date, dimension text, count bigint)"
        )
        connection.executemany("insert into audience_insights values (?, ?, 'active_time', ?)", hours)
        connection.execute("insert into audience_insights values ('a', '2026-03-30', 'gender', null)")
        connection.execute(
            "create table social_media_stats (account text, date date, video_views bigint, unique_viewers bigint, "
            "followers bigint)"
        )
        connection.executemany("insert into social_media_stats values (?, ?, 1, 1, 1)", list(days.items()))


@pytest.fixture
def published(settings: Settings) -> Settings:
    hours = [
        ("a", day(9), 5),
        ("b", day(5), 5),
        ("b", day(6), 5),
        ("b", day(6), None),
        ("c", day(1), 5),
        ("y", day(9), 5),
    ]
    publish(settings, hours, {"a": day(9), "b": day(6), "c": day(1), "y": dt.date(2025, 3, 12), "d": day(9)})
    return settings


def test_the_active_hours_of_a_day_can_be_exported_for_a_week_all_others_for_a_year(published: Settings) -> None:
    found = last_dates(published, ["a", "b", "c", "d", "e", "y"], TODAY)
    assert found == {
        "a": day(17),  # the hours of the 10th, until seven days later
        "b": day(13),  # an hour of the 6th is unknown: until seven days after it
        "c": TODAY,  # those of the 2nd were lost on the 10th
        "d": TODAY,  # no hours were ever exported
        "e": TODAY,  # nothing was
        "y": day(13),  # the day after 12 March 2025, until a year later
    }


def test_the_first_to_lose_data_comes_first_and_equals_keep_their_order(published: Settings) -> None:
    assert by_urgency(published, ["a", "b", "e", "c"], TODAY) == ["e", "c", "b", "a"]


def test_without_a_warehouse_the_order_stays(settings: Settings) -> None:
    assert by_urgency(settings, ["b", "a"], TODAY) == ["b", "a"]
