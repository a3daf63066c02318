"""From all evidence to one shift per file: which files are tied, which moves are possible, what is decided, how surely.

Evidence is applied strongest first; what contradicts stronger evidence is not followed but reported:
1. rows equal number for number tie files of one report (``matches``);
2. a day is never available before it has ended in UTC (``clocks``);
3. views leap on the day a video was posted (``uploads``);
4. the two daily files of one Followers ZIP are labelled alike, and viewers go with views (``viewers``);
5. no day was ever available before noon of the next (``clocks``).

Cost: each row is looked up once, each file of viewers is compared with two of views. One more export costs its own
rows, and at most one comparison with each other export of the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tiktok_assets.exports.labels import sentences
from tiktok_assets.exports.labels.clocks import LocalDate, bounds, local_day_ahead, utc_offset
from tiktok_assets.exports.labels.files import METRICS, SHIFTS, DailyFile
from tiktok_assets.exports.labels.groups import Group, Groups, Note
from tiktok_assets.exports.labels.matches import matches
from tiktok_assets.exports.labels.uploads import Upload, first_views, lone_videos
from tiktok_assets.exports.labels.viewers import fits

Confidence = Literal["proven", "likely", "relative", "unproven"]
"""How surely a shift is known.

proven: equal rows and days that had not ended leave one possible shift (of ``SHIFTS``).
likely: the same, but also based on a habit of TikTok: first views, viewers that follow views, one ZIP, noon.
relative: labels differ from those of other files, so some must move; which of them is chosen, not known.
unproven: nothing decides; the labels are used unchanged (shift 0).
"""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``shift_days``: label minus real day, for every row of the file. ``against``: evidence that was overruled.

    ``calendar``: "export_id/report" of the oldest file it is tied to by any evidence. Files of one calendar move
    together; the offset between two calendars is unknown.
    """

    export_id: str
    report: str
    shift_days: int
    calendar: str
    confidence: Confidence
    evidence: tuple[str, ...]
    against: tuple[str, ...]


def align(
    files: Iterable[DailyFile],
    *,
    uploads: Iterable[Upload] = (),
    local_dates: Iterable[LocalDate] = (),
) -> list[Verdict]:
    """A verdict for each daily file of one account, oldest download first. The order of the arguments does not matter.

    Raises ValueError where a file is given twice.
    """
    ordered = sorted(files, key=lambda file: file.order)
    if len({file.key for file in ordered}) < len(ordered):
        raise ValueError("A file is given to align() twice; give each report of an export once.")
    groups = Groups(ordered)
    offset = utc_offset(ordered, local_dates)
    _tie_equal_rows(groups)
    _apply_bounds(groups, certain=True)
    proven = {number: shift for group in groups for number, shift in _only_shifts(group)}
    _apply_first_views(groups, lone_videos(uploads, offset))
    _tie_one_zip(groups)
    _tie_viewers(groups)
    _apply_bounds(groups, certain=False)
    decided = {
        number: _verdict(groups, group, number, move, proven, offset)
        for group in groups
        for move in [_move(ordered, group, offset)]
        for number in group.ahead
    }
    return [decided[number] for number in range(len(ordered))]


def _tie_equal_rows(groups: Groups) -> None:
    for report in METRICS:
        numbers = [number for number, file in enumerate(groups.files) if file.report == report]
        for match in matches([groups.files[number] for number in numbers]):
            one, other = numbers[match.earlier], numbers[match.later]
            holds = groups.tie(one, other, match.days)
            groups.note(one, sentences.of_match(match, groups.files[other], -match.days), holds=holds)
            groups.note(other, sentences.of_match(match, groups.files[one], match.days), holds=holds)


