"""The lake: a file is complete or absent, on this machine and in any storage that fsspec knows."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
from upath import UPath

from tiktok_assets import read
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake, files_in, free_name
from tiktok_assets.storage.published import published_copy
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import FIRST, LAST, account, drop_export, export

ROWS = pl.DataFrame({"a": [1, 2, 3]})


def scratch(settings: Settings) -> list[Path]:
    folder = settings.state / "scratch"
    return list(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize("rows", [ROWS, ROWS.lazy()], ids=["eager", "lazy"])
def test_a_file_appears_under_its_name_only_when_it_is_complete(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, rows: pl.DataFrame | pl.LazyFrame
) -> None:
    lake, scans = Lake(settings), []
    path = lake.partition_file("staging", "overview", "pig1987", FIRST.replace(day=1))
    data = Path(str(settings.data_dir))
    real = os.fsync

    def watched(handle: int) -> None:
        scans.append([file for layer in ("landing", "raw", "staging", "curated") for file in (data / layer).rglob("*")])
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    lake.write(path, rows)
    assert scans == [[]]  # flushed to disk once, and until then nothing in a folder that anybody scans
    assert pl.read_parquet(str(path)).equals(ROWS)
    assert scratch(settings) == []


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_crash_while_a_file_is_written_leaves_the_old_one_and_no_trace(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    lake = Lake(settings)
    path = settings.raw / "exports" / "note.json"
    lake.write_bytes(path, b"old")

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", crash) if moment == "fsync" else patch.setattr(Path, "replace", crash)
        for write in (lambda: lake.write_bytes(path, b"new"), lambda: lake.write(path, ROWS)):
            with pytest.raises(KeyboardInterrupt):
                write()
    assert path.read_bytes() == b"old"
    assert [file.name for file in files_in(path.parent)] == ["note.json"]
    assert scratch(settings) == []


def test_a_frame_that_cannot_be_computed_leaves_the_old_file(settings: Settings) -> None:
    lake, path = Lake(settings), settings.staging / "data.parquet"
    lake.write(path, ROWS)
    with pytest.raises(pl.exceptions.PolarsError):
        lake.write(path, ROWS.lazy().select(pl.col("missing")))
    assert pl.read_parquet(str(path)).equals(ROWS)
    assert scratch(settings) == []


@pytest.mark.parametrize("way", ["rename", "another disk", "a link"])
def test_moving_keeps_bytes_and_time(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"content")
    os.utime(path, (1_750_000_000, 1_750_000_000))
    if way == "a link":
        (tmp_path / "link.csv").symlink_to(path)
        path = tmp_path / "link.csv"
    if way == "another disk":
        monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(18, "Invalid cross-device link")))
    target = settings.quarantine / "file.csv"
    Lake(settings).move(UPath(path), target)
    assert not path.exists()
    assert target.read_bytes() == b"content"
    assert target.stat().st_mtime == 1_750_000_000
    assert not Path(str(target)).is_symlink()


def test_a_file_that_cannot_be_deleted_is_not_half_moved(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = UPath(tmp_path / "file.csv"), settings.quarantine / "file.csv"
    path.write_bytes(b"content")
    refused = PermissionError(13, "Permission denied")
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(refused))
    real = Path.unlink

    def unlink(file: Path, missing_ok: bool = False) -> None:
        if file == path:
            raise refused
        real(file, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    with pytest.raises(PermissionError):
        Lake(settings).move(path, target)
    assert path.exists()
    assert not target.exists()


def test_a_free_name_leaves_room_for_the_note_of_another(tmp_path: Path) -> None:
    for name in ("a.csv", "a~2.csv.json", "a~3.csv"):
        (tmp_path / name).touch()
    assert free_name(UPath(tmp_path / "a.csv"), note=".json").name == "a~4.csv"
    assert free_name(UPath(tmp_path / "a.csv")).name == "a~2.csv"
    assert free_name(UPath(tmp_path / "b.csv"), note=".json").name == "b.csv"


def test_exclusive_work_waits_for_another_process(settings: Settings) -> None:
    lake, order = Lake(settings), []
    entered, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with lake.alone("intake"):
            entered.set()
            go_on.wait(10)
            order.append("first")

    def second() -> None:
        with lake.alone("intake"):
            order.append("second")

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    entered.wait(10)
    threads[1].start()
    threads[1].join(0.3)
    assert order == []
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


def test_a_missing_folder_is_empty_and_an_unreadable_one_is_an_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert files_in(settings.raw) == []
    assert files_in(UPath("memory://nowhere/at/all")) == []

    def closed(folder: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(type(settings.raw), "iterdir", closed)
    with pytest.raises(PermissionError):
        files_in(settings.raw)


# --- other storage ---------------------------------------------------------------------------------------------------


def test_a_copy_on_this_machine_keeps_name_and_time(remote: Settings) -> None:
    path = remote.landing / "Overview.csv"
    path.write_bytes(b"content")
    with local_copy(path) as copy:
        assert (copy.name, copy.read_bytes()) == ("Overview.csv", b"content")
        assert copy.stat().st_mtime == pytest.approx(path.fs.modified(path.path).timestamp(), abs=1)
    path.write_bytes(b"changed")
    with local_copy(path) as copy:
        assert copy.read_bytes() == b"changed"


def test_the_whole_pipeline_works_on_remote_storage(remote: Settings, tmp_path: Path) -> None:
    for section in ("overview", "viewers", "followers", "content"):
        made = export("pig1987", section)
        remote.landing.mkdir(parents=True, exist_ok=True)
        (remote.landing / made.name).write_bytes(made.content)
    (remote.landing / "strange.csv").write_bytes(b"no export")

    result = process(remote, instance=fresh())

    assert [(one.account, one.succeeded, one.error) for one in result.accounts] == [("pig1987", True, None)]
    assert [one.moved_to for one in result.intake.rejected] == [str(remote.quarantine / "strange.csv")]
    with duckdb.connect(str(published_copy(remote)), read_only=True) as warehouse:
        found = warehouse.sql("select date, video_views from social_media_stats order by all").fetchall()
    assert found == [(truth.day, truth.video_views) for truth in account("pig1987").days if FIRST <= truth.day <= LAST]
    assert read("curated/account_daily", columns=["date", "video_views"], settings=remote).rows() == found
    again = process(remote, instance=fresh())
    assert (again.accounts, again.intake.landed) == ((), ())
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"state"}
    assert (remote.landing / "pig1987" / export("pig1987", "content").name).read_bytes() == export(
        "pig1987", "content"
    ).content


def test_exports_from_this_machine_go_to_remote_storage(remote: Settings, tmp_path: Path) -> None:
    here = remote.model_copy(update={"landing_path": UPath(tmp_path / "inbox")})
    made = drop_export(remote.model_copy(update={"data_dir": UPath(tmp_path)}), "pig1987", "overview")
    (tmp_path / "landing").rename(tmp_path / "inbox")
    result = process(here, instance=fresh())
    assert [one.succeeded for one in result.accounts] == [True]
    assert (remote.landing / "pig1987" / made.name).read_bytes() == made.content
    assert list((tmp_path / "inbox").iterdir()) == []
