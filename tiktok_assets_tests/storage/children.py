"""Processes that are killed, or write at the same time. Forked: one that imports Dagster first needs seconds."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO


def forked(work: Callable[[TextIO], None]) -> tuple[int, TextIO]:
    """``work`` in a child of this process: its id, and what it writes."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            with os.fdopen(writing, "w", buffering=1) as say:
                work(say)
        finally:
            os._exit(0)
    os.close(writing)
    return child, os.fdopen(reading)
