"""Insights in real Chromium: captured, landed, equal to the simulator's truth; and every way of not getting them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from tiktok_assets.pipeline.process import Result, process
from tiktok_assets.reports.insights import INSIGHTS
from tiktok_assets.reports.reading import open_export
from tiktok_assets.reports.report import latest_per_grain
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.studio import StudioAccount, invent_account
from tiktok_assets.simulator.studio.insights import AGES, SOURCES, split
from tiktok_assets.simulator.studio.video_insights import VideoFacts, posted_videos
from tiktok_assets.simulator.traits import Traits
from tiktok_assets.studio.insight_pages import OF_VIDEO
from tiktok_assets.studio.insights import InsightReader, Question
from tiktok_assets.studio.interface import LandedInsights
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.studio.conftest import NORTH, NOW, SOUTH, YESTERDAY, MakeStage, Stage

pytestmark = pytest.mark.e2e
FOUR_WEEKS = YESTERDAY - dt.timedelta(days=27), YESTERDAY
FOUR = ("overview", "viewers", "followers", "content")
NAME = "Insights_20260101T182030Z_north.pier.json"

Numbers = dict[tuple[str, ...], float | str | None]


def read(landed: LandedInsights) -> Numbers:
    """By metric, video and item, empty parts left out."""
    assert landed.path is not None
    with open_export(Path(str(landed.path))) as export:
        export.validate()
        ((member, rows),) = export.frames(account="north", source=landed.path.name)
        table = latest_per_grain(INSIGHTS, member.report.parse(rows.lazy().collect()))
    assert landed.rows == table["value"].count()
    keys = [tuple(filter(None, key)) for key in table.select("metric", "video_id", "item").rows()]
    return dict(zip(keys, (text or value for value, text in table.select("value", "text").rows()), strict=True))


def processed(settings: Settings) -> Result:
    """What is new in landing brought to the warehouse, in a thread: the browser's event loop runs in this one."""

    def work() -> Result:
        with fresh() as instance:
            return process(settings, instance=instance)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def truth(account: StudioAccount, videos: int) -> Numbers:
    """What an answer about everything would say, from the simulator's own data."""
    today = account.truth.on(NOW.date())
    assert today is not None
    found: Numbers = {("followers",): today.followers, ("following",): account.following}
    for metric, names, subject in (
        ("viewer_age", AGES, "viewer ages"),
        ("follower_age", AGES, "follower ages"),
        ("traffic_source", SOURCES, "sources"),
    ):
        found |= {(metric, name): share for name, share in split(names, f"{account.handle}|{subject}").items()}
    for video in sorted(posted_videos(account, NOW), key=lambda video: video.video_id, reverse=True)[:videos]:
        facts, video_id = VideoFacts.of(video.video_id), str(video.video_id)
        found["average_watch_time", video_id] = facts.average_watch_time
        found["completion_rate", video_id] = facts.completion_rate
        found |= {("video_traffic_source", video_id, name): share for name, share in facts.sources.items()}
    return found


def pages(here: Stage) -> list[str]:
    """The pages that were opened, by the end of their path."""
    paths = [request.path for request in here.world.requests]
    return [path.rpartition("/")[2] for path in paths if path.startswith("/tiktokstudio/analytics/")]


def test_a_visit_of_four_exports_and_insights_lands_the_truth_and_opens_no_page_twice(stage: MakeStage) -> None:
    here = stage(insight_videos=3)
    session_id = here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        for section in FOUR:
            visit.export(section, *FOUR_WEEKS)
        landed = visit.insights()
    assert (landed.missing, landed.videos, landed.account) == ((), 3, "north")
    assert landed.path is not None and landed.path.name == NAME
    assert f"north/{NAME}" in here.files("landing")
    found, account = read(landed), here.world.accounts[NORTH.handle]
    assert truth(account, 3).items() <= found.items()
    newest = max(video.video_id for video in posted_videos(account, NOW))
    video = next(video for video in posted_videos(account, NOW) if video.video_id == newest)
    assert found["total_views", str(newest)] == account.truth.totals_at(video, NOW).views
    assert found["title", str(newest)] == video.title
    assert sorted(pages(here)) == sorted([*FOUR, *{key[1] for key in found if key[0] == "completion_rate"}])
    content = landed.path.read_bytes()
    assert landed.bytes == len(content)
    assert landed.path.stat().st_mtime == NOW.timestamp()
    for secret in (session_id, account.password, str(account.totp_secret), "a-csrf-token-of-the-test", "sessionid"):
        assert secret.encode() not in content
    assert here.files("state/downloads") == []
    landed_file = json.loads(content)
    assert (landed_file["handle"], landed_file["user_id"], landed_file["missing"]) == (
        NORTH.handle,
        account.user_id,
        [],
    )
    asked = {key for answer in landed_file["responses"] for one in answer.get("requests", ()) for key in one}
    assert asked <= {"insigh_type", "aweme_id", "days", "end_days", "range"}, "nothing else of the address"


