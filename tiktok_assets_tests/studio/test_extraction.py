"""Extractions longer than one export: how they are cut, and that kill -9 at any moment loses and repeats nothing."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from tiktok_assets.accounts import Account
from tiktok_assets.failures import LimitReached
from tiktok_assets.settings import project_root
from tiktok_assets.studio.extraction import Wanted, extract, plan
from tiktok_assets.studio.limits import Ledger
from tiktok_assets.studio.resource import LandedFile, Studio, Visit
from tiktok_assets.studio.windows import Window
from tiktok_assets_tests.studio.conftest import NORTH, NOW, YESTERDAY, Clock, MakeStage

FOUR = ("overview", "viewers", "followers", "content")
BEGIN = YESTERDAY - dt.timedelta(days=399)


class PaperStudio(Studio):
    """Exports that exist in the ledger only. Fails with ``failure`` once ``healthy`` exports have landed."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self.ledger, self.clock = ledger, clock
        self.exported: list[tuple[str, Window]] = []
        self.healthy = 10**9

    def visit(self, account: Account) -> AbstractContextManager[Visit]:
        return self._visit(account)

    @contextlib.contextmanager
    def _visit(self, account: Account) -> Iterator[Visit]:
        studio, now = self, self.clock()
        reservation = self.ledger.unfinished(account.key, now) or self.ledger.reserve(account.key, now)

        class PaperVisit(Visit):
            def export(self, section: str, first: dt.date, last: dt.date) -> LandedFile:
                window = Window(first=first, last=last)
                if len(studio.exported) >= studio.healthy:
                    raise ConnectionError("cut")
                checkpoint = studio.ledger.ask(reservation, section, window, now)
                studio.ledger.landed(checkpoint)
                studio.exported.append((section, window))
                return LandedFile(
                    account=account.key,
                    section=section,
                    window=window,
                    path=Path(section),  # pyright: ignore[reportArgumentType]
                    export_id="",
                    bytes=1,
                    rows=1,
                    seconds=0,
                    attempts=1,
                )

        yield PaperVisit()
        self.ledger.finish(reservation)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def paper(tmp_path: Path, clock: Clock) -> PaperStudio:
    ledger = Ledger(path=tmp_path / "limits.sqlite", export_interval=3600, account_spacing=300)
    return PaperStudio(ledger, clock)


def run(paper: PaperStudio, wanted: Wanted) -> None:
    extract(paper, wanted, paper.ledger, clock=paper.clock, max_days=180)


def test_400_days_are_three_visits_an_hour_apart_and_then_there_is_nothing_to_do(paper: PaperStudio) -> None:
    wanted = Wanted(account=NORTH, sections=FOUR, first=BEGIN, last=YESTERDAY)
    for expected in (4, 8):
        with pytest.raises(LimitReached) as refused:
            run(paper, wanted)
        assert len(paper.exported) == expected
        assert refused.value.retry_at == paper.clock.now + dt.timedelta(hours=1)
        paper.clock.now = refused.value.retry_at
    run(paper, wanted)
    assert len(paper.exported) == 12 == len(set(paper.exported))
    run(paper, wanted)
    assert len(paper.exported) == 12


def test_a_visit_that_was_cut_short_goes_on_at_once_with_what_it_had_not_asked_for(paper: PaperStudio) -> None:
    wanted = Wanted(account=NORTH, sections=FOUR, first=YESTERDAY, last=YESTERDAY)
    paper.healthy = 2
    with pytest.raises(ConnectionError):
        run(paper, wanted)
    paper.healthy = 99
    paper.clock.now += dt.timedelta(minutes=1)
    run(paper, wanted)
    assert [section for section, _ in paper.exported] == list(FOUR)


def test_a_refresh_asks_again_once(paper: PaperStudio) -> None:
    wanted = Wanted(account=NORTH, sections=["overview"], first=BEGIN, last=BEGIN)
    run(paper, wanted)
    paper.clock.now += dt.timedelta(hours=1)
    again = Wanted(account=NORTH, sections=["overview"], first=BEGIN, last=BEGIN, refresh_since=paper.clock.now)
    run(paper, again)
    run(paper, again)
    assert len(paper.exported) == 2


def test_days_known_otherwise_are_not_asked_for(paper: PaperStudio) -> None:
    known = {"overview": Window(first=BEGIN, last=YESTERDAY - dt.timedelta(days=3)).days()}
    wanted = Wanted(account=NORTH, sections=("overview", "viewers"), first=BEGIN, last=YESTERDAY, known=known)
    first, second, third = plan(wanted, paper.ledger, now=NOW, max_days=180)
    assert first["overview"] == Window(first=dt.date(2025, 12, 29), last=YESTERDAY)
    assert [*second, *third] == ["viewers", "viewers"]


@pytest.mark.e2e
def test_an_extraction_killed_at_random_moments_is_finished_without_doing_anything_twice(stage: MakeStage) -> None:
    here = stage(export_interval=3600)
    here.log_in(NORTH)
    settings = here.settings.model_dump(
        mode="json", exclude={"landing_path", "browser_path", "session_key", "accounts"}
    )
    given = {"settings": settings, "sections": ["overview", "viewers"], "first": BEGIN.isoformat()}
    command = [sys.executable, "-m", "tiktok_assets_tests.studio.extracting"]
    command.append(json.dumps(given | {"last": YESTERDAY.isoformat()}))
    rng = random.Random(7)
    for _ in range(3):
        process = subprocess.Popen(command, cwd=project_root())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(2, 6))
        process.kill()
        process.wait(10)
        assert not [name for name in here.files("landing") if not name.endswith(".zip")]
    assert subprocess.run(command, cwd=project_root(), timeout=120).returncode == 0
    windows = [
        (section, one.window)
        for section in ("overview", "viewers")
        for one in here.studio.ledger.landed_windows("north", section)
    ]
    assert len(windows) == len(set(windows)) == 6 == len(here.files("landing"))
    assert here.files("quarantine") == []
    with sqlite3.connect(here.data / "state" / "limits.sqlite") as ledger:
        times = ledger.execute("select reserved_at, last_click from visits order by id").fetchall()
    assert all(later[0] - earlier[1] >= 3600 for earlier, later in pairwise(times))
