"""Who is logged in at the simulated Studio, and how to log in: password with a one-time code, or a scanned QR code.

Pure state with a clock. Cookies are named here, set in ``app``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import quote

from tiktok_assets.simulator.studio.accounts import StudioAccount
from tiktok_assets.simulator.studio.totp import is_current

Ending = Literal["redirect_to_login", "login_panel", "status_8"]
ENDINGS: tuple[Ending, ...] = ("redirect_to_login", "login_panel", "status_8")


@dataclass(kw_only=True)
class Session:
    """One login. ``ended_as`` says how Studio shows that it is no longer valid; None while it is."""

    id: str
    handle: str
    begun_at: datetime
    ends_at: datetime
    ended_as: Ending | None = None

    def cookies(self, csrf_token: str) -> Mapping[str, str]:
        """What the browser keeps; ``sid_guard`` contains start, lifetime and end, as the real one does."""
        life = int((self.ends_at - self.begun_at).total_seconds())
        end = self.ends_at.strftime("%a, %d-%b-%Y %H:%M:%S GMT")
        guard = quote(f"{self.id}|{int(self.begun_at.timestamp())}|{life}|{end}", safe="")
        named = {"sid_guard": guard, "tt_csrf_token": csrf_token}
        return dict.fromkeys(("sessionid", "sessionid_ss", "sid_tt"), self.id) | named


@dataclass(kw_only=True)
class PendingLogin:
    """A correct password that is still waiting for its one-time code."""

    account: StudioAccount
    continue_to: str


class Sessions:
    """All logins of one world. ``token(length)`` makes the ids."""

    def __init__(
        self,
        accounts: Mapping[str, StudioAccount],
        *,
        now: Callable[[], datetime],
        token: Callable[[int], str],
        life: timedelta,
        ending: Ending,
    ) -> None:
        self._accounts = accounts
        self._now = now
        self._token = token
        self._life = life
        self._ending: Ending = ending
        self._sessions: dict[str, Session] = {}
        self._pending: dict[str, PendingLogin] = {}
        self._scans: dict[str, str | None] = {}

    def begin(self, username: str, password: str, continue_to: str) -> str | None:
        """The token of a login that waits for its code (``finish``); None for a wrong name or password."""
        account = next((one for one in self._accounts.values() if username in (one.handle, one.email)), None)
        if account is None or account.password != password:
            return None
        pending = self._token(16)
        self._pending[pending] = PendingLogin(account=account, continue_to=continue_to)
        return pending

    def pending(self, token: str) -> PendingLogin | None:
        """The login that waits under ``token``."""
        return self._pending.get(token)

    def finish(self, token: str, code: str) -> Session | None:
        """The session, once the code is right (or none is needed); None leaves the login waiting."""
        pending = self._pending.get(token)
        if pending is None:
            return None
        secret = pending.account.totp_secret
        if secret is not None and not is_current(code, secret, self._now()):
            return None
        del self._pending[token]
        return self.open(pending.account.handle)

    def open(self, handle: str) -> Session:
        """A new session of ``handle``, without credentials."""
        if handle not in self._accounts:
            raise ValueError(f"no account {handle!r} at this Studio; there are {', '.join(self._accounts)}")
        begun_at = self._now()
        session = Session(id=self._token(32), handle=handle, begun_at=begun_at, ends_at=begun_at + self._life)
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """The session, ended or not; an expired one is ended now. None for an unknown id."""
        session = self._sessions.get(session_id)
        if session and session.ended_as is None and self._now() >= session.ends_at:
            session.ended_as = self._ending
        return session

    def expire(self, handle: str | None = None, ending: Ending | None = None) -> None:
        """Ends the sessions of ``handle`` (None: all) at once."""
        for session in self._sessions.values():
            if handle in (None, session.handle) and session.ended_as is None:
                session.ended_as = ending or self._ending

    def show_qr(self) -> str:
        """A new QR code: its token."""
        token = self._token(16)
        self._scans[token] = None
        return token

    def scan(self, handle: str, token: str | None = None) -> None:
        """The person of ``handle`` scans the QR code ``token`` (None: the newest) and confirms."""
        if handle not in self._accounts:
            raise ValueError(f"no account {handle!r} at this Studio; there are {', '.join(self._accounts)}")
        token = token or next(reversed(self._scans), None)
        if token is None or token not in self._scans:
            raise ValueError("no QR code waits to be scanned: open /login/qrcode first")
        self._scans[token] = handle

    def take_scan(self, token: str) -> Session | None:
        """The session of a scanned QR code, once; None until it is scanned."""
        handle = self._scans.get(token)
        if handle is None:
            return None
        del self._scans[token]
        return self.open(handle)
