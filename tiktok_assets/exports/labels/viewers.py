"""By how many days the labels of Viewers run ahead of Overview's: the offset at which viewers follow views.

Views per viewer are steady from day to day, views are not. At a wrong offset the ratio mixes two different days and
scatters. Measured: mean deviation of the log ratio 0.11 to 0.34 at the right offset, 0.69 and more at others.
Viewers above views decide nothing (2 of 88 real days have that), but no other offset may have fewer of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import log, log1p
from statistics import fmean, median
from typing import NamedTuple

from tiktok_assets.exports.labels.files import Numbers
from tiktok_assets.exports.labels.groups import Groups

REACH = 3
FEWEST_DAYS = 14
CLEARER = 1.6
"""How many times less the ratio scatters at the best offset than at any other: 2.4 and more in four real exports."""

EVIDENCE = 8.0
"""Days times the log of that ratio: a short window must be clearer."""

LIKELY_ABOVE = 0.15
"""Share of days with more viewers than views above which no offset is accepted: 0.03 to 0.07 in four real exports."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Viewers' labels are ``days`` ahead of Overview's."""

    days: int
    common: int
    times_clearer: float
    above: int
    """Days with more viewers than views."""

    @property
    def strength(self) -> float:
        """The strength of the evidence: the logarithm of a likelihood ratio, if the days were independent."""
        return self.common * log(self.times_clearer)


class Fitted(NamedTuple):
    """The labels of the file ``viewers`` are ``days`` ahead of those of ``overview`` (both are positions)."""

    fit: Fit
    overview: int
    viewers: int
    days: int


class _Timeline(NamedTuple):
    """The days of one group in its calendar, and one of its files with the days its labels are ahead of that."""

    days: Mapping[int, Numbers]
    first: int
    last: int
    number: int
    ahead: int
    moment: float

    def shared(self, other: _Timeline) -> int:
        """How many days two timelines may share."""
        return min(self.last, other.last) - max(self.first, other.first) + 1

    def between(self, other: _Timeline) -> float:
        """Seconds between two downloads."""
        return abs(self.moment - other.moment)


def _timelines(groups: Groups, report: str) -> list[_Timeline]:
    found: list[_Timeline] = []
    for group in groups:
        days, number = groups.timeline(group, report), min(group.ahead)
        if days:
            moment = groups.files[number].downloaded_at.timestamp()
            found.append(_Timeline(days, min(days), max(days), number, group.ahead[number], moment))
    return found


@dataclass(frozen=True, kw_only=True)
class _Offset:
    common: int
    scatter: float
    above: int


def fits(groups: Groups) -> Iterator[Fitted]:
    """The offset of each group of Viewers to two of Overview: the nearest download, and the one with most common days.

    In labels, not in the groups' calendars, which change when groups are tied.
    """
    overviews = _timelines(groups, "overview")
    for viewers in _timelines(groups, "viewers"):
        near = [views for views in overviews if viewers.shared(views) >= FEWEST_DAYS]
        if near:
            same_visit = min(near, key=lambda views, viewers=viewers: (viewers.between(views), views.number))
            longest = max(near, key=lambda views, viewers=viewers: (viewers.shared(views), -views.number))
            for views in {timeline.number: timeline for timeline in (same_visit, longest)}.values():
                found = fit(views.days, viewers.days)
                if found is not None:
                    yield Fitted(found, views.number, viewers.number, found.days + viewers.ahead - views.ahead)


def fit(views: Mapping[int, Numbers], viewers: Mapping[int, Numbers]) -> Fit | None:
    """The one offset at which viewers follow views; None if it is not clear. Both by label; the first number counts."""
    places = {days: _offset(views, viewers, days) for days in range(-REACH, REACH + 1)}
    best, found = min(places.items(), key=lambda item: (item[1].scatter, abs(item[0]), item[0]))
    others = [place for days, place in places.items() if days != best]
    if found.common < FEWEST_DAYS or found.above > LIKELY_ABOVE * found.common:
        return None
    if any(place.above < found.above for place in others):
        return None
    clearer = min(place.scatter for place in others) / max(found.scatter, 0.01)
    clear = Fit(days=best, common=found.common, times_clearer=clearer, above=found.above)
    return clear if clearer >= CLEARER and clear.strength >= EVIDENCE else None


def _offset(views: Mapping[int, Numbers], viewers: Mapping[int, Numbers], days: int) -> _Offset:
    pairs = [
        (counts[0], viewers[label + days][0])
        for label, counts in views.items()
        if label + days in viewers and (counts[0] or viewers[label + days][0])
    ]
    ratios = [log1p(max(0, viewed)) - log1p(max(0, people)) for viewed, people in pairs]
    if not ratios:
        return _Offset(common=0, scatter=float("inf"), above=0)
    middle = median(ratios)
    scatter = fmean(abs(ratio - middle) for ratio in ratios)
    return _Offset(common=len(pairs), scatter=scatter, above=sum(people > viewed for viewed, people in pairs))
