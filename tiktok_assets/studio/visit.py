"""One visit of a real browser to Studio: identity first, then export after export, each landed or failed by name.

Belongs here: the order of things and what is tried again: pages that do not open; never a click, which has used the
account's hour. Does not belong here: what is clicked (``pages``), files (``delivery``), the limits (``limits``).
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
from tiktok_assets.studio.insight_pages import Tour, file_insights
from tiktok_assets.studio.insights import InsightReader
from tiktok_assets.studio.interface import LandedFile, LandedInsights, Visit
from tiktok_assets.studio.limits import Checkpoint, Ledger, Reservation
from tiktok_assets.studio.pages import AnalyticsPage
from tiktok_assets.studio.selectors import Selectors
from tiktok_assets.studio.session import Sessions

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

_LAST_WORDS = 5.0  # seconds for what a page still loads when its export has landed
# Failures that a picture of the page does not explain, or that show a login.
_WORTHLESS = (AuthExpired, WrongAccount, LimitReached, DownloadFailed, BadExport)


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
        self._evidence = Evidence(folder=settings.state / "failures") if settings.screenshot_on_error else None
        self._reservation: Reservation | None = None
        self._reader: InsightReader | None = None
        self._has_failed = False

    def begin(self) -> None:
        """Prove whose session it is, before any click. Raises AuthExpired, WrongAccount, StudioUnreachable."""
        self._reader = InsightReader(owner=self._retries(self._require_owner), clock=self._clock)
        self._reader.attach(self._context)
        if self._evidence:
            self._evidence.start(self._context)

    def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
        window, began = Window(first=first, last=last), time.monotonic()
        try:
            return self._on_its_way(section, window, began) or self._asked(section, window, began)
        except Exception:
            self._has_failed = True
            raise

    def insights(self) -> LandedInsights:
        began, missing, videos, filed = time.monotonic(), [], 0, None
        if self._reader:
            missing, videos = self._toured(self._reader)
            missing += self._doubts(self._reader)
            if self._reader.answers:
                try:
                    filed = file_insights(self._lake, self._account, self._reader, missing, self._clock())
                except (ExportProblem, OSError) as problem:
                    missing.append(f"everything: what was read could not be landed ({problem})")
        return LandedInsights(
            account=self._account.key,
            path=filed.path if filed else None,
            export_id=filed.export_id if filed else "",
            bytes=filed.bytes if filed else 0,
            rows=filed.numbers if filed else 0,
            videos=videos,
            seconds=round(time.monotonic() - began, 3),
            missing=tuple(missing),
        )

    def conclude(self) -> None:
        """Nothing failed: the reservation is used up, and the session, which Studio may have renewed, kept.

        After a failure both stay as they are: a visit that goes on may ask for what this one did not.
        """
        if self._has_failed:
            return
        if self._reservation:
            self._ledger.finish(self._reservation)
        with contextlib.suppress(AuthExpired, WrongAccount, StudioUnreachable, UiChanged):  # the next visit says so
            self._require_owner()
            self._sessions.save(self._account.key, dict(self._context.storage_state()))

    def _require_owner(self) -> Owner:
        return require_owner(self._context, self._settings.studio_url, self._account, self._settings.download_timeout)

    def _toured(self, reader: InsightReader) -> tuple[list[str], int]:
        """What the pages did not tell, and of how many videos they told."""
        from playwright.sync_api import Error

        try:
            with contextlib.closing(self._context.new_page()) as page:
                wanted, seconds = self._settings.insight_videos, self._settings.download_timeout
                tour = Tour(reader=reader, studio=self._page(page, INSIGHTS), videos=wanted, seconds=seconds)
                tour.make()
                return list(tour.missing()), tour.seen_videos
        except Error as error:
            return [f"the browser broke off ({error.message.splitlines()[0][:200]})"], 0

    def _doubts(self, reader: InsightReader) -> list[str]:
        """Proof once more that what was read is ours; where it is not, all of it is forgotten."""
        stranger = reader.stranger and f"Studio's pages were @{reader.stranger}'s, not @{self._account.handle}'s"
        try:
            self._require_owner()
        except WrongAccount as failure:
            stranger = failure.description
        except (AuthExpired, StudioUnreachable, UiChanged):
            pass  # then nobody else has logged in either
        if not stranger:
            return []
        reader.answers.clear()
        return [f"everything: {stranger}"]

    def _on_its_way(self, section: str, window: Window, began: float) -> LandedFile | None:
        """The export that a visit which was cut short had asked for, where it can still be landed."""
        for checkpoint in self._ledger.on_its_way(self._account.key, self._clock()):
            known = checkpoint.window
            if checkpoint.section != section or known.last < window.first or known.first > window.last:
                continue
            delivery = self._delivery(checkpoint, began)
            if landed := delivery.named_before():
                return landed
            if checkpoint.link:
                with contextlib.suppress(LinkDead):
                    return delivery.deliver()
        return None

    def _asked(self, section: str, window: Window, began: float) -> LandedFile:
        with contextlib.closing(self._context.new_page()) as page, self._recorded(page, section), self._heard(page):
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
        with self._evidence.of(page, name, self._clock(), _WORTHLESS):
            yield

    @contextlib.contextmanager
    def _heard(self, page: Page) -> Iterator[None]:
        """What the page loads is read before it closes. That it cannot be read is no failure of the block."""
        from playwright.sync_api import Error

        seconds = 0.0
        try:
            yield
            seconds = _LAST_WORDS
        finally:
            if self._reader:
                with contextlib.suppress(Error):
                    self._reader.settle(page, seconds)

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
        """The right to click, written down: this visit's, or that of one which was cut short."""
        if self._reservation is None:
            now, key = self._clock(), self._account.key
            self._reservation = self._ledger.unfinished(key, now) or self._ledger.reserve(key, now)
        return self._reservation
