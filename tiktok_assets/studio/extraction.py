"""An extraction of any length: which visits it takes, and making them one after another until the limit says wait.

Belongs here: from a range of days to visits, going on where a crash or a limit stopped. Does not belong here: what
landing holds already (``landed``), Dagster, and one visit itself (``visit``).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import INSIGHTS
from tiktok_assets.exports.windows import Window, settled_days, visits, windows
from tiktok_assets.failures import (
    BadExport,
    DownloadFailed,
    DownloadNotStarted,
    ExtractionFailed,
    Failure,
    LimitReached,
)
from tiktok_assets.settings import Settings
from tiktok_assets.studio.browser_studio import BrowserStudio
from tiktok_assets.studio.interface import LandedFile, LandedInsights, Studio
from tiktok_assets.studio.limits import Ledger

# What is waited for inside a run: the pause between two accounts, or another process that is visiting.
SHORT_WAIT = 600.0  # seconds
_LATE = 0.1  # seconds after the moment a limit names, so that it is over


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: sections of one account, for the days from ``first`` to ``last``.

    ``sections``: may hold "insights", which every visit then lands, and which are reason enough for one where no export
    is left to make. ``refresh_since``: exports made before that moment do not count, so that their days are asked for
    again; a run that goes on gives the moment the first one began. ``known``: days by section that need no export for
    another reason.
    """

    account: Account
    sections: Sequence[str]
    first: dt.date
    last: dt.date
    refresh_since: dt.datetime | None = None
    known: Mapping[str, Collection[dt.date]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Outcome:
    """What became of an extraction. ``left``: the limit that stopped it; ``failure``: what else did.

    ``remaining``: the visits it would still have taken. ``notes``: what a person should know of it.
    """

    wanted: Wanted
    landed: list[LandedFile | LandedInsights] = field(default_factory=list)
    left: LimitReached | None = None
    failure: Failure | None = None
    remaining: list[dict[str, Window]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def message(self) -> str | None:
        """Why it stopped, and what to do; None where it came to its end."""
        stopped = self.failure or self.left
        return stopped.description if stopped else None

    def lacks(self, section: str) -> bool:
        """Whether it stopped before everything of ``section`` had landed. Insights alone hold nothing up."""
        if section == INSIGHTS:
            is_wanted = INSIGHTS in self.wanted.sections and bool(self.remaining)
            return is_wanted and not any(isinstance(one, LandedInsights) for one in self.landed)
        return any(section in visit for visit in self.remaining)

    def complete_months(self, section: str, months: Iterable[dt.date]) -> list[dt.date]:
        """Those of ``months``, by their first days, of which nothing of ``section`` remains."""
        if section == INSIGHTS:
            return [] if self.lacks(section) else list(months)
        days = [day for visit in self.remaining if section in visit for day in visit[section].days()]
        unfinished = {day.replace(day=1) for day in days}
        return [month for month in months if month not in unfinished]


def sentence(landed: LandedFile | LandedInsights) -> str:
    """What landed, for people: account, what, where, how big, how long."""
    name = landed.path.name if landed.path else "nothing"
    if isinstance(landed, LandedFile):
        empty = ", no data" if landed.has_no_data else ""
        tries = "1 attempt" if landed.attempts == 1 else f"{landed.attempts} attempts"
        what, amount = f"{landed.section}, {landed.window}", f"{landed.rows:,} rows{empty}"
        return f"{landed.account}, {what}: {name} ({landed.bytes:,} bytes, {amount}, {landed.seconds:g} s, {tries})"
    missing = f"; missing: {'; '.join(landed.missing)}" if landed.missing else ""
    amount = f"{landed.rows:,} numbers, {landed.videos} videos, {landed.seconds:g} s"
    return f"{landed.account}, insights: {name} ({landed.bytes:,} bytes, {amount}{missing})"


@dataclass(frozen=True, kw_only=True)
class Extractor:
    """Makes extractions of one installation.

    ``told`` hears of each file as it lands, ``waits`` of each wait before it begins. ``patience``: how many seconds a
    single extraction may wait for limits in all.
    """

    studio: Studio
    ledger: Ledger
    max_days: int
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], None] = time.sleep
    patience: float = 0.0
    told: Callable[[LandedFile | LandedInsights], None] = lambda landed: None
    waits: Callable[[LimitReached], None] = lambda limit: None

    def plan(self, wanted: Wanted) -> list[dict[str, Window]]:
        """The visits it still takes, newest days first: the window of each section. Empty when all has landed."""
        cut: dict[str, list[Window]] = {}
        for section in wanted.sections:
            if section == INSIGHTS:
                continue
            landed = self.ledger.landed_windows(wanted.account.key, section)
            if wanted.refresh_since is not None:
                landed = [one for one in landed if one.asked_at >= wanted.refresh_since]
            settled = settled_days(landed) | frozenset(wanted.known.get(section, ()))
            now = self.clock()
            cut[section] = windows(wanted.first, wanted.last, now=now, max_days=self.max_days, settled=settled)
        return visits(cut)

    def __call__(self, wanted: Wanted) -> Outcome:
        """Make the visits of the plan. Where it stopped, call again: nothing is asked for twice."""
        outcome = Outcome(wanted=wanted)
        try:
            self._extract(wanted, outcome.landed)
        except LimitReached as limit:
            outcome.left = limit
        except Failure as failure:
            outcome.failure = failure
        outcome.remaining = self.plan(wanted) if outcome.message else []
        return outcome

    def _extract(self, wanted: Wanted, landed: list[LandedFile | LandedInsights]) -> None:
        with_insights, patience = INSIGHTS in wanted.sections, self.patience
        turns = len(self.plan(wanted)) or int(with_insights)
        while turns:
            todo = self.plan(wanted)  # what landed may be less, or more, than was asked
            if not todo and (landed or not with_insights):
                return
            try:
                for one in self._visit(wanted, todo[0] if todo else {}):
                    landed.append(one)
                    self.told(one)
                turns -= 1
            except LimitReached as limit:
                wait = (limit.retry_at - self.clock()).total_seconds() + _LATE
                if wait > patience:
                    raise
                patience -= wait
                self.waits(limit)
                self.sleep(max(wait, _LATE))

    def _visit(self, wanted: Wanted, todo: Mapping[str, Window]) -> Iterable[LandedFile | LandedInsights]:
        """One visit. What keeps one section from landing is told last, and keeps no other one from it."""
        account, failures, limits = wanted.account.key, [], []
        with self.studio.visit(wanted.account) as visit:
            for section, window in todo.items():
                try:
                    yield visit.export(section, window.first, window.last)
                except (DownloadNotStarted, DownloadFailed, BadExport) as failure:
                    failures.append(failure)
                except LimitReached as limit:
                    limits.append(limit)
                    if self.ledger.unfinished(account, self.clock()) is None:
                        break  # Studio itself said no; nothing more is asked for
            if INSIGHTS in wanted.sections:
                yield visit.insights()
            if len(failures) > 1:
                raise ExtractionFailed("\n".join(str(failure.description) for failure in failures))
            for stopped in (*failures, *limits):
                raise stopped


def in_browser(settings: Settings) -> Extractor:
    """The extractions of this installation, by a real browser. Nothing is opened before the first visit."""
    studio = BrowserStudio(settings=settings)
    return Extractor(
        studio=studio, ledger=studio.ledger, max_days=settings.max_export_days, clock=studio.clock, sleep=studio.sleep
    )