def _apply_bounds(groups: Groups, *, certain: bool) -> None:
    """Lowest first: where not all can be true, the highest comes from a wrong clock."""
    found = [
        (bound.shift, number, bound.says)
        for number, file in enumerate(groups.files)
        for bound in bounds(file)
        if bound.is_certain == certain and bound.shift > SHIFTS[file.report][0]
    ]
    for shift, number, says in sorted(found):
        group = groups.of(number)
        group.narrow(
            {move for move in group.allowed if group.ahead[number] + move >= shift},
            Note(number, f"{says}, so its labels are at least {sentences.days(shift)} ahead", is_common=True),
        )


def _only_shifts(group: Group) -> Iterator[tuple[int, int]]:
    """Each file's shift, if the group can be moved in one way only."""
    if len(group.allowed) == 1:
        yield from ((number, ahead + min(group.allowed)) for number, ahead in group.ahead.items())


def _apply_first_views(groups: Groups, videos: Mapping[int, int]) -> None:
    for group in groups if videos else ():
        first = min(group.ahead)
        found = first_views(groups.timeline(group, "overview"), videos)
        if found is not None:
            labelled = found.days + group.ahead[first]
            group.narrow({found.days}, Note(first, sentences.of_first_views(found, labelled)))


def _tie_one_zip(groups: Groups) -> None:
    """The daily files of one Followers ZIP were labelled alike in 3 of 3 measured."""
    history = {file.export_id: number for number, file in enumerate(groups.files) if file.report == "follower_history"}
    for number, file in enumerate(groups.files):
        if file.report == "follower_activity" and file.export_id in history:
            other = history[file.export_id]
            holds = groups.tie(other, number, 0)
            groups.note(number, sentences.of_one_zip(groups.files[other]), holds=holds)
            groups.note(other, sentences.of_one_zip(file), holds=holds)


def _tie_viewers(groups: Groups) -> None:
    """The clearest first."""
    for found in sorted(fits(groups), key=lambda found: (-found.fit.strength, found.overview, found.viewers)):
        one, other, days = found.overview, found.viewers, found.days
        holds = groups.tie(one, other, days)
        groups.note(one, sentences.of_fit(found.fit, groups.files[other], -days), holds=holds)
        groups.note(other, sentences.of_fit(found.fit, groups.files[one], days), holds=holds)


def _move(files: Sequence[DailyFile], group: Group, offset: tuple[float, float]) -> int | None:
    """The days the group is moved by; None if its files agree and no evidence says that they are moved.

    If they disagree and more than one move is left: the one that fits the account's own date at the downloads, then
    the one that moves the fewest files, then the one with labels ahead, since labels behind were never measured.
    """
    if len(group.allowed) == 1:
        return min(group.allowed)
    if not group.disagrees:
        return None
    ahead = {
        number: days
        for number in group.ahead
        if files[number].report != "viewers" and (days := local_day_ahead(files[number], offset)) is not None
    }

    def merit(move: int) -> tuple[int, int, int]:
        shifts = {number: ahead + move for number, ahead in group.ahead.items()}
        fitting = sum(shifts[number] == days for number, days in ahead.items())
        return (fitting, -sum(map(bool, shifts.values())), move)

    return max(group.allowed, key=merit)


def _verdict(
    groups: Groups,
    group: Group,
    number: int,
    move: int | None,
    proven: dict[int, int],
    offset: tuple[float, float],
) -> Verdict:
    file = groups.files[number]
    shift = 0 if move is None else group.ahead[number] + move
    confidence: Confidence = "likely"
    if move is None:
        confidence = "unproven"
    elif len(group.allowed) > 1:
        confidence = "relative"
    elif proven.get(number) == shift:
        confidence = "proven"
    evidence = [*groups.evidence(number)]
    if shift and local_day_ahead(file, offset) == shift:
        evidence.append(sentences.of_local_date(shift))
    if confidence == "relative":
        evidence.append(sentences.of_choice(group.ahead[number] + chosen for chosen in group.allowed))
    return Verdict(
        export_id=file.export_id,
        report=file.report,
        shift_days=shift,
        calendar="/".join(groups.files[min(group.ahead)].key),
        confidence=confidence,
        evidence=tuple(evidence),
        against=tuple(groups.against(number)),
    )
