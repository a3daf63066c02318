"""Damaged exports: refused with a reason, or read with the numbers of the undamaged file in every untouched row."""

from __future__ import annotations

import datetime as dt
import functools
import random
import tempfile
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports.reading import open_export
from tiktok_assets.simulator.exports import SECTIONS, GeneratedExport, studio_export
from tiktok_assets_tests.budget import rounds
from tiktok_assets_tests.chaos import damage
from tiktok_assets_tests.chaos.conftest import Note
from tiktok_assets_tests.export_files import write, zipped
from tiktok_assets_tests.landing_files import account, insights

pytestmark = pytest.mark.chaos

FILES = len(rounds(63, at_most=1250))
"""Of each part. The parts are alike; they run on several workers."""
FIRST, LAST = dt.date(2025, 6, 8), dt.date(2025, 6, 20)
AT = dt.datetime(2025, 6, 22, 16, 5, tzinfo=dt.UTC)
# What may differ although no number does.
_PLACE = {*PROVENANCE, "row_number"}
_DAYS = {"date", "date_label", "post_date", "published_at", "date_shift_days", "is_zero_tail"}
# A damaged line says nothing of the way in which the file writes quotes, so they may stay doubled in its titles.
_TITLE = {"title"}
Row = dict[str, Any]
Rows = Mapping[str, list[Row]]


@dataclass(frozen=True, kw_only=True)
class Original:
    """An undamaged export and its rows, by report; those of a member are in the order of its lines."""

    export: GeneratedExport
    rows: Rows
    reports: Mapping[str, str]
    """By member."""


@pytest.mark.parametrize("_part", rounds(1, at_most=8))
def test_a_damaged_export_is_refused_or_read_right(tmp_path: Path, tried: Note, _part: int) -> None:
    refused, read = Counter[str](), Counter[str]()
    for _ in range(FILES):
        seed = random.randrange(10**9)
        kind, is_read = damaged(tmp_path, random.Random(seed), f"seed {seed}")
        (read if is_read else refused)[kind] += 1
    for kind, times in read.items():
        tried(f"damaged {kind}: read", times, "no wrong number: every untouched row as in the undamaged file")
    for kind, times in refused.items():
        tried(f"damaged {kind}: refused", times, "quarantined with a reason")


def damaged(folder: Path, chance: random.Random, seed: str) -> tuple[str, bool]:
    """One damaged file, checked: the kind of damage, and whether it was read."""
    section, file_format = chance.choice(list(SECTIONS)), chance.choice(("csv", "csv", "csv", "xlsx"))
    original = _original(section, file_format, chance.choice(("en", "el")))
    return chance.choice((of_bytes, of_bytes, of_lines, of_lines, of_columns, of_odd_numbers, of_members, of_insights))(
        folder, original, chance, seed
    )


def of_bytes(folder: Path, original: Original, chance: random.Random, seed: str) -> tuple[str, bool]:
    """The file as a whole. A checksum protects each number; the days may move with a changed time of the file."""
    kind = chance.choice(sorted(damage.OF_BYTES))
    content = damage.OF_BYTES[kind](original.export.content, chance)
    found = rows_of(folder, original.export.name, content)
    for report, rows in (found or {}).items():
        for row in rows:
            assert is_among(row, original.rows[report], without=_DAYS), (seed, kind, report, row)
    return "bytes of a ZIP", found is not None


def of_lines(folder: Path, original: Original, chance: random.Random, seed: str) -> tuple[str, bool]:
    """The lines of a member, or its bytes: each line that is as it was is read as it was."""
    kinds = damage.OF_LINES | damage.OF_BYTES
    kind, member = chance.choice(sorted(kinds)), csv_member(original, chance)
    if member is None:
        return of_bytes(folder, original, chance, seed)
    before = original.export.members[member]
    after = kinds[kind](before, chance)
    found = rows_of(folder, original.export.name, packed({**original.export.members, member: after}))
    if found is not None:
        require_untouched(original, member, before, after, found, f"{seed}: {kind} {member}")
    return "bytes of a member" if kind in damage.OF_BYTES else "lines", found is not None


def require_untouched(original: Original, member: str, before: bytes, after: bytes, found: Rows, where: str) -> None:
    header, *lines = before.split(b"\n")
    report, now = original.reports[member], after.split(b"\n")
    rows = dict(zip(lines, original.rows[report], strict=True))
    is_same_header = now[0] == header
    for line in {*now} & {*lines}:
        if report in found and is_same_header:
            assert is_among(rows[line], found[report], without=_TITLE), (where, rows[line], found[report])
    assert len(found.get(report, ())) <= len(now), where
    for other in found.keys() - {report}:
        assert [bare(row) for row in found[other]] == [bare(row) for row in original.rows[other]], (where, other)


