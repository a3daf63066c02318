"""What assets see of Studio: a visit to an account, and exports that land or fail by name.

Belongs here: the narrow interface, and ``BrowserStudio``, which is configuration only: a browser is opened with each
visit and closed with it. What a visit does is ``visit``. Nothing here is bound to Dagster but the failures.
"""

from __future__ import annotations

import abc
import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import open_browser
from tiktok_assets.studio.limits import Ledger
from tiktok_assets.studio.session import Sessions
from tiktok_assets.studio.windows import Window

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One export in landing. ``window`` is what Studio was asked for: less than wanted where it has less.

    ``seconds``: from opening the page to the file's name; ``attempts``: to fetch the file, over all runs.
    """

    account: str
    section: str
    window: Window
    path: UPath
    export_id: str
    bytes: int
    rows: int
    seconds: float
    attempts: int
    warnings: tuple[str, ...] = ()

    @property
    def has_no_data(self) -> bool:
        """Headers without rows: small accounts have no data for some sections."""
        return self.rows == 0


@dataclass(frozen=True, kw_only=True)
class LandedInsights:
    """What a visit read along of Studio's own JSON, landed as one file. ``path`` is None where there was nothing.

    ``rows``: the numbers read; ``videos``: of how many videos a page told; ``missing``: what could not be got and why,
    a sentence each. That Studio has no data is an answer, and not missing.
    """

    account: str
    path: UPath | None
    export_id: str
    bytes: int
    rows: int
    videos: int
    seconds: float
    missing: tuple[str, ...] = ()


class Visit(abc.ABC):
    """Studio as the owner of one account sees it, while the context lasts."""

    @abc.abstractmethod
    def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
        """Land ``section`` for the days from ``first`` to ``last``; each section once a visit.

        An export that an earlier visit asked for and did not land is landed instead of asking again, with its own
        window. Raises a failure of ``tiktok_assets.failures``: LimitReached (DataNotThere) with ``retry_at``;
        AuthExpired, HumanNeeded, UiChanged, WrongAccount for a person; DownloadNotStarted, DownloadFailed, BadExport,
        StudioUnreachable where a rerun may help.
        """

    @abc.abstractmethod
    def insights(self) -> LandedInsights:
        """Land what Studio's pages show and no export has: watch time, completion, ages, following.

        After the exports of the visit, whose pages are not opened again. Uses no reservation, and raises nothing for
        what Studio does or fails to do: that is ``LandedInsights.missing``.
        """


class Studio(abc.ABC):
    """Where exports come from."""

    @abc.abstractmethod
    def visit(self, account: Account) -> AbstractContextManager[Visit]:
        """A visit for ``account``. Raises AuthExpired, WrongAccount, LimitReached ... before anything is clicked."""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class BrowserStudio(Studio):
    """Studio in a real browser. Holds no connection; safe to make at import, to copy, and to keep.

    ``clock``, ``sleep``: injectable. ``open_browser``: how a visit gets its browser. ``selectors_file``: instead of
    ``selectors.toml`` at the project's root.
    """

    settings: Settings
    clock: Callable[[], dt.datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    open_browser: Callable[..., AbstractContextManager[Browser]] = open_browser
    selectors_file: Path | None = None

    @property
    def ledger(self) -> Ledger:
        """The limits of this installation."""
        return Ledger(
            path=self.settings.state / "limits.sqlite",
            export_interval=self.settings.export_interval,
            account_spacing=self.settings.account_spacing,
            link_life=self.settings.link_life,
        )

    @property
    def sessions(self) -> Sessions:
        """The saved logins of this installation."""
        return Sessions.of(self.settings, self.clock)

    @contextlib.contextmanager
    def visit(self, account: Account) -> Iterator[Visit]:
        """As ``Studio.visit``: one browser, closed with the context. The session is refreshed after a good visit."""
        from playwright.sync_api import Error

        from tiktok_assets.studio.visit import BrowserVisit

        now, ledger = self.clock(), self.ledger
        with ledger.visiting(account.key, now):
            session = self.sessions.load(account.key)
            if not ledger.unfinished(account.key, now) and not ledger.on_its_way(account.key, now):
                ledger.check(account.key, now)
            with self.open_browser(self.settings, headless=self.settings.headless) as browser:
                context = browser.new_context(storage_state=session.for_browser(), accept_downloads=True)
                try:
                    visit = BrowserVisit(self, account, context)
                    visit.begin()
                    yield visit
                    visit.conclude()
                finally:
                    with contextlib.suppress(Error):  # a window may be closed by hand
                        context.close()
