"""Extractions longer than one export: how they are split, and that kill -9 at any moment loses and repeats nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import random
import sqlite3
import subprocess
import sys
from itertools import pairwise

import pytest

from tiktok_assets.exports.windows import Window
from tiktok_assets.settings import project_root
from tiktok_assets.studio.extraction import ExtractionOutcome, ExtractionRequest
from tiktok_assets_tests import budget
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.fakes import Clock, PaperStudio
from tiktok_assets_tests.studio.conftest import NORTH, NOW, YESTERDAY, MakeStage

FOUR = ("overview", "viewers", "followers", "content")
BEGIN = YESTERDAY - dt.timedelta(days=399)
TIMEOUT = 300.0  # seconds; guards against hanging


@pytest.fixture
def paper(install: Install) -> PaperStudio:
    return PaperStudio(install("north"), Clock(NOW))


def run(paper: PaperStudio, request: ExtractionRequest, wait_budget: float = 0) -> ExtractionOutcome:
    return paper.extractor(wait_budget)(request)


def test_400_days_take_three_visits_an_hour_apart(paper: PaperStudio) -> None:
    request = ExtractionRequest(account=NORTH, sections=FOUR, first=BEGIN, last=YESTERDAY)
    for expected in (4, 8):
        left = run(paper, request).left
        assert left is not None
        assert len(paper.exported) == expected
        assert left.retry_at == paper.clock.now + dt.timedelta(hours=1)
        paper.clock.now = left.retry_at
    run(paper, request)
    assert len(paper.exported) == 12 == len(set(paper.exported))
    run(paper, request)
    assert len(paper.exported) == 12


def test_an_interrupted_visit_resumes_at_once_with_what_it_had_not_requested(paper: PaperStudio) -> None:
    request = ExtractionRequest(account=NORTH, sections=FOUR, first=YESTERDAY, last=YESTERDAY)
    paper.failures["north", "followers"] = ConnectionError("cut")
    with pytest.raises(ConnectionError):
        run(paper, request)
    paper.failures.clear()
    paper.clock.now += dt.timedelta(minutes=1)
    run(paper, request)
    assert [section for _, section, _ in paper.exported] == list(FOUR)


def test_a_refresh_requests_again_once(paper: PaperStudio) -> None:
    request = ExtractionRequest(account=NORTH, sections=["overview"], first=BEGIN, last=BEGIN)
    run(paper, request)
    paper.clock.now += dt.timedelta(hours=1)
    again = ExtractionRequest(
        account=NORTH, sections=["overview"], first=BEGIN, last=BEGIN, refresh_since=paper.clock.now
    )
    run(paper, again)
    run(paper, again)
    assert len(paper.exported) == 2


def test_days_known_otherwise_are_not_requested(paper: PaperStudio) -> None:
    known = {"overview": Window(first=BEGIN, last=YESTERDAY - dt.timedelta(days=3)).days()}
    request = ExtractionRequest(
        account=NORTH, sections=("overview", "viewers"), first=BEGIN, last=YESTERDAY, known=known
    )
    first, second, third = paper.extractor().plan(request)
    assert first["overview"] == Window(first=dt.date(2025, 12, 29), last=YESTERDAY)
    assert [*second, *third] == ["viewers", "viewers"]


@budget.in_the_long_run
@pytest.mark.e2e
def test_an_extraction_killed_at_random_moments_finishes_without_repeating_anything(stage: MakeStage) -> None:
    here = stage(export_interval=3600)
    here.log_in(NORTH)
    settings = here.settings.model_dump(
        mode="json", exclude={"landing_path", "browser_path", "session_key", "accounts"}
    )
    given = {"settings": settings, "sections": FOUR, "first": BEGIN.isoformat()}
    command = [sys.executable, "-m", "tiktok_assets_tests.studio.extracting"]
    command.append(json.dumps(given | {"last": YESTERDAY.isoformat()}))
    rng = random.Random(7)
    for _ in rounds(1, at_most=40):
        process = subprocess.Popen(command, cwd=project_root())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(1, 6))
        process.kill()
        process.wait(10)
        assert not [name for name in here.files("landing") if not name.endswith(".zip")]
    assert subprocess.run(command, cwd=project_root(), timeout=TIMEOUT).returncode == 0
    windows = [(section, one.window) for section in FOUR for one in here.studio.ledger.landed_windows("north", section)]
    assert len(windows) == len(set(windows)) == 12 == len(here.files("landing"))
    assert here.files("quarantine") == []
    with sqlite3.connect(here.data / "state" / "limits.sqlite") as ledger:
        times = ledger.execute("select reserved_at, last_click from visits order by id").fetchall()
    assert all(later[0] - earlier[1] >= 3600 for earlier, later in pairwise(times))
