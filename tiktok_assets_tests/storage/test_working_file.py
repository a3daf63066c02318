"""The pipeline's own copy of a warehouse that several machines may write: whom it continues, and who is refused."""

from __future__ import annotations

import logging
from pathlib import Path

import duckdb
import pytest
from fsspec import AbstractFileSystem
from upath import UPath

from tiktok_assets.failures import WarehouseOvertaken, WarehouseUnusable
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.published_file import local_copy_of

NAMES = {"t": ("Numbers.", {})}


@pytest.fixture
def published(memory: AbstractFileSystem) -> UPath:
    """The address of a warehouse in storage that all machines share."""
    return UPath("memory://lake/warehouse/tiktok.duckdb")


@pytest.fixture
def here(published: UPath, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "here" / "warehouse.duckdb", published, descriptions=NAMES)


@pytest.fixture
def there(published: UPath, tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "there" / "warehouse.duckdb", published, descriptions=NAMES)


def store(warehouse: Warehouse, number: int, *, publishes: bool = True) -> str | None:
    """Add a row as a run does; the name of the copy that holds it."""
    with warehouse.session() as session:
        session.connection.execute(f"create table if not exists t (n int); insert into t values ({number})")
        if publishes:
            session.publish()
        return warehouse.copy_name()


def seen(published: Path | UPath, folder: Path) -> list[int]:
    copy = local_copy_of(published, folder)
    if copy is None:
        return []
    with duckdb.connect(copy, read_only=True) as connection:
        return [number for (number,) in connection.sql("from t order by all").fetchall()]


def test_a_machine_continues_what_another_one_has_published(here: Warehouse, there: Warehouse, tmp_path: Path) -> None:
    assert seen(here.published, tmp_path / "copies") == []
    first = store(here, 1)
    assert store(here, 2) == first  # its own file is the newest: it is kept, and keeps its name
    store(there, 3)
    assert store(here, 4) != first
    assert seen(here.published, tmp_path / "copies") == [1, 2, 3, 4]
    assert not here.is_behind() and there.is_behind() is False


def test_the_second_writer_of_a_version_is_refused_and_starts_over(
    here: Warehouse, there: Warehouse, tmp_path: Path
) -> None:
    store(here, 1)
    lost = store(here, 2, publishes=False)
    assert here.is_behind()
    store(there, 3)
    with here.session() as session:  # between two runs: what was only here is loaded again
        assert session.connection.sql("from t order by all").fetchall() == [(1,), (3,)]
        assert here.copy_name() != lost
        store(there, 4)
        with pytest.raises(WarehouseOvertaken, match="Nothing is lost: the next run loads its exports again"):
            session.publish()
    assert seen(here.published, tmp_path / "copies") == [1, 3, 4]


def test_a_copy_for_readers_is_fetched_once_for_each_version(
    here: Warehouse, published: UPath, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "copies"
    for number in (1, 2, 3):
        store(here, number)
        assert len(seen(here.published, copies)) == number
    assert len(list(copies.iterdir())) == 2  # the one before stays for a program that is about to open it
    with monkeypatch.context() as patched:
        patched.setattr(type(published.fs), "get_file", lambda *_, **__: pytest.fail("fetched again"))
        assert seen(here.published, copies) == [1, 2, 3]


def test_a_copy_without_its_note_or_that_is_damaged_is_restored(here: Warehouse, tmp_path: Path) -> None:
    store(here, 1)
    store(here, 2, publishes=False)
    (note,) = here.working.parent.glob("*.origin.json")
    note.write_text("{")
    store(here, 3)
    assert seen(here.published, tmp_path / "copies") == [1, 3]
    here.working.write_bytes(here.working.read_bytes()[:5000])
    store(here, 4)
    assert seen(here.published, tmp_path / "copies") == [1, 3, 4]


def test_a_published_file_that_is_gone_is_published_again(here: Warehouse, tmp_path: Path) -> None:
    store(here, 1)
    here.published.unlink()
    store(here, 2)
    assert seen(here.published, tmp_path / "copies") == [1, 2]


def test_the_file_of_another_program_is_not_replaced(here: Warehouse) -> None:
    here.published.parent.mkdir(parents=True, exist_ok=True)
    here.published.write_bytes(b"somebody's notes, which are no database of ours")
    with pytest.raises(WarehouseUnusable, match=r"memory://lake/warehouse/tiktok\.duckdb: is not a DuckDB file"):
        store(here, 1)
    assert here.published.read_bytes().startswith(b"somebody's notes")


def test_a_damaged_published_file_of_ours_is_replaced(
    here: Warehouse, there: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store(there, 1)
    here.published.write_bytes(here.published.read_bytes()[:5000])
    with caplog.at_level(logging.WARNING):
        store(here, 2)
    assert "every table is made again" in caplog.text
    assert seen(here.published, tmp_path / "copies") == [2]


def test_a_copy_that_was_published_over_is_not_ahead_and_one_that_is_published_nowhere_is(
    here: Warehouse, there: Warehouse
) -> None:
    store(here, 1)
    store(here, 2, publishes=False)
    assert here.is_behind()
    store(there, 3)
    assert not here.is_behind()  # what is only in it is loaded again
    UPath(here.published).unlink()
    assert here.is_behind()
