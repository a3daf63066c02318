"""Compares staging with real exports that a person has transcribed: `python -m tiktok_assets_tests.conformance FOLDER`.

FOLDER is laid out like ``shared/exports``: truths (see ``truth``) beside exports, of any accounts and languages.

- Each set of exports is processed alone, in an empty lake: staging has exactly its rows, labels and numbers.
- All sets of an account are processed together: each grain holds what the newest export that measured it reports, and
  null never replaces a number. The truth does not contain moved labels: a day is the label less the
  ``date_shift_days`` that staging found for that export. A newer snapshot of the same UTC day replaces gender and
  territories as a whole: shares of two snapshots never mix. Videos are replaced one by one.

Prints a table per account; exit code 1 if anything differs, is missing or is in no export.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import cast

import polars as pl
from rich.console import Console
from rich.table import Table

from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings
from tiktok_assets_tests.comparison import (
    GRAIN,
    REPORTS,
    Comparison,
    Expected,
    Rows,
    compare,
    expected,
    merged,
    moved,
    snapshot,
)
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.truth_files import Truth, find_truths

SHOWN = 5
WIDTH = 120
FIRST_MONTH = dt.date(2020, 1, 1)

Staging = dict[str, pl.DataFrame]


def process_sets(truths: Sequence[Truth]) -> tuple[Staging, list[str]]:
    """Staging's tables from the exports of ``truths`` (one account), and the pipeline's complaints."""
    account, handle = truths[0].account, truths[0].handle
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        accounts = Path(folder, "accounts.toml")
        accounts.write_text(f"[accounts.{json.dumps(account)}]\nhandle = {json.dumps(handle)}\n")
        data = Path(folder, "data")
        for number, truth in enumerate(truths):  # files of different sets have the same names
            for file in truth.files:
                target = data / "landing" / account / f"set {number}" / file.relative_to(truth.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(file, target)
        settings = Settings(
            data_dir=data,  # pyright: ignore[reportArgumentType] - Settings makes the paths of its own
            accounts_file=accounts,
            accounts=(),
            landing_path=None,
            start_date=min(FIRST_MONTH, *first_days(truths)),
        )
        result = process(settings, instance=fresh())
        complaints = [rejected.message for rejected in result.intake.rejected]
        complaints += [*result.intake.unreadable, *result.intake.waiting]
        for run in result.accounts:
            complaints += [run.error] if run.error else []
            complaints += [f"the check {check} fails" for check in run.failed_checks]
        tables = {report: _read(data / "staging" / report) for report in REPORTS.values()}
    return tables, complaints


def first_days(truths: Iterable[Truth]) -> Iterator[dt.date]:
    """The first label of each report."""
    for truth in truths:
        for rows in truth.reports.values():
            yield from (dt.date.fromisoformat(row["date_label"]) for row in rows[:1] if row.get("date_label"))


def _read(folder: Path) -> pl.DataFrame:
    files = sorted(folder.rglob("*.parquet"))
    return pl.concat([pl.read_parquet(file) for file in files], how="diagonal") if files else pl.DataFrame()


def check_alone(report: str, truth: list[dict], table: pl.DataFrame) -> Comparison:
    """One export in an empty lake: its labels and numbers, row by row."""
    return compare(expected(report, truth), by_grain(table, "date_label", *GRAIN[report]))


def check_together(report: str, title: str, truths: Sequence[Truth], table: pl.DataFrame) -> Comparison:
    """All exports of an account in one lake."""
    reported: list[Expected] = []
    for truth in sorted(truths, key=lambda truth: truth.moment(title)):
        if title in truth.reports:
            rows = expected(report, truth.reports[title])
            if "day" in GRAIN[report]:
                reported.append(moved(rows, shift_of(table, truth)))
            else:
                reported.append(snapshot(rows, truth.moment(title).date()))
    return compare(merged(report, reported), by_grain(table, "date", "date", *GRAIN[report]))


def shift_of(table: pl.DataFrame, truth: Truth) -> int:
    """By how many days staging moved the labels of ``truth``'s exports."""
    if table.is_empty():
        return 0
    shifts = table.filter(pl.col("export_id").is_in(truth.export_ids()))["date_shift_days"].to_list()
    return Counter(shifts).most_common(1)[0][0] if shifts else 0


