"""What lies in landing or archive and is not processed yet: found, read once, given to its account, or quarantined.

Belongs here: the decisions about files. Does not belong here: looking for them (``files``), parsing (``exports``),
tables, Dagster. A file is only ever moved: into its account's folder, or into quarantine beside a note that says why.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from upath import UPath

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.exports.names import INSIGHTS, read_name
from tiktok_assets.exports.problems import AccountConflict, ExportProblem, UnknownAccount, UnreadableFile
from tiktok_assets.inbox.contents import Contents, read_contents
from tiktok_assets.inbox.files import (
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
    all_accounts,
    home_of,
    owner_of,
)
from tiktok_assets.inbox.quarantine import Rejected, quarantine
from tiktok_assets.inbox.receipts import loaded, months_noted
from tiktok_assets.storage.lake import Lake, changed_at, files_in

log = logging.getLogger(__name__)

_SAME_BYTES = "{path}: holds the same bytes as {twin}, which is taken in already. It may be deleted."
# In a folder that is not ours only files of these types are looked at, and JSON that is named as our insights are.
_TYPES = (".zip", ".csv", ".xlsx")


class AlreadyHere(ExportProblem):
    """The same bytes lie in the account's folder."""

    reason = "already_here"


class UnusableName(ExportProblem):
    """A name that is no text; it could not be written into any table."""

    reason = "unusable_name"


class OutsideTime(ExportProblem):
    """An export of days that have no partition."""

    reason = "outside_time"


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


def take_in(lake: Lake, roster: Roster, *, settle_seconds: float = 0.0, read_budget: float = math.inf) -> Intake:
    """Look at every file in the landing folders once, and decide.

    ``settle_seconds``: a file that is no export and changed less than so long ago may still be being written; it is
    left for the next look instead of being quarantined. ``read_budget``: seconds of reading after which the rest is
    left for the next look, too, the oldest files first.
    """
    with lake.alone("intake"):
        return Inbox(lake, roster, settle_seconds=settle_seconds, read_budget=read_budget).take_in()


