"""Targets on the front page: how much was reached, and whether that is on the way.

Belongs here: reading the view of the published warehouse, and wording. Does not belong here: its formulas
(``curated.targets``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from tiktok_assets.accounts import Roster
from tiktok_assets.curated.targets import COLUMNS, PROGRESS
from tiktok_assets.label.targets import load_targets
from tiktok_assets.reporting import words
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The targets as they stand."""

    rows: pl.DataFrame
    """Rows of the view ``target_progress``."""
    problems: Sequence[str] = ()
    """Lines of targets.csv that cannot be used, in a sentence each."""


NO_TARGETS = Progress(rows=pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Null)))


def read_progress(settings: Settings, roster: Roster, now: dt.datetime) -> Progress:
    """The targets of this month and the one before, from the published warehouse."""
    loaded, found = load_targets(settings, roster), None
    if loaded.targets:
        month = now.date().replace(day=1)
        before = (month - dt.timedelta(days=1)).replace(day=1)
        query = f"from {PROGRESS} where month between $before and $month"
        found = published_rows(settings, query, before=before, month=month)
    return Progress(rows=NO_TARGETS.rows if found is None else found, problems=loaded.problems)


def shown_targets(progress: Progress, handles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The rows as the template shows them, the newest month first. ``handles``: by account."""
    newest = progress.rows.sort("month", maintain_order=True, descending=True)
    return [_shown(row, handles) for row in newest.to_dicts()]


def _shown(row: dict[str, Any], handles: Mapping[str, str]) -> dict[str, Any]:
    target, value, settled = row["target"], row["value"], row["value_settled"]
    certain = value if row["value_settled"] is None else settled
    is_of_several, pace = row["accounts"] > 1, row["pace"]
    days = f"{row['days_known']:,} of {row['days']:,} {'days of accounts' if is_of_several else 'days'}"
    accounts = f", {row['accounts_known']} of {row['accounts']} accounts" if is_of_several else ""
    return {
        "name": f"@{handles.get(row['name'], row['name'])}" if row["scope"] == "account" else row["name"],
        "metric": row["metric"].replace("_", " "),
        "month": f"{row['month']:%B %Y}",
        "target": words.count(target),
        "value": words.count(value),
        "progress": words.percent(row["progress"], 0),
        "settled_width": _width(certain, target),
        "provisional_width": _width(row["value_provisional"], target),
        "pace": words.percent(pace, 0),
        "direction": "" if pace is None else "up" if pace >= 1 else "down",
        "known": f"{days}{accounts}",
    }


def _width(part: int | None, target: int) -> str:
    """Of a bar that is full at the target."""
    return f"{min(max((part or 0) / target, 0), 1):.1%}"
