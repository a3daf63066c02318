"""Every fault of STUDIO_FACTS in real Chromium: the failure, the message, and which files are where afterwards."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tiktok_assets.exports.windows import Window
from tiktok_assets.failures import (
    AuthExpired,
    BadExport,
    DataNotThere,
    DownloadFailed,
    DownloadNotStarted,
    HumanNeeded,
    LimitReached,
    StudioUnreachable,
    UiChanged,
    WrongAccount,
)
from tiktok_assets.reports.reading import open_export
from tiktok_assets.simulator.studio.markup import CAPTCHAS
from tiktok_assets.studio.download import inspect_file
from tiktok_assets.studio.interface import LandedFile
from tiktok_assets_tests.studio.conftest import FIRST, LAST, NORTH, NOW, SOUTH, YESTERDAY, MakeStage, Stage

pytestmark = pytest.mark.e2e
FOUR_WEEKS = YESTERDAY - dt.timedelta(days=27), YESTERDAY
AN_HOUR_ON = NOW + dt.timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Fails:
    """A fault, the failure it must raise, and what the message says. ``bad``: files in quarantine afterwards."""

    fault: str
    failure: type[Exception]
    says: str
    more: dict[str, Any] = field(default_factory=dict)
    bad: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return "-".join([self.fault, *(str(value) for value in self.more.values() if value != 99)])


ALWAYS = {"times": 99}
FAILING = [
    Fails(
        fault="never_ready",
        failure=DownloadNotStarted,
        says=r"north, viewers, 2025-12-04 to 2025-12-31: the export was requested, but no file came within 1 s.*"
        "TIKTOK_DOWNLOAD_TIMEOUT",
        settings={"download_timeout": 1},
    ),
    Fails(
        fault="limit_message",
        failure=LimitReached,
        says=r"viewers: Studio refused the export with \"You've reached the export limit.*2026-01-01 19:20:30 UTC",
    ),
    Fails(fault="http_429", failure=LimitReached, says="HTTP 429.*2026-01-01 18:30:30 UTC", more={"parameter": 600}),
    Fails(fault="redirect_to_login", failure=AuthExpired, says=r"no longer accepts.*login page.*assets login north`"),
    Fails(fault="login_panel", failure=AuthExpired, says=r"no longer accepts.*login page.*tiktok-assets login north`"),
    Fails(fault="status_8", failure=AuthExpired, says=r"no longer accepts.*login north`", more={"section": "user"}),
    Fails(
        fault="status_8",
        failure=AuthExpired,
        says=r"(status_code 8|'Login expired').*login north`",
        more={"section": "viewers"},
    ),
    Fails(
        fault="status_8",
        failure=AuthExpired,
        says=r"(status_code 8|'Login expired').*login north`",
        more={"section": "export"},
    ),
    *(
        Fails(fault="captcha", failure=HumanNeeded, says=r"captcha.*a person.*login north`", more={"parameter": name})
        for name in CAPTCHAS
    ),
    Fails(
        fault="wrong_account",
        failure=WrongAccount,
        says="saved login belongs to @south_pier, not to @north.pier; nothing was exported.*login north`",
        more={"section": "user"},
    ),
    Fails(
        fault="wrong_account",
        failure=WrongAccount,
        says="belongs to @south_pier, but @north.pier's export was requested.*nothing was landed",
        more={"section": "viewers"},
        bad=1,
    ),
    Fails(
        fault="dom_changed",
        failure=UiChanged,
        says=r"Could not find `download_data`.*selectors.toml: \[elements\] download_data",
        settings={"download_timeout": 1},
    ),
    Fails(fault="truncated", failure=BadExport, says=r"damaged or incomplete ZIP.*quarantine", more=ALWAYS, bad=1),
    Fails(fault="corrupt", failure=BadExport, says=r"checksum|damaged.*quarantine", more=ALWAYS, bad=1),
    Fails(fault="html", failure=BadExport, says=r"is a web page.*quarantine", more=ALWAYS, bad=1),
    Fails(fault="empty_body", failure=BadExport, says=r"is empty; an export is a ZIP.*quarantine", more=ALWAYS, bad=1),
    Fails(fault="wrong_section", failure=BadExport, says=r"the name says viewers.*quarantine", bad=1),
    Fails(fault="link_expired", failure=DownloadFailed, says=r"link to the file has expired \(HTTP 403\).*next visit"),
    Fails(fault="reset_always", failure=DownloadFailed, says=r"did not arrive.*tries it again without a new export"),
]


def secret_free(stage: Stage, message: str) -> bool:
    account = stage.world.accounts[NORTH.handle]
    return account.password not in message and str(account.totp_secret) not in message and "sessionid" not in message


@pytest.mark.parametrize("case", FAILING, ids=str)
def test_a_fault_raises_its_failure_and_leaves_nothing_half_done(stage: MakeStage, case: Fails) -> None:
    here = stage(**case.settings)
    session_id = here.log_in(NORTH)
    saved = (here.settings.state / "sessions" / "north.json").read_bytes()
    here.world.faults.add(case.fault, handle=NORTH.handle, **case.more)
    with pytest.raises(case.failure, match=f"(?s){case.says}") as raised, here.studio.visit(NORTH) as visit:
        visit.export("viewers", *FOUR_WEEKS)
    assert type(raised.value) is case.failure or case.failure is not LimitReached
    assert here.files("landing") == []
    assert len(here.files("quarantine")) == 2 * case.bad, "each file with its note"
    assert here.files("state/downloads") == []
    assert here.world.faults.fired, "the fault did happen"
    assert session_id not in str(raised.value) and secret_free(here, str(raised.value))
    assert (here.settings.state / "sessions" / "north.json").read_bytes() == saved, (
        "a visit that failed keeps the session as it was"
    )


@pytest.mark.parametrize("fault", ["limit_message", "http_429"])
def test_a_limit_message_is_noticed_at_once_and_the_next_visit_waits(stage: MakeStage, fault: str) -> None:
    here = stage(download_timeout=30)
    here.log_in(NORTH)
    here.world.faults.add(fault)
    with here.studio.visit(NORTH) as visit, pytest.raises(LimitReached) as refused:
        visit.export("overview", *FOUR_WEEKS)
    assert refused.value.retry_at == AN_HOUR_ON
    here.clock.now = AN_HOUR_ON - dt.timedelta(seconds=1)
    with pytest.raises(LimitReached) as refused, here.studio.visit(NORTH):
        pass
    assert refused.value.retry_at == AN_HOUR_ON
    here.clock.now = AN_HOUR_ON
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)


RIGHT: list[tuple[str, str, dict[str, Any]]] = [
    ("slow_export", "overview", {"parameter": 0.6}),
    ("xlsx", "viewers", {}),
    ("reset_once", "viewers", {}),
    ("first_run_modal", "overview", {}),
    ("dom_changed", "overview", {"parameter": "hooks"}),
    ("insight_500", "overview", {"times": 9}),
    ("insight_business_error", "followers", {"times": 9}),
    ("label_shift", "overview", {}),
    ("unescaped_quotes", "content", {}),
    ("undefined_runs", "overview", {}),
    ("window_366", "overview", {}),
]


@pytest.mark.parametrize(("fault", "section", "more"), RIGHT, ids=[fault for fault, _, _ in RIGHT])
def test_a_harmless_fault_still_lands_the_right_file(
    stage: MakeStage, fault: str, section: str, more: dict[str, Any]
) -> None:
    here = stage()
    here.log_in(NORTH)
    here.world.faults.add(fault, **more)
    with here.studio.visit(NORTH) as visit:
        landed = visit.export(section, *FOUR_WEEKS)
    assert here.world.faults.fired
    assert_landed(here, landed)
    assert not landed.has_no_data


@pytest.mark.parametrize("fault", ["truncated", "corrupt", "html", "empty_body"])
def test_a_bad_file_is_quarantined_and_the_same_link_retried(stage: MakeStage, fault: str) -> None:
    here = stage()
    here.log_in(NORTH)
    here.world.faults.add(fault)
    with here.studio.visit(NORTH) as visit:
        landed = visit.export("overview", *FOUR_WEEKS)
    assert_landed(here, landed)
    assert landed.attempts == 2
    assert len(here.world.exports.made) == 1, "the same link, no second export"
    assert len(here.files("quarantine")) == 2
    assert len(here.clock.slept) == 1


def test_an_empty_section_lands_and_is_reported(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    here.world.faults.add("empty_section")
    with here.studio.visit(NORTH) as visit:
        landed = visit.export("viewers", *FOUR_WEEKS)
    assert_landed(here, landed)
    assert landed.has_no_data
    assert any("no rows" in warning for warning in landed.warnings)


def test_a_studio_that_does_not_answer_is_tried_three_times(stage: MakeStage) -> None:
    here = stage(studio_url="http://127.0.0.1:9")
    here.log_in(NORTH)
    with pytest.raises(StudioUnreachable, match=r"north: http://127.0.0.1:9 did not answer"), here.studio.visit(NORTH):
        pass
    assert len(here.clock.slept) == 2


def test_without_a_login_no_browser_is_opened(stage: MakeStage) -> None:
    here = stage()
    with pytest.raises(AuthExpired, match="tiktok-assets login south"), here.studio.visit(SOUTH):
        pass
    assert here.world.requests == []


def test_four_sections_land_in_one_visit_and_the_next_is_an_hour_away(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    with here.studio.visit(NORTH) as visit:
        landed = [visit.export(section, *FOUR_WEEKS) for section in ("overview", "viewers", "followers", "content")]
    assert [one.window for one in landed] == [Window(first=FOUR_WEEKS[0], last=YESTERDAY)] * 4
    assert [(one.first, one.last, one.file_format) for one in here.world.exports.made] == [(*FOUR_WEEKS, "csv")] * 4
    assert here.files("landing") == sorted(f"north/{one.path.name}" for one in landed)
    with pytest.raises(LimitReached) as refused, here.studio.visit(NORTH):
        pass
    assert refused.value.retry_at == AN_HOUR_ON


def test_the_session_is_refreshed_after_a_good_visit(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    here.clock.now = NOW + dt.timedelta(days=3)
    with here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)
    assert here.studio.sessions.load("north").saved_at == here.clock.now


def test_days_not_yet_offered_by_studio_wait(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    here.clock.now = NOW.replace(hour=13)  # 31 December may be there from noon; this Studio has it at 15:00
    with here.studio.visit(NORTH) as visit:
        landed = visit.export("overview", dt.date(2025, 12, 29), YESTERDAY)
        assert landed.window == Window(first=dt.date(2025, 12, 29), last=dt.date(2025, 12, 30))
        with pytest.raises(DataNotThere, match="no data for 2025-12-31 to 2025-12-31 yet") as refused:
            visit.export("viewers", YESTERDAY, YESTERDAY)
    assert refused.value.retry_at == NOW.replace(hour=17, minute=0, second=0)


def test_a_failed_link_is_fetched_by_the_next_run_without_a_new_export(stage: MakeStage) -> None:
    here = stage()
    here.log_in(NORTH)
    here.world.faults.add("reset_always")
    with pytest.raises(DownloadFailed), here.studio.visit(NORTH) as visit:
        visit.export("overview", *FOUR_WEEKS)
    here.world.faults.clear()
    here.clock.now += dt.timedelta(minutes=5)
    with here.studio.visit(NORTH) as visit:
        landed = visit.export("overview", *FOUR_WEEKS)
        visit.export("viewers", *FOUR_WEEKS)  # which the interrupted visit had not requested
    assert_landed(here, landed, made=0)
    assert landed.attempts == 4
    assert [one.section for one in here.world.exports.made] == ["overview", "viewers"]


def test_an_existing_file_is_never_overwritten(stage: MakeStage) -> None:
    here = stage(export_interval=0, world={"export_interval": dt.timedelta()})
    here.log_in(NORTH)
    names = []
    for _ in range(2):
        with here.studio.visit(NORTH) as visit:
            names.append(visit.export("content", *FOUR_WEEKS).path.name)
    assert names == ["Content_north.pier.zip", "Content_north.pier~2.zip"]


@pytest.mark.parametrize("language", ["en", "es", "el", "ja", "vi"])
def test_five_languages_extract_the_same_truth(
    stage: MakeStage, language: str, with_locale: Callable[[str], Any]
) -> None:
    here = stage(world={"accounts": [with_locale(language)]})
    here.log_in(NORTH)
    here.world.faults.add("dom_changed", parameter="hooks")  # by text alone
    with here.studio.visit(NORTH) as visit:
        landed = visit.export("overview", FIRST, LAST)
    assert landed.window == Window(first=FIRST, last=LAST)
    days = Window(first=FIRST, last=LAST).days()
    with open_export(Path(str(landed.path))) as export:
        assert export.members[0].days.dates == days, "labels are in the language of the account"
    with zipfile.ZipFile(Path(str(landed.path))) as archive:
        _, *rows = csv.reader(io.StringIO(archive.read("Overview.csv").decode("utf-8-sig")))
    truth = [here.world.accounts[NORTH.handle].truth.on(day) for day in days]
    assert [(row[1], row[3]) for row in rows] == [(str(day.video_views), str(day.likes)) for day in truth if day]


def assert_landed(here: Stage, landed: LandedFile, made: int = -1) -> None:
    """The one file in landing is what the simulator made, byte by byte, with the time of the clock."""
    content = landed.path.read_bytes()
    assert content == here.world.exports.made[made].generated.content
    assert landed.export_id == hashlib.sha256(content).hexdigest()
    assert f"north/{landed.path.name}" in here.files("landing")
    assert landed.path.stat().st_mtime == here.clock.now.timestamp()
    assert inspect_file(Path(str(landed.path)), landed.section, NORTH).rows == landed.rows
    assert here.files("state/downloads") == []
