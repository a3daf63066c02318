"""What a person reads in an export, as the rows staging should have, and how the two differ. Pure.

Belongs here: naming, merging and comparing rows. Does not belong here: truth files (``truth_files``), processing
and printing (``conformance``). Shares no code with the parsers: the names below were written manually.

A cell is the tuple of values that are right for it, the best first. That is one value, but for the zeros beside an
``undefined`` total: TikTok writes 0 where nobody measured, so both null and 0 are right there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Cell = tuple[Any, ...]
Key = tuple[Any, ...]
Rows = Mapping[Key, Mapping[str, Any]]

REPORTS = {
    "Overview": "overview",
    "Viewers": "viewers",
    "FollowerHistory": "follower_history",
    "FollowerActivity": "follower_activity",
    "FollowerGender": "follower_gender",
    "FollowerTopTerritories": "follower_territories",
    "Content": "content",
}

# Header as TikTok writes it, in lower case and without stray spaces -> staging's column.
COLUMNS: dict[str, dict[str, str]] = {
    "overview": {
        "video views": "video_views",
        "reach": "video_views",
        "profile views": "profile_views",
        "page_views": "profile_views",
        "likes": "likes",
        "comments": "comments",
        "shares": "shares",
        "reached audience": "reach",
        "new followers": "new_followers",
        "lost followers": "lost_followers",
        "net growth": "net_followers",
        "phone number clicks": "clicks",
        "leads submission": "leads",
    },
    "viewers": {
        "total viewers": "unique_viewers",
        "new viewers": "new_viewers",
        "returning viewers": "returning_viewers",
    },
    "follower_history": {
        "followers": "followers",
        "difference in followers from previous day": "follower_difference",
        "total followers": "followers",
        "new followers": "new_followers",
        "reached audience": "reach",
        "engaged audience": "engaged_audience",
    },
    "follower_activity": {"hour": "hour", "active followers": "active_followers"},
    "follower_gender": {"gender": "gender", "distribution": "share"},
    "follower_territories": {"top territories": "territory", "distribution": "share"},
    "content": {
        "video title": "title",
        "video link": "link",
        "total views": "total_views",
        "total likes": "total_likes",
        "total comments": "total_comments",
        "total shares": "total_shares",
        "video views": "total_views",
        "reach": "total_views",
        "likes": "total_likes",
        "comments": "total_comments",
        "shares": "total_shares",
        "add to favorites": "favorites",
        "post time": "post_date",
    },
}
# Columns that name the row; Content's Time repeats the day of the export.
LABELS = {"date_label", "date", "time"}
GRAIN = {
    **dict.fromkeys(("overview", "viewers", "follower_history"), ("day",)),
    "follower_activity": ("day", "hour"),
    "follower_gender": ("gender",),
    "follower_territories": ("territory",),
    "content": ("video_id",),
}
TOTAL = {"viewers": "unique_viewers", "follower_history": "followers"}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What one export, or several merged, say of one report. ``unknown``: keys of truth we have no name for."""

    rows: Mapping[Key, Mapping[str, Cell]]
    unknown: frozenset[str] = frozenset()


def expected(report: str, truth: Iterable[Mapping[str, Any]]) -> Expected:
    """The rows of staging's ``report`` that these rows of truth ask for, by grain; days are those of the labels."""
    rows: dict[Key, dict[str, Cell]] = {}
    unknown: set[str] = set()
    for reported in truth:
        values: dict[str, Any] = {}
        for header, value in reported.items():
            name = " ".join(header.split()).lower()
            column = COLUMNS[report].get(name)
            if column is not None and not (name == "reach" and "video views" in map(str.lower, reported)):
                values[column] = value
            elif name not in LABELS:
                unknown.add(header)
        label = reported.get("date_label") or next(
            (reported[name] for name in reported if name.lower() in LABELS), None
        )
        key, cells = _row(report, label, values)
        rows[key] = cells
    return Expected(rows=rows, unknown=frozenset(unknown))


def _row(report: str, label: str | None, values: dict[str, Any]) -> tuple[Key, dict[str, Cell]]:
    if report == "content":
        values["video_id"] = re.findall(r"/(?:video|photo)/(\d+)", values["link"])[0]
        posted = re.match(r"(\d{4})[-/](\d{2})[-/](\d{2})", str(values.pop("post_date", "")))
        if posted:  # a month and day alone is the file's text, not what a person makes of it
            values["post_date"] = dt.date(*map(int, posted.groups()))
    elif "day" in GRAIN[report] and label is not None:
        values["day"] = values["date_label"] = dt.date.fromisoformat(label.replace("/", "-"))
    key = tuple(values.pop(name) for name in GRAIN[report])
    unmeasured = report in TOTAL and values.get(TOTAL[report], 0) is None
    return key, {column: (None, 0) if unmeasured and value == 0 else (value,) for column, value in values.items()}


def moved(rows: Expected, days: int) -> Expected:
    """The same with each row on the day ``days`` before its label."""
    shift = dt.timedelta(days=days)
    return Expected(rows={(key[0] - shift, *key[1:]): cells for key, cells in rows.rows.items()}, unknown=rows.unknown)


def snapshot(rows: Expected, day: dt.date) -> Expected:
    """The same with the day of the snapshot as part of the key."""
    return Expected(rows={(day, *key): cells for key, cells in rows.rows.items()}, unknown=rows.unknown)


def merged(report: str, exports: Iterable[Expected]) -> Expected:
    """What several exports, oldest first, say together: per cell the newest number.

    Shares are fractions of one whole, so of the snapshots of a day only the newest counts, as a whole.
    """
    rows: dict[Key, dict[str, Cell]] = {}
    unknown: frozenset[str] = frozenset()
    for export in exports:
        unknown |= export.unknown
        if report in ("follower_gender", "follower_territories"):
            days = {key[0] for key in export.rows}
            rows = {key: cells for key, cells in rows.items() if key[0] not in days}
        for key, cells in export.rows.items():
            rows[key] = _newer(rows.get(key, {}), cells)
    return Expected(rows=rows, unknown=unknown)


def _newer(old: Mapping[str, Cell], new: Mapping[str, Cell]) -> dict[str, Cell]:
    measured = any(cell[0] is not None for column, cell in new.items() if column != "date_label")
    cells = dict(old)
    for column, cell in new.items():
        known = measured if column == "date_label" else cell[0] is not None
        if known or column not in old or old[column][0] is None:
            cells[column] = cell
    return cells


@dataclass(kw_only=True)
class Comparison:
    """How staging's rows of one report compare with the expected ones. Each list describes differences in words."""

    expected: int
    different: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    unknown: frozenset[str] = frozenset()

    @property
    def equal(self) -> int:
        return self.expected - len(self.different) - len(self.missing)

    @property
    def is_equal(self) -> bool:
        return not (self.different or self.missing or self.extra)


def compare(rows: Expected, staged: Rows) -> Comparison:
    """Every difference between the expected rows and those of staging. Shares are compared as exact floats."""
    result = Comparison(expected=len(rows.rows), unknown=rows.unknown)
    for key, cells in rows.rows.items():
        where = " ".join(map(str, key))
        if key not in staged:
            result.missing.append(f"{where}: not in staging")
            continue
        wrong = [
            f"{column} is {staged[key].get(column)!r}, in the export {cell[0]!r}"
            for column, cell in cells.items()
            if staged[key].get(column) not in cell
        ]
        if wrong:
            result.different.append(f"{where}: {'; '.join(wrong)}")
    result.extra = [f"{' '.join(map(str, key))}: in no export" for key in staged if key not in rows.rows]
    return result