def of_columns(folder: Path, original: Original, chance: random.Random, seed: str) -> tuple[str, bool]:
    """The header, or the order of the columns: each number is in its column, or unknown."""
    kind, member = chance.choice(sorted(damage.OF_COLUMNS)), csv_member(original, chance)
    if member is None:
        return of_bytes(folder, original, chance, seed)
    after = damage.OF_COLUMNS[kind](original.export.members[member], chance)
    found = rows_of(folder, original.export.name, packed({**original.export.members, member: after}))
    for report, rows in (found or {}).items():
        known = original.rows[report][-len(rows) :] if rows else []  # without its header the first row may be one
        for row, right in zip(rows, known, strict=True):
            wrong = {name for name in bare(row, _TITLE) if row[name] not in (None, right[name])}
            assert not wrong, (seed, kind, report, wrong, row, right)
    return "header" if kind == "header_damaged" else "order of columns", found is not None


def of_odd_numbers(folder: Path, original: Original, chance: random.Random, seed: str) -> tuple[str, bool]:
    """A number in an odd shape is read as what it says, or as unknown; never as another, never as 0."""
    member = csv_member(original, chance)
    if member is None:
        return of_bytes(folder, original, chance, seed)
    before = original.export.members[member]
    after, line, text = damage.odd_number(before, chance)
    found = rows_of(folder, original.export.name, packed({**original.export.members, member: after}))
    if found is not None:
        report = original.reports[member]
        right = original.rows[report][before.split(b"\n")[1:].index(line)]
        (row,) = (row for row in found[report] if row["row_number"] == right["row_number"])
        others = {value for name, value in bare(row).items() if value != right[name]}
        assert others <= damage.ODD_NUMBERS[text], (seed, text, row, right)
        require_untouched(original, member, before, after, found, f"{seed}: {text!r} in {member}")
    return "number, in an odd shape", found is not None


def of_members(folder: Path, original: Original, chance: random.Random, seed: str) -> tuple[str, bool]:
    """A member missing, misnamed or of another export: what is read is in one of the two."""
    other = _original(chance.choice(list(SECTIONS)), "csv", "en")
    content = packed(damage.of_members(original.export.members, other.export.members, chance))
    found = rows_of(folder, original.export.name, content)
    for report, rows in (found or {}).items():
        known = [*original.rows.get(report, ()), *other.rows.get(report, ())]
        assert all(is_among(row, known) for row in rows), (seed, report)
    return "set of members", found is not None


def of_insights(folder: Path, _original: Original, chance: random.Random, _seed: str) -> tuple[str, bool]:
    """What Studio's pages loaded, as JSON: nothing but a refusal or rows; a changed digit is what the file says."""
    content = damage.OF_BYTES[chance.choice(sorted(damage.OF_BYTES))](insights("north"), chance)
    return "insights", rows_of(folder, "Insights_20250622T160500Z_north.json", content) is not None


@functools.cache
def _original(section: Any, file_format: Any, locale: str) -> Original:
    export = studio_export(
        account("north"), section, FIRST, LAST, downloaded_at=AT, locale=locale, file_format=file_format
    )
    reports = {f"{member.stem}.{file_format}": member.report for member in SECTIONS[section]}
    with tempfile.TemporaryDirectory() as folder:
        rows = rows_of(Path(folder), export.name, export.content)
    assert rows is not None
    return Original(export=export, rows=rows, reports=reports)


def csv_member(original: Original, chance: random.Random) -> str | None:
    names = [name for name in original.export.members if name.endswith(".csv")]
    return chance.choice(names) if names else None


def packed(members: Mapping[str, bytes]) -> bytes:
    """The ZIP of the same download with other members."""
    return zipped(members, AT)


def rows_of(folder: Path, name: str, content: bytes) -> Rows | None:
    """The rows of a file, by report; None where it is refused. What is raised beside that is a bug."""
    path = write(folder / name, content, AT)
    try:
        with open_export(path) as export:
            frames = {
                member.report.name: member.report.parse(rows.lazy().collect())
                for member, rows in export.frames(account="north", source=name)
            }
    except ExportProblem as problem:
        assert problem.reason not in ("unforeseen", "problem") and "\n" not in str(problem)
        return None
    finally:
        path.unlink()
    return {report: frame.sort("row_number").to_dicts() for report, frame in frames.items()}


def bare(row: Row, without: Set[str] = frozenset()) -> Row:
    """The row without where it was found."""
    return {name: value for name, value in row.items() if name not in _PLACE and name not in without}


def is_among(row: Row, rows: list[Row], without: Set[str] = frozenset()) -> bool:
    return bare(row, without) in [bare(one, without) for one in rows]
