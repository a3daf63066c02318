"""Old CSV files under the column names of today: only the header changes, nothing is lost, all of it can be undone."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from tiktok_assets.cli.app import app
from tiktok_assets.legacy import migrate as migration
from tiktok_assets.legacy.migrate import CannotMigrate, Migrated, MigrationOutcome, migrate, renamed, undo
from tiktok_assets.legacy.tables import CURRENT_NAMES, current_names

LEGACY = "artist,zone,date,Video Views,Profile Views,Likes,Comments,Shares,Year,engagement_rate,Followers,new_followers"
OLDER = "artist,zone,date,reach,page_views,Likes,Comments,Shares,Year,engagement_rate,Followers,new_followers"
CURRENT = (
    "handle,zone,date,video_views,profile_views,likes,comments,shares,year,engagement_rate,followers,new_followers"
)
ROW = "pig1987,pig1987,2024-11-02,41906,309,6192,962,331,2024,0.1786,0,0"


def old(folder: Path, name: str = "tiktok_metrics_pig1987.csv", header: str = OLDER, rows: str = ROW) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(f"{header}\n{rows}\n".encode())
    return path


def only(found: list[Migrated]) -> Migrated:
    (one,) = found
    return one


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command line, with a data folder of its own."""
    monkeypatch.setenv("TIKTOK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "300")

    def run(*arguments: str | Path) -> Result:
        return CliRunner().invoke(app, ["migrate", *map(str, arguments)])

    return run


@pytest.mark.parametrize("header", [LEGACY, OLDER])
def test_the_columns_get_the_names_of_social_media_stats_and_the_rows_stay(tmp_path: Path, header: str) -> None:
    path = old(tmp_path, header=header)
    before = path.read_bytes()
    one = only(migrate(path, execute=True))
    assert one.outcome is MigrationOutcome.CHANGED
    assert path.read_text() == f"{CURRENT}\n{ROW}\n"
    assert one.backup is not None
    assert Path(one.backup).read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {path.name, f"{path.name}.bak"}


def test_without_execute_nothing_is_written_and_every_rename_is_reported(tmp_path: Path) -> None:
    path = old(tmp_path)
    before, at = path.read_bytes(), path.stat().st_mtime_ns
    one = only(migrate(path))
    assert one.outcome is MigrationOutcome.WOULD_CHANGE
    assert ("reach", "video_views") in one.renamed
    assert ("page_views", "profile_views") in one.renamed
    assert ("date", "date") not in one.renamed
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, at)


def test_reach_keeps_its_name_where_the_file_has_views_as_well() -> None:
    assert current_names(["artist", "date", "Video Views", "reach"]) == ("handle", "date", "video_views", "reach")


def test_bom_line_ends_quotes_and_unknown_columns_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "tiktok_metrics_x.csv"
    path.write_bytes(b'\xef\xbb\xbf"Date","reach","My ""note""", mood \r\n"2024-11-02","1","a\nb",ok\r\n')
    migrate(path, execute=True)
    assert path.read_bytes() == (
        b'\xef\xbb\xbf"date","video_views","My ""note""", mood \r\n"2024-11-02","1","a\nb",ok\r\n'
    )


def test_migrating_twice_is_migrating_once(tmp_path: Path) -> None:
    path = old(tmp_path)
    migrate(path, execute=True)
    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert only(migrate(path, execute=True)).outcome is MigrationOutcome.CURRENT
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == files


def test_a_backup_that_exists_is_never_overwritten(tmp_path: Path) -> None:
    path = old(tmp_path)
    migrate(path, execute=True)
    old(tmp_path, rows=ROW.replace("41906", "1"))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    one = only(migrate(path, execute=True))
    assert one.outcome is MigrationOutcome.REFUSED
    assert one.reason == (
        "tiktok_metrics_pig1987.csv.bak exists and differs from the file; it is not overwritten. "
        "Move it away, then try again"
    )
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_backup_that_is_a_link_to_nowhere_is_not_written_through(tmp_path: Path) -> None:
    path = old(tmp_path / "old")
    path.with_name(f"{path.name}.bak").symlink_to(tmp_path / "elsewhere")
    assert only(migrate(path, execute=True)).outcome is MigrationOutcome.REFUSED
    assert only(undo(path)).reason == f"{path.name}.bak is not a file"
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_that_was_killed_after_the_backup_is_finished_by_the_next(tmp_path: Path) -> None:
    path = old(tmp_path)
    before = path.read_bytes()
    shutil.copy(path, path.with_name(f"{path.name}.bak"))
    assert only(migrate(path, execute=True)).outcome is MigrationOutcome.CHANGED
    assert path.read_text().startswith(CURRENT)
    assert only(undo(path)).outcome is MigrationOutcome.RESTORED
    assert path.read_bytes() == before


