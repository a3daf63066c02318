"""What is kept of a page's traffic: tested with fake requests, without a browser."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest

from tiktok_assets.exports.insights import INSIGHT, ITEM_LIST, RELATION
from tiktok_assets.studio.identity import Owner, owner_in
from tiktok_assets.studio.insights import FOLLOWS, VIDEOS, InsightReader, Question

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
US = Owner("north.pier", "6001")
SESSION = "9f3c0b6e5a7d48d2a1c4e8b7f6a50312"
USER = "/tiktokstudio/api/web/user"
VIDEO, OLDER, OLDEST = "7590043668594502103", "7588507043182754992", "7570043668594502103"


@dataclass(eq=False)
class PaperRequest:
    """A request with a prepared answer, with Playwright's interface."""

    path: str
    answer: Any
    status: int = 200
    post_data: str | None = None
    reads: int = 0

    @property
    def url(self) -> str:
        return f"https://studio.example{self.path}"

    def response(self) -> PaperRequest:
        return self

    def text(self) -> str:
        self.reads += 1
        return self.answer if isinstance(self.answer, str) else json.dumps(self.answer)


@dataclass
class PaperContext:
    """A browser context whose pages make requests on a test's command."""

    listeners: dict[str, Any] = field(default_factory=dict)

    def on(self, event: str, listener: Any) -> None:
        self.listeners[event] = listener

    def cookies(self) -> list[dict[str, str]]:
        return [{"value": SESSION}, {"value": "6001600160016001600"}, {"value": "useast2a"}]

    def load(self, *requests: PaperRequest, is_whole: bool = True) -> None:
        for request in requests:
            self.listeners["request"](request)
            self.listeners["requestfinished" if is_whole else "requestfailed"](request)


@pytest.fixture
def page() -> PaperContext:
    return PaperContext()


@pytest.fixture
def reader(page: PaperContext) -> InsightReader:
    reader = InsightReader(owner=US, clock=lambda: AT)
    reader.attach(page)  # pyright: ignore[reportArgumentType]
    return reader


def read(reader: InsightReader, page: PaperContext, *requests: PaperRequest) -> list[str]:
    """The endpoints of all answers kept after ``requests``."""
    page.load(*requests)
    reader.read(page)  # pyright: ignore[reportArgumentType]
    return [answer.endpoint for answer in reader.answers]


def insight(answer: Any, *requests: dict[str, Any], status: int = 200, more: str = "") -> PaperRequest:
    return PaperRequest(f"{INSIGHT}?type_requests={quote(json.dumps(requests))}{more}", answer, status)


def follows(user: str, **answer: Any) -> PaperRequest:
    return PaperRequest(f"{RELATION}?userId={user}&msToken=secret-token", answer)


def listed(*videos: str, cursor: int, has_more: bool) -> PaperRequest:
    answer = {"status_code": 0, "item_list": [{"item_id": one} for one in videos], "cursor": cursor}
    return PaperRequest(ITEM_LIST, {**answer, "has_more": has_more}, post_data='{"cursor": 0, "token": "secret"}')


AGES = {"insigh_type": "viewer_age_distribution", "range": 28, "token": "secret-token"}


def test_only_the_question_of_an_address_is_kept(reader: InsightReader, page: PaperContext) -> None:
    body = {"status_code": 0, "viewer_age_distribution": {"status": 2}}
    more = "&msToken=secret-token&X-Bogus=secret&verifyFp=secret&device_id=7"
    mine = {US.user_id: "1"}
    answers = [insight(body, AGES, more=more), follows("6001", FollowingCount=mine), listed(cursor=0, has_more=False)]
    assert read(reader, page, *answers) == [INSIGHT, RELATION, ITEM_LIST]
    assert [answer.asked for answer in reader.answers] == [
        {"requests": [{"insigh_type": "viewer_age_distribution", "range": "28"}]},
        {"user_id": "6001"},
        {"cursor": "0"},
    ]
    assert "secret" not in str(reader.answers)
    assert reader.outcomes == {Question("viewer_age_distribution"): "", Question(FOLLOWS): "", Question(VIDEOS): ""}


def test_other_endpoints_are_not_even_read(reader: InsightReader, page: PaperContext) -> None:
    other = PaperRequest("/tiktokstudio/api/web/messages", {"private": 1})
    near = PaperRequest(f"{INSIGHT}more/", {})
    assert read(reader, page, other, near) == []
    assert (other.reads, near.reads) == (0, 0)


def test_follower_counts_of_other_people_are_not_ours(reader: InsightReader, page: PaperContext) -> None:
    assert read(reader, page, follows("6002", FollowingCount={"6002": "9"})) == []
    assert reader.outcomes == {}
    read(reader, page, follows("6001", FollowingCount={"6002": "9"}))
    assert reader.outcomes == {Question(FOLLOWS): "Studio left it out of its answer"}


