"""Studio without a browser: real ZIPs of simulated accounts in landing, a real ledger, and failures on demand."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from tiktok_assets.accounts import Account
from tiktok_assets.exports.windows import Window
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import Section, land, studio_export
from tiktok_assets.studio.egress import require_egress
from tiktok_assets.studio.extraction import Extractor
from tiktok_assets.studio.interface import LandedFile, LandedInsights, Studio, Visit
from tiktok_assets.studio.limits import Ledger


@dataclass
class Clock:
    """Stands still until a test moves it, or something sleeps by ``pass_time``."""

    now: dt.datetime
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Takes no time, and is recorded."""
        self.slept.append(seconds)

    def pass_time(self, seconds: float) -> None:
        """Moves the clock, and is recorded."""
        self.sleep(seconds)
        self.now += dt.timedelta(seconds=seconds)


@dataclass
class PaperStudio(Studio):
    """Exports made by the generator, one real ZIP each, under the limits of a real ledger.

    ``failures``: by (account, section), what an export of it raises; by (account, ""), what a visit does. ``exported``
    and ``visits``: what was requested, in this order.
    """

    settings: Settings
    clock: Clock
    failures: dict[tuple[str, str], BaseException] = field(default_factory=dict)
    missing_insights: tuple[str, ...] = ()
    exported: list[tuple[str, str, Window]] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)

    @property
    def ledger(self) -> Ledger:
        return Ledger.of(self.settings)

    def extractor(self, wait_budget: float = 0) -> Extractor:
        """An extractor that waits by advancing the clock."""
        clock, days = self.clock, self.settings.max_export_days
        return Extractor(
            studio=self, ledger=self.ledger, max_days=days, clock=clock, sleep=clock.pass_time, wait_budget=wait_budget
        )

    def visit(self, account: Account) -> AbstractContextManager[Visit]:
        return self._visit(account)

    @contextlib.contextmanager
    def _visit(self, account: Account) -> Iterator[Visit]:
        require_egress(self.settings, account)
        now, ledger = self.clock(), dataclasses.replace(self.ledger, egress=account.egress)
        with ledger.visiting(account.key, now):
            self.fail(account.key, "")
            reservation = ledger.unfinished(account.key, now) or ledger.reserve(account.key, now)
            self.visits.append(account.key)
            yield PaperVisit(self, account, reservation.id)
            ledger.finish(reservation)

    def fail(self, account: str, section: str) -> None:
        """Raise the failure configured for this account and section."""
        if failure := self.failures.get((account, section)):
            raise failure


@dataclass
class PaperVisit(Visit):
    """One visit of a ``PaperStudio``."""

    studio: PaperStudio
    account: Account
    visit: int

    def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
        studio, key, window = self.studio, self.account.key, Window(first=first, last=last)
        studio.fail(key, section)
        reservation = studio.ledger.unfinished(key, studio.clock())
        assert reservation is not None
        checkpoint = studio.ledger.ask(reservation, section, window, studio.clock())
        [name] = [one for one in get_args(Section) if one == section]
        truth = SimulatedAccount.generate(self.account.handle, 3, dt.date(2024, 1, 1), dt.date(2026, 12, 31))
        made = studio_export(truth, name, first, last, downloaded_at=studio.clock())
        folder = Path(str(studio.settings.landing)) / key / f"{studio.clock():%Y%m%dT%H%M%S}"
        path = land(made, folder)
        studio.ledger.landed(checkpoint)
        studio.exported.append((key, section, window))
        return LandedFile(
            account=key,
            section=section,
            window=window,
            path=path,  # pyright: ignore[reportArgumentType]
            export_id="",
            bytes=len(made.content),
            rows=sum(len(rows) for rows in made.expected.values()),
            seconds=0.25,
            attempts=1,
        )

    def insights(self) -> LandedInsights:
        """Nothing was captured; ``missing_insights`` says why."""
        return LandedInsights(
            account=self.account.key,
            path=None,
            export_id="",
            bytes=0,
            rows=0,
            videos=0,
            seconds=0.0,
            missing=self.studio.missing_insights,
        )
