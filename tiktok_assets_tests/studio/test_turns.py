"""Turns of an egress: when they are, how many a day has, and who gets the next one."""

from __future__ import annotations

import datetime as dt

import pytest

from tiktok_assets.studio.turns import begin_of, crowded, day_of, due, moments, visits_a_day

FIVE_MINUTES = 300.0


def at(hour: int, minute: int, day: int = 10) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("spacing", "a_day"),
    [(300, 288), (60, 1440), (20, 1440), (301, 240), (420, 205), (43_200, 2), (86_400, 1), (0, None)],
)
def test_a_pause_makes_so_many_visits_a_day(spacing: float, a_day: int | None) -> None:
    assert visits_a_day(spacing) == a_day


def test_turns_begin_when_yesterdays_numbers_are_available_and_keep_the_spacing() -> None:
    assert [str(turn) for turn in moments(3, FIVE_MINUTES)] == ["17:10:00", "17:15:00", "17:20:00"]


def test_a_pause_of_seconds_is_a_minute_and_none_is_one_moment_for_all() -> None:
    assert moments(2, 20)[1] == dt.timedelta(hours=17, minutes=11)
    assert moments(2, 0) == [dt.timedelta(hours=17, minutes=10)]


def test_a_day_has_no_more_turns_than_fit_into_it() -> None:
    found = moments(1000, FIVE_MINUTES)
    assert (len(found), len(set(found))) == (288, 288)
    assert found[-1] == dt.timedelta(hours=17, minutes=5), "the last one, five minutes before the next day begins"
    assert all(dt.timedelta() <= turn < dt.timedelta(days=1) for turn in found)


def test_a_day_of_visits_lasts_until_the_next_one_begins() -> None:
    assert day_of(at(17, 9)) == dt.date(2026, 3, 9)
    assert day_of(at(17, 10)) == dt.date(2026, 3, 10)
    assert begin_of(dt.date(2026, 3, 10)) == at(17, 10)


def test_an_account_gets_one_turn_a_day() -> None:
    assert due(["a", "b"], {"a", "b"}, at(17, 9), FIVE_MINUTES) == []
    assert due(["a", "b"], set(), at(17, 10), FIVE_MINUTES) == ["a"]
    assert due(["a", "b"], {"a"}, at(17, 14), FIVE_MINUTES) == []
    assert due(["a", "b"], {"a"}, at(17, 15), FIVE_MINUTES) == ["b"]


def test_missed_turns_are_made_up_for_once() -> None:
    assert due(["a", "b", "c"], set(), at(17, 15), FIVE_MINUTES) == ["a", "b"]
    assert due(["a", "b", "c"], set(), at(9, 0, day=11), FIVE_MINUTES) == ["a", "b", "c"]


def test_a_visit_that_somebody_made_takes_a_turn() -> None:
    assert due(["a", "b", "c"], {"c"}, at(17, 10), FIVE_MINUTES) == []
    assert due(["a", "b", "c"], {"c"}, at(17, 15), FIVE_MINUTES) == ["a"]


def test_without_a_pause_all_have_their_turn_at_once() -> None:
    assert due(["a", "b", "c"], {"b"}, at(17, 10), 0) == ["a", "c"]


def test_a_thousand_accounts_take_four_days_and_nobody_is_left_out() -> None:
    accounts = [f"account{number:04}" for number in range(1000)]
    last_visit = dict.fromkeys(accounts, 0)
    for day in range(1, 5):
        waiting = sorted(accounts, key=lambda account: last_visit[account])
        for account in due(waiting, set(), at(17, 9, day=day + 1), FIVE_MINUTES):
            last_visit[account] = day
    assert [sum(1 for day in last_visit.values() if day == one) for one in (0, 1, 2, 3, 4)] == [0, 136, 288, 288, 288]


def test_it_is_said_when_a_day_has_fewer_turns_than_accounts() -> None:
    assert crowded("lisbon", 288, FIVE_MINUTES) is None
    assert crowded("lisbon", 5000, 0) is None
    sentence = crowded("lisbon", 1000, FIVE_MINUTES)
    assert sentence is not None
    assert sentence.startswith(
        "The egress lisbon makes 288 visits a day (TIKTOK_ACCOUNT_SPACING=300) for 1,000 accounts with a login: each "
        "gets one every 4 days"
    )
