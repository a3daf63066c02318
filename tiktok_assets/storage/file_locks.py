"""Locks of the processes of one machine: the kernel's (``flock``), on a file in a folder.

A lock is free again once its process is gone, also after ``kill -9``, a closed terminal or a power cut.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import fcntl
import functools
import json
import os
import resource
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tiktok_assets.storage.locks import FIRST_LOOK, LOOK_AGAIN, SAY_AGAIN, WAITING, Held, Locks, LockTaken, log

_SPARE_FILES = 256  # open files that a process needs beside its locks

_ENDING = ".lock"

_held: set[int] = set()
"""The descriptors of this process; a forked child closes its copies, else they would outlive a killed parent."""


def _close_in_child() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_close_in_child)


class _KernelsOwn:
    """What the kernel has granted, it takes from no living process."""

    def require(self) -> None:
        pass


@dataclass(frozen=True)
class FileLocks(Locks):
    """Locks on files in ``folder``."""

    folder: Path
    holder: str = ""

    def held_by(self, holder: str) -> FileLocks:
        return replace(self, holder=holder)

    @property
    def are_of_one_machine(self) -> bool:
        return True

    @contextlib.contextmanager
    def hold(
        self, names: str | Collection[str], *, wait: bool = True, say: Callable[[str], object] = log.info
    ) -> Iterator[Held]:
        requested = sorted({names} if isinstance(names, str) else set(names))
        self.folder.mkdir(parents=True, exist_ok=True)
        _require_locks(self.folder)
        _allow_open_files(len(requested))
        with contextlib.ExitStack() as stack:
            for name in requested:
                stack.enter_context(self._taken(name, wait=wait, say=say))
            yield _KernelsOwn()

    def is_held(self, name: str) -> bool:
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def was_taken(self, name: str) -> bool:
        return self._path(name).exists()

    def abandoned(self, prefix: str) -> list[str]:
        files = self.folder.glob(f"{urllib.parse.quote(prefix, safe='')}*{_ENDING}")
        names = sorted(urllib.parse.unquote(file.name.removesuffix(_ENDING)) for file in files)
        return [name for name in names if not self.is_held(name)]

    def forget(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def forget_abandoned(self, prefix: str) -> None:
        for name in self.abandoned(prefix):
            with contextlib.suppress(LockTaken), self.hold(name, wait=False):
                self.forget(name)

    def _path(self, name: str) -> Path:
        return self.folder / f"{urllib.parse.quote(name, safe='')}{_ENDING}"

    @contextlib.contextmanager
    def _taken(self, name: str, *, wait: bool, say: Callable[[str], object]) -> Iterator[None]:
        path = self._path(name)
        pause, say_at = FIRST_LOOK, time.monotonic() + LOOK_AGAIN
        with contextlib.ExitStack() as stack:
            while (descriptor := _locked(path, stack)) is None:
                if not wait:
                    raise LockTaken(f"{name} is held by {_holder(path)}.")
                if time.monotonic() > say_at:
                    say(f"{WAITING}{name}, which is held by {_holder(path)}.")
                    say_at = time.monotonic() + SAY_AGAIN
                time.sleep(pause)
                pause = min(2 * pause, LOOK_AGAIN)
            self._sign(descriptor)
            yield

    def _sign(self, descriptor: int) -> None:
        """Write down who holds the lock, for those who wait."""
        since = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        text = json.dumps({"pid": os.getpid(), "holder": self.holder, "since": since})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(), 0)


def _locked(path: Path, stack: contextlib.ExitStack) -> int | None:
    """The file as a descriptor that holds its lock and that ``stack`` closes; None where somebody else holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    _held.add(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino == path.stat().st_ino:  # else it was forgotten in between
            stack.callback(_let_go, descriptor)
            return descriptor
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        _let_go(descriptor)
        raise
    _let_go(descriptor)
    return None


@functools.cache
def _require_locks(folder: Path) -> None:
    """Raise OSError where the file system has no locks, or grants one to two holders at once, as some mounts do."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".probe") as probe, Path(probe.name).open("rb") as other:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
    except OSError as error:
        error.filename = str(folder)
        raise


def _let_go(descriptor: int) -> None:
    _held.discard(descriptor)
    os.close(descriptor)  # which releases the lock


def _holder(path: Path) -> str:
    """Who signed the lock last, as words."""
    try:
        signed = json.loads(path.read_text())
    except (OSError, ValueError):  # taken a moment ago, not yet signed
        return "another process"
    who = f"{signed['holder']} (process {signed['pid']})" if signed["holder"] else f"process {signed['pid']}"
    return f"{who} since {signed['since']}"


def _allow_open_files(number: int) -> None:
    """Raise this process's own limit of open files where so many locks would exceed it: 256 on macOS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = number + len(_held) + _SPARE_FILES
    if soft < needed and (hard == resource.RLIM_INFINITY or hard >= needed):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
