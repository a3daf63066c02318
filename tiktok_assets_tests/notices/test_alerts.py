"""Each alert says what happened, what to do and where to look, and has a key of its own."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from tiktok_assets.curated.coverage.advice import Advice
from tiktok_assets.inbox.quarantine import Rejected
from tiktok_assets.notices import alerts
from tiktok_assets.notices.alerts import FailedRun
from tiktok_assets.reporting.freshness import Freshness
from tiktok_assets.studio.session import SessionState, SessionStatus

TODAY = dt.date(2026, 3, 10)
ENDS = dt.datetime(2026, 3, 14, 8, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def session(standing: SessionStatus, advice: str = "tiktok-assets login a") -> SessionState:
    return SessionState(account="a", standing=standing, expires_at=ENDS, advice=advice)


def due(before: dt.date | None) -> Advice:
    return Advice(
        account="a", sections=("overview",), first=TODAY, last=TODAY, reason="Overview lacks 8 days.", before=before
    )


def failed(run_id: str = "6a7b1c2d-e", why: str = "the disk is full", **fields: Any) -> FailedRun:
    usual: dict[str, Any] = {"job": "publish_warehouse", "accounts": (), "on": TODAY}
    return FailedRun(run_id=run_id, why=why, **{**usual, **fields})


def test_a_failed_run_says_why_and_links_to_itself() -> None:
    alert = alerts.run_failed(failed(job="process_exports", accounts=["a", "b", "c", "d"]))
    assert alert.sentence == "The run 6a7b1c2d of process_exports for a, b, c and 1 more failed: the disk is full"
    assert (alert.link, alert.is_standing) == ("/runs/6a7b1c2d-e", False)


def test_runs_that_fail_for_one_reason_are_one_alert_a_day() -> None:
    minutes = range(0, 2 * 24 * 60, 5)
    runs = [
        failed(f"{n}-x", f"run {n}-x: 4,{n} bytes are left in 1{n}.5 s.", on=TODAY + (n // 1440) * DAY) for n in minutes
    ]
    assert len({alerts.run_failed(run).key for run in runs}) == 2


@pytest.mark.parametrize(
    "other", [{"job": "process_streams"}, {"accounts": ("a",)}, {"why": "Content-2.zip is damaged"}, {"on": TODAY + DAY}]
)
def test_another_job_account_reason_or_day_is_another_alert(other: dict[str, Any]) -> None:
    assert alerts.run_failed(failed(**other)).key != alerts.run_failed(failed()).key
    assert alerts.run_failed(failed(why="Content-1.zip is damaged")).key != alerts.run_failed(failed(**other)).key


@pytest.mark.parametrize(
    ("standing", "title"),
    [
        (SessionStatus.VALID, "The login of a is about to end"),
        (SessionStatus.EXPIRED, "The login of a has ended"),
        (SessionStatus.UNREADABLE, "The login of a cannot be read"),
    ],
)
def test_a_login_that_needs_a_person_is_an_alert_for_each_state_of_it(standing: SessionStatus, title: str) -> None:
    alert = alerts.login(session(standing))
    assert alert is not None
    assert (alert.title, alert.remedy) == (title, "tiktok-assets login a")
    assert str(standing) in alert.key
    if standing is not SessionStatus.UNREADABLE:
        assert "14 March 2026" in alert.sentence


def test_a_login_that_is_good_for_long_or_was_never_made_is_none() -> None:
    assert alerts.login(session(SessionStatus.VALID, advice="")) is None
    assert alerts.login(session(SessionStatus.MISSING)) is None


def test_a_new_login_that_is_about_to_end_is_another_alert() -> None:
    later = SessionState(account="a", standing=SessionStatus.VALID, expires_at=ENDS + 30 * DAY, advice="x")
    first, second = alerts.login(session(SessionStatus.VALID)), alerts.login(later)
    assert first and second and first.key != second.key


@pytest.mark.parametrize(
    ("before", "is_alert"), [(TODAY, True), (TODAY + 2 * DAY, True), (TODAY + 3 * DAY, False), (None, False)]
)
def test_data_is_about_to_be_lost_two_days_before_it_is_too_late(before: dt.date | None, is_alert: bool) -> None:
    alert = alerts.about_to_be_lost("a", [due(before)], "tiktok-assets extract a", TODAY)
    assert (alert is not None) == is_alert
    if alert:
        assert alert.sentence.startswith("a: Overview lacks 8 days. Exporting it helps until ")
        assert alert.remedy == "tiktok-assets extract a"


def lost_soon(sections: tuple[str, ...] = ("overview",), first: dt.date = TODAY) -> str:
    advice = dataclasses.replace(due(TODAY), sections=sections, first=first)
    alert = alerts.about_to_be_lost("a", [advice], "", TODAY)
    assert alert is not None
    return alert.key


def test_other_sections_or_days_that_are_about_to_be_lost_are_another_alert_at_most_one_a_week() -> None:
    assert lost_soon(("viewers",)) != lost_soon() != lost_soon(first=TODAY + 30 * DAY)
    monday = dt.date(2026, 3, 9)
    assert len({lost_soon(first=monday + n * DAY) for n in range(14)}) == 2  # a day more is lost each day


def test_nothing_to_export_is_nothing_to_lose() -> None:
    assert alerts.about_to_be_lost("a", [], "", TODAY) is None


@pytest.mark.parametrize(("days", "is_alert"), [(7, False), (8, True)])
def test_numbers_are_late_after_a_week(days: int, is_alert: bool) -> None:
    found = Freshness(account="a", last=dt.date(2026, 3, 1), days_behind=days)
    alert = alerts.not_fresh(found, "tiktok-assets extract a")
    assert (alert is not None) == is_alert
    if alert:
        assert alert.sentence == "a: the numbers end on 1 Mar 2026, 8 days behind what Studio can have."


def test_a_viral_video_links_to_itself_and_only_to_a_web_address() -> None:
    row = {
        "account": "a b",
        "video_id": "7",
        "detected_on": TODAY,
        "title": None,
        "link": "https://www.tiktok.com/@a/video/7",
        "total_views": 194315,
        "reason": "both",
        "daily_growth": 7.11,
        "views_vs_median": None,
    }
    alert = alerts.viral(row)
    assert alert.sentence == (
        "a b: “(no caption)” had 194,315 views on 10 March 2026: 7.1× the views a day it had before, "
        "far above the account's other videos of its age."
    )
    assert alert.link == row["link"]
    assert alerts.viral({**row, "link": "javascript:alert(1)"}).link == "/roster/a%20b.html"
    assert alerts.viral({**row, "detected_on": TODAY + DAY}).key == alert.key  # an older export landed later


def test_a_fall_in_followers_and_a_quarantined_file_say_what_to_do() -> None:
    drop = alerts.follower_drop(
        {"account": "a", "date": TODAY, "sentence": "Followers fell from 10 to 2 in a day (-80%)."}
    )
    assert drop.sentence == "a, 10 March 2026: Followers fell from 10 to 2 in a day (-80%)."
    assert "export the day again" in drop.remedy
    note = Rejected(
        file="x.zip", moved_to="q/x.zip", reason="broken", message="", export_id=None, quarantined_at="2026"
    )
    file = alerts.quarantined(note, "x.zip: is a damaged ZIP. Export it again.")
    assert (file.sentence, file.is_standing) == ("x.zip: is a damaged ZIP. Export it again.", True)
    assert "put it into landing again" in file.remedy
