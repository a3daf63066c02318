"""Writes reports to files: a page per account and the front page of all in ``data/reports``, or any given path."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import polars as pl
from upath import UPath

from tiktok_assets.accounts import Account, load_roster
from tiktok_assets.exports.names import read_name
from tiktok_assets.exports.windows import last_day_with_data
from tiktok_assets.inbox.quarantine import Rejected, in_quarantine, note_of, sentence, where_found
from tiktok_assets.label.songs import load_songs
from tiktok_assets.reporting.account_tables import AccountTables, Completeness, Covered, read_tables
from tiktok_assets.reporting.front_page import RosterLine, front_page, roster_line
from tiktok_assets.reporting.page import page
from tiktok_assets.reporting.printing import Paper, open_printer
from tiktok_assets.reporting.songs import NO_STREAMS, PAGE, read_streams, songs_page
from tiktok_assets.reporting.status import AccountCoverage, coverages, doubtful_exports
from tiktok_assets.reporting.targets import Progress, read_progress
from tiktok_assets.reporting.words import day
from tiktok_assets.settings import Settings
from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.lake import Lake, changed_at
from tiktok_assets.storage.manifest import manifest_file

FRONT = "index.html"
_MADE = re.compile(r"<time>.*?</time>")


def report_file(lake: Lake, account: str) -> UPath:
    """The path of an account's page."""
    return lake.settings.reports / f"{account}.html"


def write_report(lake: Lake, tables: AccountTables, now: dt.datetime) -> UPath:
    """Write an account's page to its place in the lake, atomically; one that says the same stays as it is."""
    path = report_file(lake, tables.account.key)
    _write(lake, path, page([tables], now, FRONT))
    return path


def write_front_page(lake: Lake, lines: Sequence[RosterLine], now: dt.datetime) -> UPath:
    """Write the page of all accounts to its place in the lake, as ``write_report`` does."""
    path = lake.settings.reports / FRONT
    _write(lake, path, front_page(lines, now, _progress(lake.settings, now)))
    return path


def _progress(settings: Settings, now: dt.datetime) -> Progress:
    return read_progress(settings, load_roster(settings), now)


def write_songs_page(lake: Lake, lines: Sequence[RosterLine], now: dt.datetime) -> list[UPath]:
    """Write the page of all songs, as ``write_report`` does; without songs there is none."""
    path = lake.settings.reports / PAGE
    if content := _songs_page(lines, now, read_streams(lake.settings)):
        _write(lake, path, content)
        return [path]
    lake.remove(path)
    return []


def _songs_page(lines: Sequence[RosterLine], now: dt.datetime, streams: pl.DataFrame = NO_STREAMS) -> str:
    songs, handles = {one.key: one.songs for one in lines}, {one.key: one.handle for one in lines}
    return songs_page(songs, handles, FRONT, now, streams) if any(one.songs for one in songs.values()) else ""


def write_reports(
    lake: Lake, accounts: Sequence[AccountTables], now: dt.datetime, *, with_front_page: bool
) -> list[UPath]:
    """The pages of ``accounts`` that have data, each in its place in the lake, the front page first."""
    written = [write_report(lake, tables, now) for tables in accounts if tables.has_data]
    if with_front_page:
        lines = [line_of(tables, now) for tables in accounts]
        written = [write_front_page(lake, lines, now), *write_songs_page(lake, lines, now), *written]
    return written


def write_pages(folder: Path, settings: Settings, accounts: Sequence[AccountTables], now: dt.datetime) -> list[Path]:
    """As ``write_reports``, into any ``folder`` of this machine."""
    lines = [line_of(tables, now) for tables in accounts]
    songs = _songs_page(lines, now, read_streams(settings))
    front = {FRONT: front_page(lines, now, _progress(settings, now))} | ({PAGE: songs} if songs else {})
    pages = {f"{tables.account.key}.html": page([tables], now, FRONT) for tables in accounts if tables.has_data}
    return [write_file(folder / name, content) for name, content in (front | pages).items()]


def write_one_page(
    path: Path,
    settings: Settings,
    accounts: Sequence[AccountTables],
    now: dt.datetime,
    *,
    front: bool = False,
    paper: Paper = Paper.A4,
) -> Path:
    """One page of those ``accounts`` that have data, or the front page of all; a PDF if ``path`` ends in .pdf."""
    if front:
        lines = [line_of(tables, now) for tables in accounts]
        html, title = front_page(lines, now, _progress(settings, now), is_alone=True), "Roster"
    else:
        found = [tables for tables in accounts if tables.has_data]
        html, title = page(found, now), ", ".join(f"@{tables.account.handle}" for tables in found)
    if path.suffix.lower() != ".pdf":
        return write_file(path, html)
    with open_printer(settings, paper) as printer:
        return write_file(path, printer.pdf(html, title=f"{title}, {day(now.date())}", landscape=front))


