"""One look at an object storage: its folders are listed once, and every question of the look is answered from that.

Without a look each question is a request: the present, 30 ms away. A look is of one moment and never outlives its
block, so nobody stays blind to what others store. What its own process stores or removes meanwhile, it knows.
On this machine a look is the file system itself.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.objects import Entry, is_object, parents_of

_numbers = itertools.count()
_look: ContextVar[Look | None] = ContextVar("look", default=None)


class Look:
    """The objects below some folders, each folder listed when it is first asked about."""

    def __init__(self, folders: Iterable[UPath]) -> None:
        self._folders = {folder.path.rstrip("/"): folder for folder in folders if is_object(folder)}
        self._listed: dict[str, _Listed] = {}
        self._lock = threading.Lock()

    def at(self, path: UPath) -> _Listed | None:
        """The listing that contains ``path``; None where it lies in none of the folders."""
        key = path.path.rstrip("/")
        root = next((root for root in self._folders if key == root or key.startswith(f"{root}/")), None)
        if root is None:
            return None
        with self._lock:
            if root not in self._listed:
                self._listed[root] = _Listed(root, objects.objects_below(self._folders[root]))
            return self._listed[root]

    def note(self, path: UPath, entry: Entry | None) -> None:
        """Know what this process has just stored or, if ``entry`` is None, removed."""
        key = path.path.rstrip("/")
        for root, listed in self._listed.items():
            if key.startswith(f"{root}/"):
                listed.note(key, entry)

    def forget(self) -> None:
        """List again: others may have changed anything."""
        self._listed.clear()


class _Listed:
    def __init__(self, root: str, entries: dict[str, Entry]) -> None:
        self.root, self.entries = root, {}
        self.children: dict[str, set[str]] = {}
        for key, one in entries.items():
            self.note(key, one)

    def note(self, key: str, entry: Entry | None) -> None:
        if entry is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = entry
        for folder, name in parents_of(key, self.root):
            inside = self.children.setdefault(folder, set())
            if entry is not None and name in inside:
                return
            if entry is not None:
                inside.add(name)
            elif f"{folder}/{name}" not in self.entries and not self.children.get(f"{folder}/{name}"):
                inside.discard(name)

    def below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        for name in self.children.get(folder, ()):
            key = f"{folder}/{name}"
            if key in self.entries:
                yield key, self.entries[key]
            yield from self.below(key)


@contextlib.contextmanager
def looking(folders: Iterable[UPath]) -> Iterator[None]:
    """Answer questions about ``folders`` from one listing of each, until the block ends."""
    token = _look.set(Look(folders))
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


def _listing(path: UPath) -> _Listed | None:
    look = _look.get()
    return look.at(path) if look is not None and is_object(path) else None


def exists(path: UPath) -> bool:
    """Whether there is a file or folder of this name."""
    if (listed := _listing(path)) is None:
        return path.exists()
    key = path.path.rstrip("/")
    return key in listed.entries or bool(listed.children.get(key))


def entry_of(path: UPath) -> Entry:
    """What is known of an object. Raises FileNotFoundError."""
    if (listed := _listing(path)) is None:
        return objects.entry(path)
    try:
        return listed.entries[path.path]
    except KeyError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None


def names_in(folder: UPath) -> list[str]:
    """The names in ``folder``; none where it does not exist. One that cannot be read is an error, not empty."""
    if isinstance(folder, Path):
        return _names_of_this_machine(folder)
    listed = _listing(folder)
    return objects.names_of(folder) if listed is None else list(listed.children.get(folder.path.rstrip("/"), ()))


def _names_of_this_machine(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):
        return []


def entries_below(folder: UPath) -> dict[str, Entry]:
    """The objects below ``folder``, at any depth, by their path below it."""
    listed, inside = _listing(folder), f"{folder.path.rstrip('/')}/"
    found = objects.objects_below(folder).items() if listed is None else listed.below(inside[:-1])
    return {key.removeprefix(inside): one for key, one in found}


def stored(path: UPath) -> None:
    """Know, for the look under way, that this process has stored ``path``."""
    if (look := _look.get()) is not None:
        look.note(path, Entry(0, 0.0, f"stored in this look: {next(_numbers)}"))


def removed(path: UPath) -> None:
    """Know, for the look under way, that this process has removed ``path``."""
    if (look := _look.get()) is not None:
        look.note(path, None)
