"""Marks in an object storage that say which folders are being changed, and which were: a look lists only those again.

``data/changes/<parent>/<folder>/`` is the mark of one folder. It holds ``begun-<id>`` while a block changes something
in the folder, and ``ended``, which each block replaces before it removes its ``begun``. A listing goes by name: who
finds no ``begun`` there finds the ``ended`` of every block whose changes are done. So two listings that show the same
``ended`` and no ``begun`` enclose no change, however many processes write, and without any clock.

Belongs here: how a change is marked, and what a listing of the marks says. Does not belong here: what a process keeps
of a folder meanwhile (``listings``), which folders are marked (``lake``).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.objects import Entry, at_once, is_object

_BEGUN, _ENDED = "begun-", "ended"
_ABANDONED_AFTER = 24 * 3600.0  # seconds
UNMARKED = Entry(0, 0.0)
"""The mark of a folder that nobody has changed since marks are made."""
Mark = Entry | None
"""What ``ended`` is; None while a block changes the folder, or was killed doing so."""


@dataclass(frozen=True)
class Changes:
    """The marks on the folders directly below ``parents``, which lie below ``data`` and only this program changes."""

    data: UPath
    parents: tuple[UPath, ...]

    @property
    def marks(self) -> UPath:
        """The folder of all marks."""
        return self.data / "changes"

    @contextlib.contextmanager
    def marked(self, *paths: UPath) -> Iterator[None]:
        """Mark the folders of ``paths`` before the block, and again after it; only where they are objects.

        Inside ``together`` they count as being changed until that ends.
        """
        if not any(map(is_object, paths)):
            yield
            return
        with contextlib.nullcontext(_blocks.get()[-1]) if _blocks.get() else _together() as block:
            block.begin(dict.fromkeys(filter(None, map(self._mark_of, paths))))
            yield

    def read(self, listed: Mapping[str, Entry], parent: UPath) -> dict[str, Mark]:
        """By folder of ``parent``, its mark. ``listed``: the objects below ``marks``, by their path there."""
        found: dict[str, Mark] = {}
        inside = f"{self._name_of(parent)}/"
        for below, entry in listed.items():
            if below.startswith(inside):
                folder, _, name = below.removeprefix(inside).rpartition("/")
                if name.startswith(_BEGUN):
                    found[folder] = None
                elif name == _ENDED:
                    found.setdefault(folder, entry)
        return found

    def end_abandoned(self, listed: Mapping[str, Entry]) -> None:
        """End the blocks of killed processes: those that began a day before the newest mark, by the storage's clock."""
        newest = max((entry.changed for entry in listed.values()), default=0.0)
        old = [below for below, entry in listed.items() if entry.changed < newest - _ABANDONED_AFTER]
        at_once(
            lambda below: _end(self.marks / below),
            [below for below in old if below.rpartition("/")[2].startswith(_BEGUN)],
        )

    def _name_of(self, parent: UPath) -> str:
        return parent.path.rstrip("/").removeprefix(self.data.path.rstrip("/")).strip("/")

    def _mark_of(self, path: UPath) -> UPath | None:
        """The mark of the folder that contains ``path`` or is it; None where changes are not marked."""
        if not is_object(path):
            return None
        for parent in self.parents:
            if path.path.startswith(inside := f"{parent.path.rstrip('/')}/"):
                return self.marks / self._name_of(parent) / path.path.removeprefix(inside).partition("/")[0]
        return None


class _Block:
    """The folders that a block has begun to change."""

    def __init__(self) -> None:
        self._marked: set[UPath] = set()
        self._begun: list[UPath] = []  # also where storing one failed: it may lie there all the same
        self._lock = threading.Lock()  # held until a mark is stored: another thread does not write before

    def begin(self, marks: Iterable[UPath]) -> None:
        with self._lock:
            around = [block for block in _blocks.get() if block is not self]
            new = [mark for mark in marks if mark not in self._marked and not any(block.has(mark) for block in around)]
            at_once(self._write, new)

    def _write(self, mark: UPath) -> None:
        self._begun.append(begun := mark / f"{_BEGUN}{uuid4().hex}")
        objects.write(begun, b"")
        self._marked.add(mark)  # only now: after a failure the block's next change in the folder is marked

    def has(self, mark: UPath) -> bool:
        with self._lock:
            return mark in self._marked

    def end(self) -> None:
        at_once(_end, self._begun)


def _end(begun: UPath) -> None:
    # Where this fails the folder counts as being changed, and every look lists it, until it is abandoned.
    with contextlib.suppress(Exception):  # of botocore, those about connections are no OSErrors
        objects.write(begun.parent / _ENDED, uuid4().hex.encode())
        objects.remove(begun)


_blocks: ContextVar[tuple[_Block, ...]] = ContextVar("blocks", default=())


@contextlib.contextmanager
def together() -> Iterator[None]:
    """Mark each folder that the block changes once, at its first change and at the end; not at every one."""
    with _together():
        yield


@contextlib.contextmanager
def _together() -> Iterator[_Block]:
    block = _Block()
    token = _blocks.set((*_blocks.get(), block))
    try:
        yield block
    finally:
        _blocks.reset(token)
        block.end()
