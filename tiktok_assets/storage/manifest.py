"""The manifest: what each account and month held in every table when a run had made it, and what lies there now.

``data/raw/exports/account=<a>/manifest.json`` is about the files of staging and curated,
``data/raw/exports/warehouse.json`` about the rows of the warehouse. Both lie beside the receipts, not in
``data/state``: what is lost with that folder has to be known by somebody.

Does not belong here: what follows from a difference (``inbox.findings``).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.registry import CURATED, STAGING, WAREHOUSE
from tiktok_assets.curated.table import Table
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.lake import Lake, read_many
from tiktok_assets.storage.lock_names import ROWS_MADE
from tiktok_assets.storage.look import entries_below
from tiktok_assets.storage.state import locks_of

if TYPE_CHECKING:
    from tiktok_assets.storage.duckdb import Session

LAKE_TABLES = (*STAGING, *CURATED)
Key = tuple[str, dt.date]
"""Account, first day of the month."""
Fingerprints = Mapping[str, str]
"""By table: what it holds of a month. A table without rows of the month is not named."""


Stored = tuple[int, int, str]
"""The file of a partition: its size, when it changed in ns, and a digest of its bytes."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a month of an account held when a run had made it."""

    made_with: str = ""
    """``made_with`` of the run; empty where runs of earlier months alone have written to it."""
    files: dict[str, Stored] = field(default_factory=dict)
    """By table of staging and curated."""
    rows: dict[str, str] = field(default_factory=dict)
    """By table of the warehouse: number and hash of its rows."""

    @property
    def fingerprints(self) -> Fingerprints:
        return {table: fingerprint(stored) for table, stored in self.files.items()} | self.rows


def fingerprint(stored: Stored) -> str:
    """What a file is compared by: a copy with another time holds the same."""
    size, _, digest = stored
    return f"{size}-{digest}"


_OF_ACCOUNT = TypeAdapter(dict[dt.date, Made])
_OF_WAREHOUSE = TypeAdapter(dict[str, dict[dt.date, Made]])


def digest_of(*parts: object) -> str:
    """A short name for the values of ``parts``: equal values have the same."""
    return hashlib.blake2b(json.dumps(parts, default=str).encode(), digest_size=8).hexdigest()


def noted_files(lake: Lake, account: str) -> dict[dt.date, Made]:
    """By month, what the files of ``account`` held."""
    return _read(manifest_file(lake, account), _OF_ACCOUNT)


def noted_rows(lake: Lake) -> dict[str, dict[dt.date, Made]]:
    """By account and month, what the warehouse held."""
    return _read(_warehouse_manifest(lake), _OF_WAREHOUSE)


def note_files_made(lake: Lake, partitions: PartitionRange, made_with: Mapping[str, str]) -> None:
    """Note what a run over ``partitions`` has made in every table of the lake, including later months that it reached.

    The caller holds the accounts of the run. ``made_with``: by account.
    """
    for account in partitions.accounts:
        noted = noted_files(lake, account)
        for table, found in zip(LAKE_TABLES, files_of_tables(lake, account, noted), strict=True):
            for month in _reached(table.key, partitions):
                made = noted.get(month, Made())
                files = {**made.files, **({table.key: found[month]} if month in found else {})}
                if month not in found:
                    files.pop(table.key, None)
                noted[month] = replace(made, files=files)
        _write(lake, manifest_file(lake, account), _OF_ACCOUNT, _kept(noted, partitions, made_with[account]))


def note_rows_made(lake: Lake, session: Session, partitions: PartitionRange, made_with: Mapping[str, str]) -> None:
    """As ``note_files_made``, of every table of the warehouse, which the caller holds as well.

    One document is about all accounts, and another machine may note others: what it has noted stays.
    """
    counted = {table.key: _counted(session, table, partitions) for table in WAREHOUSE}
    with locks_of(lake.settings).hold(ROWS_MADE) as held:
        by_account = noted_rows(lake)
        for table in WAREHOUSE:
            found = counted[table.key]
            for account in {*partitions.accounts, *(by_account if table.needs_all_accounts else ())}:
                months = by_account.setdefault(account, {})
                for month in _reached(table.key, partitions):
                    made = months.get(month, Made())
                    rows = {key: value for key, value in made.rows.items() if key != table.key}
                    if (account, month) in found:
                        rows[table.key] = found[account, month]
                    months[month] = replace(made, rows=rows)
        for account in partitions.accounts:
            by_account[account] = _kept(by_account[account], partitions, made_with[account])
        held.require()
        _write(lake, _warehouse_manifest(lake), _OF_WAREHOUSE, by_account)


