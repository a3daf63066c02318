"""The front page of a roster: a line per account, sortable and filterable, in one HTML file without network requests.

Belongs here: which numbers a line has, and what needs attention. Does not belong here: the numbers' formulas
(``facts``), their wording (``words``), an account's own page (``page``).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tiktok_assets.reporting import sums, words
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.freshness import LATE_AFTER
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.roster_line import WINDOWS, RosterLine
from tiktok_assets.reporting.songs import PAGE, songs_of_roster
from tiktok_assets.reporting.targets import NO_TARGETS, Progress, shown_targets

_NEVER = 100_000  # days behind, of an account without numbers
_WIDTH, _HEIGHT = 120, 28  # of a sparkline


@dataclass(frozen=True)
class _Window:
    """Days of the numbers of all lines, and how their columns are called."""

    days: int
    column: str
    """As in ``Views 7 d``; nothing where the page is about one period."""
    title: str
    """As in ``Views, 7 days``."""


def _windows(period: Period | None) -> list[_Window]:
    if period:
        return [_Window(period.days, "", "")]
    return [_Window(days, f" {days} d", f", {days} days") for days in WINDOWS]


def ranks(lines: Sequence[RosterLine], days: int = WINDOWS[0]) -> dict[str, int]:
    """The place of each account by the views of these ``days``; equal views share one.

    Only accounts that know every one of them, and are not late, are compared: others have no place.
    """
    found = {one.key: one.numbers.get(("Video views", days)) for one in lines if one.is_compared}
    known = {key: number.value for key, number in found.items() if number and number.value is not None}
    whole = {key: views for key, views in known.items() if (number := found[key]) and sums.is_whole(number)}
    return {key: 1 + sum(other > views for other in whole.values()) for key, views in whole.items()}


def front_page(
    lines: Sequence[RosterLine],
    made_at: dt.datetime,
    progress: Progress = NO_TARGETS,
    *,
    period: Period | None = None,
    is_alone: bool = False,
) -> str:
    """The page of all accounts, most views first, as of ``made_at`` (aware).

    ``period``: the days that all ``lines`` are about; by default each has its own last ones. ``is_alone``: no page of
    an account or of songs lies beside it, so that it links to none.
    """
    windows = _windows(period)
    places = ranks(lines, windows[0].days)
    ordered = sorted(lines, key=lambda one: (places.get(one.key, len(lines) + 1), one.handle.casefold()))
    return rendered(
        "front.html",
        scripts=[text("front.js"), text("csv.js")],
        styles=["page.css", "front.css"],
        period=words.span(period.first, period.last) if period else "",
        before=words.span(period.before.first, period.before.last) if period else "",
        windows=windows,
        lines=[_shown(one, places.get(one.key), windows, is_alone=is_alone) for one in ordered],
        totals=_totals(lines, windows),
        groups=[
            _groups(lines, field, windows) for field in ("client", "owner") if any(getattr(one, field) for one in lines)
        ],
        attention=[_attention(one) for one in sorted(lines, key=_urgency) if one.needs_attention],
        unassigned=words.counted(files, "file") if (files := max((one.unassigned for one in lines), default=0)) else "",
        ranked=words.counted(len(places), "account"),
        accounts=words.counted(len(lines), "account"),
        late_after=LATE_AFTER,
        songs=songs_of_roster({one.key: one.songs for one in lines}),
        songs_link="" if is_alone else PAGE,
        targets=shown_targets(progress, {one.key: one.handle for one in lines}),
        target_problems=progress.problems,
        made_at=made_at,
    )


def _shown(line: RosterLine, place: int | None, windows: Sequence[_Window], *, is_alone: bool) -> dict[str, Any]:
    """A line as the template shows it; ``sort`` holds the values the columns are sorted by."""
    best = line.best
    return {
        "key": line.key,
        "handle": line.handle,
        "has_page": not is_alone and (line.last is not None or best is not None),
        "place": str(place) if place else words.UNKNOWN,
        "views": [_number(line.numbers.get(("Video views", one.days))) for one in windows],
        "followers": [_number(line.numbers.get(("Followers", one.days))) for one in windows],
        "sparkline": sparkline(line.views),
        "best": {
            "title": best.title or "(no caption)",
            "link": words.address(best.link),
            "views": words.between(best.views_low, best.views, best.views_high),
            "until": "" if line.period or best.period.last == line.last else words.short_day(best.period.last),
            "is_certain": best.is_certain,
        }
        if best
        else None,
        "last": words.short_day(line.last),
        "is_late": line.is_late,
        "late": f"{line.days_late} days behind" if line.days_late is not None else "no numbers yet",
        "exported": words.short_day(line.last_export),
        "due": words.counted(line.due, "export") if line.due else "",
        "before": words.short_day(line.due_before) if line.due_before else "",
        "problems": line.problems,
        "needs_attention": line.needs_attention,
        "client": line.client or "",
        "owner": line.owner or "",
        "steps": line.next.steps,
        "no_evidence": line.next.no_evidence,
        "sort": {
            "place": place,
            "best": (best.views_low if best.views is None else best.views) if best else None,
            "last": line.last.isoformat() if line.last else None,
            "due": line.due_before.isoformat() if line.due_before else None,
            "problems": len(line.problems) or None,
        },
    }


def _number(number: Headline | None) -> dict[str, Any]:
    if number is None or number.value is None:
        return {"value": words.UNKNOWN, "change": "", "direction": "", "note": "", "sort": None}
    is_partial = number.kind != "stock" and number.days_known < number.days
    change = "" if number.change is None else words.change_of(number)
    return {
        "value": words.value_of(number),
        "change": change,
        "direction": words.direction_of(change),
        "note": f"{number.days_known} of {number.days} days" if is_partial else "",
        "sort": number.value,
    }


def _shown_sums(windows: Sequence[_Window]) -> list[tuple[str, str, int]]:
    """Title, name and length of the sums that are shown."""
    views = [(f"Views{one.title}", "Video views", one.days) for one in windows]
    return [*views, ("Followers", "Followers", windows[0].days)]


def _totals(lines: Sequence[RosterLine], windows: Sequence[_Window]) -> list[dict[str, str]]:
    """The roster's sums, each over the accounts that know the number whole and are not late, and how many those are."""
    everybody = words.counted(len(lines), "account")
    found = []
    for title, name, length in _shown_sums(windows):
        one = _total(lines, name, length)
        of = everybody if one.accounts == len(lines) else f"{one.accounts} of {everybody}"
        found.append({"title": title, **_sum(one), "of": of})
    return found


