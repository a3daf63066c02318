"""The program of the child process in ``sandbox``: answers one request after the other, each within its limits.

Its one argument is the folder for its temporary files. It ends after a minute without a request, with its parent, and
after a request that left much memory in use.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import polars as pl

from tiktok_assets.exports.problems import ExportProblem

# What requests call is imported before memory is limited.
from tiktok_assets.inbox import contents, inspect  # noqa: F401
from tiktok_assets.inbox.sandbox import Answer, Limits, Request
from tiktok_assets.streams import reading  # noqa: F401

_IDLE = 60.0
_MB = 1024**2


def main() -> None:
    tempfile.tempdir = sys.argv[1]
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    _serve(sys.stdin.buffer, answers)
    os._exit(0)  # at once, whatever the threads of libraries are doing


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    os._exit(0)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    _warm_up()
    idle_memory = _memory()
    while select.select([requests], [], [], _IDLE)[0]:
        try:
            request: Request = pickle.load(requests)
        except EOFError:
            return
        answers.write(_packed(_answer(request, idle_memory)))
        answers.flush()
        if _memory() - idle_memory > request.limits.memory * _MB // 2:
            return


def _answer(request: Request, idle_memory: int) -> Answer:
    try:
        with _limited(request.limits, idle_memory):
            return Answer(result=request.function(*request.arguments))
    except Exception as error:
        if not isinstance(error, ExportProblem):
            error.add_note(traceback.format_exc())  # a traceback cannot be sent
        return Answer(error=error)


def _packed(answer: Answer) -> bytes:
    try:
        return pickle.dumps(answer)
    except Exception as error:  # an exception of some library, which cannot be sent
        return pickle.dumps(Answer(error=RuntimeError(f"{answer.error!r} ({error})")))


@contextlib.contextmanager
def _limited(limits: Limits, idle_memory: int) -> Iterator[None]:
    """More address space than that makes an allocation fail, more CPU time ends the process."""
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    _, longest = resource.getrlimit(resource.RLIMIT_CPU)
    if idle_memory:
        resource.setrlimit(resource.RLIMIT_AS, (idle_memory + limits.memory * _MB, most))
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + limits.seconds) + 1, longest))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (longest, longest))


def _memory() -> int:
    """The address space in use, in bytes; 0 where the system does not tell, and does not limit it either (macOS)."""
    sizes = Path("/proc/self/statm")
    return int(sizes.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") if sizes.exists() else 0


def _warm_up() -> None:
    """Have Polars start its threads, whose stacks are address space as well."""
    pl.LazyFrame({"text": ["1"]}).filter(pl.col("text").str.contains("1")).collect(engine="streaming")


if __name__ == "__main__":
    main()
