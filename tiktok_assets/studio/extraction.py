"""An extraction of any length: which visits it takes, and making them one after another until the limit says wait.

Belongs here: from a range of days to visits, going on where a crash or a limit stopped. Does not belong here: waiting
(whoever calls knows how), Dagster, and one visit itself (``visit``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tiktok_assets.accounts import Account
from tiktok_assets.studio.limits import Ledger
from tiktok_assets.studio.resource import LandedFile, Studio
from tiktok_assets.studio.windows import Window, settled_days, visits, windows


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for: sections of one account, for the days from ``first`` to ``last``.

    ``refresh_since``: exports made before that moment do not count, so that their days are asked for again; a run that
    goes on gives the moment the first one began. ``known``: days by section that need no export for another reason.
    """

    account: Account
    sections: Sequence[str]
    first: dt.date
    last: dt.date
    refresh_since: dt.datetime | None = None
    known: Mapping[str, Collection[dt.date]] = field(default_factory=dict)


def plan(wanted: Wanted, ledger: Ledger, *, now: dt.datetime, max_days: int) -> list[dict[str, Window]]:
    """The visits it still takes, newest days first: the window of each section. Empty when everything has landed."""
    cut: dict[str, list[Window]] = {}
    for section in wanted.sections:
        landed = ledger.landed_windows(wanted.account.key, section)
        if wanted.refresh_since is not None:
            landed = [one for one in landed if one.asked_at >= wanted.refresh_since]
        settled = settled_days(landed) | frozenset(wanted.known.get(section, ()))
        cut[section] = windows(wanted.first, wanted.last, now=now, max_days=max_days, settled=settled)
    return visits(cut)


def extract(
    studio: Studio,
    wanted: Wanted,
    ledger: Ledger,
    *,
    clock: Callable[[], dt.datetime],
    max_days: int,
    landed: Callable[[LandedFile], None] = lambda file: None,
) -> None:
    """Make the visits of the plan; ``landed`` is told of each export as it lands.

    Raises LimitReached when the next visit has to wait: call again at its ``retry_at``, nothing is asked for twice.
    Any other failure ends it too, with what has landed kept.
    """
    turns = len(plan(wanted, ledger, now=clock(), max_days=max_days))
    for _ in range(turns):
        todo = plan(wanted, ledger, now=clock(), max_days=max_days)  # what landed may be less, or more, than was asked
        if not todo:
            return
        with studio.visit(wanted.account) as visit:
            for section, window in todo[0].items():
                landed(visit.export(section, window.first, window.last))
