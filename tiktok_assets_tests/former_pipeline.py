"""Compares our tables with the legacy pipeline's table: `python -m tiktok_assets_tests.former_pipeline FORMER EXPORTS`.

LEGACY holds ``tiktok_analytics_curated.csv``; EXPORTS is laid out like ``shared/exports``, with the same Overview ZIPs.

- Where it was right, everything must be equal: the five daily counts and the day of each row.
- Where it was wrong, each difference must be of a known kind, and is counted: a rate divided by 1 if there are no
  views; followers written as 0 if none are known, or the newest number on every row; a gain written as 0 if
  none is known, or for a loss.

Exit code 1 if a count differs, a day is missing or extra, or a difference is of no known kind.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.legacy.tables import COUNTS, count, current_names, engagements
from tiktok_assets_tests.conformance import process_sets
from tiktok_assets_tests.truth_files import Truth, find_truths

FILE = "tiktok_analytics_curated.csv"
DIGITS = 4
"""The legacy pipeline rounded rates to this many digits."""


@dataclass
class Compared:
    """One account. ``equal``: rows, by column; ``explained``: differences, by column and kind."""

    rows: int = 0
    equal: Counter[str] = field(default_factory=Counter)
    explained: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def legacy_rows(path: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of the legacy table by handle, with today's column names."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file)
    names = current_names(header, path.name)
    if names is None:
        raise ValueError(f"{path}: is not a table of the legacy pipeline: {', '.join(header)}")
    by_handle: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        values = dict(zip(names, row, strict=True))
        by_handle.setdefault(values["handle"], []).append(values)
    return by_handle


def our_days(staging: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Our days from staging's tables, with rates and growth."""
    followers = staging["follower_history"]
    if followers.is_empty():
        followers = pl.DataFrame(schema={"account": pl.String, "date": pl.Date, "followers": pl.Int64})
    known = followers.select("account", "date", "followers")
    return with_metrics(staging["overview"].join(known, on=["account", "date"], how="left"))


def compare_days(legacy: Sequence[Mapping[str, str]], ours: pl.DataFrame) -> Compared:
    """Row by row: ``legacy`` by current name, against the days of one account."""
    found = Compared(rows=len(legacy))
    days = {row["date"]: row for row in ours.iter_rows(named=True)}
    newest = next((row["followers"] for row in reversed([*days.values()]) if row["followers"] is not None), None)
    for row in legacy:
        day = dt.date.fromisoformat(row["date"])
        our = days.pop(day, None)
        if our is None:
            found.wrong.append(f"{day}: we have no such day")
            continue
        found.equal["date"] += 1
        for column in COUNTS:
            if our[column] == count(row[column]):
                found.equal[column] += 1
            else:
                found.wrong.append(f"{day}, {column}: {row[column]} there, {our[column]} here")
        for column, theirs, mine, kind in _derived(row, our, newest):
            if kind is None:
                found.equal[column] += 1
            elif kind:
                found.explained[column, kind] += 1
            else:
                found.wrong.append(f"{day}, {column}: {theirs} there, {mine} here, of no known kind")
    found.wrong += [f"{day}: the legacy table has no such day" for day in days]
    return found


def _derived(
    row: Mapping[str, str], our: Mapping[str, object], newest: object
) -> Iterator[tuple[str, str, object, str | None]]:
    """Column, both values, and the kind of difference: None if they are equal, "" if the kind is unknown."""
    rate, theirs = our["engagement_rate"], row["engagement_rate"]
    if isinstance(rate, float) and round(rate, DIGITS) == round(float(theirs), DIGITS):
        kind = None
    elif rate is None and count(row["video_views"]) == 0 and float(theirs) == (engagements(row) or 0):
        kind = "no views: divided by 1, null here"
    else:
        kind = ""
    yield "engagement_rate", theirs, rate, kind
    followers, written = our["followers"], count(row["followers"])
    if followers is None:
        kind = "no export contains it: 0 written, null here" if written == 0 else ""
    else:
        kind = None if followers == written else "the newest number on every row" if written in (newest, 0) else ""
    yield "followers", row["followers"], followers, kind
    net, gained = our["net_followers"], count(row["new_followers"])
    if net is None:
        kind = "no export contains it: 0 written, null here" if gained == 0 else ""
    elif isinstance(net, int) and net < 0 and gained == 0:
        kind = "a loss dropped, kept here"
    else:
        kind = None if net == gained else "no followers were captured: 0 written" if gained == 0 else ""
    yield "new_followers", row["new_followers"], net, kind


def check_account(rows: Sequence[Mapping[str, str]], truths: Sequence[Truth], console: Console) -> bool:
    """Process the exports of one account, compare, and print. True if every difference is explained."""
    staging, complaints = process_sets(truths)
    found = compare_days(rows, our_days(staging))
    table = Table(title=f"{truths[0].account}: {found.rows} rows of the legacy pipeline", title_justify="left")
    for name in ("column", "equal", "different", "why"):
        table.add_column(name, justify="left" if name in ("column", "why") else "right")
    for column in ("date", *COUNTS, "engagement_rate", "followers", "new_followers"):
        kinds = {kind: times for (named, kind), times in found.explained.items() if named == column}
        why = "; ".join(f"{kind} ({times})" for kind, times in kinds.items())
        table.add_row(column, str(found.equal[column]), str(sum(kinds.values())), why)
    console.print(table)
    for text in (*complaints, *found.wrong[:20]):
        console.print(f"  {text}", style="red", markup=False, highlight=False)
    if len(found.wrong) > 20:
        console.print(f"  and {len(found.wrong) - 20} more", style="red")
    return not found.wrong and not complaints


def main(legacy: Path, exports: Path) -> int:
    os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")  # as in the Makefile: faster
    console = Console(width=None if sys.stdout.isatty() else 120)
    by_handle, truths = legacy_rows(legacy / FILE), find_truths(exports)
    results = []
    for handle, rows in by_handle.items():
        of_account = [truth for truth in truths if truth.handle == handle]
        if not of_account:
            console.print(f"{handle}: {exports} has no exports of this account, nothing to compare with.", style="red")
        results.append(bool(of_account) and check_account(rows, of_account, console))
    verdict = "reproduced where it was right, every difference explained" if all(results) else "NOT reproduced"
    console.print(
        f"The legacy pipeline's {sum(map(len, by_handle.values()))} rows of {len(by_handle)} accounts: {verdict}."
    )
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tiktok_assets_tests.former_pipeline LEGACY EXPORTS")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