class Inbox:
    """One look at the landing folders and the archive; see ``take_in``."""

    def __init__(self, lake: Lake, roster: Roster, *, settle_seconds: float, read_budget: float) -> None:
        self._lake, self._roster = lake, roster
        self._all_accounts = all_accounts(lake.settings, roster)
        self._settle_seconds = settle_seconds
        self._read_budget = read_budget
        """Seconds of hashing and reading that are left; what is known already costs none."""
        self._held: defaultdict[str, dict[str, UPath]] = defaultdict(dict)
        """By sha256: which accounts' folders have these bytes, and where."""
        self._taken: defaultdict[str, dict[str, UPath]] = defaultdict(dict)
        """Of these, what went to the warehouse, or is taken in by this look."""
        self._landed: list[LandedExport] = []
        self._rejected: list[Rejected] = []
        self._waiting: list[str] = []
        self._unreadable: list[str] = []
        self._left_alone: list[str] = []
        self._postponed = 0

    def take_in(self) -> Intake:
        waiting = list(self._unprocessed())
        if self._postponed:  # a file is judged beside all others that hold its bytes
            self._postponed += len(waiting)
            waiting = []
        # Files that name a known handle go first, so that a misplaced copy cannot claim their bytes.
        waiting.sort(key=lambda path: (not self._names_account(path), _changed(path)))
        for path, is_whole in unchanged(waiting):
            if self._read_budget <= 0:
                self._postponed += 1
            elif is_whole:
                with self._spending():
                    self._decide(path)
            else:
                self._waiting.append(shown(path))
        for message in self._unreadable:
            log.warning("%s", message)
        return Intake(
            landed=tuple(self._landed),
            rejected=tuple(self._rejected),
            waiting=tuple(self._waiting),
            unreadable=tuple(self._unreadable),
            left_alone=tuple(dict.fromkeys(self._left_alone)),
            postponed=self._postponed,
        )

    @contextlib.contextmanager
    def _spending(self) -> Iterator[None]:
        """The time of the block counts."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._read_budget -= time.monotonic() - begun

    def _unprocessed(self) -> Iterator[UPath]:
        """The files that did not go to the warehouse yet, in all landing folders; of equal bytes one."""
        done = {account: loaded(self._lake, account) for account in self._roster}
        unassigned: list[UPath] = []
        for account, path in self._owned_files(unassigned):
            if not is_text(path):
                yield path
            elif (digest := self._digest(path)) and account not in self._held[digest]:
                self._held[digest][account] = path
                if digest in done[account]:
                    self._taken[digest][account] = path
                else:
                    yield path
        yield from self._unowned_files(unassigned)
        yield from self._extra_files()

    def _owned_files(self, unassigned: list[UPath]) -> Iterator[tuple[str, UPath]]:
        """The files in the accounts' folders, with the account; those of landing that are in none are ``unassigned``.

        The archive's come first (``account_folders``): a rebuild, and a receipt that was opened again, need them.
        """
        settings = self._lake.settings
        for account in self._roster:
            for path in files_below(settings.archive / account, self._refused):
                yield account, path
        for path in files_below(settings.landing, self._refused):
            folder, *rest = path.relative_to(settings.landing).parts
            account = home_of(settings, self._roster, folder) if rest else None
            if account is None:
                unassigned.append(path)
            else:
                yield account, (settings.landing / account).joinpath(*rest)

    def _unowned_files(self, unassigned: list[UPath]) -> Iterator[UPath]:
        """Of the files that lie in no account's folder, those that nobody ever owned.

        The folder of an account that TIKTOK_ACCOUNTS leaves out, or that left accounts.toml, waits for it to come back.
        """
        settings = self._lake.settings
        retired: dict[str, bool] = {}
        for path in unassigned:
            folder, *rest = path.relative_to(settings.landing).parts
            if rest and folder not in retired:
                is_known = home_of(settings, self._all_accounts, folder) is not None
                retired[folder] = is_known or bool(files_in(self._lake.raw_folder("exports", folder)))
            if rest and retired[folder]:
                where = settings.landing / folder
                self._left_alone.append(f"{where}: the account {folder} is not in use. {TO_USE_IT}")
            else:
                yield path

    def _extra_files(self) -> Iterator[UPath]:
        """The files of TIKTOK_LANDING_PATH that may be exports; never those of the lake, should it lie inside."""
        settings = self._lake.settings
        if settings.landing_path is None:
            return
        layers = [getattr(settings, name) for name in ("landing", "quarantine", "raw", "staging", "curated", "archive")]
        for path in files_below(settings.landing_path, self._refused):
            may_be_export = path.name.lower().endswith(_TYPES) or read_name(path.name).section == INSIGHTS
            if may_be_export and not any(is_inside(path, layer) for layer in layers):
                yield path

    def _refused(self, path: UPath, error: OSError) -> None:
        self._unreadable.append(
            f"{shown(path)}: cannot be looked at ({error.strerror or error}). "
            "Give this user the right to read it, then it is picked up by itself."
        )

    def _digest(self, path: UPath) -> str | None:
        is_known = is_identified(path)
        if self._read_budget <= 0 and not is_known:
            self._postponed += 1
            return None
        try:
            with contextlib.nullcontext() if is_known else self._spending():
                return identity(path)
        except UnreadableFile as problem:
            if is_there(path):
                self._unreadable.append(str(problem))
            return None

    def _decide(self, path: UPath) -> None:
        try:
            try:
                self._landed.append(self._admitted(path))
            except UnreadableFile as problem:
                if is_there(path):
                    self._unreadable.append(str(problem))
            except (AccountNotInUse, AlreadyHere) as problem:
                self._left_alone.append(str(problem))
            except ExportProblem as problem:
                if is_younger(path, self._settle_seconds):
                    self._waiting.append(shown(path))
                elif self._may_move_away(path):
                    self._rejected.append(quarantine(self._lake, path, problem))
                else:
                    self._left_alone.append(str(problem))
        except (OSError, MemoryError) as error:
            if is_there(path):
                self._unreadable.append(
                    f"{shown(path)}: could not be taken in ({error or type(error).__name__}). It stays where it is; "
                    "see that this user may write to its folder and to the data folder, and that the disk is not full."
                )

    def _names_account(self, path: UPath) -> bool:
        """Whether the file's name holds the handle of an account."""
        handle = read_name(path.name).handle if is_text(path) else None
        return handle is not None and self._all_accounts.resolve(handle) is not None

    def _admitted(self, path: UPath) -> LandedExport:
        """Read the export, find its account, and see that it lies in that account's folder."""
        if not is_text(path):
            raise UnusableName(
                f"{shown(path)}: the name holds bytes that are no text. Rename it, then put it back into data/landing."
            )
        contents = read_contents(path, state_of(path))
        if isinstance(contents, ExportProblem):
            raise type(contents)(str(contents))
        account = self._owner(path, contents)
        if account.key not in self._roster:
            raise AccountNotInUse(f"{path}: belongs to the account {account.key}, which is not in use. {TO_USE_IT}")
        months = self._lake.months_kept(contents.months)
        if not months:
            first, last = contents.window
            raise OutsideTime(
                f"{path.name}: contains {first} to {last}; the months kept are "
                f"{self._lake.settings.start_date:%Y-%m} to the current one. Set TIKTOK_START_DATE to an earlier "
                "month, or correct the dates, then put the file back into data/landing."
            )
        twin = self._held[contents.export_id].setdefault(account.key, path)
        if twin != path:
            raise AlreadyHere(_SAME_BYTES.format(path=path, twin=twin))
        home = self._taken[contents.export_id][account.key] = self._moved_home(path, account)
        noted = months_noted(self._lake, account.key, contents.export_id)  # days may lie in a month no label names
        return LandedExport(
            account=account.key,
            source=source_of(self._lake, account.key, home),
            export_id=contents.export_id,
            sections=contents.sections,
            months=tuple(sorted({*months, *noted})),
            warnings=(*contents.warnings, *self._doubts(contents, account)),
        )

    def _doubts(self, contents: Contents, account: Account) -> Iterator[str]:
        handle = contents.facts.handle
        if handle is not None and not contents.linked and self._all_accounts.resolve(handle) is None:
            yield f"its name says @{handle}, which is no account; its folder says {account.key}"

    def _owner(self, path: UPath, contents: Contents) -> Account:
        """Whose it is. An export with numbers is one account's: what was taken in for another one is refused."""
        taken = self._taken[contents.export_id]
        twins = {key: twin for key, twin in taken.items() if twin != path} if contents.has_numbers else {}
        folder = account_of_folder(self._lake.settings, self._all_accounts, path)
        try:
            account = owner_of(path.name, contents.linked, contents.facts.handle, folder, self._all_accounts)
        except UnknownAccount:
            if not twins:
                raise
            raise AlreadyHere(_SAME_BYTES.format(path=path, twin=next(iter(twins.values())))) from None
        for other, twin in twins.items():
            if other != account.key:
                raise AccountConflict(
                    f"{path.name}: holds the same bytes as {twin}, which is an export of {other}. If it is "
                    f"{account.key}'s indeed, delete that one, put this one into data/landing/{account.key}, and run "
                    "`tiktok-assets rebuild`."
                )
        return account

    def _moved_home(self, path: UPath, account: Account) -> UPath:
        """The file's place in its account's folder; moved there if it lies elsewhere, under a name that is free.

        From a folder where nothing may be taken away it is copied; its bytes are known then, and not taken in again.
        """
        if any(lies_below(path, home) for home in account_folders(self._lake, account.key)):
            return path
        unpacked = read_name(path.parent.name)  # Followers_<handle>/FollowerHistory.csv stays together
        folder = [path.parent.name] if unpacked.handle and unpacked.section else []
        target = free_place(self._lake, account.key, *folder, path.name)
        try:
            self._lake.move(path, target)
        except OSError:
            self._lake.copy(path, target)
        return target

    def _may_move_away(self, path: UPath) -> bool:
        """Whether a file that is no export may be moved; in the extra landing folder only if named like an export."""
        ours = (self._lake.settings.landing, self._lake.settings.archive)
        return any(lies_below(path, folder) for folder in ours) or read_name(path.name).section is not None


def _changed(path: UPath) -> float:
    try:
        return changed_at(path)
    except OSError:
        return 0.0


def by_account(exports: Iterable[LandedExport]) -> dict[str, list[LandedExport]]:
    """The exports of each account, in the order in which the accounts first appear."""
    grouped: dict[str, list[LandedExport]] = {}
    for export in exports:
        grouped.setdefault(export.account, []).append(export)
    return grouped
