"""The daily extraction: which runs a tick requests, in which order, and that it is off without a login."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.graph import build_definitions
from tiktok_assets.queues import QUEUE_TAG
from tiktok_assets.settings import Settings
from tiktok_assets.studio.session import Sessions
from tiktok_assets_tests.conftest import History, Install


def at(hour: int, minute: int) -> dt.datetime:
    return dt.datetime(2026, 3, 10, hour, minute, tzinfo=dt.UTC)


@pytest.fixture
def instance(history: History) -> Iterator[dg.DagsterInstance]:
    with history() as instance:
        yield instance


def log_in(settings: Settings, *accounts: str) -> Settings:
    """Saves logins of noon, before the day of visits begins."""
    logged_in = Sessions.of(settings, lambda: dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC))
    for account in accounts:
        logged_in.save(account, {"cookies": [], "origins": []})
    return settings


def schedule_of(settings: Settings) -> dg.ScheduleDefinition:
    schedule = build_definitions(settings).get_repository_def().get_schedule_def("daily_extraction")
    assert isinstance(schedule, dg.ScheduleDefinition)
    return schedule


def look(
    settings: Settings, instance: dg.DagsterInstance, moment: dt.datetime, definitions: dg.Definitions | None = None
) -> list[dg.RunRequest]:
    definitions = definitions or build_definitions(settings)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=moment)
    data = definitions.get_repository_def().get_schedule_def("daily_extraction").evaluate_tick(context)
    for request in data.run_requests or []:  # what the scheduler would do
        instance.create_run_for_job(
            definitions.resolve_job_def("extract_exports"), tags=dict(request.tags), run_config=request.run_config
        )
    return list(data.run_requests or [])


def test_the_schedule_is_off_until_somebody_has_logged_in(settings: Settings, instance: dg.DagsterInstance) -> None:
    assert schedule_of(settings).default_status is dg.DefaultScheduleStatus.STOPPED
    assert look(settings, instance, at(17, 10)) == []
    assert schedule_of(log_in(settings, "zonea0")).default_status is dg.DefaultScheduleStatus.RUNNING


def test_every_process_loads_the_definitions_without_reading_each_login(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(settings, "zonea0")
    monkeypatch.setattr(Sessions, "_read", None)
    assert schedule_of(settings).default_status is dg.DefaultScheduleStatus.RUNNING


def test_a_turn_is_one_run_that_exports_the_last_weeks_again(settings: Settings, instance: dg.DagsterInstance) -> None:
    log_in(settings, "pig1987")
    [request] = look(settings, instance, at(17, 10))
    assert request.tags[ACCOUNT_TAG] == "pig1987"
    assert request.tags["dagster/asset_partition_range_start"] == "pig1987|2026-02-01"
    assert request.tags["dagster/asset_partition_range_end"] == "pig1987|2026-03-01"
    assert request.run_config == {"ops": {"landing": {"config": {"refresh": True, "days": 28}}}}
    assert look(settings, instance, at(17, 15)) == []
    assert len(look(settings, instance, at(17, 10) + dt.timedelta(days=1))) == 1


def test_where_loading_is_apart_a_turn_goes_to_the_workers_of_the_accounts_egress(
    install: Install, instance: dg.DagsterInstance
) -> None:
    settings = log_in(install(loading="apart"), "pig1987", "zonea0")
    Path(str(settings.accounts_file)).write_text('[accounts.pig1987]\negress = "lisbon"\n[accounts.zonea0]\n')
    requests = look(settings, instance, at(17, 10))
    queues = {request.tags[ACCOUNT_TAG]: request.tags[QUEUE_TAG] for request in requests}
    assert queues == {"pig1987": "studio-lisbon", "zonea0": "studio-default"}


def turns_of(settings: Settings, instance: dg.DagsterInstance, *moments: dt.datetime) -> list[list[str]]:
    """The accounts of the runs that each tick requests."""
    definitions = build_definitions(settings)
    ticks = [look(settings, instance, moment, definitions) for moment in moments]
    return [[request.tags[ACCOUNT_TAG] for request in requests] for requests in ticks]


def test_accounts_without_a_login_are_left_out_and_the_others_have_a_moment_each(
    install: Install, instance: dg.DagsterInstance
) -> None:
    settings = log_in(install("pig1987", "south", zonea0="zone.a0"), "pig1987", "zonea0")
    assert schedule_of(settings).cron_schedule == ["10 17 * * *", "15 17 * * *", "20 17 * * *"]
    found = turns_of(settings, instance, at(17, 10), at(17, 15), at(17, 20))
    assert found == [["pig1987"], ["zonea0"], []]


def with_egresses(install: Install, entries: dict[str, str], **fields: object) -> Settings:
    settings = install(*entries, **fields)
    listed = "".join(f'[accounts.{account}]\negress = "{egress}"\n' for account, egress in entries.items())
    settings.accounts_file.write_text(listed)
    return log_in(settings, *entries)


def test_egresses_make_their_visits_side_by_side(install: Install, instance: dg.DagsterInstance) -> None:
    settings = with_egresses(install, {"a": "lisbon", "b": "lisbon", "c": "porto"})
    assert schedule_of(settings).cron_schedule == ["10 17 * * *", "15 17 * * *"]
    assert turns_of(settings, instance, at(17, 10), at(17, 15)) == [["a", "c"], ["b"]]


@pytest.mark.parametrize(("loading", "queues"), [("apart", {"studio-default"}), ("together", {None})])
def test_visits_wait_in_the_queue_of_their_egress_where_workers_are_apart(
    install: Install, instance: dg.DagsterInstance, loading: str, queues: set[str | None]
) -> None:
    settings = log_in(install("a", loading=loading), "a")
    assert {request.tags.get("dagster-celery/queue") for request in look(settings, instance, at(17, 10))} == queues


def test_a_machine_requests_the_visits_of_its_own_egresses(install: Install, instance: dg.DagsterInstance) -> None:
    settings = with_egresses(install, {"a": "lisbon", "c": "porto"}, egress=("porto",))
    assert turns_of(settings, instance, at(17, 10)) == [["c"]]


def test_what_loses_data_first_is_visited_first_and_an_ended_login_last(
    install: Install, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = log_in(install("a", "b", "c"), "a", "b")
    over = {"cookies": [{"name": "sessionid", "value": "x", "expires": at(1, 0).timestamp()}], "origins": []}
    Sessions.of(settings, lambda: at(0, 0)).save("c", over)
    until = {"a": dt.date(2026, 3, 17), "b": dt.date(2026, 3, 12), "c": dt.date(2026, 3, 10)}
    monkeypatch.setattr("tiktok_assets.reporting.urgency.last_dates", lambda *_: until)
    assert turns_of(settings, instance, at(17, 10), at(17, 15), at(17, 20)) == [["b"], ["a"], ["c"]]


def test_more_accounts_than_turns_in_a_day_are_said_at_start_and_at_every_tick(
    install: Install,
    instance: dg.DagsterInstance,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = log_in(install("a", "b", "c", account_spacing=43_200), "a", "b", "c")
    definitions = build_definitions(settings)
    [said] = [record.message for record in caplog.records if "visits a day" in record.message]
    assert said.startswith(
        "The egress default makes 2 visits a day (TIKTOK_ACCOUNT_SPACING=43200) for 3 accounts with a login: each gets "
        "one every 2 days, first those that lose data first."
    )
    assert [one.tags[ACCOUNT_TAG] for one in look(settings, instance, at(17, 10), definitions)] == ["a"]
    assert said in capsys.readouterr().err
