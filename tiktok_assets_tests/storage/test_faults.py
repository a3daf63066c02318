"""What the system refuses, as a sentence with the path and the remedy; and files that are not ours."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import sqlite3
import tempfile
import time
from pathlib import Path

import duckdb
import pytest

from tiktok_assets.exports.long_frames import FOLDERS
from tiktok_assets.failures import WarehouseUnusable
from tiktok_assets.settings import Settings
from tiktok_assets.storage.atomic import naming
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.faults import sentence_of
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.warehouse_files import opened


@pytest.mark.parametrize(
    ("number", "says", "remedy"),
    [
        (errno.ENOSPC, "the disk is full", "Free some space"),
        (errno.EDQUOT, "the disk is full", "Free some space"),
        (errno.EROFS, "can only be read", "Mount it writable"),
        (errno.EACCES, "may not read or write", "chown"),
        (errno.ESTALE, "does not answer", "mounted"),
        (errno.ENOLCK, "has no locks", "TIKTOK_DATA_DIR"),
        (errno.ENOTDIR, "a file is where a folder is needed", "Move it away"),
        (errno.ENAMETOOLONG, "cannot be used", "run this again"),
    ],
)
def test_a_refusal_of_the_system_names_the_path_and_the_remedy(number: int, says: str, remedy: str) -> None:
    sentence = sentence_of(OSError(number, os.strerror(number), "/data/state/x"))
    assert sentence is not None
    assert sentence.startswith("/data/state/x: ") and says in sentence and remedy in sentence
    assert os.strerror(number) in sentence


def test_an_error_without_a_path_gets_that_of_the_data_folder() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    assert (sentence_of(full, "/data") or "").startswith("/data: the disk is full")
    assert (sentence_of(full) or "").startswith("The disk is full. Free some space")
    for refused in (OSError(errno.ENOSPC, "No space left on device"), OSError("No space left on device (os error 28)")):
        with pytest.raises(OSError, match="/data/x") as caught, naming(Path("/data/x")):
            raise refused
        assert (sentence_of(caught.value) or "").startswith("/data/x: the disk is full")


def test_what_polars_and_an_error_behind_another_say_is_understood() -> None:
    assert "may not" in (sentence_of(OSError("Permission denied (os error 13)")) or "")
    outer = RuntimeError("the step failed")
    outer.__cause__ = OSError(errno.EROFS, "Read-only file system", "/data/raw")
    assert (sentence_of(outer) or "").startswith("/data/raw: it can only be read")


@pytest.mark.parametrize("error", [KeyError("disk"), ConnectionRefusedError(111, "Connection refused"), OSError("odd")])
def test_a_bug_of_ours_and_a_network_are_no_fault_of_the_disk(error: Exception) -> None:
    assert sentence_of(error) is None


# --- locks -----------------------------------------------------------------------------------------------------------


def test_a_file_system_without_locks_is_found_at_the_first_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    for name, flock in (("refuses", refused), ("grants everything", lambda *_: None)):
        monkeypatch.setattr(fcntl, "flock", flock)
        with pytest.raises(OSError) as caught, FileLocks(tmp_path / name).hold("intake"):
            pytest.fail("held")
        assert (sentence_of(caught.value) or "").startswith(f"{tmp_path / name}: its file system has no locks")
        assert list((tmp_path / name).iterdir()) == []


# --- orphans ---------------------------------------------------------------------------------------------------------


def test_what_killed_processes_left_goes_after_a_day(settings: Settings) -> None:
    lake, long_ago = Lake(settings), time.time() - 25 * 3600
    kept, gone = list[Path](), list[Path]()
    for name, when, into in (
        ("scratch/.young", time.time(), kept),
        ("scratch/.old", long_ago, gone),
        ("tmpold", long_ago, gone),
        ("tmpfuture", time.time() + 10**9, kept),
        ("sessions", long_ago, kept),
    ):
        folder = settings.state / name
        folder.mkdir(parents=True)
        (folder / "data.parquet").write_bytes(b"x")
        os.utime(folder / "data.parquet", (when, when))
        os.utime(folder, (when, when))
        into.append(folder)
    busy = settings.state / "tmpbusy"
    busy.mkdir()
    (busy / "young").write_bytes(b"x")
    os.utime(busy, (long_ago, long_ago))
    lake.remove_orphans()
    assert [path.exists() for path in (*kept, busy)] == [True] * 4
    assert [path.exists() for path in gone] == [False] * 2


# --- warehouse files that are not ours -------------------------------------------------------------------------------


def database(path: Path, statement: str) -> Path:
    with duckdb.connect(path) as connection:
        connection.execute(statement)
    return path


def of_version(path: Path, version: int) -> None:
    """As a later DuckDB writes its header: the version, and the checksum of it, which DuckDB's own message says."""
    content = bytearray(path.read_bytes())
    content[12:20] = version.to_bytes(8, "little")
    path.write_bytes(content)
    with pytest.raises(duckdb.Error) as caught:
        duckdb.connect(path)
    content[:8] = int(re.findall(r"computed checksum (\d+)", str(caught.value))[0]).to_bytes(8, "little")
    path.write_bytes(content)


