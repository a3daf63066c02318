"""What listings of an object storage said, and what a process keeps of them from look to look.

Belongs here: the objects of a folder, and which folders have to be listed again (``changes`` says which were changed).
Does not belong here: who asks (``look``), requests (``objects``).
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from typing import Any

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.changes import UNMARKED, Mark
from tiktok_assets.storage.objects import Entry, at_once, parents_of

_A_REQUEST = 1000  # objects
_MANY = 200  # folders that are listed in less time many at once than all in one listing, page after page
_KEPT_FOR = 24 * 3600.0  # seconds


class Listed:
    """The objects below the key ``root``, as they were listed and, unless it is kept, as one look has changed them.

    ``is_kept``: it outlives the look.
    """

    def __init__(self, root: str, entries: Mapping[str, Entry], *, is_kept: bool = False) -> None:
        self.root, self.is_kept = root, is_kept
        self.derived: dict[Hashable, Any] = {}
        """What was derived from it (``look.derived``)."""
        self.entries: dict[str, Entry] = {}
        self._names: dict[str, set[str]] = {}
        for key, one in entries.items():
            self.note(key, one)

    def __len__(self) -> int:
        return len(self.entries)

    def entry(self, key: str) -> Entry | None:
        return self.entries.get(key)

    def names(self, folder: str) -> Collection[str]:
        """The names directly in a folder."""
        return self._names.get(folder, ())

    def below(self, folder: str) -> Iterator[tuple[str, Entry]]:
        """The objects at any depth below a folder."""
        for name in self._names.get(folder, ()):
            key = f"{folder}/{name}"
            if key in self.entries:
                yield key, self.entries[key]
            yield from self.below(key)

    def note(self, key: str, entry: Entry | None) -> None:
        """Know that an object was stored or, if ``entry`` is None, removed."""
        self.derived.clear()
        if entry is None:
            self.entries.pop(key, None)
        else:
            self.entries[key] = entry
        for folder, name in parents_of(key, self.root):
            inside = self._names.setdefault(folder, set())
            if entry is not None and name in inside:
                return
            if entry is not None:
                inside.add(name)
            elif f"{folder}/{name}" not in self.entries and not self._names.get(f"{folder}/{name}"):
                inside.discard(name)


class Kept:
    """The folders of one parent, each as it was listed last, and with the mark that it had before."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Mark, Listed]] = {}
        self._listed_at: float | None = None
        self._lock = threading.Lock()

    def as_marked(self, parent: UPath, marks: Mapping[str, Mark]) -> dict[str, Listed]:
        """The folders of ``parent`` by name. ``marks``: those of now; a folder that has another one is listed again.

        All are listed again after a day, so that what somebody changed without a mark is found at last.
        """
        with self._lock:
            if self._listed_at is None or time.monotonic() - self._listed_at > _KEPT_FOR:
                self._listed_at, found = time.monotonic(), self._list_all(parent, marks)
                self._known = {}
            else:
                changed = [folder for folder in {*marks, *self._known} if self._is_changed(folder, marks)]
                each = sum(_requests(len(self._known[one][1]) if one in self._known else 0) for one in changed)
                everything = _requests(sum(len(listed) for _, listed in self._known.values()))
                found = self._list_all(parent, marks) if each > everything else _list_each(parent, changed)
            self._known |= {folder: (marks.get(folder, UNMARKED), listed) for folder, listed in found.items()}
            return {folder: listed for folder, (_, listed) in self._known.items()}

    def distrust(self, folder: str) -> None:
        """List this one again next time: it is not as it was listed, so somebody changed it without a mark."""
        with self._lock:
            if folder in self._known:
                self._known[folder] = (None, self._known[folder][1])

    def _is_changed(self, folder: str, marks: Mapping[str, Mark]) -> bool:
        mark = marks.get(folder, UNMARKED)
        return mark is None or folder not in self._known or self._known[folder][0] != mark

    def _list_all(self, parent: UPath, marks: Mapping[str, Mark]) -> dict[str, Listed]:
        if len(marks) > _MANY:
            return _list_each(parent, {*marks, *objects.names_of(parent)})
        root, by_folder = parent.path.rstrip("/"), defaultdict[str, dict[str, Entry]](dict)
        for key, entry in objects.objects_below(parent).items():
            by_folder[key.removeprefix(f"{root}/").partition("/")[0]][key] = entry
        return {
            name: Listed(f"{root}/{name}", by_folder[name], is_kept=True) for name in {*by_folder, *marks, *self._known}
        }


def _list_each(parent: UPath, folders: Iterable[str]) -> dict[str, Listed]:
    def listed(folder: str) -> tuple[str, Listed]:
        path = parent / folder
        return folder, Listed(path.path, objects.objects_below(path), is_kept=True)

    return dict(at_once(listed, folders))


def _requests(number: int) -> int:
    """The requests of a listing of so many objects."""
    return number // _A_REQUEST + 1


_kept: dict[str, Kept] = {}


def kept(parent: UPath) -> Kept:
    """What this process keeps of the folders of ``parent``."""
    return _kept.setdefault(str(parent), Kept())
