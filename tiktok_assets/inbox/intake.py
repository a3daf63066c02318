"""What lies in landing or archive and is not processed yet: found, read once, given to its account, or set aside.

Belongs here: the decisions about files. Does not belong here: looking for them (``files``), parsing (``exports``),
tables, Dagster. A file is only ever moved: into its account's folder, or into quarantine beside a note that says why.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl
import polars.selectors as cs
from upath import UPath

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.exports.names import INSIGHTS, NameFacts, read_name
from tiktok_assets.exports.problems import AccountConflict, ExportProblem, UnknownAccount, UnreadableFile
from tiktok_assets.inbox.files import (
    State,
    account_folders,
    files_below,
    free_place,
    identity,
    is_identified,
    is_inside,
    is_text,
    is_there,
    is_younger,
    lies_below,
    shown,
    source_of,
    state_of,
    unchanged,
)
from tiktok_assets.inbox.ownership import (
    TO_USE_IT,
    AccountNotInUse,
    account_of_folder,
    everyone_known,
    home_of,
    linked_handles,
    owner_of,
)
from tiktok_assets.inbox.quarantine import Rejected, set_aside
from tiktok_assets.inbox.receipts import loaded, months_noted
from tiktok_assets.reports.reading import MemberRows, open_export
from tiktok_assets.storage.lake import Lake, changed_at, files_in, local_copy

log = logging.getLogger(__name__)

_SAME_BYTES = "{path}: holds the same bytes as {twin}, which is taken in already. It may be deleted."
# In a folder that is not ours only files of these types are looked at, and JSON that is named as our insights are.
_TYPES = (".zip", ".csv", ".xlsx")


Held = dict[str, dict[str, UPath]]
"""By sha256: which accounts' folders have these bytes, and where."""


class AlreadyHere(ExportProblem):
    """The same bytes lie in the account's folder."""

    reason = "already_here"


class UnusableName(ExportProblem):
    """A name that is no text; it could not be written into any table."""

    reason = "unusable_name"


class OutsideTime(ExportProblem):
    """An export of days that have no partition."""

    reason = "outside_time"


class Unforeseen(ExportProblem):
    """The reader stumbled over the file in a way that is a fault of ours."""

    reason = "unforeseen"


