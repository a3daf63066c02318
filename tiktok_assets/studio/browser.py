"""The browser: which one, how it is started, and that it is closed. Playwright is imported only when one is opened.

Belongs here: programs, flags, displays. Does not belong here: what Studio looks like (``pages``), and what is kept of
a failure (``evidence``). No fingerprint or user-agent tricks: this is the owner's browser and identifies as such.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_assets.failures import BrowserUnusable
from tiktok_assets.settings import DEFAULT_EGRESS, Settings
from tiktok_assets.studio.egress import proxy_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

# Started with a window, the headless shell runs without error and shows none.
_SHELL = "chromium-headless-shell"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "microsoft-edge")
_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
# A browser that contacts its vendor in the background makes visits slower and tests depend on the network.
_FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
)
_REMEDIES = (
    "Install one with the system's package manager (`sudo apt-get install chromium`, `brew install --cask chromium`), "
    "or let Playwright fetch its own (`.venv/bin/playwright install chromium`), "
    "or name yours in TIKTOK_BROWSER_PATH."
)


def find_browser(settings: Settings, *, headless: bool, playwrights_own: Path | None = None) -> Path:
    """The program to start: from the setting, else from this system, else Playwright's. Raises BrowserUnusable."""
    given = settings.browser_path
    if given is not None:
        if given.is_file() and os.access(given, os.X_OK):
            return given
        raise BrowserUnusable(
            f"TIKTOK_BROWSER_PATH={given} is not an executable program. Correct it, or unset it to search for a "
            "browser."
        )
    for name in (_SHELL, *_BROWSERS) if headless else _BROWSERS:
        if found := shutil.which(name):
            return Path(found)
    for path in map(Path, _MAC if sys.platform == "darwin" else ()):
        if path.exists():
            return path
    if playwrights_own is not None and playwrights_own.exists():
        return playwrights_own
    raise BrowserUnusable(f"No Chromium or Chrome was found on PATH, and Playwright has none of its own. {_REMEDIES}")


def require_display(
    settings: Settings, environment: Mapping[str, str] = os.environ, platform: str = sys.platform
) -> None:
    """Raises BrowserUnusable if no window can be shown."""
    if platform.startswith("linux") and not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        raise BrowserUnusable(
            "A window is needed, but there is no display (DISPLAY and WAYLAND_DISPLAY are empty). Log in on a computer "
            f"with a screen and copy its saved logins to {settings.state / 'sessions'}, connect with `ssh -X`, or use "
            "a virtual display: `xvfb-run`. Visits need no window: TIKTOK_HEADLESS=true."
        )


@contextlib.contextmanager
def open_browser(settings: Settings, *, headless: bool, egress: str = DEFAULT_EGRESS) -> Iterator[Browser]:
    """A new browser, closed with the context, whose every request leaves through ``egress``. Raises BrowserUnusable,
    which names the remedies.

    For synchronous code only: Playwright's objects belong to the thread that opened them.
    """
    if not headless:
        require_display(settings)
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise BrowserUnusable(f"Playwright cannot be imported ({error}). Run `make setup`.") from error
    with sync_playwright() as playwright:
        program = find_browser(settings, headless=headless, playwrights_own=_own(playwright))
        try:
            browser = playwright.chromium.launch(
                executable_path=program,
                headless=headless,
                args=list(_FLAGS),
                chromium_sandbox=not is_root(),
                proxy=proxy_of(settings, egress),
            )
        except Error as error:
            raise _not_started(program, error.message) from error
        try:
            yield browser
        finally:
            with contextlib.suppress(Error):  # it may have been closed manually
                browser.close()


def is_root() -> bool:
    """Chromium refuses to start its sandbox as root; only then may it run without one."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _own(playwright: Playwright) -> Path:
    return Path(playwright.chromium.executable_path)


def _not_started(program: Path, message: str) -> BrowserUnusable:
    if "without having a XServer" in message or "Missing X server" in message or "ozone_platform" in message:
        return BrowserUnusable(f"{program} found no display to show its window on. Check DISPLAY, or use `xvfb-run`.")
    if "No usable sandbox" in message:
        return BrowserUnusable(
            f"{program} may not use its sandbox here. Use the system's own Chrome or Chromium, which is allowed to, or "
            "allow it: `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
        )
    lines = [line.strip() for line in message.splitlines()]
    errors = [line.partition("[err]")[2].strip() for line in lines if "[err]" in line] or lines[:1]
    return BrowserUnusable(f"{program} could not be started: {' '.join(dict.fromkeys(errors))[:300]}. {_REMEDIES}")
