"""How long work says how far it has come."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is being worked on, often an account, and how many of how many are done."""

    def __call__(self, name: str, done: int, total: int, /) -> object: ...


def silent(name: str, done: int, total: int, /) -> None:
    """For whoever does not want to know."""
