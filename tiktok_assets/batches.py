"""Which accounts and months go through one run together.

Belongs here: the decision, as a pure function. Does not belong here: where new exports are found (``intake``) and how a
run is started (``sensors``, ``pipeline.runs``).

A run is a rectangle: all accounts from a first to a last one in the roster's order, and all months from a first to a
last one. Partitions in it without new data are made again with the same result; that costs time, and so does a run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tiktok_assets.partitions import range_tags

ACCOUNT_TAG = "tiktok/account"
# What another run costs, in partitions: to start one takes 2.5 CPU s under `dagster dev`, a partition 0.1 CPU s.
_COST_OF_A_RUN = 25


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One run: the rectangle of ``accounts`` (in the roster's order) and of ``first_month`` to ``last_month``."""

    accounts: tuple[str, ...]
    new: tuple[str, ...]
    """Of ``accounts``, those it is made for."""
    first_month: dt.date
    last_month: dt.date

    @property
    def size(self) -> int:
        """Partitions: accounts times months."""
        return len(self.accounts) * (_ordinal(self.last_month) - _ordinal(self.first_month) + 1)

    @property
    def name(self) -> str:
        """As shown in the list of runs: "pig1987 and 19 more"."""
        more = len(self.new) - 1
        return self.new[0] + (f" and {more} more" if more else "")

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the run request."""
        return {**range_tags(self.accounts, [self.first_month, self.last_month]), ACCOUNT_TAG: self.name}


def batches(
    months: Mapping[str, Collection[dt.date]],
    roster: Sequence[str],
    size: int,
    *,
    alone: Collection[str] = (),
    barred: Collection[str] = (),
) -> list[Batch]:
    """The runs that make the ``months`` of each account at the least cost, none larger than ``size`` partitions.

    Every account is in one run, with all of its months; one that has more than ``size`` of them, or is in ``alone``,
    shares its run with nobody. Runs never overlap, and none touches an account that is ``barred``.
    """
    place = {account: number for number, account in enumerate(roster)}
    fenced = {place[account] for account in (*alone, *barred) if account in place}
    news = [
        _Span(place[account], place[account], _ordinal(min(months[account])), _ordinal(max(months[account])))
        for account in roster
        if months.get(account) and account not in barred
    ]
    best: list[tuple[int, int]] = [(0, 0)]  # for the first n accounts: cost, and where the last run begins
    for end, last in enumerate(news):
        span, options = last, [(best[end][0] + _COST_OF_A_RUN + last.size, end)]
        for begin in range(end - 1, -1, -1):
            if last.begin in fenced or fenced.intersection(range(news[begin].begin, span.begin)):
                break
            span = span.joined(news[begin])
            if span.size > size:
                break
            options.append((best[begin][0] + _COST_OF_A_RUN + span.size, begin))
        best.append(min(options))
    found: list[Batch] = []
    end = len(news)
    while end:
        begin = best[end][1]
        found.append(_batch(news[begin:end], roster))
        end = begin
    return found[::-1]


@dataclass(frozen=True)
class _Span:
    """A rectangle in numbers: places in the roster, and months since the year 0; all inclusive."""

    begin: int
    end: int
    first: int
    last: int

    @property
    def size(self) -> int:
        return (self.end - self.begin + 1) * (self.last - self.first + 1)

    def joined(self, other: _Span) -> _Span:
        return _Span(
            min(self.begin, other.begin),
            max(self.end, other.end),
            min(self.first, other.first),
            max(self.last, other.last),
        )


def _batch(news: Sequence[_Span], roster: Sequence[str]) -> Batch:
    return Batch(
        accounts=tuple(roster[news[0].begin : news[-1].end + 1]),
        new=tuple(roster[one.begin] for one in news),
        first_month=_month(min(one.first for one in news)),
        last_month=_month(max(one.last for one in news)),
    )


def _ordinal(month: dt.date) -> int:
    return month.year * 12 + month.month - 1


def _month(ordinal: int) -> dt.date:
    return dt.date(ordinal // 12, ordinal % 12 + 1, 1)
