"""The sensor: its decision, as a pure function of what landed and what runs; and the real one over a real lake."""

from __future__ import annotations

import datetime as dt
import errno
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from random import Random

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from tiktok_assets import sensors
from tiktok_assets.accounts import load_roster
from tiktok_assets.batches import Batch
from tiktok_assets.failures import DataOfNewerVersion
from tiktok_assets.graph import build_definitions, warehouse_of
from tiktok_assets.inbox import files as dropped
from tiktok_assets.inbox.intake import LandedExport, by_account
from tiktok_assets.inbox.run_plan import MAX_TRIES, runs_to_start
from tiktok_assets.inbox.tries import Tries
from tiktok_assets.partitions import range_tags
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import History, Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, drop_export, export, landing, materialize, overview_processed
from tiktok_assets_tests.made_once import MadeOnce
from tiktok_assets_tests.sensor_ticks import reason, report, requested, tick

SECTIONS = ("overview", "viewers", "followers", "content")

# --- the decision ----------------------------------------------------------------------------------------------------

months = st.dates(dt.date(2024, 1, 1), dt.date(2026, 1, 1)).map(lambda day: day.replace(day=1))
landed_exports = st.builds(
    LandedExport,
    account=st.sampled_from(["pig1987", "zonea0", "north", "a|b"]),
    source=st.text("abc", min_size=1, max_size=5).map("{}.zip".format),
    export_id=st.integers(0, 40).map("{:064x}".format),
    sections=st.just(("overview",)),
    months=st.lists(months, min_size=1, max_size=4, unique=True).map(sorted).map(tuple),
    warnings=st.just(()),
)
drops = st.lists(landed_exports, max_size=12)


ROSTER = ["pig1987", "zonea0", "north", "a|b"]
Tried = dict[str, dict[str, Tries]]


def decided(landed: list[LandedExport], in_flight: Collection[str] = (), tried: Tried | None = None) -> list[Batch]:
    return runs_to_start(landed, in_flight, tried or {}, ROSTER, 250)


def all_tried(landed: list[LandedExport], tries: Tries) -> Tried:
    return {account: {one.export_id: tries for one in exports} for account, exports in by_account(landed).items()}


@given(drops)
def test_each_account_gets_a_run_over_every_month_its_exports_touch(landed: list[LandedExport]) -> None:
    found = decided(landed)
    assert sorted(account for batch in found for account in batch.new) == sorted({one.account for one in landed})
    for batch in found:
        for account in batch.new:
            days = [month for one in landed if one.account == account for month in one.months]
            assert batch.first_month <= min(days) <= max(days) <= batch.last_month


@given(drops, st.randoms())
def test_the_order_of_files_does_not_matter(landed: list[LandedExport], random: Random) -> None:
    assert decided(random.sample(landed, len(landed))) == decided(landed)


@given(drops, st.sets(st.sampled_from(["pig1987", "zonea0", "north"])))
def test_an_account_with_a_run_in_flight_waits_and_the_others_do_not(
    landed: list[LandedExport], in_flight: set[str]
) -> None:
    found = decided(landed, in_flight)
    assert sorted(one for batch in found for one in batch.new) == sorted({one.account for one in landed} - in_flight)
    assert not in_flight.intersection(account for batch in found for account in batch.accounts)


@given(drops)
def test_exports_that_failed_together_run_alone(landed: list[LandedExport]) -> None:
    found = decided(landed, tried=all_tried(landed, Tries(together=1)))
    assert [batch.accounts for batch in found] == [batch.new for batch in found]
    assert all(len(batch.accounts) == 1 for batch in found)
    assert {batch.new[0] for batch in found} == {one.account for one in landed}


@given(drops, st.integers(0, 5))
def test_exports_that_failed_twice_wait_for_a_new_export(landed: list[LandedExport], tries: int) -> None:
    tried = all_tried(landed, Tries(alone=tries))
    accounts = {one.account for one in landed}
    assert {one for batch in decided(landed, tried=tried) for one in batch.new} == (
        accounts if tries < MAX_TRIES else set()
    )
    news = [
        LandedExport(
            account=one.account, source="new.zip", export_id="f" * 64, sections=(), months=one.months, warnings=()
        )
        for one in landed
    ]
    assert {one for batch in decided([*landed, *news], tried=tried) for one in batch.new} == accounts


