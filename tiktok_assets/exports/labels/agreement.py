"""Files of one report that report different numbers for the same days: one is of another account, or of another year.

Belongs here: which files contradict which. Does not belong here: by how many days labels differ (``matches``), numbers
that TikTok corrected (``curated.quality.restatements``).

Re-exported days are equal, number for number, in every real export once labels are aligned; only the last days of an
export change later. So two exports of one account agree on most of the days before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from tiktok_assets.exports.labels.files import METRICS, DailyFile
from tiktok_assets.exports.labels.matches import REACH
from tiktok_assets.exports.names import read_name

COMPARED = ("overview", "viewers", "follower_history")
"""By their first metric. Hours of activity are local, and differ where an account changed its timezone."""
FEWEST_DAYS = 7
"""Days that both must contain before they are compared."""
SETTLED = 3
"""The last days with a number of each file, which TikTok may correct."""
NEAR, SMALL = 0.05, 2
"""How far, as a share or as a count, two numbers of one day may be apart."""
MOST, CLEAR = 0.5, 0.9
"""Share of days that agree in files of one account, at one difference of their labels; no other is clearer."""


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """``file`` differs from ``other`` on ``differing`` of ``days`` that both contain, as on ``day`` (by its label)."""

    file: DailyFile
    other: DailyFile
    days: int
    differing: int
    day: dt.date
    number: int
    number_there: int

    def __str__(self) -> str:
        metric = METRICS[self.file.report][0].replace("_", " ")
        return (
            f"its {metric} differ from those of {self.other.source} on {self.differing} of {self.days} days that both "
            f"contain ({self.day}: {self.number:,}, there {self.number_there:,}). One of them is of another account or "
            "another year: move it to its account's folder, or name it as Studio did, then `tiktok-assets rebuild`."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Family:
    """Files that agree, and their numbers by day, in the labels of the first."""

    files: list[DailyFile]
    numbers: dict[int, int]

    @property
    def strength(self) -> tuple[int, int]:
        """Files with Studio's name, which contains the handle, and days: the weaker of two is the one in doubt."""
        named = sum(any(read_name(part).handle for part in file.source.split("/")) for file in self.files)
        return named, len(self.numbers)


class _Comparison(NamedTuple):
    """Two timelines, the second labelled ``ahead`` days later: on how many days they can be compared and agree."""

    share: float
    days: int
    agreeing: int
    ahead: int


def contradictions(files: Iterable[DailyFile]) -> list[Contradiction]:
    """The files of one account that contradict others of it; of two that do, the one with less to support it."""
    ordered = sorted(files, key=lambda file: file.order)
    return [
        found
        for report in COMPARED
        for weaker, stronger in _contradicting(_families([file for file in ordered if file.report == report]))
        for file in weaker.files
        if (found := _between(file, stronger))
    ]


def _families(files: Iterable[DailyFile]) -> list[_Family]:
    families: list[_Family] = []
    for file in files:
        joined = _Family(files=[file], numbers=_settled(file))
        for family in list(families):
            best = _best(family.numbers, joined.numbers)
            if best and best.share >= MOST:
                families.remove(family)
                family.numbers.update({day - best.ahead: number for day, number in joined.numbers.items()})
                joined = _Family(files=[*family.files, *joined.files], numbers=family.numbers)
        families.append(joined)
    return families


def _contradicting(families: list[_Family]) -> Iterator[tuple[_Family, _Family]]:
    """The weaker and the stronger of each two that contradict each other; of two equals the first is the stronger."""
    for family, other in combinations(families, 2):
        best = _best(family.numbers, other.numbers)
        if best and best.share < MOST:
            yield (family, other) if family.strength < other.strength else (other, family)


def _between(file: DailyFile, stronger: _Family) -> Contradiction | None:
    """How ``file`` differs from the file of the ``stronger`` family with which it shares most days."""
    numbers = _settled(file)
    compared = [(found, other) for other in stronger.files if (found := _best(numbers, _settled(other)))]
    compared = [(found, other) for found, other in compared if found.share < MOST]
    if not compared:
        return None
    best, other = max(compared, key=lambda one: one[0].days)
    there = _settled(other)
    day = max(day for day, number in numbers.items() if _differs(number, there.get(day + best.ahead)))
    return Contradiction(
        file=file,
        other=other,
        days=best.days,
        differing=best.days - best.agreeing,
        day=dt.date.fromordinal(day),
        number=numbers[day],
        number_there=there[day + best.ahead],
    )


def _best(numbers: Mapping[int, int], others: Mapping[int, int]) -> _Comparison | None:
    """The difference of labels at which most days agree; None where too few days can be compared."""
    if not numbers or not others or max(min(numbers), min(others)) - min(max(numbers), max(others)) > REACH:
        return None
    found: list[_Comparison | None] = []
    for ahead in sorted(range(-REACH, REACH + 1), key=abs):
        found.append(compared := _compared(numbers, others, ahead))
        if compared and compared.share > CLEAR:
            return compared
    # The right difference may be one at which fewer days are compared.
    enough = [one for one in found if one]
    return max(enough, key=lambda one: one.share) if len(enough) == len(found) else None


def _compared(numbers: Mapping[int, int], others: Mapping[int, int], ahead: int) -> _Comparison | None:
    if len(numbers) <= len(others):
        pairs = [(number, others[day + ahead]) for day, number in numbers.items() if day + ahead in others]
    else:
        pairs = [(numbers[day - ahead], number) for day, number in others.items() if day - ahead in numbers]
    pairs = [pair for pair in pairs if any(pair)]
    if len(pairs) < FEWEST_DAYS:
        return None
    agreeing = sum(not _differs(*pair) for pair in pairs)
    return _Comparison(share=agreeing / len(pairs), days=len(pairs), agreeing=agreeing, ahead=ahead)


def _differs(number: int, other: int | None) -> bool:
    return other is not None and abs(number - other) > max(SMALL, NEAR * max(abs(number), abs(other)))


def _settled(file: DailyFile) -> dict[int, int]:
    """The first metric by label (an ordinal), up to the last days that still change."""
    known = file.rows.select("date_label", METRICS[file.report][0]).drop_nulls()
    numbers = {label.toordinal(): number for label, number in known.rows()}
    last = max((label for label, number in numbers.items() if number), default=0)
    return {label: number for label, number in numbers.items() if label <= last - SETTLED}
