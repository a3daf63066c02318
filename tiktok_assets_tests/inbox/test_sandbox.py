"""The child process that reads files: its limits, its death, its end, and files made to exceed them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tiktok_assets.accounts import Roster
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.inbox.contents import read_contents
from tiktok_assets.inbox.files import state_of
from tiktok_assets.inbox.inspect import inspect
from tiktok_assets.inbox.sandbox import LimitExceeded, Limits, Unforeseen, read_within
from tiktok_assets.settings import Settings
from tiktok_assets_tests import budget
from tiktok_assets_tests.bombs import BOMBS, with_last_cell
from tiktok_assets_tests.export_files import write
from tiktok_assets_tests.inbox.asked_of_the_sandbox import (
    aborted,
    descriptors,
    endless,
    failed,
    greedy,
    hoarding,
    killed,
    pid_of,
    untransferable,
)
from tiktok_assets_tests.inbox.intake_looks import landed, look
from tiktok_assets_tests.landing_files import drop, drop_export, export, is_kept, landing

LIMITS = Limits.of(Settings())
QUICK = Limits(memory=150, seconds=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "Overview.csv", "Date")


def test_one_child_answers_all_requests(file: Path) -> None:
    ample = Limits(memory=2000, seconds=8)
    first = read_within(ample, pid_of, file)
    assert first == read_within(ample, pid_of, file) != os.getpid()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (greedy, "Overview.csv: reading it takes more than 150 MB of memory"),
        (endless, "Overview.csv: reading it takes more than 1 seconds"),
        (aborted, "Overview.csv: reading it takes more than 150 MB of memory"),
    ],
)
def test_what_exceeds_a_limit_is_a_problem_of_the_file(
    file: Path, function: Callable[[Path], object], words: str
) -> None:
    with pytest.raises(LimitExceeded, match=words):
        read_within(QUICK, function, file)
    assert read_within(QUICK, pid_of, file) != os.getpid()


def test_a_child_that_the_system_ended_is_no_fault_of_the_file(file: Path) -> None:
    with pytest.raises(MemoryError, match="too little free memory"):
        read_within(LIMITS, killed, file)


def test_a_child_that_cannot_work_is_no_fault_of_the_file(file: Path) -> None:
    with pytest.raises(OSError, match="exit code 3; restart this program"):
        read_within(LIMITS, failed, file)


def test_inspect_says_that_the_child_cannot_work(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tiktok_assets.inbox.inspect._description", failed)
    found = inspect(file, Roster([]), UPath(file.parent), LIMITS)
    assert found["problem"] == "unreadable_file"
    assert "exit code 3; restart this program" in found["message"]


def test_a_bug_in_the_child_is_reported_as_such(file: Path) -> None:
    with pytest.raises(Unforeseen, match=r"Overview\.csv: reading it failed .*of a library.*a bug in this program"):
        read_within(LIMITS, untransferable, file)


def test_a_child_that_holds_much_memory_is_replaced(file: Path) -> None:
    before = read_within(Limits(memory=1000, seconds=8), hoarding, file)
    assert read_within(LIMITS, pid_of, file) != before


def test_the_child_inherits_no_open_files(file: Path) -> None:
    with file.open() as held:
        os.set_inheritable(held.fileno(), True)
        assert str(file) not in read_within(LIMITS, descriptors, file)


def test_the_child_inherits_no_settings_and_no_keys(file: Path) -> None:
    code = (
        "from pathlib import Path; import sys\n"
        "from tiktok_assets.inbox.sandbox import Limits, read_within\n"
        "from tiktok_assets_tests.inbox.asked_of_the_sandbox import environment\n"
        "print(read_within(Limits(memory=350, seconds=8), environment, Path(sys.argv[1])))"
    )
    ours = os.environ | {"TIKTOK_SESSION_KEY": "secret", "AWS_SECRET_ACCESS_KEY": "secret"}
    done = subprocess.run([sys.executable, "-c", code, str(file)], env=ours, capture_output=True, text=True, check=True)
    assert "PATH" in done.stdout
    assert "TIKTOK_" not in done.stdout and "AWS_" not in done.stdout


def test_the_child_ends_with_its_parent(file: Path) -> None:
    code = (
        "from pathlib import Path; import sys, time\n"
        "from tiktok_assets.inbox.sandbox import Limits, read_within\n"
        "from tiktok_assets_tests.inbox.asked_of_the_sandbox import pid_of\n"
        "print(read_within(Limits(memory=350, seconds=8), pid_of, Path(sys.argv[1])), flush=True)\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.kill()
    until = time.monotonic() + 60
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < until
        time.sleep(0.1)


# --- bombs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_quarantined_with_the_limit_and_others_go_on(settings: Settings, kind: str) -> None:
    name, content, words = BOMBS[kind]
    bomb = content()
    drop(bomb, landing(settings) / "pig1987", name)
    good = drop_export(settings, "pig1987", "viewers", folder="pig1987")
    intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    (rejected,) = intake.rejected
    assert any(word in rejected.message for word in words), rejected.message
    assert "\n" not in rejected.message
    assert is_kept(settings, [bomb])


@budget.examples(10)
@given(
    column=st.sampled_from(["F", "Z", "AAA", "XFD"]),
    row=st.integers(2, 1_048_576),
    dimension=st.sampled_from(["", '<dimension ref="A1"/>', '<dimension ref="A1:XFD1048576"/>']),
)
def test_a_workbook_of_any_dimensions_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, column: str, row: int, dimension: str
) -> None:
    content = with_last_cell(f"{column}{row}", dimension)
    path = write(tmp_path_factory.mktemp("book") / "Overview.xlsx", content)
    assert isinstance(read_contents(UPath(path), state_of(UPath(path)), LIMITS), ExportProblem)


def test_the_limits_leave_room_for_honest_files() -> None:
    """A year of days is 40 kB, a list of 10,000 videos 3 MB, the largest known list 131 MB."""
    year, videos, largest = (LIMITS.for_size(size) for size in (40_000, 3_000_000, 131_000_000))
    assert year.memory >= 350 and year.seconds >= 8
    assert videos.seconds >= 15
    assert largest.memory >= 800 and largest.seconds >= 500


def test_an_export_is_read_in_the_sandbox_as_anywhere(settings: Settings) -> None:
    made = export("pig1987", "overview")
    path = drop(made.content, landing(settings), made.name)
    read = read_contents(UPath(path), state_of(UPath(path)), LIMITS)
    assert not isinstance(read, ExportProblem)
    assert read.sections == ("overview",)
