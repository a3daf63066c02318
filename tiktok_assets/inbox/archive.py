"""Move old exports from landing to ``data/archive/<account>``, where every reader still finds them; streams likewise.

Belongs here: which files may move. Does not belong here: where the two folders are and who reads them (``files``,
``streams``). A file keeps its path below its folder, its bytes and its time, so nothing derived from it changes.
Moving it back manually undoes the archiving.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from upath import UPath

from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.inbox.files import account_folders, files_below, is_behind_link, is_there, path_below, shown
from tiktok_assets.inbox.identities import identities, identity, is_identified
from tiktok_assets.inbox.receipts import Receipt, processed, receipts
from tiktok_assets.inbox.streams import stream_folders
from tiktok_assets.progress import Progress, silent
from tiktok_assets.settings import STREAMS, Settings
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.copies import fetch
from tiktok_assets.storage.lake import Lake, changed_at
from tiktok_assets.storage.look import exists
from tiktok_assets.storage.objects import keeps_times
from tiktok_assets.storage.streams import named_files, unmade_files

_FETCHED_AT_ONCE = 64
# Evidence of the download time that is stored inside the file and does not depend on the file's modification time.
_KEPT_ANYWHERE = ("captured_at", "zip_stamp", "zip_name")


@dataclass(frozen=True, kw_only=True)
class Archived:
    """A file that was moved, or would be: ``source`` below its folder, and its path afterwards."""

    account: str
    """Or "streams", which are no account's."""
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


@dataclass(frozen=True, kw_only=True)
class _Noted:
    """What is noted of a file that was read."""

    source: str
    downloaded_at: dt.datetime
    has_own_time: bool
    """Whether it says itself when it was downloaded, and not only the file's time."""
    is_done: bool
    """Whether its rows have reached the warehouse."""
    lacking: Callable[[], Sequence[str]]
    """What raw lacks of it."""


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """The files of one account, or those of streams."""

    owner: str
    landing: UPath
    archived: UPath
    noted: Mapping[str, _Noted]
    """By the sha256 of the file."""


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
    """Move every file in landing that is old and processed to the archive.

    Old: downloaded ``older_than`` days ago or more (TIKTOK_ARCHIVE_AFTER by default), by what is noted of it or by the
    time of its file, whichever is earlier. Processed: the sha256 of its bytes, read now, is that of an export with a
    closed receipt, or of a file of streams whose months are made, and raw has all its tables.
    """
    lake = Lake(settings)
    accounts = list(load_roster(settings))
    days = settings.archive_after if older_than is None else older_than
    before = (now or dt.datetime.now(dt.UTC)) - dt.timedelta(days=days)
    moved: list[Archived] = []
    kept: list[Kept] = []
    younger = 0
    with (
        lake.alone("intake"),
        lake.looking_at_everything(),
        identities(lake),
    ):  # everything that moves files in these folders holds the same lock
        for done, owner in enumerate([*accounts, STREAMS]):
            progress(owner, done, len(accounts) + 1)
            folder = _of_streams(lake) if owner == STREAMS else _of_account(lake, owner)
            with together():
                outcomes = list(_outcomes(lake, folder, before, dry_run=dry_run))
            moved += [one for one in outcomes if isinstance(one, Archived)]
            kept += [one for one in outcomes if isinstance(one, Kept)]
            younger += outcomes.count(None)
        progress("", len(accounts) + 1, len(accounts) + 1)
    return Archiving(moved=tuple(moved), kept=tuple(kept), younger=younger, is_dry_run=dry_run)


def _of_account(lake: Lake, account: str) -> _Folder:
    archived, landing = account_folders(lake, account)
    done = processed(lake, account)

    def lacking(one: Receipt) -> list[str]:
        files = {name: lake.raw_file(name, account, one.downloaded_at, one.export_id) for name in one.reports}
        return [name for name, file in files.items() if not exists(file)]

    noted = {
        one.export_id: _Noted(
            source=one.source,
            downloaded_at=one.downloaded_at,
            has_own_time=one.downloaded_at_evidence in _KEPT_ANYWHERE,
            is_done=one.export_id in done and one.has_reached_all,  # a reopened one waits until its months are rebuilt
            lacking=partial(lacking, one),
        )
        for one in receipts(lake, account)
    }
    return _Folder(owner=account, landing=landing, archived=archived, noted=noted)


def _of_streams(lake: Lake) -> _Folder:
    """A file of streams without its rows in raw is as one that was never processed."""
    archived, landing = stream_folders(lake)
    waiting = unmade_files(lake)
    noted = {
        export_id: _Noted(
            source=source, downloaded_at=vintage, has_own_time=False, is_done=export_id not in waiting, lacking=list
        )
        for export_id, (source, vintage) in named_files(lake).items()
    }
    return _Folder(owner=STREAMS, landing=landing, archived=archived, noted=noted)