def test_a_failure_between_backup_and_file_leaves_both_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old(tmp_path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migration, "replacing", full)
    one = only(migrate(path, execute=True))
    assert (one.outcome, one.reason) == (MigrationOutcome.REFUSED, "No space left on device")
    assert path.read_bytes() == path.with_name(f"{path.name}.bak").read_bytes() == before


def test_without_hard_links_the_backup_is_renamed_into_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", no_links)
    path = old(tmp_path)
    before = path.read_bytes()
    assert only(migrate(path, execute=True)).outcome is MigrationOutcome.CHANGED
    assert path.with_name(f"{path.name}.bak").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_a_backup_that_appears_in_between_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old(tmp_path)

    def taken(*_: object) -> None:
        raise FileExistsError(17, "File exists")

    monkeypatch.setattr(os, "link", taken)
    one = only(migrate(path, execute=True))
    assert one.reason == f"{path.name}.bak was created meanwhile; it is not overwritten"
    assert path.read_text().startswith(OLDER)


def test_undo_restores_bytes_and_time_and_removes_the_backup(tmp_path: Path) -> None:
    path = old(tmp_path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    before = path.read_bytes()
    migrate(path, execute=True)
    assert only(undo(path, execute=False)).outcome is MigrationOutcome.WOULD_RESTORE
    assert only(undo(path)).outcome is MigrationOutcome.RESTORED
    assert (path.read_bytes(), path.stat().st_mtime) == (before, 1_700_000_000)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert only(undo(path)).reason == "has no backup"


def test_undo_restores_a_missing_file(tmp_path: Path) -> None:
    path = old(tmp_path)
    before = path.read_bytes()
    migrate(path, execute=True)
    path.unlink()
    assert only(migrate(path)).reason == "is missing, only its backup exists: --undo restores it"
    assert only(undo(tmp_path)).outcome is MigrationOutcome.RESTORED
    assert path.read_bytes() == before


def test_undo_refuses_a_file_that_was_changed_since(tmp_path: Path) -> None:
    path = old(tmp_path)
    migrate(path, execute=True)
    path.write_text(f"{path.read_text()}another,row\n")
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert only(undo(path)).reason == (
        f"was changed after its migration; restoring {path.name}.bak would lose that. Move one of them away"
    )
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_each_legacy_file_of_a_folder_is_migrated_and_no_other(tmp_path: Path) -> None:
    old(tmp_path / "2024", "tiktok_analytics_curated.csv", LEGACY)
    old(tmp_path / "2025")
    old(tmp_path, "budget.csv", "date,amount", "2024-01-01,3")
    (tmp_path / "notes.txt").write_text("no table")
    found = {Path(one.file).name: one.outcome for one in migrate(tmp_path, execute=True)}
    assert found == {
        "budget.csv": MigrationOutcome.SKIPPED,
        "tiktok_analytics_curated.csv": MigrationOutcome.CHANGED,
        "tiktok_metrics_pig1987.csv": MigrationOutcome.CHANGED,
    }
    assert {one.outcome for one in undo(tmp_path)} == {MigrationOutcome.RESTORED, MigrationOutcome.CURRENT}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"artist,date,reach,likes,Likes\n", "two of its columns would both be called likes"),
        (b"artist,date,reach,\xff\n", "its header is not UTF-8 text; save it as CSV UTF-8 first"),
        (b'artist,date,reach,"lik"es\n', "its header is not CSV: 'artist,date,reach,\"lik\"es'"),
    ],
)
def test_an_ambiguous_header_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "tiktok_metrics.csv"
    path.write_bytes(content)
    one = only(migrate(path, execute=True))
    assert (one.outcome, one.reason) == (MigrationOutcome.REFUSED, reason)
    assert path.read_bytes() == content


