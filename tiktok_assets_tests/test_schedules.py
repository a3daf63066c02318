"""The daily extraction: whose turn it is, that a missed turn is made up for, and that it is off without a login."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import dagster as dg
import pytest

from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.graph import build_definitions
from tiktok_assets.schedules import due, moments
from tiktok_assets.settings import Settings
from tiktok_assets.studio.session import Sessions
from tiktok_assets_tests.conftest import History, Install

FIVE_MINUTES = dt.timedelta(minutes=5)
TODAY, YESTERDAY = dt.date(2026, 3, 10), dt.date(2026, 3, 9)


def at(hour: int, minute: int) -> dt.datetime:
    return dt.datetime(2026, 3, 10, hour, minute, tzinfo=dt.UTC)


@pytest.fixture
def instance(history: History) -> Iterator[dg.DagsterInstance]:
    with history() as instance:
        yield instance


def log_in(settings: Settings, *accounts: str) -> Settings:
    logged_in = Sessions.of(settings, lambda: dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC))
    for account in accounts:
        logged_in.save(account, {"cookies": [], "origins": []})
    return settings


def schedule_of(settings: Settings) -> dg.ScheduleDefinition:
    schedule = build_definitions(settings).get_repository_def().get_schedule_def("daily_extraction")
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule


def look(settings: Settings, instance: dg.DagsterInstance, moment: dt.datetime) -> list[dg.RunRequest]:
    definitions = build_definitions(settings)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
    data = definitions.get_repository_def().get_schedule_def("daily_extraction").evaluate_tick(context)
    for request in data.run_requests or []:  # what the scheduler would do
        instance.create_run_for_job(
            definitions.resolve_job_def("extract_exports"), tags=dict(request.tags), run_config=request.run_config
        )
    return list(data.run_requests or [])


def test_turns_begin_when_yesterdays_numbers_are_available_and_keep_the_spacing() -> None:
    turns = moments(["pig1987", "zonea0", "south"], FIVE_MINUTES)
    assert [str(turn) for turn in turns.values()] == ["17:10:00", "17:15:00", "17:20:00"]


def test_a_pause_of_seconds_is_a_minute_and_none_is_none() -> None:
    assert moments(["a", "b"], dt.timedelta(seconds=20))["b"] == dt.timedelta(hours=17, minutes=11)
    assert moments(["a", "b"], dt.timedelta())["b"] == dt.timedelta(hours=17, minutes=10)


def test_a_thousand_accounts_go_round_the_clock() -> None:
    turns = moments([f"account{number}" for number in range(1000)], FIVE_MINUTES)
    assert len(set(turns.values())) == 288
    assert all(dt.timedelta() <= turn < dt.timedelta(days=1) for turn in turns.values())


def test_an_account_is_due_once_per_turn() -> None:
    turns = moments(["pig1987", "zonea0"], FIVE_MINUTES)
    yesterdays = {(account, YESTERDAY.isoformat()) for account in turns}
    assert due(turns, at(17, 9), yesterdays, {}) == []
    assert due(turns, at(17, 10), yesterdays, {}) == [("pig1987", TODAY)]
    assert due(turns, at(17, 15), yesterdays | {("pig1987", TODAY.isoformat())}, {}) == [("zonea0", TODAY)]


def test_several_missed_turns_run_once() -> None:
    turns = moments(["pig1987", "zonea0"], FIVE_MINUTES)
    assert due(turns, at(23, 50), {("pig1987", "2026-03-01")}, {}) == [("pig1987", TODAY), ("zonea0", TODAY)]
    assert due(turns, at(9, 0), set(), {}) == [("pig1987", YESTERDAY), ("zonea0", YESTERDAY)]


def test_a_turn_before_the_last_visit_is_skipped() -> None:
    turns = moments(["pig1987", "zonea0"], FIVE_MINUTES)
    logged_in = dict.fromkeys(turns, at(12, 0))
    assert due(turns, at(17, 10), set(), logged_in) == [("pig1987", TODAY)]
    assert due(turns, at(17, 15), set(), logged_in | {"pig1987": at(17, 12)}) == [("zonea0", TODAY)]


def test_the_schedule_is_off_until_somebody_has_logged_in(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert schedule_of(settings).default_status is dg.DefaultScheduleStatus.STOPPED
    assert look(settings, instance, at(17, 10)) == []
    assert schedule_of(log_in(settings, "zonea0")).default_status is dg.DefaultScheduleStatus.RUNNING


def test_a_turn_is_one_run_that_exports_the_last_weeks_again(settings: Settings, instance: dg.DagsterInstance) -> None:
    log_in(settings, "pig1987")
    [request] = look(settings, instance, at(17, 10))
    assert request.tags[ACCOUNT_TAG] == "pig1987"
    assert request.tags["dagster/asset_partition_range_start"] == "pig1987|2026-02-01"
    assert request.tags["dagster/asset_partition_range_end"] == "pig1987|2026-03-01"
    assert request.run_config == {"ops": {"landing": {"config": {"refresh": True, "days": 28}}}}
    assert look(settings, instance, at(17, 15)) == []
    assert len(look(settings, instance, at(17, 10) + dt.timedelta(days=1))) == 1


def test_accounts_without_a_login_are_left_out_and_each_has_its_moment(
    install: Install, instance: dg.DagsterInstance
) -> None:
    settings = log_in(install("pig1987", "south", zonea0="zone.a0"), "pig1987", "zonea0")
    assert schedule_of(settings).cron_schedule == ["10 17 * * *", "15 17 * * *", "20 17 * * *"]
    found = {
        moment: [r.tags[ACCOUNT_TAG] for r in look(settings, instance, moment)]
        for moment in (at(17, 10), at(17, 15), at(17, 20))
    }
    assert list(found.values()) == [["pig1987"], [], ["zonea0"]]
