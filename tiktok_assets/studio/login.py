"""Logging in: a person does it in a window, and the session is saved. No password passes through here.

The one exception is the simulator on this machine: ``SimulatorLogin`` types invented credentials into it, for tests and
the demo, and refuses every other address. A login is never recorded: no trace, no screenshot.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from tiktok_assets.accounts import Account
from tiktok_assets.failures import AuthExpired, HumanNeeded, PermanentFailure, StudioUnreachable, WrongAccount
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import open_browser
from tiktok_assets.studio.egress import require_egress
from tiktok_assets.studio.identity import owner_of
from tiktok_assets.studio.pages import ANALYTICS
from tiktok_assets.studio.session import SESSION_COOKIES, Session, Sessions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

TIMEOUT = 600.0  # seconds a person has, including 2FA by mail
_LOOK = 500  # milliseconds between two checks
_ADDRESSES = ("127.0.0.1", "::1")

Help = Callable[["Page"], None]


class NotTheSimulator(PermanentFailure):
    """Simulator credentials would have been typed into a site that is not on this machine."""


@dataclass(frozen=True, kw_only=True)
class SimulatorLogin:
    """Logs in to the simulator automatically. ``code``: returns the current one-time code."""

    handle: str
    password: str = field(repr=False)
    code: Callable[[], str] | None = field(default=None, repr=False)

    def __call__(self, page: Page) -> None:
        """Fill in the form. Raises NotTheSimulator for any host other than the literal 127.0.0.1 or ::1."""
        self._refuse_elsewhere(page)
        site = urlsplit(page.url)
        target = quote(ANALYTICS, safe="")
        page.goto(f"{site.scheme}://{site.netloc}/login/phone-or-email/email?redirect_url={target}")
        self._refuse_elsewhere(page)
        page.locator("input[name=username]").fill(self.handle)
        page.locator("input[type=password]").fill(self.password)
        page.locator("button[type=submit]").click()
        if self.code:
            page.locator("input[name=code]").fill(self.code())
            self._refuse_elsewhere(page)
            page.locator("button[type=submit]").click()

    @staticmethod
    def _refuse_elsewhere(page: Page) -> None:
        host = urlsplit(page.url).hostname
        if host not in _ADDRESSES:
            raise NotTheSimulator(
                f"Refused to type the simulator's credentials into {host}; they are only for the simulator on "
                "127.0.0.1. Log in to the real Studio yourself: `tiktok-assets login <account>`."
            )


def log_in(
    settings: Settings,
    account: Account,
    *,
    headless: bool = False,
    help_with: Help | None = None,
    timeout: float = TIMEOUT,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    open_browser: Callable[..., AbstractContextManager[Browser]] = open_browser,
) -> Session:
    """Open Studio's login in a window, wait until the owner is logged in, and save the session, which is valid until
    its ``expires_at``. ``help_with`` fills in what a person would (``SimulatorLogin``).

    Raises HumanNeeded if nobody logged in within ``timeout`` seconds or the window was closed, WrongAccount if the
    owner of another account logged in, EgressElsewhere, BrowserUnusable, StudioUnreachable. Then nothing is saved; an
    earlier session stays.
    """
    require_egress(settings, account)
    with open_browser(settings, headless=headless, egress=account.egress) as browser:
        context = browser.new_context()
        try:
            handle = _wait(settings, account, context, help_with, timeout)
            if handle.lower() != account.handle.lower():
                raise WrongAccount(
                    f"{account.key}: @{handle} logged in, but this account is @{account.handle}. Nothing was saved. "
                    f"Run `tiktok-assets login {account.key}` again as @{account.handle}; if the handle has changed, "
                    "correct it in accounts.toml."
                )
            return Sessions.of(settings, clock).save(account.key, dict(context.storage_state()))
        finally:
            from playwright.sync_api import Error

            with contextlib.suppress(Error):
                context.close()


def _wait(settings: Settings, account: Account, context: BrowserContext, help_with: Help | None, timeout: float) -> str:
    """The handle of whoever logs in, as soon as Studio names the owner of the session."""
    from playwright.sync_api import Error, TimeoutError

    page, url = context.new_page(), settings.studio_url
    again = f"Run `tiktok-assets login {account.key}` again."
    try:
        page.goto(f"{url}/login?redirect_url={quote(ANALYTICS, safe='')}", wait_until="domcontentloaded")
    except Error as error:
        reason = error.message.splitlines()[0][:200]
        raise StudioUnreachable(f"{account.key}: {url} did not open ({reason}). Check the network. {again}") from None
    try:
        if help_with:
            help_with(page)
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if handle := _logged_in_handle(settings, account, context):
                return handle
            page.wait_for_timeout(_LOOK)
    except TimeoutError:  # only ``help_with`` runs into one; its text would contain what was typed
        raise HumanNeeded(f"{account.key}: the login page is not the expected one. {again}") from None
    except Error:
        raise HumanNeeded(
            f"{account.key}: the window was closed before the login was finished; nothing was saved. {again}"
        ) from None
    raise HumanNeeded(
        f"{account.key}: nobody logged in within {timeout:g} s; nothing was saved. {again} Enter the password and "
        "code, or scan the QR code, and solve any captcha in the window; it closes by itself."
    )


def _logged_in_handle(settings: Settings, account: Account, context: BrowserContext) -> str | None:
    if not any(cookie.get("name") in SESSION_COOKIES for cookie in context.cookies()):
        return None  # no session to ask about
    try:
        return owner_of(context, settings.studio_url, account.key, seconds=10).handle
    except (AuthExpired, StudioUnreachable):
        return None  # not yet
