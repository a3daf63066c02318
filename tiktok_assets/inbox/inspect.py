"""What is this file? Everything that can be said about an export without the lake, including a broken one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
from upath import UPath

from tiktok_assets import clock
from tiktok_assets.accounts import Account, Roster
from tiktok_assets.exports.archive import export_id
from tiktok_assets.exports.names import read_name
from tiktok_assets.exports.problems import AccountConflict, ExportProblem, ForeignFile, UnknownAccount
from tiktok_assets.exports.visits import copied_together, is_undated, of_one_visit
from tiktok_assets.inbox.files import lies_below
from tiktok_assets.inbox.ownership import owner
from tiktok_assets.inbox.sandbox import Limits, read_within
from tiktok_assets.reports.export import Export
from tiktok_assets.reports.reading import MemberRows, open_export
from tiktok_assets.settings import STREAMS
from tiktok_assets.streams.reading import StreamsFile, is_of_streams, read_streams
from tiktok_assets.streams.rows import distinct_rows, typed_rows


def inspect(path: Path, roster: Roster, landing: UPath, limits: Limits) -> dict[str, Any]:
    """The file's identity, what its name says, and either its tables or the problem, as JSON-ready data.

    ``account`` is None where no configured account owns it; ``account_problem`` says why.
    """
    found: dict[str, Any] = {"file": str(path), "problem": None}
    if not path.is_file():
        what = "is a folder: name the files in it" if path.is_dir() else "there is no such file"
        return found | {"problem": "no_file", "message": f"{path}: {what}."}
    try:
        found["bytes"] = path.stat().st_size
        found["export_id"] = export_id(path)
    except (ExportProblem, OSError) as problem:
        return found | {"problem": getattr(problem, "reason", "unreadable_file"), "message": str(problem)}
    facts = read_name(path.name)
    found["name_says"] = {
        "section": facts.section,
        "handle": facts.handle,
        "first_day": _iso(facts.first_day),
        "last_day": _iso(facts.epoch.date()) if facts.epoch else None,
    }
    try:
        described, problem = read_within(limits, _description, path, roster, landing, clock.trusted_today())
    except (ExportProblem, OSError, MemoryError) as error:
        described, problem = dict[str, Any](), error
    if problem:
        found |= {"problem": getattr(problem, "reason", "unreadable_file"), "message": str(problem)}
    return found | described


def _description(
    path: Path, roster: Roster, landing: UPath, today: dt.date | None
) -> tuple[dict[str, Any], ExportProblem | None]:
    """What the file contains, and what is wrong with it; called in the sandbox."""
    described: dict[str, Any] = {}
    try:
        if lies_below(UPath(path.absolute()), landing / STREAMS):
            return _described_streams(read_streams(path, path.name)), None
        others = [other for other in path.parent.iterdir() if other.is_file()]
        siblings = of_one_visit(path, others) if is_undated(path.name) else copied_together(path, others)
        with open_export(path, siblings, today) as export:
            described = _described(export, roster, landing)
            export.validate()
    except ExportProblem as problem:
        if isinstance(problem, ForeignFile) and is_of_streams(path):
            return _described_streams(read_streams(path, path.name)), None
        return described, problem
    return described, None


def _described(export: Export, roster: Roster, landing: UPath) -> dict[str, Any]:
    first, last = export.window
    account, account_problem = None, None
    try:
        account = owner(export, _account_of_folder(export.path, roster, landing), roster, landing).key
    except (UnknownAccount, AccountConflict) as problem:
        account_problem = str(problem)
    return {
        "product": ", ".join(dict.fromkeys(member.layout.product for member in export.members)),
        "account": account,
        "account_problem": account_problem,
        "handles": list(export.handles),
        "window": [first.isoformat(), last.isoformat()],
        "downloaded_at": export.downloaded_at.isoformat(),
        "downloaded_at_evidence": export.downloaded_at_evidence,
        "vintage": export.vintage.isoformat(),
        "vintage_evidence": export.vintage_evidence,
        "tables": [_table(member) for member in export.members],
        "warnings": list(export.warnings),
    }


def _described_streams(file: StreamsFile) -> dict[str, Any]:
    first, last = file.window
    rows = distinct_rows(typed_rows(file.rows))
    return {
        "product": STREAMS,
        "window": [first.isoformat(), last.isoformat()],
        "rows": rows.height,
        "recordings": sorted(rows["track"].unique()),
        "stores": sorted(rows["store"].unique()),
        "warnings": list(file.warnings),
    }


def _account_of_folder(path: Path, roster: Roster, landing: UPath) -> Account | None:
    """The account whose landing folder contains the file, however deep; elsewhere the folder's own name counts."""
    file = UPath(path.absolute())
    inside = file.relative_to(landing).parts[:-1] if lies_below(file, landing) else ()
    return roster.resolve(inside[0] if inside else path.parent.name)


def _table(member: MemberRows) -> dict[str, Any]:
    dates = member.days.dates if member.is_daily else []
    return {
        "member": member.name,
        "report": member.report.name,
        "variant": member.layout.variant,
        "rows": member.table.rows.lazy().select(pl.len()).collect().item(),
        "first_day": _iso(min(dates, default=None)),
        "last_day": _iso(max(dates, default=None)),
        "year_evidence": member.days.year_evidence if dates else None,
        "language": member.locale,
        "unknown_columns": list(member.layout.unknown),
        "missing_columns": list(member.layout.missing),
    }


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None
