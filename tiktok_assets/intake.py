"""What lies in landing and is not processed yet: found, read once, given to its account, or set aside with a reason.

Belongs here: the decisions about files. Does not belong here: parsing (``exports``), tables, Dagster.
A file is only ever moved: into its account's folder, or into quarantine beside a note that says why.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from upath import UPath

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.export import Export, open_export
from tiktok_assets.exports.names import read_name
from tiktok_assets.exports.problems import AccountConflict, BrokenFile, ExportProblem, UnknownAccount, UnreadableFile
from tiktok_assets.receipts import processed
from tiktok_assets.storage.lake import Lake, local_copy

log = logging.getLogger(__name__)

# A file changed less than this long ago is looked at twice, LOOK_AGAIN apart, before it counts as complete.
YOUNG = 5.0  # seconds
LOOK_AGAIN = 1.0
# What browsers and copy programs call a file they have not finished.
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp")


@dataclass(frozen=True, kw_only=True)
class LandedExport:
    """An export that lies in its account's folder and has not gone to the warehouse yet."""

    account: str
    source: str
    """Its path below ``data/landing/<account>``."""
    export_id: str
    sections: tuple[str, ...]
    months: tuple[dt.date, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A file that is no usable export: where it was found, where it lies now, and why."""

    file: str
    moved_to: str
    reason: str
    message: str
    export_id: str | None
    quarantined_at: str


@dataclass(frozen=True, kw_only=True)
class Intake:
    """One look at the landing folders. ``waiting`` files are still being written; ``unreadable`` ones stay where they are."""

    landed: tuple[LandedExport, ...]
    rejected: tuple[Rejected, ...]
    waiting: tuple[str, ...]
    unreadable: tuple[str, ...]


def take_in(lake: Lake, roster: Roster, *, patience: float = 0.0) -> Intake:
    """Look at every file in the landing folders once, and decide.

    ``patience``: a damaged file that changed less than so many seconds ago may still be being written; it is left for
    the next look instead of being set aside.
    """
    landed: list[LandedExport] = []
    rejected: list[Rejected] = []
    waiting: list[str] = []
    unreadable: list[str] = []
    for path, complete in _unchanged(list(_unprocessed(lake, roster, unreadable))):
        if not complete:
            waiting.append(str(path))
            continue
        try:
            landed.append(_admit(lake, roster, path))
        except UnreadableFile as problem:
            unreadable.append(str(problem))
        except BrokenFile as problem:
            if time.time() - path.stat().st_mtime < patience:
                waiting.append(str(path))
            else:
                rejected.extend(_set_aside(lake, path, problem))
        except ExportProblem as problem:
            rejected.extend(_set_aside(lake, path, problem))
    for message in unreadable:
        log.warning("%s", message)
    return Intake(landed=tuple(landed), rejected=tuple(rejected), waiting=tuple(waiting), unreadable=tuple(unreadable))


def account_files(lake: Lake, account: str) -> Iterator[UPath]:
    """Every file in the landing folder of ``account``, in the order of its path."""
    yield from _files(lake.settings.landing / account)


def identity(path: UPath) -> str:
    """The sha256 of the file, remembered as long as its size and time stay the same."""
    try:
        state = path.stat()
    except OSError:
        return export_id(Path(path))  # says why it cannot be read
    return _identity(path, state.st_size, state.st_mtime)


@functools.lru_cache(maxsize=200_000)
def _identity(path: UPath, size: int, changed: float) -> str:  # noqa: ARG001 - the key of the cache
    with local_copy(path) as file:
        return export_id(file)


def _files(folder: UPath) -> Iterator[UPath]:
    if not folder.exists():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__MACOSX")) or path.name.lower().endswith(_UNFINISHED):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def _unprocessed(lake: Lake, roster: Roster, unreadable: list[str]) -> Iterator[UPath]:
    """The files that did not go to the warehouse yet, in all landing folders."""
    settings = lake.settings
    done = {account: processed(lake, account) for account in roster}
    for path in _files(settings.landing):
        account = path.relative_to(settings.landing).parts[0]
        try:
            if account not in done or identity(path) not in done[account]:
                yield path
        except UnreadableFile as problem:
            unreadable.append(str(problem))
    if settings.landing_path is not None and settings.landing_path != settings.landing:
        yield from _files(settings.landing_path)


def _unchanged(paths: list[UPath]) -> Iterator[tuple[UPath, bool]]:
    """Each path, and whether two looks found it the same."""
    first = {path: path.stat() for path in paths}
    if any(time.time() - state.st_mtime < YOUNG for state in first.values()):
        time.sleep(LOOK_AGAIN)
    for path, before in first.items():
        try:
            now = path.stat()
        except FileNotFoundError:  # renamed by the program that wrote it
            continue
        yield path, (now.st_size, now.st_mtime) == (before.st_size, before.st_mtime)


def _admit(lake: Lake, roster: Roster, path: UPath) -> LandedExport:
    """Read the export, find its account, and see that it lies in that account's folder."""
    with local_copy(path) as file, open_export(file) as export:
        account = owner(export, _folder_account(lake, roster, path), roster)
        export.validate()
        months = lake.months_kept(export.months)
        if not months:
            raise ExportProblem(
                f"{path.name}: ends on {export.window[1]}, before the first month that is kept. "
                "Set TIKTOK_START_DATE to an earlier month, then put the file back."
            )
        home = _move_home(lake, path, account)
        return LandedExport(
            account=account.key,
            source=home.relative_to(lake.settings.landing / account.key).as_posix(),
            export_id=export.export_id,
            sections=export.sections,
            months=tuple(months),
            warnings=export.warnings,
        )


def owner(export: Export, folder: Account | None, roster: Roster) -> Account:
    """The account an export belongs to. Raises UnknownAccount, or AccountConflict where the evidence disagrees.

    Handles in video links are TikTok's own word; the folder is the person's; a file name can be anything.
    """
    name = export.path.name
    linked = {handle: roster.resolve(handle) for member in export.members for handle in member.handles}
    named = roster.resolve(export.facts.handle) if export.facts.handle else None
    claims = {account.key: account for account in (folder, named, *linked.values()) if account is not None}
    strangers = [handle for handle, account in linked.items() if account is None]
    if len(claims) > 1 or (claims and strangers) or len(strangers) > 1:
        owners = [f"folder {folder.key}"] if folder else []
        owners += [f"name @{export.facts.handle}"] if named else []
        owners += [f"links @{handle}" for handle in linked]
        raise AccountConflict(
            f"{name}: the evidence names more than one account ({', '.join(owners)}). Move it to the folder of its "
            "account, data/landing/<account>/; if a handle changed, correct it in accounts.toml."
        )
    if not claims:
        handle = strangers[0] if strangers else export.facts.handle
        remedy = (
            f"`tiktok-assets accounts add <name> --handle {handle}`, then move the file back to data/landing"
            if handle
            else "put it into data/landing/<account>/"
        )
        whose = f"@{handle} is no configured account" if handle else "nothing in it says whose it is"
        raise UnknownAccount(f"{name}: {whose} (configured: {', '.join(roster) or 'none'}). To use it: {remedy}.")
    return next(iter(claims.values()))


def _folder_account(lake: Lake, roster: Roster, path: UPath) -> Account | None:
    if not path.is_relative_to(lake.settings.landing):
        return None
    parts = path.relative_to(lake.settings.landing).parts
    return roster.resolve(parts[0]) if len(parts) > 1 else None


def _move_home(lake: Lake, path: UPath, account: Account) -> UPath:
    """The file's place in its account's folder; moved there if it lies elsewhere, under a name that is free."""
    home = lake.settings.landing / account.key
    if path.is_relative_to(home):
        return path
    unpacked = read_name(path.parent.name)  # Followers_<handle>/FollowerHistory.csv stays together
    folder = home / path.parent.name if unpacked.handle and unpacked.section else home
    return _move(path, _free(folder / path.name))


def _free(path: UPath) -> UPath:
    """``path``, or the first of ``name~2.zip``, ``name~3.zip`` ... that does not exist: no file is overwritten."""
    name, number = PurePosixPath(path.name), 2
    while path.exists():
        path = path.parent / f"{name.stem}~{number}{name.suffix}"
        number += 1
    return path


def _move(path: UPath, target: UPath) -> UPath:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(path, Path) and isinstance(target, Path):
        shutil.move(path, target)  # across file systems it copies, keeps the time, and then deletes
    else:
        target.write_bytes(path.read_bytes())
        path.unlink()
    return target


def _set_aside(lake: Lake, path: UPath, problem: ExportProblem) -> Iterator[Rejected]:
    """Move the file to quarantine and write down why. A stranger's file in the extra landing folder stays there."""
    ours = path.is_relative_to(lake.settings.landing)
    if not ours and not read_name(path.name).section:
        log.info("left alone: %s", problem)
        return
    try:
        digest = identity(path)
    except ExportProblem:
        digest = None
    target = _move(path, _free(lake.settings.quarantine / path.name))
    rejected = Rejected(
        file=str(path),
        moved_to=str(target),
        reason=problem.reason,
        message=str(problem),
        export_id=digest,
        quarantined_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )
    note = json.dumps(asdict(rejected), indent=2, ensure_ascii=False)
    lake.write_bytes(target.parent / f"{target.name}.json", f"{note}\n".encode())
    log.warning("quarantined: %s", problem)
    yield rejected


def by_account(exports: Iterable[LandedExport]) -> dict[str, list[LandedExport]]:
    """The exports of each account, in the order in which the accounts first appear."""
    grouped: dict[str, list[LandedExport]] = {}
    for export in exports:
        grouped.setdefault(export.account, []).append(export)
    return grouped
