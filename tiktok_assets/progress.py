"""How long-running work reports its progress."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is being worked on, often an account, and how many of how many are done."""

    def __call__(self, name: str, done: int, total: int, /) -> object: ...


def silent(name: str, done: int, total: int, /) -> None:
    """Reports nothing."""
