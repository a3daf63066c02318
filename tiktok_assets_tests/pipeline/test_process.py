"""Processing by batches: one account's trouble stays its own, and a stop is a stop."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from tiktok_assets.assets import staging
from tiktok_assets.batches import ACCOUNT_TAG
from tiktok_assets.cli.app import app
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.graph import build_definitions
from tiktok_assets.inbox.intake import Intake
from tiktok_assets.inbox.receipts import processed, waiting_for_publication
from tiktok_assets.pipeline import process as processing
from tiktok_assets.pipeline.process import process
from tiktok_assets.pipeline.rebuild import RebuildRefused, rebuild
from tiktok_assets.reports.report import Report
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import Session
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests import budget
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.conftest import History, Install
from tiktok_assets_tests.lake_contents import differing, tables
from tiktok_assets_tests.landing_files import drop_export, materialize, overview_processed
from tiktok_assets_tests.made_once import MadeOnce
from tiktok_assets_tests.sensor_ticks import reason, requested, tick

ACCOUNTS = ("north", "south", "west")


def runs_in(history: History) -> list[tuple[str, str]]:
    """The accounts and the status of each run, oldest first."""
    with history() as instance:
        return [(run.tags.get(ACCOUNT_TAG, ""), run.status.value) for run in reversed(instance.get_runs())]


def accounts_published(settings: Settings) -> list[str]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        rows = warehouse.sql("select distinct account from social_media_stats order by all").fetchall()
    return [account for (account,) in rows]


def broken_for(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every export of ``account`` fails in staging."""
    staged_rows = staging.staged_rows

    def failing(report: Report, rows: pl.LazyFrame, *others: Any) -> tuple[Rows, pl.DataFrame]:
        latest, rivals = staged_rows(report, rows, *others)
        if account in latest.lazy().collect()["account"]:
            raise ValueError(f"the reader stumbled over {account}")
        return latest, rivals

    monkeypatch.setattr(staging, "staged_rows", failing)


def test_many_accounts_share_a_run_and_each_has_its_own_line(install: Install, history: History) -> None:
    settings = install(*ACCOUNTS)
    for account in ACCOUNTS:
        drop_export(settings, account, "overview")
    drop_export(settings, "south", "viewers")
    reports: list[tuple[str, int, int]] = []
    result = process(settings, instance=history(), progress=lambda *report: reports.append(report))
    assert runs_in(history) == [("north and 2 more", "SUCCESS")]
    assert [(one.account, one.exports, one.succeeded) for one in result.accounts] == [
        ("north", 1, True),
        ("south", 2, True),
        ("west", 1, True),
    ]
    without_viewers = [one.account for one in result.accounts if "staging/viewers has_rows" in one.warned_checks]
    assert without_viewers == ["north", "west"]
    assert accounts_published(settings) == list(ACCOUNTS)
    done = [step for name, step, total in reports if name == "north and 2 more" and total == 6]
    assert done == sorted(done) and done[0] == 0 and done[-1] == 6


