"""Days that a page is about, beside as many days right before them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Period:
    """The days from ``first`` to ``last``."""

    first: dt.date
    last: dt.date

    @classmethod
    def up_to(cls, last: dt.date, days: int) -> Period:
        """The ``days`` days that end on ``last``."""
        return cls(last - dt.timedelta(days=days - 1), last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Period:
        """As many days, right before."""
        return Period.up_to(self.first - dt.timedelta(days=1), self.days)
