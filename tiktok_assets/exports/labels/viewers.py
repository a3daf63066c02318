"""By how many days the labels of Viewers run ahead of Overview's: the days on which viewers go with views.

Views a viewer is steady from day to day, views are not. Where labels are moved, the ratio of two different days is
taken, and it scatters. Measured: mean deviation of the log ratio 0.11 to 0.34 at the right place, 0.69 and more beside.
Viewers above views decide nothing (2 of 88 real days have that), but no other place may have fewer of them.
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
"""How many times less the ratio scatters at the place found than at any other: 2.4 and more in four real exports."""

EVIDENCE = 8.0
"""Days times log of that: a short window must be clearer."""

LIKELY_ABOVE = 0.15
"""Share of days with more viewers than views at which no place is believed: 0.03 to 0.07 in four real exports."""


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
        """How much it says: a likelihood ratio's logarithm, were the days independent."""
        return self.common * log(self.times_clearer)


class Fitted(NamedTuple):
    """The labels of the file ``viewers`` are ``days`` ahead of those of ``overview`` (both are positions)."""

    fit: Fit
    overview: int
    viewers: int
    days: int


class _Timeline(NamedTuple):
    """The days of one group by its calendar, and one of its files with what its labels are ahead of that."""

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
    found = []
    for group in groups:
        days, number = groups.timeline(group, report), min(group.ahead)
        if days:
            moment = groups.files[number].downloaded_at.timestamp()
            found.append(_Timeline(days, min(days), max(days), number, group.ahead[number], moment))
    return found


@dataclass(frozen=True, kw_only=True)
class _Place:
    common: int
    scatter: float
    above: int


def fits(groups: Groups) -> Iterator[Fitted]:
    """Where each group of Viewers lies to two of Overview: the nearest download, and the one with most days in common.

    Told by labels, not by the groups' calendars: these change when groups are tied.
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
    """The one place where viewers go with views; None where it is not clear. Both by label, first number counts."""
    places = {days: _place(views, viewers, days) for days in range(-REACH, REACH + 1)}
    best, found = min(places.items(), key=lambda item: (item[1].scatter, abs(item[0]), item[0]))
    others = [place for days, place in places.items() if days != best]
    if found.common < FEWEST_DAYS or found.above > LIKELY_ABOVE * found.common:
        return None
    if any(place.above < found.above for place in others):
        return None
    clearer = min(place.scatter for place in others) / max(found.scatter, 0.01)
    clear = Fit(days=best, common=found.common, times_clearer=clearer, above=found.above)
    return clear if clearer >= CLEARER and clear.strength >= EVIDENCE else None


def _place(views: Mapping[int, Numbers], viewers: Mapping[int, Numbers], days: int) -> _Place:
    pairs = [
        (counts[0], viewers[label + days][0])
        for label, counts in views.items()
        if label + days in viewers and (counts[0] or viewers[label + days][0])
    ]
    ratios = [log1p(max(0, seen)) - log1p(max(0, people)) for seen, people in pairs]
    if not ratios:
        return _Place(common=0, scatter=float("inf"), above=0)
    middle = median(ratios)
    scatter = fmean(abs(ratio - middle) for ratio in ratios)
    return _Place(common=len(pairs), scatter=scatter, above=sum(people > seen for seen, people in pairs))
