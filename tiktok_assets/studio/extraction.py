"""An extraction of any length: which visits it takes, and making them one after another until a limit is reached.

Belongs here: from a range of days to visits, and resuming where a crash or a limit stopped. Does not belong here: what
landing already contains (``landed``), Dagster, and one visit itself (``visit``).
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import INSIGHTS
from tiktok_assets.exports.windows import Window, final_days, visits, windows
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

# The longest wait inside a run: for the pause between two accounts, or for another process that is visiting.
SHORT_WAIT = 600.0  # seconds
_MARGIN = 0.1  # seconds after the moment a limit ends, to be sure it has ended


@dataclass(frozen=True, kw_only=True)
class ExtractionRequest:
    """What to extract: sections of one account, for the days from ``first`` to ``last``.

    ``sections``: may include "insights", which every visit then lands, and which justify a visit even if no export is
    left to request. ``refresh_since``: exports made before that moment do not count, so their days are requested again;
    a resumed run passes the moment the first one began. ``known``: days by section that need no export for another
    reason.
    """

    account: Account
    sections: Sequence[str]
    first: dt.date
    last: dt.date
    refresh_since: dt.datetime | None = None
    known: Mapping[str, Collection[dt.date]] = field(default_factory=dict)


@dataclass(kw_only=True)
class ExtractionOutcome:
    """The result of an extraction. ``left``: the limit that stopped it; ``failure``: any other failure that did.

    ``remaining``: the visits still to make. ``notes``: what a person should know about it.
    """

    request: ExtractionRequest
    landed: list[LandedFile | LandedInsights] = field(default_factory=list)
    left: LimitReached | None = None
    failure: Failure | None = None
    remaining: list[dict[str, Window]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def message(self) -> str | None:
        """Why it stopped, and what to do; None if it finished."""
        stopped = self.failure or self.left
        return stopped.description if stopped else None

    def lacks(self, section: str) -> bool:
        """Whether it stopped before everything of ``section`` had landed. Insights alone do not hold anything up."""
        if section == INSIGHTS:
            is_requested = INSIGHTS in self.request.sections and bool(self.remaining)
            return is_requested and not any(isinstance(one, LandedInsights) for one in self.landed)
        return any(section in visit for visit in self.remaining)

    def complete_months(self, section: str, months: Iterable[dt.date]) -> list[dt.date]:
        """Those of ``months`` (first days) for which nothing of ``section`` remains."""
        if section == INSIGHTS:
            return [] if self.lacks(section) else list(months)
        days = [day for visit in self.remaining if section in visit for day in visit[section].days()]
        unfinished = {day.replace(day=1) for day in days}
        return [month for month in months if month not in unfinished]


def sentence(landed: LandedFile | LandedInsights) -> str:
    """What landed, in one line: account, section, file, size, duration."""
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
    """Runs the extractions of one installation.

    ``on_landed`` is called with each file as it lands, ``on_wait`` with the limit before each wait. ``wait_budget``:
    how many seconds one extraction may wait for limits in total.
    """

    studio: Studio
    ledger: Ledger
    max_days: int
    clock: Callable[[], dt.datetime]
    sleep: Callable[[float], None] = time.sleep
    wait_budget: float = 0.0
    on_landed: Callable[[LandedFile | LandedInsights], None] = lambda landed: None
    on_wait: Callable[[LimitReached], None] = lambda limit: None

    def plan(self, request: ExtractionRequest) -> list[dict[str, Window]]:
        """The visits still to make, newest days first: the window of each section. Empty when everything has landed."""
        cut: dict[str, list[Window]] = {}
        for section in request.sections:
            if section == INSIGHTS:
                continue
            landed = self.ledger.landed_windows(request.account.key, section)
            if request.refresh_since is not None:
                landed = [one for one in landed if one.asked_at >= request.refresh_since]
            final = final_days(landed) | frozenset(request.known.get(section, ()))
            now = self.clock()
            cut[section] = windows(request.first, request.last, now=now, max_days=self.max_days, final=final)
        return visits(cut)

    def __call__(self, request: ExtractionRequest) -> ExtractionOutcome:
        """Make the visits of the plan. If it stopped, call it again: nothing is requested twice."""
        outcome = ExtractionOutcome(request=request)
        try:
            self._extract(request, outcome.landed)
        except LimitReached as limit:
            outcome.left = limit
        except Failure as failure:
            outcome.failure = failure
        outcome.remaining = self.plan(request) if outcome.message else []
        return outcome

    def _extract(self, request: ExtractionRequest, landed: list[LandedFile | LandedInsights]) -> None:
        with_insights, budget = INSIGHTS in request.sections, self.wait_budget
        turns = len(self.plan(request)) or int(with_insights)
        while turns:
            todo = self.plan(request)  # what landed may be less, or more, than was requested
            if not todo and (landed or not with_insights):
                return
            try:
                for one in self._visit(request, todo[0] if todo else {}):
                    landed.append(one)
                    self.on_landed(one)
                turns -= 1
            except LimitReached as limit:
                wait = (limit.retry_at - self.clock()).total_seconds() + _MARGIN
                if wait > budget:
                    raise
                budget -= wait
                self.on_wait(limit)
                self.sleep(max(wait, _MARGIN))

    def _visit(self, request: ExtractionRequest, todo: Mapping[str, Window]) -> Iterable[LandedFile | LandedInsights]:
        """One visit. A failure of one section is raised last, so that the other sections still land."""
        account, failures, limits = request.account.key, [], []
        with self.studio.visit(request.account) as visit:
            for section, window in todo.items():
                try:
                    yield visit.export(section, window.first, window.last)
                except (DownloadNotStarted, DownloadFailed, BadExport) as failure:
                    failures.append(failure)
                except LimitReached as limit:
                    limits.append(limit)
                    if self.ledger.unfinished(account, self.clock()) is None:
                        break  # Studio itself refused; request nothing more
            if INSIGHTS in request.sections:
                yield visit.insights()
            if len(failures) > 1:
                raise ExtractionFailed("\n".join(str(failure.description) for failure in failures))
            for stopped in (*failures, *limits):
                raise stopped


def in_browser(settings: Settings) -> Extractor:
    """The extractor of this installation, with a real browser. Nothing is opened before the first visit."""
    studio = BrowserStudio(settings=settings)
    return Extractor(
        studio=studio, ledger=studio.ledger, max_days=settings.max_export_days, clock=studio.clock, sleep=studio.sleep
    )
