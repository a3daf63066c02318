"""A lake on S3: the same tables as on this machine, few requests, never blind to others, and nothing overwritten."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from pydantic import TypeAdapter
from upath import UPath

from tiktok_assets import read
from tiktok_assets.accounts import load_roster
from tiktok_assets.curated.registry import CURATED, STAGING
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.graph import warehouse_of
from tiktok_assets.inbox import identities
from tiktok_assets.inbox.archive import archive
from tiktok_assets.inbox.receipts import Receipt, loaded
from tiktok_assets.inbox.verify import verify
from tiktok_assets.partitions import accounts_of
from tiktok_assets.pipeline.process import process
from tiktok_assets.pipeline.rebuild import rebuild
from tiktok_assets.settings import Settings
from tiktok_assets.storage import copies, listings, objects
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.objects import at_once
from tiktok_assets.storage.toml_files import UnusableToml, edit
from tiktok_assets_tests import budget
from tiktok_assets_tests.cluster.services import Front, ObjectStore, in_front_of, object_store
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.inbox.intake_looks import landed, look, pretend_processed
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import DOWNLOADED, FIRST, LAST, drop, export, insights
from tiktok_assets_tests.sensor_ticks import tick

pytestmark = [
    pytest.mark.cluster,
    # Connections of aiobotocore live until their loop ends, which is with the process.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
s3fs = pytest.importorskip("s3fs")
NAMES = ("overview", "viewers", "followers", "content")


@pytest.fixture(scope="module")
def store() -> Iterator[tuple[ObjectStore, Front]]:
    with object_store() as server:
        server.make_bucket("lake")
        with in_front_of(server) as reached:
            yield reached


@pytest.fixture
def front(store: tuple[ObjectStore, Front], monkeypatch: pytest.MonkeyPatch) -> Front:
    for name, value in store[0].environment.items():
        monkeypatch.setenv(name, value)
    return store[1]


@pytest.fixture
def on_s3(front: Front, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose lake is a folder of its own on S3; what must be local lies in ``tmp_path``."""
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    return install("pig1987", zonea0="zone.a0", data_dir=f"s3://lake/{tmp_path.name}")


@contextlib.contextmanager
def requests_of(front: Front) -> Iterator[dict[str, int]]:
    """The requests of the block, by kind, once it has ended."""
    made: dict[str, int] = {}
    before = front.requests.copy()
    yield made
    made.update(front.requests - before)


def as_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what only this process knows."""
    monkeypatch.setattr(identities, "_known", {})
    monkeypatch.setattr(identities, "_read_files", set())
    monkeypatch.setattr(listings, "_kept", {})
    kept = copies.Copies()
    monkeypatch.setattr(copies, "_copies", lambda: kept)


def stored_by_another(path: UPath, content: bytes) -> None:
    """As another process does it, without the help of this one's storage."""
    s3fs.S3FileSystem(skip_instance_cache=True).pipe_file(path.path, content)


def tables(settings: Settings) -> dict[str, pl.DataFrame]:
    found = {}
    for table in (*STAGING, *CURATED):
        with contextlib.suppress(ValueError):  # no rows, no table
            found[table.key] = read(table.key, settings=settings)
    return found


@budget.in_the_long_run
def test_every_table_equals_that_of_a_lake_on_this_machine(
    on_s3: Settings, install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("pig1987", zonea0="zone.a0", data_dir=str(tmp_path / "here"))
    for made in (export("pig1987", section) for section in NAMES):
        (on_s3.landing / made.name).write_bytes(made.content)
        drop(made.content, Path(str(here.landing)), made.name)
    (on_s3.landing / "strange.csv").write_bytes(b"no export")
    assert process(here, instance=fresh()).is_clean
    result = process(on_s3, instance=fresh())
    assert [(one.account, one.succeeded, one.error) for one in result.accounts] == [("pig1987", True, None)]
    assert [one.moved_to for one in result.intake.rejected] == [str(on_s3.quarantine / "strange.csv")]

    expected, found = tables(here), tables(on_s3)
    assert len(expected) > 15
    assert found.keys() == expected.keys()
    assert [name for name in expected if not found[name].equals(expected[name])] == []
    assert verify(Lake(on_s3), load_roster(on_s3), warehouse_of(on_s3)) == []

    as_another_process(monkeypatch)
    again = process(on_s3, instance=fresh())
    assert (again.lost, again.accounts, again.intake.landed) == ((), (), ())
    result, differences = rebuild(on_s3, instance=fresh())
    assert (differences, [one.succeeded for one in result.accounts]) == ([], [True])
    assert not objects.objects_below(on_s3.previous_lake)
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"state"}


