"""What one file contains, read whole and cached. Does not belong here: what happens to the file (``intake``)."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import polars.selectors as cs
from upath import UPath

from tiktok_assets import clock
from tiktok_assets.exports.evidence import ONE_DAY
from tiktok_assets.exports.names import NameFacts
from tiktok_assets.exports.problems import ExportProblem, ForeignFile, UnreadableFile
from tiktok_assets.inbox.files import State, siblings_of, state_of
from tiktok_assets.inbox.ownership import linked_handles
from tiktok_assets.inbox.sandbox import Limits, read_within
from tiktok_assets.reports.reading import MemberRows, open_export
from tiktok_assets.settings import STREAMS
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.streams.reading import is_of_streams


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What one file contains, without regard to the lake."""

    export_id: str
    facts: NameFacts
    linked: tuple[str, ...]
    window: tuple[dt.date, dt.date]
    downloaded_at: dt.datetime
    months: tuple[dt.date, ...]
    sections: tuple[str, ...]
    warnings: tuple[str, ...]
    rests_on_file_time: bool
    """Whether nothing in it but its time says the year of its days."""
    has_numbers: bool
    """Whether it contains more than days, zeros and marks for missing: no two accounts report all the same numbers."""


Siblings = tuple[tuple[Path, State], ...]


class OutsideTime(ExportProblem):
    """An export of days that have no partition."""

    reason = "outside_time"


class DaysInTheFuture(UnreadableFile):
    """Days after today: the machine's clock is wrong, or the file. It stays where it is until one is corrected."""


def read_with_siblings(lake: Lake, path: UPath, limits: Limits) -> tuple[Contents, Siblings]:
    """What the file contains, and the files of its visit that date it, where it does not do so itself.

    Raises an ExportProblem.
    """
    state, siblings, today = state_of(path), siblings_of(lake, path), clock.trusted_today()
    contents = read_contents(path, state, limits, siblings, today)
    if isinstance(contents, Contents) and contents.rests_on_file_time:
        siblings = siblings_of(lake, path, is_dated=True)
        contents = read_contents(path, state, limits, siblings, today)
    if isinstance(contents, ExportProblem):
        raise type(contents)(str(contents))
    return contents, siblings


def require_past(window: tuple[dt.date, dt.date], name: str) -> None:
    """Raise DaysInTheFuture where a file of this ``window`` has days after tomorrow, which a label can be ahead."""
    (first, last), today = window, clock.today()
    if last > today + ONE_DAY:
        raise DaysInTheFuture(
            f"{name}: contains {first} to {last}, and today is {today} by this machine's clock. If the clock is wrong, "
            "correct it, then the file is picked up automatically; if the file is wrong, export it again."
        )


def months_to_keep(
    lake: Lake, months: Iterable[dt.date], window: tuple[dt.date, dt.date], name: str, folder: UPath
) -> list[dt.date]:
    """Of ``months`` those that have a partition. Raises OutsideTime where none has; ``folder``: where the file goes."""
    kept = lake.months_kept(months)
    if not kept:
        first, last = window
        raise OutsideTime(
            f"{name}: contains {first} to {last}; the months kept are {lake.settings.start_date:%Y-%m} to the current "
            f"one. Set TIKTOK_START_DATE to an earlier month, or correct the dates, then put the file back into "
            f"{folder}."
        )
    return kept


@functools.lru_cache(maxsize=100_000)
def read_contents(
    path: UPath, state: State, limits: Limits, siblings: Siblings = (), today: dt.date | None = None
) -> Contents | ExportProblem:
    """What the file contains, or why it is not an export; read in the sandbox. Raises OSError or MemoryError.

    ``today``: by a clock that can be right. Cached while the file, its ``siblings`` and the day stay the same.

    The files of 1,000 accounts are checked every 10 seconds until their runs have ended, at 5 ms a file.
    """
    try:
        with local_copy(path) as file:
            return read_within(limits, contents_of, file, [sibling for sibling, _ in siblings], today)
    except UnreadableFile:
        raise
    except ExportProblem as problem:
        return type(problem)(str(problem))  # without its traceback, which would keep the file in memory


def contents_of(file: Path, siblings: Sequence[Path], today: dt.date | None) -> Contents:
    """Raises an ExportProblem."""
    try:
        return _contents_of(file, siblings, today)
    except ForeignFile as problem:
        if is_of_streams(file):
            raise ForeignFile(
                f"{file.name}: is a table of streams, which are no account's. Put it into landing/{STREAMS}/."
            ) from problem
        raise


def _contents_of(file: Path, siblings: Sequence[Path], today: dt.date | None) -> Contents:
    with open_export(file, siblings, today) as export:
        export.validate()
        return Contents(
            export_id=export.export_id,
            facts=export.facts,
            linked=linked_handles(export),
            window=export.window,
            downloaded_at=export.downloaded_at,
            months=tuple(export.months),
            sections=export.sections,
            warnings=export.warnings,
            rests_on_file_time=export.rests_on_file_time,
            has_numbers=any(_has_numbers(member) for member in export.members),
        )


def _has_numbers(member: MemberRows) -> bool:
    rows = member.table.rows
    if not isinstance(rows, pl.DataFrame):
        return True  # a long list of videos
    values = rows.select(cs.string().exclude(member.layout.label_column or ""))
    return bool(values.width and values.select(pl.any_horizontal(pl.all().str.contains("[1-9]")).any()).item())
