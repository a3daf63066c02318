"""Old exports move from landing to the archive: only what is safe moves, and every reader still finds it there."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from pathlib import Path

import duckdb
import fsspec
import pytest
from typer.testing import CliRunner, Result
from upath import UPath

from tiktok_assets.accounts import load_roster
from tiktok_assets.cli.app import app
from tiktok_assets.inbox.archive import Archiving, archive
from tiktok_assets.inbox.files import places_of
from tiktok_assets.inbox.intake import take_in
from tiktok_assets.inbox.receipts import note_shifts, processed
from tiktok_assets.pipeline.process import process
from tiktok_assets.pipeline.rebuild import rebuild
from tiktok_assets.settings import Settings
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.studio.landed import is_manual, known_days
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import DOWNLOADED, drop, drop_export, export, landing, materialize, names_in
from tiktok_assets_tests.made_once import MadeOnce

NOW = DOWNLOADED + dt.timedelta(days=91)


def work(settings: Settings) -> None:
    """Process what is new; everything has to succeed."""
    result = process(settings, instance=fresh())
    assert result.is_clean, result


def put_away(settings: Settings, **options: object) -> Archiving:
    return archive(settings, now=NOW, **options)  # pyright: ignore[reportArgumentType]


def archived(settings: Settings) -> Path:
    return Path(str(settings.archive))


def reasons(found: Archiving) -> dict[str, str]:
    return {one.source: one.reason for one in found.kept}


def sources(settings: Settings) -> list[tuple[str, str]]:
    """What the warehouse says about the exports it was built from."""
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return warehouse.sql("select distinct export_id, source from exports order by all").fetchall()


@pytest.fixture
def processed_lake(settings: Settings, made_once: MadeOnce) -> Settings:
    """Two accounts whose exports of 2025 are processed; one of them in a folder of its own."""

    def make() -> None:
        drop_export(settings, "pig1987", "overview", folder="pig1987")
        drop(export("pig1987", "viewers").content, landing(settings) / "pig1987" / "2025", "Viewers_pig1987.zip")
        drop_export(settings, "zone.a0", "content")
        work(settings)

    made_once.fill(Path(str(settings.data_dir)), "lake to be archived", make)
    return settings


# --- what goes -------------------------------------------------------------------------------------------------------


def test_an_old_processed_export_goes_to_the_archive_as_it_is(processed_lake: Settings) -> None:
    folder = landing(processed_lake)
    before = {path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.zip")}
    found = put_away(processed_lake)
    assert (found.kept, found.younger, len(found.moved)) == ((), 0, 3)
    assert names_in(folder) == []
    folder = archived(processed_lake)
    assert before == {
        path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.zip")
    }
    [viewers] = [one for one in found.moved if one.source == "2025/Viewers_pig1987.zip"]
    assert (viewers.account, viewers.downloaded_at) == ("pig1987", DOWNLOADED)
    assert viewers.archived_to == str(folder / "pig1987" / "2025" / "Viewers_pig1987.zip")
    assert put_away(processed_lake).moved == ()


def test_a_dry_run_reports_the_same_and_moves_nothing(processed_lake: Settings) -> None:
    planned = put_away(processed_lake, dry_run=True)
    assert planned.is_dry_run
    assert len(names_in(landing(processed_lake))) == 3
    assert not archived(processed_lake).exists()
    assert put_away(processed_lake).moved == planned.moved


def test_an_export_that_is_not_old_enough_stays(processed_lake: Settings) -> None:
    early = archive(processed_lake, now=DOWNLOADED + dt.timedelta(days=89))
    assert (early.moved, early.kept, early.younger) == ((), (), 3)
    assert len(archive(processed_lake, now=DOWNLOADED + dt.timedelta(days=8), older_than=7).moved) == 3


def test_a_copy_program_does_not_make_an_export_young(processed_lake: Settings) -> None:
    for path in landing(processed_lake).rglob("*.zip"):
        os.utime(path)
    assert len(put_away(processed_lake).moved) == 3


# --- what stays ------------------------------------------------------------------------------------------------------


def test_an_unprocessed_export_stays(settings: Settings) -> None:
    made = drop_export(settings, "pig1987", "overview", folder="pig1987")
    with fresh() as instance:
        materialize(settings, instance, "raw", accounts=["pig1987"])  # its receipt is open
    found = put_away(settings)
    assert reasons(found) == {made.name: "is not processed yet: run `tiktok-assets process`, then this again."}
    assert not found.kept[0].is_fault
    drop(b"no export at all", landing(settings) / "pig1987", "strange.csv")
    assert set(reasons(put_away(settings))) == {made.name, "strange.csv"}


def test_an_export_changed_after_processing_stays(processed_lake: Settings) -> None:
    path = next(landing(processed_lake).rglob("Overview*.zip"))
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, (DOWNLOADED.timestamp(), DOWNLOADED.timestamp()))
    assert "is not processed yet" in reasons(put_away(processed_lake))[path.name]
    assert path.exists()


def test_an_export_missing_from_raw_stays(processed_lake: Settings) -> None:
    shutil.rmtree(Path(str(processed_lake.raw)) / "viewers")
    found = put_away(processed_lake)
    assert reasons(found) == {"2025/Viewers_pig1987.zip": "raw lacks its viewers: run `tiktok-assets rebuild`."}
    assert found.kept[0].is_fault


def test_of_equal_files_the_one_that_tables_name_is_archived(processed_lake: Settings) -> None:
    made = export("pig1987", "overview")
    drop(made.content, landing(processed_lake) / "pig1987", "A copy.zip")
    found = put_away(processed_lake)
    kept = archived(processed_lake) / "pig1987" / made.name
    assert reasons(found) == {"A copy.zip": f"holds the same bytes as {kept}. You can delete it."}
    assert kept.exists()
    work(processed_lake)
    before = sources(processed_lake)
    _, differences = rebuild(processed_lake, instance=fresh())
    assert differences == []
    assert sources(processed_lake) == before


def test_another_file_of_that_name_is_not_overwritten(processed_lake: Settings) -> None:
    made = export("pig1987", "overview")
    other = drop(b"something else", archived(processed_lake) / "pig1987", made.name)
    found = put_away(processed_lake)
    assert reasons(found)[made.name] == (
        f"another file is at {other}, and tables name both by this path. Nothing is overwritten."
    )
    assert other.read_bytes() == b"something else"


def test_a_link_stays_and_so_does_what_it_leads_to(settings: Settings, tmp_path: Path) -> None:
    made = export("pig1987", "overview")
    path = drop(made.content, tmp_path / "elsewhere", made.name)
    folder = landing(settings) / "pig1987"
    folder.mkdir(parents=True)
    (folder / made.name).symlink_to(path)
    work(settings)
    assert reasons(put_away(settings)) == {made.name: "is a link. Links are not archived."}
    assert path.exists()


def test_a_file_that_cannot_be_moved_stays_and_the_others_are_archived(
    processed_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Lake.move

    def stubborn(lake: Lake, path: UPath, target: UPath) -> None:
        if path.name.startswith("Overview"):
            raise PermissionError(13, "Permission denied")
        move(lake, path, target)

    monkeypatch.setattr(Lake, "move", stubborn)
    found = put_away(processed_lake)
    [kept] = found.kept
    assert kept.reason == "could not be moved (Permission denied); it is unchanged."
    assert kept.is_fault
    assert len(found.moved) == 2


def test_a_file_that_cannot_be_read_stays(processed_lake: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("tiktok_assets.inbox.archive.export_id", closed)
    found = put_away(processed_lake)
    assert found.moved == ()
    assert all(one.is_fault and one.reason.endswith("cannot be read (Permission denied).") for one in found.kept)


def test_a_corrupt_copy_on_another_disk_does_not_replace_the_original(
    processed_lake: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(type(processed_lake.landing), "rename", other_disk)
    with monkeypatch.context() as bad_disk:
        bad_disk.setattr("tiktok_assets.storage.lake._is_same", lambda *_: False)
        found = put_away(processed_lake)
    assert (found.moved, names_in(archived(processed_lake))) == ((), [])
    assert all("the copy came out differently" in one.reason for one in found.kept)
    times = {path.name: path.stat().st_mtime_ns for path in landing(processed_lake).rglob("*.zip")}
    assert len(put_away(processed_lake).moved) == 3
    assert times == {path.name: path.stat().st_mtime_ns for path in archived(processed_lake).rglob("*.zip")}


# --- everything still works ------------------------------------------------------------------------------------------


def test_nothing_is_new_after_archiving_and_the_lake_can_be_rebuilt(processed_lake: Settings) -> None:
    before = sources(processed_lake)
    put_away(processed_lake)
    result = process(processed_lake, instance=fresh())
    assert (result.accounts, result.intake.landed, result.intake.left_alone) == ((), (), ())
    result, differences = rebuild(processed_lake, instance=fresh())
    assert ([account.exports for account in result.accounts], differences) == ([2, 1], [])
    assert sources(processed_lake) == before
    assert names_in(landing(processed_lake)) == []


def test_a_reopened_receipt_finds_its_export_in_the_archive(processed_lake: Settings) -> None:
    put_away(processed_lake)
    lake = Lake(processed_lake)
    [export_id] = list(processed(lake, "zonea0"))
    months = [dt.date(2025, 5, 1), dt.date(2025, 6, 1)]
    assert note_shifts(lake, "zonea0", {export_id: {"content": 1}}, {export_id: months}, "a run")
    [waiting] = take_in(lake, load_roster(processed_lake)).landed
    assert (waiting.account, waiting.source, waiting.export_id) == ("zonea0", "Content_zone.a0.zip", export_id)
    work(processed_lake)
    assert take_in(lake, load_roster(processed_lake)).landed == ()
    assert names_in(archived(processed_lake)) == sorted(
        [export("pig1987", "overview").name, "Viewers_pig1987.zip", "Content_zone.a0.zip"]
    )


def test_archived_bytes_that_are_dropped_again_are_not_taken_in_again(
    processed_lake: Settings, install: Install, tmp_path: Path
) -> None:
    put_away(processed_lake)
    made = export("zone.a0", "content")
    path = drop(made.content, landing(processed_lake), "Content_zone.a0 (1).zip")
    intake = take_in(Lake(processed_lake), load_roster(processed_lake))
    kept = archived(processed_lake) / "zonea0" / made.name
    assert (intake.landed, intake.rejected) == ((), ())
    assert intake.left_alone == (
        f"{path}: holds the same bytes as {kept}, which is taken in already. You can delete it.",
    )
    drop(made.content, landing(processed_lake) / "zonea0", made.name)  # restored by a copy
    assert take_in(Lake(processed_lake), load_roster(processed_lake)).landed == ()


def test_a_new_export_never_gets_the_name_of_an_archived_one(processed_lake: Settings) -> None:
    put_away(processed_lake)
    later = export("zone.a0", "content", first=dt.date(2025, 6, 1), last=dt.date(2025, 7, 1))
    drop(later.content, landing(processed_lake), later.name)
    [new] = take_in(Lake(processed_lake), load_roster(processed_lake)).landed
    assert (later.name, new.source) == ("Content_zone.a0.zip", "Content_zone.a0~2.zip")


def test_two_files_of_one_name_are_both_found_by_it(processed_lake: Settings) -> None:
    put_away(processed_lake)
    other = drop(b"another", landing(processed_lake) / "zonea0", "Content_zone.a0.zip")
    lake = Lake(processed_lake)
    assert places_of(lake, "zonea0", other.name) == [
        processed_lake.archive / "zonea0" / other.name,
        processed_lake.landing / "zonea0" / other.name,
    ]
    assert places_of(lake, "zonea0", "nowhere.zip") == []


def test_what_is_archived_is_not_asked_of_studio_again(processed_lake: Settings) -> None:
    lake = Lake(processed_lake)
    before = known_days(lake, "pig1987")
    put_away(processed_lake)
    assert known_days(lake, "pig1987") == before != {}
    shutil.rmtree(Path(str(processed_lake.raw)))  # then the files themselves are read
    assert known_days(lake, "pig1987") == before
    assert is_manual(lake, "pig1987")


def test_a_file_that_is_moved_back_manually_is_as_before(processed_lake: Settings) -> None:
    put_away(processed_lake)
    for path in archived(processed_lake).rglob("*.zip"):
        target = landing(processed_lake) / path.relative_to(archived(processed_lake))
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    assert take_in(Lake(processed_lake), load_roster(processed_lake)).landed == ()
    _, differences = rebuild(processed_lake, instance=fresh())
    assert differences == []
    assert len(put_away(processed_lake).moved) == 3


def test_a_file_damaged_in_the_archive_is_quarantined_with_a_reason(processed_lake: Settings) -> None:
    put_away(processed_lake)
    path = archived(processed_lake) / "zonea0" / "Content_zone.a0.zip"
    path.write_bytes(path.read_bytes()[:100])
    [rejected] = take_in(Lake(processed_lake), load_roster(processed_lake)).rejected
    assert rejected.reason == "broken_file"
    assert not path.exists()


def test_the_archive_of_an_account_that_is_not_in_use_is_left_alone(settings: Settings) -> None:
    drop(export("strange", "overview").content, archived(settings) / "strange", "Overview_strange.zip")
    drop(b"archived manually", archived(settings), "notes.csv")
    intake = take_in(Lake(settings), load_roster(settings))
    assert (intake.landed, intake.rejected, intake.left_alone) == ((), (), ())


def test_on_remote_storage_only_a_file_with_its_own_timestamp_is_moved(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    storage = fsspec.filesystem("memory")
    storage.store.clear()
    remote = install("pig1987", data_dir="memory://lake/data")
    folder = remote.landing / "pig1987"
    folder.mkdir(parents=True, exist_ok=True)
    stamped, loose = export("pig1987", "overview"), export("pig1987", "viewers").members["Viewers.csv"]
    (folder / stamped.name).write_bytes(stamped.content)
    (folder / "Viewers.csv").write_bytes(loose)
    work(remote)
    found = archive(remote, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=800))
    assert [one.source for one in found.moved] == [stamped.name]
    assert reasons(found) == {
        "Viewers.csv": "only the file's time says when it was downloaded, and this storage does not keep it on a move."
    }
    with local_copy(remote.archive / "pig1987" / stamped.name) as copy:
        assert copy.read_bytes() == stamped.content
    assert not (folder / stamped.name).exists()
    assert take_in(Lake(remote), load_roster(remote)).landed == ()
    storage.store.clear()


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def command(processed_lake: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(processed_lake.data_dir))
    monkeypatch.setenv("TIKTOK_ACCOUNTS_FILE", str(processed_lake.accounts_file))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["archive", *arguments])

    return run


def test_the_command_says_what_moves_where_and_what_stays(processed_lake: Settings, command) -> None:
    drop(b"no export", landing(processed_lake) / "pig1987", "strange.csv")
    planned = command("--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "3 files would be moved, 1 stay, 0 are younger than 90 days." in planned.output
    done = command()
    assert done.exit_code == 0
    assert f"zonea0, Content_zone.a0.zip: {archived(processed_lake)}/zonea0/Content_zone.a0.zip" in done.output
    assert "stays in landing: pig1987, strange.csv: is not processed yet" in done.output
    assert "3 files moved" in done.output


def test_the_command_takes_days_from_the_setting_or_the_option_and_prints_json(
    command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIKTOK_ARCHIVE_AFTER", "100000")
    assert "3 are younger than 100000 days" in command().output
    found = json.loads(command("--older-than", "1", "--dry-run", "--json").stdout)
    assert len(found["moved"]) == 3
    assert found["is_dry_run"]


def test_the_command_fails_where_a_file_could_not_be_moved(processed_lake: Settings, command) -> None:
    shutil.rmtree(Path(str(processed_lake.raw)) / "viewers")
    result = command()
    assert result.exit_code == 1
    assert "raw lacks its viewers" in result.output