def test_a_look_sees_what_another_process_has_just_stored(on_s3: Settings) -> None:
    assert look(on_s3).landed == ()
    stored_by_another(on_s3.landing / "pig1987" / "a.json", b"no export")
    made = export("pig1987", "overview")
    stored_by_another(on_s3.landing / "pig1987" / made.name, made.content)
    seen = look(on_s3)
    assert (landed(seen), len(seen.rejected)) == ([("pig1987", made.name)], 1)


@pytest.mark.parametrize(
    ("new", "accounts"), [(90, 30), pytest.param(1000, 60, marks=budget.in_the_long_run)], ids=["quick", "long"]
)
def test_a_tick_over_new_objects_costs_one_request_for_each_and_few_more(
    front: Front, on_s3: Settings, install: Install, monkeypatch: pytest.MonkeyPatch, new: int, accounts: int
) -> None:
    names = [f"account{number:02}" for number in range(accounts)]
    settings = install(*names, data_dir=str(on_s3.data_dir))

    def put(number: int) -> None:
        account = names[number % accounts]
        name = f"insights_{account}_{number}.json"
        objects.write(settings.landing / account / name, insights(account, following=number))

    monkeypatch.setattr("tiktok_assets.sensors._READ_BUDGET", 600.0)
    monkeypatch.setattr("tiktok_assets.sensors.note_batch", lambda *_: None)  # tries are counted in the shared state
    at_once(put, range(new))
    with fresh() as instance:
        before = front.listed.copy()
        with requests_of(front) as made:
            answer = tick(settings, instance)
        whole = {prefix.rstrip("/").rpartition("/")[2] for prefix in front.listed - before}
        assert not whole & {"raw", "staging", "curated"}  # that is for once a day
        assert isinstance(answer, dg.SensorResult)
        started = {account for run in answer.run_requests or [] for account in accounts_of(run.tags, names)}
        assert started == {*names}
        assert made["GET"] - new < 10
        assert sum(made.values()) - new < 30

        pretend_processed(settings, look(settings))
        as_another_process(monkeypatch)
        with requests_of(front) as made:
            assert look(settings).landed == ()
        assert made["GET"] == 1  # the index; nothing of an export that is known
        assert sum(made.values()) < 15


@pytest.mark.parametrize(
    ("few", "many"), [(10, 60), pytest.param(200, 3000, marks=budget.in_the_long_run)], ids=["quick", "long"]
)
def test_a_look_costs_the_same_however_much_was_closed_and_archived(
    front: Front, on_s3: Settings, few: int, many: int
) -> None:
    lake = Lake(on_s3)

    def close_and_archive(number: int) -> None:
        account, handle = ("pig1987", "pig1987") if number % 2 else ("zonea0", "zone.a0")
        content = insights(handle, following=number)
        digest = hashlib.sha256(content).hexdigest()
        lake.write_bytes(on_s3.archive / account / f"insights_{number}.json", content)
        lake.write_bytes(lake.raw_folder("exports", account) / f"{digest}.v{READER_VERSION}.json", b"{}")

    def third_look() -> tuple[dict[str, int], set[str]]:
        look(on_s3)  # finds what has changed
        before = front.listed.copy()
        with requests_of(front) as made:
            assert look(on_s3).landed == ()
        return made, {prefix.partition("/data/")[2] or prefix for prefix in front.listed - before}

    with together():
        at_once(close_and_archive, range(few))
    first, folders = third_look()
    assert not [folder for folder in folders if "/archive/" in folder or "account=" in folder]
    with together():
        at_once(close_and_archive, range(few, many))
    again, _ = third_look()
    assert again == first
    assert sum(first.values()) < 10
    close_and_archive(many)  # by this process; what another one changes is known by its mark as well
    with requests_of(front) as made:
        assert look(on_s3).landed == ()
    assert (made["GET"], sum(made.values()) < 20) == (1, True)