# --- the sensor over a lake ------------------------------------------------------------------------------------------


def a_run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, tags: dict[str, str]) -> dg.DagsterRun:
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tiktok_assets"), "__repository__")
    origin = RemoteJobOrigin(repository, "process_exports")
    return create_run_for_test(instance, job_name="process_exports", status=status, tags=tags, remote_job_origin=origin)


ALL_GROUPS = ("raw", "staging", "curated", "warehouse")
MAY_AND_JUNE = ("pig1987|2025-05-01", "pig1987|2025-06-01")
RANGE = range_tags(["pig1987"], [dt.date(2025, 5, 1), dt.date(2025, 6, 1)])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with fresh() as instance:
        yield instance


def test_it_finds_loose_files_unpacked_folders_and_the_extra_folder(
    install: Install, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = install("a1", "a2", "a3", "a4", landing_path=tmp_path / "inbox")
    drop_export(settings, "a1", "overview")
    drop(export("a2", "viewers").members["Viewers.csv"], landing(settings) / "a2", "whatever.csv")
    drop(export("a3", "overview").content, tmp_path / "inbox", export("a3", "overview").name)
    for name, content in export("a4", "followers").members.items():
        drop(content, landing(settings) / "Followers_a4", name)
    assert requested(tick(settings, instance)) == {"a1 and 3 more": ("a1|2025-05-01", "a4|2025-06-01")}


def test_a_tick_reports_what_landed_once_and_without_a_run(settings: Settings, instance: dg.DagsterInstance) -> None:
    made = drop_export(settings, "pig1987", "overview")
    report(instance, tick(settings, instance))
    key = dg.AssetKey(["landing", "overview"])
    assert instance.get_materialized_partitions(key) == set(MAY_AND_JUNE)
    event = instance.get_latest_materialization_event(key)
    assert event is not None
    assert event.run_id == ""
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["files"].value == made.name
    second = tick(settings, instance)
    assert isinstance(second, dg.SensorResult)
    assert second.asset_events == []


def test_after_processing_nothing_is_new_to_the_next_process(settings: Settings, history: History) -> None:
    for section in SECTIONS:
        drop_export(settings, "pig1987", section)
    with history() as instance:
        assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}
        assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}  # a restart before the run was made
    (Path(str(settings.state)) / "planned").unlink()  # nobody starts the runs, and process would wait for them
    process(settings, instance=history())
    with history() as instance:
        assert reason(tick(settings, instance)) == "No new exports in landing."
        landed = instance.get_materialized_partitions(dg.AssetKey(["landing", "viewers"]))
        assert landed == set(MAY_AND_JUNE)  # though no tick was there to report it
    home = Path(str(settings.data_dir)).parent
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tiktok_assets_tests.instances import kept_in\n"
        "from tiktok_assets.settings import Settings\n"
        "from tiktok_assets_tests.sensor_ticks import reason, tick\n"
        "settings = Settings(data_dir=sys.argv[1] + '/data', accounts_file=sys.argv[1] + '/accounts.toml')\n"
        "print(reason(tick(settings, kept_in(Path(sys.argv[2])))))\n"
    )
    with history() as instance:
        command = [sys.executable, "-c", code, str(home), instance.root_directory]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    assert done.stdout == "No new exports in landing.\n"


def test_a_crash_between_raw_and_warehouse_is_retried_and_then_closed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    assert materialize(settings, instance, "raw", accounts=["pig1987"]).success
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}
    assert materialize(settings, instance, "staging", "curated", accounts=["pig1987"]).success
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}
    assert materialize(settings, instance, *ALL_GROUPS, accounts=["pig1987"]).success
    assert reason(tick(settings, instance)) == "No new exports in landing."


def test_what_no_single_run_has_made_completely_is_made_by_one(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "_VERIFY_AGAIN", 0.0)
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    for group in ALL_GROUPS:
        assert materialize(settings, instance, group, accounts=["pig1987"]).success
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}
    assert materialize(settings, instance, *ALL_GROUPS, accounts=["pig1987"]).success
    assert requested(tick(settings, instance)) == {}