def test_insights_alone_open_each_page_once_and_use_no_export(stage: MakeStage) -> None:
    here = stage(insight_videos=1)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = visit.insights()
    assert landed.missing == ()
    assert pages(here)[:4] == list(FOUR) and len(pages(here)) == 5
    assert truth(here.world.accounts[NORTH.handle], 1).items() <= read(landed).items()
    assert here.world.exports.made == []
    here.studio.ledger.check("north", here.clock.now)


def test_more_videos_than_the_list_shows_are_found_by_scrolling(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.studio.insight_pages.OF_VIDEO", ())
    here = stage(insight_videos=45)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit.export("content", *FOUR_WEEKS)
        landed = visit.insights()
    assert landed.missing == ()
    newest = sorted((video.video_id for video in posted_videos(here.world.accounts[NORTH.handle], NOW)), reverse=True)
    assert {str(video) for video in newest[:45]} <= {key[1] for key in read(landed) if key[0] == "total_views"}
    assert pages(here).count("content") == 2


def test_without_requested_videos_none_is_opened(stage: MakeStage) -> None:
    here = stage(insight_videos=0)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = visit.insights()
    assert (landed.missing, landed.videos, pages(here)) == ((), 0, ["overview", "viewers", "followers"])


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("insight_500", "Studio answered HTTP 500"),
        ("insight_business_error", "Studio answered status_code 2209 ('Insight is not available')"),
    ],
)
def test_failing_insights_are_named_and_hold_up_no_export(stage: MakeStage, fault: str, says: str) -> None:
    here = stage(insight_videos=2)
    here.log_in(NORTH)
    here.world.faults.add(fault, times=99)
    with here.studio.visit(NORTH) as visit:
        exported = [visit.export(section, *FOUR_WEEKS) for section in FOUR]
        landed = visit.insights()
    assert here.files("landing") == sorted([f"north/{one.path.name}" for one in exported] + [f"north/{NAME}"])
    videos = " of videos " + ", ".join(pages(here)[-2:])
    assert landed.missing == (
        f"vv_traffic_source: {says}",
        f"viewer_age_distribution: {says}",
        f"follower_age_distribution: {says}",
        f"video_per_duration_realtime{videos}: {says}",
        f"video_finish_rate_realtime{videos}: {says}",
        f"video_traffic_source_percent_realtime{videos}: {says}",
    )
    assert ("following",) in read(landed), "what did come is kept"
    assert landed.videos == 0
    with open_export(Path(str(landed.path))) as export:
        assert export.warnings == tuple(f"Insights lacks {one}" for one in landed.missing)


def test_only_the_answer_that_failed_is_missing(stage: MakeStage) -> None:
    here = stage(insight_videos=1)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)
        here.world.faults.add("insight_500", times=1)
        landed = visit.insights()
    assert landed.missing == ("viewer_age_distribution: Studio answered HTTP 500",)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("redirect_to_login", "it shows the login page"),
        ("login_panel", "it shows the login page"),
        ("captcha", "Studio shows a captcha"),
    ],
)
def test_a_login_that_ends_midway_keeps_what_was_captured_before(stage: MakeStage, fault: str, says: str) -> None:
    here = stage(insight_videos=2)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)
        here.world.faults.add(fault, section="followers", times=99)
        landed = visit.insights()
    assert says in landed.missing[0] and "tiktok-assets login north" in landed.missing[0]
    assert landed.missing[1:] == (
        "follower_age_distribution: its page was not opened",
        "list of videos: its page was not opened",
    )
    assert {key[0] for key in read(landed)} == {"followers", "following", "traffic_source", "viewer_age"}


