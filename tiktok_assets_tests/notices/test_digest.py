"""The digest: a week's numbers are the truth's, unknown days are said, and the text of strangers is text everywhere."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import polars as pl
import pytest

from tiktok_assets.notices.alerts import Alert
from tiktok_assets.notices.digest import Digest, Week, digest
from tiktok_assets.notices.ledger import Message
from tiktok_assets.notices.messages import message_of_alerts, message_of_digest, welcome
from tiktok_assets.reporting.account_tables import AccountTables, Completeness
from tiktok_assets.reporting.best_post import best_of_last_week
from tiktok_assets_tests.reporting.simulated_tables import LAST, TITLE, simulated, tables, text_of

WEB = "http://127.0.0.1:3000"
TUESDAY = dt.datetime(2025, 12, 2, 8, tzinfo=dt.UTC)
WEEK = Week(dt.date(2025, 11, 24))  # its Sunday is the last day of the simulated account
NASTY = "\x1b[2J\r\nBcc: everybody@example.com\r\n\u202e\ud800<b>@everyone</b>"


@pytest.fixture(scope="module")
def known() -> AccountTables:
    found = tables(simulated())
    return dataclasses.replace(found, videos=found.videos.with_columns(title=pl.lit(TITLE)))


def of(*accounts: AccountTables, week: Week = WEEK, now: dt.datetime = TUESDAY) -> Digest:
    return digest(accounts, week, now)


def text(found: Digest) -> str:
    return message_of_digest(found, WEB).text


def named(known: AccountTables, key: str) -> AccountTables:
    return dataclasses.replace(known, account=dataclasses.replace(known.account, key=key, handle=key))


def test_a_week_has_the_name_of_iso_8601() -> None:
    assert str(Week.named("2026-W01")) == "2026-W01"
    assert (Week.named("2026-W01").monday, Week.named("2026-W01").sunday) == (
        dt.date(2025, 12, 29),
        dt.date(2026, 1, 4),
    )
    assert str(Week.named("2026-W53")) == "2026-W53"


@pytest.mark.parametrize("name", ["2026", "2026-48", "2026-W00", "2026-W54", "2025-W53", "W48", "2026-W4", "0000-W01"])
def test_what_is_no_week_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="week"):
        Week.named(name)


@pytest.mark.parametrize(("day", "monday"), [(1, 24), (2, 24), (7, 24), (8, 31)])
def test_the_last_week_is_the_newest_that_has_ended(day: int, monday: int) -> None:
    expected = dt.date(2025, 11, 24) if monday == 24 else dt.date(2025, 12, 1)
    assert Week.last_before(dt.datetime(2025, 12, day, 8, tzinfo=dt.UTC)).monday == expected


def test_the_numbers_of_a_week_are_the_truths(known: AccountTables) -> None:
    days = simulated().days
    now, before = (sum(day.video_views for day in part) for part in (days[-7:], days[-14:-7]))
    gained = days[-1].followers - days[-8].followers
    shown = text(of(known))
    assert shown.startswith("24 to 30 November 2025: 1 account\n")
    change = f"{now / before - 1:+.0%}".replace("-", "−")
    assert f"@pig1987\n  Video views: {now:,}, {change} (from {before:,})\n" in shown
    assert f"  Followers: {days[-1].followers:,}, {gained:+,} (" in shown
    best = best_of_last_week(known.videos, known.video_days)
    assert best is not None
    views = f"about {best.views:,} ({best.views_low:,} to {best.views_high:,}) views gained"
    assert f"“{TITLE}”, {views} 22 to 28 November 2025; another may have more: https://" in shown
    assert "views gained" not in text(of(known, week=Week.named("2025-W49")))  # nothing is known of it
    assert message_of_digest(of(known), WEB).subject.startswith(f"Week 2025-W48: views {now:,}, ")


def test_unknown_days_are_said_and_no_change_is_made_of_them(known: AccountTables) -> None:
    sunday_unknown = dataclasses.replace(known, days=known.days.filter(pl.col("date") < LAST))
    views = sum(day.video_views for day in simulated().days[-7:-1])
    shown = text(of(sunday_unknown))
    assert f"  Video views: {views:,} (6 of 7 days known)\n" in shown
    assert "  Video views: — (not known yet), of 0 of 1 account\n" in shown.split("@")[0]


def test_totals_are_of_accounts_that_know_every_day_and_the_subject_says_of_how_many(known: AccountTables) -> None:
    partly = dataclasses.replace(named(known, "partly"), days=known.days.filter(pl.col("date") < LAST))
    fresh = dataclasses.replace(named(known, "fresh"), days=known.days.filter(pl.col("date") >= WEEK.monday))
    found = of(known, partly, fresh)
    days = simulated().days
    now, before = (sum(day.video_views for day in part) for part in (days[-7:], days[-14:-7]))
    change = f"{now / before - 1:+.0%}".replace("-", "−")
    said = f"{2 * now:,}, of 2 of 3 accounts, {change} against the week before (of those that know both)"
    assert found.total("Video views").value == 2 * now
    assert f"  Video views: {said}\n" in text(found)
    assert message_of_digest(found, WEB).subject == f"Week 2025-W48: views {said}"


def test_a_week_without_numbers_has_none_and_not_zero(known: AccountTables) -> None:
    shown = text(of(known, week=Week.named("2019-W10")))
    assert "Video views: — (not known yet), of 0 of 1 account" in shown
    assert not re.search(r"(?<!\d)0 views", shown)


def test_totals_are_of_all_accounts_and_say_how_many_have_the_number(known: AccountTables) -> None:
    empty = dataclasses.replace(named(known, "empty"), days=known.days.clear(), anomalies=known.anomalies.clear())
    found = of(empty, known, named(known, "second"))
    views = sum(day.video_views for day in simulated().days[-7:])
    total = found.total("Video views")
    assert (total.value, total.accounts, total.now) == (2 * views, 2, 2 * views)
    assert f"Video views: {2 * views:,}, " in text(found) and ", of 2 of 3 accounts" in text(found)
    assert [one.handle for one in found.accounts] == ["pig1987", "second", "empty"]


def test_viral_videos_and_unusual_days_are_those_of_the_week(known: AccountTables) -> None:
    found = known.viral.with_columns(date=dt.date(2025, 11, 26)).head(2)
    viral = dataclasses.replace(known, viral=found)
    assert text(of(viral)).count("\n  Viral: “") == found.height == 2
    assert "Viral: “" not in text(of(viral, week=Week.named("2025-W47")))
    dropped = text(of(known, week=Week.named("2025-W41")))  # 12 October is its Sunday
    assert "12 Oct 2025: Followers fell from " in dropped


def test_what_needs_somebody_belongs_to_the_newest_week_alone(known: AccountTables) -> None:
    due = Completeness(quarantined=["x.zip: is damaged"], due=2, due_before=dt.date(2025, 12, 9))
    needy = dataclasses.replace(known, completeness=due)
    line = (
        "@pig1987: 1 file in quarantine; 2 exports to make, the first before 9 Dec 2025 (tiktok-assets status pig1987)"
    )
    assert line in text(of(needy))
    assert "Needs attention" not in text(of(needy, week=Week.named("2025-W47")))
    assert "Needs attention" not in text(of(known))


def test_of_many_accounts_those_with_most_views_are_shown_and_the_page_has_the_others(known: AccountTables) -> None:
    shown = text(of(*(named(known, f"account{number:03}") for number in range(23))))
    assert (shown.count("\n@"), shown.count("3 more accounts, and all numbers")) == (20, 1)
    assert shown.endswith(f"The front page: {WEB}/roster/\n")


def nasty_alert() -> Alert:
    return Alert(key="k", title=NASTY, sentence=NASTY, remedy=NASTY, link="/roster/", is_standing=True)


@pytest.mark.parametrize("make", [message_of_alerts, welcome])
def test_text_of_strangers_is_text_in_every_part(make: object) -> None:
    assert callable(make)
    message = make([nasty_alert()], WEB, TUESDAY)
    assert isinstance(message, Message)
    for part in (message.subject, message.text, message.html):
        assert not [sign for sign in ("\x1b", "\r", "\u202e", "\ud800") if sign in part]
        part.encode()
    assert "\n" not in message.subject and "\nBcc" not in message.text
    assert "<b>" not in message.html and "&lt;b&gt;" in message.html


def test_html_escapes_titles_and_fetches_nothing(known: AccountTables) -> None:
    html = message_of_digest(of(known), WEB).html
    assert "<script" not in html and "<img" not in html
    assert "\\u003c/script" in html or "&lt;/script&gt;" in html
    assert re.findall(r"(?:src|url\(|@import|<link)", html.replace("img src=x", "")) == []
    assert "@pig1987" in text_of(html)


def test_one_message_has_all_alerts_each_with_remedy_and_link() -> None:
    alerts = [
        Alert(key=f"{n}", title=f"Title {n}", sentence=f"What {n}.", remedy=f"do {n}", link=link)
        for n, link in enumerate(["/runs/1", "https://www.tiktok.com/@a/video/7"])
    ]
    message = message_of_alerts(alerts, WEB, TUESDAY)
    assert message.subject == "Title 0, and 1 more alert"
    assert message.text == (
        "Title 0\n  What 0.\n  What to do: do 0\n  Look at it: http://127.0.0.1:3000/runs/1\n\n"
        "Title 1\n  What 1.\n  What to do: do 1\n  Look at it: https://www.tiktok.com/@a/video/7\n"
    )
    many = message_of_alerts(alerts * 15, WEB, TUESDAY)
    assert many.text.endswith("10 more alerts\n  The front page: http://127.0.0.1:3000/roster/\n")
