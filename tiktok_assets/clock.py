"""The machine's clock: the one place where files are judged by it, so that a test can set it.

Does not belong here: the clocks of runs, locks and visits, which measure how long something takes.
"""

from __future__ import annotations

import datetime as dt

# A clock that shows less was reset: this program did not exist yet.
_FIRST_VERSION = dt.date(2026, 1, 1)


def now() -> dt.datetime:
    """The moment in UTC, by this machine."""
    return dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """The UTC date by this machine, right or wrong."""
    return now().date()


def trusted_today() -> dt.date | None:
    """The UTC date; None where the clock is certainly wrong."""
    date = today()
    return date if date >= _FIRST_VERSION else None
