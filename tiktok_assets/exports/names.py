"""What the name of an export says: section, handle, and for Overview the window.

Names are hints that people change (``Overview (1).zip``, ``Content 2.csv``); the content decides.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import PurePath

SECTIONS = ("overview", "viewers", "followers", "content")
# What our browser reads along of Studio's own JSON: landed like an export, though nobody can download it.
INSIGHTS = "insights"

# A section becomes these members; a name that is one of them speaks of its section.
MEMBER_SECTION = {
    "overview": "overview",
    "viewers": "viewers",
    "content": "content",
    "followers": "followers",
    "followerhistory": "followers",
    "followeractivity": "followers",
    "followergender": "followers",
    "followertopterritories": "followers",
}

_SUFFIX = re.compile(r"\.(zip|csv|xlsx|json)$", re.IGNORECASE)
# What file managers and browsers add (" (1)", " 4", " copy", " copy 2", " - Copy", " - Copy (2)"), and landing: "~2".
_COPY = re.compile(r"(?:\s*\(\d{1,3}\)|\s+\d{1,3}|~\d{1,3}|\s+-?\s*copy(?:\s*\(?\d{1,3}\)?)?)+$", re.IGNORECASE)
_OVERVIEW = re.compile(r"^overview_(\d{4}-\d{2}-\d{2})_(\d{9,11})_(.+)$", re.IGNORECASE)
_INSIGHTS = re.compile(r"^insights_\d{8}T\d{6}Z_(.+)$", re.IGNORECASE)
_SECTION = re.compile(r"^(overview|viewers|followers|content)_(.+)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class NameFacts:
    """What a file or folder name says. ``None`` where it says nothing.

    ``epoch``: its date (UTC) is the last day of the window, its time of day that of the download.
    """

    section: str | None = None
    handle: str | None = None
    first_day: dt.date | None = None
    epoch: dt.datetime | None = None


def bare_name(name: str) -> str:
    """``"Overview (1).csv"`` -> ``"Overview"``: without folder, file type and copy marks."""
    return _COPY.sub("", _SUFFIX.sub("", PurePath(name).name.strip())).strip()


def read_name(name: str) -> NameFacts:
    """The facts in the name of a ZIP, a loose member, or a folder an archive was unpacked into.

    Handles contain ``.`` and ``_``: a handle is everything after the section's (or the epoch's) underscore.
    """
    bare = bare_name(name)
    if match := _OVERVIEW.match(bare):
        first_day, epoch, handle = match.groups()
        try:
            return NameFacts(
                section="overview",
                handle=handle,
                first_day=dt.date.fromisoformat(first_day),
                epoch=dt.datetime.fromtimestamp(int(epoch), dt.UTC),
            )
        except ValueError:  # "Overview_2024-13-40_...": somebody's own name
            return NameFacts(section="overview", handle=handle)
    if match := _INSIGHTS.match(bare):
        return NameFacts(section=INSIGHTS, handle=match.group(1))
    if match := _SECTION.match(bare):
        return NameFacts(section=match.group(1).lower(), handle=match.group(2))
    return NameFacts(section=MEMBER_SECTION.get(bare.replace(" ", "").lower()))
