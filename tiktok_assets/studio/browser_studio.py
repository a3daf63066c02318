"""Studio in a real browser: configuration only. A browser is opened with each visit and closed with it.

What a visit does is ``visit``. Only the failures depend on Dagster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tiktok_assets.accounts import Account
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser import open_browser
from tiktok_assets.studio.egress import require_egress
from tiktok_assets.studio.interface import Studio, Visit
from tiktok_assets.studio.limits import Ledger
from tiktok_assets.studio.session import Sessions

if TYPE_CHECKING:
    from playwright.sync_api import Browser


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
        return Ledger.of(self.settings)

    @property
    def sessions(self) -> Sessions:
        """The saved logins of this installation."""
        return Sessions.of(self.settings, self.clock)

    @contextlib.contextmanager
    def visit(self, account: Account) -> Iterator[Visit]:
        """As ``Studio.visit``: one browser, closed with the context. The session is refreshed after a good visit."""
        from playwright.sync_api import Error

        from tiktok_assets.studio.selectors import load_selectors
        from tiktok_assets.studio.visit import BrowserVisit

        require_egress(self.settings, account)
        now, ledger = self.clock(), dataclasses.replace(self.ledger, egress=account.egress)
        with ledger.visiting(account.key, now):
            session = self.sessions.load(account.key)
            if not ledger.unfinished(account.key, now) and not ledger.pending(account.key, now):
                ledger.check(account.key, now)
            how = {"headless": self.settings.headless, "egress": account.egress}
            with self.open_browser(self.settings, **how) as browser:
                context = browser.new_context(storage_state=session.for_browser(), accept_downloads=True)
                try:
                    visit = BrowserVisit(
                        account,
                        context,
                        settings=self.settings,
                        ledger=ledger,
                        sessions=self.sessions,
                        selectors=load_selectors(self.selectors_file),
                        clock=self.clock,
                        sleep=self.sleep,
                    )
                    visit.begin()
                    yield visit
                    visit.conclude()
                finally:
                    with contextlib.suppress(Error):  # a window may have been closed manually
                        context.close()
