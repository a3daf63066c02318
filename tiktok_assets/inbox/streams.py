"""Files in ``landing/streams``: which are new, which go to quarantine, and which months have to be made.

Such files belong to songs and to no account, and stay where they are dropped. Does not belong here: how one is read
(``streams``), runs.
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from upath import UPath

from tiktok_assets.curated.songs.song import Song
from tiktok_assets.exports.problems import ExportProblem, UnreadableFile
from tiktok_assets.inbox.contents import months_to_keep, require_past
from tiktok_assets.inbox.files import (
    State,
    files_below,
    is_behind_link,
    is_text,
    is_there,
    is_younger,
    path_below,
    shown,
    state_of,
    unchanged,
)
from tiktok_assets.inbox.findings import Finding
from tiktok_assets.inbox.identities import identity
from tiktok_assets.inbox.quarantine import Rejected, quarantine
from tiktok_assets.inbox.sandbox import Limits, read_within
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import exists
from tiktok_assets.storage.streams import (
    MonthMade,
    made_of_today,
    month_file,
    noted,
    raw_file,
    raw_files,
    stored_file,
    write_manifest,
)
from tiktok_assets.streams.reading import StreamsFile, describe_streams, read_streams


@dataclass(frozen=True, kw_only=True)
class LandedStreams:
    """A file of streams that raw does not hold yet."""

    source: str
    """Its path below ``data/landing/streams``."""
    export_id: str
    months: tuple[dt.date, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StreamsIntake:
    """The result of one look into ``landing/streams``. Only what was ``rejected`` is moved."""

    landed: tuple[LandedStreams, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    waiting: tuple[str, ...] = ()
    """Files that are still being written."""
    unreadable: tuple[str, ...] = ()
    """What could not be read or moved, and what to do: one message each."""
    postponed: int = 0
    """Number of files that this look had no time for."""


def take_in_streams(lake: Lake, *, settle_seconds: float = 0.0, read_budget: float = math.inf) -> StreamsIntake:
    """Check every new file in ``landing/streams`` once. ``settle_seconds``, ``read_budget``: as in ``intake.take_in``.

    The caller holds the lock "intake".
    """
    begun, postponed = time.monotonic(), 0
    refused: list[str] = []
    landed: dict[str, LandedStreams] = {}
    rejected: list[Rejected] = []
    waiting: list[str] = []

    def note_refused(path: UPath, error: OSError) -> None:
        refused.append(f"{shown(path)}: cannot be read ({error.strerror or error}). Give this user permission to it.")

    for path, is_whole in unchanged(_new_paths(lake, note_refused)):
        if not is_whole:
            waiting.append(shown(path))
            continue
        if time.monotonic() - begun > read_budget:
            postponed += 1
            continue
        try:
            one = _landed(lake, path)
            landed.setdefault(one.export_id, one)
        except UnreadableFile as problem:
            if is_there(path):
                refused.append(str(problem))
        except ExportProblem as problem:
            if is_younger(path, settle_seconds):
                waiting.append(shown(path))
            elif is_behind_link(path, lake.settings.landing):
                refused.append(str(problem))
            else:
                rejected.append(quarantine(lake, path, problem))
        except (OSError, MemoryError) as error:
            if is_there(path):
                refused.append(f"{shown(path)}: could not be taken in ({error or type(error).__name__}).")
    return StreamsIntake(
        landed=tuple(landed.values()),
        rejected=tuple(rejected),
        waiting=tuple(waiting),
        unreadable=tuple(refused),
        postponed=postponed,
    )


def _new_paths(lake: Lake, refused: Callable[[UPath, OSError], None] | None = None) -> list[UPath]:
    """The files in ``landing/streams`` that raw does not hold."""
    known = raw_files(lake)

    def is_new(path: UPath) -> bool:
        try:
            return not is_text(path) or identity(path) not in known
        except UnreadableFile:
            return True  # reading it reports why

    return [path for path in files_below(lake.settings.landed_streams, refused) if is_new(path)]


def _landed(lake: Lake, path: UPath) -> LandedStreams:
    """Raises an ExportProblem, OSError or MemoryError."""
    if not is_text(path):
        raise ExportProblem(f"{shown(path)}: the name is not valid text. Rename it, then put it back.")
    source = source_of_streams(lake, path)
    file = _described(path, source, state_of(path), Limits.of(lake.settings))
    if isinstance(file, ExportProblem):
        raise type(file)(str(file))
    require_past(file.window, path.name)
    kept = months_to_keep(lake, file.months, file.window, path.name, lake.settings.landed_streams)
    left_out = [month for month in file.months if month < lake.settings.start_date]
    more = [f"its rows of {len(left_out)} months before TIKTOK_START_DATE stay in raw alone"] if left_out else []
    return LandedStreams(source=source, export_id=file.export_id, months=tuple(kept), warnings=(*file.warnings, *more))


@functools.lru_cache(maxsize=10_000)
def _described(path: UPath, source: str, state: State, limits: Limits) -> StreamsFile | ExportProblem:
    """What a file contains, without its rows, or why it cannot be used; cached while its ``state`` stays."""
    try:
        with local_copy(path) as file:
            return read_within(limits, describe_streams, file, source)
    except UnreadableFile:
        raise
    except ExportProblem as problem:
        return type(problem)(str(problem))  # without its traceback, which would keep the file in memory


def source_of_streams(lake: Lake, path: UPath) -> str:
    """The name of a file in tables: its path below ``landing/streams``."""
    return path_below(path, lake.settings.landed_streams)


def new_files(lake: Lake) -> Iterator[StreamsFile | ExportProblem]:
    """The files that raw does not hold, read; or why one is left to the next look into landing."""
    limits = Limits.of(lake.settings)
    for path, is_whole in unchanged(_new_paths(lake)):
        if not is_whole or not is_text(path):
            continue
        try:
            with local_copy(path) as local:
                file = read_within(limits, read_streams, local, source_of_streams(lake, path))
            require_past(file.window, path.name)
        except ExportProblem as problem:
            yield problem
        else:
            yield file


def months_to_make(lake: Lake, songs: Iterable[Song], landed: Iterable[LandedStreams]) -> tuple[dt.date, ...]:
    """The months that files or songs have changed since a run made them, or whose file in staging is missing.

    A month of which a raw file is lost stays as it is, so that no number is lost with it, until the file is back.
    """
    known, today, lost = noted(lake), made_of_today(lake, songs), lost_files(lake)
    changed = {
        month
        for month, now in today.items()
        if month not in lost and (_differs(now, known.get(month)) or _is_missing(lake, month, known[month]))
    }
    return tuple(sorted(changed | {month for one in landed for month in one.months}))


def _differs(now: MonthMade, was: MonthMade | None) -> bool:
    return was is None or (now.exports, now.made_with) != (was.exports, was.made_with)


def _is_missing(lake: Lake, month: dt.date, was: MonthMade) -> bool:
    return bool(was.file) and not exists(month_file(lake, month))


def lost_files(lake: Lake) -> dict[dt.date, list[str]]:
    """By month, the ids of files that a run made it of and that raw does not hold."""
    there = raw_files(lake)
    lost = {month: [one for one in was.exports if one not in there] for month, was in noted(lake).items()}
    return {month: ids for month, ids in lost.items() if ids}


def findings_on_streams(lake: Lake, rows: Mapping[dt.date, str]) -> list[Finding]:
    """What is missing of streams, or differs from what a run has made. ``rows``: what the warehouse holds, by month."""
    lost, in_landing = lost_files(lake), _ids_in_landing(lake)
    found = []
    for export_id in sorted({one for ids in lost.values() for one in ids}):
        months = tuple(month for month, ids in lost.items() if export_id in ids)
        remedy = {} if export_id in in_landing else {"remedy": "put its file back into landing/streams"}
        found.append(Finding(place=f"{raw_file(lake, export_id)}", problem="missing", months=months, **remedy))
    for month, was in noted(lake).items():
        if was.file != stored_file(lake, month):
            found.append(Finding(place=f"{month_file(lake, month)}", problem="missing or changed", months=(month,)))
        if was.rows != rows.get(month, ""):
            found.append(Finding(place="warehouse/song_streams", problem="missing or changed", months=(month,)))
    return found


def unprocessed_streams(lake: Lake) -> list[Finding]:
    """The files in ``landing/streams`` that raw does not hold."""
    remedy = "`tiktok-assets process`"
    return [Finding(place=f"{path}", problem="not processed yet", remedy=remedy) for path in _new_paths(lake)]


def _ids_in_landing(lake: Lake) -> set[str]:
    ids = set()
    for path in files_below(lake.settings.landed_streams):
        try:
            ids.add(identity(path))
        except UnreadableFile:
            continue
    return ids


def forget_months(lake: Lake, months: Iterable[dt.date]) -> None:
    """Have an ordinary run make these months again."""
    gone, known = set(months) - lost_files(lake).keys(), noted(lake)
    if gone:
        write_manifest(lake, {month: one for month, one in known.items() if month not in gone})
