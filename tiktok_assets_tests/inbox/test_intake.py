"""What happens to each file in the landing folders, whatever people, browsers and file systems do to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any

import pytest
from upath import UPath

from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.inbox import files as dropped
from tiktok_assets.inbox.intake import Intake, take_in
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.inbox.test_bad_input import zipped
from tiktok_assets_tests.landing_files import (
    drop,
    drop_export,
    export,
    insights,
    is_kept,
    landing,
    names_in,
)


def look(settings: Settings, *, settle_seconds: float = 0.0) -> Intake:
    return take_in(Lake(settings), load_roster(settings), settle_seconds=settle_seconds)


def landed(intake: Intake) -> list[tuple[str, str]]:
    """Account and place of each export that waits to be processed."""
    return [(one.account, one.source) for one in intake.landed]


def pretend_processed(settings: Settings, intake: Intake) -> None:
    """The receipts that a run leaves."""
    lake = Lake(settings)
    for one in intake.landed:
        lake.write_bytes(lake.raw_folder("exports", one.account) / f"{one.export_id}.v{READER_VERSION}.json", b"{}")


# --- finding the account ---------------------------------------------------------------------------------------------


def test_exports_are_given_to_their_account_by_links_name_or_folder(settings: Settings) -> None:
    content = export("zone.a0", "content").members["Content.csv"]
    history = export("pig1987", "followers").members["FollowerHistory.csv"]
    drop(content, landing(settings), "by its links.csv")
    drop(export("pig1987", "viewers").content, landing(settings), "Viewers_pig1987 (1).zip")
    drop(export("pig1987", "overview").members["Overview.csv"], landing(settings) / "zonea0", "Overview 4.csv")
    drop(history, landing(settings) / "Followers_pig1987", "FollowerHistory.csv")
    drop(export("zone.a0", "viewers").members["Viewers.csv"], landing(settings) / "zone.a0", "by its folder.csv")

    intake = look(settings)

    assert sorted(landed(intake)) == [
        ("pig1987", "Followers_pig1987/FollowerHistory.csv"),
        ("pig1987", "Viewers_pig1987 (1).zip"),
        ("zonea0", "Overview 4.csv"),
        ("zonea0", "by its folder.csv"),
        ("zonea0", "by its links.csv"),
    ]
    assert (intake.rejected, intake.waiting, intake.unreadable) == ((), (), ())
    assert sorted(landed(look(settings))) == sorted(landed(intake))  # all at home; looking again moves nothing


def test_an_unknown_handle_in_an_accounts_folder_is_taken_in_with_a_warning(settings: Settings) -> None:
    drop_export(settings, "renamed", "viewers", folder="pig1987")
    (one,) = look(settings).landed
    assert one.account == "pig1987"
    assert one.warnings[-1] == "its name says @renamed, which is not an account; its folder says pig1987"


def test_the_advice_for_a_name_behind_a_known_handle_does_not_split_the_account(settings: Settings) -> None:
    drop(export("x", "viewers").content, landing(settings), "Viewers_pig1987_final.zip")
    (rejected,) = look(settings).rejected
    assert (
        "if it belongs to @pig1987, put it into data/landing/pig1987/; else `tiktok-assets accounts add"
        in rejected.message
    )


@pytest.mark.parametrize(
    "name", ["Viewers_pig1987-2.zip", "Viewers_pig1987 - Kopie.zip", "Copy of Viewers_pig1987.zip"]
)
def test_a_copy_under_a_systems_mark_belongs_to_its_account(settings: Settings, name: str) -> None:
    drop(export("pig1987", "viewers").content, landing(settings), name)
    (one,) = look(settings).landed
    assert one.account == "pig1987"


def test_the_suggested_command_contains_only_what_a_handle_can_contain(settings: Settings) -> None:
    drop(export("x", "viewers").content, landing(settings), "Viewers_x;reboot.zip")
    (rejected,) = look(settings).rejected
    assert "accounts add <name> --handle x`" in rejected.message


# --- the same bytes twice --------------------------------------------------------------------------------------------


def test_a_copy_under_another_name_is_neither_taken_in_again_nor_moved(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    copy = drop(made.content, landing(settings), "Viewers_pig1987 (1).zip")

    intake = look(settings)

    assert (intake.landed, intake.rejected) == ((), ())
    assert intake.left_alone == (
        f"{copy}: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is taken in already. "
        "You can delete it.",
    )
    assert copy.exists()


def test_two_copies_in_one_drop_are_one_export(settings: Settings) -> None:
    made = export("pig1987", "viewers")
    for folder in (landing(settings), landing(settings) / "pig1987"):
        drop(made.content, folder, "Viewers_pig1987 copy.zip")
        drop(made.content, folder, made.name)
    intake = look(settings)
    assert landed(intake) == [("pig1987", "Viewers_pig1987 copy.zip")]
    assert len(intake.left_alone) == 2
    assert names_in(landing(settings)) == sorted(["Viewers_pig1987 copy.zip", made.name] * 2)


def test_another_export_of_the_same_name_gets_a_name_of_its_own(settings: Settings) -> None:
    contents = []
    for month in (5, 6, 7):
        made = export("pig1987", "viewers", date(2025, month, 1), date(2025, month, 20))
        drop(made.content, landing(settings), made.name)
        contents.append(made.content)
        look(settings)
    assert names_in(landing(settings)) == ["Viewers_pig1987.zip", "Viewers_pig1987~2.zip", "Viewers_pig1987~3.zip"]
    assert is_kept(settings, contents)


def test_equal_header_only_files_of_two_accounts_are_both_taken_in(settings: Settings) -> None:
    for key in ("pig1987", "zonea0"):
        drop(b'"Gender","Distribution"', landing(settings) / key, "FollowerGender.csv")
    assert landed(look(settings)) == [("pig1987", "FollowerGender.csv"), ("zonea0", "FollowerGender.csv")]


def test_equal_files_of_days_without_a_number_are_both_taken_in(settings: Settings) -> None:
    content = b'"Date","Total Viewers","New Viewers","Returning Viewers"\n"May 1","undefined","0","0"'
    for key in ("pig1987", "zonea0"):
        drop(content, landing(settings) / key, "Viewers.csv")
    assert landed(look(settings)) == [("pig1987", "Viewers.csv"), ("zonea0", "Viewers.csv")]


def test_an_export_of_one_account_is_not_taken_in_for_another(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    drop(made.content, landing(settings) / "zonea0", "my viewers.zip")
    intake = look(settings)
    assert intake.landed == ()
    (rejected,) = intake.rejected
    assert rejected.message == (
        f"my viewers.zip: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is an export of "
        "pig1987. If it belongs to zonea0, delete that one, put this one into data/landing/zonea0, and run "
        "`tiktok-assets rebuild`."
    )
    assert is_kept(settings, [made.content])


def test_a_copy_in_a_wrong_folder_does_not_block_the_correct_one(
    settings: Settings,
) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    drop(made.content, landing(settings) / "zonea0", "mine.zip")
    intake = look(settings)
    assert landed(intake) == [("pig1987", made.name)]
    (rejected,) = intake.rejected
    assert rejected.message.startswith(f"mine.zip: holds the same bytes as {landing(settings) / 'pig1987' / made.name}")


def test_a_copy_that_names_no_account_is_recognized_by_its_bytes(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "viewers")
    pretend_processed(settings, look(settings))
    copy = drop(made.content, landing(settings), "Viewers (1).zip")
    intake = look(settings)
    assert (intake.landed, intake.rejected) == ((), ())
    assert intake.left_alone == (
        f"{copy}: holds the same bytes as {landing(settings) / 'pig1987' / made.name}, which is taken in already. "
        "You can delete it.",
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
    first = dropped.identity(Lake(settings).settings.landing / "a.csv")
    kept = path.stat()
    path.write_bytes(b"Date,Video views\n")
    os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))
    assert dropped.identity(Lake(settings).settings.landing / "a.csv") != first


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


# --- what the operating system refuses -------------------------------------------------------------------------------

# The user may not be allowed to read the folder of Python, so everything is imported by a first pass over a copy.
AS_NOBODY = """
import json, os, shutil, sys, tempfile
from dataclasses import asdict
from tiktok_assets.accounts import load_roster
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake

