"""Runs of the lake and loading apart, over an S3 server: what the one writer publishes equals one process's tables."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from tiktok_assets.accounts import load_roster
from tiktok_assets.assets import export_log
from tiktok_assets.assets.publishing import publish
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.failures import WarehouseOvertaken
from tiktok_assets.graph import build_definitions, warehouse_of
from tiktok_assets.inbox.verify import repair, verify
from tiktok_assets.pipeline.process import process
from tiktok_assets.pipeline.runs import QUIET, failure_of
from tiktok_assets.settings import Settings
from tiktok_assets.storage.dagster_internals import execute_quietly
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import names_in
from tiktok_assets.storage.published import published_copy
from tiktok_assets.storage.published_file import published_file
from tiktok_assets_tests import budget
from tiktok_assets_tests.cluster.services import ObjectStore, object_store
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import Section, export
from tiktok_assets_tests.sensor_ticks import tick

pytestmark = pytest.mark.cluster
ACCOUNTS = ("north", "south")


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store() as running:
        running.make_bucket("lake")
        yield running


@pytest.fixture
def machine(
    store: ObjectStore,
    install: Install,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """One machine of a cluster, whose lake is this test's own; what is local lies in ``here``."""
    for name, value in store.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path / "here")
    return install(*ACCOUNTS, data_dir=f"s3://lake/{tmp_path.name}", loading="apart")


@pytest.fixture
def elsewhere(machine: Settings, tmp_path: Path) -> Warehouse:
    """The warehouse of the same lake as a second machine has it."""
    folder = tmp_path / "second machine"
    return dataclasses.replace(warehouse_of(machine), working=folder / "warehouse.duckdb")


def land(settings: Settings, *sections: Section) -> None:
    for account in ACCOUNTS:
        for section in sections:
            made = export(account, section)
            path = settings.landing / account / made.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made.content)


def runs(settings: Settings, instance: dg.DagsterInstance) -> list[str]:
    """The runs that one look of the sensor requests, one after the other: each job, and why it failed."""
    answer, ended = tick(settings, instance), []
    definitions = build_definitions(settings)
    for request in answer.run_requests or [] if isinstance(answer, dg.SensorResult) else []:
        job = definitions.resolve_job_def(request.job_name or "")
        run = execute_quietly(job, instance, dict(request.tags), str(uuid.uuid4()), QUIET)
        ended.append(job.name if run.success else f"{job.name}: {failure_of(run)}")
    return ended


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(file, read_only=True) as connection:
        names = [name for (name,) in connection.sql("select table_name from duckdb_tables()").fetchall()]
        return {
            name: connection.sql(f"select * exclude (loaded_at) from {name} order by all").fetchall() for name in names
        }


def states(settings: Settings) -> set[str]:
    """The states of all receipts, by the ends of their names."""
    names = [name for account in ACCOUNTS for name in names_in(Lake(settings).raw_folder("exports", account))]
    return {name.partition(".")[2] for name in names if ".v" in name}


@budget.in_the_long_run
def test_what_is_loaded_apart_equals_the_tables_of_one_process_whatever_is_lost_in_between(
    machine: Settings, elsewhere: Warehouse, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another writer publishes while this one loads.
    def overtaken(*arguments: Any) -> int:
        with elsewhere.session() as session:
            session.publish()
        return publish(*arguments)

    # The machine is lost with what it has loaded, before it could publish that.
    def lost(*_: Any) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO), "s3")

    instance = fresh()
    land(machine, "overview")
    assert runs(machine, instance) == ["process_lake"]
    assert states(machine) == {f"v{READER_VERSION}.curated.json"}
    assert not machine.working_warehouse.exists() and published_copy(machine) is None

    with monkeypatch.context() as patched:
        patched.setattr(export_log, "publish", overtaken)
        [refused] = runs(machine, instance)
    assert "another writer has published since this one had read it" in refused and "Nothing is lost" in refused
    assert states(machine) == {f"v{READER_VERSION}.curated.json"}

    with monkeypatch.context() as patched:
        patched.setattr(export_log, "publish", lost)
        assert "does not answer" in runs(machine, instance)[0]
    assert states(machine) == {f"v{READER_VERSION}.loaded.json"}
    shutil.rmtree(machine.state)
    assert [*runs(machine, instance), *runs(machine, instance)] == ["publish_warehouse", "load_warehouse"]
    assert states(machine) == {f"v{READER_VERSION}.json"}
    assert runs(machine, instance) == []

    alone = install(*ACCOUNTS, data_dir=str(tmp_path / "alone"))
    land(alone, "overview")
    assert process(alone, instance=fresh()).is_clean
    expected = rows(Path(str(alone.warehouse)))
    assert expected["social_media_stats"]
    assert rows(published_copy(machine) or Path()) == expected

    # A table that is lost from the warehouse is loaded again out of the lake.
    with elsewhere.session() as session:
        session.connection.execute("drop table social_media_stats")
        session.publish()
    roster = load_roster(machine)
    found = verify(Lake(machine), roster, warehouse_of(machine))
    assert {one.place for one in found} == {"warehouse/social_media_stats"}
    assert repair(Lake(machine), roster, warehouse_of(machine)) == found
    assert runs(machine, instance) == ["load_warehouse"]
    assert rows(published_copy(machine) or Path()) == expected


def test_two_writers_of_one_version_are_never_merged(machine: Settings, elsewhere: Warehouse) -> None:
    here, file = warehouse_of(machine), published_file(machine.warehouse)
    with here.session() as first, elsewhere.session() as second:
        first.connection.execute("create table social_media_stats as select 1 as here")
        second.connection.execute("create table social_media_stats as select 2 as elsewhere")
        first.publish()
        version = file.version()
        with pytest.raises(WarehouseOvertaken, match="Only one process may load at a time"):
            second.publish()
    assert file.version() == version
    with elsewhere.session() as second:  # which has forgotten its own
        assert second.connection.sql("from social_media_stats").fetchall() == [(1,)]
        second.publish()
    with here.session() as first, pytest.raises(WarehouseOvertaken):
        elsewhere_again(elsewhere)
        first.publish()


def elsewhere_again(elsewhere: Warehouse) -> None:
    with elsewhere.session() as second:
        second.connection.execute("update social_media_stats set here = 3")
        second.publish()


def test_an_answer_that_was_lost_is_no_other_writer(machine: Settings, tmp_path: Path) -> None:
    file, source = published_file(machine.warehouse), tmp_path / "file"
    source.write_bytes(b"one")
    storage: Any = machine.warehouse.fs
    sent: list[object] = []
    call = storage.call_s3

    def twice(method: str, **fields: Any) -> Any:
        if method == "put_object":
            sent.append(call(method, **fields))  # its answer is lost, so that it is sent again
        return call(method, **fields)

    storage.call_s3 = twice
    version = file.replace(source, None)
    assert version == file.version() and len(sent) == 1
