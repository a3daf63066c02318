"""The same days in two files of one report: rows that are equal, number for number.

Each distinctive row (``DailyFile.distinctive_days``) is looked up once and tied to the next file that has it, so the
cost grows with the number of rows, not with pairs of files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_assets.exports.labels.files import DailyFile, Numbers

REACH = 3
"""Labels of two files of one report differ by 3 days at most (Viewers: -1 against 2)."""

FEWEST_DIGITS = 15
"""Digits of all distinctive rows of a match: two such rows are never equal by chance."""

FEWEST_ROWS = {"follower_history": 5}
"""Distinctive rows that a match needs, else 2. One count alone (followers) repeats more easily than five."""

CLEAR = 5
"""How many times more distinctive rows a match needs than all other differences of days have."""

SAME = 0.8
"""Share of equal days among the common days that are not zero in both. Measured: all of them."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """The labels of file ``later`` are ``days`` ahead of those of ``earlier`` (positions in the given files)."""

    earlier: int
    later: int
    days: int
    equal: int
    common: int
    digits: int


def matches(files: Sequence[DailyFile]) -> list[Match]:
    """The matches between files of one report, the strongest first. ``files`` in their ``order``."""
    votes: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    holders: dict[Numbers, list[tuple[int, int]]] = defaultdict(list)
    for number, file in enumerate(files):
        for numbers, label in file.distinctive_days.items():
            near = [place for place in holders[numbers] if abs(label - place[1]) <= REACH]
            if near:
                before, label_before = near[-1]
                votes[before, number][label - label_before].append(_digits(numbers))
                holders[numbers].remove(near[-1])
            holders[numbers].append((number, label))
    found = [_match(files, pair, digits) for pair, digits in votes.items()]
    return sorted((match for match in found if match), key=lambda match: (-match.digits, match.earlier, match.later))


def _match(files: Sequence[DailyFile], pair: tuple[int, int], votes: dict[int, list[int]]) -> Match | None:
    """The one difference of days that the distinctive rows agree on, if the other days of both files confirm it."""
    days, digits = max(votes.items(), key=lambda item: (len(item[1]), sum(item[1]), item[0]))
    others = sum(len(rows) for other, rows in votes.items() if other != days)
    needed = FEWEST_ROWS.get(files[pair[0]].report, 2)
    if len(digits) < max(needed, CLEAR * others) or sum(digits) < FEWEST_DIGITS:
        return None
    earlier, later = (files[number].days for number in pair)
    common = [
        (numbers, later[label + days])
        for label, numbers in earlier.items()
        if label + days in later and (any(numbers) or any(later[label + days]))
    ]
    equal = sum(one == other for one, other in common)
    if equal < SAME * len(common):
        return None
    return Match(earlier=pair[0], later=pair[1], days=days, equal=equal, common=len(common), digits=sum(digits))


def _digits(numbers: Numbers) -> int:
    return sum(len(str(abs(number))) for number in numbers if number)
