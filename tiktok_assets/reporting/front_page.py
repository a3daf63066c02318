"""The front page of a roster: a line per account, sortable and filterable, in one HTML file without network requests.

Belongs here: which numbers a line has, and what needs attention. Does not belong here: the numbers' formulas
(``facts``), their wording (``words``), an account's own page (``page``).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from tiktok_assets.reporting import facts, sums, words
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.freshness import LATE_AFTER
from tiktok_assets.reporting.next_steps import NextSteps, next_steps
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.song_tables import SongTables
from tiktok_assets.reporting.songs import PAGE, songs_of_roster
from tiktok_assets.reporting.targets import NO_TARGETS, Progress, shown_targets

_WEEK, _MONTH = 7, 28
_NEVER = 100_000  # days behind, of an account without numbers
_SHOWN = ("Video views", "Followers")
_WIDTH, _HEIGHT = 120, 28  # of a sparkline


@dataclass(frozen=True, kw_only=True)
class Post:
    """The video with most views of those published in the week before the newest list of videos."""

    title: str | None
    link: str | None
    views: int


@dataclass(frozen=True, kw_only=True)
class RosterLine:
    """An account on the front page. None is unknown, never 0."""

    key: str
    handle: str
    last: dt.date | None = None
    """The newest day with numbers."""
    days_late: int | None = None
    """How many days that is behind the newest day Studio can have numbers of."""
    numbers: dict[tuple[str, int], Headline] = field(default_factory=dict)
    """By name and length of the window."""
    views: Sequence[float | None] = ()
    """Of each of the last 28 days."""
    best: Post | None = None
    last_export: dt.date | None = None
    due: int = 0
    """Exports to make."""
    due_before: dt.date | None = None
    """The last date on which the most urgent one helps."""
    problems: Sequence[str] = ()
    """Files in quarantine, exports in doubt, and misleading days of the last three months, in a few words each."""

    unassigned: int = 0
    """Files in quarantine that name no account: the same for all."""
    songs: SongTables = field(default_factory=SongTables)
    client: str | None = None
    owner: str | None = None
    next: NextSteps = field(default_factory=NextSteps)

    @property
    def is_late(self) -> bool:
        return self.last is None or (self.days_late or 0) > LATE_AFTER

    @property
    def needs_attention(self) -> bool:
        return self.is_late or bool(self.problems)


def roster_line(tables: AccountTables, newest: dt.date) -> RosterLine:
    """The line of an account. ``newest``: the newest day Studio can have numbers of."""
    last, completeness = facts.last_day(tables.days), tables.completeness
    numbers = {
        (one.name, length): one
        for length in (_WEEK, _MONTH)
        for one in (facts.headlines(tables.days, last, length) if last else ())
        if one.name in _SHOWN
    }
    return RosterLine(
        key=tables.account.key,
        handle=tables.account.handle,
        last=last,
        days_late=(newest - last).days if last else None,
        numbers=numbers,
        views=_views(tables.days, last) if last else (),
        best=best_post(tables.videos),
        last_export=completeness.last_export,
        due=completeness.due,
        due_before=completeness.due_before,
        problems=_problems(tables, last),
        unassigned=len(completeness.unassigned),
        songs=tables.songs,
        client=tables.account.client,
        owner=tables.account.owner,
        next=next_steps(tables),
    )


def best_post(videos: pl.DataFrame) -> Post | None:
    """Of the videos published in the week up to the newest snapshot, the one with most views; None if none is known.

    Studio lists few videos in an export: it is the best of those that are known.
    """
    newest = facts.newest_snapshots(videos)
    until = newest["date"].max()
    return best_published(newest, until - dt.timedelta(days=_WEEK - 1), until) if isinstance(until, dt.date) else None


def best_published(newest: pl.DataFrame, first: dt.date, last: dt.date) -> Post | None:
    """Of the ``newest`` snapshots, most views first, the first video published from ``first`` to ``last``."""
    published = pl.coalesce(pl.col("published_at").dt.date(), pl.col("post_date"))
    row = next(newest.filter(published >= first, published <= last).head(1).iter_rows(named=True), None)
    return Post(title=row["title"], link=row["link"], views=row["total_views"]) if row else None


def ranks(lines: Sequence[RosterLine]) -> dict[str, int]:
    """The place of each account by the views of its last 7 days; equal views share one.

    Only accounts whose seven days are all known and not late are compared: others have no place.
    """
    known = {one.key: number.value for one in lines if (number := _complete_week(one)) and number.value is not None}
    return {key: 1 + sum(other > views for other in known.values()) for key, views in known.items()}


def front_page(
    lines: Sequence[RosterLine], made_at: dt.datetime, progress: Progress = NO_TARGETS, *, is_alone: bool = False
) -> str:
    """The page of all accounts, most views of the last 7 days first, as of ``made_at`` (aware).

    ``is_alone``: no page of an account or of songs lies beside it, so that it links to none.
    """
    places = ranks(lines)
    ordered = sorted(lines, key=lambda one: (places.get(one.key, len(lines) + 1), one.handle.casefold()))
    return rendered(
        "front.html",
        scripts=[text("front.js"), text("csv.js")],
        styles=["page.css", "front.css"],
        lines=[_shown(one, places.get(one.key), is_alone=is_alone) for one in ordered],
        totals=_totals(lines),
        groups=[_groups(lines, field) for field in ("client", "owner") if any(getattr(one, field) for one in lines)],
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


def _complete_week(line: RosterLine) -> Headline | None:
    number = line.numbers.get(("Video views", _WEEK))
    return number if number and number.days_known == number.days and not line.is_late else None


def _views(days: pl.DataFrame, last: dt.date) -> list[float | None]:
    calendar = pl.DataFrame({"date": pl.date_range(last - dt.timedelta(days=_MONTH - 1), last, eager=True)})
    return (
        calendar.join(days.select("date", "video_views"), on="date", how="left").sort("date")["video_views"].to_list()
    )


def _problems(tables: AccountTables, last: dt.date | None) -> list[str]:
    since = (last or dt.date.max) - dt.timedelta(days=facts.RECENT)
    days = facts.data_errors(tables.anomalies).filter(pl.col("date") > since).height
    counts = (
        (len(tables.completeness.quarantined), "file in quarantine", "files in quarantine"),
        (len(tables.completeness.doubts), "export in doubt", "exports in doubt"),
        (days, "misleading day", "misleading days"),
    )
    return [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]


def _shown(line: RosterLine, place: int | None, *, is_alone: bool) -> dict[str, Any]:
    """A line as the template shows it; ``sort`` holds the values the columns are sorted by."""
    cells = {
        f"{short}{length}": _number(line.numbers.get((name, length)))
        for short, name in (("views", "Video views"), ("followers", "Followers"))
        for length in (_WEEK, _MONTH)
    }
    best = line.best
    return {
        "key": line.key,
        "handle": line.handle,
        "has_page": not is_alone and (line.last is not None or best is not None),
        "place": str(place) if place else words.UNKNOWN,
        "cells": cells,
        "sparkline": sparkline(line.views),
        "best": {
            "title": best.title or "(no caption)",
            "link": words.address(best.link),
            "views": words.count(best.views),
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
            "best": best.views if best else None,
            "last": line.last.isoformat() if line.last else None,
            "due": line.due_before.isoformat() if line.due_before else None,
            "problems": len(line.problems) or None,
        },
    }


def _number(number: Headline | None) -> dict[str, Any]:
    if number is None or number.value is None:
        return {"value": words.UNKNOWN, "change": "", "direction": "", "note": "", "sort": None, "growth": None}
    is_partial = number.kind != "stock" and number.days_known < number.days
    return {
        "value": words.value_of(number),
        "change": "" if number.change is None else words.change_of(number),
        "direction": "" if not number.change else "up" if number.change > 0 else "down",
        "note": f"{number.days_known} of {number.days} days" if is_partial else "",
        "sort": number.value,
        "growth": number.change,
    }


_SHOWN_SUMS = (
    ("Views, 7 days", "Video views", _WEEK),
    ("Views, 28 days", "Video views", _MONTH),
    ("Followers", "Followers", _WEEK),
)


def _totals(lines: Sequence[RosterLine]) -> list[dict[str, str]]:
    """The roster's sums, each over the accounts that know the number whole and are not late, and how many those are."""
    everybody = words.counted(len(lines), "account")
    found = []
    for title, name, length in _SHOWN_SUMS:
        one = _total(lines, name, length)
        of = everybody if one.accounts == len(lines) else f"{one.accounts} of {everybody}"
        found.append({"title": title, **_sum(one), "of": of})
    return found


