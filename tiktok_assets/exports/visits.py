"""Which loose files came from one visit to Studio, so that a snapshot without a date is dated by the files beside it.

Belongs here: what names, times and dates of the files say. Does not belong here: which files there are (``inbox``),
reading them (``reports.reading``).

FollowerGender and FollowerTopTerritories contain no date, and the time of a loose file is that of its last copy.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD, ONE_DAY
from tiktok_assets.exports.names import dates_in_name, read_name

_UNDATED = r"follower[ _-]?(?:gender|top[ _-]?territories)"
_DATED = r"(?:overview(?:_\d{4}-\d{2}-\d{2}_\d{9,11}(?=_))?|viewers|content|follower[ _-]?(?:history|activity))"
_HANDLE = r"(?:_(?=[a-z0-9._]*[a-z])[a-z0-9._]*[a-z0-9_](?![a-z0-9-]))?"
_ONE_OF = {True: re.compile(_UNDATED + _HANDLE), False: re.compile(_DATED + _HANDLE)}
_LOOSE = (".csv", ".xlsx", ".tsv", ".txt")
# Copied, or downloaded, together.
_TOGETHER = ONE_DAY
# Of one visit, the exports end one or two days before it.
_ONE_VISIT = 2 * ONE_DAY
# A visit makes four exports of seven reports; a folder may hold a hundred that were copied at once.
_MOST_SIBLINGS = 8

_BY = {"captured_at": "by what it says", "zip_name": "by its name", "export_date_column": "by its column Time"}


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """A dated file of the same visit: when it was downloaded, or its last day was available, and how that is known."""

    name: str
    moment: dt.datetime
    evidence: str
    last_day: dt.date | None
    rests_on_file_time: bool = False


def is_undated(name: str) -> bool:
    """Whether a loose file's name is that of a report without a date."""
    return name.lower().endswith(_LOOSE) and _ONE_OF[True].search(name.lower()) is not None


def of_one_visit(path: Path, others: Iterable[Path]) -> list[Path]:
    """Of the loose ``others``, the dated files that came with the undated ``path``.

    Their names are the same but for the report and what Studio adds to it, as the marks of copies are. They were copied
    together, unless the names share a date.
    """
    mark = _mark(path.name, is_undated=True)
    if mark is None:
        return []
    has_date = bool(dates_in_name(mark).days)
    copied = path.stat().st_mtime
    return sorted(
        other
        for other in others
        if _mark(other.name, is_undated=False) == mark
        and (has_date or abs(other.stat().st_mtime - copied) <= _TOGETHER.total_seconds())
    )


def copied_together(path: Path, others: Iterable[Path]) -> list[Path]:
    """Of the ``others``, the dated files that came with the dated ``path``, the few nearest to it in time.

    Loose files have the same name but for the report, ZIPs are of the same handle; all were copied within a day.
    """
    copied, mark, facts = path.stat().st_mtime, _mark(path.name, is_undated=False), read_name(path.name)

    def is_of_visit(other: Path) -> bool:
        if mark is not None:
            return _mark(other.name, is_undated=False) == mark
        named = read_name(other.name)
        both_zip = path.suffix.lower() == other.suffix.lower() == ".zip"
        return both_zip and named.section is not None and named.handle == facts.handle

    apart = {other: abs(other.stat().st_mtime - copied) for other in others if other != path and is_of_visit(other)}
    near = [other for other in apart if apart[other] <= _TOGETHER.total_seconds()]
    return sorted(near, key=lambda other: (apart[other], other.name))[:_MOST_SIBLINGS]


def _mark(name: str, *, is_undated: bool) -> str | None:
    """What a person or system added to the name of a report; None for another name."""
    lower = PurePath(name).name.lower()
    if not lower.endswith(_LOOSE):
        return None
    stem, count = _ONE_OF[is_undated].subn("|", PurePath(lower).stem, count=1)
    return stem.strip() if count else None


def moment_of_visit(
    file_time: dt.datetime, siblings: Sequence[Sibling], *, is_possible: bool = True
) -> tuple[dt.datetime | None, str]:
    """When an undated file was downloaded, by its siblings, and a sentence that says so.

    None where the file's own time is as good, or with a reason where they disagree. ``is_possible``: whether that time
    can be right at all.
    """
    if not siblings:
        return None, ""
    best = max(siblings, key=lambda one: (one.evidence != "window_end", one.moment))
    if is_possible and file_time - best.moment <= DAYS_OF_A_DOWNLOAD:
        return None, ""
    if max(one.moment for one in siblings) - min(one.moment for one in siblings) > _ONE_VISIT + ONE_DAY:
        names = ", ".join(one.name for one in siblings)
        return None, (
            f"contains no date, and the files beside it are of several visits ({names}): it is dated by its own time, "
            f"{file_time:%Y-%m-%d}. Put the files of each visit into a folder of their own"
        )
    by = _BY.get(best.evidence) or f"whose last day is {best.last_day}"
    return best.moment, f"contains no date: it is dated {best.moment:%Y-%m-%d} like {best.name} beside it, {by}"