def _counted(session: Session, table: Table, partitions: PartitionRange) -> Mapping[Key, str]:
    """What ``table`` holds of the months that a run over ``partitions`` reaches."""
    accounts = None if table.needs_all_accounts else partitions.accounts
    return session.fingerprints(table.name, table.day, accounts, _reached(table.key, partitions), _unstable(table.key))


def _reached(key: str, partitions: PartitionRange) -> Sequence[dt.date]:
    return partitions.extended(after=downstream_days(key)).months


def _kept(noted: Mapping[dt.date, Made], partitions: PartitionRange, made_with: str) -> dict[dt.date, Made]:
    """Without months that hold nothing and that no run was asked for; those of ``partitions`` are made now."""
    made = {
        month: replace(one, made_with=made_with) if month in partitions.months else one for month, one in noted.items()
    }
    return {month: one for month, one in sorted(made.items()) if one.made_with or one.fingerprints}


def files_of_tables(lake: Lake, account: str, noted: Mapping[dt.date, Made]) -> list[dict[dt.date, Stored]]:
    """The ``stored_files`` of each table of the lake, in their order."""

    def of_table(key: str) -> dict[dt.date, Stored]:
        return stored_files(lake, key, account, noted)

    return lake.each(of_table, [table.key for table in LAKE_TABLES])


def stored_files(lake: Lake, key: str, account: str, noted: Mapping[dt.date, Made]) -> dict[dt.date, Stored]:
    """By month, the files there are of a table of staging or curated.

    A file with the size and time that are ``noted`` is not read again.
    """
    layer, _, name = key.partition("/")
    folder = lake.partition_file(layer, name, account, dt.date.min).parent.parent
    found: dict[dt.date, Stored] = {}
    unknown: dict[dt.date, tuple[UPath, int, int]] = {}
    for month, path, size, changed in _data_files(folder):
        known = noted.get(month, Made()).files.get(key)
        if known is None or known[:2] != (size, changed):
            unknown[month] = (UPath(path), size, changed)
        else:
            found[month] = known
    contents = read_many(path for path, _, _ in unknown.values())
    for (month, (_, size, changed)), content in zip(unknown.items(), contents, strict=True):
        if content is not None:
            found[month] = (size, changed, hashlib.blake2b(content, digest_size=8).hexdigest())
    return found


def _data_files(folder: UPath) -> Iterator[tuple[dt.date, UPath | str, int, int]]:
    """Month, path, size and time of each ``date=<month>/data.parquet`` in ``folder``."""
    if not isinstance(folder, Path):
        for below, entry in entries_below(folder).items():
            with contextlib.suppress(ValueError):  # not one of ours
                month = dt.date.fromisoformat(below.removeprefix("date=").removesuffix("/data.parquet"))
                yield month, folder / below, entry.size, int(entry.changed * 1e9)
        return
    for of_month in _entries(folder):
        with contextlib.suppress(ValueError, FileNotFoundError, NotADirectoryError):  # not one of ours
            month = dt.date.fromisoformat(of_month.name.removeprefix("date="))
            status = os.stat(path := f"{of_month.path}/data.parquet")  # noqa: PTH116
            yield month, path, status.st_size, status.st_mtime_ns


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """As ``files_in``. There are 50,000 in a large lake: as paths they take a second, as names a fifth of it."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def stored_rows(session: Session) -> dict[Key, dict[str, str]]:
    """By account and month, what each table of the warehouse holds."""
    found: dict[Key, dict[str, str]] = {}
    for table in WAREHOUSE:
        for key, value in session.fingerprints(table.name, table.day, None, None, _unstable(table.key)).items():
            found.setdefault(key, {})[table.key] = value
    return found


_BY_KEY = {table.key: table for table in WAREHOUSE}


def _unstable(key: str) -> tuple[str, ...]:
    """The columns that change although nothing in the month has: when it was loaded, and what other months give."""
    return ("loaded_at", *_BY_KEY[key].over_all_months)


def manifest_file(lake: Lake, account: str) -> UPath:
    """What the files of ``account`` held; each of its runs writes it."""
    return lake.raw_folder("exports", account) / "manifest.json"


def _warehouse_manifest(lake: Lake) -> UPath:
    return lake.settings.raw / "exports" / "warehouse.json"


def _read(path: UPath, form: TypeAdapter[Any]) -> Any:
    """The manifest; an empty one where there is none, or none of this version: all its months are made again."""
    try:
        content = read_many([path])[0]
        return {} if content is None else form.validate_json(content)
    except ValidationError:
        return {}


def _write(lake: Lake, path: UPath, form: TypeAdapter[Any], content: object) -> None:
    lake.write_bytes(path, form.dump_json(content, exclude_defaults=True) + b"\n")
