"""Which browser is used, in which order, and what the message says if there is none. No browser is started here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tiktok_assets.failures import BrowserUnusable
from tiktok_assets.studio import browser
from tiktok_assets.studio.browser import find_browser, require_display
from tiktok_assets.studio.login import log_in
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.studio.conftest import NORTH

MODULES = (
    "interface",
    "browser_studio",
    "playwright_internals",
    "visit",
    "delivery",
    "download",
    "pages",
    "picker",
    "login",
    "session",
    "limits",
    "extraction",
)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(browser, "_MAC", ())
    return folder


def program(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_configured_browser_wins(install: Install, bin_folder: Path, tmp_path: Path) -> None:
    program(bin_folder / "chromium")
    mine = program(tmp_path / "my browser")
    assert find_browser(install(browser_path=mine), headless=True) == mine


def test_a_setting_that_is_not_a_program_is_an_error(install: Install, bin_folder: Path) -> None:
    program(bin_folder / "chromium")
    (bin_folder / "notes.txt").touch()
    for path in (bin_folder / "gone", bin_folder / "notes.txt", bin_folder):
        with pytest.raises(BrowserUnusable, match=r"TIKTOK_BROWSER_PATH=.* is not an executable program"):
            find_browser(install(browser_path=path), headless=True)


def test_the_headless_shell_is_never_used_for_a_window(install: Install, bin_folder: Path) -> None:
    shell = program(bin_folder / "chromium-headless-shell")
    chrome = program(bin_folder / "google-chrome")
    assert find_browser(install(), headless=True) == shell
    assert find_browser(install(), headless=False) == chrome
    chromium = program(bin_folder / "chromium")
    assert find_browser(install(), headless=False) == chromium


def test_playwrights_own_is_the_last_resort(install: Install, bin_folder: Path, tmp_path: Path) -> None:
    own = program(tmp_path / "playwright-chrome")
    assert find_browser(install(), headless=True, playwrights_own=own) == own
    chromium = program(bin_folder / "chromium")
    assert find_browser(install(), headless=True, playwrights_own=own) == chromium


def test_without_any_browser_three_remedies_are_named(install: Install, bin_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BrowserUnusable) as raised:
        find_browser(install(), headless=True, playwrights_own=tmp_path / "not downloaded")
    for remedy in ("apt-get install chromium", "playwright install chromium", "TIKTOK_BROWSER_PATH"):
        assert remedy in str(raised.value)


def test_a_window_needs_a_display(install: Install) -> None:
    settings = install()
    with pytest.raises(BrowserUnusable, match=r"no display.*copy its saved logins.*ssh -X.*xvfb-run") as raised:
        require_display(settings, {}, "linux")
    assert str(settings.state / "sessions") in str(raised.value)
    require_display(settings, {"DISPLAY": ":0"}, "linux")
    require_display(settings, {"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    require_display(settings, {}, "darwin")


def test_a_login_without_a_display_opens_no_browser(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(BrowserUnusable, match="no display"):
        log_in(install(), NORTH)


@pytest.mark.e2e
def test_a_program_that_is_not_a_browser_is_named_with_its_output(install: Install, tmp_path: Path) -> None:
    broken = program(tmp_path / "broken")
    broken.write_text("#!/bin/sh\necho libnss3.so is missing >&2\nexit 3\n")
    with (
        pytest.raises(BrowserUnusable, match=r"broken could not be started: libnss3.so is missing\. Install one"),
        browser.open_browser(install(browser_path=broken), headless=True),
    ):
        pass


def test_importing_our_modules_does_not_import_playwright() -> None:
    code = "import sys\n" + "".join(f"import tiktok_assets.studio.{name}\n" for name in MODULES)
    code += "sys.exit(any(name.startswith('playwright') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, timeout=60).returncode == 0