def test_an_incomplete_answer_leaves_its_question_open(reader: InsightReader, page: PaperContext) -> None:
    page.load(insight({}, AGES), is_whole=False)
    assert read(reader, page) == []
    assert reader.unanswered([Question("viewer_age_distribution")]) == [Question("viewer_age_distribution")]


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        ({}, 500, "Studio answered HTTP 500"),
        ("<html>", 200, "Studio's answer is not JSON"),
        ("[1]", 200, "Studio's answer is not JSON"),
        ({"status_code": 2209, "status_msg": "not now"}, 200, "Studio answered status_code 2209 ('not now')"),
        ({"BaseResp": {"StatusCode": 4}}, 200, "Studio answered status_code 4 ('')"),
        ({"status_code": 8}, 200, "Studio no longer accepts the saved login (status_code 8)"),
        ({"status_code": 0}, 200, "Studio left it out of its answer"),
        ({"viewer_age_distribution": None}, 200, "Studio left it out of its answer"),
        ({"viewer_age_distribution": {"status": 5}}, 200, "Studio answered status 5"),
        ({"viewer_age_distribution": {"value": {"status": 5}}}, 200, "Studio answered status 5"),
        ({"viewer_age_distribution": {"status": 2}}, 200, ""),
        ({"viewer_age_distribution": {"status": 0, "value": []}}, 200, ""),
        (
            {"viewer_age_distribution": {"status": 0}, "log": SESSION},
            200,
            "the answer contained a part of the login and was discarded",
        ),
    ],
)
def test_a_question_without_an_answer_says_why(
    reader: InsightReader, page: PaperContext, answer: Any, status: int, says: str
) -> None:
    kept = read(reader, page, insight(answer, AGES, status=status))
    assert reader.outcomes == {Question("viewer_age_distribution"): says}
    assert SESSION not in str(reader.answers)
    assert (kept == []) is (says not in ("", "Studio left it out of its answer", "Studio answered status 5"))


def test_an_answered_question_stays_answered(reader: InsightReader, page: PaperContext) -> None:
    good = {"viewer_age_distribution": {"status": 0, "value": []}}
    read(reader, page, insight({}, AGES, status=500), insight(good, AGES), insight({}, AGES, status=500))
    assert reader.outcomes == {Question("viewer_age_distribution"): ""}


def test_questions_about_two_videos_are_separate(reader: InsightReader, page: PaperContext) -> None:
    rate = "video_finish_rate_realtime"
    for video in (VIDEO, OLDER):
        body = {rate: {"value": {"status": 0, "value": 0.5}}}
        read(reader, page, insight(body, {"insigh_type": rate, "aweme_id": video}))
    assert reader.outcomes == {Question(rate, VIDEO): "", Question(rate, OLDER): ""}


def test_videos_are_newest_first_and_the_highest_cursor_says_if_more_follow(
    reader: InsightReader, page: PaperContext
) -> None:
    assert reader.has_more_videos, "nothing is known yet"
    read(reader, page, listed(OLDEST, VIDEO, cursor=20, has_more=True))
    assert (reader.videos, reader.has_more_videos) == ([VIDEO, OLDEST], True)
    read(reader, page, listed(OLDER, cursor=40, has_more=False), listed(VIDEO, cursor=20, has_more=True))
    assert (reader.videos, reader.has_more_videos) == ([VIDEO, OLDER, OLDEST], False)


@pytest.mark.parametrize(
    "body",
    [{"item_list": None}, {"item_list": True}, {"item_list": [None, {}, {"item_id": "../x"}]}, {"cursor": []}],
)
def test_a_malformed_list_of_videos_names_none(reader: InsightReader, page: PaperContext, body: Any) -> None:
    read(reader, page, PaperRequest(ITEM_LIST, body))
    assert reader.videos == []


def test_another_owner_on_a_page_is_noticed(reader: InsightReader, page: PaperContext) -> None:
    def owner(handle: str) -> PaperRequest:
        base = {"UserId": "6002", "UniqId": handle}
        return PaperRequest(f"{USER}?x=1", {"userBaseInfo": {"UserProfile": {"UserBase": base}}})

    assert read(reader, page, owner("North.Pier")) == []
    assert reader.other_owner is None
    read(reader, page, owner("south_pier"))
    assert reader.other_owner == "south_pier"


@pytest.mark.parametrize(
    ("body", "owner"),
    [
        ({"userBaseInfo": {"UserProfile": {"UserBase": {"UniqId": "x", "UserId": "7"}}}}, Owner("x", "7")),
        ({"userId": 8, "userBaseInfo": {"UserProfile": {"UserBase": {"UniqId": "x"}}}}, Owner("x", "8")),
        ({"userBaseInfo": {"UserProfile": {"UserBase": {"UniqId": "x", "UserId": "?"}}}}, Owner("x", "")),
        ({"userBaseInfo": {"UserProfile": {"UserBase": {"UniqId": ""}}}}, None),
        ({"userBaseInfo": []}, None),
        (None, None),
    ],
)
def test_the_owner_is_read_with_handle_and_number(body: Any, owner: Owner | None) -> None:
    assert owner_in(body) == owner
