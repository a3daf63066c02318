"""The front page: its numbers are the truth's, what is unknown or late has no place, and nothing in it is fetched."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pytest

from tiktok_assets.reporting.account_tables import Completeness
from tiktok_assets.reporting.best_post import Post
from tiktok_assets.reporting.front_page import front_page, ranks, sparkline
from tiktok_assets.reporting.next_steps import NextSteps
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.roster_line import RosterLine, roster_line
from tiktok_assets_tests.reporting.simulated_tables import LAST, TITLE, simulated, tables, text_of

MADE = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def line() -> RosterLine:
    return roster_line(tables(simulated()), LAST)


def late(line: RosterLine, days: int) -> RosterLine:
    return dataclasses.replace(line, key="late", handle="late", days_late=days)


def test_a_line_has_the_true_numbers(line: RosterLine) -> None:
    days = simulated().days
    (row,) = re.findall(r"<tr id=.*?</tr>", front_page([line], MADE), re.DOTALL)
    text = text_of(row)
    week, before = (sum(day.video_views for day in part) for part in (days[-7:], days[-14:-7]))
    assert text.startswith(f" 1 @pig1987 {week:,} {week / before - 1:+.0%} ".replace("-", "−"))
    assert f" {sum(day.video_views for day in days[-28:]):,} " in text
    gained = days[-1].followers - days[-8].followers
    assert f" {days[-1].followers:,} {gained:+,} (" in text
    assert line.views == [day.video_views for day in days[-28:]]
    assert not line.needs_attention


def test_the_best_post_has_its_bounds_and_says_where_they_leave_it_open(line: RosterLine) -> None:
    week = Period.up_to(dt.date(2025, 11, 28), 7)
    post = Post(title=TITLE, link=None, views_low=5, views=7, views_high=9, period=week, is_certain=True)
    text = text_of(front_page([dataclasses.replace(line, best=post)], MADE))
    assert f"{TITLE} about 7 (5 to 9) gained to 28 Nov 2025 30 Nov 2025" in text
    open_one = dataclasses.replace(post, is_certain=False, views=None, views_high=None)
    text = text_of(front_page([dataclasses.replace(line, best=open_one)], MADE))
    assert "at least 5 gained to 28 Nov 2025; another may have more" in text
    same = dataclasses.replace(post, period=Period.up_to(dt.date(2025, 11, 30), 7))  # the day beside it, once
    for silent in (None, same):
        assert " gained to " not in text_of(front_page([dataclasses.replace(line, best=silent)], MADE))


def test_a_period_stands_against_as_many_days_before_and_late_accounts_count_in_it() -> None:
    october, days = Period(dt.date(2025, 10, 1), dt.date(2025, 10, 31)), simulated().days
    line = roster_line(tables(simulated()), LAST + dt.timedelta(days=90), october)
    now = sum(day.video_views for day in days if october.first <= day.day <= october.last)
    before = sum(day.video_views for day in days if dt.date(2025, 8, 31) <= day.day < october.first)
    text = text_of(front_page([line], MADE, period=october))
    change = f"{now / before - 1:+.0%}".replace("-", "−")
    assert "1 to 31 October 2025 against 31 August to 30 September 2025." in text
    assert f"Views {now:,} {change} 1 account" in text  # although its newest numbers are late
    assert f" 1 @pig1987 {now:,} {change} " in text
    assert line.is_late and "Views, 7 days" not in text
    assert line.views == [day.video_views for day in days if october.first <= day.day <= october.last]


def test_a_period_with_an_unknown_day_is_in_no_sum() -> None:
    august = Period(dt.date(2025, 8, 1), dt.date(2025, 8, 31))  # without 4 to 10 August
    text = text_of(front_page([roster_line(tables(simulated()), LAST, august)], MADE, period=august))
    assert "Views — 0 of 1 account" in text
    assert "24 of 31 days" in text


def test_places_go_by_views_of_seven_known_days_that_are_not_late(line: RosterLine) -> None:
    number = line.numbers["Video views", 7]
    assert number.value is not None

    def of(key: str, **changes: object) -> RosterLine:
        numbers = {("Video views", 7): dataclasses.replace(number, **changes)}  # pyright: ignore[reportArgumentType]
        return dataclasses.replace(line, key=key, numbers=numbers)

    lines = [
        of("second"),
        of("first", value=number.value + 1),
        of("also second"),
        of("fourth", value=0.0),
        of("a day unknown", value=number.value + 2, days_known=6),
        dataclasses.replace(of("late", value=number.value + 2), days_late=8),
        RosterLine(key="empty", handle="empty"),
    ]
    assert ranks(lines) == {"first": 1, "second": 2, "also second": 2, "fourth": 4}


def test_late_numbers_are_said_to_be_late_and_are_in_no_sum(line: RosterLine) -> None:
    text = text_of(front_page([line, late(line, 8), RosterLine(key="new", handle="new")], MADE))
    assert "@late : numbers end on 30 Nov 2025, 8 days behind" in text
    assert "@new : no numbers yet" in text
    assert re.search(rf"Views, 7 days {sum(view or 0 for view in line.views[-7:]):,} \S+ 1 of 3 accounts", text)
    assert "Needs attention" not in text_of(front_page([line, late(line, 7)], MADE))


def test_what_is_due_and_broken_is_on_the_line() -> None:
    known = tables(simulated())
    completeness = Completeness(
        quarantined=["a", "b"], doubts=["c"], due=2, due_before=dt.date(2025, 12, 9), last_export=dt.date(2025, 12, 1)
    )
    line = roster_line(dataclasses.replace(known, completeness=completeness), LAST)
    text = text_of(front_page([line], MADE))
    assert "2 exports before 9 Dec 2025 last 1 Dec 2025 2 files in quarantine, 1 export in doubt" in text
    assert line.needs_attention


def test_texts_of_strangers_are_text_and_nothing_is_fetched(line: RosterLine) -> None:
    made = front_page([dataclasses.replace(line, handle="<img src=x>")], MADE)
    assert "<img" not in made
    assert made.count("<script") == 2
    assert re.findall(r"\b(?:src|url)\b\s*[=(]", re.sub(r"&lt;.*?&gt;", "", made)) == []
    assert "default-src 'none'" in made


def test_a_thousand_accounts_weigh_less_than_5_mb(line: RosterLine) -> None:
    many = [dataclasses.replace(line, key=f"account{number}", handle=f"account.{number}") for number in range(1000)]
    assert len(front_page(many, MADE).encode()) < 5_000_000


def test_a_sparkline_has_a_gap_where_days_are_unknown() -> None:
    assert sparkline([None, None]) == []
    assert sparkline([0, 10, None, 5]) == ["0.0,27.0 40.0,1.0", "120.0,14.0"]
    assert sparkline([0.0]) == ["0.0,27.0"]


def test_files_of_no_account_are_said_once_and_blame_nobody() -> None:
    known = tables(simulated())
    completeness = Completeness(unassigned=["notes.txt: is no export", "hello.csv: is no export"])
    line = roster_line(dataclasses.replace(known, completeness=completeness), LAST)
    text = text_of(front_page([line, dataclasses.replace(line, key="other", handle="other")], MADE))
    assert text.count("2 files in quarantine, of no account") == 1
    assert not line.needs_attention


def test_sums_by_client_and_owner_are_of_their_accounts(line: RosterLine) -> None:
    lines = [
        dataclasses.replace(line, key="a", handle="a", client="Blue Note", owner="Ana"),
        dataclasses.replace(line, key="b", handle="b", client="Blue Note"),
        dataclasses.replace(late(line, 8), client="<b>Verve"),
    ]
    made = front_page(lines, MADE)
    text = text_of(made)
    week = line.numbers["Video views", 7].value
    assert week is not None
    assert re.search(rf"By client .*? Blue Note 2 {2 * week:,.0f} ", text)
    assert "<b>Verve 1 — of 0 — of 0 — of 0" in text  # late: in no sum
    owners = text.split("By owner")[1]
    assert re.search(rf" Ana 1 {week:,.0f} ", owners)
    assert re.search(rf" \(no owner\) 2 {week:,.0f} \S+ of 1 ", owners)
    assert "<b>" not in made
    assert "By client" not in text_of(front_page([line], MADE))


def test_what_is_lost_first_needs_attention_first(line: RosterLine) -> None:
    def of(key: str, days_late: int, before: dt.date | None = None) -> RosterLine:
        return dataclasses.replace(line, key=key, handle=key, days_late=days_late, due_before=before)

    soon = dt.date(2025, 12, 3)
    lines = [of("a", 9), of("b", 30), of("c", 8, soon), RosterLine(key="d", handle="d")]
    text = text_of(front_page(lines, MADE))
    assert re.findall(r"@(\w) :", text) == ["c", "d", "b", "a"]


def test_steps_stand_on_the_line(line: RosterLine) -> None:
    steps = NextSteps(steps=["Post on Fridays.", "Export <Overview>."], no_evidence="No evidence yet.")
    made = front_page([dataclasses.replace(line, next=steps)], MADE)
    assert "2 steps Post on Fridays. Export <Overview>. No evidence yet." in text_of(made)
    assert "<Overview>" not in made
