"""From a file to an ``Export``: which reports are in it, the days of their rows, and when it was downloaded.

The one place where containers, names, tables, days and reports meet. Does not know the lake, accounts or Dagster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports.archive import Member, export_id, open_members, unreadable
from tiktok_assets.exports.dates import DayTexts, UnreadableDay, read_day_texts
from tiktok_assets.exports.downloads import downloaded_at, earliest_download, vintage
from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD, DatedRows, Evidence
from tiktok_assets.exports.monthdays import ImpossibleCalendar
from tiktok_assets.exports.names import NameFacts, dates_in_name, read_name
from tiktok_assets.exports.placing import typical_step
from tiktok_assets.exports.problems import (
    BrokenFile,
    ExportProblem,
    ForeignFile,
    TranslatedHeader,
    UnreadableValue,
    WrongSection,
)
from tiktok_assets.exports.tables import read_tables
from tiktok_assets.exports.text_rows import LINK, ROW, Table
from tiktok_assets.exports.visits import Sibling, moment_of_visit
from tiktok_assets.exports.years import date_rows
from tiktok_assets.reports.content import handles_and_newest_upload
from tiktok_assets.reports.export import Export
from tiktok_assets.reports.identify import Layout, identify, is_header, refuse_foreign_table
from tiktok_assets.reports.member import MemberRows

# Files that are no tables, as people pack them into one folder with exports.
_OTHER_FILES = (
    *(".txt", ".md", ".pdf", ".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".html", ".htm"),
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".heic", ".mp4", ".mov"),
)
MAX_DATED_ROWS = 100_000
"""Of a report with a row for each day or hour: 270 years of days, or joined files."""
# Reports of a visit end within days of each other.
_ANOTHER_YEAR = dt.timedelta(days=300)
# A week: rows that are usually this far apart are not days.
_NOT_DAILY = 7


@contextlib.contextmanager
def open_export(path: Path, siblings: Iterable[Path] = (), today: dt.date | None = None) -> Generator[Export]:
    """The export at ``path``, readable while the context lasts. Raises an ExportProblem that says what to do.

    ``siblings``: dated files of the same visit (``visits``), which date a snapshot that has no date, and days whose
    year rests on the file's time alone. ``today``: by the machine's clock, where that can be right.
    """
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
        facts = _with_handle_inside(path, facts, contents)
        known = _Known(facts=facts, file_time=file_time, today=today)
        found, unread = _read_members(path, contents, known)
        if _is_packed_again(path, contents, found):
            known = dataclasses.replace(known, is_packed_again=True)
            found, unread = _read_members(path, contents, known)
        if any(member.days.is_by_file_time for member, _ in found):
            known = dataclasses.replace(known, visit_days=_days_of_visit(found, siblings, today))
            found, unread = _read_members(path, contents, known) if known.visit_days else (found, unread)
        members, evidences = [member for member, _ in found], [evidence for _, evidence in found]
        _refuse_mixture(path, facts, members)
        at, at_evidence = _downloaded_at(members, evidences)
        notes = _years_of_members(members)
        if at_evidence == "file_time" and all(member.report.label is None for member in members):
            is_possible = evidences[0].has_file_time
            beside = _read_siblings(siblings, today)
            by_siblings, note = moment_of_visit(at, beside, is_possible=is_possible)
            siblings_agree = bool(beside) and not note
            notes = (f"{members[0].report.title} {note}",) if note else ()
            if not is_possible and by_siblings is None:
                raise UnreadableValue(
                    f"{path.name}: contains no date, and its own time ({file_time:%Y-%m-%d}) cannot be right. Put it "
                    "beside the dated files of its visit, or give it the time of its download (touch -d YYYY-MM-DD)."
                )
            at, at_evidence = (by_siblings, "siblings") if by_siblings else (at, at_evidence)
            if by_siblings is None and not siblings_agree:
                members = [dataclasses.replace(one, days=one.days.doubted(_doubt_of_day(one, at))) for one in members]
        order, order_evidence = _vintage(members, at, at_evidence)
        yield Export(
            export_id=identity,
            path=path,
            facts=facts,
            members=tuple(members),
            downloaded_at=at,
            downloaded_at_evidence=at_evidence,
            vintage=order,
            vintage_evidence=order_evidence,
            unread=unread,
            notes=notes,
        )


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is known about all tables of a file before they are read."""

    facts: NameFacts
    file_time: dt.datetime
    today: dt.date | None
    is_packed_again: bool = False
    """Whether its ZIP was made by a person, so that the stamps in it are the times of files."""
    visit_days: tuple[dt.date, ...] = ()
    """The last days of the visit, by files and tables whose year rests on more than a file's time."""
    visits: tuple[dt.date, ...] = ()
    """The last days that Studio's names of other tables in the same ZIP state."""

    def time_of(self, content: Member) -> dt.datetime:
        """The time of the file: that of its entry in a ZIP that a person made, where that can be right."""
        if content.stamp is None or self.stamp_of(content):
            return self.file_time
        inside = Evidence(file_time=content.stamp, today=self.today)
        return content.stamp if inside.has_file_time else self.file_time

    def stamp_of(self, content: Member) -> dt.datetime | None:
        """The time of the download; a ZIP with folders, or made anew from loose files, has the times of these."""
        return None if content.folders or self.is_packed_again else content.stamp


