"""One visit of a real browser to Studio: identity first, then one export after another, each landed or a typed failure.

Belongs here: the order of steps and what is retried: pages that do not open, but never a click, which counts toward the
account's hourly limit. Does not belong here: what is clicked (``pages``), files (``delivery``), the limits
(``limits``).
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import INSIGHTS
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.windows import Window
from tiktok_assets.failures import (
    AuthExpired,
    BadExport,
    DownloadFailed,
    LimitReached,
    StudioUnreachable,
    UiChanged,
    WrongAccount,
)
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.delivery import Delivery, Retries
from tiktok_assets.studio.download import LinkDead
from tiktok_assets.studio.evidence import Evidence
from tiktok_assets.studio.identity import Owner, require_owner
from tiktok_assets.studio.insight_pages import InsightCrawler, save_insights
from tiktok_assets.studio.insights import InsightReader
from tiktok_assets.studio.interface import LandedFile, LandedInsights, Visit
from tiktok_assets.studio.limits import Checkpoint, Ledger, Reservation
from tiktok_assets.studio.pages import AnalyticsPage
from tiktok_assets.studio.selectors import Selectors
from tiktok_assets.studio.session import Sessions

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

_DRAIN_SECONDS = 5.0  # for what a page is still loading once its export has landed
# Failures that a screenshot does not explain, or whose screenshot would show a login.
_WITHOUT_EVIDENCE = (AuthExpired, WrongAccount, LimitReached, DownloadFailed, BadExport)


class BrowserVisit(Visit):
    """As ``Visit``, in ``context``. Made by ``BrowserStudio.visit``."""

    def __init__(
        self,
        account: Account,
        context: BrowserContext,
        *,
        settings: Settings,
        ledger: Ledger,
        sessions: Sessions,
        selectors: Selectors,
        clock: Callable[[], dt.datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._account, self._context, self._settings = account, context, settings
        self._ledger, self._sessions, self._selectors, self._clock = ledger, sessions, selectors, clock
        self._lake, self._retries = Lake(settings), Retries(sleep=sleep)
        self._evidence = Evidence.of_installation(settings) if settings.screenshot_on_error else None
        self._reservation: Reservation | None = None
        self._reader: InsightReader | None = None
        self._has_failed = False

    def begin(self) -> None:
        """Verify the owner of the session before any click. Raises AuthExpired, WrongAccount, StudioUnreachable."""
        self._reader = InsightReader(owner=self._retries(self._require_owner), clock=self._clock)
        self._reader.attach(self._context)
        if self._evidence:
            self._evidence.start(self._context)

    def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
        window, began = Window(first=first, last=last), time.monotonic()
        try:
            return self._resumed(section, window, began) or self._requested(section, window, began)
        except Exception:
            self._has_failed = True
            raise

    def insights(self) -> LandedInsights:
        began, missing, videos, saved = time.monotonic(), [], 0, None
        if self._reader:
            missing, videos = self._crawl(self._reader)
            missing += self._discard_if_foreign(self._reader)
            if self._reader.answers:
                try:
                    saved = save_insights(self._lake, self._account, self._reader, missing, self._clock())
                except (ExportProblem, OSError) as problem:
                    missing.append(f"everything: the captured answers could not be landed ({problem})")
        return LandedInsights(
            account=self._account.key,
            path=saved.path if saved else None,
            export_id=saved.export_id if saved else "",
            bytes=saved.bytes if saved else 0,
            rows=saved.numbers if saved else 0,
            videos=videos,
            seconds=round(time.monotonic() - began, 3),
            missing=tuple(missing),
        )

    def conclude(self) -> None:
        """After a visit without failures: close the reservation and save the session, which Studio may have renewed.

        After a failure both stay as they are, so that a resumed visit can request what this one did not.
        """
        if self._has_failed:
            return
        if self._reservation:
            self._ledger.finish(self._reservation)
        with contextlib.suppress(AuthExpired, WrongAccount, StudioUnreachable, UiChanged):  # the next visit reports it
            self._require_owner()
            self._sessions.save(self._account.key, dict(self._context.storage_state()))

    def _require_owner(self) -> Owner:
        return require_owner(self._context, self._settings.studio_url, self._account, self._settings.download_timeout)

    def _crawl(self, reader: InsightReader) -> tuple[list[str], int]:
        """What the pages did not answer, and how many videos they answered for."""
        from playwright.sync_api import Error

        try:
            with contextlib.closing(self._context.new_page()) as page:
                videos, seconds = self._settings.insight_videos, self._settings.download_timeout
                studio = self._page(page, INSIGHTS)
                crawler = InsightCrawler(reader=reader, studio=studio, videos=videos, seconds=seconds)
                crawler.crawl()
                return list(crawler.missing()), crawler.answered_videos
        except Error as error:
            return [f"the browser stopped ({error.message.splitlines()[0][:200]})"], 0

    def _discard_if_foreign(self, reader: InsightReader) -> list[str]:
        """Verify the owner once more; if the answers belong to another account, discard all of them and say so."""
        other = reader.other_owner
        conflict = other and f"Studio's pages belonged to @{other}, not to @{self._account.handle}"
        try:
            self._require_owner()
        except WrongAccount as failure:
            conflict = failure.description
        except (AuthExpired, StudioUnreachable, UiChanged):
            pass  # so no other account has logged in either
        if not conflict:
            return []
        reader.answers.clear()
        return [f"everything: {conflict}"]

    def _resumed(self, section: str, window: Window, began: float) -> LandedFile | None:
        """The export that an interrupted visit had requested, if it can still be landed."""
        for checkpoint in self._ledger.pending(self._account.key, self._clock()):
            pending = checkpoint.window
            if checkpoint.section != section or pending.last < window.first or pending.first > window.last:
                continue
            delivery = self._delivery(checkpoint, began)
            if landed := delivery.named_before():
                return landed
            if checkpoint.link:
                with contextlib.suppress(LinkDead):
                    return delivery.deliver()
        return None

    def _requested(self, section: str, window: Window, began: float) -> LandedFile:
        with contextlib.closing(self._context.new_page()) as page, self._recorded(page, section), self._captured(page):
            studio = self._page(page, section)
            picked, button = self._retries(lambda: self._prepared(studio, window))
            checkpoint = self._ledger.ask(self._reserved(), section, picked, self._clock())
            try:
                download = studio.ask(button, picked, self._clock())
            except LimitReached as refused:
                self._ledger.refused(self._account.key, refused.retry_at)
                raise
            self._ledger.keep_link(checkpoint, download.url)
            checkpoint = dataclasses.replace(checkpoint, link=download.url)
            return self._delivery(checkpoint, began).deliver(download)

    def _prepared(self, studio: AnalyticsPage, window: Window) -> tuple[Window, Locator]:
        return studio.open(window, self._clock()), studio.prepare()

    @contextlib.contextmanager
    def _recorded(self, page: Page, section: str) -> Iterator[None]:
        if self._evidence is None:
            yield
            return
        name = f"{self._account.key}_{section}"
        with self._evidence.of(page, name, self._clock(), _WITHOUT_EVIDENCE):
            yield

    @contextlib.contextmanager
    def _captured(self, page: Page) -> Iterator[None]:
        """Capture what the page loads before it closes. Failing to capture it does not fail the block."""
        from playwright.sync_api import Error

        seconds = 0.0
        try:
            yield
            seconds = _DRAIN_SECONDS
        finally:
            if self._reader:
                with contextlib.suppress(Error):
                    self._reader.drain(page, seconds)

    def _page(self, page: Page, section: str) -> AnalyticsPage:
        return AnalyticsPage(
            page=page,
            selectors=self._selectors,
            url=self._settings.studio_url,
            account=self._account.key,
            section=section,
            timeout=self._settings.download_timeout,
            refusal_wait=max(self._settings.export_interval, 60),
        )

    def _delivery(self, checkpoint: Checkpoint, began: float) -> Delivery:
        return Delivery(
            checkpoint=checkpoint,
            account=self._account,
            context=self._context,
            ledger=self._ledger,
            lake=self._lake,
            retries=self._retries,
            clock=self._clock,
            timeout=self._settings.download_timeout,
            began=began,
        )

    def _reserved(self) -> Reservation:
        """The recorded right to click: this visit's, or that of an interrupted one."""
        if self._reservation is None:
            now, key = self._clock(), self._account.key
            self._reservation = self._ledger.unfinished(key, now) or self._ledger.reserve(key, now)
        return self._reservation
