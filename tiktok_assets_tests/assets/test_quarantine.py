"""What waits in quarantine, as Dagster, the command `status` and the page of an account show it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tiktok_assets.accounts import load_roster
from tiktok_assets.assets.quarantine import PROMISE
from tiktok_assets.exports.problems import BrokenFile
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.inbox.quarantine import quarantine
from tiktok_assets.pipeline.process import process
from tiktok_assets.reporting.status import status
from tiktok_assets.reporting.writing import report_file, tables_of, write_report
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import History
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, drop_export, landing, materialize
from tiktok_assets_tests.sensor_ticks import reason, report, tick

BAD = b"PK\x03\x04 and no more"
NOW = dt.datetime(2026, 9, 21, 18, 0, tzinfo=dt.UTC)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with fresh() as instance:
        yield instance


def copies(settings: Settings) -> None:
    """The same damaged file in the folders of two accounts."""
    for folder in ("pig1987", "zonea0"):
        drop(BAD, landing(settings) / folder, "Content.zip")


def evaluations(answer: dg.SensorResult | dg.SkipReason) -> dict[str, dg.AssetCheckEvaluation]:
    """The promises that a look of the sensor judged, by section."""
    events = answer.asset_events if isinstance(answer, dg.SensorResult) else []
    return {one.asset_key.path[-1]: one for one in events if isinstance(one, dg.AssetCheckEvaluation)}


def test_a_look_that_quarantines_a_file_breaks_the_promise_of_its_section(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    copies(settings)
    answer = tick(settings, instance)
    report(instance, answer)
    found = evaluations(answer)
    assert {section: one.passed for section, one in found.items()} == {
        "overview": True,
        "viewers": True,
        "followers": True,
        "content": False,
        "insights": True,
        "streams": True,
    }
    broken = found["content"]
    assert (broken.check_name, broken.severity) == (PROMISE, dg.AssetCheckSeverity.WARN)
    assert broken.metadata["files_in_quarantine"].value == 2
    table = str(broken.metadata["files"].value)
    for text in ("pig1987/Content.zip", "zonea0/Content.zip", "broken_file", "is a damaged", "Content~2.zip"):
        assert text in table
    assert broken.description is not None and broken.description.startswith("pig1987/Content.zip: is a damaged")


def test_a_file_whose_name_says_no_section_breaks_the_promise_of_each(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop(b"a,b\n1,2\n", landing(settings), "strange.csv")
    found = evaluations(tick(settings, instance))
    assert [section for section, one in found.items() if one.passed] == ["streams"]  # has a folder of its own


def test_the_promise_is_judged_again_only_when_quarantine_changes(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert evaluations(tick(settings, instance)) == {}
    copies(settings)
    answer = tick(settings, instance)
    assert isinstance(answer, dg.SensorResult) and answer.cursor
    assert evaluations(tick(settings, instance, answer.cursor)) == {}
    for path in Path(str(settings.quarantine)).iterdir():
        path.unlink()
    emptied = tick(settings, instance, answer.cursor)
    assert {one.passed for one in evaluations(emptied).values()} == {True}
    assert isinstance(emptied, dg.SensorResult) and emptied.cursor
    assert evaluations(tick(settings, instance, emptied.cursor)) == {}


def test_a_tick_names_what_it_quarantined_and_what_waits_there_since(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    copies(settings)
    told = reason(tick(settings, instance))
    for folder in ("pig1987", "zonea0"):
        assert f"{folder}/Content.zip: is a damaged" in told
    later = reason(tick(settings, instance))
    assert later.startswith("No new exports in landing. In quarantine: pig1987/Content.zip, zonea0/Content.zip;")


def test_a_tick_names_the_first_of_many(settings: Settings, instance: dg.DagsterInstance) -> None:
    for number in range(8):
        drop(BAD + bytes([number]), landing(settings), f"Content_{number}.zip")
    tick(settings, instance)
    assert "Content_4.zip and 3 more; why" in reason(tick(settings, instance))


def test_an_extraction_judges_the_promise_of_each_section_too(settings: Settings, instance: dg.DagsterInstance) -> None:
    for handle, folder in (("pig1987", "pig1987"), ("zone.a0", "zonea0")):
        drop_export(settings, handle, "overview", folder=folder)
    copies(settings)
    take_in(Lake(settings), load_roster(settings))
    run = materialize(settings, instance, "landing", accounts=["pig1987", "zonea0"])
    assert run.success
    found = {one.asset_key.path[-1]: one.passed for one in run.get_asset_check_evaluations()}
    assert found == {"overview": True, "viewers": True, "followers": True, "content": False, "insights": True}


def test_a_note_that_cannot_be_read_hides_no_file(settings: Settings, instance: dg.DagsterInstance) -> None:
    copies(settings)
    tick(settings, instance)
    Path(str(settings.quarantine / "Content.zip.json")).write_text("{")
    broken = evaluations(tick(settings, instance))["content"]
    assert broken.metadata["files_in_quarantine"].value == 2
    assert "its note cannot be read" in str(broken.metadata["files"].value)


def test_status_says_of_each_file_where_it_was_found_and_why(settings: Settings) -> None:
    copies(settings)
    roster = load_roster(settings)
    take_in(Lake(settings), roster)
    found = status(Lake(settings), roster, list(roster.values()), NOW)
    assert found.quarantined == 2
    assert [text.split(":")[0] for text in found.quarantine] == ["pig1987/Content.zip", "zonea0/Content.zip"]
    assert all("is a damaged" in text for text in found.quarantine)


def test_a_page_lists_the_files_of_its_account_and_those_of_nobody(settings: Settings, history: History) -> None:
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    copies(settings)
    drop(b"a,b\n1,2\n", landing(settings), "strange.csv")
    lake, roster = Lake(settings), load_roster(settings)
    with history() as instance:
        process(settings, instance=instance)
    [tables] = tables_of(lake, [roster["pig1987"]], NOW)
    assert [text.split(":")[0] for text in tables.completeness.quarantined] == ["pig1987/Content.zip"]
    assert [text.split(":")[0] for text in tables.completeness.unassigned] == ["strange.csv"]
    write_report(lake, tables, NOW)
    page = report_file(lake, "pig1987").read_text()
    problems = page[page.index("Open data problems") :]
    assert "<b>In quarantine</b> pig1987/Content.zip: is a damaged" in problems
    assert "None was found." not in problems


def test_a_note_holds_where_the_file_was_found(settings: Settings) -> None:
    lake = Lake(settings)
    path = drop(BAD, landing(settings) / "pig1987", "Content.zip")
    rejected = quarantine(lake, settings.landing / "pig1987" / "Content.zip", BrokenFile("Content.zip: is damaged."))
    note = json.loads(Path(f"{rejected.moved_to}.json").read_text())
    assert note["file"] == str(path)
