"""Logging in to the simulator in real Chromium, and that its secrets are only in the session file."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tiktok_assets.accounts import Account
from tiktok_assets.failures import HumanNeeded, StudioUnreachable, UiChanged, WrongAccount
from tiktok_assets.simulator.studio import totp
from tiktok_assets.studio.login import NotTheSimulator, SimulatorLogin, log_in
from tiktok_assets.studio.session import SessionStatus
from tiktok_assets_tests.studio.conftest import FIRST, LAST, NORTH, SOUTH, MakeStage, Stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e


def owner_of(here: Stage, account: Account) -> SimulatorLogin:
    login = here.world.accounts[account.handle]
    secret = str(login.totp_secret)
    return SimulatorLogin(handle=login.handle, password=login.password, code=lambda: totp(secret, here.world.now()))


def logged_in(here: Stage, chromium: Browser, account: Account, **how: Any) -> Any:
    def shared(settings: object, **how: object) -> contextlib.AbstractContextManager[Browser]:
        return contextlib.nullcontext(chromium)

    how = {"headless": True, "timeout": 5, "clock": here.clock, "open_browser": shared} | how
    return log_in(here.settings, account, **how)


def test_a_login_with_password_and_code_is_detected_and_saved(stage: MakeStage, chromium: Browser) -> None:
    here = stage()
    session = logged_in(here, chromium, NORTH, help_with=owner_of(here, NORTH))
    path = here.settings.state / "sessions" / "north.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert session.expires_at is not None
    days = (session.expires_at - dt.datetime.now(dt.UTC)) / dt.timedelta(days=1)
    assert 179 < days < 181
    assert here.studio.sessions.state("north").standing is SessionStatus.VALID
    with here.studio.visit(NORTH) as visit:
        assert visit.export("overview", FIRST, LAST).rows == 15


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A virtual screen; CI installs it, for developers it is optional."""
    if not (program := shutil.which("Xvfb")):
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{number}")
    try:
        yield number
    finally:
        server.terminate()
        server.wait(10)


@pytest.mark.usefixtures("screen")
def test_a_login_in_a_window_is_detected_and_saved(stage: MakeStage) -> None:
    here = stage()
    how = {"help_with": owner_of(here, NORTH), "timeout": 10, "clock": here.clock}
    with ThreadPoolExecutor(1) as elsewhere:  # Playwright lives once a thread, and the shared browser is in this one
        elsewhere.submit(log_in, here.settings, NORTH, **how).result()
    assert here.studio.sessions.state("north").standing is SessionStatus.VALID


def test_a_scanned_qr_code_is_detected(stage: MakeStage, chromium: Browser) -> None:
    here = stage()

    def scan(page: Page) -> None:
        page.goto(f"{here.address}/login/qrcode")
        page.locator("[data-e2e=qr-code]").wait_for()
        here.world.sessions.scan(NORTH.handle)

    logged_in(here, chromium, NORTH, help_with=scan)
    assert here.studio.sessions.state("north").standing is SessionStatus.VALID


def test_the_login_of_another_account_is_not_saved(stage: MakeStage, chromium: Browser) -> None:
    here = stage()
    with pytest.raises(WrongAccount, match=r"north: @south_pier logged in.*is @north.pier. Nothing was saved"):
        logged_in(here, chromium, NORTH, help_with=owner_of(here, SOUTH))
    assert here.files("state/sessions") == []


def test_a_timeout_and_a_closed_window_are_reported(stage: MakeStage, chromium: Browser) -> None:
    here = stage()
    with pytest.raises(HumanNeeded, match=r"nobody logged in within 0.2 s.*login north"):
        logged_in(here, chromium, NORTH, timeout=0.2)
    with pytest.raises(HumanNeeded, match="window was closed"):
        logged_in(here, chromium, NORTH, help_with=lambda page: page.close())


def test_a_site_that_does_not_answer_is_named(stage: MakeStage, chromium: Browser) -> None:
    here = stage(studio_url="http://127.0.0.1:9")
    with pytest.raises(StudioUnreachable, match=r"http://127.0.0.1:9 did not open"):
        logged_in(here, chromium, NORTH)


def test_simulator_credentials_are_typed_only_on_this_machine(stage: MakeStage, chromium: Browser) -> None:
    here = stage()
    by_name = here.address.replace("127.0.0.1", "localhost")
    elsewhere = here.settings.model_copy(update={"studio_url": by_name})
    with pytest.raises(NotTheSimulator, match="credentials into localhost; they are only for"):
        log_in(
            elsewhere,
            NORTH,
            headless=True,
            help_with=owner_of(here, NORTH),
            open_browser=lambda settings, **how: contextlib.nullcontext(chromium),
        )
    assert not [one for one in here.world.requests if one.method == "POST"]


def test_credentials_are_not_shown() -> None:
    assert "pass-word" not in repr(SimulatorLogin(handle="pig1987", password="pass-word", code=lambda: "123456"))


def test_secrets_are_only_in_the_session_file(stage: MakeStage, chromium: Browser) -> None:
    here = stage(screenshot_on_error=True, download_timeout=2)
    session = logged_in(here, chromium, NORTH, help_with=owner_of(here, NORTH))
    here.world.faults.add("dom_changed", section="viewers", times=9)
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", FIRST, LAST)
        with pytest.raises(UiChanged) as raised:
            visit.export("viewers", FIRST, LAST)
    pictures = here.files("state/failures")
    assert [name.partition("_")[2] for name in pictures] == ["north_viewers.png", "north_viewers.trace.zip"]
    assert {name for name in raised.value.metadata if name.startswith("evidence")} == {"evidence_png", "evidence_zip"}
    modes = {stat.S_IMODE((here.settings.state / "failures" / name).stat().st_mode) for name in pictures}
    assert modes == {0o600}
    account = here.world.accounts[NORTH.handle]
    cookies = {cookie["name"]: cookie["value"] for cookie in session.state["cookies"]}
    for secret in (account.password, str(account.totp_secret), *cookies.values()):
        holders = {path.name for path, content in everything(here.data) if secret.encode() in content}
        assert holders <= {"north.json"}, secret
    assert any(cookies["sessionid"].encode() in content for _, content in everything(here.data))


def everything(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file, and every member of every archive."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    yield from ((path, archive.read(name)) for name in archive.namelist())
