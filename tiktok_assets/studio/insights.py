"""Reading along: the JSON that Studio's pages load by themselves while a visit has them open.

Belongs here: which answers are kept, and what became of each question. Nothing is asked for here; which pages are
opened is ``insight_pages``, what a number means is ``reports.insights``.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tiktok_assets.exports.insights import INSIGHT, ITEM_LIST, RELATION, Answer, read_json
from tiktok_assets.studio.evidence import secrets_of
from tiktok_assets.studio.identity import USER, Owner, owner_in
from tiktok_assets.studio.pages import LOGIN_EXPIRED

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Request

FOLLOWS, VIDEOS = "followers and following", "list of videos"
_USER = USER.partition("?")[0]
_ENDPOINTS = (INSIGHT, RELATION, ITEM_LIST, _USER)
# Of a question only these parts are kept; the rest of an address are tokens and the fingerprint of the browser.
_ASKED = ("insigh_type", "aweme_id", "days", "end_days", "range")
LOGIN_ENDED = "Studio no longer accepts the saved login (status_code 8)"
_NO_DATA = "2"
_LONGEST_MESSAGE = 100
# Shorter values of a cookie are words such as "useast2a"; those of digits are the account's number.
_SHORTEST_SECRET = 16
_LOOK = 50  # milliseconds between two looks at what has come
_QUIET = 4.0  # seconds without a word after which a page has said what it says


class Question(NamedTuple):
    """What is asked of Studio: a type of the insight endpoint, of a video or (empty) the account; FOLLOWS; VIDEOS."""

    kind: str
    video: str = ""


@dataclass(kw_only=True)
class InsightReader:
    """Reads along in one browser context. ``attach`` it before the first page; ``read`` before a page closes.

    A body is never read inside an event, where Playwright's sync interface would wait for itself.
    """

    owner: Owner
    clock: Callable[[], dt.datetime]
    answers: list[Answer] = field(default_factory=list)
    outcomes: dict[Question, str] = field(default_factory=dict)
    """Of each question that was answered: empty where it has an answer, "no data" included, else why it has none."""
    stranger: str | None = None
    """Whom the pages named as their owner, if not ours: then nothing that was read may be kept."""
    has_login_ended: bool = False
    """Whether Studio said so in an answer, whatever its pages show."""
    videos: list[str] = field(default_factory=list)
    """The ids that Studio listed, newest first: an id begins with the time of its upload."""
    _ends: dict[int, bool] = field(default_factory=dict)
    _under_way: list[Request] = field(default_factory=list)
    _finished: list[Request] = field(default_factory=list)
    _last_word: float | None = None

    def attach(self, context: BrowserContext) -> None:
        """Listen to every page of ``context``."""
        context.on("request", lambda request: self._began(request))
        context.on("requestfinished", lambda request: self._ended(request, is_whole=True))
        context.on("requestfailed", lambda request: self._ended(request, is_whole=False))

    @property
    def has_more_videos(self) -> bool:
        """Whether Studio has videos beyond those it listed: the answer with the highest cursor knows."""
        return self._ends.get(max(self._ends, default=0), True)

    def unanswered(self, questions: Iterable[Question]) -> list[Question]:
        """Those of which nothing is known, not even why not."""
        return [question for question in questions if question not in self.outcomes]

    def turn(self) -> None:
        """Another page is about to open in the same tab; what the one before still had to say is lost."""
        self._under_way.clear()
        self._last_word = None

    def wait(self, page: Page, questions: Iterable[Question], seconds: float, look: Callable[[], None]) -> None:
        """Let the page load until every question has its outcome, it has fallen silent, or the time is up.

        ``look`` is called between two looks, and may raise.
        """
        questions, ends_at = list(questions), time.monotonic() + seconds
        while self.unanswered(questions) and time.monotonic() < ends_at and not self._is_silent:
            page.wait_for_timeout(_LOOK)
            self.read(page.context)
            look()

    def more_videos(self, page: Page, seconds: float) -> bool:
        """Whether Studio lists more videos within ``seconds``, for instance because the page was scrolled."""
        known, ends_at = len(self.videos), time.monotonic() + seconds
        while len(self.videos) == known and time.monotonic() < ends_at:
            page.wait_for_timeout(_LOOK)
            self.read(page.context)
        return len(self.videos) > known

    def settle(self, page: Page, seconds: float) -> None:
        """Read what a page has asked for before it closes; answers under way get ``seconds``."""
        ends_at = time.monotonic() + seconds
        while self._under_way and time.monotonic() < ends_at:
            page.wait_for_timeout(_LOOK)
        self.read(page.context)

    def read(self, context: BrowserContext) -> None:
        """Take in what has arrived whole since the last time."""
        from playwright.sync_api import Error

        finished, self._finished = self._finished, []
        if not finished:
            return
        at, secrets = self.clock(), _secrets(context)
        for request in finished:
            try:
                response = request.response()
                status, text = (response.status, response.text()) if response else (0, "")
            except (Error, UnicodeDecodeError):
                continue  # its page has gone on; the question stays open
            self._take(_Heard(request.url, request.post_data or "", status, text), at, secrets)

    @property
    def _is_silent(self) -> bool:
        return not self._under_way and self._last_word is not None and time.monotonic() - self._last_word > _QUIET

    def _began(self, request: Request) -> None:
        if urlsplit(request.url).path in _ENDPOINTS:
            self._under_way.append(request)
            self._last_word = time.monotonic()

    def _ended(self, request: Request, *, is_whole: bool) -> None:
        if request in self._under_way:
            self._under_way.remove(request)
            self._last_word = time.monotonic()
            if is_whole:
                self._finished.append(request)

    def _take(self, heard: _Heard, at: dt.datetime, secrets: Iterable[str]) -> None:
        body, problem = heard.body()
        self.has_login_ended |= problem == LOGIN_ENDED
        if heard.endpoint == _USER:
            owner = owner_in(body)
            if owner and owner.handle.lower() != self.owner.handle.lower():
                self.stranger = owner.handle
            return
        asked = heard.asked()
        if heard.endpoint == RELATION and asked.get("user_id") != self.owner.user_id:
            return  # somebody else's, whom the page shows as well
        if any(secret in heard.text for secret in secrets):
            problem = "the answer held a part of the login, and was thrown away"
        outcomes = {
            question: problem or self._problem_of(question, body) for question in _questions(heard.endpoint, asked)
        }
        for question, reason in outcomes.items():
            if self.outcomes.get(question) != "":  # what was answered once stays answered
                self.outcomes[question] = reason
        if problem:
            return
        self.answers.append(Answer(endpoint=heard.endpoint, at=at, asked=asked, text=heard.text))
        if heard.endpoint == ITEM_LIST:
            self._note_videos(body)

    def _problem_of(self, question: Question, body: Mapping[str, Any]) -> str:
        """Why ``body``, which is an answer, has none to this question; empty where it has, or says "no data"."""
        if question.kind == VIDEOS:
            return ""
        told = body.get("FollowingCount" if question.kind == FOLLOWS else question.kind)
        if question.kind == FOLLOWS:
            told = told.get(self.owner.user_id) if isinstance(told, dict) else None
        if told is None:
            return "Studio left it out of its answer"
        while isinstance(told, dict):
            status = str(told.get("status", "0"))
            if status not in ("0", _NO_DATA):
                return f"Studio answered status {status}"
            told = told.get("value")
        return ""

    def _note_videos(self, body: Mapping[str, Any]) -> None:
        items = body.get("item_list")
        listed = (
            [str(item.get("item_id")) for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        )
        ids = {video for video in (*self.videos, *listed) if video.isdecimal()}
        self.videos = sorted(ids, key=int, reverse=True)
        cursor = str(body.get("cursor", ""))
        self._ends[int(cursor) if cursor.isdecimal() else 0] = body.get("has_more") in (True, "1")


@dataclass(frozen=True)
class _Heard:
    """One answer with its question, as it went over the line."""

    url: str
    sent: str
    status: int
    text: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        return urlsplit(self.url).path

    def asked(self) -> dict[str, Any]:
        """The question, without anything that nobody needs to know."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
        if self.endpoint == RELATION:
            return {"user_id": query.get("userId", "")}
        if self.endpoint == ITEM_LIST:
            sent = _json(self.sent)
            return {"cursor": str(sent.get("cursor", "")) if isinstance(sent, dict) else ""}
        requests = _json(query.get("type_requests", ""))
        known = requests if isinstance(requests, list) else []
        kept = [{name: str(one[name]) for name in _ASKED if name in one} for one in known if isinstance(one, dict)]
        return {"requests": [one for one in kept if "insigh_type" in one]}

    def body(self) -> tuple[dict[str, Any], str]:
        """The answer, and why it is none; empty where it is one."""
        if self.status != 200:
            return {}, f"Studio answered HTTP {self.status}"
        body = _json(self.text)
        if not isinstance(body, dict):
            return {}, "Studio answered with something that is no JSON"
        base = body.get("BaseResp")
        codes = [
            body.get("status_code"),
            body.get("statusCode"),
            base.get("StatusCode") if isinstance(base, dict) else 0,
        ]
        wrong = next((str(code) for code in codes if code is not None and str(code) != "0"), None)
        if wrong == str(LOGIN_EXPIRED):
            return body, LOGIN_ENDED
        message = str(body.get("status_msg") or "")[:_LONGEST_MESSAGE]
        return body, f"Studio answered status_code {wrong} ({message!r})" if wrong else ""


def _json(text: str) -> Any:
    try:
        return read_json(text)
    except ValueError:
        return None


def _secrets(context: BrowserContext) -> list[str]:
    values = secrets_of(context.cookies())
    return [value for value in values if len(value) >= _SHORTEST_SECRET and not value.isdecimal()]


def _questions(endpoint: str, asked: Mapping[str, Any]) -> Iterator[Question]:
    if endpoint == INSIGHT:
        yield from (Question(one["insigh_type"], one.get("aweme_id", "")) for one in asked["requests"])
    else:
        yield Question(FOLLOWS if endpoint == RELATION else VIDEOS)