def _outcomes(lake: Lake, folder: _Folder, before: dt.datetime, *, dry_run: bool) -> list[Archived | Kept | None]:
    """The outcome for each file of the landing folder; None for one that is too young."""

    def moved(one: Archived | Kept | None) -> Archived | Kept | None:
        if isinstance(one, Archived) and not dry_run:
            try:
                lake.move(folder.landing / one.source, folder.archived / one.source)
            except OSError as error:
                return _not_moved(folder, one.source, error)
        return one

    return lake.each(moved, _planned(lake, folder, before))


def _planned(lake: Lake, folder: _Folder, before: dt.datetime) -> Iterator[Archived | Kept | None]:
    """As ``_outcomes``, of files that have not been moved yet."""
    holders = {_digest(path): path for path in _fetched(files_below(folder.archived))}
    for path, digest in _in_order(folder):
        source = path_below(path, folder.landing)
        try:
            if isinstance(digest, ExportProblem):
                raise _Stays(str(digest), is_fault=True)
            moment = dt.datetime.fromtimestamp(changed_at(path), dt.UTC)
            if digest in folder.noted:  # of an object this is its own time, and the other when the storage got it
                moment = min(moment, folder.noted[digest].downloaded_at)
            if moment > before:
                yield None
                continue
            target = folder.archived / source
            _require_movable(lake, path, target, digest, folder.noted.get(digest))
            if digest in holders:
                raise _Stays(f"holds the same bytes as {holders[digest]}. You can delete it.")
            holders[digest] = target
        except _Stays as stays:
            yield Kept(account=folder.owner, source=source, reason=str(stays), is_fault=stays.is_fault)
        except OSError as error:
            yield _not_moved(folder, source, error)
        else:
            yield Archived(
                account=folder.owner, source=source, export_id=digest, downloaded_at=moment, archived_to=str(target)
            )


def _not_moved(folder: _Folder, source: str, error: OSError) -> Kept:
    reason = f"could not be moved ({error.strerror or error}); it is unchanged."
    return Kept(account=folder.owner, source=source, reason=reason, is_fault=True)


def _fetched(paths: Iterable[UPath]) -> Iterator[UPath]:
    """The same; those of an object storage that are not known are fetched many at a time."""
    paths = list(paths)
    for start in range(0, len(paths), _FETCHED_AT_ONCE):
        fetch(path for path in paths[start : start + _FETCHED_AT_ONCE] if not is_identified(path))
        yield from paths[start : start + _FETCHED_AT_ONCE]


def _in_order(folder: _Folder) -> list[tuple[UPath, str | ExportProblem]]:
    """The files with their sha256. Among files of equal bytes, the one that tables name as their source comes first."""
    files = [(path, _digest(path)) for path in _fetched(files_below(folder.landing))]

    def is_other(file: tuple[UPath, str | ExportProblem]) -> bool:
        path, digest = file
        noted = folder.noted.get(digest) if isinstance(digest, str) else None
        source = path_below(path, folder.landing)
        return isinstance(digest, str) and (noted is None or noted.source != source)

    return sorted(files, key=is_other)


def _require_movable(lake: Lake, path: UPath, target: UPath, digest: str, noted: _Noted | None) -> None:
    if noted is None or not noted.is_done:
        raise _Stays("is not processed yet: run `tiktok-assets process`, then this again.")
    if lacking := noted.lacking():
        raise _Stays(f"raw lacks its {', '.join(lacking)}: run `tiktok-assets rebuild`.", is_fault=True)
    if isinstance(path, Path) and path.is_symlink():
        raise _Stays("is a link. Links are not archived.")
    if is_behind_link(path, lake.settings.landing):
        raise _Stays("lies in a folder that is linked or mounted into landing. Such files are not moved.")
    if not keeps_times(target) and not noted.has_own_time:
        raise _Stays("only the file's time says when it was downloaded, and this storage does not keep it on a move.")
    if is_there(target) and _digest(target) != digest:
        raise _Stays(f"another file is at {target}, and tables name both by this path. Nothing is overwritten.")


def _digest(path: UPath) -> str | ExportProblem:
    """The sha256 of the bytes as they are now, or why they cannot be read. An object is known by its tag, unread."""
    try:
        return export_id(path) if isinstance(path, Path) else identity(path)
    except ExportProblem as problem:
        return problem
    except OSError as error:
        return ExportProblem(f"{shown(path)}: cannot be read ({error.strerror or error}).")
