"""One export to make, or one hole that no export fills: what such an advice is, and how it is followed.

Belongs here: the words. Does not belong here: which export to make (``export_coach``, ``content_coach``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tiktok_assets.curated.coverage.coverage import ranges
from tiktok_assets.exports.names import SECTIONS
from tiktok_assets.exports.windows import Window, last_day_with_data

# The ranges that Studio offers without picking days.
_PRESETS = (7, 28, 60, 365)
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One export to make (all ``sections`` in one visit), or with ``is_permanent`` a hole that no export fills."""

    account: str
    sections: tuple[str, ...]
    first: dt.date
    last: dt.date
    reason: str
    before: dt.date | None = None
    """The last date on which it still helps with all its days; None where it is not known or too late."""
    is_permanent: bool = False


def by_urgency(advice: Collection[Advice]) -> list[Advice]:
    """``advice`` by the date until which it helps; where there is none it comes last."""
    return sorted(advice, key=lambda one: (one.before or dt.date.max, one.account, one.first, one.sections))


def command(advice: Advice) -> str:
    """The command that makes the export, for an account somebody has logged in to.

    It refreshes: days to be exported again, and holes in a window that was, would not be asked for otherwise.
    """
    sections = "" if set(advice.sections) == set(SECTIONS) else "".join(f" --section {one}" for one in advice.sections)
    return f"tiktok-assets extract {advice.account} --from {advice.first} --to {advice.last}{sections} --refresh"


def by_hand(advice: Advice, *, now: dt.datetime, max_days: int) -> str:
    """How a person makes the export in Studio."""
    today = now.astimezone(dt.UTC).date()
    tabs = listed([section.capitalize() for section in advice.sections])
    fits = [days for days in _PRESETS if (today - advice.first).days <= days <= max_days]
    is_recent = advice.last >= last_day_with_data(now)
    window = Window(first=advice.first, last=advice.last)
    asked = f"Last {fits[0]} days" if is_recent and fits else f"Custom, {window}"
    tab = "the tab" if len(advice.sections) == 1 else "each of the tabs"
    return f"In Studio's Analytics choose {asked}, Download data in {tab} {tabs}, drop the ZIPs into data/landing"


def listed(names: Sequence[str]) -> str:
    """``overview, viewers and content``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shown(days: Collection[dt.date]) -> str:
    """``3 days (2026-11-01 to 2026-11-03)``."""
    found = ranges(days)
    named = [str(one) if len(one) > 1 else str(one.first) for one in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{len(days)} {'day' if len(days) == 1 else 'days'} ({', '.join(named)}{more})"