def _groups(lines: Sequence[RosterLine], field: str) -> dict[str, Any]:
    """The same sums by client or owner, most views first."""
    members: dict[str, list[RosterLine]] = {}
    for one in lines:  # case does not matter, as in the commands; the first way it is written stands
        name = getattr(one, field) or ""
        spelled = next((known for known in members if known.casefold() == name.casefold()), name)
        members.setdefault(spelled, []).append(one)
    rows = [
        {
            "name": name or f"(no {field})",
            "accounts": len(of_name),
            "cells": [_sum(_total(of_name, wanted, length)) for _, wanted, length in _SHOWN_SUMS],
        }
        for name, of_name in members.items()
    ]
    rows.sort(key=lambda row: (-(row["cells"][0]["sort"] or 0), row["name"].casefold()))
    return {"field": field, "columns": [title for title, *_ in _SHOWN_SUMS], "rows": rows}


def _total(lines: Sequence[RosterLine], name: str, length: int) -> sums.Sum:
    return sums.total(one.numbers.get((name, length)) if not one.is_late else None for one in lines)


def _sum(one: sums.Sum) -> dict[str, Any]:
    return {
        "value": words.count(one.value),
        "change": "" if one.change is None else words.growth(one.change),
        "direction": "" if not one.change else "up" if one.change > 0 else "down",
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
