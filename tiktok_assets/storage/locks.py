"""Locks between processes and threads that are released when the holder ends, however it ends.

Belongs here: what a lock promises, whoever keeps it. Does not belong here: how it is kept (``file_locks`` on one
machine, ``postgres_locks`` for several), which of the two an installation has (``state``), and what is locked.
"""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Protocol, Self

log = logging.getLogger(__name__)

WAITING = "Waiting for "
"""How every message about a wait begins."""
FIRST_LOOK, LOOK_AGAIN = 0.002, 0.1  # seconds until the next try: doubled from the one to the other
SAY_AGAIN = 60.0  # seconds between two messages of one wait


class LockTaken(Exception):
    """Another process or thread holds the lock, and the caller did not want to wait. The message says who."""


class Held(Protocol):
    """Locks that somebody holds."""

    def require(self) -> None:
        """Raise LockLost where they may be somebody else's by now. Whoever commits asks right before it."""
        ...


class Locks(ABC):
    """The locks of one installation."""

    @abstractmethod
    def held_by(self, holder: str) -> Self:
        """The same locks, taken by ``holder``: who that is beside the process id, as "run 6a7b1c2d"."""

    @property
    @abstractmethod
    def are_of_one_machine(self) -> bool:
        """Whether every process that takes them runs on this machine."""

    @abstractmethod
    def hold(
        self, names: str | Collection[str], *, wait: bool = True, say: Callable[[str], object] = log.info
    ) -> contextlib.AbstractContextManager[Held]:
        """Hold all of ``names`` while the block lasts; others wait for them.

        They are taken in sorted order, so two callers never deadlock. ``say`` gets a message with the holder this waits
        for, and since when it holds the lock; no wait is silent. Raises LockTaken without ``wait``.
        """

    @abstractmethod
    def is_held(self, name: str) -> bool:
        """Whether anybody, in this process or another one, holds ``name`` right now."""

    @abstractmethod
    def was_taken(self, name: str) -> bool:
        """Whether ``name`` was ever held, and not forgotten since."""

    @abstractmethod
    def abandoned(self, prefix: str) -> list[str]:
        """The names with this prefix that were taken and not forgotten, and that nobody holds."""

    @abstractmethod
    def forget(self, name: str) -> None:
        """Forget a lock that the caller holds and nobody will ask for again."""

    @abstractmethod
    def forget_abandoned(self, prefix: str) -> None:
        """Forget the locks with this prefix that nobody holds."""
