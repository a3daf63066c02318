"""Move old exports from landing to ``data/archive/<account>``, where every reader still finds them.

Belongs here: which files may move. Does not belong here: where the two folders are and who reads them (``files``).
A file keeps its path below the account's folder, its bytes and its time, so nothing derived from it changes. Moving it
back manually undoes the archiving.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.inbox.files import account_folders, files_below, is_behind_link, is_there, shown, source_of
from tiktok_assets.inbox.receipts import Receipt, processed, receipts
from tiktok_assets.progress import Progress, silent
from tiktok_assets.settings import Settings
from tiktok_assets.storage.copies import fetch, local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import exists
from tiktok_assets.storage.objects import keeps_times

_FETCHED_AT_ONCE = 64
# Evidence of the download time that is stored inside the file and does not depend on the file's modification time.
_KEPT_ANYWHERE = ("captured_at", "zip_stamp", "zip_name")


@dataclass(frozen=True, kw_only=True)
class Archived:
    """An export that was moved, or would be: ``source`` below the account's folders, and its path afterwards."""

    account: str
    source: str
    export_id: str
    downloaded_at: dt.datetime
    archived_to: str


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An old file that stays in landing, and why. ``is_fault``: it needs a person's attention."""

    account: str
    source: str
    reason: str
    is_fault: bool = False


@dataclass(frozen=True, kw_only=True)
class Archiving:
    """The result of one pass. ``younger``: the number of files that are not old enough."""

    moved: tuple[Archived, ...]
    kept: tuple[Kept, ...]
    younger: int
    is_dry_run: bool


class _Stays(Exception):
    """Why a file that is old enough is not moved."""

    def __init__(self, reason: str, *, is_fault: bool = False) -> None:
        super().__init__(reason)
        self.is_fault = is_fault


def archive(
    settings: Settings,
    *,
    older_than: int | None = None,
    now: dt.datetime | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> Archiving:
    """Move every export in landing that is old and processed to the archive.

    Old: downloaded ``older_than`` days ago or more (TIKTOK_ARCHIVE_AFTER by default), by its receipt or by the time of
    its file, whichever is earlier. Processed: the sha256 of its bytes, read now, is that of a closed receipt, and raw
    has all its tables.
    """
    lake, accounts = Lake(settings), list(load_roster(settings))
    days = settings.archive_after if older_than is None else older_than
    before = (now or dt.datetime.now(dt.UTC)) - dt.timedelta(days=days)
    moved: list[Archived] = []
    kept: list[Kept] = []
    younger = 0
    with (
        lake.alone("intake"),
        lake.looking_at_everything(),
    ):  # everything that moves files in these folders holds the same lock
        for done, account in enumerate(accounts):
            progress(account, done, len(accounts))
            for one in _of_account(lake, account, before, dry_run=dry_run):
                if isinstance(one, Archived):
                    moved.append(one)
                elif isinstance(one, Kept):
                    kept.append(one)
                else:
                    younger += 1
        progress("", len(accounts), len(accounts))
    return Archiving(moved=tuple(moved), kept=tuple(kept), younger=younger, is_dry_run=dry_run)


def _of_account(lake: Lake, account: str, before: dt.datetime, *, dry_run: bool) -> Iterator[Archived | Kept | None]:
    """The outcome for each file of the account's landing folder; None for one that is too young."""
    archived, landing = account_folders(lake, account)
    noted = {receipt.export_id: receipt for receipt in receipts(lake, account)}
    # A reopened receipt waits until its months are rebuilt.
    unfinished = {one for one, receipt in noted.items() if not receipt.has_reached_all}
    done = processed(lake, account) - unfinished
    holders = {_digest(path): path for path in _fetched(files_below(archived))}
    for path, digest in _in_order(lake, account, noted, list(_fetched(files_below(landing)))):
        source = source_of(lake, account, path)
        try:
            if isinstance(digest, ExportProblem):
                raise _Stays(str(digest), is_fault=True)
            with local_copy(path) as file:  # an object's own time is when the storage got it
                moment = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
            if digest in noted:
                moment = min(moment, noted[digest].downloaded_at)
            if moment > before:
                yield None
                continue
            target = archived / source
            _require_movable(lake, account, path, target, noted.get(digest), is_done=digest in done)
            if digest in holders:
                raise _Stays(f"holds the same bytes as {holders[digest]}. You can delete it.")
            holders[digest] = target
            if not dry_run:
                lake.move(path, target)
        except _Stays as stays:
            yield Kept(account=account, source=source, reason=str(stays), is_fault=stays.is_fault)
        except OSError as error:
            reason = f"could not be moved ({error.strerror or error}); it is unchanged."
            yield Kept(account=account, source=source, reason=reason, is_fault=True)
        else:
            yield Archived(
                account=account, source=source, export_id=digest, downloaded_at=moment, archived_to=str(target)
            )


def _fetched(paths: Iterable[UPath]) -> Iterator[UPath]:
    """The same, those of an object storage fetched many at a time."""
    paths = list(paths)
    for start in range(0, len(paths), _FETCHED_AT_ONCE):
        fetch(paths[start : start + _FETCHED_AT_ONCE])
        yield from paths[start : start + _FETCHED_AT_ONCE]


def _in_order(
    lake: Lake, account: str, noted: Mapping[str, Receipt], paths: list[UPath]
) -> list[tuple[UPath, str | ExportProblem]]:
    """The files with their sha256. Among files of equal bytes, the one that tables name as their source comes first."""
    files = [(path, _digest(path)) for path in paths]

    def is_other(file: tuple[UPath, str | ExportProblem]) -> bool:
        path, digest = file
        receipt = noted.get(digest) if isinstance(digest, str) else None
        return isinstance(digest, str) and (receipt is None or receipt.source != source_of(lake, account, path))

    return sorted(files, key=is_other)


def _require_movable(
    lake: Lake, account: str, path: UPath, target: UPath, receipt: Receipt | None, *, is_done: bool
) -> None:
    if not is_done or receipt is None:
        raise _Stays("is not processed yet: run `tiktok-assets process`, then this again.")
    at, digest = receipt.downloaded_at, receipt.export_id
    if lacking := [name for name in receipt.reports if not exists(lake.raw_file(name, account, at, digest))]:
        raise _Stays(f"raw lacks its {', '.join(lacking)}: run `tiktok-assets rebuild`.", is_fault=True)
    if isinstance(path, Path) and path.is_symlink():
        raise _Stays("is a link. Links are not archived.")
    if is_behind_link(path, lake.settings.landing):
        raise _Stays("lies in a folder that is linked or mounted into landing. Such files are not moved.")
    if not keeps_times(target) and receipt.downloaded_at_evidence not in _KEPT_ANYWHERE:
        raise _Stays("only the file's time says when it was downloaded, and this storage does not keep it on a move.")
    if is_there(target) and _digest(target) != receipt.export_id:
        raise _Stays(f"another file is at {target}, and tables name both by this path. Nothing is overwritten.")


def _digest(path: UPath) -> str | ExportProblem:
    """The sha256 of the bytes as they are now, or why they cannot be read."""
    try:
        with local_copy(path) as file:
            return export_id(file)
    except ExportProblem as problem:
        return problem
    except OSError as error:
        return ExportProblem(f"{shown(path)}: cannot be read ({error.strerror or error}).")
