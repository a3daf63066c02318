"""Writes reports to files: one page per account in ``data/reports``, or any given path."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from upath import UPath

from tiktok_assets.accounts import Account
from tiktok_assets.exports.names import read_name
from tiktok_assets.inbox.quarantine import Rejected, in_quarantine, note_of, sentence, where_found
from tiktok_assets.reporting.account_tables import AccountTables, Completeness, Covered, read_tables
from tiktok_assets.reporting.page import page
from tiktok_assets.reporting.status import AccountCoverage, coverages, doubtful_exports
from tiktok_assets.reporting.words import day
from tiktok_assets.storage.lake import Lake


def report_file(lake: Lake, account: str) -> UPath:
    """The path of an account's page."""
    return lake.settings.data_dir / "reports" / f"{account}.html"


def write_report(lake: Lake, tables: AccountTables, now: dt.datetime) -> UPath:
    """Write an account's page to its place in the lake, atomically."""
    path = report_file(lake, tables.account.key)
    lake.write_bytes(path, page([tables], now).encode())
    return path


def write_file(path: Path, accounts: Sequence[AccountTables], now: dt.datetime) -> Path:
    """Write one page of all ``accounts``, atomically, to any ``path`` of this machine, also on another disk."""
    content = page(accounts, now).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".report") as folder:
        scratch = Path(folder) / path.name
        scratch.write_bytes(content)
        scratch.replace(path)
    return path


def tables_of(lake: Lake, accounts: Sequence[Account], now: dt.datetime) -> list[AccountTables]:
    """The tables of the ``accounts`` that have data. ``now`` is aware."""
    found = coverages(lake, [account.key for account in accounts], now)
    notes = [note_of(path) for path in in_quarantine(lake)]
    known = [
        read_tables(
            lake,
            account,
            _completeness(coverage, _quarantined(lake, account, notes), doubtful_exports(lake, account.key)),
        )
        for account, coverage in zip(accounts, found, strict=True)
    ]
    return [tables for tables in known if tables.has_data]


def _quarantined(lake: Lake, account: Account, notes: Sequence[Rejected]) -> list[str]:
    """Files in quarantine whose folder or name is the account's, and those that name nobody's."""
    found = []
    for note in notes:
        place = PurePosixPath(where_found(lake, note))
        folder = place.parts[0] if len(place.parts) > 1 and not place.is_absolute() else None
        named = {name.casefold() for name in (folder, read_name(place.name).handle) if name}
        if not named or named & {account.key.casefold(), account.handle.casefold()}:
            found.append(sentence(lake, note))
    return found


def _completeness(coverage: AccountCoverage, quarantined: Sequence[str], doubts: Sequence[str]) -> Completeness:
    until = {one.reason: one.before for one in reversed(coverage.advice)}  # one reason may take several exports
    return Completeness(
        covered=[
            Covered(
                report=one.report,
                first=one.first,
                last=one.last,
                days=len(one.covered),
                missing=len(one.missing) if one.counted.reach is not None else None,
            )
            for one in coverage.reports
        ],
        to_do=[
            f"{reason} Exporting it helps until {day(until[reason])}." if until[reason] else reason
            for reason in dict.fromkeys(one.reason for one in coverage.advice)
        ],
        lost=[one.reason for one in coverage.lost],
        quarantined=quarantined,
        doubts=doubts,
    )
