"""The pages a visit opens for insights, and the one file made of their answers.

Belongs here: which pages, in which order, until when; landing what was captured. Does not belong here: capturing
(``insights``), exports.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.insights import serialize_insights
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.failures import Failure, StudioUnreachable
from tiktok_assets.inbox.quarantine import quarantine
from tiktok_assets.reports.reading import open_export
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.download import digest_of, land
from tiktok_assets.studio.insights import FOLLOWS, LOGIN_ENDED, VIDEOS, InsightReader, Question
from tiktok_assets.studio.pages import ANALYTICS, AnalyticsPage

OF_PAGE: Mapping[str, tuple[Question, ...]] = {
    "overview": (Question(FOLLOWS), Question("vv_traffic_source")),
    "viewers": (Question("viewer_age_distribution"),),
    "followers": (Question("follower_age_distribution"),),
    "content": (Question(VIDEOS),),
}
OF_VIDEO = (
    "video_per_duration_realtime",
    "video_finish_rate_realtime",
    "video_traffic_source_percent_realtime",
)
_LONGEST_WAIT = 15.0  # seconds for one page; 8.8 was the longest observed
# Consecutive pages that load nothing, after which the rest are skipped.
_MAX_SILENT_PAGES = 2
_NAMED = 3
_SCROLLS = 2  # a busy machine may lose the first turn of the wheel
_LONGEST_SCROLL = 4.0  # seconds for the next videos of the list
_FAR = 100_000  # pixels


@dataclass(kw_only=True)
class InsightCrawler:
    """Opens the pages that the visit's exports have not opened, one after another in one tab."""

    reader: InsightReader
    studio: AnalyticsPage
    videos: int
    seconds: float
    stopped: str = ""
    """Why pages were skipped; empty if none was."""
    _silent: int = 0
    _unasked: set[str] = field(default_factory=set)
    """Kinds that a page did not request although it requested others: not waited for on later pages."""

    def crawl(self) -> None:
        """Never raises for what Studio does."""
        for page, questions in OF_PAGE.items():
            if page != "content" and self.reader.unanswered(questions):
                self._open(f"{ANALYTICS}/{page}", questions)
        if self._needs_videos:
            self._open(f"{ANALYTICS}/content", OF_PAGE["content"])
            self._scroll()
        for video in self.requested_videos:
            if questions := [Question(kind, video) for kind in OF_VIDEO if kind not in self._unasked]:
                self._open(f"{ANALYTICS}/{video}", questions)

    @property
    def _needs_videos(self) -> bool:
        return len(self.reader.videos) < self.videos and self.reader.has_more_videos

    def _scroll(self) -> None:
        """The list grows when its end becomes visible."""
        from playwright.sync_api import Error

        while self._needs_videos and self.reader.videos and not self.stopped:
            try:
                if not any(self._scrolled() for _ in range(_SCROLLS)):
                    return
            except Error as error:
                self.stopped = f"loading the list of videos failed ({error.message.splitlines()[0][:200]})"

    def _scrolled(self) -> bool:
        """Whether the list has grown after turning the wheel."""
        self.studio.page.mouse.wheel(0, _FAR)
        return self.reader.more_videos(self.studio.page, min(self.seconds, _LONGEST_SCROLL))

    @property
    def requested_videos(self) -> list[str]:
        """The newest, as many as requested."""
        return self.reader.videos[: self.videos]

    @property
    def answered_videos(self) -> int:
        """How many have at least one answer."""
        answered = {question.video for question, problem in self.reader.outcomes.items() if not problem}
        return len(answered & set(self.requested_videos))

    def missing(self) -> Iterator[str]:
        """What could not be captured and why."""
        if self.stopped:
            yield self.stopped
        account = [question for questions in OF_PAGE.values() for question in questions]
        reasons: dict[tuple[str, str], list[str]] = {}
        for question in [*account, *(Question(kind, video) for kind in OF_VIDEO for video in self.requested_videos)]:
            if question == Question(VIDEOS) and not self.videos:
                continue
            unknown = "its page was not opened" if self.stopped else "no page of Studio requested it"
            reason = self.reader.outcomes.get(question, unknown)
            if reason:
                reasons.setdefault((question.kind, reason), []).append(question.video)
        for (kind, reason), videos in reasons.items():
            yield f"{kind}{_of(videos)}: {reason}"
        if self._needs_videos and self.reader.videos:
            yield f"videos: {self.videos} were requested, but Studio's page listed only {len(self.reader.videos)}"

    def _open(self, path: str, questions: Collection[Question]) -> None:
        from playwright.sync_api import Error

        if self.stopped:
            return
        before = len(self.reader.outcomes), len(self.reader.answers)
        try:
            self.reader.next_page()
            status = self.studio.browse(path)
            if status < 400:
                self.reader.wait(
                    self.studio.page, questions, min(self.seconds, _LONGEST_WAIT), self.studio.raise_if_blocked
                )
            else:
                self._give_up(questions, f"its page answered HTTP {status}")
        except StudioUnreachable as failure:
            self._give_up(questions, failure.description)
        except Failure as failure:
            self.stopped = failure.description
        except Error as error:
            self.stopped = f"{path} failed ({error.message.splitlines()[0][:200]})"
        if self.reader.has_login_ended and not self.stopped:
            self.stopped = f"{LOGIN_ENDED}. Run `tiktok-assets login {self.studio.account}`, then run this again"
        is_silent = before == (len(self.reader.outcomes), len(self.reader.answers))
        self._silent = self._silent + 1 if is_silent else 0
        if not is_silent and not self.stopped:
            self._unasked |= {question.kind for question in self.reader.unanswered(questions)}
        if self._silent >= _MAX_SILENT_PAGES and not self.stopped:
            self.stopped = f"{_MAX_SILENT_PAGES} pages in a row loaded nothing, last {path}; the rest were skipped"

    def _give_up(self, questions: Iterable[Question], reason: str) -> None:
        self.reader.outcomes |= dict.fromkeys(self.reader.unanswered(questions), reason)


