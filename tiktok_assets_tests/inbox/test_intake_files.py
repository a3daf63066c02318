"""Files in the landing folders, whatever people, browsers and file systems do to them."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from upath import UPath

from tiktok_assets.inbox import files as dropped
from tiktok_assets.inbox.files import state_of
from tiktok_assets.inbox.identities import identity
from tiktok_assets.inbox.quarantine import sentence
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.export_files import deflated
from tiktok_assets_tests.inbox.intake_looks import landed, look, pretend_processed
from tiktok_assets_tests.landing_files import (
    drop,
    drop_export,
    export,
    insights,
    is_kept,
    landing,
    names_in,
)

# --- files that change meanwhile -------------------------------------------------------------------------------------


def test_a_zip_that_is_being_written_is_left_alone_until_it_is_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropped, "LOOK_AGAIN", 0.2)
    made = export("pig1987", "content")
    path = drop(b"", landing(settings), made.name, age=0)
    step = len(made.content) // 30

    def write() -> None:
        with path.open("ab") as file:
            for start in range(0, len(made.content), step):
                file.write(made.content[start : start + step])
                file.flush()
                time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    looks = []
    while writer.is_alive():
        looks.append(look(settings))
    writer.join()

    during, end = looks[0], look(settings)
    assert (during.waiting, during.landed, during.rejected) == ((str(path),), (), ())
    assert landed(end) == [("pig1987", made.name)]
    assert (landing(settings) / "pig1987" / made.name).read_bytes() == made.content


@pytest.mark.parametrize("cut", [20, 300])
def test_a_file_that_grew_a_moment_ago_is_not_called_damaged_by_the_sensor(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    monkeypatch.setattr(dropped, "LOOK_AGAIN", 0.0)
    content = export("pig1987", "overview").members["Overview.csv"][:cut]
    path = drop(content, landing(settings) / "pig1987", "Overview.csv", age=1)
    assert look(settings, settle_seconds=10).waiting == (str(path),)
    drop(content, landing(settings) / "pig1987", "Overview.csv", age=11)
    assert len(look(settings, settle_seconds=10).rejected) == 1


def test_a_damaged_file_from_the_future_is_not_waited_for(settings: Settings) -> None:
    drop(b"PK damaged", landing(settings), "Overview_pig1987.zip", age=-86_400)
    assert [one.reason for one in look(settings, settle_seconds=10).rejected] == ["broken_file"]


def test_a_file_that_vanishes_while_it_is_read_is_skipped(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    made = drop_export(settings, "pig1987", "overview", folder="pig1987")
    gone = [drop(b"x", landing(settings), name) for name in ("0.csv", "1.csv", "2.csv")]
    before_list, before_look, before_read = iter(gone)
    real_walk, real_state, real_open = dropped.files_below, dropped.state_of, Path.open

    def walk(*args: Any, **kwargs: Any) -> Iterator[UPath]:
        for path in real_walk(*args, **kwargs):
            if path.name == before_list.name:
                path.unlink()
            yield path

    def state(path: UPath) -> dropped.State:
        if path.name == before_look.name:
            path.unlink(missing_ok=True)
        return real_state(path)

    def opened(path: Path, *args: Any, **kwargs: Any) -> IO[Any]:
        if path.name == before_read.name:
            path.unlink(missing_ok=True)
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr("tiktok_assets.inbox.intake.files_below", walk)
    monkeypatch.setattr(dropped, "state_of", state)
    monkeypatch.setattr(Path, "open", opened)
    intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    assert (intake.rejected, intake.unreadable) == ((), ())


def test_a_file_replaced_by_one_of_equal_size_and_time_is_another_file(settings: Settings) -> None:
    path = drop(b"Date,Video Views\n", landing(settings), "a.csv")
    first = identity(Lake(settings).settings.landing / "a.csv")
    kept = path.stat()
    path.write_bytes(b"Date,Video views\n")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert identity(Lake(settings).settings.landing / "a.csv") != first


# --- what file systems hold ------------------------------------------------------------------------------------------


def test_circular_links_pipes_and_broken_links_stop_nothing(settings: Settings) -> None:
    home = landing(settings) / "pig1987"
    made = drop_export(settings, "pig1987", "overview", folder="pig1987")
    (home / "again").symlink_to(landing(settings))
    (home / "nothing.zip").symlink_to(home / "missing.zip")
    os.mkfifo(landing(settings) / "pipe.csv")
    intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    assert (intake.rejected, intake.unreadable) == ((), ())


def test_files_behind_a_linked_folder_are_copied_and_never_moved(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    made = export("pig1987", "viewers")
    original = drop(made.content, elsewhere, made.name)
    original.chmod(0o640)
    broken = drop(b"PK damaged", elsewhere, "Overview_pig1987.zip")
    landing(settings).mkdir(parents=True)
    (landing(settings) / "linked").symlink_to(elsewhere)
    before = {path: state_of(UPath(path)) for path in (original, broken)}

    for _ in range(2):
        intake = look(settings)
        assert landed(intake) == [("pig1987", made.name)]
        assert intake.rejected == ()
        assert any("Overview_pig1987.zip" in message for message in intake.left_alone)

    copy = landing(settings) / "pig1987" / made.name
    assert copy.read_bytes() == made.content
    assert copy.stat().st_mode == original.stat().st_mode
    assert {path: state_of(UPath(path)) for path in (original, broken)} == before


def test_bad_files_in_a_linked_account_folder_stay_there(settings: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    made = export("pig1987", "viewers")
    drop(made.content, elsewhere, made.name)
    drop(b"PK damaged", elsewhere, "Overview_pig1987.zip")
    landing(settings).mkdir(parents=True)
    (landing(settings) / "pig1987").symlink_to(elsewhere)
    intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    assert names_in(elsewhere) == sorted([made.name, "Overview_pig1987.zip"])
    assert any("damaged" in message for message in intake.left_alone)


def test_sockets_devices_and_hard_links_lose_nothing_outside_landing(settings: Settings, tmp_path: Path) -> None:
    made = export("pig1987", "viewers")
    outside = drop(made.content, tmp_path / "elsewhere", made.name)
    broken = drop(b"PK damaged", tmp_path / "elsewhere", "Overview_pig1987.zip")
    broken.chmod(0o604)
    landing(settings).mkdir(parents=True)
    for path in (outside, broken):
        (landing(settings) / path.name).hardlink_to(path)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listening, contextlib.chdir(landing(settings)):
        listening.bind("Content_pig1987.zip")
        if os.geteuid() == 0:
            os.mknod("Followers_pig1987.zip", 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
        intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    assert [one.reason for one in intake.rejected] == ["broken_file"]
    assert (outside.read_bytes(), broken.read_bytes()) == (made.content, b"PK damaged")
    assert broken.stat().st_mode & 0o777 == 0o604


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_files_in_a_mounted_folder_are_copied_and_never_moved(settings: Settings, tmp_path: Path) -> None:
    elsewhere, mounted = tmp_path / "else where", landing(settings) / "usb stick"
    made = export("pig1987", "viewers")
    original = drop(made.content, elsewhere, made.name)
    broken = drop(b"PK damaged", elsewhere, "Overview_pig1987.zip")
    mounted.mkdir(parents=True)
    if subprocess.run(["mount", "--bind", elsewhere, mounted], check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        intake = look(settings)
    finally:
        subprocess.run(["umount", mounted], check=True)
    assert landed(intake) == [("pig1987", made.name)]
    assert intake.rejected == ()
    assert original.exists() and broken.exists()


NASTY = "Viewers_pig1987\n\x1b[2J\u202e\r.zip"


def test_a_name_with_ends_of_lines_breaks_no_message(settings: Settings) -> None:
    drop(b"PK damaged", landing(settings), NASTY)
    drop(b"PK damaged", landing(settings) / "nobody\n's", "x\udcff\n.csv")
    intake = look(settings)
    assert len(intake.rejected) == 2
    for one in intake.rejected:
        for text in (one.file, one.moved_to, one.message, sentence(Lake(settings), one)):
            assert text.isprintable(), text
        assert Path(one.moved_to).exists()
    assert names_in(landing(settings)) == []


def test_an_export_whose_name_has_ends_of_lines_is_taken_in(settings: Settings) -> None:
    made = export("pig1987", "viewers")
    drop(made.content, landing(settings), NASTY)
    assert [account for account, _ in landed(look(settings))] == ["pig1987"]
    copy = drop(made.content, landing(settings), "Viewers_pig1987.zip")
    (message,) = look(settings).left_alone
    assert message.isprintable() and copy.exists()


def test_folders_of_an_account_that_differ_in_case_are_the_accounts(settings: Settings) -> None:
    first = drop_export(settings, "pig1987", "viewers", folder="pig1987")
    second = drop(export("pig1987", "overview").members["Overview.csv"], landing(settings) / "PIG1987", "Overview.csv")
    third = drop(export("pig1987", "content").content, landing(settings), "content_PIG1987.zip")
    assert sorted(source for _, source in landed(look(settings))) == sorted([first.name, second.name, third.name])


def test_a_folder_that_vanishes_or_does_not_answer_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = drop_export(settings, "pig1987", "overview", folder="pig1987")
    gone = drop(b"x", landing(settings) / "gone", "0.csv")
    dead = drop(b"x", landing(settings) / "dead", "1.csv")
    real_state = dropped.state_of

    def state(path: UPath) -> dropped.State:
        if path.name == gone.name:
            shutil.rmtree(gone.parent, ignore_errors=True)
        if path.name == dead.name:
            raise OSError(errno.ESTALE, "Stale file handle", str(path))
        return real_state(path)

    monkeypatch.setattr(dropped, "state_of", state)
    monkeypatch.setattr("tiktok_assets.inbox.contents.state_of", state)
    intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    (message,) = intake.unreadable
    assert "1.csv" in message and "Stale file handle" in message
    assert dead.exists()


def test_a_link_to_a_file_becomes_the_file(settings: Settings, tmp_path: Path) -> None:
    made = export("pig1987", "viewers")
    original = drop(made.content, tmp_path / "elsewhere", made.name)
    landing(settings).mkdir(parents=True)
    (landing(settings) / made.name).symlink_to(os.path.relpath(original, landing(settings)))
    look(settings)
    taken = landing(settings) / "pig1987" / made.name
    assert (taken.is_symlink(), taken.read_bytes()) == (False, made.content)
    assert taken.stat().st_mtime == pytest.approx(original.stat().st_mtime)
    assert original.exists()
    assert not (landing(settings) / made.name).is_symlink()


def test_the_accounts_folder_under_another_name_is_not_moved_into_itself(settings: Settings) -> None:
    """As on a case-insensitive disk, where Pig1987 is pig1987."""
    made = drop_export(settings, "pig1987", "viewers", folder="pig1987")
    (landing(settings) / "Pig1987").symlink_to("pig1987")
    for _ in range(2):
        assert landed(look(settings)) == [("pig1987", made.name)]
        assert (landing(settings) / "pig1987" / made.name).exists()


def test_a_quarantined_file_never_overwrites_another_nor_a_note(settings: Settings) -> None:
    contents = {}
    for round_, names in enumerate((["x.csv", "x.csv.json"], ["x.csv.json", "x.csv"], ["x.csv"])):
        for name in names:
            contents[round_, name] = f"no export {round_} {name}".encode()
            drop(contents[round_, name], landing(settings), name)
        look(settings)
    assert is_kept(settings, contents.values())
    assert len(names_in(Path(str(settings.quarantine)))) == 2 * len(contents)


def test_all_copies_of_a_bad_file_are_quarantined_in_one_look_each_with_its_folder(settings: Settings) -> None:
    places = ["zonea0/Content.zip", "zonea0/april/Content.zip", "zonea0/april/x (1).zip", "pig1987/Content.zip"]
    for place in places:
        path = landing(settings) / place
        drop(b"PK\x03\x04 and no more", path.parent, path.name)
    found = look(settings).rejected
    assert sorted(one.file.partition("landing/")[2] for one in found) == sorted(places)
    assert all("damaged or incomplete" in one.message for one in found)
    assert look(settings).rejected == ()


@pytest.mark.parametrize(
    "name",
    [
        b"Viewers_pig1987 (copi\xe9).zip",
        ("Viewers_" + "x" * 243 + ".zip").encode(),
        b"C:\\Users\\me\\Viewers.zip",
        b"Viewers\n.zip",
        b"." * 2 + b"x" * 200 + b"." + b"y" * 50,
    ],
    ids=["not UTF-8", "255 bytes", "Windows path", "line break", "long suffix"],
)
def test_an_unusable_name_does_not_affect_other_files(settings: Settings, name: bytes) -> None:
    landing(settings).mkdir(parents=True)
    strange = os.fsencode(landing(settings)) + b"/" + name.lstrip(b".")
    with open(strange, "wb") as file:  # noqa: PTH123 - a Path cannot be made of every name
        file.write(b"no export")
    good = drop_export(settings, "pig1987", "overview")
    intake = look(settings)
    assert [one.account for one in intake.landed] == ["pig1987"]
    (rejected,) = intake.rejected
    assert Path(rejected.moved_to).read_bytes() == b"no export"
    assert Path(f"{rejected.moved_to}.json").read_text(encoding="utf-8")
    assert is_kept(settings, [b"no export", good.content])


def test_a_good_export_whose_name_is_not_text_is_kept_and_must_be_renamed(settings: Settings) -> None:
    made = export("pig1987", "viewers")
    for folder in (landing(settings), landing(settings) / "pig1987"):
        folder.mkdir(parents=True, exist_ok=True)
        with open(os.fsencode(folder) + b"/Viewers_pig1987\xff.zip", "wb") as file:  # noqa: PTH123
            file.write(made.content)
        (rejected,) = look(settings).rejected
        assert rejected.reason == "unusable_name"
        assert "Rename it" in rejected.message
        assert Path(rejected.moved_to).read_bytes() == made.content


def test_files_that_systems_and_programs_leave_behind_are_ignored(settings: Settings) -> None:
    for name in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        "~$Overview.xlsx",
        "Viewers_pig1987.zip.crdownload",
        "a.part",
    ):
        drop(b"clutter", landing(settings), name)
    drop(b"clutter", landing(settings) / "__MACOSX", "._Overview.csv")
    intake = look(settings)
    assert (intake.landed, intake.rejected, intake.unreadable) == ((), (), ())
    assert len(names_in(landing(settings))) == 7


def test_500_unknown_files_are_all_quarantined(settings: Settings) -> None:
    for number in range(500):
        drop(b"no export %d" % number, landing(settings), f"{number}.csv")
    assert len(look(settings).rejected) == 500
    assert len(list(settings.quarantine.glob("*.csv"))) == 500


# --- the other landing folder ----------------------------------------------------------------------------------------


def test_exports_are_fetched_from_the_extra_folder_and_other_files_stay(install: Install, tmp_path: Path) -> None:
    settings = install("pig1987", zonea0="zone.a0", landing_path=tmp_path / "Downloads")
    inbox = tmp_path / "Downloads"
    drop(export("pig1987", "viewers").content, inbox, "Viewers_pig1987.zip")
    drop(export("zone.a0", "overview").members["Overview.csv"], inbox / "zonea0", "Overview.csv")
    drop(insights("pig1987"), inbox, "Insights_20250622T160500Z_pig1987.json")
    private = [
        drop(b"Date;Amount\n", inbox, "bank.csv"),
        drop(b"{}", inbox, "insights.json"),
        drop(deflated({"holiday.jpg": b"..."}), inbox, "photos.zip"),
        drop(b"%PDF", inbox, "letter.pdf"),
    ]
    ours = drop(b"PK damaged", inbox, "Content_pig1987.zip")

    intake = look(settings)

    assert sorted(landed(intake)) == [
        ("pig1987", "Insights_20250622T160500Z_pig1987.json"),
        ("pig1987", "Viewers_pig1987.zip"),
        ("zonea0", "Overview.csv"),
    ]
    assert [one.file for one in intake.rejected] == [str(ours)]
    assert all(path.exists() for path in private)
    assert names_in(inbox) == ["bank.csv", "insights.json", "letter.pdf", "photos.zip"]


@pytest.mark.parametrize("extra", ["data/landing", "data/landing/pig1987", "data", ".", "data/quarantine", "a link"])
def test_an_extra_folder_inside_or_around_the_lake_adds_nothing_twice(
    install: Install, tmp_path: Path, extra: str
) -> None:
    if extra == "a link":
        (tmp_path / extra).symlink_to(tmp_path / "data" / "landing")
    settings = install("pig1987", landing_path=tmp_path / extra)
    made = drop_export(settings, "pig1987", "viewers")
    drop(b"PK damaged", landing(settings), "Content_pig1987.zip")

    first = look(settings)
    pretend_processed(settings, first)

    assert landed(first) == [("pig1987", made.name)]
    assert len(first.rejected) == 1
    before = sorted(str(path) for path in (tmp_path / "data").rglob("*"))
    for _ in range(2):
        again = look(settings)
        assert (again.landed, again.rejected, again.unreadable) == ((), (), ())
    assert sorted(str(path) for path in (tmp_path / "data").rglob("*")) == before


def test_an_extra_folder_inside_the_data_folder_is_read(install: Install, tmp_path: Path) -> None:
    settings = install("pig1987", landing_path=tmp_path / "data" / "incoming")
    drop(export("pig1987", "viewers").content, tmp_path / "data" / "incoming", "Viewers_pig1987.zip")
    assert landed(look(settings)) == [("pig1987", "Viewers_pig1987.zip")]


# --- snapshots dated by the files of their visit ---------------------------------------------------------------------

GENDER = b"Gender,Distribution\nMale,0.6\nFemale,0.4"
HISTORY = b"Date,Followers,Difference in followers from previous day\n2025-03-12,100,0\n2025-03-13,101,1"


@pytest.mark.parametrize("layer", ["landing", "archive"])
def test_a_snapshot_has_the_day_of_its_visit_wherever_the_files_beside_it_are(settings: Settings, layer: str) -> None:
    drop(HISTORY, Path(str(getattr(settings, layer))) / "pig1987" / "March", "FollowerHistory.csv")
    drop(GENDER, landing(settings) / "pig1987" / "March", "FollowerGender.csv")
    [gender] = [one for one in look(settings).landed if one.source == "March/FollowerGender.csv"]
    assert [str(month) for month in gender.months] == ["2025-03-01"]
    [warning] = gender.warnings
    assert "dated 2025-03-14 like FollowerHistory.csv beside it" in warning


def test_a_file_that_arrives_beside_a_snapshot_changes_its_day(settings: Settings) -> None:
    drop(GENDER, landing(settings) / "pig1987", "FollowerGender.csv")
    [alone] = look(settings).landed
    drop(HISTORY, landing(settings) / "pig1987", "FollowerHistory.csv")
    [gender] = [one for one in look(settings).landed if one.source == alone.source]
    assert [[str(month) for month in one.months] for one in (alone, gender)] == [["2025-06-01"], ["2025-03-01"]]
