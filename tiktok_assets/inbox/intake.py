"""Unprocessed files in landing and archive: found, read once, assigned to their account, or quarantined.

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
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from upath import UPath

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.exports.names import INSIGHTS, read_name
from tiktok_assets.exports.problems import AccountConflict, ExportProblem, UnknownAccount, UnreadableFile
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.inbox.archived import ArchivedObjects
from tiktok_assets.inbox.contents import Contents, months_to_keep, read_with_siblings, require_past
from tiktok_assets.inbox.files import (
    account_folders,
    files_below,
    free_place,
    is_behind_link,
    is_inside,
    is_text,
    is_there,
    is_younger,
    lies_below,
    objects_below,
    path_below,
    shown,
    source_of,
    unchanged,
)
from tiktok_assets.inbox.identities import identities, identity, is_identified, known_identity
from tiktok_assets.inbox.ownership import (
    TO_USE_IT,
    AccountNotInUse,
    account_of_folder,
    all_accounts,
    home_of,
    owner_of,
)
from tiktok_assets.inbox.quarantine import Rejected, quarantine
from tiktok_assets.inbox.receipts import months_noted, need_no_lake_run, proven_ids
from tiktok_assets.inbox.sandbox import Limits
from tiktok_assets.inbox.streams import LandedStreams, take_in_streams
from tiktok_assets.settings import STREAMS
from tiktok_assets.storage.copies import fetch
from tiktok_assets.storage.lake import Lake, changed_at
from tiktok_assets.storage.look import names_in
from tiktok_assets.storage.objects import is_object

log = logging.getLogger(__name__)

_SAME_BYTES = "{path}: holds the same bytes as {twin}, which is taken in already. You can delete it."
# In a folder that is not ours, only files of these types are read, and JSON named like our insights.
_TYPES = (".zip", ".csv", ".xlsx")
_FETCHED_AT_ONCE = 64


class AlreadyHere(ExportProblem):
    """The same bytes lie in the account's folder."""

    reason = "already_here"


class UnusableName(ExportProblem):
    """A name that is not valid text; it could not be written into any table."""

    reason = "unusable_name"


