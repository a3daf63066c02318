"""What is lost below data/, except landing and archive, is made again, and nobody reads half a lake meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from tiktok_assets.accounts import load_roster
from tiktok_assets.cli.app import app
from tiktok_assets.inbox import verify
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import Session, Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests import budget
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.conftest import History, Install
from tiktok_assets_tests.lake_contents import differing, tables
from tiktok_assets_tests.landing_files import drop_export, landing
from tiktok_assets_tests.made_once import MadeOnce

ACCOUNTS = ("north", "south")
KEPT = ("landing", "archive")


@pytest.fixture
def lake(install: Install, history: History, made_once: MadeOnce) -> Settings:
    """Two accounts, processed and published."""
    settings = install(*ACCOUNTS)

    def make() -> None:
        for account in ACCOUNTS:
            for section in ("overview", "followers", "content"):
                drop_export(settings, account, section)
        drop_export(settings, "south", "overview", first=dt.date(2025, 6, 15), last=dt.date(2025, 7, 10))
        assert process(settings, instance=history()).is_clean

    made_once.fill(folder(settings), "two accounts of three months", make)
    return settings


def folder(settings: Settings) -> Path:
    return Path(str(settings.data_dir))


def found(settings: Settings) -> list[str]:
    warehouse = Warehouse(settings.working_warehouse, settings.warehouse)
    return [str(one) for one in verify.verify(Lake(settings), load_roster(settings), warehouse)]


def rows_published(settings: Settings) -> int:
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        ((rows,),) = connection.sql("select count(*) from social_media_stats").fetchall()
    return rows


def remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def some_of_each(data: Path) -> None:
    """A file of each layer, and a table and some numbers of the warehouse."""
    for pattern in (
        "raw/overview/account=south/*.parquet",
        "staging/overview/account=south/date=*",
        "curated/account_daily/account=north",
        "warehouse",
    ):
        remove(min(data.glob(pattern)))
    with duckdb.connect(data / "state/warehouse.duckdb") as connection:
        connection.execute("drop table social_media_stats; update content_performance set total_views = 1")


def manifests(data: Path) -> None:
    remove(data / "raw/exports/account=south/manifest.json")
    remove(data / "raw/exports/warehouse.json")


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda data: remove(data / "state"), id="state"),
        pytest.param(
            lambda data: [remove(data / "state"), remove(data / "warehouse")],
            id="state and warehouse",
            marks=budget.in_the_long_run,
        ),
        pytest.param(lambda data: (data / "state/warehouse.duckdb").write_bytes(b"no database"), id="damaged file"),
        pytest.param(some_of_each, id="some of each"),
        pytest.param(manifests, id="manifests", marks=budget.in_the_long_run),
    ],
)
def test_a_loss_is_found_and_made_again(lake: Settings, history: History, lose: Callable[[Path], None]) -> None:
    before = tables(lake)
    assert found(lake) == []
    lose(folder(lake))
    assert found(lake) != []
    assert process(lake, instance=history()).is_clean
    assert found(lake) == []
    assert differing(tables(lake), before) == []


def test_a_lost_receipt_makes_its_export_a_new_one(lake: Settings, history: History) -> None:
    before = tables(lake)
    remove(min(folder(lake).glob("raw/exports/account=south/*.v*.json")))
    (unprocessed,) = found(lake)
    assert unprocessed.endswith(".zip: not processed yet; `tiktok-assets process`.")
    assert process(lake, instance=history()).is_clean
    assert differing(tables(lake), before) == []


@pytest.mark.parametrize("_round", rounds(1, at_most=60))
def test_random_deletions_end_in_equal_tables(lake: Settings, history: History, _round: int) -> None:
    seed = random.randrange(10**6)
    before, chance, data = tables(lake), random.Random(seed), folder(lake)
    places = sorted(path for path in data.rglob("*") if path.relative_to(data).parts[0] not in KEPT)
    deleted = chance.sample(places, k=chance.choice((1, 2, 5, 20, len(places) // 2)))
    for path in deleted:
        if path.exists():
            remove(path)
    process(lake, instance=history())
    names = [str(path.relative_to(data)) for path in deleted]
    assert differing(tables(lake), before) == [], (seed, names)
    assert found(lake) == [], (seed, names)


def test_no_publication_between_the_loss_and_the_end_is_emptier(
    lake: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, published, publish = rows_published(lake), [], Session.publish

    def counting(session: Session) -> None:
        publish(session)
        published.append(rows_published(lake))

    monkeypatch.setattr(Session, "publish", counting)
    shutil.rmtree(lake.state)
    drop_export(lake, "north", "overview", first=dt.date(2025, 7, 1), last=dt.date(2025, 7, 20))
    assert process(lake, instance=history()).is_clean
    assert published and min(published) == whole + 20


@budget.in_the_long_run
def test_a_restored_warehouse_lacks_what_was_loaded_and_not_published(
    lake: Settings, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_export(lake, "north", "overview", first=dt.date(2025, 7, 1), last=dt.date(2025, 7, 20))
    whole = rows_published(lake)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", str(lake.warehouse))

    with monkeypatch.context() as patch:
        patch.setattr(Session, "publish", full)
        assert process(lake, instance=history()).unpublished
    shutil.rmtree(lake.state)
    assert process(lake, instance=history()).is_clean
    assert rows_published(lake) == whole + 20


def test_a_published_file_that_cannot_be_opened_is_not_restored(lake: Settings, history: History) -> None:
    before = tables(lake)
    shutil.rmtree(lake.state)
    lake.warehouse.write_bytes(lake.warehouse.read_bytes()[:5000])  # damaged
    assert process(lake, instance=history()).is_clean
    assert differing(tables(lake), before) == []


SONG = """
[songs.demo]
title = "Demo"
artist = "Pig"
release_date = 2025-06-06
hashtags = ["newmusic"]
accounts = ["south"]
"""


def test_a_changed_timezone_or_song_makes_the_tables_of_its_account_again(lake: Settings, history: History) -> None:
    accounts, as_it_was = lake.accounts_file, lake.accounts_file.read_text()
    other = "south: its tables, 3 months from 2025-05 to 2025-07: made under other settings"
    accounts.write_text(f'{as_it_was}timezone = "Europe/Lisbon"\n')  # of the last account, south
    assert [finding.startswith(other) for finding in found(lake)] == [True]
    accounts.write_text(as_it_was)
    assert found(lake) == []
    lake.songs_file.write_text(SONG)
    assert [finding.startswith(other) for finding in found(lake)] == [True]
    assert [one.account for one in process(lake, instance=history()).accounts] == ["south"]
    assert found(lake) == []
    with duckdb.connect(str(lake.warehouse), read_only=True) as connection:
        assert connection.sql("select distinct account, song from song_videos").fetchall() == [("south", "demo")]


@budget.in_the_long_run
def test_months_before_a_later_start_are_made_once_they_are_kept(
    install: Install, history: History, tmp_path: Path
) -> None:
    stored = []
    for name, starts in (("once", ["2020-01"]), ("in two steps", ["2025-06", "2020-01"])):
        settings = install("north", data_dir=str(tmp_path / name))
        for start in starts:
            settings = install("north", data_dir=str(tmp_path / name), start_date=start)
            if not settings.warehouse.exists():
                drop_export(settings, "north", "viewers")
                drop_export(settings, "north", "overview")
            elif start != starts[0]:
                assert "2025-05: its rows of these months were left out" in found(settings)[0]
            assert process(settings, instance=history()).is_clean
        stored.append(tables(settings))
    assert differing(*stored) == []


def test_months_that_are_not_kept_any_more_are_neither_missed_nor_asked_for(
    lake: Settings, history: History, install: Install
) -> None:
    later = install(*ACCOUNTS, start_date="2025-06")
    for month in ("2025-05-01", "2025-06-01"):
        remove(folder(lake) / f"staging/overview/account=north/date={month}")
    assert found(later) == ["north: staging/overview, 2025-06: missing; `tiktok-assets process` makes it again."]
    (north,) = process(later, instance=history()).accounts
    assert north.succeeded and north.first_month == dt.date(2025, 6, 1)
    assert found(later) == []


def test_what_landing_no_longer_has_is_named_and_not_processed_endlessly(lake: Settings, history: History) -> None:
    remove(min(folder(lake).glob("raw/overview/account=north/*.parquet")))
    for path in landing(lake).rglob("*north*.zip"):
        path.unlink()
    for _ in range(2):
        (finding,) = found(lake)
        assert "its export is neither in landing nor in the archive: put it back into landing" in finding
        result = process(lake, instance=history())
        assert result.accounts == () and [str(one) for one in result.lost] == [finding]


def test_equal_bytes_with_another_time_are_the_same(lake: Settings) -> None:
    copied = folder(lake).with_name("copied")
    shutil.copytree(folder(lake), copied, copy_function=shutil.copyfile)
    remove(folder(lake))
    copied.rename(folder(lake))
    assert [one for one in found(lake) if "not the newest" not in one] == []


def test_where_nothing_changed_no_parquet_file_is_opened(lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    read, read_bytes = list[str](), Path.read_bytes

    def recorded(path: Path) -> bytes:
        read.append(path.suffix)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", recorded)
    warehouse = Warehouse(lake.working_warehouse, lake.warehouse)
    assert verify.repair(Lake(lake), load_roster(lake), warehouse) == []
    assert set(read) == {".json", ".toml"}
    touched = folder(lake) / "staging/overview/account=south/date=2025-05-01/data.parquet"
    touched.touch()
    assert verify.repair(Lake(lake), load_roster(lake), warehouse) == []  # the same bytes
    assert read.count(".parquet") == 1


def test_the_command_reports_with_its_exit_code_and_changes_nothing(
    lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(lake.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(lake.accounts_file))
    complete = CliRunner().invoke(app, ["verify"])
    assert (complete.exit_code, complete.stdout) == (0, "Everything that was processed is there.\n")
    lost = folder(lake) / "staging/overview/account=south/date=2025-05-01/data.parquet"
    lost.unlink()
    for _ in range(2):
        said = CliRunner().invoke(app, ["verify"])
        assert said.stdout == "south: staging/overview, 2025-05: missing; `tiktok-assets process` makes it again.\n"
        assert said.exit_code == 1 and not lost.exists()
    (as_json,) = json.loads(CliRunner().invoke(app, ["verify", "--json"]).stdout)
    assert (as_json["account"], as_json["place"], as_json["months"]) == ("south", "staging/overview", ["2025-05-01"])
