"""One look at an object storage: its folders are listed once, and every question of the look is answered from that.

Without a look each question is a request: the present, 30 ms away. A look is of one moment and never outlives its
block, so nobody stays blind to what others store. What its own process stores or removes meanwhile, it knows. Folders
whose changes are marked are not even listed again unless somebody has changed them: history costs a look nothing.
On this machine a look is the file system itself.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.changes import Changes
from tiktok_assets.storage.listings import Listed, kept
from tiktok_assets.storage.objects import Entry, is_object

Made = TypeVar("Made")
_numbers = itertools.count()
_look: ContextVar[Look | None] = ContextVar("look", default=None)


class Look:
    """The objects below some folders, each folder listed when it is first asked about.

    Of the folders whose ``changes`` are marked, only those that changed since this process listed them.
    """

    def __init__(self, folders: Iterable[UPath], changes: Changes | None = None) -> None:
        self._changes = changes
        self._parents = {_key(parent): parent for parent in changes.parents} if changes else {}
        marks = [changes.marks] if changes else []
        # Before the others, which may contain them: a lake's folders are asked about far more often.
        self._folders = self._parents | {_key(folder): folder for folder in [*folders, *marks] if is_object(folder)}
        self._listed: dict[str, Listed] = {}
        self._below: dict[str, dict[str, Listed]] = {}
        self._lock = threading.RLock()

    def at(self, path: UPath, *, is_folder: bool) -> Listed | None:
        """The listing that contains ``path``, an object or a folder; None where it lies in none of the folders."""
        root = self._root_of(key := _key(path))
        if root is None:
            return None
        with self._lock:
            if root in self._parents:
                name, _, inside = key[len(root) + 1 :].partition("/")
                if not inside and not (name and is_folder):
                    return None  # what lies beside the marked folders is not marked
                found = self._below_parent(root).get(name)
                return Listed(f"{root}/{name}", {}) if found is None else found
            if root not in self._listed:
                self._listed[root] = Listed(root, objects.objects_below(self._folders[root]))
            return self._listed[root]

    def _root_of(self, key: str) -> str | None:
        return next((root for root in self._folders if key == root or key.startswith(f"{root}/")), None)

    def _below_parent(self, root: str) -> dict[str, Listed]:
        if root not in self._below and self._changes is not None:
            parent, marks = self._parents[root], self._changes.marks
            listed = self.at(marks, is_folder=True)  # before the folders are: a later change is the next look's
            now = self._changes.read(_entries(listed, marks), parent)
            self._below[root] = kept(parent).as_marked(parent, now)
        return self._below[root]

    def note(self, path: UPath, entry: Entry | None) -> None:
        """Know what this process has just stored or, if ``entry`` is None, removed."""
        key = _key(path)
        with self._lock:
            for root, listed in self._listed.items():
                if key.startswith(f"{root}/"):
                    listed.note(key, entry)
            for root, folders in self._below.items():
                name, _, inside = key.removeprefix(f"{root}/").partition("/")
                if key.startswith(f"{root}/") and inside:
                    if (listed := folders.get(name)) is None or listed.is_kept:
                        folders[name] = Listed(f"{root}/{name}", listed.entries if listed else {})
                    folders[name].note(key, entry)

    def distrust(self, path: UPath) -> None:
        """Know that an object is not there, and have the next look list its folder."""
        self.note(path, None)
        for root, parent in self._parents.items():
            if (key := _key(path)).startswith(f"{root}/"):
                kept(parent).distrust(key.removeprefix(f"{root}/").partition("/")[0])

    def forget(self) -> None:
        """List again: others may have changed anything."""
        with self._lock:
            self._listed.clear()
            self._below.clear()


def _key(path: UPath) -> str:
    return path.path.rstrip("/")


@contextlib.contextmanager
def looking(folders: Iterable[UPath], changes: Changes | None = None) -> Iterator[None]:
    """Answer questions about ``folders`` from one listing of each, until the block ends.

    ``changes``: also about the folders that it marks, of which a process lists again only those that were changed.
    """
    token = _look.set(Look(folders, changes))
    try:
        yield
    finally:
        _look.reset(token)


@contextlib.contextmanager
def present() -> Iterator[None]:
    """No look: inside the block each question is answered anew, and afterwards a look around it lists again."""
    around = _look.get()
    token = _look.set(None)
    try:
        yield
    finally:
        _look.reset(token)
        if around is not None:
            around.forget()


def _listing(path: UPath, *, is_folder: bool = False) -> Listed | None:
    look = _look.get()
    return look.at(path, is_folder=is_folder) if look is not None and is_object(path) else None


def _entries(listed: Listed | None, folder: UPath) -> dict[str, Entry]:
    inside = f"{_key(folder)}/"
    found = objects.objects_below(folder).items() if listed is None else listed.below(inside[:-1])
    return {key.removeprefix(inside): one for key, one in found}


def derived(folder: UPath, work: Callable[..., Made], *parts: Hashable, given: object = None) -> Made:
    """``work(folder, *parts)``, done once as long as nothing below ``folder`` changes and ``given`` stays equal.

    ``given``: what the result depends on beside the names in the folder. On this machine it is done each time.
    """
    if (listed := _listing(folder, is_folder=True)) is None:
        return work(folder, *parts)
    key = (_key(folder), work, *parts)
    before = listed.derived.get(key)
    if before is None or (before[0] is not given and before[0] != given):  # equal sets are compared one by one
        before = listed.derived[key] = (given, work(folder, *parts))
    return before[1]


def exists(path: UPath) -> bool:
    """Whether there is a file or folder of this name."""
    if (listed := _listing(path)) is None:
        return path.exists()
    return listed.entry(_key(path)) is not None or bool(listed.names(_key(path)))


def is_missing(path: UPath) -> bool:
    """Whether the look under way shows no such file. Without a look it may be there: reading it tells."""
    return _listing(path) is not None and not exists(path)


def entry_of(path: UPath) -> Entry:
    """What is known of an object. Raises FileNotFoundError."""
    if (listed := _listing(path)) is None:
        return objects.entry(path)
    if (found := listed.entry(path.path)) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return found


def names_in(folder: UPath) -> list[str]:
    """The names in ``folder``; none where it does not exist. One that cannot be read is an error, not empty."""
    if isinstance(folder, Path):
        return _names_of_this_machine(folder)
    listed = _listing(folder, is_folder=True)
    return objects.names_of(folder) if listed is None else list(listed.names(_key(folder)))


def _names_of_this_machine(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def entries_below(folder: UPath) -> dict[str, Entry]:
    """The objects below ``folder``, at any depth, by their path below it."""
    return _entries(_listing(folder, is_folder=True), folder)


def stored(path: UPath) -> None:
    """Know, for the look under way, that this process has stored ``path``."""
    if (look := _look.get()) is not None:
        look.note(path, Entry(0, 0.0, f"stored in this look: {next(_numbers)}"))


def removed(path: UPath) -> None:
    """Know, for the look under way, that this process has removed ``path``."""
    if (look := _look.get()) is not None:
        look.note(path, None)


def vanished(path: UPath) -> None:
    """Know, for this look and the next, that ``path`` is not there although a listing showed it."""
    if (look := _look.get()) is not None:
        look.distrust(path)