def by_grain(table: pl.DataFrame, day: str, *grain: str) -> Rows:
    """Staging's rows by their key, in which ``day`` stands for the day. A duplicate gets a key of its own."""
    key = dict.fromkeys(day if name == "day" else name for name in grain)
    names = [name for name in key if name in table.columns]
    rows: dict[tuple, dict] = {}
    for row in table.iter_rows(named=True):
        at = tuple(row[name] for name in names)
        rows[(*at, "a second time") if at in rows else at] = row
    return rows


def check_account(truths: Sequence[Truth]) -> tuple[bool, str]:
    """Compare every set of one account alone, then all together. Whether all is equal, and the table to print."""
    console = Console(file=io.StringIO(), width=WIDTH)
    account = truths[0].account
    overview = Table(title=f"{account} (@{truths[0].handle})", title_justify="left")
    for name in ("exports", "report", "expected", "equal", "different", "missing", "extra"):
        overview.add_column(name, justify="left" if name in ("exports", "report") else "right")
    notes: list[str] = []
    equal = True
    for name, group in [*((truth.name, [truth]) for truth in truths), ("together", list(truths))]:
        if name == "together" and len(truths) == 1:
            continue
        tables, complaints = process_sets(group)
        notes += [f"{name}: {complaint}" for complaint in complaints]
        for title in dict.fromkeys(title for truth in group for title in truth.reports):
            if title not in REPORTS:
                notes.append(f"{name}: truth has an unknown report, not compared: {title}")
                continue
            report = REPORTS[title]
            if name == "together":
                found = check_together(report, title, group, tables[report])
            else:
                found = check_alone(report, group[0].reports[title], tables[report])
            counts = (found.expected, found.equal, len(found.different), len(found.missing), len(found.extra))
            overview.add_row(name, title, *map(str, counts), style=None if found.is_equal else "red")
            notes += [f"{name} {title}: {text}" for text in descriptions(found)]
            equal &= found.is_equal
    console.print(overview)
    for note in notes:
        console.print(f"  {note}", markup=False, highlight=False)
    return equal, cast("io.StringIO", console.file).getvalue()


def descriptions(found: Comparison) -> Iterator[str]:
    """The first few differences of each kind."""
    for kind in (found.different, found.missing, found.extra):
        yield from kind[:SHOWN]
        if len(kind) > SHOWN:
            yield f"and {len(kind) - SHOWN} more"
    if found.unknown:
        yield f"truth has columns that staging does not have: {', '.join(sorted(found.unknown))}"


def main(folder: Path) -> int:
    os.environ.setdefault("DAGSTER_EMIT_PARTITION_SUBSET_IN_PLANNED_EVENTS", "1")  # as in the Makefile: faster
    begun = time.monotonic()
    console = Console(width=WIDTH)
    truths = find_truths(folder)
    if not truths:
        console.print(f"{folder}: contains no truth.json, nothing to compare with.")
        return 1
    accounts: dict[str, list[Truth]] = {}
    for truth in truths:
        accounts.setdefault(truth.account, []).append(truth)
    results: list[bool] = []
    with contextlib.ExitStack() as stack:
        checked = map(check_account, accounts.values())
        if len(accounts) > 1:
            processes = min(os.cpu_count() or 1, len(accounts))
            pool = stack.enter_context(ProcessPoolExecutor(processes, get_context("spawn")))
            checked = pool.map(check_account, accounts.values())
        for is_equal, said in checked:
            results.append(is_equal)
            console.print(said, end="", markup=False, highlight=False)
    verdict = "all equal" if all(results) else "NOT equal"
    console.print(f"{len(truths)} sets of {len(accounts)} accounts: {verdict}, in {time.monotonic() - begun:.0f} s")
    return 0 if all(results) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tiktok_assets_tests.conformance FOLDER")
    sys.exit(main(Path(sys.argv[1])))