def refresh(lake: Lake, accounts: Sequence[Account], now: dt.datetime) -> list[UPath]:
    """The front page of ``accounts``, and the page of each whose tables were changed since it was written.

    Returns the paths of the pages made; one account's tables are in memory at a time.
    """
    lines, made = [], []
    for tables in each_tables(lake, accounts, now):
        lines.append(line_of(tables, now))
        is_broken = tables.completeness.quarantined or tables.completeness.unassigned  # files come and go
        is_old = _is_older(report_file(lake, tables.account.key), _tables_changed_at(lake, tables.account.key))
        if tables.has_data and (is_old or is_broken):
            made.append(write_report(lake, tables, now))
    return [write_front_page(lake, lines, now), *write_songs_page(lake, lines, now), *made]


def are_outdated(lake: Lake, accounts: Sequence[str]) -> bool:
    """Whether there are pages, the front page or those of ``accounts``, that are older than the tables."""
    changed = {account: _tables_changed_at(lake, account) for account in accounts}
    pages = {report_file(lake, account): moment for account, moment in changed.items()}
    pages[lake.settings.reports / FRONT] = max(changed.values(), default=0.0)
    return any(path.exists() and _is_older(path, moment) for path, moment in pages.items())


def line_of(tables: AccountTables, now: dt.datetime) -> RosterLine:
    """The line of an account on the front page."""
    return roster_line(tables, last_day_with_data(now))


def _tables_changed_at(lake: Lake, account: str) -> float:
    """When a run last changed the tables of an account: each writes its manifest."""
    path = manifest_file(lake, account)
    return changed_at(path) if path.exists() else 0.0


def _is_older(path: UPath, moment: float) -> bool:
    return not path.exists() or changed_at(path) <= moment


def _write(lake: Lake, path: UPath, content: str) -> None:
    """Write a page unless the one that is there differs in nothing but when it was made."""
    if path.exists() and _MADE.sub("", path.read_text(encoding="utf-8")) == _MADE.sub("", content):
        return
    lake.write_bytes(path, content.encode())


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a page, atomically, to any ``path`` of this machine, also on another disk."""
    with replacing(path) as scratch:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def tables_of(lake: Lake, accounts: Sequence[Account], now: dt.datetime) -> list[AccountTables]:
    """The tables of the ``accounts`` that have data. ``now`` is aware."""
    return [tables for tables in each_tables(lake, accounts, now) if tables.has_data]


def each_tables(lake: Lake, accounts: Sequence[Account], now: dt.datetime) -> Iterator[AccountTables]:
    """The tables of each of ``accounts``, read one after the other. ``now`` is aware."""
    found = coverages(lake, [account.key for account in accounts], now)
    notes, songs = [note_of(path) for path in in_quarantine(lake)], load_songs(lake.settings)
    for account, coverage in zip(accounts, found, strict=True):
        own, unassigned = _quarantined(lake, account, notes)
        completeness = _completeness(coverage, own, doubtful_exports(lake, account.key))
        yield read_tables(lake, account, dataclasses.replace(completeness, unassigned=unassigned), songs)


def _quarantined(lake: Lake, account: Account, notes: Sequence[Rejected]) -> tuple[list[str], list[str]]:
    """Files in quarantine whose folder or name is the account's; and those that name nobody's."""
    own: list[str] = []
    unassigned: list[str] = []
    for note in notes:
        place = PurePosixPath(where_found(lake, note))
        folder = place.parts[0] if len(place.parts) > 1 and not place.is_absolute() else None
        named = {name.casefold() for name in (folder, read_name(place.name).handle) if name}
        if not named:
            unassigned.append(sentence(lake, note))
        elif named & {account.key.casefold(), account.handle.casefold()}:
            own.append(sentence(lake, note))
    return own, unassigned


def _completeness(coverage: AccountCoverage, quarantined: Sequence[str], doubts: Sequence[str]) -> Completeness:
    until = {one.reason: one.before for one in reversed(coverage.advice)}  # one reason may take several exports
    return Completeness(
        covered=[
            Covered(
                report=one.report,
                first=one.first,
                last=one.last,
                days=len(one.covered),
                missing=one.days_missing,
            )
            for one in coverage.reports
        ],
        to_do=[
            f"{reason} Exporting it helps until {day(until[reason])}." if until[reason] else reason
            for reason in dict.fromkeys(one.reason for one in coverage.advice)
        ],
        due=len(coverage.advice),
        due_before=min((one.before for one in coverage.advice if one.before), default=None),
        last_export=max((one.last_export.date() for one in coverage.reports if one.last_export), default=None),
        lost=[one.reason for one in coverage.lost],
        quarantined=quarantined,
        doubts=doubts,
    )
