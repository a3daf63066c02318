"""Groups of files with known offsets between their labels, and the days by which a group can be moved as a whole.

Belongs here: which files are tied, by how many days, and which moves remain possible. Does not belong here: why two
files are tied, or what a file says alone (``matches``, ``viewers``, ``clocks``, ``uploads``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from tiktok_assets.exports.labels.files import SHIFTS, DailyFile, Numbers


class Note(NamedTuple):
    """What the file at position ``number`` says for or against a shift. ``is_common``: any file may say that."""

    number: int
    says: str
    is_common: bool = False


@dataclass(eq=False)
class Group:
    """``ahead``: position of a file -> by how many days its labels are ahead of the group's own calendar.

    ``allowed``: the moves of the whole group, in days, that remain: a file's shift is its ``ahead`` plus the move.
    ``evidence``, ``against``: notes about the group as a whole.
    """

    ahead: dict[int, int]
    allowed: Set[int]
    evidence: list[Note] = field(default_factory=list)
    against: list[Note] = field(default_factory=list)

    @property
    def disagrees(self) -> bool:
        """Whether its files' labels differ, so that unchanged labels would give one day twice."""
        return len(set(self.ahead.values())) > 1

    def behind(self, days: int) -> Set[int]:
        """The moves allowed, for a calendar that is ``days`` behind this one."""
        return {move - days for move in self.allowed}

    def narrow(self, moves: Set[int], note: Note) -> None:
        """Allow only ``moves``, as ``note`` says; if none of them is left, the stronger evidence holds.

        If many files say the same, only the note that decided is kept for the group.
        """
        left = self.allowed & moves
        if not left:
            self.against.append(note)
        elif left != self.allowed or not note.is_common:
            self.evidence.append(note)
        self.allowed = left or self.allowed


class Groups:
    """All files of an account, each in exactly one group; ``tie`` merges two groups."""

    def __init__(self, files: Sequence[DailyFile]) -> None:
        self.files = files
        self._of = [Group({number: 0}, _possible(file)) for number, file in enumerate(files)]
        self._evidence: dict[int, list[str]] = defaultdict(list)
        self._against: dict[int, list[str]] = defaultdict(list)

    def __iter__(self) -> Iterator[Group]:
        """Each group once, in the order of its first file."""
        return iter(list({id(group): group for group in self._of}.values()))

    def of(self, number: int) -> Group:
        return self._of[number]

    def tie(self, one: int, other: int, days: int) -> bool:
        """The labels of file ``other`` are ``days`` ahead of those of ``one``.

        False, without any change, if that contradicts earlier ties or leaves no possible shift.
        """
        kept, lost = self._of[one], self._of[other]
        by = kept.ahead[one] + days - lost.ahead[other]
        if kept is lost:
            return by == 0
        if not kept.allowed & lost.behind(by):
            return False
        if len(kept.ahead) < len(lost.ahead):  # the smaller joins the larger
            kept, lost, by = lost, kept, -by
        kept.allowed &= lost.behind(by)
        kept.ahead |= {number: ahead + by for number, ahead in lost.ahead.items()}
        kept.evidence += lost.evidence
        kept.against += lost.against
        for number in lost.ahead:
            self._of[number] = kept
        return True

    def note(self, number: int, says: str, *, holds: bool) -> None:
        """Add evidence for a tie of the file at ``number``, or evidence that is overruled by a stronger one."""
        (self._evidence if holds else self._against)[number].append(says)

    def evidence(self, number: int) -> list[str]:
        """All evidence for the file's shift: its own ties, and the notes about its group."""
        return self._evidence[number] + self._in_words(number, self._of[number].evidence)

    def against(self, number: int) -> list[str]:
        """All evidence that was overruled."""
        return self._against[number] + self._in_words(number, self._of[number].against)

    def timeline(self, group: Group, report: str) -> Mapping[int, Numbers]:
        """The days of one report in the group's calendar; among several files the newest counts."""
        days: dict[int, Numbers] = {}
        for number in sorted(group.ahead):
            file, ahead = self.files[number], group.ahead[number]
            if file.report == report:
                days |= {label - ahead: numbers for label, numbers in file.days.items()}
        return days

    def _in_words(self, number: int, notes: Sequence[Note]) -> list[str]:
        others = (f"{self.files[note.number].name}: {note.says}" for note in notes if note.number != number)
        return [*(note.says for note in notes if note.number == number), *others]


def _possible(file: DailyFile) -> Set[int]:
    least, most = SHIFTS[file.report]
    return frozenset(range(least, most + 1))
