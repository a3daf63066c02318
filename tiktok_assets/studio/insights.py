"""Capturing the JSON that Studio's pages load by themselves while a visit has them open.

Belongs here: which answers are kept, and the outcome of each question. Nothing is requested here; which pages are
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
# Only these fields of a question are kept; the rest of its address is tokens and the fingerprint of the browser.
_ASKED = ("insigh_type", "aweme_id", "days", "end_days", "range")
LOGIN_ENDED = "Studio no longer accepts the saved login (status_code 8)"
_NO_DATA = "2"
_LONGEST_MESSAGE = 100
# Shorter cookie values are words such as "useast2a"; values of digits only are the account's number.
_SHORTEST_SECRET = 16
_LOOK = 50  # milliseconds between two checks of what has arrived
_QUIET = 4.0  # seconds without traffic after which a page has loaded everything it will


class Question(NamedTuple):
    """A question to Studio: a type of the insight endpoint, about a video or (empty) the account; FOLLOWS; VIDEOS."""

    kind: str
    video: str = ""


@dataclass(kw_only=True)
class InsightReader:
    """Captures answers in one browser context. ``attach`` it before the first page; ``read`` before a page closes.

    A body is never read inside an event, where Playwright's sync API would deadlock.
    """

    owner: Owner
    clock: Callable[[], dt.datetime]
    answers: list[Answer] = field(default_factory=list)
    outcomes: dict[Question, str] = field(default_factory=dict)
    """By question that got a response: empty if it was answered, "no data" included, else why it was not."""
    other_owner: str | None = None
    """The owner that the pages named, if not ours: then no captured answer may be kept."""
    has_login_ended: bool = False
    """Whether an answer of Studio said so, whatever its pages show."""
    videos: list[str] = field(default_factory=list)
    """The ids that Studio listed, newest first: an id begins with the time of its upload."""
    _ends: dict[int, bool] = field(default_factory=dict)
    _under_way: list[Request] = field(default_factory=list)
    _finished: list[Request] = field(default_factory=list)
    _last_activity: float | None = None

    def attach(self, context: BrowserContext) -> None:
        """Listen to every page of ``context``."""
        context.on("request", lambda request: self._began(request))
        context.on("requestfinished", lambda request: self._ended(request, is_whole=True))
        context.on("requestfailed", lambda request: self._ended(request, is_whole=False))

    @property
    def has_more_videos(self) -> bool:
        """Whether Studio has more videos than it listed, according to the answer with the highest cursor."""
        return self._ends.get(max(self._ends, default=0), True)

    def unanswered(self, questions: Iterable[Question]) -> list[Question]:
        """Those without any outcome, not even a reason."""
        return [question for question in questions if question not in self.outcomes]

    def next_page(self) -> None:
        """Another page is about to open in the same tab; answers still on their way to the previous one are lost."""
        self._under_way.clear()
        self._last_activity = None

    def wait(self, page: Page, questions: Iterable[Question], seconds: float, check: Callable[[], None]) -> None:
        """Let the page load until every question has its outcome, it is idle, or the time is up.

        ``check`` is called in between, and may raise.
        """
        questions, ends_at = list(questions), time.monotonic() + seconds
        while self.unanswered(questions) and time.monotonic() < ends_at and not self._is_idle:
            page.wait_for_timeout(_LOOK)
            self.read(page.context)
            check()

    def more_videos(self, page: Page, seconds: float) -> bool:
        """Whether Studio lists more videos within ``seconds``, for instance because the page was scrolled."""
        before, ends_at = len(self.videos), time.monotonic() + seconds
        while len(self.videos) == before and time.monotonic() < ends_at:
            page.wait_for_timeout(_LOOK)
            self.read(page.context)
        return len(self.videos) > before

    def drain(self, page: Page, seconds: float) -> None:
        """Read what a page has requested before it closes; pending answers get ``seconds``."""
        ends_at = time.monotonic() + seconds
        while self._under_way and time.monotonic() < ends_at:
            page.wait_for_timeout(_LOOK)
        self.read(page.context)

    def read(self, context: BrowserContext) -> None:
        """Capture what has arrived completely since the last call."""
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
                continue  # its page has moved on; the question stays open
            self._take(_CapturedResponse(request.url, request.post_data or "", status, text), at, secrets)

    @property
    def _is_idle(self) -> bool:
        return (
            not self._under_way and self._last_activity is not None and time.monotonic() - self._last_activity > _QUIET
        )

    def _began(self, request: Request) -> None:
        if urlsplit(request.url).path in _ENDPOINTS:
            self._under_way.append(request)
            self._last_activity = time.monotonic()

    def _ended(self, request: Request, *, is_whole: bool) -> None:
        if request in self._under_way:
            self._under_way.remove(request)
            self._last_activity = time.monotonic()
            if is_whole:
                self._finished.append(request)

    def _take(self, captured: _CapturedResponse, at: dt.datetime, secrets: Iterable[str]) -> None:
        body, problem = captured.body()
        self.has_login_ended |= problem == LOGIN_ENDED
        if captured.endpoint == _USER:
            owner = owner_in(body)
            if owner and owner.handle.lower() != self.owner.handle.lower():
                self.other_owner = owner.handle
            return
        asked = captured.asked()
        if captured.endpoint == RELATION and asked.get("user_id") != self.owner.user_id:
            return  # another account's, which the page shows as well
        if any(secret in captured.text for secret in secrets):
            problem = "the answer contained a part of the login and was discarded"
        outcomes = {
            question: problem or self._problem_of(question, body) for question in _questions(captured.endpoint, asked)
        }
        for question, reason in outcomes.items():
            if self.outcomes.get(question) != "":  # an answered question stays answered
                self.outcomes[question] = reason
        if problem:
            return
        self.answers.append(Answer(endpoint=captured.endpoint, at=at, asked=asked, text=captured.text))
        if captured.endpoint == ITEM_LIST:
            self._note_videos(body)

    def _problem_of(self, question: Question, body: Mapping[str, Any]) -> str:
        """Why ``body`` does not answer this question; empty if it does, or says "no data"."""
        if question.kind == VIDEOS:
            return ""
        value = body.get("FollowingCount" if question.kind == FOLLOWS else question.kind)
        if question.kind == FOLLOWS:
            value = value.get(self.owner.user_id) if isinstance(value, dict) else None
        if value is None:
            return "Studio left it out of its answer"
        while isinstance(value, dict):
            status = str(value.get("status", "0"))
            if status not in ("0", _NO_DATA):
                return f"Studio answered status {status}"
            value = value.get("value")
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
class _CapturedResponse:
    """One answer with its question, as transferred."""

    url: str
    sent: str
    status: int
    text: str = field(repr=False)

    @property
    def endpoint(self) -> str:
        return urlsplit(self.url).path

    def asked(self) -> dict[str, Any]:
        """The question, without tokens and fingerprints."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}
        if self.endpoint == RELATION:
            return {"user_id": query.get("userId", "")}
        if self.endpoint == ITEM_LIST:
            sent = _json(self.sent)
            return {"cursor": str(sent.get("cursor", "")) if isinstance(sent, dict) else ""}
        requests = _json(query.get("type_requests", ""))
        listed = requests if isinstance(requests, list) else []
        kept = [{name: str(one[name]) for name in _ASKED if name in one} for one in listed if isinstance(one, dict)]
        return {"requests": [one for one in kept if "insigh_type" in one]}

    def body(self) -> tuple[dict[str, Any], str]:
        """The answer, and why it is not one; empty if it is."""
        if self.status != 200:
            return {}, f"Studio answered HTTP {self.status}"
        body = _json(self.text)
        if not isinstance(body, dict):
            return {}, "Studio's answer is not JSON"
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