_ANOTHER = """
import os, signal, sys
from tiktok_assets.settings import load_settings
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
lake = Lake(load_settings(data_dir=sys.argv[1]))
def write(name):
    lake.write_bytes(lake.raw_folder("exports", "pig1987") / f"{name}.v{sys.argv[2]}.json", b"{}")
write("whole")
with together():
    write("before it was killed")
    sys.stdout.write("ready"), sys.stdout.flush(), sys.stdin.readline()
    write("at the end")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_another_process_changes_is_seen_by_the_next_look_even_if_it_is_killed(
    front: Front, on_s3: Settings
) -> None:
    lake = Lake(on_s3)

    def seen() -> list[str]:
        with lake.looking():
            return sorted(loaded(lake, "pig1987"))

    assert (seen(), seen()) == ([], [])
    command = [sys.executable, "-c", _ANOTHER, str(on_s3.data_dir), READER_VERSION]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as another:
        assert another.stdin is not None and another.stdout is not None
        assert another.stdout.read(5) == "ready"
        assert seen() == ["before it was killed", "whole"]
        another.stdin.write("\n")
        another.stdin.close()
        another.wait()
    for _ in range(2):
        with requests_of(front) as made:
            assert seen() == ["at the end", "before it was killed", "whole"]
        assert made == {"GET LIST": 2}


def test_of_many_who_create_one_object_at_once_one_succeeds(on_s3: Settings) -> None:
    lake, path = Lake(on_s3), on_s3.quarantine / "note.json"
    start, created = threading.Barrier(8), list[bytes]()

    def create(number: int) -> None:
        content = f"{number}".encode()
        start.wait()
        with contextlib.suppress(FileExistsError):
            lake.write_bytes(path, content, create=True)
            created.append(content)

    at_once(create, range(8))
    assert created == [path.read_bytes()]


def close(lake: Lake, export_id: str) -> None:
    """Note that Overview.csv of pig1987 is processed."""
    receipt = Receipt(
        export_id=export_id,
        source="Overview.csv",
        downloaded_at=DOWNLOADED,
        downloaded_at_evidence="file_time",
        vintage=DOWNLOADED,
        vintage_evidence="file_time",
        window=(FIRST, LAST),
        months=(),
        months_reached=(),
        reports=(),
    )
    closed = lake.raw_folder("exports", "pig1987") / f"{export_id}.v{READER_VERSION}.json"
    lake.write_bytes(closed, TypeAdapter(Receipt).dump_json(receipt))


def test_a_move_overwrites_nothing_and_keeps_the_time_in_the_archive_too(on_s3: Settings, tmp_path: Path) -> None:
    lake = Lake(on_s3)
    made = export("pig1987", "overview")
    path = drop(made.members["Overview.csv"], tmp_path, "Overview.csv")  # a loose file: its time tells its year
    taken = on_s3.landing / "pig1987" / "Overview.csv"
    lake.move(UPath(path), taken)
    (only,) = look(on_s3).landed
    close(lake, only.export_id)
    (moved,) = archive(on_s3, older_than=1).moved
    archived = on_s3.archive / "pig1987" / "Overview.csv"
    assert (moved.archived_to, taken.exists()) == (str(archived), False)
    with copies.local_copy(archived) as copy:
        assert (copy.read_bytes(), copy.stat().st_mtime) == (made.members["Overview.csv"], DOWNLOADED.timestamp())

    other = drop(b"other", tmp_path, "other.csv")
    with pytest.raises(FileExistsError):
        lake.move(UPath(other), archived)
    assert (archived.read_bytes(), other.read_bytes()) == (made.members["Overview.csv"], b"other")


def test_archiving_reads_what_it_moves_and_nothing_that_is_known(
    front: Front, on_s3: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [folder / "pig1987" / f"insights_pig1987_{n}.json" for n in range(10) for folder in folders(on_s3)]
    at_once(lambda path: objects.write(path, insights("pig1987", following=known.index(path))), known)
    path = drop(export("pig1987", "overview").members["Overview.csv"], tmp_path, "Overview.csv")
    lake, old = Lake(on_s3), on_s3.landing / "pig1987" / "Overview.csv"
    lake.move(UPath(path), old)
    (found,) = [one.export_id for one in look(on_s3).landed if one.source == "Overview.csv"]
    close(lake, found)
    as_another_process(monkeypatch)
    with requests_of(front) as made:
        done = archive(on_s3, older_than=1)
    assert ([one.source for one in done.moved], done.kept, done.younger) == (["Overview.csv"], (), 10)
    assert made["GET"] < 6  # the index, the receipt, the file, and the copy that is compared with it


def folders(settings: Settings) -> tuple[UPath, UPath]:
    return settings.landing, settings.archive


def test_a_list_that_somebody_else_replaces_meanwhile_is_read_again(front: Front, tmp_path: Path) -> None:
    path = UPath(f"s3://lake/{tmp_path.name}/accounts.toml")
    others = ["theirs", "theirs again"]

    def change(text: str) -> str:
        if others:
            stored_by_another(path, others.pop(0).encode())
        return f"{text}, ours"

    with pytest.raises(UnusableToml, match="somebody else is changing the file"):
        edit(path, change)  # each time there was another one: first none at all
    assert edit(path, change) == "theirs again"
    assert path.read_bytes() == b"theirs again, ours"


def test_a_server_that_is_busy_for_ten_seconds_is_asked_again(front: Front, on_s3: Settings) -> None:
    path = on_s3.landing / "a.csv"
    objects.write(path, b"content")
    front.be_busy(10)
    assert at_once(objects.read, [path] * 8) == [b"content"] * 8
    objects.write(path, b"later")
    assert (objects.read(path), front.refused >= 8) == (b"later", True)
