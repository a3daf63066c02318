"""Object storage without a server: looks, the index of what is known, and copies, in fsspec's memory."""

from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pytest
from upath import UPath

from tiktok_assets.inbox import quarantine as quarantining
from tiktok_assets.inbox.identities import identities, identity
from tiktok_assets.inbox.quarantine import in_quarantine, quarantine
from tiktok_assets.pipeline.previous_lake import PreviousLake
from tiktok_assets.settings import InvalidSettings, Settings, load_settings
from tiktok_assets.storage import copies, objects
from tiktok_assets.storage.copies import Copies, local_copy
from tiktok_assets.storage.lake import Lake, files_in, read_many
from tiktok_assets.storage.look import exists, is_missing, looking, names_in


def test_a_look_lists_once_knows_its_own_changes_and_ends_with_its_block(remote: Settings) -> None:
    lake, folder = Lake(remote), remote.landing
    objects.write(folder / "old.csv", b"old")
    with looking([folder]):
        assert names_in(folder) == ["old.csv"]
        objects.write(folder / "of another.csv", b"")  # not through the lake: as another process does
        assert (names_in(folder), is_missing(folder / "of another.csv")) == (["old.csv"], True)
        lake.write_bytes(folder / "a" / "own.csv", b"own")
        assert (sorted(names_in(folder)), exists(folder / "a")) == (["a", "old.csv"], True)
        lake.remove(folder / "a" / "own.csv")
        assert (names_in(folder), exists(folder / "a")) == (["old.csv"], False)
    assert sorted(names_in(folder)) == ["of another.csv", "old.csv"]
    assert not is_missing(folder / "nowhere.csv")  # without a look nobody knows before he has asked


def test_whoever_holds_a_lock_sees_the_present(remote: Settings) -> None:
    lake, path = Lake(remote), remote.raw / "exports" / "new.json"
    with lake.looking():
        assert not exists(path)
        objects.write(path, b"{}")
        with lake.alone("receipts"):
            assert exists(path)
        assert exists(path)  # the look around it has listed again


