"""A child process with limits of memory and time that reads the files people drop: a file can end nothing but it.

Belongs here: starting the child, asking it, and turning its death into a problem of the file. Does not belong here:
what is read (``contents``, ``inspect``), and what the child does (``sandbox_child``).
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar, cast

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.settings import Settings

log = logging.getLogger(__name__)
T = TypeVar("T")

_MB = 1024**2
# What an honest file costs beyond the fixed limits, which hold for the smallest. A ZIP deflates at most about 12:1.
_MEMORY_PER_BYTE = 4
_SECONDS_PER_MB = 4.0
# A child that waits for the disk uses no CPU. This only ends one that hangs.
_PATIENCE = 10


class LimitExceeded(ExportProblem):
    """Reading the file took more memory or time than an export of its size can need."""

    reason = "limit_exceeded"


class Unforeseen(ExportProblem):
    """The reader failed on the file with an error that is a bug of this program."""

    reason = "unforeseen"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What reading the smallest file may cost: ``memory`` in MB beyond an idle child's, ``seconds`` of CPU."""

    memory: int
    seconds: float

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(memory=settings.read_memory, seconds=settings.read_seconds)

    def for_size(self, size: int) -> Limits:
        """The limits of a file of ``size`` bytes."""
        return Limits(
            memory=self.memory + _MEMORY_PER_BYTE * size // _MB, seconds=self.seconds + _SECONDS_PER_MB * size / _MB
        )


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the child is asked: to call ``function`` on ``arguments`` within ``limits``."""

    function: Callable[..., object]
    arguments: tuple[object, ...]
    limits: Limits


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the child answers: a result, or the error that the function raised."""

    result: object = None
    error: Exception | None = None


def read_within(limits: Limits, function: Callable[..., T], path: Path, *arguments: object) -> T:
    """``function(path, *arguments)``, called in the child. Raises an ExportProblem, OSError or MemoryError.

    LimitExceeded: it took too much. Unforeseen: the function raised anything else. ``function`` is one of a module;
    arguments and result can be pickled. One file is read at a time.
    """
    allowed = limits.for_size(path.stat().st_size)
    request = Request(function=function, arguments=(path, *arguments), limits=allowed)
    with _lock:
        answer = _ask(request, path)
    error = answer.error
    if isinstance(error, MemoryError):
        raise _too_much_memory(path, allowed)
    if isinstance(error, ExportProblem | OSError):
        raise error
    if error is not None:
        log.error("%s: unforeseen: %s", path, "".join(traceback.format_exception(error)))
        raise Unforeseen(
            f"{path.name}: reading it failed ({type(error).__name__}: {error}), which is a bug in this program. "
            "Please report it with the file; after an update put the file back where it was."
        )
    return cast("T", answer.result)


class _Ended(Exception):
    """The child ended before it answered; ``code`` as in ``subprocess``, None if it was too slow."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class _Child:
    """The process, and the pipes to it. Forked processes start their own."""

    def __init__(self) -> None:
        package = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        self._scratch = tempfile.TemporaryDirectory(prefix="tiktok-assets-")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tiktok_assets.inbox.sandbox_child", self._scratch.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us
            env=_environment() | {"PYTHONPATH": path},
        )
        self.owner = os.getpid()

    def ask(self, request: Request) -> Answer:
        """Raises _Ended."""
        requests, answers = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        try:
            pickle.dump(request, requests)
            requests.flush()
            with selectors.DefaultSelector() as selector:
                selector.register(answers, selectors.EVENT_READ)
                if not selector.select(_PATIENCE * request.limits.seconds):
                    raise _Ended(None)
            return cast("Answer", pickle.load(answers))
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise _Ended(self._process.wait()) from None

    def end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                cast("IO[bytes]", pipe).close()
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
            self._scratch.cleanup()


def _environment() -> dict[str, str]:
    """Ours without secrets, and with fewer threads and arenas: each reserves memory that would count."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "AWS_"))}
    return ours | {"POLARS_MAX_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


_lock = threading.Lock()
_child: _Child | None = None


def _ask(request: Request, path: Path) -> Answer:
    """The child's answer; a child that had ended before, as an idle one does, is started again."""
    global _child
    for is_new in (False, True):
        if _child is None or _child.owner != os.getpid():
            _child, is_new = _Child(), True
        try:
            return _child.ask(request)
        except _Ended as ended:
            _end_child()
            if ended.code == 0 and not is_new:
                continue
            raise _problem(path, request.limits, ended.code) from None
        except BaseException:  # Ctrl-C: an answer that nobody took must not be that of the next request
            _end_child()
            raise
    raise AssertionError("the second child is new")


def _end_child() -> None:
    global _child
    if _child is not None:
        _child.end()
    _child = None


atexit.register(_end_child)


def _problem(path: Path, limits: Limits, code: int | None) -> Exception:
    if code is None or code == -signal.SIGXCPU:
        return LimitExceeded(
            f"{path.name}: reading it takes more than {limits.seconds:.0f} seconds, which no export of its size does. "
            "Export it again; if it is a real export, raise TIKTOK_READ_SECONDS and put the file back."
        )
    if code == -signal.SIGKILL:  # by the system, which ran out of memory before the limit
        return MemoryError("this machine has too little free memory")
    if code > 0:  # it could not start, or is broken: no fault of the file, which is read again later
        return OSError(
            f"the process that reads files ended with exit code {code}; restart this program after an update"
        )
    return _too_much_memory(path, limits)


def _too_much_memory(path: Path, limits: Limits) -> LimitExceeded:
    return LimitExceeded(
        f"{path.name}: reading it takes more than {limits.memory} MB of memory, which no export of its size does. "
        "Export it again; if it is a real export, raise TIKTOK_READ_MEMORY and put the file back."
    )
