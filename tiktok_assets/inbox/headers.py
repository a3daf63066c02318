"""Does TikTok still write the headers we know? Compares the columns of every stored export with the known headers.

Belongs here: headers. Does not belong here: values (``Export.validate``), and which headers are known (``reports``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from upath import UPath

from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.exports.archive import open_members
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.tables import read_table
from tiktok_assets.exports.text_rows import normal
from tiktok_assets.inbox.files import account_files, files_below, lies_below, shown, source_of
from tiktok_assets.inbox.ownership import home_of
from tiktok_assets.progress import Progress, silent
from tiktok_assets.reports.identify import identify
from tiktok_assets.settings import Settings
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake

_LANDING = "landing"


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A table whose header is not a known one, and how it differs from the nearest.

    ``account`` is ``landing`` for a file that is in no account's folder yet. ``report`` and ``variant`` are None
    where no report has such columns, or the file cannot be read; ``problem`` says which.
    """

    account: str
    source: str
    member: str | None
    report: str | None
    variant: str | None
    unknown: tuple[str, ...]
    """Columns that no variant of the report has: kept as text in raw."""
    elsewhere: tuple[str, ...]
    """Columns that only another variant has: they are read, but were never found together before."""
    missing: tuple[str, ...]
    """Columns of the nearest variant that the file lacks: their values are unknown."""
    problem: str | None

    def __str__(self) -> str:
        where = f"{self.account}, {self.source}"
        if self.problem:
            return f"{where}: {self.problem}"
        parts = [f"{word} {', '.join(names)}" for word, names in self._differences if names]
        return f"{where}, {self.member}: differs from {self.report} ({self.variant}): {'; '.join(parts)}."

    @property
    def _differences(self) -> list[tuple[str, tuple[str, ...]]]:
        return [
            ("unknown columns", self.unknown),
            ("columns of another variant", self.elsewhere),
            ("missing columns", self.missing),
        ]


@dataclass(frozen=True, kw_only=True)
class KnownHeader:
    """How many tables have a known header: one entry for each report and variant."""

    report: str
    variant: str
    tables: int


@dataclass(frozen=True, kw_only=True)
class SchemaCheck:
    """All headers of landing and archive."""

    files: int
    seen: tuple[KnownHeader, ...]
    """The known headers that were found."""
    drift: tuple[Drift, ...]


def check_schemas(settings: Settings, *, progress: Progress = silent) -> SchemaCheck:
    """Compare every export in landing and archive with the known headers.

    Case, spaces and order of the names do not matter, as when they are read. Drift is a column that no variant of the
    report has, one that is missing from the file, or a table of no known report.
    """
    lake, roster = Lake(settings), load_roster(settings)
    places = [*roster, _LANDING]
    files, drift = 0, []
    tables: Counter[tuple[str, str]] = Counter()
    for done, place in enumerate(places):
        progress(place, done, len(places))
        for source, path in _waiting(settings, roster) if place == _LANDING else _of_account(lake, place):
            files += 1
            for one in _tables(place, source, path):
                if isinstance(one, Drift):
                    drift.append(one)
                else:
                    tables[one] += 1
    progress("", len(places), len(places))
    known = tuple(
        KnownHeader(report=report, variant=variant, tables=n) for (report, variant), n in sorted(tables.items())
    )
    return SchemaCheck(files=files, seen=known, drift=tuple(drift))


def _of_account(lake: Lake, account: str) -> Iterator[tuple[str, UPath]]:
    for path in account_files(lake, account):
        yield source_of(lake, account, path), path


def _waiting(settings: Settings, roster: Roster) -> Iterator[tuple[str, UPath]]:
    """The files in landing that are in no account's folder yet, as people drop them."""
    for path in files_below(settings.landing):
        if lies_below(path, settings.landed_streams):
            continue
        below = path.relative_to(settings.landing)
        if len(below.parts) == 1 or home_of(settings, roster, below.parts[0]) is None:
            yield below.as_posix(), path


def _tables(account: str, source: str, path: UPath) -> Iterator[tuple[str, str] | Drift]:
    """For each table of a file its report and variant, or how it differs from all of them."""
    try:
        with local_copy(path) as file, open_members(file) as members:
            for member in members:
                try:
                    yield _table(account, source, member.name, file, read_table(member).header)
                except ExportProblem as problem:
                    yield _unknown(account, source, member.name, str(problem))
    except (ExportProblem, OSError) as problem:
        yield _unknown(
            account, source, None, f"{shown(path)}: {problem}" if isinstance(problem, OSError) else str(problem)
        )


def _table(account: str, source: str, member: str, file: Path, header: tuple[str, ...]) -> tuple[str, str] | Drift:
    layout = identify(file.name if file.name == member else f"{file.name}/{member}", header)
    expected = {normal(name) for name in layout.report.headers[layout.variant]}
    more = tuple(name for name in header if normal(name) not in expected)
    if not more and not layout.missing:
        return layout.report.name, layout.variant
    return Drift(
        account=account,
        source=source,
        member=member,
        report=layout.report.name,
        variant=layout.variant,
        unknown=layout.unknown,
        elsewhere=tuple(name for name in more if name not in layout.unknown),
        missing=layout.missing,
        problem=None,
    )


def _unknown(account: str, source: str, member: str | None, problem: str) -> Drift:
    return Drift(
        account=account,
        source=source,
        member=member,
        report=None,
        variant=None,
        unknown=(),
        elsewhere=(),
        missing=(),
        problem=problem,
    )
