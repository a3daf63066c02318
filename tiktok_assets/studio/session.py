"""Saved logins: one private document per account, encrypted if a key is set, and always where machines share them.

Belongs here: the document, and when its cookies expire. Does not belong here: browsers, and whether Studio still
accepts the session; only Studio knows (``identity``). Passwords never pass through here, let alone get stored.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from tiktok_assets.failures import AuthExpired, SessionUnreadable
from tiktok_assets.settings import Settings
from tiktok_assets.storage.documents import Documents
from tiktok_assets.storage.state import documents_of
from tiktok_assets.studio.encryption import WrongKey, decrypted, encrypted

_FOLDER, _ENDING = "sessions", ".json"
# TikTok's names for the session itself; other cookies (csrf, device) change with every page.
SESSION_COOKIES = ("sessionid", "sessionid_ss", "sid_tt")


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

    documents: Documents
    key: SecretStr | None = None
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)

    @classmethod
    def of(cls, settings: Settings, clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)) -> Sessions:
        return cls(documents=documents_of(settings), key=settings.session_key, clock=clock)

    def place(self, account: str) -> Path | str:
        """Where the session of ``account`` is kept, for messages."""
        return self.documents.place(_name(account))

    def save(self, account: str, state: Mapping[str, Any]) -> Session:
        """Save ``state``, replacing what was there. It is never incomplete and never readable by others."""
        session = Session(account=account, state=state, saved_at=self.clock())
        record = {"account": account, "saved_at": session.saved_at.isoformat(), "state": dict(state)}
        content = json.dumps(record).encode()
        if self.key is not None:
            content = encrypted(content, self.key)
        self.documents.write(_name(account), content)
        return session

    def versions(self) -> dict[str, str]:
        """By where it is kept, each saved session with a text that changes when it is saved again."""
        return self.documents.versions(_FOLDER)

    def accounts(self) -> set[str]:
        """The accounts with a saved session, whether or not it can be read."""
        return {name.removeprefix(f"{_FOLDER}/").removesuffix(_ENDING) for name in self.versions()}

    def load(self, account: str) -> Session:
        """The saved session. Raises AuthExpired if there is none or it has expired, SessionUnreadable if it cannot be
        read; both say what to do."""
        session = self._parsed(account, self._read(account))
        remedy = f"Run `tiktok-assets login {account}`, then run this again."
        if session is None:
            raise AuthExpired(f"{account}: there is no saved login at {self.place(account)}. {remedy}")
        ends = session.expires_at
        if ends is not None and ends <= self.clock():
            raise AuthExpired(f"{account}: the saved login expired at {ends:%Y-%m-%d %H:%M} UTC. {remedy}")
        return session

    def forget(self, account: str) -> bool:
        """Delete the session. Returns whether there was one."""
        return self.documents.remove(_name(account))

    def state(self, account: str) -> SessionState:
        """What is known about the session without asking Studio; never raises for what is saved."""
        login = f"tiktok-assets login {account}"
        try:
            content = self._read(account)
            session = self._parsed(account, content)
        except SessionUnreadable as failure:
            advice = str(failure.description)
            return SessionState(account=account, standing=SessionStatus.UNREADABLE, advice=advice)
        if session is None or content is None:
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
            is_encrypted=not content.startswith(b"{"),
            advice=login if is_over or (left is not None and left < 7) else "",
        )

    def _read(self, account: str) -> bytes | None:
        try:
            return self.documents.read(_name(account))
        except OSError as error:
            raise SessionUnreadable(
                f"{account}: the saved login {self.place(account)} cannot be read ({error.strerror or error}). "
                f"Run as the user who logged in, or log in again: `tiktok-assets login {account}`."
            ) from error

    def _parsed(self, account: str, content: bytes | None) -> Session | None:
        if content is None:
            return None
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
                f"{account}: the saved login {self.place(account)} is damaged or belongs to another account. "
                f"Log in again: `tiktok-assets login {account}`."
            ) from None

    def _decrypted(self, account: str, content: bytes) -> bytes:
        again = f"or log in again: `tiktok-assets login {account}`."
        if self.key is None:
            raise SessionUnreadable(
                f"{account}: the saved login is encrypted and TIKTOK_SESSION_KEY is not set. Set it to the key it was "
                f"saved with, {again}"
            )
        try:
            return decrypted(content, self.key)
        except WrongKey:
            raise SessionUnreadable(
                f"{account}: TIKTOK_SESSION_KEY is not the key the saved login was encrypted with, or it is "
                f"damaged. Set the right key, {again}"
            ) from None


def _name(account: str) -> str:
    return f"{_FOLDER}/{account}{_ENDING}"
