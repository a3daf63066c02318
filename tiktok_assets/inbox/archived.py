"""The archive of a lake in an object storage, as intake asks about it: almost all of it is done, and stays as it is.

What a look finds there is kept with the listing, so that only an account whose archive or whose receipts have changed
costs the next look anything. Does not belong here: what is moved there, and when (``archive``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from upath import UPath

from tiktok_assets.inbox.files import State, objects_below
from tiktok_assets.inbox.identities import known_identity
from tiktok_assets.storage.look import derived


@dataclass
class _Files:
    """The objects in the archive of one account."""

    done: dict[str, str] = field(default_factory=dict)
    """By sha256, the path of an object whose export needs no run."""
    others: dict[str, State] = field(default_factory=dict)
    """By path below the folder: objects that a run has to read, or whose bytes nobody knows yet."""

    def judge_others(self, folder: UPath, done: Collection[str]) -> None:
        """Some may have become known since."""
        others, self.others = self.others, {}
        for below, state in others.items():
            digest = known_identity(name := f"{folder}/{below}", state)
            if digest is None or digest not in done:
                self.others[below] = state
            else:
                self.done.setdefault(digest, name)


class ArchivedObjects:
    """The archives of the accounts that one look has asked about."""

    def __init__(self) -> None:
        self._by_account: dict[str, _Files] = {}

    def look_into(self, folder: UPath, account: str, done: frozenset[str]) -> list[UPath]:
        """The objects in the archive ``folder`` of ``account`` that are not ``done``."""
        files = self._by_account[account] = derived(folder, _files, given=done)
        files.judge_others(folder, done)
        return [folder / below for below in files.others]

    def file(self, digest: str, account: str) -> str | None:
        """The object with these bytes in the archive of ``account`` that is done."""
        return self._by_account[account].done.get(digest) if account in self._by_account else None

    def files(self, digest: str) -> dict[str, str]:
        """By account, the object with these bytes in its archive that is done."""
        return {account: files.done[digest] for account, files in self._by_account.items() if digest in files.done}


def _files(folder: UPath) -> _Files:
    return _Files(others=dict(objects_below(folder)))
