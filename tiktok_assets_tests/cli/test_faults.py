"""Commands that the system stops end with a sentence and an exit code, never with a traceback."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tiktok_assets import clock
from tiktok_assets.cli.app import app
from tiktok_assets.settings import Settings

COMMANDS = [("process",), ("rebuild",), ("archive",), ("status",)]


@pytest.fixture
def data(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(settings.accounts_file))
    return Path(str(settings.data_dir))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_state_folder_that_cannot_be_written_is_a_sentence(
    data: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "mkdir", refused)
    result = run(*command)
    if command == ("status",):  # which only reads
        assert result.exit_code == 1 and result.exception is not None and not result.stderr
        return
    assert result.exit_code == 1
    assert result.stderr.startswith(str(data / "state"))
    assert "Mount it writable" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_is_a_sentence_and_exit_code_130(
    data: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tiktok_assets.settings.load_settings", stopped)
    result = run(*command)
    assert (result.exit_code, result.stderr) == (130, "Stopped. Nothing is lost; run it again to continue.\n")


def test_a_bug_of_ours_shows_its_traceback(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tiktok_assets.settings.load_settings", broken)
    assert isinstance(run("status").exception, ZeroDivisionError)


def test_settings_that_cannot_be_used_are_a_sentence_and_exit_code_2(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: clock.dt.datetime(2016, 11, 29, tzinfo=clock.dt.UTC))
    result = run("process")
    assert result.exit_code == 2
    assert "it lies after today, which is 2016-11-29 by this machine's clock" in result.stderr