def look(home, extra=None):
    settings = Settings(data_dir=f"{home}/data", accounts_file=f"{home}/accounts.toml", landing_path=extra)
    return asdict(take_in(Lake(settings), load_roster(settings)))

home, extra = sys.argv[1:]
if os.geteuid() == 0:
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(home, copy, dirs_exist_ok=True)
        look(copy, f"{copy}/inbox")
    os.seteuid(65534)
print(json.dumps([look(home, extra or None) for _ in range(2)], default=str))
"""


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation whose data folder every user may write; pytest's own folders are closed to others."""
    home = Path(tempfile.mkdtemp(prefix="tiktok-assets-test-"))
    home.chmod(0o755)
    (home / "accounts.toml").write_text('[accounts.pig1987]\n[accounts.zonea0]\nhandle = "zone.a0"\n')
    settings = Settings(data_dir=UPath(home / "data"), accounts_file=home / "accounts.toml")
    yield settings
    for path in home.rglob("*"):
        path.chmod(0o700)
    shutil.rmtree(home)


def two_looks_of_nobody(settings: Settings, extra: Path | None = None) -> list[dict[str, Any]]:
    """What a user without special rights finds; permissions mean nothing to root."""
    home = Path(str(settings.data_dir)).parent
    for folder in [home / "data", *(home / "data").rglob("*")]:
        if folder.is_dir() and folder.stat().st_mode & 0o777:
            folder.chmod(0o777)
    command = [sys.executable, "-c", AS_NOBODY, str(home), str(extra or "")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_file_that_cannot_be_read_stays_and_says_what_to_do(shared: Settings) -> None:
    closed = drop_export(shared, "pig1987", "viewers", folder="pig1987")
    (landing(shared) / "pig1987" / closed.name).chmod(0)
    good = drop_export(shared, "pig1987", "overview", folder="pig1987")
    for intake in two_looks_of_nobody(shared):
        assert [one["source"] for one in intake["landed"]] == [good.name]
        (message,) = intake["unreadable"]
        assert closed.name in message
        assert "chmod u+r" in message
        assert intake["rejected"] == []
    assert is_kept(shared, [closed.content, good.content])


def test_a_folder_that_cannot_be_read_is_not_an_empty_folder(shared: Settings) -> None:
    drop_export(shared, "zone.a0", "viewers", folder="zonea0")
    good = drop_export(shared, "pig1987", "overview", folder="pig1987")
    (landing(shared) / "zonea0").chmod(0)
    for intake in two_looks_of_nobody(shared):
        assert [one["source"] for one in intake["landed"]] == [good.name]
        (message,) = intake["unreadable"]
        assert str(landing(shared) / "zonea0") in message
        assert "permission to read" in message


def test_from_a_folder_that_may_only_be_read_exports_are_copied_once(shared: Settings) -> None:
    inbox = Path(str(shared.data_dir)).parent / "inbox"
    made = export("pig1987", "viewers")
    original = drop(made.content, inbox, made.name)
    broken = drop(b"PK damaged", inbox, "Overview_pig1987.zip")
    inbox.chmod(0o755 if os.geteuid() == 0 else 0o555)
    landing(shared).mkdir(parents=True)

    first, second = two_looks_of_nobody(shared, inbox)

    assert [one["source"] for one in first["landed"]] == [made.name]
    assert [one["source"] for one in second["landed"]] == [made.name]
    assert any("Overview_pig1987.zip" in message for message in second["unreadable"])
    assert original.exists()
    assert broken.exists()
    assert names_in(landing(shared)) == [made.name]
    assert not names_in(Path(str(shared.quarantine)))


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
        drop(zipped({"holiday.jpg": b"..."}), inbox, "photos.zip"),
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


# --- accounts that come and go ---------------------------------------------------------------------------------------


def test_the_files_of_an_account_that_is_not_in_use_wait_where_they_are(install: Install) -> None:
    both = install("pig1987", zonea0="zone.a0")
    drop_export(both, "zone.a0", "viewers")
    look(both)
    only_pig = install("pig1987", zonea0="zone.a0", accounts=("pig1987",))
    loose = drop_export(only_pig, "zone.a0", "content")

    intake = look(only_pig)

    assert (intake.landed, intake.rejected) == ((), ())
    assert len(intake.left_alone) == 2
    assert all("not in use" in message and "TIKTOK_ACCOUNTS" in message for message in intake.left_alone)
    assert (landing(only_pig) / loose.name).exists()
    assert len(look(both).landed) == 2


def test_the_processed_files_of_a_removed_account_are_not_unowned(install: Install) -> None:
    before = install("pig1987", zonea0="zone.a0")
    made = drop_export(before, "zone.a0", "viewers", folder="zonea0")
    pretend_processed(before, look(before))
    after = install("pig1987")
    intake = look(after)
    assert (intake.landed, intake.rejected) == ((), ())
    assert (landing(after) / "zonea0" / made.name).exists()


def test_an_account_added_after_the_start_is_not_unknown(settings: Settings, install: Install) -> None:
    started_with = load_roster(settings)
    install("pig1987", "some.one", zonea0="zone.a0")
    drop_export(settings, "some.one", "viewers")
    intake = take_in(Lake(settings), started_with)
    assert intake.rejected == ()
    assert "reload the code location" in intake.left_alone[0]


# --- time ------------------------------------------------------------------------------------------------------------


def test_the_message_about_months_that_are_not_kept_says_which_are(install: Install) -> None:
    settings = install("pig1987", start_date="2025-05")
    first, last = date(2025, 1, 5), date(2025, 1, 25)
    lines = [f"{first.replace(day=day):%Y/%m/%d},1,1,1,1,1,1,0,0,0,0,0" for day in range(first.day, last.day + 1)]
    header = (
        "Date,Video views,Reached audience,Profile views,Likes,Shares,Comments,Phone number clicks ,Leads submission,"
    )
    content = "\n".join([f"{header}Net growth,New followers,Lost followers", *lines]).encode()
    drop(content, landing(settings) / "pig1987", "history.csv")
    (rejected,) = look(settings).rejected
    assert rejected.reason == "outside_time"
    assert f"{first} to {last}" in rejected.message
    assert "2025-05" in rejected.message
    assert "TIKTOK_START_DATE" in rejected.message
    assert is_kept(settings, [content])


def test_only_the_months_that_are_kept_are_asked_for(install: Install) -> None:
    settings = install("pig1987", start_date="2025-06")
    drop_export(settings, "pig1987", "viewers")
    (one,) = look(settings).landed
    assert one.months == (date(2025, 6, 1),)


# --- failures halfway ------------------------------------------------------------------------------------------------


def test_a_bug_of_ours_in_one_file_does_not_stop_the_others(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiktok_assets.inbox import contents as module

    real_open = module.open_export

    def stumbling(path: Path):
        if path.name == "Content_pig1987.zip":
            raise ZeroDivisionError("division by zero")
        return real_open(path)

    monkeypatch.setattr(module, "open_export", stumbling)
    bad = drop_export(settings, "pig1987", "content")
    good = drop_export(settings, "pig1987", "viewers")
    intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    (rejected,) = intake.rejected
    assert rejected.reason == "unforeseen"
    assert "ZeroDivisionError: division by zero" in rejected.message
    assert is_kept(settings, [bad.content])


@pytest.mark.parametrize("at", ["write_bytes", "move"])
def test_a_full_disk_loses_nothing_and_stops_only_that_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    bad = drop(b"no export", landing(settings), "bad.csv")
    good = drop_export(settings, "pig1987", "overview", folder="pig1987")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, at, full)
        intake = look(settings)
    assert landed(intake) == [("pig1987", good.name)]
    assert intake.rejected == ()
    (message,) = intake.unreadable
    assert "bad.csv" in message
    assert "No space left" in message
    assert bad.exists()
    assert names_in(Path(str(settings.quarantine))) == []
    assert [Path(one.file).name for one in look(settings).rejected] == ["bad.csv"]


def test_an_export_without_room_to_be_unpacked_is_not_called_damaged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    made = drop_export(settings, "pig1987", "content", folder="pig1987")
    with monkeypatch.context() as patch:
        patch.setattr("tiktok_assets.exports.archive.IN_MEMORY_BYTES", 10)
        patch.setattr("tiktok_assets.exports.archive.shutil.copyfileobj", full)
        intake = look(settings)
    assert (intake.landed, intake.rejected) == ((), ())
    (message,) = intake.unreadable
    assert made.name in message
    assert "Free space in" in message
    assert landed(look(settings)) == [("pig1987", made.name)]


def test_two_processes_that_take_in_files_at_once_take_turns(settings: Settings) -> None:
    for number in range(40):
        drop(b"no export %d" % number, landing(settings), "same.csv" if number == 0 else f"{number}.csv")
    code = AS_NOBODY.replace("os.geteuid() == 0", "False")
    command = [sys.executable, "-c", code, str(Path(str(settings.data_dir)).parent), ""]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert len(names_in(Path(str(settings.quarantine)))) == 80
    assert is_kept(settings, [b"no export %d" % number for number in range(40)])