def _is_packed_again(path: Path, contents: list[Member], found: list[tuple[MemberRows, Evidence]]) -> bool:
    """Whether the stamps in a ZIP are the times of copies: long after the rows, and it is not as Studio serves it.

    Studio's ZIPs have the handle in their name and are not compressed. One may contain an earlier window, so its stamp
    may be of any later day.
    """
    named = read_name(path.name)
    if named.section and named.handle and all(one.is_stored for one in contents):
        return False
    ends = [(evidence.stamp, max(member.days.dates, default=None)) for member, evidence in found if evidence.stamp]
    late = [last and stamp.date() - last > DAYS_OF_A_DOWNLOAD for stamp, last in ends]
    by_stamp = {member.days.year_evidence for member, _ in found} <= {"zip_stamp", "none"}
    return bool(ends) and by_stamp and (any(late) or all(last is None for _, last in ends))


def _doubt_of_day(member: MemberRows, at: dt.datetime) -> str:
    return (
        f"{member.report.title} contains no date: its day rests on the time of the file ({at:%Y-%m-%d}), which may be "
        "that of a copy. Use Studio's ZIP, or put it beside the dated files of its visit"
    )


def _days_of_visit(
    found: list[tuple[MemberRows, Evidence]], siblings: Iterable[Path], today: dt.date | None
) -> tuple[dt.date, ...]:
    """The last days of the other tables, or else files, of a visit that have their year from better evidence."""
    inside = [max(one.days.dates) for one, _ in found if one.days.dates and not one.days.is_by_file_time]
    beside = () if inside else _read_siblings(siblings, today)
    return tuple({*inside, *(one.last_day for one in beside if one.last_day and not one.rests_on_file_time)})


def _years_of_members(members: list[MemberRows]) -> tuple[str, ...]:
    """A warning where reports of one visit are of different years, each by its own evidence."""
    last = [(max(one.days.dates), one.report.title, one.days.year_evidence) for one in members if one.days.dates]
    if not last or max(last)[0] - min(last)[0] < _ANOTHER_YEAR:
        return ()
    ends = ", ".join(f"{title} on {day} ({evidence})" for day, title, evidence in last)
    return (f"Its reports end in different years: {ends}. If they are of one visit, drop its exports as served",)


def _read_siblings(paths: Iterable[Path], today: dt.date | None) -> list[Sibling]:
    """What the files say about their visit. One that cannot be read, or has no rows, says nothing."""
    found: list[Sibling] = []
    for path in paths:
        with contextlib.suppress(ExportProblem), open_export(path, today=today) as export:
            if any(member.days.dates for member in export.members):
                last = max(day for member in export.members for day in member.days.dates)
                found.append(
                    Sibling(
                        name=path.name,
                        moment=export.vintage,
                        evidence=export.vintage_evidence,
                        last_day=last,
                        rests_on_file_time=export.rests_on_file_time,
                    )
                )
    return found


def _with_handle_inside(path: Path, facts: NameFacts, contents: list[Member]) -> NameFacts:
    """The handle that the folders and files inside a ZIP agree on, if its own name has none."""
    inside = {one.handle for content in contents for one in map(read_name, (*content.folders, content.name))} - {None}
    if facts.handle or not inside:
        return facts
    if len(inside) > 1:
        names = ", ".join(f"@{handle}" for handle in sorted(filter(None, inside)))
        raise BrokenFile(f"{path.name}: contains exports of several accounts ({names}). Drop them one by one.")
    return dataclasses.replace(facts, handle=inside.pop())


