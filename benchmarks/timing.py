"""Times of two functions in turn, so that a noisy machine affects both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Median seconds of ``ours`` and ``floor``, and the median of their ratios, pair by pair."""

    name: str
    ours: float
    floor: float
    ratio: float


def side_by_side(name: str, ours: Callable[[], object], floor: Callable[[], object], rounds: int = 5) -> Pair:
    """``ours`` and ``floor`` in turn, after one round that does not count."""
    pairs = [(_seconds(ours), _seconds(floor)) for _ in range(rounds + 1)][1:]
    return Pair(
        name,
        statistics.median(one for one, _ in pairs),
        statistics.median(other for _, other in pairs),
        statistics.median(one / other for one, other in pairs),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