@dataclass(frozen=True, kw_only=True)
class LandedExport:
    """An export that lies in its account's folder and has not gone to the warehouse yet."""

    account: str
    source: str
    """Its path below ``data/landing/<account>``, or below ``data/archive/<account>`` once it lies there."""
    export_id: str
    sections: tuple[str, ...]
    months: tuple[dt.date, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Intake:
    """One look at the landing folders. Nothing is moved but what ``landed`` or was ``rejected``."""

    landed: tuple[LandedExport, ...]
    rejected: tuple[Rejected, ...]
    waiting: tuple[str, ...]
    """Files that are still being written."""
    unreadable: tuple[str, ...]
    """What could not be looked at, or not be moved, and what to do: one message each."""
    left_alone: tuple[str, ...]
    """Why a file stays where it is although nothing is wrong: its bytes are here already, or it is not ours."""
    postponed: int = 0
    """Files that this look had no time for; the next one goes on with them."""


@dataclass
class _Findings:
    budget: float = math.inf
    """Seconds of hashing and reading that are left; what is known already costs none."""
    postponed: int = 0
    held: Held = field(default_factory=dict)
    taken: Held = field(default_factory=dict)
    """Of these, what went to the warehouse, or is taken in by this look."""
    landed: list[LandedExport] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def spending(self) -> Iterator[None]:
        """The time of the block counts."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.budget -= time.monotonic() - begun

    def refused(self, path: UPath, error: OSError) -> None:
        self.unreadable.append(
            f"{shown(path)}: cannot be looked at ({error.strerror or error}). "
            "Give this user the right to read it, then it is picked up by itself."
        )


def take_in(lake: Lake, roster: Roster, *, patience: float = 0.0, budget: float = math.inf) -> Intake:
    """Look at every file in the landing folders once, and decide.

    ``patience``: a file that is no export and changed less than so many seconds ago may still be being written; it is
    left for the next look instead of being set aside. ``budget``: seconds of reading after which the rest is left for
    the next look, too, the oldest files first.
    """
    found = _Findings(budget)
    everyone = everyone_known(lake.settings, roster)
    with lake.alone("intake"):
        waiting = list(_unprocessed(lake, roster, everyone, found))
        if found.postponed:  # a file is judged beside all others that hold its bytes
            found.postponed += len(waiting)
            waiting = []
        # Files that name a known handle go first, so that a misplaced copy cannot claim their bytes.
        waiting.sort(key=lambda path: (not _names(path, everyone), _changed(path)))
        for path, whole in unchanged(waiting):
            if found.budget <= 0:
                found.postponed += 1
            elif whole:
                with found.spending():
                    _decide(lake, roster, everyone, path, patience, found)
            else:
                found.waiting.append(shown(path))
    for message in found.unreadable:
        log.warning("%s", message)
    return Intake(
        landed=tuple(found.landed),
        rejected=tuple(found.rejected),
        waiting=tuple(found.waiting),
        unreadable=tuple(found.unreadable),
        left_alone=tuple(dict.fromkeys(found.left_alone)),
        postponed=found.postponed,
    )


def _changed(path: UPath) -> float:
    try:
        return changed_at(path)
    except OSError:
        return 0.0


def _unprocessed(lake: Lake, roster: Roster, everyone: Roster, found: _Findings) -> Iterator[UPath]:
    """The files that did not go to the warehouse yet, in all landing folders; of equal bytes one."""
    done = {account: loaded(lake, account) for account in roster}
    homeless: list[UPath] = []
    for account, path in _at_home(lake, roster, homeless, found):
        if not is_text(path):
            yield path
        elif (digest := _digest(path, found)) and account not in found.held.setdefault(digest, {}):
            found.held[digest][account] = path
            if digest in done[account]:
                found.taken.setdefault(digest, {})[account] = path
            else:
                yield path
    yield from _strangers(lake, everyone, homeless, found)
    yield from _extra_files(lake, found)


def _at_home(lake: Lake, roster: Roster, homeless: list[UPath], found: _Findings) -> Iterator[tuple[str, UPath]]:
    """The files in the accounts' folders, with the account; those of landing that are in none go to ``homeless``.

    The archive's come first (``account_folders``): a rebuild, and a receipt that was opened again, need them.
    """
    landing = lake.settings.landing
    for account in roster:
        for path in files_below(lake.settings.archive / account, found.refused):
            yield account, path
    for path in files_below(landing, found.refused):
        folder, *rest = path.relative_to(landing).parts
        account = home_of(lake.settings, roster, folder) if rest else None
        if account is None:
            homeless.append(path)
        else:
            yield account, (landing / account).joinpath(*rest)


def _strangers(lake: Lake, everyone: Roster, homeless: list[UPath], found: _Findings) -> Iterator[UPath]:
    """Of the files that lie in no account's folder, those that nobody ever owned.

    The folder of an account that TIKTOK_ACCOUNTS leaves out, or that left accounts.toml, waits for it to come back.
    """
    retired: dict[str, bool] = {}
    for path in homeless:
        folder, *rest = path.relative_to(lake.settings.landing).parts
        if rest and folder not in retired:
            is_known = home_of(lake.settings, everyone, folder) is not None
            retired[folder] = is_known or bool(files_in(lake.raw_folder("exports", folder)))
        if rest and retired[folder]:
            found.left_alone.append(
                f"{lake.settings.landing / folder}: the account {folder} is not in use. {TO_USE_IT}"
            )
        else:
            yield path


def _extra_files(lake: Lake, found: _Findings) -> Iterator[UPath]:
    """The files of TIKTOK_LANDING_PATH that may be exports; never those of the lake, should the folder be around it."""
    settings = lake.settings
    if settings.landing_path is None:
        return
    layers = [getattr(settings, layer) for layer in ("landing", "quarantine", "raw", "staging", "curated", "archive")]
    for path in files_below(settings.landing_path, found.refused):
        is_ours = path.name.lower().endswith(_TYPES) or read_name(path.name).section == INSIGHTS
        if is_ours and not any(is_inside(path, layer) for layer in layers):
            yield path


def _digest(path: UPath, found: _Findings) -> str | None:
    is_known = is_identified(path)
    if found.budget <= 0 and not is_known:
        found.postponed += 1
        return None
    try:
        with contextlib.nullcontext() if is_known else found.spending():
            return identity(path)
    except UnreadableFile as problem:
        if is_there(path):
            found.unreadable.append(str(problem))
        return None


def _decide(lake: Lake, roster: Roster, everyone: Roster, path: UPath, patience: float, found: _Findings) -> None:
    try:
        try:
            found.landed.append(_admit(lake, roster, everyone, path, found))
        except UnreadableFile as problem:
            if is_there(path):
                found.unreadable.append(str(problem))
        except (AccountNotInUse, AlreadyHere) as problem:
            found.left_alone.append(str(problem))
        except ExportProblem as problem:
            if is_younger(path, patience):
                found.waiting.append(shown(path))
            elif _is_ours(lake, path):
                found.rejected.append(set_aside(lake, path, problem))
            else:
                found.left_alone.append(str(problem))
    except (OSError, MemoryError) as error:
        if is_there(path):
            found.unreadable.append(
                f"{shown(path)}: could not be taken in ({error or type(error).__name__}). It stays where it is; "
                "see that this user may write to its folder and to the data folder, and that the disk is not full."
            )


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """What one file says, without regard to the lake."""

    export_id: str
    facts: NameFacts
    linked: tuple[str, ...]
    window: tuple[dt.date, dt.date]
    months: tuple[dt.date, ...]
    sections: tuple[str, ...]
    warnings: tuple[str, ...]
    tells_numbers: bool
    """Whether there is more in it than days, zeros and marks for missing: no two accounts have all the same numbers."""


@functools.lru_cache(maxsize=100_000)
def _read(path: UPath, state: State) -> _Reading | ExportProblem:
    """What the file says, or why it is no export; remembered while its state stays the same.

    The files of 1,000 accounts are looked at every 10 seconds until their runs have ended, at 5 ms a file.
    """
    try:
        with local_copy(path) as file, open_export(file) as export:
            export.validate()
            return _Reading(
                export_id=export.export_id,
                facts=export.facts,
                linked=linked_handles(export),
                window=export.window,
                months=tuple(export.months),
                sections=export.sections,
                warnings=export.warnings,
                tells_numbers=any(_tells_numbers(member) for member in export.members),
            )
    except (UnreadableFile, OSError, MemoryError):
        raise
    except ExportProblem as problem:
        return type(problem)(str(problem))  # without its traceback, which would keep the file in memory
    except Exception as error:
        log.exception("%s: unforeseen", path)
        return Unforeseen(
            f"{path.name}: reading it failed ({type(error).__name__}: {error}), which is a fault of this program. "
            "Please report it with the file; after an update put the file back into data/landing."
        )


def _tells_numbers(member: MemberRows) -> bool:
    rows = member.table.rows
    if not isinstance(rows, pl.DataFrame):
        return True  # a long list of videos
    told = rows.select(cs.string().exclude(member.layout.label_column or ""))
    return bool(told.select(pl.any_horizontal(pl.all().str.contains("[1-9]")).any()).item()) if told.width else False


def _names(path: UPath, everyone: Roster) -> bool:
    """Whether the file's name holds the handle of an account."""
    handle = read_name(path.name).handle if is_text(path) else None
    return handle is not None and everyone.resolve(handle) is not None


def _admit(lake: Lake, roster: Roster, everyone: Roster, path: UPath, found: _Findings) -> LandedExport:
    """Read the export, find its account, and see that it lies in that account's folder."""
    if not is_text(path):
        raise UnusableName(
            f"{shown(path)}: the name holds bytes that are no text. Rename it, then put it back into data/landing."
        )
    read = _read(path, state_of(path))
    if isinstance(read, ExportProblem):
        raise type(read)(str(read))
    handle = read.facts.handle
    taken = found.taken.setdefault(read.export_id, {})
    account = _owner(read, path, account_of_folder(lake.settings, everyone, path), everyone, taken)
    if account.key not in roster:
        raise AccountNotInUse(f"{path}: belongs to the account {account.key}, which is not in use. {TO_USE_IT}")
    months = lake.months_kept(read.months)
    if not months:
        raise OutsideTime(
            f"{path.name}: speaks of {read.window[0]} to {read.window[1]}; the months kept are "
            f"{lake.settings.start_date:%Y-%m} to the current one. Set TIKTOK_START_DATE to an earlier month, or "
            "correct the dates, then put the file back into data/landing."
        )
    twin = found.held.setdefault(read.export_id, {}).setdefault(account.key, path)
    if twin != path:
        raise AlreadyHere(_SAME_BYTES.format(path=path, twin=twin))
    home = taken[account.key] = _move_home(lake, path, account)
    trusts_folder = handle is not None and not read.linked and everyone.resolve(handle) is None
    doubt = f"its name says @{handle}, which is no account; its folder says {account.key}"
    noted = months_noted(lake, account.key, read.export_id)  # its days may lie in a month no label names
    return LandedExport(
        account=account.key,
        source=source_of(lake, account.key, home),
        export_id=read.export_id,
        sections=read.sections,
        months=tuple(sorted({*months, *noted})),
        warnings=(*read.warnings, doubt) if trusts_folder else read.warnings,
    )


def _owner(
    read: _Reading, path: UPath, folder: Account | None, everyone: Roster, taken: Mapping[str, UPath]
) -> Account:
    """Whose it is. An export of numbers is one account's: what was ``taken`` in for another one is refused."""
    twins = {key: twin for key, twin in taken.items() if twin != path} if read.tells_numbers else {}
    try:
        account = owner_of(path.name, read.linked, read.facts.handle, folder, everyone)
    except UnknownAccount:
        if not twins:
            raise
        twin = next(iter(twins.values()))
        raise AlreadyHere(_SAME_BYTES.format(path=path, twin=twin)) from None
    for other, twin in twins.items():
        if other != account.key:
            raise AccountConflict(
                f"{path.name}: holds the same bytes as {twin}, which is an export of {other}. If it is "
                f"{account.key}'s indeed, delete that one, put this one into data/landing/{account.key}, and run "
                "`tiktok-assets rebuild`."
            )
    return account


def _move_home(lake: Lake, path: UPath, account: Account) -> UPath:
    """The file's place in its account's folder; moved there if it lies elsewhere, under a name that is free.

    From a folder where nothing may be taken away it is copied; its bytes are known then, and not taken in again.
    """
    if any(lies_below(path, home) for home in account_folders(lake, account.key)):
        return path
    unpacked = read_name(path.parent.name)  # Followers_<handle>/FollowerHistory.csv stays together
    folder = [path.parent.name] if unpacked.handle and unpacked.section else []
    target = free_place(lake, account.key, *folder, path.name)
    try:
        lake.move(path, target)
    except OSError:
        lake.copy(path, target)
    return target


def _is_ours(lake: Lake, path: UPath) -> bool:
    """Whether a file that is no export may be moved away; in the extra landing folder only if named like an export."""
    ours = (lake.settings.landing, lake.settings.archive)
    return any(lies_below(path, folder) for folder in ours) or read_name(path.name).section is not None


def by_account(exports: Iterable[LandedExport]) -> dict[str, list[LandedExport]]:
    """The exports of each account, in the order in which the accounts first appear."""
    grouped: dict[str, list[LandedExport]] = {}
    for export in exports:
        grouped.setdefault(export.account, []).append(export)
    return grouped
