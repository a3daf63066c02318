"""One export read whole: what it is, whose it may be, which days it speaks of, and its rows with their provenance.

The one place where containers, names, tables, days and reports meet. Knows no lake, no accounts and no Dagster.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports.archive import Member, export_id, open_members, unreadable
from tiktok_assets.exports.dates import DayTexts, UnreadableDay, read_day_texts
from tiktok_assets.exports.names import NameFacts, read_name
from tiktok_assets.exports.problems import BrokenFile, UnreadableValue, WrongSection
from tiktok_assets.exports.provenance import PROVENANCE, READER_VERSION
from tiktok_assets.exports.tables import LINK, Table, read_table
from tiktok_assets.exports.years import DatedRows, Evidence, ImpossibleCalendar, date_rows, downloaded_at
from tiktok_assets.reports.content import handles_and_newest_upload
from tiktok_assets.reports.identify import Layout, identify
from tiktok_assets.reports.report import Report


@dataclass(frozen=True, kw_only=True)
class MemberRows:
    """One report as one export tells it. ``dates`` has a day per row, or nothing for snapshots."""

    name: str
    layout: Layout
    table: Table
    days: DatedRows
    locale: str | None
    handles: tuple[str, ...]
    """The handles in video links, and that of an insights file; every other report is silent about whose it is."""

    @property
    def report(self) -> Report:
        return self.layout.report

    @property
    def is_daily(self) -> bool:
        """Whether the label of each row names the day it speaks of."""
        return "date_label" in self.report.columns


@dataclass(frozen=True, kw_only=True)
class Export:
    """One file from TikTok: a ZIP, a loose CSV or XLSX, or insights. ``export_id`` is the sha256 of its bytes."""

    export_id: str
    path: Path
    facts: NameFacts
    members: tuple[MemberRows, ...]
    downloaded_at: dt.datetime
    downloaded_at_evidence: str

    @functools.cached_property
    def window(self) -> tuple[dt.date, dt.date]:
        """First and last day the rows speak of; snapshots speak of the day of the download."""
        days = [day for member in self.members if member.is_daily for day in member.days.dates]
        if not all(member.is_daily for member in self.members) or not days:
            days.append(self.downloaded_at.date())
        return min(days), max(days)

    @property
    def months(self) -> list[dt.date]:
        """First day of every month from the window's first to its last: the partitions this export touches."""
        (first, last), months = self.window, []
        month = first.replace(day=1)
        while month <= last:
            months.append(month)
            month = (month + dt.timedelta(days=32)).replace(day=1)
        return months

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.report.section for member in self.members))

    @property
    def handles(self) -> tuple[str, ...]:
        """Whose it says it is: handles in video links, then the one in its name."""
        linked = [handle for member in self.members for handle in member.handles]
        return tuple(dict.fromkeys([*linked, *filter(None, [self.facts.handle])]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know that does not stop the export from being used."""
        return tuple(dict.fromkeys(warning for member in self.members for warning in _warnings(member)))

    def frames(self, *, account: str, source: str) -> Iterator[tuple[MemberRows, pl.DataFrame | pl.LazyFrame]]:
        """The raw rows of each member: its text, every column of it, with provenance. Lazy where they are very many."""
        first, last = self.window
        told = [
            {
                "account": account,
                "export_id": self.export_id,
                "source": source,
                "member": member.name,
                "downloaded_at": self.downloaded_at,
                "downloaded_at_evidence": self.downloaded_at_evidence,
                "window_first": first,
                "window_last": last,
                "year_evidence": member.days.year_evidence,
                "locale": member.locale,
                "product": member.layout.product,
                "variant": member.layout.variant,
                "parser_version": READER_VERSION,
            }
            for member in self.members
        ]
        # One frame for all members, for making one costs as much as reading a member.
        provenance = pl.DataFrame(
            [[*one.values()] for one in told], {name: PROVENANCE[name] for name in told[0]}, orient="row"
        )
        for number, member in enumerate(self.members):
            yield member, _beside(provenance[number : number + 1], self._labelled(member))

    def _labelled(self, member: MemberRows) -> pl.DataFrame | pl.LazyFrame:
        """The rows of ``member`` with the day each speaks of; a snapshot's is the day of the download."""
        rows, captured = member.table.rows, self.downloaded_at.date()
        if isinstance(rows, pl.LazyFrame):
            return rows.with_columns(date_label=pl.lit(captured))
        if member.is_daily:
            days = pl.Series("date_label", member.days.dates, dtype=pl.Date)
        else:
            days = pl.repeat(captured, rows.height, dtype=pl.Date, eager=True).alias("date_label")
        return rows.clone().insert_column(0, days)

    def validate(self) -> None:
        """Parse every row once. Raises UnreadableValue naming file, row, column and value."""
        for member, rows in self.frames(account="", source=self.path.name):
            batches = [rows] if isinstance(rows, pl.DataFrame) else rows.collect_batches(chunk_size=50_000)
            for batch in batches:
                member.report.parse(batch)


def _beside(provenance: pl.DataFrame, rows: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame | pl.LazyFrame:
    if isinstance(rows, pl.LazyFrame):
        return provenance.lazy().join(rows, how="cross")
    return provenance.join(rows, how="cross")


@contextlib.contextmanager
def open_export(path: Path) -> Iterator[Export]:
    """The export at ``path``, readable while the context lasts. Raises an ExportProblem that says what to do."""
    identity = export_id(path)
    facts = read_name(path.name)
    if facts.handle is None:  # a loose member may lie in the folder its ZIP was unpacked into
        folder = read_name(path.parent.name)
        facts = folder if folder.handle and facts.section == folder.section else facts
    try:
        file_time = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    except OSError as error:
        raise unreadable(path, error) from error
    with open_members(path) as contents:
        members, evidences = [], []
        for content in contents:
            member, evidence = _read_member(path, content, facts, file_time)
            members.append(member)
            evidences.append(evidence)
        _refuse_mixture(path, facts, members)
        at, at_evidence = _downloaded_at(members, evidences)
        yield Export(
            export_id=identity,
            path=path,
            facts=facts,
            members=tuple(members),
            downloaded_at=at,
            downloaded_at_evidence=at_evidence,
        )


def _read_member(path: Path, content: Member, facts: NameFacts, file_time: dt.datetime) -> tuple[MemberRows, Evidence]:
    table = read_table(content)
    layout = identify(_where(path, content.name), table.header)
    # Only long lists of videos come lazily; a label per row means 366 days at most (or 8 days of hours).
    if layout.label_column and not isinstance(table.rows, pl.DataFrame):
        table = Table(header=table.header, rows=table.rows.collect())
    link = table.column(LINK)
    handles, newest_upload = handles_and_newest_upload(table.rows, link) if link else ((), None)
    if table.handle:
        handles = (table.handle,)
    evidence = Evidence(
        file_time=file_time,
        captured_at=table.captured_at,
        stamp=content.stamp,
        first_day=facts.first_day,
        epoch=facts.epoch,
        newest_upload=newest_upload,
    )
    days, texts = _days(path, content.name, layout, table, evidence)
    member = MemberRows(name=content.name, layout=layout, table=table, days=days, locale=texts.locale, handles=handles)
    return member, evidence


def _where(path: Path, member: str) -> str:
    return path.name if path.name == member else f"{path.name}/{member}"


def _days(path: Path, member: str, layout: Layout, table: Table, evidence: Evidence) -> tuple[DatedRows, DayTexts]:
    """The day each row's label names. Raises UnreadableValue naming file, row, column and text."""
    header = layout.label_column
    if header is None or not isinstance(table.rows, pl.DataFrame):
        return DatedRows(dates=[], year_evidence="none"), DayTexts(locale=None, days=[], years=None)
    texts = table.rows[header].to_list()
    try:
        read = read_day_texts(texts)
        return date_rows(read, evidence), read
    except (UnreadableDay, ImpossibleCalendar) as error:
        raise UnreadableValue(
            f"{_where(path, member)}, row {error.row + 1}, {header}: {texts[error.row]!r}. {error} "
            "Export it again; if the file was edited, use the original."
        ) from error


def _refuse_mixture(path: Path, facts: NameFacts, members: list[MemberRows]) -> None:
    """A name that promises another section than the content, or one report twice: nobody knows what that is."""
    for member in members:
        named = facts.section, read_name(member.name).section
        wrong = next((section for section in named if section not in (None, member.report.section)), None)
        if wrong:
            raise WrongSection(
                f"{_where(path, member.name)}: the name says {wrong}, the columns are those of {member.report.title}. "
                "Export it again, or give the file its right name."
            )
    reports = Counter(member.report.title for member in members)
    for title, times in reports.items():
        if times > 1:
            raise BrokenFile(f"{path.name}: holds {title} {times} times. Drop these exports one by one.")


def _downloaded_at(members: list[MemberRows], evidences: list[Evidence]) -> tuple[dt.datetime, str]:
    """One download time for all members, which came in one visit."""
    overruled = any(member.days.stamp_overruled for member in members)
    last_days = [max(member.days.dates) for member in members if member.days.dates]
    told = next((evidence for evidence in evidences if evidence.captured_at), evidences[0])
    at, evidence = downloaded_at(told, max(last_days, default=None), stamp_overruled=overruled)
    for member in members:
        # Content tells its own export date; a copied file's time does not.
        if evidence == "file_time" and member.days.dates and not member.is_daily:
            told = max(member.days.dates)
            if abs(told - at.date()) > dt.timedelta(days=1):
                return dt.datetime.combine(told, dt.time(), dt.UTC), "export_date_column"
    # No file speaks of days after its download (a label may be a day ahead): raw relies on it to leave files unread.
    last = max(last_days, default=at.date())
    if last > at.date() + dt.timedelta(days=1):
        return dt.datetime.combine(last, dt.time(), dt.UTC), "last_row"
    return at, evidence


def _warnings(member: MemberRows) -> Iterator[str]:
    yield from member.days.warnings
    title, dates = member.report.title, member.days.dates
    yield from (f"{title} lacks {note}" for note in member.table.notes)
    if member.layout.unknown:
        yield f"{title} has unknown columns, kept as text in raw: {', '.join(member.layout.unknown)}"
    if member.layout.missing:
        yield f"{title} lacks columns, their values are unknown: {', '.join(member.layout.missing)}"
    if isinstance(member.table.rows, pl.DataFrame) and member.table.rows.is_empty():
        yield f"{title} has no rows: TikTok has no data for it (small accounts get only the header)"
    if member.is_daily and dates and member.report.grain == ("date",):
        if len(set(dates)) < len(dates):
            yield f"{title} names a day more than once; the last row of a day is taken"
        if max(dates) - min(dates) >= dt.timedelta(days=len(set(dates))):
            yield f"{title} leaves out days between {min(dates)} and {max(dates)}"
