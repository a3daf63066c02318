"""The commands that need Studio, as a person types them: real processes, a real browser, the simulator's address."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest

from tiktok_assets.settings import project_root, variable
from tiktok_assets.simulator.studio import StudioAccount, invent_account
from tiktok_assets_tests.studio.conftest import NORTH, SOUTH, MakeStage, Stage

FOUR = ("overview", "viewers", "followers", "content")


@pytest.fixture(scope="module")
def accounts_of_today() -> list[StudioAccount]:
    """Accounts with data until tomorrow: a command always uses the system clock."""
    today = dt.datetime.now(dt.UTC).date()
    first, last = today - dt.timedelta(days=500), today + dt.timedelta(days=1)
    return [invent_account("north.pier", 1, first, last), invent_account("south_pier", 2, first, last, locale="el")]


@pytest.fixture
def here(stage: MakeStage, accounts_of_today: list[StudioAccount]) -> Stage:
    world = {"accounts": accounts_of_today, "clock": lambda: dt.datetime.now(dt.UTC)}
    return stage(world=world, download_timeout=10)


def command(here: Stage, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What ``tiktok-assets ...`` does in the installation of ``here``."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIKTOK_")}
    variables = {variable(name): str(getattr(here.settings, name)) for name in here.settings.model_fields_set}
    return subprocess.run(
        [sys.executable, "-c", "from tiktok_assets.cli.app import main; main()", *arguments],
        cwd=project_root(),
        env=ours | variables | {"COLUMNS": "300"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_extract_lands_what_is_missing_and_reports_each_file(here: Stage) -> None:
    here.log_in(NORTH)
    result = command(here, "extract", "north.pier")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert [line.split(",")[1].strip() for line in lines[:4]] == list(FOUR)
    assert lines[4].startswith("north, insights: Insights_")
    assert lines[5] == "To load them into the warehouse: tiktok-assets process"
    assert len(here.files("landing")) == 5
    again = command(here, "extract", "north", "--section", "overview")
    assert (again.returncode, again.stdout.strip()) == (
        0,
        "north: nothing to request: all days were already exported (--refresh requests them again).",
    )


def test_extract_says_when_it_may_be_tried_again(here: Stage) -> None:
    here.log_in(NORTH)
    assert command(here, "extract", "north", "--section", "overview").returncode == 0
    refused = command(here, "extract", "north", "--section", "overview", "--refresh", "--json")
    assert refused.returncode == 1
    [outcome] = json.loads(refused.stdout)
    assert outcome["account"] == "north"
    assert outcome["landed"] == []
    assert "It may be tried again at" in outcome["stopped"]
    assert dt.datetime.fromisoformat(outcome["retry_at"]) > dt.datetime.now(dt.UTC) + dt.timedelta(minutes=50)


def test_an_account_without_a_login_does_not_hold_up_another(here: Stage) -> None:
    here.log_in(SOUTH)
    result = command(here, "extract", "--section", "viewers", "--from", "2026-01-05", "--to", "2026-01-11")
    assert result.returncode == 1
    assert "Run `tiktok-assets login north`" in result.stderr
    assert result.stdout.startswith("south, viewers, 2026-01-05 to 2026-01-11: Viewers_south_pier.zip (")


def test_a_reversed_range_and_an_unknown_account_are_refused(here: Stage) -> None:
    reversed_ = command(here, "extract", "north", "--from", "2026-02-01", "--to", "2026-01-01")
    assert (reversed_.returncode, "is before" in reversed_.stderr) == (2, True)
    unknown = command(here, "extract", "nobody")
    assert (unknown.returncode, "No account is called nobody" in unknown.stderr) == (2, True)


def test_sessions_lists_every_account_with_what_to_do(here: Stage) -> None:
    here.log_in(NORTH)
    result = command(here, "sessions")
    assert result.returncode == 1
    south, north = result.stdout.splitlines()[1:]  # first who needs a person
    assert north.split()[:6] == ["north", "valid,", "expires", "in", "179", "days"]
    assert south.split() == ["south", "missing", "tiktok-assets", "login", "south"]
    states = json.loads(command(here, "sessions", "--json").stdout)
    assert [one["standing"] for one in states] == ["missing", "valid"]


def test_forgetting_a_session_deletes_the_saved_login(here: Stage) -> None:
    here.log_in(NORTH)
    assert here.files("state/sessions") == ["north.json"]
    forgotten = command(here, "sessions", "forget", "north.pier")
    assert (forgotten.returncode, forgotten.stdout.startswith("north: The saved login was deleted (")) == (0, True)
    assert here.files("state/sessions") == []
    assert "There was no saved login" in command(here, "sessions", "forget", "north").stdout
    unknown = command(here, "sessions", "forget", "nobody")
    assert (unknown.returncode, "No account is called nobody" in unknown.stderr) == (2, True)


def test_the_flags_of_extract_win_over_the_settings(here: Stage) -> None:
    here.log_in(NORTH)
    window = command(here, "extract", "north", "--no-headless", DISPLAY="", WAYLAND_DISPLAY="", TIKTOK_HEADLESS="true")
    assert (window.returncode, "there is no display" in window.stderr) == (1, True)
    names = ("--headless", "--no-headless", "--screenshot-on-error", "--no-screenshot-on-error")
    assert all(name in command(here, "extract", "--help").stdout for name in names)


def test_login_without_a_display_says_what_to_do(here: Stage) -> None:
    result = command(here, "login", "north", DISPLAY="", WAYLAND_DISPLAY="")
    assert result.returncode == 1
    assert "A window is needed, but there is no display" in result.stderr
    assert here.files("state") == []