def _of(videos: list[str]) -> str:
    named = [video for video in videos if video]
    if not named:
        return ""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f" of {'video' if len(named) == 1 else 'videos'} {', '.join(named[:_NAMED])}{more}"


@dataclass(frozen=True, kw_only=True)
class SavedInsights:
    """The landed file. ``numbers``: how many staging takes from it."""

    path: UPath
    export_id: str
    bytes: int
    numbers: int


def save_insights(
    lake: Lake, account: Account, reader: InsightReader, missing: Iterable[str], captured_at: dt.datetime
) -> SavedInsights:
    """Land what ``reader`` has captured. Raises ExportProblem, with the file in quarantine, if it is unreadable."""
    captured_at = captured_at.astimezone(dt.UTC).replace(microsecond=0)
    with _scratch(lake) as folder:
        path = folder / f"Insights_{captured_at:%Y%m%dT%H%M%SZ}_{account.handle}.json"
        path.write_bytes(
            serialize_insights(
                handle=account.handle,
                user_id=reader.owner.user_id,
                captured_at=captured_at,
                missing=missing,
                answers=reader.answers,
            )
        )
        os.utime(path, (captured_at.timestamp(), captured_at.timestamp()))
        try:
            numbers = _numbers(path)
        except ExportProblem as problem:
            quarantine(lake, UPath(path), problem)
            raise
        digest, size = digest_of(path), path.stat().st_size
        return SavedInsights(
            path=land(lake, path, account.key, lambda name: None), export_id=digest, bytes=size, numbers=numbers
        )


def _numbers(path: Path) -> int:
    with open_export(path) as export:
        frames = [
            member.report.parse(rows.lazy().collect()) for member, rows in export.frames(account="", source=path.name)
        ]
    return sum(frame["value"].count() for frame in frames)


@contextlib.contextmanager
def _scratch(lake: Lake) -> Iterator[Path]:
    """A private folder on the disk of landing, outside all scanned folders; deleted after the block."""
    place = lake.settings.state / "downloads"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        yield Path(folder)