def _groups(lines: Sequence[RosterLine], field: str, windows: Sequence[_Window]) -> dict[str, Any]:
    """The same sums by client or owner, most views first."""
    shown, members = _shown_sums(windows), dict[str, list[RosterLine]]()
    for one in lines:  # case does not matter, as in the commands; the first way it is written stands
        name = getattr(one, field) or ""
        spelled = next((known for known in members if known.casefold() == name.casefold()), name)
        members.setdefault(spelled, []).append(one)
    rows = [
        {
            "name": name or f"(no {field})",
            "accounts": len(of_name),
            "cells": [_sum(_total(of_name, wanted, length)) for _, wanted, length in shown],
        }
        for name, of_name in members.items()
    ]
    rows.sort(key=lambda row: (-(row["cells"][0]["sort"] or 0), row["name"].casefold()))
    return {"field": field, "columns": [title for title, *_ in shown], "rows": rows}


def _total(lines: Sequence[RosterLine], name: str, length: int) -> sums.Sum:
    return sums.total(one.numbers.get((name, length)) if one.is_compared else None for one in lines)


def _sum(one: sums.Sum) -> dict[str, Any]:
    change = "" if one.change is None else words.growth(one.change)
    return {
        "value": words.count(one.value),
        "change": change,
        "direction": words.direction_of(change),
        "sort": one.value,
        "accounts": one.accounts,
    }


def _urgency(line: RosterLine) -> tuple[dt.date, int]:
    """First what is lost first, then what is the longest behind."""
    return line.due_before or dt.date.max, -(line.days_late if line.days_late is not None else _NEVER)


def _attention(line: RosterLine) -> dict[str, str]:
    reasons = [*line.problems]
    if line.last is None:
        reasons.append("no numbers yet")
    elif line.is_late:
        reasons.append(f"numbers end on {words.short_day(line.last)}, {line.days_late} days behind")
    return {"key": line.key, "handle": line.handle, "why": ", ".join(reasons)}


def sparkline(values: Sequence[float | None]) -> list[str]:
    """The points of a line through ``values``, from 0 up, as SVG wants them; a new line begins after an unknown day."""
    known = [value for value in values if value is not None]
    if not known:
        return []
    most = max(max(known), 1)
    step = _WIDTH / max(1, len(values) - 1)
    points = [
        None if value is None else f"{number * step:.1f},{_HEIGHT - 1 - max(value, 0) / most * (_HEIGHT - 2):.1f}"
        for number, value in enumerate(values)
    ]
    runs = [[*run] for is_known, run in itertools.groupby(points, lambda point: point is not None) if is_known]
    return [" ".join(str(point) for point in run) for run in runs]