def test_what_was_lost_is_requested_again_by_the_tick_that_looks_for_it(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, made_once: MadeOnce
) -> None:
    monkeypatch.setattr(sensors, "_VERIFY_AGAIN", 0.0)
    overview_processed(settings, made_once)
    shutil.rmtree(str(settings.curated))
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}


def test_a_person_who_materializes_one_month_does_not_hide_the_others(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop_export(settings, "pig1987", "overview", first=dt.date(2025, 1, 3), last=dt.date(2025, 12, 20))
    whole = {"pig1987": ("pig1987|2025-01-01", "pig1987|2025-12-01")}
    assert requested(tick(settings, instance)) == whole
    june = [dt.date(2025, 6, 1)]
    assert materialize(settings, instance, *ALL_GROUPS, accounts=["pig1987"], months=june).success
    assert requested(tick(settings, instance)) == whole


@pytest.mark.parametrize("status", ["QUEUED", "NOT_STARTED", "STARTING", "STARTED", "CANCELING"])
@pytest.mark.parametrize(
    ("tags", "holds"),
    [
        (RANGE, {"pig1987"}),
        ({"dagster/partition": "pig1987|2025-05-01"}, {"pig1987"}),
        ({**RANGE, "dagster/backfill": "abcdefgh"}, {"pig1987"}),
        (range_tags(["pig1987", "zonea0"], [dt.date(2025, 5, 1)]), {"pig1987", "zonea0"}),
        (range_tags(["zonea0"], [dt.date(2020, 5, 1)]), {"zonea0"}),
        (range_tags(["removed"], [dt.date(2020, 5, 1)]), set()),
        ({}, set()),
    ],
    ids=["sensor", "one partition", "UI backfill", "rectangle", "other account", "removed account", "other job"],
)
def test_a_run_in_flight_holds_back_its_accounts(
    settings: Settings, instance: dg.DagsterInstance, status: str, tags: dict[str, str], holds: set[str]
) -> None:
    for handle in ("pig1987", "zone.a0"):
        drop_export(settings, handle, "overview")
    a_run(instance, dg.DagsterRunStatus(status), tags)
    free = sorted({"pig1987", "zonea0"} - holds)
    name = "pig1987 and 1 more" if len(free) == 2 else "".join(free)
    expected = {name: (f"{free[0]}|2025-05-01", f"{free[-1]}|2025-06-01")} if free else {}
    assert requested(tick(settings, instance)) == expected


def test_a_run_whose_process_is_gone_is_ended_and_holds_nothing_up(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    for handle in ("pig1987", "zone.a0"):
        drop_export(settings, handle, "overview")
    killed = a_run(instance, dg.DagsterRunStatus.STARTED, RANGE)
    a_run(instance, dg.DagsterRunStatus.QUEUED, range_tags(["zonea0"], [dt.date(2025, 5, 1)]))
    with FileLocks(settings.locks).hold(f"run {killed.run_id}"):  # as long as it lives
        assert requested(tick(settings, instance)) == {}
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}
    ended = instance.get_run_by_id(killed.run_id)
    assert ended is not None and ended.status == dg.DagsterRunStatus.FAILURE


def test_power_cuts_are_not_failures_but_an_export_that_kills_every_run_is_given_up(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop_export(settings, "pig1987", "overview")
    started = 0
    for _ in range(12):
        answer = tick(settings, instance)
        report(instance, answer)
        if "pig1987" not in requested(answer):
            break
        started += 1
        killed = a_run(instance, dg.DagsterRunStatus.STARTED, RANGE)
        with FileLocks(settings.locks).hold(f"run {killed.run_id}"):
            pass
    assert started == 5 + MAX_TRIES
    assert "did not finish the exports of pig1987" in reason(tick(settings, instance))


def test_visits_to_studio_in_the_queue_hold_back_no_other_account(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    drop_export(settings, "pig1987", "overview")
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("tiktok_assets"), "__repository__")
    for _ in range(12):
        tags = range_tags(["zonea0"], [dt.date(2025, 5, 1)])
        origin = RemoteJobOrigin(repository, "extract_exports")
        queued = dg.DagsterRunStatus.QUEUED
        create_run_for_test(instance, job_name="extract_exports", status=queued, tags=tags, remote_job_origin=origin)
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}


def test_a_run_that_ends_during_the_tick_is_not_started_again(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_export(settings, "pig1987", "overview")
    run = a_run(instance, dg.DagsterRunStatus.STARTED, RANGE)
    take_in = sensors.take_in

    def slow(*args, **kwargs):
        intake = take_in(*args, **kwargs)
        instance.report_run_canceled(run)  # in truth it ends well, after the receipts were looked at
        return intake

    monkeypatch.setattr(sensors, "take_in", slow)
    assert requested(tick(settings, instance)) == {}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/data/landing"), "is full"),
        (DataOfNewerVersion("written by a newer version. Update the program."), "Update the program."),
    ],
)
def test_a_tick_that_cannot_work_fails_with_a_sentence(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(sensors, "take_in", failing)
    with pytest.raises(dg.Failure) as failed:
        tick(settings, instance)
    assert words in str(failed.value.description)


@pytest.mark.parametrize("status", ["FAILURE", "CANCELED", "SUCCESS"])
def test_the_same_work_is_not_requested_endlessly(
    settings: Settings, instance: dg.DagsterInstance, status: str
) -> None:
    """Whatever becomes of the runs: here none of them ever finishes the exports."""
    drop_export(settings, "pig1987", "overview")
    asked_for = 0
    for _ in range(6):
        answer = tick(settings, instance)
        report(instance, answer)
        for request in answer.run_requests or [] if isinstance(answer, dg.SensorResult) else []:
            asked_for += 1
            a_run(instance, dg.DagsterRunStatus(status), dict(request.tags))
    assert asked_for == MAX_TRIES
    assert "2 runs did not finish the exports of pig1987" in reason(tick(settings, instance))
    drop_export(settings, "pig1987", "viewers")
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}


