"""One export to make, or one gap that no export fills: what such an advice is, and how to follow it.

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
    """One export to make (all ``sections`` in one visit), or with ``is_permanent`` a gap that no export fills."""

    account: str
    sections: tuple[str, ...]
    first: dt.date
    last: dt.date
    reason: str
    before: dt.date | None = None
    """The last date on which all its days can still be exported; None if unknown or too late."""
    is_permanent: bool = False


def by_urgency(advice: Collection[Advice]) -> list[Advice]:
    """``advice`` by its ``before`` date; without one it comes last."""
    return sorted(advice, key=lambda one: (one.before or dt.date.max, one.account, one.first, one.sections))


def command(advice: Advice) -> str:
    """The command that makes the export, for an account somebody has logged in to.

    With --refresh: otherwise days that were exported already, and gaps between them, would not be requested again.
    """
    sections = "" if set(advice.sections) == set(SECTIONS) else "".join(f" --section {one}" for one in advice.sections)
    return f"tiktok-assets extract {advice.account} --from {advice.first} --to {advice.last}{sections} --refresh"


def manual_steps(advice: Advice, *, now: dt.datetime, max_days: int, landing: str) -> str:
    """How to make the export manually in Studio, and the folder for its ZIPs."""
    today = now.astimezone(dt.UTC).date()
    tabs = listed([section.capitalize() for section in advice.sections])
    fits = [days for days in _PRESETS if (today - advice.first).days <= days <= max_days]
    is_recent = advice.last >= last_day_with_data(now)
    window = Window(first=advice.first, last=advice.last)
    asked = f"Last {fits[0]} days" if is_recent and fits else f"Custom, {window}"
    tab = "the tab" if len(advice.sections) == 1 else "each of the tabs"
    return f"In Studio's Analytics choose {asked}, Download data in {tab} {tabs}, drop the ZIPs into {landing}"


def listed(names: Sequence[str]) -> str:
    """``overview, viewers and content``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shown(days: Collection[dt.date]) -> str:
    """``3 days (2026-11-01 to 2026-11-03)``."""
    found = ranges(days)
    named = [str(one) if len(one) > 1 else str(one.first) for one in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{len(days)} {'day' if len(days) == 1 else 'days'} ({', '.join(named)}{more})"
