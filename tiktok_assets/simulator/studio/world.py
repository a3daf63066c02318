"""The state of one simulated Studio: accounts, sessions, exports, faults, and a log of what was served.

    world = StudioWorld([invent_account("north.pier", 1, first_day, last_day)], clock=lambda: moment)
    world.faults.add("captcha", handle="north.pier")
    world.advance(timedelta(hours=1))
    world.exports.made, world.faults.fired, world.requests      # what happened

Everything follows the injected clock, except waiting for a file, which is real time: the page polls in real time too.
Belongs here: the state of the server; HTML is ``pages``, HTTP is ``app``.
"""

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.studio.exports import ExportDesk
from tiktok_assets.simulator.studio.faults import FaultQueue
from tiktok_assets.simulator.studio.sessions import Ending, Session, Sessions


class Served(NamedTuple):
    """One request and its answer. No bodies, no queries: they contain passwords and tokens."""

    at: datetime
    method: str
    path: str
    status: int
    handle: str | None


class StudioWorld:
    """A simulated Studio without its web server.

    ``clock``: aware moments. ``session_ending``: how a session shows that it has expired. ``export_interval``:
    between two exports of a section of an account; 0 for no limit. ``max_export_days``: of one export (TikTok's page
    says 365). ``prepare_seconds``: until a file is ready. ``start``: what ids and css classes are made from; the same
    start gives the same ones, and without it every start has its own.
    """

    def __init__(
        self,
        accounts: Iterable[StudioAccount],
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait_clock: Callable[[], float] = time.monotonic,
        session_life: timedelta = timedelta(days=180),
        session_ending: Ending = "redirect_to_login",
        export_interval: timedelta = timedelta(hours=1),
        link_life: timedelta = timedelta(hours=1),
        max_export_days: int = 365,
        prepare_seconds: float = 0.1,
        start: str | None = None,
    ) -> None:
        self.accounts = {account.handle: account for account in accounts}
        self.start = start or secrets.token_hex(8)
        self.requests: list[Served] = []
        self._clock = clock
        self._ahead = timedelta()
        self._tokens = count()
        self.faults = FaultQueue(self.now)
        self.sessions = Sessions(
            self.accounts, now=self.now, token=self.token, life=session_life, ending=session_ending
        )
        self.exports = ExportDesk(
            faults=self.faults,
            now=self.now,
            wait_clock=wait_clock,
            token=self.token,
            interval=export_interval,
            link_life=link_life,
            max_days=max_export_days,
            prepare_seconds=prepare_seconds,
        )

    def now(self) -> datetime:
        """The clock's moment, and what ``advance`` added to it."""
        return self._clock() + self._ahead

    def advance(self, duration: timedelta) -> None:
        """Advances the clock by ``duration``."""
        self._ahead += duration

    def token(self, length: int) -> str:
        """A new id of ``length`` hexadecimal digits, at most 64."""
        return self._digest(f"token {next(self._tokens)}")[:length]

    def css_class(self, name: str) -> str:
        """The class a build of the page would give to ``name``: another one with every start."""
        return f"css-{self._digest(f'css {name}')[:6]}"

    def visit(self, session_id: str, place: str, *, is_page: bool) -> Session | None:
        """The session behind a request to ``place``, after the faults that concern sessions; None for an unknown id.

        An ended session is returned too: ``ended_as`` says what to show.
        """
        session = self.sessions.find(session_id)
        if session is None or session.ended_as is not None:
            return session
        if fault := self.faults.take("wrong_account", session.handle, place):
            other = next((handle for handle in self.accounts if handle != session.handle), session.handle)
            session.handle = self.accounts[fault.text(other)].handle
        endings: tuple[Ending, ...] = ("redirect_to_login", "login_panel") if is_page else ("status_8",)
        for ending in endings:
            if self.faults.take(ending, session.handle, place):
                session.ended_as = ending
                break
        return session

    def _digest(self, what: str) -> str:
        return hashlib.sha256(f"{self.start}|{what}".encode()).hexdigest()
