"""Functions that the sandbox's child is asked to call; it imports this module and nothing of pytest."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tiktok_assets.inbox.contents import contents_of

HOARD: list[bytearray] = []


def pid_of(_: Path) -> int:
    return os.getpid()


def greedy(_: Path) -> int:
    return len(bytearray(2 * 1024**3))


def endless(_: Path) -> None:
    while True:
        pass


def aborted(_: Path) -> None:
    os.abort()


def killed(_: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hoarding(_: Path) -> int:
    HOARD.append(bytearray(600 * 1024**2))
    return os.getpid()


def failed(*_: object) -> None:
    os._exit(3)


def stumbling(file: Path, *more: Any) -> object:
    """As ``contents_of``, with a bug."""
    return 1 // 0 if file.name == "Content_pig1987.zip" else contents_of(file, *more)


def untransferable(_: Path) -> None:
    raise type("Local", (Exception,), {})("of a library")


def environment(_: Path) -> list[str]:
    return [*os.environ]


def descriptors(_: Path) -> list[str]:
    return [str(one.resolve()) for one in Path("/proc/self/fd").iterdir()]
