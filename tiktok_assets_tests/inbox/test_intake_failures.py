"""Intake where the operating system refuses, disks are full, or two processes look at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.inbox import asked_of_the_sandbox
from tiktok_assets_tests.inbox.intake_looks import landed, look
from tiktok_assets_tests.landing_files import (
    drop,
    drop_export,
    export,
    is_kept,
    landing,
    names_in,
)

# --- what the operating system refuses -------------------------------------------------------------------------------

# The user may not be allowed to read the folder of Python, so everything is imported by a first pass over a copy.
AS_NOBODY = """
import json, os, shutil, sys, tempfile
from dataclasses import asdict
from tiktok_assets.accounts import load_roster
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake

def look(home, extra=None):
    settings = Settings(data_dir=f"{home}/data", accounts_file=f"{home}/accounts.toml", landing_path=extra)
    return asdict(take_in(Lake(settings), load_roster(settings)))

home, extra = sys.argv[1:]
if os.geteuid() == 0:
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(home, copy, dirs_exist_ok=True)
        look(copy, f"{copy}/inbox")
    os.seteuid(65534)
print(json.dumps([look(home, extra or None) for _ in range(2)], default=str))
"""


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation whose data folder every user may write; pytest's own folders are closed to others."""
    home = Path(tempfile.mkdtemp(prefix="tiktok-assets-test-"))
    home.chmod(0o755)
    (home / "accounts.toml").write_text('[accounts.pig1987]\n[accounts.zonea0]\nhandle = "zone.a0"\n')
    settings = Settings(data_dir=UPath(home / "data"), accounts_file=home / "accounts.toml")
    yield settings
    for path in home.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(home)


def two_looks_of_nobody(settings: Settings, extra: Path | None = None) -> list[dict[str, Any]]:
    """What a user without special rights finds; permissions mean nothing to root."""
    home = Path(str(settings.data_dir)).parent
    for folder in [home / "data", *(home / "data").rglob("*")]:
        if folder.is_dir() and folder.stat().st_mode & 0o777:
            folder.chmod(0o777)
    command = [sys.executable, "-c", AS_NOBODY, str(home), str(extra or "")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_file_that_cannot_be_read_stays_and_says_what_to_do(shared: Settings) -> None:
    closed = drop_export(shared, "pig1987", "viewers", folder="pig1987")
    (landing(shared) / "pig1987" / closed.name).chmod(0)
    good = drop_export(shared, "pig1987", "overview", folder="pig1987")
    for intake in two_looks_of_nobody(shared):
        assert [one["source"] for one in intake["landed"]] == [good.name]
        (message,) = intake["unreadable"]
        assert closed.name in message
        assert "chmod u+r" in message
        assert intake["rejected"] == []
    assert is_kept(shared, [closed.content, good.content])


def test_a_folder_that_cannot_be_read_is_not_an_empty_folder(shared: Settings) -> None:
    drop_export(shared, "zone.a0", "viewers", folder="zonea0")
    good = drop_export(shared, "pig1987", "overview", folder="pig1987")
    (landing(shared) / "zonea0").chmod(0)
    for intake in two_looks_of_nobody(shared):
        assert [one["source"] for one in intake["landed"]] == [good.name]
        (message,) = intake["unreadable"]
        assert str(landing(shared) / "zonea0") in message
        assert "permission to read" in message


def test_from_a_folder_that_may_only_be_read_exports_are_copied_once(shared: Settings) -> None:
    inbox = Path(str(shared.data_dir)).parent / "inbox"
    made = export("pig1987", "viewers")
    original = drop(made.content, inbox, made.name)
    broken = drop(b"PK damaged", inbox, "Overview_pig1987.zip")
    inbox.chmod(0o755 if os.geteuid() == 0 else 0o555)
    landing(shared).mkdir(parents=True)

    first, second = two_looks_of_nobody(shared, inbox)

    assert [one["source"] for one in first["landed"]] == [made.name]
    assert [one["source"] for one in second["landed"]] == [made.name]
    assert any("Overview_pig1987.zip" in message for message in second["unreadable"])
    assert original.exists()
    assert broken.exists()
    assert names_in(landing(shared)) == [made.name]
    assert not names_in(Path(str(shared.quarantine)))


@pytest.fixture
def without_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in this process, where other functions can be patched."""

    def here(_: object, function: Callable[..., object], *arguments: object) -> object:
        return function(*arguments)

    monkeypatch.setattr("tiktok_assets.inbox.contents.read_within", here)


# --- failures halfway ------------------------------------------------------------------------------------------------


def test_a_bug_of_ours_in_one_file_does_not_stop_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.inbox.contents.contents_of", asked_of_the_sandbox.stumbling)
    bad = drop_export(settings, "pig1987", "content")
    good = drop_export(settings, "pig1987", "viewers")
    intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    (rejected,) = intake.rejected
    assert rejected.reason == "unforeseen"
    assert "ZeroDivisionError" in rejected.message
    assert is_kept(settings, [bad.content])


@pytest.mark.parametrize("at", ["write_bytes", "move"])
def test_a_full_disk_loses_nothing_and_stops_only_that_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    bad = drop(b"no export", landing(settings), "bad.csv")
    good = drop_export(settings, "pig1987", "overview", folder="pig1987")

    def full(*_: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, at, full)
        intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    assert intake.rejected == ()
    (message,) = intake.unreadable
    assert "bad.csv" in message
    assert "No space left" in message
    assert bad.exists()
    assert names_in(Path(str(settings.quarantine))) == []
    assert [Path(one.file).name for one in look(settings).rejected] == ["bad.csv"]


def test_an_export_without_room_to_be_unpacked_is_not_called_damaged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, without_sandbox: None
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = drop_export(settings, "pig1987", "content", folder="pig1987")
    with monkeypatch.context() as patch:
        patch.setattr("tiktok_assets.exports.archive.IN_MEMORY_BYTES", 10)
        patch.setattr("tiktok_assets.exports.archive.shutil.copyfileobj", full)
        intake = look(settings)
    assert (intake.landed, intake.rejected) == ((), ())
    (message,) = intake.unreadable
    assert made.name in message
    assert "Free space in" in message
    assert landed(look(settings)) == [("pig1987", made.name)]


def test_two_processes_that_take_in_files_at_once_take_turns(settings: Settings) -> None:
    for number in range(40):
        drop(b"no export %d" % number, landing(settings), "same.csv" if number == 0 else f"{number}.csv")
    code = AS_NOBODY.replace("os.geteuid() == 0", "False")
    command = [sys.executable, "-c", code, str(Path(str(settings.data_dir)).parent), ""]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert len(names_in(Path(str(settings.quarantine)))) == 80
    assert is_kept(settings, [b"no export %d" % number for number in range(40)])
