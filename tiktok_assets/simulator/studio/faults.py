"""What can go wrong at the simulated Studio: every fault by name, and the queue of pending ones.

Belongs here: which fault fires, and how often. Its effect is implemented where it happens: ``app`` and ``exports``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

Place = Literal["page", "session", "request", "file", "transfer", "insight"]
ALWAYS = 1_000_000_000
"""``times`` of a fault that never stops by itself."""


class FaultKind(NamedTuple):
    """Where a fault happens, how often by default, and what its parameter means."""

    place: Place
    meaning: str
    times: int = 1


FAULTS: Mapping[str, FaultKind] = {
    "captcha": FaultKind("page", "a visible captcha over the page; parameter: which container, by its selector"),
    "dom_changed": FaultKind("page", "no known hook; parameter `hooks`: texts stay, otherwise they change too"),
    "first_run_modal": FaultKind("page", "a dialog that covers the page until it is closed"),
    "redirect_to_login": FaultKind("session", "the session ends; pages redirect to /login"),
    "login_panel": FaultKind("session", "the session ends; pages show a login panel at the same address"),
    "status_8": FaultKind("session", "the session ends; pages open, their JSON says status_code 8"),
    "wrong_account": FaultKind("session", "the session is another account's from now on; parameter: its handle"),
    "slow_export": FaultKind("request", "the file is prepared for `parameter` seconds (2)"),
    "never_ready": FaultKind("request", "the file is being prepared forever"),
    "limit_message": FaultKind("request", "HTTP 200 with a limit message"),
    "http_429": FaultKind("request", "HTTP 429 with Retry-After; parameter: seconds (3600)"),
    "wrong_section": FaultKind("file", "under its right name, the members of another section; parameter: which"),
    "xlsx": FaultKind("file", "an XLSX in the ZIP, though CSV was requested"),
    "empty_section": FaultKind("file", "headers without rows"),
    "label_shift": FaultKind("file", "daily labels moved by `parameter` days (1)"),
    "unescaped_quotes": FaultKind("file", "quotes in titles are not doubled"),
    "undefined_runs": FaultKind("file", "the first `parameter` (3) and the last days have no value"),
    "window_366": FaultKind("file", "366 days up to the last one requested"),
    "truncated": FaultKind("transfer", "the first half, as if it were all"),
    "corrupt": FaultKind("transfer", "bytes of a member are changed, its checksum is not"),
    "html": FaultKind("transfer", "a web page under the name of the file"),
    "empty_body": FaultKind("transfer", "no bytes"),
    "link_expired": FaultKind("transfer", "the link answers 403 from now on"),
    "reset_once": FaultKind("transfer", "the connection breaks after the first half"),
    "reset_always": FaultKind("transfer", "the connection breaks after the first half, each time", ALWAYS),
    "insight_500": FaultKind("insight", "HTTP 500"),
    "insight_business_error": FaultKind("insight", "HTTP 200 with a status_code that is not 0"),
}


@dataclass(kw_only=True)
class Fault:
    """One pending fault: it fires ``times`` times (None: as usual for it) for ``handle`` in ``section`` (None: any).

    ``section``: overview, content, viewers, followers; also video and login for pages, and user, relation, insight,
    item_list for JSON.
    """

    name: str
    handle: str | None = None
    section: str | None = None
    times: int | None = None
    parameter: str | float | None = None

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            raise ValueError(f"no fault is called {self.name!r}; there are {', '.join(sorted(FAULTS))}")
        if self.times is None:
            self.times = FAULTS[self.name].times

    def number(self, default: float) -> float:
        """The parameter as a number."""
        return default if self.parameter is None else float(self.parameter)

    def text(self, default: str) -> str:
        """The parameter as text."""
        return default if self.parameter is None else str(self.parameter)


class Fired(NamedTuple):
    """One fault as it happened."""

    at: datetime
    name: str
    handle: str | None
    section: str | None


class FaultQueue:
    """The pending faults, in order, and those that fired."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._waiting: list[Fault] = []
        self.fired: list[Fired] = []

    def add(
        self,
        name: str,
        *,
        handle: str | None = None,
        section: str | None = None,
        times: int | None = None,
        parameter: str | float | None = None,
    ) -> None:
        """Queues a fault of ``FAULTS`` for its next occasion."""
        self._waiting.append(Fault(name=name, handle=handle, section=section, times=times, parameter=parameter))

    def clear(self) -> None:
        """Forgets the pending faults; those that fired stay on record."""
        self._waiting.clear()

    def take(self, name: str, handle: str | None, section: str | None) -> Fault | None:
        """The first matching pending fault of that name, counted down by one; None if nothing goes wrong."""
        for fault in self._waiting:
            fits = fault.handle in (None, handle) and fault.section in (None, section)
            if fault.name == name and fits and fault.times:
                fault.times -= 1
                self.fired.append(Fired(self._now(), name, handle, section))
                return fault
        return None

    def take_any(self, place: Place, handle: str | None, section: str | None) -> dict[str, Fault]:
        """Every fault of a place that fires now, by name."""
        names = [name for name, kind in FAULTS.items() if kind.place == place]
        return {name: fault for name in names if (fault := self.take(name, handle, section))}
