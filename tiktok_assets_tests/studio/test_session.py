"""Saved logins: complete, private, encrypted on demand, and when they expire."""

from __future__ import annotations

import base64
import datetime as dt
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tiktok_assets.failures import AuthExpired, SessionUnreadable
from tiktok_assets.storage.documents import FileDocuments
from tiktok_assets.studio.session import Sessions, SessionStatus

NOW = dt.datetime(2026, 1, 10, 18, tzinfo=dt.UTC)
SECRET = "5e55101d5ec2e7"
KEY = SecretStr(base64.urlsafe_b64encode(b"k" * 32).decode())
OTHER_KEY = SecretStr(base64.urlsafe_b64encode(b"o" * 32).decode())


def state_of(days: float | None = 12, value: str = SECRET) -> dict[str, Any]:
    ends = -1 if days is None else (NOW + dt.timedelta(days=days)).timestamp()
    device = {"name": "ttwid", "value": "d", "expires": NOW.timestamp() + 60}
    return {"cookies": [{"name": "sessionid", "value": value, "expires": ends}, device], "origins": []}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def path(state: Path) -> Path:
    return state / "sessions" / "pig1987.json"


@pytest.fixture
def sessions(state: Path) -> Sessions:
    return Sessions(documents=FileDocuments(state), clock=lambda: NOW)


@pytest.fixture
def locked(sessions: Sessions) -> Sessions:
    return Sessions(documents=sessions.documents, key=KEY, clock=lambda: NOW)


def test_a_session_is_loaded_as_it_was_saved(sessions: Sessions) -> None:
    sessions.save("zone.a0", state_of())
    session = sessions.load("zone.a0")
    assert session.state == state_of()
    assert session.saved_at == NOW
    assert session.expires_at == NOW + dt.timedelta(days=12)


def test_the_file_and_its_folder_are_private_whatever_the_umask(sessions: Sessions, path: Path) -> None:
    before = os.umask(0)
    try:
        sessions.save("pig1987", state_of())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_file_is_private_before_it_has_its_name(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    states = []

    def replace(self: Path, target: Path) -> None:
        states.append((stat.S_IMODE(self.stat().st_mode), self.stat().st_size > 0))
        os.rename(self, target)  # noqa: PTH104

    monkeypatch.setattr(Path, "replace", replace)
    sessions.save("pig1987", state_of())
    assert states == [(0o600, True)]


def test_a_failed_save_leaves_the_old_session_and_no_temporary_file(
    sessions: Sessions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions.save("pig1987", state_of())

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        sessions.save("pig1987", state_of(value="new"))
    assert sessions.load("pig1987").state == state_of()
    assert [one.name for one in path.parent.iterdir()] == ["pig1987.json"]


def test_with_a_key_nothing_readable_is_on_disk(locked: Sessions, sessions: Sessions, path: Path) -> None:
    locked.save("pig1987", state_of())
    content = path.read_bytes()
    assert SECRET.encode() not in content and b"cookies" not in content
    assert locked.load("pig1987").state == state_of()
    assert locked.state("pig1987").is_encrypted
    with pytest.raises(SessionUnreadable, match=r"encrypted and TIKTOK_SESSION_KEY is not set.*login pig1987"):
        sessions.load("pig1987")
    with pytest.raises(SessionUnreadable, match="not the key"):
        Sessions(documents=sessions.documents, key=OTHER_KEY).load("pig1987")


def test_a_plain_session_is_read_with_a_key_set_and_encrypted_next(locked: Sessions, sessions: Sessions) -> None:
    sessions.save("pig1987", state_of())
    locked.save("pig1987", locked.load("pig1987").state)
    assert locked.state("pig1987").is_encrypted


def test_a_key_without_the_package_is_a_clear_error(
    locked: Sessions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.fernet", None)
    with pytest.raises(SessionUnreadable, match="pip install cryptography"):
        locked.save("pig1987", state_of())
    assert not path.exists()


def test_a_missing_and_an_expired_session_say_how_to_log_in(sessions: Sessions) -> None:
    with pytest.raises(AuthExpired, match=r"no saved login.*tiktok-assets login pig1987"):
        sessions.load("pig1987")
    sessions.save("pig1987", state_of(days=-1))
    with pytest.raises(AuthExpired, match="expired at 2026-01-09 18:00 UTC"):
        sessions.load("pig1987")


@pytest.mark.parametrize(
    ("content", "summary"),
    [
        (None, "missing"),
        (state_of(12.5), "valid, expires in 12 days"),
        (state_of(1), "valid, expires in 1 day"),
        (state_of(0.5), "valid, expires in 0 days"),
        (state_of(None), "valid"),
        (state_of(-2), "expired"),
    ],
)
def test_the_state_of_a_session_is_summarized_in_words(sessions: Sessions, content: Any, summary: str) -> None:
    if content:
        sessions.save("pig1987", content)
    assert sessions.state("pig1987").summary == summary


@pytest.mark.parametrize(
    "content", [b"{", b"{}", b'{"account": "zonea0", "saved_at": "2026-01-01", "state": {}}', b"x"]
)
def test_a_damaged_file_is_reported_and_never_quoted(sessions: Sessions, path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    state = sessions.state("pig1987")
    assert state.standing is SessionStatus.UNREADABLE
    assert "tiktok-assets login pig1987" in state.advice


def test_a_session_never_shows_its_secret(sessions: Sessions) -> None:
    session = sessions.save("pig1987", state_of())
    locked = Sessions(documents=sessions.documents, key=KEY)
    for shown in (repr(session), str(session), repr(locked), repr(sessions.state("pig1987"))):
        assert SECRET not in shown and KEY.get_secret_value() not in shown


def test_a_session_can_be_forgotten(sessions: Sessions) -> None:
    sessions.save("pig1987", state_of())
    assert sessions.forget("pig1987")
    assert not sessions.forget("pig1987")
    assert sessions.state("pig1987").standing is SessionStatus.MISSING