def test_a_failed_batch_is_retried_account_by_account(settings: Settings, instance: dg.DagsterInstance) -> None:
    for handle in ("pig1987", "zone.a0"):
        drop_export(settings, handle, "overview")
    (request,) = tick(settings, instance).run_requests or []  # pyright: ignore[reportAttributeAccessIssue]
    a_run(instance, dg.DagsterRunStatus.FAILURE, dict(request.tags))
    assert requested(tick(settings, instance)) == {
        "pig1987": MAY_AND_JUNE,
        "zonea0": ("zonea0|2025-05-01", "zonea0|2025-06-01"),
    }


def test_a_lake_that_was_emptied_is_filled_again(
    settings: Settings, instance: dg.DagsterInstance, made_once: MadeOnce
) -> None:
    overview_processed(settings, made_once)
    assert requested(tick(settings, instance)) == {}
    shutil.rmtree(str(settings.raw))
    assert requested(tick(settings, instance)) == {"pig1987": MAY_AND_JUNE}


def test_a_tick_says_why_it_did_nothing(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason(tick(settings, instance)) == "No new exports in landing."
    monkeypatch.setattr(dropped, "LOOK_AGAIN", 0.0)
    drop(b"PK...", landing(settings), "Content_pig1987.zip", age=1)
    assert reason(tick(settings, instance)) == f"Still being written: {landing(settings) / 'Content_pig1987.zip'}."
    drop(b"PK...", landing(settings), "Content_pig1987.zip")
    assert "Quarantined: Content_pig1987.zip: is a damaged" in reason(tick(settings, instance))
    drop_export(settings, "pig1987", "overview")
    a_run(instance, dg.DagsterRunStatus.STARTED, RANGE)
    report(instance, tick(settings, instance))
    assert reason(tick(settings, instance)).startswith("A run for the new exports is under way.")


def test_400_exports_of_100_accounts_are_one_run(
    install: Install, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "_READ_BUDGET", 3600.0)  # a busy machine reads slowly
    accounts = [f"account{number}" for number in range(100)]
    settings = install(*accounts)
    for handle in accounts:
        for section in SECTIONS:
            drop_export(settings, handle, section)
    assert requested(tick(settings, instance)) == {
        "account0 and 99 more": ("account0|2025-05-01", "account99|2025-06-01")
    }


def test_a_tick_without_time_left_continues_with_the_oldest_files_next_time(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, section in enumerate(SECTIONS):
        drop(export("pig1987", section).content, landing(settings), export("pig1987", section).name, age=1000 + number)
    looks = []
    for budget in (0.0, 1e-9, 1e-9, 60.0):
        monkeypatch.setattr(sensors, "_READ_BUDGET", budget)
        intake = sensors.take_in(Lake(settings), load_roster(settings), read_budget=budget)
        looks.append((intake.postponed, [one.sections for one in intake.landed]))
    assert looks[0] == (4, [])
    assert looks[-1] == (0, [("content",), ("followers",), ("viewers",), ("overview",)])
    monkeypatch.setattr(sensors, "_READ_BUDGET", 0.0)
    for number in range(3):
        (landing(settings) / f"{number}.csv").write_bytes(b"new")
    assert "7 files wait for the next tick." in reason(tick(settings, instance))


def test_unpublished_data_is_published_by_its_own_run(
    settings: Settings, instance: dg.DagsterInstance, made_once: MadeOnce
) -> None:
    overview_processed(settings, made_once)
    assert reason(tick(settings, instance)) == "No new exports in landing."
    settings.warehouse.unlink()
    answer = tick(settings, instance)
    assert isinstance(answer, dg.SensorResult)
    [request] = answer.run_requests or []
    assert request.job_name == "publish_warehouse"
    again = tick(settings, instance)
    assert isinstance(again, dg.SensorResult)
    assert [one.run_key for one in again.run_requests or []] == [request.run_key]  # Dagster starts it once
    job = build_definitions(settings).resolve_job_def("publish_warehouse")
    assert job.execute_in_process(instance=instance).success
    assert settings.warehouse.exists()
    assert reason(tick(settings, instance)) == "No new exports in landing."


def test_a_run_reports_the_landed_partitions_that_no_tick_had_time_for(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sensors, "_EVENTS_A_TICK", 1)
    for section in SECTIONS:
        drop_export(settings, "pig1987", section)
    answer = tick(settings, instance)
    assert isinstance(answer, dg.SensorResult)
    assert len(answer.asset_events) == 1
    report(instance, answer)
    assert materialize(settings, instance, "raw", accounts=["pig1987"]).success
    for section in ("overview", "viewers", "followers"):
        assert instance.get_materialized_partitions(dg.AssetKey(["landing", section])) == set(MAY_AND_JUNE)
    records = instance.fetch_materializations(dg.AssetKey(["landing", "overview"]), limit=100).records
    partitions = [record.partition_key for record in records]
    assert len(partitions) == len(set(partitions))


def test_a_lake_that_cannot_be_listed_stops_the_tick_instead_of_starting_over(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_export(settings, "pig1987", "overview")
    receipts = Lake(settings).raw_folder("exports", "pig1987")
    real = type(receipts).iterdir

    def refuse(folder: UPath) -> Iterator[UPath]:
        if str(folder) == str(receipts):
            raise PermissionError(13, "Permission denied", str(folder))
        return real(folder)

    monkeypatch.setattr(type(receipts), "iterdir", refuse)
    with pytest.raises(Exception, match="Permission denied"):
        tick(settings, instance)


def test_an_edit_of_the_songs_is_noticed_at_the_next_look(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[int]()
    monkeypatch.setattr(sensors, "repair", lambda *_: looks.append(1) or [])
    repairs = sensors.Repairs(Lake(settings), warehouse_of(settings))
    song = '[songs.demo]\ntitle = "{}"\nartist = "Pig"\nrelease_date = 2025-06-06\nhashtags = ["demo"]\n'
    seen = []
    for text in (None, song.format("Demo"), song.format("Demo"), song.format("Demo II"), ""):
        if text is not None:
            settings.songs_file.write_text(text)
        repairs.due()
        seen.append(len(looks))
    assert seen == [0, 1, 1, 2, 3]


def test_songs_that_cannot_be_read_are_a_sentence_of_the_tick(settings: Settings, instance: dg.DagsterInstance) -> None:
    definitions = build_definitions(settings)  # as `dagster dev` has loaded them before the edit
    settings.songs_file.write_text("[songs.demo]\n")
    context = dg.build_sensor_context(instance=instance, definitions=definitions, sensor_name="new_exports")
    answer = definitions.resolve_sensor_def("new_exports")(context)
    assert isinstance(answer, dg.SkipReason)
    said = reason(answer)
    assert "song 'demo': title and artist and release_date missing" in said
    assert said.endswith("Until then nothing is processed.")
