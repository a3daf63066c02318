"""Studio's analytics page: from a section and a window to a download that has begun, or what happened instead.

Belongs here: what is clicked in which order, and how to distinguish the outcomes. Where elements are is in
``selectors.toml``; the calendar is ``picker``; whether the file is valid is ``download``.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from tiktok_assets.exports.windows import Window, is_certain, last_day_with_data
from tiktok_assets.failures import (
    AuthExpired,
    DownloadNotStarted,
    HumanNeeded,
    LimitReached,
    StudioUnreachable,
    UiChanged,
)
from tiktok_assets.studio.picker import Picker, missing
from tiktok_assets.studio.selectors import Deadline, Selectors

if TYPE_CHECKING:
    from playwright.sync_api import Download, Locator, Page, Response

ANALYTICS = "/tiktokstudio/analytics"
PRESETS = (7, 28, 60, 365)
LOGIN_EXPIRED = 8
_LOOK = 50  # milliseconds between two checks of a page that is waited for
_GRACE = 2.0  # seconds in which a download may still begin after an unknown message
_MOST_PAGE_SECONDS = 15.0


@dataclass(kw_only=True)
class AnalyticsPage:
    """One section's page of one account, in one browser tab. ``refusal_wait``: seconds to wait after a refusal."""

    page: Page
    selectors: Selectors
    url: str
    account: str
    section: str
    timeout: float
    refusal_wait: float
    _downloads: list[Download] = field(default_factory=list)
    _responses: list[Response] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(self._element_timeout * 1000)
        self.page.on("download", lambda download: self._downloads.append(download))
        self.page.on("response", lambda response: self._responses.append(response))
        closing = self.selectors.visible(self.page.locator(self.selectors.css["overlay"]), "got_it")
        self.page.add_locator_handler(closing, lambda button: button.click())

    @property
    def where(self) -> str:
        """Account and section; every message begins with them."""
        return f"{self.account}, {self.section}"

    def open(self, window: Window, now: dt.datetime) -> Window:
        """Show the section with ``window`` selected. Returns what was selected, which is less where Studio has less."""
        is_preset = len(window) in PRESETS and window.last == last_day_with_data(now) and is_certain(now)
        with self._explained("opening the page"):
            self._go(len(window) if is_preset else None)
            if is_preset and self._shows_preset(len(window)):
                return window
            self._element("range").click()
            self._element("custom").click()
            picker = Picker(page=self.page, selectors=self.selectors, seconds=self._element_timeout, where=self.where)
            picked = picker.pick(window, now)
            self._element("apply").click()
            self._refuse_unapplied()
            return picked

    def prepare(self) -> Locator:
        """Open the download dialog and choose CSV. Returns the button that requests the export, unclicked."""
        with self._explained("opening the download dialog"):
            self._element("download_data").click()
            dialog = self.page.get_by_role("dialog").filter(has=self.page.get_by_role("radio"), visible=True)
            csv = self.selectors.find(dialog, "csv", self._element_timeout)
            if csv is None:
                raise missing(self.where, "csv", "the download dialog")
            csv.check()
            button = self.selectors.find(dialog, "download", self._element_timeout)
            if button is None:
                raise missing(self.where, "download", "the download dialog")
            self.raise_if_blocked()
            return button

    def ask(self, button: Locator, window: Window, now: dt.datetime) -> Download:
        """Click, and wait for what comes first: the download, a message, a login or a captcha. Returns the download or
        raises the failure."""
        self._downloads.clear()
        self._responses.clear()
        shown_before = set(self._alerts())
        with self._explained("requesting the export"):
            button.click()
            deadline = Deadline.after(self.timeout)
            grace: tuple[Deadline, str] | None = None
            while not self._downloads:
                alerts = self._alerts()
                self._check_answers(now)  # after the alerts: the answer behind a message contains more, and came first
                for text in alerts:
                    self._refuse_known(text, now)
                    if text not in shown_before and grace is None:
                        grace = Deadline.after(_GRACE), text
                self.raise_if_blocked()
                over = grace is not None and not grace[0].left
                if over or not deadline.left:
                    reason = f"Studio said {grace[1]!r}" if grace else f"no file came within {self.timeout:g} s"
                    raise DownloadNotStarted(
                        f"{self.where}, {window}: the export was requested, but {reason}. The request counts toward "
                        "this account's hourly limit; the next visit requests it again. If files take longer, raise "
                        "TIKTOK_DOWNLOAD_TIMEOUT."
                    )
                self.page.wait_for_timeout(_LOOK)
        return self._downloads[0]

    def browse(self, path: str) -> int:
        """Open a page of Studio for what it loads by itself; nothing is clicked. Returns its HTTP status."""
        status = self._goto(f"{self.url}{path}")
        self.raise_if_blocked()
        return status

    def raise_if_blocked(self) -> None:
        """Raises AuthExpired or HumanNeeded if the page shows a login or a captcha, whatever else it shows."""
        if self.selectors.visible(self.page, "captcha").is_visible():
            raise HumanNeeded(
                f"{self.where}: Studio shows a captcha, which a person has to solve. Run `tiktok-assets login "
                f"{self.account}`, solve it in the window, then run this again."
            )
        path = urlsplit(self.page.url).path
        if path == "/login" or path.startswith("/login/") or self.selectors.visible(self.page, "login").is_visible():
            raise self._expired("it shows the login page")

    @property
    def _element_timeout(self) -> float:
        """Seconds to wait for an element of a page; a file may take longer."""
        return min(self.timeout, _MOST_PAGE_SECONDS)

    def _goto(self, address: str) -> int:
        from playwright.sync_api import Error

        try:
            response = self.page.goto(address, wait_until="domcontentloaded", timeout=self.timeout * 1000)
        except Error as error:
            raise StudioUnreachable(
                f"{self.where}: {self.url} did not open ({error.message.splitlines()[0][:200]}). Check the network."
            ) from error
        if response is not None and response.status >= 500:
            raise StudioUnreachable(f"{self.where}: {self.url} answered HTTP {response.status}. It is tried again.")
        return response.status if response else 200

    def _go(self, preset: int | None) -> None:
        from playwright.sync_api import Error

        address = f"{self.url}{ANALYTICS}/{self.section}"
        if preset:
            chosen = json.dumps({"type": "fixed", "pastDay": preset}, separators=(",", ":"))
            address += f"?dateRange={quote(chosen)}"
        self._goto(address)
        ready = self.selectors.visible(self.page, "download_data")
        other = [self.selectors.visible(self.page, name) for name in ("login", "captcha")]
        with contextlib.suppress(Error):
            ready.or_(other[0]).or_(other[1]).first.wait_for(timeout=self._element_timeout * 1000)
        self.raise_if_blocked()
        if not ready.is_visible():
            raise missing(self.where, "download_data", "the analytics page")

    def _shows_preset(self, days: int) -> bool:
        """Whether the page took the range from its address; otherwise it is selected in the calendar."""
        return str(days) in re.findall(r"\d+", self._element("range").inner_text())

    def _refuse_unapplied(self) -> None:
        for text in self._alerts():
            raise UiChanged(
                f"{self.where}: Studio refused the range with {text!r}. If it is too long, lower "
                "TIKTOK_MAX_EXPORT_DAYS."
            )

    def _element(self, name: str) -> Locator:
        found = self.selectors.find(self.page, name, self._element_timeout)
        if found is None:
            self.raise_if_blocked()
            raise missing(self.where, name, "the analytics page")
        return found

    def _alerts(self) -> list[str]:
        texts = self.selectors.everywhere(self.page, "alert").filter(visible=True).all_inner_texts()
        return [text.strip() for text in texts if text.strip()]

    def _check_answers(self, now: dt.datetime) -> None:
        """Raise what the page's own requests were answered: too many (429), or login expired (status_code 8)."""
        from playwright.sync_api import Error

        answers, self._responses[:] = list(self._responses), []
        for answer in answers:
            if answer.status == 429:
                wait = answer.headers.get("retry-after", "")
                raise self._limited("HTTP 429", now, float(wait) if wait.isdigit() else None)
            if answer.status == 200 and "json" in answer.headers.get("content-type", ""):
                with contextlib.suppress(Error, ValueError):
                    body = answer.json()
                    if isinstance(body, dict) and LOGIN_EXPIRED in (body.get("status_code"), body.get("statusCode")):
                        raise self._expired("it answered status_code 8")

    def _refuse_known(self, text: str, now: dt.datetime) -> None:
        if self.selectors.says("login_expired", text):
            raise self._expired(f"it says {text!r}")
        if self.selectors.says("limit", text):
            raise self._limited(repr(text), now)

    def _expired(self, evidence: str) -> AuthExpired:
        return AuthExpired(
            f"{self.where}: Studio no longer accepts the saved login ({evidence}). Run `tiktok-assets login "
            f"{self.account}`, then run this again."
        )

    def _limited(self, answer: str, now: dt.datetime, seconds: float | None = None) -> LimitReached:
        retry_at = now + dt.timedelta(seconds=self.refusal_wait if seconds is None else seconds)
        return LimitReached(
            f"{self.where}: Studio refused the export with {answer}. It may be tried again at "
            f"{retry_at:%Y-%m-%d %H:%M:%S} UTC.",
            retry_at,
        )

    @contextlib.contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        """Turn a click that does not work into a failure: a login or captcha in the way, or a changed page."""
        from playwright.sync_api import Error, TimeoutError

        try:
            yield
        except TimeoutError as error:
            self.raise_if_blocked()
            raise UiChanged(
                f"{self.where}: {what} did not work ({error.message.splitlines()[0][:200]}); something covers the "
                "page, or it has changed. Open the screenshot of this failure, and correct selectors.toml."
            ) from error
        except Error as error:
            raise StudioUnreachable(
                f"{self.where}: {what} was interrupted ({error.message.splitlines()[0][:200]}). It is tried again."
            ) from error