@dataclass(frozen=True, kw_only=True)
class LandedExport:
    """An export that is in its account's folder and has not reached the warehouse yet."""

    account: str
    source: str
    """Its path below ``data/landing/<account>``, or below ``data/archive/<account>`` once it is archived."""
    export_id: str
    sections: tuple[str, ...]
    months: tuple[dt.date, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Intake:
    """The result of one pass over the landing folders. Only what ``landed`` or was ``rejected`` is moved."""

    landed: tuple[LandedExport, ...]
    rejected: tuple[Rejected, ...]
    waiting: tuple[str, ...]
    """Files that are still being written."""
    unreadable: tuple[str, ...]
    """What could not be read or moved, and what to do: one message each."""
    left_alone: tuple[str, ...]
    """Why a file stays where it is: its bytes are stored already, or it is not ours."""
    streams: tuple[LandedStreams, ...] = ()
    """Files of streams that raw does not hold yet."""
    postponed: int = 0
    """Number of files that this pass had no time for; the next one continues with them."""


def take_in(lake: Lake, roster: Roster, *, settle_seconds: float = 0.0, read_budget: float = math.inf) -> Intake:
    """Check every file in the landing folders once, and decide what happens to it.

    ``settle_seconds``: a file that is not an export and changed less than this long ago may be incomplete; it is left
    for the next pass instead of being quarantined. ``read_budget``: seconds of reading after which the remaining files
    are left for the next pass as well; the oldest files are read first.
    """
    with lake.alone("intake"), lake.looking(), identities(lake):
        lake.remove_orphans()
        intake = Inbox(lake, roster, settle_seconds=settle_seconds, read_budget=read_budget).take_in()
        streams = take_in_streams(lake, settle_seconds=settle_seconds, read_budget=read_budget)
    return replace(
        intake,
        streams=streams.landed,
        rejected=(*intake.rejected, *streams.rejected),
        waiting=(*intake.waiting, *streams.waiting),
        unreadable=(*intake.unreadable, *streams.unreadable),
        postponed=intake.postponed + streams.postponed,
    )


class Inbox:
    """One pass over the landing folders and the archive; see ``take_in``."""

    def __init__(self, lake: Lake, roster: Roster, *, settle_seconds: float, read_budget: float) -> None:
        self._lake, self._roster = lake, roster
        self._all_accounts = all_accounts(lake.settings, roster)
        self._limits = Limits.of(lake.settings)
        self._settle_seconds = settle_seconds
        self._read_budget = read_budget
        """Seconds of hashing and reading that are left; cached results cost nothing."""
        self._held: defaultdict[str, dict[str, UPath | str]] = defaultdict(dict)
        """By sha256: the accounts whose folders contain these bytes, and the file."""
        self._copies: defaultdict[tuple[str, str], list[UPath]] = defaultdict(list)
        """By sha256 and account: further files in its folder with these bytes."""
        self._taken: defaultdict[str, dict[str, UPath | str]] = defaultdict(dict)
        """Of these, the files that are in the warehouse, or are taken in by this pass."""
        self._archived = ArchivedObjects()
        """Further such files; all that are in the archive of a lake in an object storage."""
        self._done: dict[str, frozenset[str]] = {}
        """By account: the exports that are in the warehouse."""
        self._ahead: deque[UPath] = deque()
        """Objects that will be read soon."""
        self._proven: dict[str, frozenset[str]] = {}
        """By account: the exports that were found to be its own before."""
        self._landed: list[LandedExport] = []
        self._rejected: list[Rejected] = []
        self._waiting: list[str] = []
        self._unreadable: list[str] = []
        self._left_alone: list[str] = []
        self._postponed = 0

    def take_in(self) -> Intake:
        waiting = list(self._unprocessed())
        if self._postponed:  # a file is judged together with all others that hold its bytes
            self._postponed += len(waiting)
            waiting = []
        # Files that name a known handle go first, so that a misplaced copy cannot claim their bytes.
        waiting.sort(key=lambda path: (not self._names_account(path), _changed(path)))
        self._ahead = deque(path for path in waiting if is_object(path) and not is_identified(path))
        for path, is_whole in unchanged(waiting):
            if self._read_budget <= 0:
                self._postponed += 1
            elif is_whole:
                with self._spending():
                    self._fetch_ahead(path)
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
        """Subtract the duration of the block from the read budget."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self._read_budget -= time.monotonic() - begun

    def _unprocessed(self) -> Iterator[UPath]:
        """The files in all landing folders that a run has to read; one of each set of equal files."""
        self._done = {account: need_no_lake_run(self._lake, account) for account in self._roster}
        unassigned: list[UPath] = []
        owned = list(self._owned_files(unassigned))
        self._ahead.extend(path for _, path in owned if is_object(path) and not is_identified(path))
        for account, path in owned:
            if not is_text(path):
                yield path
            elif not (digest := self._digest(path)):
                continue
            elif self._holder(digest, account) is not None:
                self._copies[digest, account].append(path)
            else:
                self._held[digest][account] = path
                if digest in self._done[account]:
                    self._taken[digest][account] = path
                else:
                    yield path
        yield from self._unowned_files(unassigned)
        yield from self._extra_files()

    def _owned_files(self, unassigned: list[UPath]) -> Iterator[tuple[str, UPath]]:
        """The files in the accounts' folders, with the account. Files of landing outside them go to ``unassigned``.

        Archived files come first (``account_folders``): a rebuild and a reopened receipt need them.
        """
        settings = self._lake.settings
        homes = functools.cache(lambda folder: home_of(settings, self._roster, folder))
        for account in self._roster:
            for path in self._archived_files(account):
                yield account, path
        for (folder, *rest), path in self._files_below(settings.landing, homes):
            if folder == STREAMS:
                continue
            account = homes(folder) if rest else None
            if account is None:
                unassigned.append(path)
            else:
                yield account, path if is_object(path) else (settings.landing / account).joinpath(*rest)

    def _files_below(
        self, folder: UPath, account_of: Callable[[str], str | None]
    ) -> Iterator[tuple[Sequence[str], UPath]]:
        """The files below ``folder`` with the parts of their paths there; of objects only those that are not done.

        ``account_of``: the account of a folder of it.
        """
        if not is_object(folder):
            yield from ((path.relative_to(folder).parts, path) for path in files_below(folder, self._refused))
            return
        for below, state in objects_below(folder):
            parts, name = below.split("/"), f"{folder}/{below}"
            account, digest = account_of(parts[0]), known_identity(name, state)
            if account is None or digest is None or digest not in self._done[account]:
                yield parts, folder / below
            elif self._holder(digest, account) is None:
                self._held[digest][account] = self._taken[digest][account] = name

    def _archived_files(self, account: str) -> Iterable[UPath]:
        """The files in the archive of ``account``; of objects only those that are not done."""
        folder = self._lake.settings.archive / account
        if is_object(folder):
            return self._archived.look_into(folder, account, self._done[account])
        return files_below(folder, self._refused)

    def _holder(self, digest: str, account: str) -> UPath | str | None:
        """The file with these bytes in the folders of ``account``."""
        return self._archived.file(digest, account) or self._held[digest].get(account)

    def _unowned_files(self, unassigned: list[UPath]) -> Iterator[UPath]:
        """Of the files that are in no account's folder, those that never belonged to an account.

        The folder of an account that TIKTOK_ACCOUNTS leaves out, or that was removed from accounts.toml, is left alone
        until the account is in use again.
        """
        settings = self._lake.settings
        retired: dict[str, bool] = {}
        for path in unassigned:
            folder, *rest = path_below(path, settings.landing).split("/")
            if rest and folder not in retired:
                is_known = home_of(settings, self._all_accounts, folder) is not None
                retired[folder] = is_known or bool(names_in(self._lake.raw_folder("exports", folder)))
            if rest and retired[folder]:
                where = shown(settings.landing / folder)
                self._left_alone.append(f"{where}: the account {one_line(folder)} is not in use. {TO_USE_IT}")
            else:
                yield path

    def _extra_files(self) -> Iterator[UPath]:
        """The files of TIKTOK_LANDING_PATH that may be exports, without those of a lake inside it."""
        settings = self._lake.settings
        if settings.landing_path is None:
            return
        layers = [getattr(settings, name) for name in ("landing", "quarantine", "raw", "staging", "curated", "archive")]
        for path in files_below(settings.landing_path, self._refused):
            if lies_below(path, settings.landing_path / STREAMS):
                continue
            may_be_export = path.name.lower().endswith(_TYPES) or read_name(path.name).section == INSIGHTS
            if may_be_export and not any(is_inside(path, layer) for layer in layers):
                yield path

    def _refused(self, path: UPath, error: OSError) -> None:
        self._unreadable.append(
            f"{shown(path)}: cannot be read ({error.strerror or error}). "
            "Give this user permission to read it; it is then picked up automatically."
        )

    def _digest(self, path: UPath) -> str | None:
        is_known = is_identified(path)
        if self._read_budget <= 0 and not is_known:
            self._postponed += 1
            return None
        try:
            with contextlib.nullcontext() if is_known else self._spending():
                self._fetch_ahead(path)
                return identity(path)
        except UnreadableFile as problem:
            if is_there(path):
                self._unreadable.append(str(problem))
            return None

    def _fetch_ahead(self, path: UPath) -> None:
        """Where it is time to read ``path``, fetch it together with those that follow: each request takes 30 ms."""
        if self._ahead and self._ahead[0] == path:
            fetch([self._ahead.popleft() for _ in range(min(_FETCHED_AT_ONCE, len(self._ahead)))])

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
                    copies = self._copies_of(path)
                    self._rejected.append(quarantine(self._lake, path, problem))
                    for copy in copies:  # each by its own name, all in this pass
                        self._decide(copy)
                else:
                    self._left_alone.append(str(problem))
        except (OSError, MemoryError) as error:
            if is_there(path):
                self._unreadable.append(
                    f"{shown(path)}: could not be taken in ({error or type(error).__name__}). It stays where it is. "
                    "Check that this user may write to its folder and the data folder, and that the disk is not full."
                )

    def _copies_of(self, path: UPath) -> list[UPath]:
        """The other files with its bytes in the same account's folder; they are no longer held back by it."""
        digest = self._digest(path) or ""
        holder = next((account for account, one in self._held[digest].items() if one == path), None)
        if holder is None:
            return []
        del self._held[digest][holder]
        return self._copies.pop((digest, holder), [])

    def _names_account(self, path: UPath) -> bool:
        """Whether the file's name contains the handle of an account."""
        handle = read_name(path.name).handle if is_text(path) else None
        return handle is not None and self._all_accounts.resolve(handle) is not None

    def _admitted(self, path: UPath) -> LandedExport:
        """Read the export, find its account, and make sure that it is in that account's folder."""
        if not is_text(path):
            raise UnusableName(
                f"{shown(path)}: the name is not valid text. Rename it, then put it back into "
                f"{self._lake.settings.landing}."
            )
        contents, _ = read_with_siblings(self._lake, path, self._limits)
        require_past(contents.window, path.name)
        account = self._owner(path, contents)
        if account.key not in self._roster:
            raise AccountNotInUse(f"{path}: belongs to the account {account.key}, which is not in use. {TO_USE_IT}")
        months = months_to_keep(self._lake, contents.months, contents.window, path.name, self._lake.settings.landing)
        twin = self._holder(contents.export_id, account.key) or path
        self._held[contents.export_id].setdefault(account.key, twin)
        if twin != path:
            raise AlreadyHere(_SAME_BYTES.format(path=path, twin=twin))
        home = self._taken[contents.export_id][account.key] = self._moved_to_account(path, account)
        noted = months_noted(self._lake, account.key, contents.export_id)  # days may lie in a month that no label names
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
            yield f"its name says @{handle}, which is not an account; its folder says {account.key}"
        for link in contents.linked:
            if self._all_accounts.resolve(link) != account:
                yield (
                    f"its links say @{link}, which is not a handle of {account.key}; its receipt says {account.key}. "
                    f"If the handle changed, write @{link} into previous_handles of {account.key} in accounts.toml"
                )

    def _owner(self, path: UPath, contents: Contents) -> Account:
        """The account that owns the file. An export with numbers belongs to one account only: a copy is refused."""
        taken = self._archived.files(contents.export_id) | self._taken[contents.export_id]
        twins = {key: twin for key, twin in taken.items() if twin != path} if contents.has_numbers else {}
        folder = account_of_folder(self._lake.settings, self._all_accounts, path)
        try:
            account = self._proven_owner(path, contents, folder) or owner_of(
                path.name,
                contents.linked,
                contents.facts.handle,
                folder,
                self._all_accounts,
                self._lake.settings.landing,
            )
        except UnknownAccount:
            if not twins:
                raise
            raise AlreadyHere(_SAME_BYTES.format(path=path, twin=next(iter(twins.values())))) from None
        for other, twin in twins.items():
            if other != account.key:
                home = self._lake.settings.landing / account.key
                raise AccountConflict(
                    f"{path.name}: holds the same bytes as {twin}, which is an export of {other}. If it belongs to "
                    f"{account.key}, delete that one, put this one into {home}, and run `tiktok-assets rebuild`."
                )
        return account

    def _proven_owner(self, path: UPath, contents: Contents, folder: Account | None) -> Account | None:
        """The account whose ``folder`` contains it, if a receipt says so already: handles may have changed since."""
        if folder is None or not any(lies_below(path, home) for home in account_folders(self._lake, folder.key)):
            return None
        if folder.key not in self._proven:
            self._proven[folder.key] = proven_ids(self._lake, folder.key)
        return folder if contents.export_id in self._proven[folder.key] else None

    def _moved_to_account(self, path: UPath, account: Account) -> UPath:
        """The file's path in its account's folder; it is moved there under a free name if it is elsewhere.

        From a read-only folder and from behind a link it is copied; its bytes are then known and not taken in again.
        """
        if any(lies_below(path, home) for home in account_folders(self._lake, account.key)):
            return path
        unpacked = read_name(path.parent.name)  # Followers_<handle>/FollowerHistory.csv stays together
        folder = [path.parent.name] if unpacked.handle and unpacked.section else []
        target = free_place(self._lake, account.key, *folder, path.name)
        if self._is_behind_link(path):
            self._lake.copy(path, target)
            return target
        try:
            self._lake.move(path, target)
        except OSError:
            self._lake.copy(path, target)
        return target

    def _is_behind_link(self, path: UPath) -> bool:
        """Whether it lies in a folder that is linked into a landing folder: not ours to move."""
        settings = self._lake.settings
        roots = (settings.landing, settings.archive, settings.landing_path)
        return any(root is not None and lies_below(path, root) and is_behind_link(path, root) for root in roots)

    def _may_move_away(self, path: UPath) -> bool:
        """Whether a file that is not an export may be moved; in the extra folder only if it is named like an export."""
        if self._is_behind_link(path):
            return False
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
