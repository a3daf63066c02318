"""Copies of objects on this machine, for programs that read only files: each object is fetched once, many at a time.

A copy is of certain bytes, those of the object's size, time and tag; when the object changes it is fetched again.
Belongs here: what is kept, and how much of it. Does not belong here: what is in the files.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import shutil
import tempfile
import threading
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.look import entry_of, vanished
from tiktok_assets.storage.objects import Entry, at_once, is_object

_MOST_KEPT = 256 * 1024**2  # bytes
Key = tuple[str, Entry]


class Copies:
    """The copies of one process; the ones used least recently go first, except those in use."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tiktok-assets-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._kept: dict[Key, Path] = {}
        self._in_use: Counter[Key] = Counter()
        self._size = 0

    @contextlib.contextmanager
    def lent(self, path: UPath) -> Iterator[Path]:
        """The copy of ``path``, which stays at least until the block ends."""
        key = (path.path, entry_of(path))
        if (copy := self._taken(key)) is None:
            copy = self._kept_and_taken(key, self._fetched(path))
        try:
            yield copy
        finally:
            with self._lock:
                self._in_use[key] -= 1
                self._make_room()

    def fetch(self, paths: Iterable[UPath]) -> None:
        """Have copies of these objects soon. What cannot be fetched is left to the one who reads it."""

        def fetch(path: UPath) -> None:
            with contextlib.suppress(OSError), self.lent(path):
                pass

        at_once(fetch, paths)

    def _taken(self, key: Key) -> Path | None:
        with self._lock:
            if (copy := self._kept.pop(key, None)) is not None:
                self._kept[key] = copy  # the one used last is the last
                self._in_use[key] += 1
            return copy

    def _kept_and_taken(self, key: Key, copy: Path) -> Path:
        """Both at once: in between, another thread could make room by deleting it."""
        with self._lock:
            if key in self._kept:  # another thread was faster
                _delete(copy)
            else:
                self._kept[key] = copy
                self._size += copy.stat().st_size
            self._in_use[key] += 1
            return self._kept[key]

    def _fetched(self, path: UPath) -> Path:
        folder = self._folder / str(next(self._numbers))
        folder.mkdir()
        try:
            objects.download(path, folder / path.name)
        except FileNotFoundError:
            vanished(path)
            raise
        return folder / path.name

    def _make_room(self) -> None:
        while self._size > _MOST_KEPT:
            oldest = next((key for key in self._kept if not self._in_use[key]), None)
            if oldest is None:
                return
            copy = self._kept.pop(oldest)
            del self._in_use[oldest]
            self._size -= copy.stat().st_size
            _delete(copy)


def _delete(copy: Path) -> None:
    copy.unlink()
    copy.parent.rmdir()


@functools.cache
def _copies() -> Copies:
    return Copies()


@contextlib.contextmanager
def local_copy(path: UPath) -> Iterator[Path]:
    """``path`` as a file of this machine with the same name and time. Raises OSError."""
    if isinstance(path, Path):
        yield path
        return
    with _copies().lent(path) as copy:
        yield copy


def fetch(paths: Iterable[UPath]) -> None:
    """Have local copies of these soon, many at a time; nothing to do for files of this machine."""
    if remote := [path for path in paths if is_object(path)]:
        _copies().fetch(remote)
