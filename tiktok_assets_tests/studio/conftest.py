"""A simulated Studio with a clock that tests move, an installation with two of its accounts, one real browser."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tiktok_assets.accounts import Account
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.studio import StudioAccount, StudioWorld, invent_account, serve
from tiktok_assets.studio.browser import open_browser
from tiktok_assets.studio.browser_studio import BrowserStudio
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.fakes import Clock

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOW = dt.datetime(2026, 1, 1, 18, 20, 30, tzinfo=dt.UTC)
"""After the data of 31 December has arrived; an even second, as a ZIP can keep it."""
YESTERDAY = dt.date(2025, 12, 31)
FIRST, LAST = dt.date(2025, 11, 20), dt.date(2025, 12, 4)
NORTH, SOUTH = Account(key="north", handle="north.pier"), Account(key="south", handle="south_pier")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One test's Studio and installation. ``log_in`` saves a session without a login form."""

    world: StudioWorld
    address: str
    settings: Settings
    clock: Clock
    studio: BrowserStudio

    def log_in(self, account: Account) -> str:
        """The id of a new session of ``account``, saved as a login would."""
        session = self.world.sessions.open(account.handle)
        ends = dt.datetime.now(dt.UTC).timestamp() + 180 * 86400  # cookies follow the browser's clock
        cookies = [
            {
                "name": name,
                "value": value,
                "domain": "127.0.0.1",
                "path": "/",
                "expires": ends,
                "httpOnly": True,
                "secure": False,
                "sameSite": "Lax",
            }
            for name, value in session.cookies("a-csrf-token-of-the-test").items()
        ]
        self.studio.sessions.save(account.key, {"cookies": cookies, "origins": []})
        return session.id

    @property
    def data(self) -> Path:
        """The data folder of this installation."""
        return Path(str(self.settings.data_dir))

    def files(self, layer: str) -> list[str]:
        """Every file below ``data/<layer>``, whatever it is called."""
        root = self.data / layer
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="session")
def studio_accounts() -> tuple[StudioAccount, StudioAccount]:
    first, last = dt.date(2024, 1, 1), dt.date(2026, 2, 28)
    return invent_account("north.pier", 1, first, last), invent_account("south_pier", 2, first, last, locale="el")


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One process for all tests here; each visit has its own context in it."""
    settings = Settings(data_dir="/nonexistent")  # pyright: ignore[reportArgumentType]
    with open_browser(settings, headless=True) as browser:
        yield browser


MakeStage = Callable[..., Stage]


@pytest.fixture
def stage(
    install: Install, chromium: Browser, studio_accounts: tuple[StudioAccount, StudioAccount]
) -> Iterator[MakeStage]:
    """``stage(download_timeout=2)``: settings, and ``world={...}`` for the simulator's arguments."""
    with contextlib.ExitStack() as stack:

        def made(world: dict[str, Any] | None = None, **fields: Any) -> Stage:
            clock = Clock(NOW)
            arguments = {"clock": clock, "prepare_seconds": 0, "start": "a start", "accounts": studio_accounts}
            served = StudioWorld(**(arguments | (world or {})))
            address = stack.enter_context(serve(served))
            defaults = {"download_timeout": 4, "account_spacing": 0, "screenshot_on_error": False}
            arguments = {"north": "north.pier", "south": "south_pier", "studio_url": address} | defaults
            settings = install(**(arguments | fields))
            studio = BrowserStudio(
                settings=settings,
                clock=clock,
                sleep=clock.sleep,
                open_browser=lambda settings, **how: contextlib.nullcontext(chromium),
            )
            return Stage(world=served, address=address, settings=settings, clock=clock, studio=studio)

        yield made


@pytest.fixture(scope="session")
def with_locale(studio_accounts: tuple[StudioAccount, StudioAccount]) -> Callable[[str], StudioAccount]:
    """The first account with its interface and files in another language."""
    return lambda locale: dataclasses.replace(studio_accounts[0], locale=locale)