def test_when_nothing_was_captured_nothing_lands(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        here.world.sessions.expire(NORTH.handle, None)
        landed = visit.insights()
    assert (landed.path, landed.export_id, landed.rows, landed.videos) == (None, "", 0, 0)
    assert "no longer accepts the saved login" in landed.missing[0]
    assert here.files("landing") == []


def test_an_answer_that_the_session_ended_is_reported(stage: MakeStage) -> None:
    here = stage(insight_videos=1)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        here.world.faults.add("status_8", section="relation")
        landed = visit.insights()
    assert landed.path is None
    assert "no longer accepts the saved login (status_code 8)" in landed.missing[0]
    assert "tiktok-assets login north" in landed.missing[0]
    assert pages(here) == ["overview"], "the others could say nothing else"


def test_answers_of_another_account_are_discarded(stage: MakeStage) -> None:
    here = stage(insight_videos=2)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)
        here.world.faults.add("wrong_account", handle=NORTH.handle, section="viewers", parameter=SOUTH.handle)
        landed = visit.insights()
    assert landed.path is None
    assert any("@south_pier, not to @north.pier" in one for one in landed.missing)
    assert not [name for name in here.files("landing") if name.endswith(".json")]


def test_a_silent_studio_is_left_after_two_pages(stage: MakeStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiktok_assets.studio.insight_pages._LONGEST_WAIT", 0.3)
    here = stage()
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit._context.route("**/tiktokstudio/api/**", lambda route: None)  # pyright: ignore[reportAttributeAccessIssue]
        landed = visit.insights()
        visit._context.unroute_all()  # pyright: ignore[reportAttributeAccessIssue]
    assert landed.path is None
    assert landed.missing[0].startswith("2 pages in a row loaded nothing")
    assert pages(here) == ["overview", "viewers"]


def test_a_missing_video_page_is_named_and_the_others_are_read(stage: MakeStage) -> None:
    here = stage(insight_videos=2)
    here.log_in(NORTH)
    account = here.world.accounts[NORTH.handle]
    newest, second = sorted((str(video.video_id) for video in posted_videos(account, NOW)), reverse=True)[:2]
    with here.studio.visit(NORTH) as visit:
        gone = f"**/tiktokstudio/analytics/{newest}"
        visit._context.route(gone, lambda route: route.fulfill(status=404, body="gone"))  # pyright: ignore[reportAttributeAccessIssue]
        landed = visit.insights()
        visit._context.unroute_all()  # pyright: ignore[reportAttributeAccessIssue]
    assert landed.videos == 1
    assert landed.missing[0] == f"video_per_duration_realtime of video {newest}: its page answered HTTP 404"
    assert ("completion_rate", second) in read(landed)


def test_what_a_page_never_requests_is_waited_for_once_and_named(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.studio.insights._QUIET", 2.0)
    monkeypatch.setattr("tiktok_assets.studio.insight_pages.OF_VIDEO", (*OF_VIDEO, "video_mood"))
    waited: list[str] = []

    def wait(self: InsightReader, page: Any, questions: list[Question], *rest: Any) -> None:
        waited.extend(question.kind for question in questions)
        really(self, page, questions, *rest)

    really = InsightReader.wait
    monkeypatch.setattr(InsightReader, "wait", wait)
    here = stage(insight_videos=3)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = visit.insights()
    assert landed.videos == 3
    assert landed.missing == (f"video_mood of videos {', '.join(pages(here)[-3:])}: no page of Studio requested it",)
    assert waited.count("video_mood") == 1
    assert waited.count("video_finish_rate_realtime") == 3


def test_no_data_for_a_small_account_is_null_and_not_missing(stage: MakeStage) -> None:
    small = invent_account("north.pier", 5, dt.date(2025, 6, 1), dt.date(2026, 2, 28), traits=Traits(size="small"))
    here = stage(insight_videos=1, world={"accounts": [small]})
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = visit.insights()
    assert landed.missing == ()
    found = read(landed)
    assert found["following",] == small.following
    assert [found[name,] for name in ("viewer_age", "follower_age", "traffic_source")] == [None] * 3
    assert not any(key[0] == "viewer_age" and len(key) > 1 for key in found)


def test_two_languages_give_the_same_numbers(stage: MakeStage, with_locale: Callable[[str], Any]) -> None:
    found = []
    for language in ("el", "ja"):
        here = stage(insight_videos=1, world={"accounts": [with_locale(language)]})
        here.log_in(NORTH)
        with here.studio.visit(NORTH) as visit:
            landed = visit.insights()
        found.append(read(landed))
        (here.settings.state / "limits.sqlite").unlink()
    assert found[0] == found[1]
    assert truth(with_locale("el"), 1).items() <= found[0].items()


def test_an_unreadable_insights_file_goes_to_quarantine(stage: MakeStage) -> None:
    here = stage(insight_videos=0)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        visit._context.route(  # pyright: ignore[reportAttributeAccessIssue]
            "**/multiGetFollowRelationCount*",
            lambda route: route.fulfill(
                json={"FollowingCount": {here.world.accounts[NORTH.handle].user_id: "a lot"}, "FollowerCount": {}}
            ),
        )
        landed = visit.insights()
        visit._context.unroute_all()  # pyright: ignore[reportAttributeAccessIssue]
    assert landed.path is None
    assert "'a lot' is not a possible following" in landed.missing[-1]
    assert here.files("landing") == []
    assert len(here.files("quarantine")) == 2


def test_from_a_visit_to_the_published_tables(stage: MakeStage) -> None:
    here = stage(insight_videos=2)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        for section in FOUR:
            visit.export(section, *FOUR_WEEKS)
        landed = visit.insights()
    settings = here.settings.model_copy(update={"start_date": dt.date(2025, 11, 1)})
    result = processed(settings)
    assert result.is_clean, result
    account, day = here.world.accounts[NORTH.handle], NOW.date()
    expected = truth(account, 2)
    with duckdb.connect(settings.warehouse, read_only=True) as warehouse:
        stats = warehouse.sql(
            f"select following, followers, insights_export_id from social_media_stats where date = '{day}'"
        )
        assert stats.fetchall() == [(account.following, None, landed.export_id)]
        rows = warehouse.sql(
            "select video_id, average_watch_time, completion_rate, total_views, favorites, title, handle "
            f"from content_performance where captured_on = '{day}' and completion_rate is not null"
        ).fetchall()
        assert len(rows) == 2
        for video_id, watched, completed, views, favorites, title, handle in rows:
            video = next(video for video in account.truth.posted if str(video.video_id) == video_id)
            assert (watched, completed) == (
                expected["average_watch_time", video_id],
                expected["completion_rate", video_id],
            )
            assert views == account.truth.totals_at(video, NOW).views
            assert favorites == int(views * VideoFacts.of(video.video_id).favorite_rate)
            assert (title, handle) == (video.title, NORTH.handle)
        ages = warehouse.sql(
            "select audience, value, share from audience_insights where dimension = 'age_range' "
            f"and captured_on = '{day}'"
        ).fetchall()
        assert {(f"{audience[:-1]}_age", value): share for audience, value, share in ages} == {
            key: share for key, share in expected.items() if key[0] in ("viewer_age", "follower_age")
        }
        exports = warehouse.sql(
            "select source, downloaded_at_evidence from exports where report = 'insights'"
        ).fetchall()
        assert exports == [(NAME, "captured_at")]
    again = processed(settings)
    assert again.accounts == ()


def test_a_dropped_insights_file_is_filed_like_any_export(stage: MakeStage) -> None:
    here = stage(insight_videos=1)
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = visit.insights()
    assert landed.path is not None
    dropped = here.data / "landing" / "what a friend sent.json"
    Path(str(landed.path)).rename(dropped)
    result = processed(here.settings)
    assert result.is_clean, result
    assert here.files("landing") == ["north/what a friend sent.json"]
    receipt = json.loads(next((here.data / "raw" / "exports").rglob("*.v*.json")).read_bytes())
    assert (receipt["reports"], receipt["downloaded_at_evidence"]) == (["insights"], "captured_at")
    staged = pl.concat([pl.read_parquet(path) for path in (here.data / "staging" / "insights").rglob("*.parquet")])
    assert staged.filter(metric="following")["value"].to_list() == [here.world.accounts[NORTH.handle].following]