def _read_members(
    path: Path, contents: list[Member], known: _Known
) -> tuple[list[tuple[MemberRows, Evidence]], tuple[str, ...]]:
    """The reports in the file, and what in it is not one. Raises the first problem if it contains no report."""
    found: list[tuple[MemberRows, Evidence]] = []
    others: list[ExportProblem] = []
    inside = [read_name(part) for content in contents for part in (content.name, *content.folders)]
    known = dataclasses.replace(known, visits=tuple({one.epoch.date() for one in inside if one.epoch}))
    for content in contents:
        try:
            tables = read_tables(content, is_header)
        except BrokenFile as problem:
            named = problem if path.name == content.name else BrokenFile(f"{path.name}/{problem}")
            if not content.name.lower().endswith(_OTHER_FILES):
                raise named from problem
            others.append(named)
            continue
        for name, table in tables:
            try:
                found.append(_read_table(path, content, name, table, known))
            except ForeignFile as problem:
                others.append(problem)
    if others and not found:
        raise next((problem for problem in others if isinstance(problem, TranslatedHeader)), others[0])
    return found, tuple(map(str, others))


def _read_table(path: Path, content: Member, name: str, table: Table, known: _Known) -> tuple[MemberRows, Evidence]:
    where, facts = _where(path, name), known.facts
    inside = [read_name(part) for part in (content.name, *reversed(content.folders))]
    named = any(one.is_studios for one in (facts, *inside, read_name(path.name)))
    layout = identify(where, table.header, table.head, table.above, is_named_by_studio=named and name == content.name)
    # Only long lists of videos come lazily; a daily report has 366 days at most (or 8 days of hours).
    if layout.report.is_daily and not isinstance(table.rows, pl.DataFrame):
        table = dataclasses.replace(table, rows=table.rows.collect())
    link = table.column(LINK)
    handles, newest_upload = handles_and_newest_upload(table.rows, link) if link else ((), None)
    if table.handle:
        handles = (table.handle,)
    window = next((one for one in (facts, *inside) if one.epoch), facts)
    dates = dates_in_name(path.name)
    if window.epoch is None:
        dates = dataclasses.replace(dates, days=(*dates.days, *known.visits))
    evidence = Evidence(
        file_time=known.time_of(content),
        captured_at=table.captured_at,
        stamp=known.stamp_of(content),
        first_day=window.first_day,
        epoch=window.epoch,
        newest_upload=newest_upload,
        name_dates=dates,
        visit_days=known.visit_days,
        states_years=layout.product != "studio",
        today=known.today,
    )
    days, texts = _days(path, name, layout, table, evidence)
    refuse_foreign_table(where, layout, is_named_by_studio=named, is_yearless=bool(texts.days) and texts.years is None)
    member = MemberRows(name=name, layout=layout, table=table, days=days, locale=texts.locale, handles=handles)
    return member, evidence


def _where(path: Path, member: str) -> str:
    return path.name if path.name == member else f"{path.name}/{member}"


def _days(path: Path, member: str, layout: Layout, table: Table, evidence: Evidence) -> tuple[DatedRows, DayTexts]:
    """The day each row's label names; of Content, where it is the day of the export, one for all rows.

    Raises UnreadableValue naming file, row, column and text.
    """
    header = layout.label_column
    if header is None:
        texts = DayTexts(locale=None, days=[], years=None)
        return dataclasses.replace(date_rows(texts, evidence), year_evidence="none"), texts
    numbers, labels = _labels(table, header, is_daily=layout.report.is_daily)
    if layout.report.is_daily and len(labels) > MAX_DATED_ROWS:
        raise UnreadableValue(
            f"{_where(path, member)}: has {len(labels):,} rows; {layout.report.title} has one for each day or hour, at "
            f"most 8,760 in one export, and {MAX_DATED_ROWS:,} are read. Export it again."
        )
    try:
        read = read_day_texts(labels)
        days = date_rows(read, evidence)
        days = dataclasses.replace(days, warnings=(*read.notes, *days.warnings))
    except (UnreadableDay, ImpossibleCalendar) as error:
        raise UnreadableValue(
            f"{_where(path, member)}, row {numbers[error.row]}, {header}: {labels[error.row]!r} {error.why} "
            "Export it again; if the file was edited, use the original."
        ) from error
    if layout.report.is_daily:
        _refuse_what_is_not_daily(_where(path, member), layout, days.dates)
    else:
        _refuse_several_exports(_where(path, member), header, numbers, labels, read)
    return days, read