def test_a_link_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    path = old(tmp_path / "real")
    (tmp_path / "link.csv").symlink_to(path)
    assert only(migrate(tmp_path / "link.csv")).reason == "is a link; migrate the file it points to"


NAMES = st.sampled_from(
    [*(name.title() for name in CURRENT_NAMES), "page_views", "new_followers", "mood", 'a"b', "a,b"]
)


@given(
    st.lists(NAMES, unique=True, max_size=8),
    st.booleans(),
    st.sampled_from(["\n", "\r\n", "\r", ""]),
    st.booleans(),
    st.binary(max_size=80),
)
def test_migrating_and_undoing_any_file_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], quoted: bool, end: str, bom: bool, rest: bytes
) -> None:
    def written(name: str) -> str:
        return f'"{name.replace(chr(34), chr(34) * 2)}"' if quoted or set(name) & {'"', ","} else name

    header = ",".join(map(written, ["Date", "Year", "reach", *names]))
    content = (b"\xef\xbb\xbf" if bom else b"") + f"{header}{end}".encode() + (rest if end else b"")
    path = tmp_path_factory.mktemp("old") / "old.csv"
    path.write_bytes(content)
    one = only(migrate(path, execute=True))
    if one.outcome is MigrationOutcome.CHANGED:
        after = path.read_bytes()
        assert after.endswith(rest if end else b"")
        assert renamed(after, path.name) == (after, ())
        assert only(undo(path)).outcome is MigrationOutcome.RESTORED
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_command_reports_then_writes_then_restores(tmp_path: Path, command) -> None:
    path = old(tmp_path / "old")
    reported = command(path)
    assert reported.exit_code == 0
    assert "reach -> video_views" in reported.output
    assert "1 would change. Nothing was written; --execute does it." in reported.output
    assert path.read_text().startswith(OLDER)
    assert command(path, "--dry-run").output == reported.output
    done = command(path, "--execute")
    assert done.exit_code == 0
    assert f"backup: {path}.bak" in done.output
    assert "1 would be restored. Nothing was written." in command(path, "--undo", "--dry-run").output
    assert "1 restored" in command(path, "--undo").output
    assert path.read_text().startswith(OLDER)


def test_the_command_prints_json(tmp_path: Path, command) -> None:
    path = old(tmp_path / "old")
    [found] = json.loads(command(path, "--json").stdout)
    assert found["outcome"] == "would change"
    assert ["reach", "video_views"] in found["renamed"]


def test_the_command_fails_if_a_file_is_refused_or_unknown(tmp_path: Path, command) -> None:
    path = old(tmp_path / "old")
    command(path, "--execute")
    old(tmp_path / "old", rows=ROW.replace("41906", "1"))
    refused = command(path, "--execute")
    assert refused.exit_code == 1
    assert "exists and differs from the file" in refused.output
    strange = command(old(tmp_path, "budget.csv", "date,amount", "2024-01-01,3"))
    assert strange.exit_code == 1
    assert "not a table of the legacy pipeline" in strange.output
    missing = command(tmp_path / "nowhere.csv")
    assert missing.exit_code == 2
    assert "there is no such file or folder" in missing.output
    (tmp_path / "empty").mkdir()
    assert "no CSV files there" in command(tmp_path / "empty").output


def test_files_of_the_lake_are_never_touched(tmp_path: Path, command) -> None:
    path = old(tmp_path / "data" / "landing" / "pig1987")
    before = path.read_bytes()
    refused = command(path, "--execute")
    assert refused.exit_code == 2
    assert "whose files are never changed" in refused.output
    beside = old(tmp_path / "old")
    assert command(tmp_path, "--execute").exit_code == 0
    assert beside.read_text().startswith(CURRENT)
    assert path.read_bytes() == before
    with pytest.raises(CannotMigrate):
        migrate(path, keep_out=[tmp_path / "data"])