def test_the_accounts_of_a_failed_batch_run_alone_at_once(
    install: Install, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = install(*ACCOUNTS[:2])
    for account in ACCOUNTS[:2]:
        drop_export(settings, account, "overview")
    with monkeypatch.context() as patch:
        broken_for("north", patch)
        result = process(settings, instance=history())
    assert runs_in(history) == [("north and 1 more", "FAILURE"), ("north", "FAILURE"), ("south", "SUCCESS")]
    errors = {one.account: one.error for one in result.accounts}
    assert errors["south"] is None
    assert errors["north"] is not None and "the reader stumbled over north" in errors["north"]
    assert accounts_published(settings) == ["south"]
    again = process(settings, instance=history())
    assert [(one.account, one.succeeded) for one in again.accounts] == [("north", True)]
    assert accounts_published(settings) == ["north", "south"]


@budget.in_the_long_run
def test_batches_give_the_same_tables_as_one_run_per_account(
    install: Install, tmp_path: Path, history: History
) -> None:
    stored = []
    for name, size in (("together", 250), ("alone", 1)):
        settings = install(*ACCOUNTS[:2], data_dir=str(tmp_path / name), run_size=size)
        for account in ACCOUNTS[:2]:
            drop_export(settings, account, "overview")
            drop_export(settings, account, "followers")
        assert process(settings, instance=history()).is_clean
        stored.append(tables(settings))
    assert differing(*stored) == []
    assert len(runs_in(history)) == 1 + 2


def test_loaded_exports_count_as_done_only_once_published(
    settings: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_export(settings, "pig1987", "overview")
    lake = Lake(settings)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(settings.warehouse))

    with monkeypatch.context() as patch:
        patch.setattr(Session, "publish", full)
        result = process(settings, instance=history())
    [failed] = result.accounts
    assert not failed.succeeded and not result.is_clean
    assert result.unpublished is not None and "No space left on device" in result.unpublished
    assert failed.error is not None and "No space left on device" in failed.error
    assert processed(lake, "pig1987") == frozenset()
    assert len(waiting_for_publication(lake, ["pig1987"])) == 1
    assert not settings.warehouse.exists()
    again = process(settings, instance=history())  # loaded already: nothing is made again, only published
    assert again.accounts == ()
    assert accounts_published(settings) == ["pig1987"]
    assert len(processed(lake, "pig1987")) == 1


@budget.in_the_long_run
def test_the_last_of_several_runs_publishes_for_all(
    settings: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[int] = []
    publish = Session.publish

    def counted(session: Session) -> None:
        published.append(1)
        publish(session)

    monkeypatch.setattr(Session, "publish", counted)
    for handle in ("pig1987", "zone.a0"):
        drop_export(settings, handle, "overview")
    small = settings.model_copy(update={"run_size": 1, "publish_interval": 3600})
    assert process(small, instance=history()).is_clean
    assert len(published) == 2  # the first one at once: people have nothing to read yet
    for handle in ("pig1987", "zone.a0"):
        drop_export(settings, handle, "followers")
    assert process(small, instance=history()).is_clean
    assert len(published) == 3
    assert not waiting_for_publication(Lake(settings), ["pig1987", "zonea0"])


def test_a_single_table_is_published_at_the_end_of_its_run(
    settings: Settings, history: History, made_once: MadeOnce
) -> None:
    overview_processed(settings, made_once)
    before = settings.warehouse.stat().st_ino
    with history() as instance:
        assert materialize(settings, instance, "warehouse", accounts=["pig1987"]).success
    assert settings.warehouse.stat().st_ino != before


@budget.in_the_long_run
def test_an_export_that_lands_during_a_run_waits_for_the_next_one(
    settings: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_export(settings, "pig1987", "overview")
    take_in, looks = processing.take_in, list[int]()

    def look(*args: Any, **kwargs: Any) -> Intake:
        if len(looks) == 2:  # the third comes after the run
            drop_export(settings, "zone.a0", "overview")
        looks.append(1)
        return take_in(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(processing, "take_in", look)
        assert [one.account for one in process(settings, instance=history()).accounts] == ["pig1987"]
    assert [one.account for one in process(settings, instance=history()).accounts] == ["zonea0"]
    assert accounts_published(settings) == ["pig1987", "zonea0"]


def test_waiting_for_a_lock_is_reported_without_a_log(
    settings: Settings, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    drop_export(settings, "pig1987", "overview")
    held = threading.Event()

    def hold() -> None:
        with FileLocks(settings.locks, "run 6a7b1c2d").hold("account pig1987"):
            held.set()
            while "Waiting for" not in caplog.text:
                time.sleep(0.05)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert process(settings, instance=history()).is_clean
    holder.join()
    assert "Waiting for account pig1987, which is held by run 6a7b1c2d (process" in caplog.text


def test_a_rebuild_is_refused_while_a_run_is_under_way(
    settings: Settings, history: History, made_once: MadeOnce
) -> None:
    overview_processed(settings, made_once)
    before = tables(settings)
    with (
        FileLocks(settings.locks, "run 6a7b1c2d").hold("account zonea0"),
        pytest.raises(RebuildRefused, match=r"account zonea0 is held by run 6a7b1c2d .* Nothing was changed\."),
    ):
        rebuild(settings, instance=history())
    assert differing(before, tables(settings)) == []


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), RuntimeError("(sqlite3.OperationalError) database or disk is full")],
    ids=["file", "history"],
)
def test_a_full_disk_is_a_sentence(install: Install, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(install("pig1987").data_dir))

    def full(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(processing, "process", full)
    said = CliRunner().invoke(app, ["process"])
    assert said.exit_code == 1
    assert "the disk is full (No space left on device). Free some space and run this again" in " ".join(
        said.output.split()
    )


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT][: len(rounds(1, at_most=2))])
def test_a_stop_ends_the_run_at_once_and_says_what_is_left(install: Install, number: signal.Signals) -> None:
    settings = install(*ACCOUNTS[:2])
    for account in ACCOUNTS[:2]:
        drop_export(settings, account, "overview", first=dt.date(2025, 1, 3), last=dt.date(2025, 4, 20))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))}
    environment = ours | {
        "TIKTOK_DATA_DIR": str(settings.data_dir),
        "TIKTOK_ACCOUNTS_FILE": str(settings.accounts_file),
        "TIKTOK_RUN_SIZE": "4",
    }
    command = [sys.executable, "-c", "from tiktok_assets.cli.app import main; main()", "process"]
    running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while running.poll() is None and not list(Path(str(settings.staging)).glob("*")):
        time.sleep(0.02)
    running.send_signal(number)
    _, said = running.communicate()
    assert running.returncode == 130, said
    assert "Stopped. Not processed yet: north, south." in said
    assert "Traceback" not in said
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert accounts_published(settings) == list(ACCOUNTS[:2])