def test_a_file_that_is_no_warehouse_of_ours_is_neither_opened_nor_changed(tmp_path: Path) -> None:
    text = tmp_path / "text.duckdb"
    text.write_text("my own notes, longer than a header\n")
    foreign = database(tmp_path / "foreign.duckdb", "create table mine as select 42 as answer")
    newer = database(tmp_path / "newer.duckdb", "create table ours as select 1 as a")
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(newer.read_bytes()[:8] + b"DUCK" + bytes(8) + newer.read_bytes()[20:])
    of_version(newer, 1000)
    for path, says in (
        (text, "is not a DuckDB file"),
        (foreign, "is a database of another program"),
        (newer, "was written by a newer version of DuckDB"),
        (damaged, "is damaged"),
    ):
        before = path.read_bytes()
        with pytest.raises(
            WarehouseUnusable, match=rf"^{path}: {says}.*Move it away, then run `tiktok-assets rebuild`"
        ):
            opened(path, ["ours"])
        assert path.read_bytes() == before


def test_rows_that_a_killed_process_left_in_the_temporary_folder_are_removed_after_a_day(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    old, new, other = (tmp_path / "temporary" / name for name in (f"{FOLDERS}a", f"{FOLDERS}b", "tiktok-assets-c"))
    for folder in (old, new, other):
        folder.mkdir(parents=True)
        (folder / "000000.parquet").touch()
        if folder != new:
            for path in (folder / "000000.parquet", folder):
                os.utime(path, (time.time() - 25 * 3600, time.time() - 25 * 3600))
    Lake(settings).remove_orphans()
    assert set((tmp_path / "temporary").iterdir()) == {new, other}


def test_a_storage_that_does_not_answer_or_wants_a_login_is_a_sentence() -> None:
    exceptions = pytest.importorskip("botocore.exceptions")
    away = exceptions.EndpointConnectionError(endpoint_url="http://127.0.0.1:9/b")
    sentence = sentence_of(away, "s3://b/data") or ""
    assert sentence.startswith("s3://b/data: cannot be reached (Could not connect")
    assert "AWS_ENDPOINT_URL is right, then run this again" in sentence
    assert "Set AWS_ACCESS_KEY_ID" in (sentence_of(exceptions.NoCredentialsError()) or "")
    assert sentence_of(exceptions.ParamValidationError(report="a bug of ours")) is None


def test_a_file_of_somebody_elses_is_not_overwritten_by_publishing(tmp_path: Path) -> None:
    working, published = tmp_path / "state" / "warehouse.duckdb", tmp_path / "warehouse" / "tiktok.duckdb"
    warehouse = Warehouse(working, published, descriptions={"ours": ("one row", {})})
    published.parent.mkdir()
    for content in (b"notes of mine", database(tmp_path / "x.duckdb", "create table mine as select 42 a").read_bytes()):
        published.write_bytes(content)
        with warehouse.session() as session:
            session.connection.execute("create or replace table ours as select 1 as a")
            with pytest.raises(WarehouseUnusable, match=r"tiktok\.duckdb: .* then run `tiktok-assets process`"):
                session.publish()
        assert published.read_bytes() == content
    published.write_bytes(b"")
    for _ in range(2):  # over an empty file, then over our own
        with warehouse.session() as session:
            session.publish()
    assert opened(published, read_only=True).execute("from ours").fetchall() == [(1,)]
