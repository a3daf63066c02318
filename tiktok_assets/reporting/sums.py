"""Numbers of several accounts together: each account's own first, then their sum. Pure; None is unknown, never 0.

Viewers are never added: somebody may watch two accounts.

Belongs here: which accounts a sum is over. Does not belong here: an account's own numbers (``facts``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tiktok_assets.reporting.facts import Headline

Numbers = Mapping[str, Headline]
"""The headlines of an account, by name."""


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A number over several accounts, and how many of them it is over."""

    value: float | None
    """Over the accounts that know every day of the window."""
    accounts: int
    now: float | None
    """Over the accounts that know the window before as well: the ones that ``before`` is over."""
    before: float | None

    @property
    def change(self) -> float | None:
        """``now`` / ``before`` - 1."""
        return self.now / self.before - 1 if self.now is not None and self.before else None


def total(numbers: Iterable[Headline | None]) -> Sum:
    """The sum of one number over accounts; None is an account without it."""
    known = [one for one in numbers if one is not None and one.value is not None and is_whole(one)]
    compared = [one for one in known if one.before is not None]
    return Sum(
        value=_sum([one.value for one in known]),
        accounts=len(known),
        now=_sum([one.value for one in compared]),
        before=_sum([one.before for one in compared]),
    )


def engagement_rate(accounts: Iterable[Numbers]) -> float | None:
    """Engagements / views, each summed over the accounts that know both whole; never a mean of rates."""
    pairs = [(one["Engagements"], one["Video views"]) for one in accounts if {"Engagements", "Video views"} <= set(one)]
    whole = [pair for pair in pairs if all(is_whole(number) and number.value is not None for number in pair)]
    engagements, views = (_sum([pair[number].value for pair in whole]) for number in (0, 1))
    return engagements / views if engagements is not None and views else None


def is_whole(number: Headline) -> bool:
    """Whether every day of its window is known; a stock needs one."""
    return number.kind == "stock" or number.days_known == number.days


def _sum(values: Sequence[float | None]) -> float | None:
    return sum(value for value in values if value is not None) if values else None