def test_two_processes_at_the_same_moment_do_the_work_once(install: Install, history: History) -> None:
    settings = install(*ACCOUNTS)
    for account in ACCOUNTS:
        drop_export(settings, account, "overview")
    results: list[processing.Result] = []
    begin = threading.Barrier(2)

    def at_once() -> None:
        instance = history()
        begin.wait()
        results.append(process(settings, instance=instance))

    threads = [threading.Thread(target=at_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(result.accounts) for result in results) == [0, 3]
    assert runs_in(history) == [("north and 2 more", "SUCCESS")]


def test_a_process_beside_a_rebuild_waits_and_finds_nothing_to_do(
    settings: Settings, history: History, made_once: MadeOnce, monkeypatch: pytest.MonkeyPatch
) -> None:
    overview_processed(settings, made_once)
    beside: list[processing.Result] = []
    threads: list[threading.Thread] = []
    process_alone = processing.process_alone

    def with_another(*arguments: Any, **named: Any) -> processing.Result:
        """Between the locks of the rebuild and its runs, where nothing is in raw."""
        other = threading.Thread(target=lambda: beside.append(process(settings, instance=history())))
        other.start()
        threads.append(other)
        time.sleep(0.5)
        return process_alone(*arguments, **named)

    monkeypatch.setattr("tiktok_assets.pipeline.rebuild.process_alone", with_another)
    _, differences = rebuild(settings, instance=history())
    threads[0].join()
    assert differences == []
    assert [result.accounts for result in beside] == [()]
    assert runs_in(history) == [("pig1987", "SUCCESS")]


def test_a_run_that_the_sensor_requested_is_waited_for(install: Install, history: History) -> None:
    settings = install("north")
    drop_export(settings, "north", "overview")
    answer = tick(settings, history())
    assert isinstance(answer, dg.SensorResult) and answer.run_requests
    (request,) = answer.run_requests
    finished: list[float] = []

    def daemon() -> None:
        """Records and runs what the tick requested, somewhat later."""
        time.sleep(1)
        job = build_definitions(settings).resolve_job_def("process_exports")
        job.execute_in_process(instance=history(), tags=dict(request.tags))
        finished.append(time.monotonic())

    thread = threading.Thread(target=daemon)
    thread.start()
    result = process(settings, instance=history())
    ended = time.monotonic()
    thread.join()
    assert result.accounts == ()
    assert ended > finished[0] - 1
    assert runs_in(history) == [("north", "SUCCESS")]


@pytest.mark.parametrize("holder", ["`process`", "`rebuild`"])
def test_the_sensor_requests_nothing_while_somebody_else_plans_runs(
    install: Install, history: History, holder: str
) -> None:
    settings = install("north")
    drop_export(settings, "north", "overview")
    with processing.planning(settings, holder):
        skipped = reason(tick(settings, history()))
    assert f"the planning of runs is held by {holder}" in skipped
    assert list(requested(tick(settings, history()))) == ["north"]