def test_no_process_reads_an_object_twice(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, path = Lake(remote), remote.landing / "pig1987" / "a.csv"
    objects.write(path, b"content")
    with identities(lake):
        digest = identity(path)
    monkeypatch.setattr("tiktok_assets.inbox.identities._known", {})
    monkeypatch.setattr("tiktok_assets.inbox.identities._read_files", set())
    with monkeypatch.context() as unread:
        unread.setattr("tiktok_assets.inbox.identities.local_copy", None)
        with identities(lake):
            assert identity(path) == digest
    objects.write(path, b"another")
    assert identity(path) != digest


def test_a_damaged_index_is_made_anew(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, path, index = Lake(remote), remote.landing / "a.csv", remote.raw / "identities" / "00000001-damaged.json"
    monkeypatch.setattr("tiktok_assets.inbox.identities._known", {})
    objects.write(path, b"content")
    objects.write(index, b'{"half')
    with identities(lake):
        digest = identity(path)
    (written,) = files_in(index.parent)
    assert digest.encode() in objects.read(written)


def test_the_index_grows_by_few_files_and_forgets_what_is_gone(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, written, real = Lake(remote), list[int](), objects.write

    def noted(path: UPath, content: bytes | Path, **how: bool) -> None:
        if isinstance(content, bytes) and path.parent.name == "identities":
            written.append(content.count(b"/landing/"))
        real(path, content, **how)

    monkeypatch.setattr(objects, "write", noted)
    paths = [remote.landing / "pig1987" / f"{number:02}.csv" for number in range(32)]
    for path in paths:
        objects.write(path, path.name.encode())
        with lake.looking(), identities(lake):
            identity(path)
        assert len(files_in(remote.raw / "identities")) <= 6
    assert sum(written) < 32 * 5  # all of it each time would be 528
    assert max(written) > 4

    for path in paths[1:]:
        objects.remove(path)
    objects.write(archived := remote.archive / "pig1987" / "01.csv", b"01.csv")
    with lake.looking(), identities(lake):
        identity(archived)
    for name in files_in(remote.raw / "identities"):
        objects.remove(name)
    objects.write(remote.landing / "pig1987" / "99.csv", b"99.csv")
    with lake.looking(), identities(lake):
        identity(remote.landing / "pig1987" / "99.csv")
    (content,) = read_many(files_in(remote.raw / "identities"))
    assert [name.rpartition("/data/")[2] for name in sorted(json.loads(content or b"{}"))] == [
        "archive/pig1987/01.csv",
        "landing/pig1987/00.csv",
        "landing/pig1987/99.csv",
    ]


def test_an_index_of_one_file_as_former_versions_wrote_it_is_read_and_replaced(remote: Settings) -> None:
    lake, former, first = Lake(remote), remote.raw / "exports" / "identities.json", remote.landing / "1.csv"
    objects.write(first, b"first")
    known = objects.entry(first)
    objects.write(former, json.dumps({str(first): ((known.size, known.changed, known.tag), "known")}).encode())
    with lake.looking(), identities(lake):
        assert identity(first) == "known"
    assert former.exists()  # as long as there is nothing to add
    objects.write(second := remote.landing / "2.csv", b"second")
    with lake.looking(), identities(lake):
        identity(second)
    (content,) = read_many(files_in(remote.raw / "identities"))
    assert json.loads(content or b"{}").keys() == {str(first), str(second)}
    assert not former.exists()


def test_copies_in_use_stay_and_the_others_make_room(remote: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_MOST_KEPT", 10)
    first, second = remote.landing / "1.csv", remote.landing / "2.csv"
    for path in (first, second):
        objects.write(path, b"12345678")
    with local_copy(first) as used:
        with local_copy(second) as other:
            assert other.read_bytes() == b"12345678"
        assert (used.exists(), other.exists()) == (True, False)
    with local_copy(first) as again:
        assert again == used


def test_nothing_in_quarantine_is_overwritten_by_one_who_takes_the_name_meanwhile(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, path = Lake(remote), remote.landing / "a.csv"
    objects.write(path, b"bad")
    real, others = quarantining.free_name, iter([remote.quarantine / "a.csv"])

    def free_name(path: UPath, note: str) -> UPath:
        found = real(path, note=note)
        for other in others:
            objects.write(other, b"of another process")
            objects.write(other.parent / f"{other.name}.json", b"{}")
        return found

    monkeypatch.setattr(quarantining, "free_name", free_name)
    with lake.looking():
        rejected = quarantine(lake, path, quarantining.ExportProblem("a.csv: is no export"))
    assert rejected.moved_to == str(remote.quarantine / "a~2.csv")
    assert read_many(in_quarantine(lake)) == [b"of another process", b"bad"]
    assert not path.exists()


@pytest.mark.parametrize("killed_at", ["the copy", "the deletion", "the rebuild"])
def test_a_rebuild_that_is_killed_loses_nothing(
    remote: Settings, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    old = {remote.raw / "a.parquet": b"a", remote.curated / "t" / "b.parquet": b"b"}
    for path, content in old.items():
        objects.write(path, content)
    if killed_at != "the rebuild":
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(objects, "copy" if killed_at == "the copy" else "remove", _killed_at_the_second(killed_at))
            PreviousLake(remote).set_aside()
    else:
        PreviousLake(remote).set_aside()
        assert files_in(remote.raw) == []
        objects.write(remote.raw / "half.parquet", b"half")
    PreviousLake(remote).restore()
    assert {key: objects.read(UPath(f"memory:/{key}")) for key in objects.objects_below(remote.data_dir)} == {
        path.path: content for path, content in old.items()
    }
    assert not PreviousLake(remote).exists()


@pytest.mark.parametrize("other", ["restored it", "ended it and was killed in one of its own"])
def test_a_machine_that_was_killed_in_a_rebuild_never_gets_a_warehouse_back_that_has_grown_since(
    remote: Settings, other: str
) -> None:
    objects.write(remote.raw / "a.parquet", b"a")
    remote.working_warehouse.parent.mkdir(parents=True, exist_ok=True)
    remote.working_warehouse.write_bytes(b"old")
    PreviousLake(remote).set_aside()  # and killed
    assert not remote.working_warehouse.exists()
    elsewhere = remote.model_copy(update={"local_dir": Path(str(remote.state)) / "other"})
    assert elsewhere.working_warehouse != remote.working_warehouse
    PreviousLake(elsewhere).restore()
    if other != "restored it":
        PreviousLake(elsewhere).set_aside()
    remote.working_warehouse.write_bytes(b"grown")
    PreviousLake(remote).restore()
    assert remote.working_warehouse.read_bytes() == b"grown"
    assert (objects.read(remote.raw / "a.parquet"), PreviousLake(remote).exists()) == (b"a", False)


def _killed_at_the_second(killed_at: str) -> object:
    calls, real = [], objects.copy if killed_at == "the copy" else objects.remove

    def killed(*paths: UPath) -> None:
        calls.append(paths)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*paths)

    return killed


def test_s3_without_its_package_is_one_line_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(protocol: str) -> type:
        raise ImportError(f"Install s3fs to access {protocol}")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(InvalidSettings) as refused:
        load_settings(data_dir="s3://bucket/folder")
    _, line, _ = str(refused.value).split("\n")
    assert line.startswith(
        "TIKTOK_DATA_DIR='s3://bucket/folder': S3 needs the extra `cluster`: `uv sync --extra cluster`"
    )


def test_an_object_that_is_replaced_while_it_is_moved_is_not_lost(remote: Settings) -> None:
    lake, path, target = Lake(remote), remote.landing / "a.csv", remote.landing / "pig1987" / "a.csv"
    objects.write(path, b"old")
    with lake.looking():
        with local_copy(path) as copy:
            assert copy.read_bytes() == b"old"
        objects.write(path, b"new")  # by somebody else
        with pytest.raises(OSError, match="replaced meanwhile"):
            lake.move(path, target)
    assert (path.read_bytes(), target.exists()) == (b"new", False)


def test_a_copy_that_was_just_fetched_makes_no_room_for_others(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class WithOtherThreads(Copies):
        def _taken(self, key: copies.Key) -> Path | None:
            with self._lock:
                self._make_room()  # another thread is done with its copy at this moment
            return super()._taken(key)

    monkeypatch.setattr(copies, "_MOST_KEPT", 0)
    objects.write(path := remote.landing / "a.csv", b"content")
    kept = WithOtherThreads()
    with kept.lent(path) as copy, kept.lent(path) as again:
        assert (copy.read_bytes(), again) == (b"content", copy)
    assert not copy.exists()