def _labels(table: Table, header: str, *, is_daily: bool) -> tuple[list[int], list[str]]:
    """Numbers and labels of the rows: all of them for a daily report, otherwise the first row of each label."""
    labels = table.rows.lazy().select(ROW, label=header)
    if not is_daily:
        labels = labels.group_by("label").agg(pl.col(ROW).min()).sort(ROW)
    found = labels.collect(engine="in-memory" if isinstance(table.rows, pl.DataFrame) else "streaming")
    return found[ROW].to_list(), found["label"].to_list()


def _refuse_several_exports(where: str, header: str, numbers: list[int], texts: list[str], read: DayTexts) -> None:
    """The totals of a row are those of its export's day; the file has one such day for all of its rows."""
    days = [*zip(read.days, read.years or [0] * len(read.days), strict=True)]
    other = next((row for row, day in enumerate(days) if day != days[0]), None)
    if other is not None:
        raise UnreadableValue(
            f"{where}, row {numbers[other]}, {header}: {texts[other]!r}, but row {numbers[0]} has {texts[0]!r}. Two "
            "exports were joined, and their totals are of different days: split the file into one for each day."
        )


def _refuse_what_is_not_daily(where: str, layout: Layout, dates: list[dt.date]) -> None:
    """Rows of a daily report are a day apart (37 of 37 files); a weekly table would pass as days with gaps."""
    step = typical_step(dates)
    if step >= _NOT_DAILY:
        raise UnreadableValue(
            f"{where}: its rows lie {step} days apart ({min(dates)} to {max(dates)}), but {layout.report.title} has a "
            "row for each day. If the dates are read wrongly, write them as YYYY-MM-DD; weekly and monthly tables are "
            "not read."
        )


def _refuse_mixture(path: Path, facts: NameFacts, members: list[MemberRows]) -> None:
    """Refuse a name of another section than the content, or one report twice: neither can be interpreted safely."""
    sections = {member.report.section for member in members}
    for member in members:
        # A file of several tables is named after one of them.
        named = None if facts.section in sections else facts.section, read_name(member.name).section
        wrong = next((section for section in named if section not in (None, member.report.section)), None)
        if wrong:
            raise WrongSection(
                f"{_where(path, member.name)}: the name says {wrong}, the columns are those of {member.report.title}. "
                "Export it again, or correct the file's name."
            )
    reports = Counter(member.report.title for member in members)
    for title, times in reports.items():
        if times > 1:
            raise BrokenFile(f"{path.name}: holds {title} {times} times. Drop the exports one by one.")


def _downloaded_at(members: list[MemberRows], evidences: list[Evidence]) -> tuple[dt.datetime, str]:
    """One download time for all members, which came in one visit."""
    overruled = any(member.days.stamp_overruled for member in members)
    last_days = [max(member.days.dates) for member in members if member.days.dates]
    best = next((evidence for evidence in evidences if evidence.captured_at), evidences[0])
    at, evidence = downloaded_at(best, max(last_days, default=None), stamp_overruled=overruled)
    for member in members:
        # Content states its own export date; a copied file's time does not.
        if evidence == "file_time" and member.days.dates and not member.is_daily:
            stated = max(member.days.dates)
            if abs(stated - at.date()) > dt.timedelta(days=1):
                return dt.datetime.combine(stated, dt.time(), dt.UTC), "export_date_column"
    by_visit = [max(member.days.dates) for member in members if member.days.year_evidence == "siblings"]
    if evidence == "file_time" and by_visit and at.date() - max(by_visit) > DAYS_OF_A_DOWNLOAD:  # the time of a copy
        return earliest_download(max(last_days)), "last_row"
    # No file contains days after its download (a label may be a day ahead): raw relies on it to leave files unread.
    last = max(last_days, default=at.date())
    if last > at.date() + dt.timedelta(days=1):
        return dt.datetime.combine(last, dt.time(), dt.UTC), "last_row"
    return at, evidence


def _vintage(members: list[MemberRows], at: dt.datetime, evidence: str) -> tuple[dt.datetime, str]:
    """The moment that orders the export, and its evidence. Content states the day of its export in each row."""
    days = [day for member in members if member.is_daily for day in member.days.dates]
    if evidence == "file_time" and any(member.days.dates for member in members if not member.is_daily):
        return at, "export_date_column"
    return vintage(at, evidence, max(days, default=None))
