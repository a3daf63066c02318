"""The landing assets: what they ask Studio for, what they leave for later, and what they say of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tiktok_assets.exports.windows import Window
from tiktok_assets.failures import AuthExpired, BadExport, DownloadFailed, ExtractionFailed, HumanNeeded, LimitReached
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.streams.tables import STREAM_TABLES
from tiktok_assets.studio.landed import known_days
from tiktok_assets.studio.session import Sessions
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.fakes import Clock, PaperStudio
from tiktok_assets_tests.instances import fresh

NOW = dt.datetime(2026, 3, 10, 18, 20, 30, tzinfo=dt.UTC)
NEWEST = dt.date(2026, 3, 9)
FEBRUARY, MARCH = dt.date(2026, 2, 1), dt.date(2026, 3, 1)
SECTIONS = ["overview", "viewers", "followers", "content"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with fresh() as instance:
        yield instance


def paper(settings: Settings, *accounts: str) -> PaperStudio:
    """A Studio on 10 March 2026 to which ``accounts`` have logged in."""
    for account in accounts:
        Sessions.of(settings).save(account, {"cookies": [], "origins": []})
    return PaperStudio(settings, Clock(NOW))


def run(
    studio: PaperStudio,
    instance: dg.DagsterInstance,
    accounts: list[str],
    months: list[dt.date],
    *,
    job: str = "extract_exports",
    sections: list[str] | None = None,
    **config: Any,
) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(studio.settings, studio.extractor())
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        tags=range_tags(accounts, months),
        asset_selection=[dg.AssetKey(["landing", section]) for section in sections] if sections else None,
        run_config={"ops": {"landing": {"config": config}}},
        raise_on_error=False,
    )


def messages(result: dg.ExecuteInProcessResult, instance: dg.DagsterInstance) -> str:
    return "\n".join(entry.user_message for entry in instance.all_logs(result.run_id))


def why(result: dg.ExecuteInProcessResult) -> str:
    failed = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    [data] = failed
    return (data.user_failure_data.description if data.user_failure_data else None) or str(data.error)


def test_a_range_of_months_is_one_visit_and_its_metadata_lists_each_export(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    studio = paper(settings, "pig1987")
    result = run(studio, instance, ["pig1987"], [FEBRUARY, MARCH])
    assert result.success
    window = Window(first=FEBRUARY, last=NEWEST)
    assert studio.exported == [("pig1987", section, window) for section in SECTIONS]
    event = instance.get_latest_materialization_event(dg.AssetKey(["landing", "viewers"]))
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    assert (metadata["files"].value, metadata["new_files"].value) == (1, 1)
    table = str(metadata["exports"].value).splitlines()
    assert table[0] == "| account | window | file | bytes | rows | seconds | attempts |"
    assert table[2].startswith("| pig1987 | 2026-02-01 to 2026-03-09 | Viewers_pig1987.zip |")
    assert table[2].endswith("| 37 | 0.25 | 1 |")
    keys = {f"pig1987|{month}" for month in (FEBRUARY, MARCH)}
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "insights"])) == keys


def test_final_days_are_not_requested_again_without_refresh(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    run(studio, instance, ["pig1987"], [FEBRUARY])
    studio.clock.now += dt.timedelta(hours=2)
    assert run(studio, instance, ["pig1987"], [FEBRUARY]).success
    assert len(studio.exported) == 4
    assert run(studio, instance, ["pig1987"], [FEBRUARY], refresh=True, sections=["overview"]).success
    assert studio.exported[4:] == [("pig1987", "overview", Window(first=FEBRUARY, last=dt.date(2026, 2, 28)))]


def test_only_new_days_are_requested_a_day_later(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    run(studio, instance, ["pig1987"], [MARCH], sections=["overview"])
    studio.clock.now += dt.timedelta(days=2)
    run(studio, instance, ["pig1987"], [MARCH], sections=["overview"])
    assert studio.exported[1:] == [
        ("pig1987", "overview", Window(first=dt.date(2026, 3, 10), last=dt.date(2026, 3, 11)))
    ]


def test_only_the_last_days_of_the_months_can_be_requested(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    run(studio, instance, ["pig1987"], [FEBRUARY, MARCH], days=28, sections=["overview"])
    assert studio.exported == [("pig1987", "overview", Window(first=dt.date(2026, 2, 11), last=NEWEST))]


def test_several_accounts_are_visited_one_after_another_with_the_pause_between(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    studio = paper(settings, "pig1987", "zonea0")
    result = run(studio, instance, ["pig1987", "zonea0"], [MARCH])
    assert result.success
    assert studio.visits == ["pig1987", "zonea0"]
    assert studio.clock.slept == [pytest.approx(300.1)]
    assert "This run waits for it." in messages(result, instance)


def test_what_the_limit_leaves_is_skipped_with_the_moment_it_may_be_tried_again(
    install: Install, instance: dg.DagsterInstance
) -> None:
    settings = install("pig1987", max_export_days=28)
    studio = paper(settings, "pig1987")
    result = run(studio, instance, ["pig1987"], [FEBRUARY, MARCH], sections=["overview", "viewers"])
    assert result.success
    assert "It may be tried again at 2026-03-10 19:20:30 UTC." in messages(result, instance)
    # 10 February to 9 March has landed, so March is complete and February is not.
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "overview"])) == {f"pig1987|{MARCH}"}
    assert [event.step_key for event in result.all_events if event.is_step_materialization] == ["landing"] * 2
    studio.clock.now = NOW + dt.timedelta(hours=1)
    assert run(studio, instance, ["pig1987"], [FEBRUARY, MARCH], sections=["overview"]).success
    assert studio.exported[2:] == [("pig1987", "overview", Window(first=FEBRUARY, last=dt.date(2026, 2, 9)))]
    assert len(instance.get_materialized_partitions(dg.AssetKey(["landing", "overview"]))) == 2


def test_a_run_that_the_limit_stopped_does_not_go_on_to_raw(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    studio.failures["pig1987", ""] = LimitReached("Studio said no.", NOW + dt.timedelta(hours=1))
    definitions = build_definitions(settings, studio.extractor())
    of_accounts = dg.AssetSelection.all() - dg.AssetSelection.assets(*STREAM_TABLES, "raw/streams")
    everything = dg.define_asset_job("everything", selection=of_accounts)
    job = dg.Definitions(
        assets=definitions.assets, jobs=[everything], resources=definitions.resources, executor=dg.in_process_executor
    ).resolve_job_def("everything")
    result = job.execute_in_process(instance=instance, tags=range_tags(["pig1987"], [MARCH]), raise_on_error=False)
    assert result.success
    assert not [event for event in result.all_events if event.is_step_materialization]
    assert any(event.is_step_skipped and event.step_key == "raw" for event in result.all_events)


def test_an_incomplete_download_does_not_stop_other_sections(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    studio.failures["pig1987", "viewers"] = BadExport("pig1987, viewers: the download is not a usable export")
    result = run(studio, instance, ["pig1987"], [MARCH])
    assert why(result) == "pig1987, viewers: the download is not a usable export"
    assert [section for _, section, _ in studio.exported] == ["overview", "followers", "content"]
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "content"])) == {f"pig1987|{MARCH}"}
    assert not instance.get_materialized_partitions(dg.AssetKey(["landing", "viewers"]))


def test_one_account_that_needs_a_person_does_not_hold_the_others_up(
    install: Install, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = install("pig1987", "south", zonea0="zone.a0", account_spacing=0)
    studio = paper(settings, "pig1987", "south", "zonea0")
    until = {"pig1987": dt.date(2026, 4, 1), "south": dt.date(2026, 3, 31), "zonea0": dt.date(2026, 4, 2)}
    monkeypatch.setattr("tiktok_assets.reporting.urgency.last_dates", lambda *_: until)
    studio.failures["pig1987", ""] = AuthExpired("pig1987: the saved login ended.")
    studio.failures["south", ""] = HumanNeeded("south: a captcha.")
    result = run(studio, instance, ["pig1987", "south", "zonea0"], [MARCH])
    assert not result.success
    assert why(result) == "south: a captcha.\npig1987: the saved login ended.", "what loses data first comes first"
    assert ExtractionFailed.__name__ in str(result.all_events)
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "overview"])) == {f"zonea0|{MARCH}"}


def test_without_a_login_and_without_exports_a_person_has_to_log_in(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    definitions = build_definitions(settings)
    job = definitions.resolve_job_def("extract_exports")
    result = job.execute_in_process(instance=instance, tags=range_tags(["pig1987"], [MARCH]), raise_on_error=False)
    assert "tiktok-assets login pig1987" in why(result)


def test_an_account_with_manual_exports_only_is_not_visited(settings: Settings, instance: dg.DagsterInstance) -> None:
    manual = paper(settings, "pig1987")
    run(manual, instance, ["pig1987"], [MARCH])
    Sessions.of(settings).forget("pig1987")
    studio = PaperStudio(settings, Clock(NOW + dt.timedelta(days=9)))
    result = run(studio, instance, ["pig1987"], [MARCH])
    assert result.success
    assert studio.visits == []
    assert "has no login, so nothing was requested from Studio" in messages(result, instance)


def test_exports_that_were_dropped_manually_are_not_requested_again(settings: Settings) -> None:
    studio = paper(settings, "pig1987")
    with fresh() as instance:
        run(studio, instance, ["pig1987"], [FEBRUARY])
    (settings.state / "limits.sqlite").unlink()  # landed by somebody else
    days = known_days(Lake(settings), "pig1987")
    assert days["overview"] == frozenset(Window(first=FEBRUARY, last=dt.date(2026, 2, 28)).days())
    assert days["content"] == frozenset()


def test_missing_insights_are_reported_and_fail_nothing(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    studio.missing_insights = ("viewer_age_distribution: Studio answered HTTP 500",)
    result = run(studio, instance, ["pig1987"], [MARCH])
    assert result.success
    event = instance.get_latest_materialization_event(dg.AssetKey(["landing", "insights"]))
    metadata = event.asset_materialization.metadata if event and event.asset_materialization else {}
    assert metadata["missing"].value == "viewer_age_distribution: Studio answered HTTP 500"


def test_insights_are_read_once_a_day_and_only_in_a_run_of_the_current_month(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    studio = paper(settings, "pig1987")
    run(studio, instance, ["pig1987"], [FEBRUARY], sections=["insights"])
    assert studio.visits == []
    run(studio, instance, ["pig1987"], [MARCH], sections=["insights"])
    assert studio.visits == ["pig1987"]
    folder = Path(str(settings.landing)) / "pig1987"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"Insights_{NOW:%Y%m%dT%H%M%SZ}_pig1987.json").write_text("{}")
    studio.clock.now += dt.timedelta(hours=1)
    run(studio, instance, ["pig1987"], [MARCH], sections=["insights"])
    assert studio.visits == ["pig1987"]


def test_a_failed_download_is_reported_last(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    studio.failures["pig1987", "overview"] = DownloadFailed("pig1987, overview: the download was interrupted")
    result = run(studio, instance, ["pig1987"], [MARCH], sections=["overview", "viewers"])
    assert why(result) == "pig1987, overview: the download was interrupted"
    assert [section for _, section, _ in studio.exported] == ["viewers"]


def test_every_export_that_failed_is_named(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    studio.failures["pig1987", "overview"] = BadExport("pig1987, overview: a web page")
    studio.failures["pig1987", "content"] = DownloadFailed("pig1987, content: was interrupted")
    result = run(studio, instance, ["pig1987"], [MARCH])
    assert why(result) == "pig1987, overview: a web page\npig1987, content: was interrupted"
    assert [section for _, section, _ in studio.exported] == ["viewers", "followers"]


def test_a_limit_on_one_section_keeps_no_other_one_from_landing(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    studio = paper(settings, "pig1987")
    studio.failures["pig1987", "viewers"] = LimitReached("viewers was asked for already.", NOW + dt.timedelta(hours=1))
    assert run(studio, instance, ["pig1987"], [MARCH]).success
    assert [section for _, section, _ in studio.exported] == ["overview", "followers", "content"]
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "content"])) == {f"pig1987|{MARCH}"}
    assert instance.get_materialized_partitions(dg.AssetKey(["landing", "insights"])) == {f"pig1987|{MARCH}"}


def test_incomplete_insights_are_read_again(settings: Settings, instance: dg.DagsterInstance) -> None:
    studio = paper(settings, "pig1987")
    folder = Path(str(settings.landing)) / "pig1987"
    folder.mkdir(parents=True)
    (folder / f"Insights_{NOW:%Y%m%dT%H%M%SZ}_pig1987.json").write_text('{"missing": ["HTTP 500"]}')
    run(studio, instance, ["pig1987"], [MARCH], sections=["insights"])
    assert studio.visits == ["pig1987"]
