"""Saved logins: one private file per account in ``data/state/sessions``, encrypted if a key is set.

Belongs here: the file, and when its cookies expire. Does not belong here: browsers, and whether Studio still accepts
the session; only Studio knows (``identity``). Passwords never pass through here, let alone get stored.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from tiktok_assets.failures import AuthExpired, SessionUnreadable
from tiktok_assets.settings import Settings
from tiktok_assets.storage.atomic import replacing

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

# TikTok's names for the session itself; other cookies (csrf, device) change with every page.
SESSION_COOKIES = ("sessionid", "sessionid_ss", "sid_tt")
_NEW_KEY = 'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'


@dataclass(frozen=True, kw_only=True)
class Session:
    """A login as the browser stores it. ``state`` is Playwright's storage state; it gives access to the account."""

    account: str
    state: Mapping[str, Any] = field(repr=False)
    saved_at: dt.datetime

    def for_browser(self) -> Any:
        """What ``browser.new_context(storage_state=...)`` takes."""
        return dict(self.state)

    @property
    def expires_at(self) -> dt.datetime | None:
        """When the first of the session's cookies expires; None if they do not say."""
        ends = [
            float(cookie.get("expires", -1))
            for cookie in self.state.get("cookies", ())
            if cookie.get("name") in SESSION_COOKIES
        ]
        dated = [end for end in ends if end > 0]
        return dt.datetime.fromtimestamp(min(dated), dt.UTC) if dated else None


class SessionStatus(StrEnum):
    """The status of a saved session by its file. Studio may have ended the session earlier than its cookies say."""

    MISSING = "missing"
    VALID = "valid"
    EXPIRED = "expired"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True)
class SessionState:
    """One line of ``tiktok-assets sessions``. ``days_left`` is None if the cookies do not say."""

    account: str
    standing: SessionStatus  # a key of `sessions --json`, hence the name
    days_left: int | None = None
    expires_at: dt.datetime | None = None
    saved_at: dt.datetime | None = None
    is_encrypted: bool = False
    advice: str = ""
    """What to do next; empty if nothing needs to be done."""

    @property
    def summary(self) -> str:
        """``valid, expires in 12 days``: the state in words."""
        if self.standing is not SessionStatus.VALID or self.days_left is None:
            return f"{self.standing}"
        return f"valid, expires in {self.days_left} {'day' if self.days_left == 1 else 'days'}"


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """The sessions of one installation."""

    folder: Path
    key: SecretStr | None = None
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> Sessions:
        return cls(folder=settings.state / "sessions", key=settings.session_key, clock=clock)

    def path(self, account: str) -> Path:
        """Where the session of ``account`` is kept."""
        return self.folder / f"{account}.json"

    def save(self, account: str, state: Mapping[str, Any]) -> Session:
        """Save ``state``, replacing what was there. The file is never incomplete and never readable by others."""
        session = Session(account=account, state=state, saved_at=self.clock())
        record = {"account": account, "saved_at": session.saved_at.isoformat(), "state": dict(state)}
        content = json.dumps(record).encode()
        if self.key is not None:
            content = _fernet(self.key).encrypt(content)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        with replacing(self.path(account), mode=0o600) as scratch:  # 0600 from its first moment
            scratch.write_bytes(content)
        return session

    def load(self, account: str) -> Session:
        """The saved session. Raises AuthExpired if there is none or it has expired, SessionUnreadable if it cannot be
        read; both say what to do."""
        session = self._read(account)
        remedy = f"Run `tiktok-assets login {account}`, then run this again."
        if session is None:
            raise AuthExpired(f"{account}: there is no saved login at {self.path(account)}. {remedy}")
        ends = session.expires_at
        if ends is not None and ends <= self.clock():
            raise AuthExpired(f"{account}: the saved login expired at {ends:%Y-%m-%d %H:%M} UTC. {remedy}")
        return session

    def forget(self, account: str) -> bool:
        """Delete the session. Returns whether there was one."""
        existed = self.path(account).exists()
        self.path(account).unlink(missing_ok=True)
        return existed

    def state(self, account: str) -> SessionState:
        """What is known about the session without asking Studio; never raises for what the file contains."""
        login = f"tiktok-assets login {account}"
        try:
            session = self._read(account)
        except SessionUnreadable as failure:
            advice = str(failure.description)
            return SessionState(account=account, standing=SessionStatus.UNREADABLE, advice=advice)
        if session is None:
            return SessionState(account=account, standing=SessionStatus.MISSING, advice=login)
        ends, now = session.expires_at, self.clock()
        left = None if ends is None else math.floor((ends - now) / dt.timedelta(days=1))
        is_over = ends is not None and ends <= now
        return SessionState(
            account=account,
            standing=SessionStatus.EXPIRED if is_over else SessionStatus.VALID,
            days_left=None if left is None else max(0, left),
            expires_at=ends,
            saved_at=session.saved_at,
            is_encrypted=not self.path(account).read_bytes().startswith(b"{"),
            advice=login if is_over or (left is not None and left < 7) else "",
        )

    def _read(self, account: str) -> Session | None:
        path = self.path(account)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SessionUnreadable(
                f"{account}: the saved login {path} cannot be read ({error.strerror or error}). Run as the user who "
                f"logged in, or log in again: `tiktok-assets login {account}`."
            ) from error
        if not content.startswith(b"{"):
            content = self._decrypted(account, content)
        try:
            record = json.loads(content)
            saved_at = dt.datetime.fromisoformat(record["saved_at"])
            if record["account"] != account or not isinstance(record["state"]["cookies"], list):
                raise ValueError("it belongs to another account")
            return Session(account=account, state=record["state"], saved_at=saved_at)
        except (ValueError, KeyError, TypeError):  # without the cause: its text could quote the file
            raise SessionUnreadable(
                f"{account}: the saved login {path} is damaged or belongs to another account. Log in again: "
                f"`tiktok-assets login {account}`."
            ) from None

    def _decrypted(self, account: str, content: bytes) -> bytes:
        again = f"or log in again: `tiktok-assets login {account}`."
        if self.key is None:
            raise SessionUnreadable(
                f"{account}: the saved login is encrypted and TIKTOK_SESSION_KEY is not set. Set it to the key it was "
                f"saved with, {again}"
            )
        fernet = _fernet(self.key)
        from cryptography.fernet import InvalidToken

        try:
            return fernet.decrypt(content)
        except InvalidToken:
            raise SessionUnreadable(
                f"{account}: TIKTOK_SESSION_KEY is not the key the saved login was encrypted with, or the file is "
                f"damaged. Set the right key, {again}"
            ) from None


def _fernet(key: SecretStr) -> Fernet:
    try:
        from cryptography.fernet import Fernet
    except ImportError:
        raise SessionUnreadable(
            "TIKTOK_SESSION_KEY is set, but the package that encrypts with it is not installed. Install it "
            f"(`uv pip install cryptography`), or unset the key: the saved login is then kept as plain text that only "
            f"this user can read. A new key: `{_NEW_KEY}`."
        ) from None
    return Fernet(key.get_secret_value().encode())
