"""Unusable files: moved to ``data/quarantine``, each beside a ``.json`` that says why and what to do."""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from upath import UPath

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.inbox.files import identity, shown
from tiktok_assets.storage.lake import Lake, files_in, free_name

log = logging.getLogger(__name__)

# File systems allow 255 bytes; a note adds ".json", a second file of the same name "~2".
_LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A file that is not a usable export: where it was found, where it is now, and why."""

    file: str
    moved_to: str
    reason: str
    message: str
    export_id: str | None
    quarantined_at: str


def quarantine(lake: Lake, path: UPath, problem: ExportProblem) -> Rejected:
    """Move the file to quarantine. The note is written first: after a crash in between, the file is found again."""
    try:
        digest = identity(path)
    except ExportProblem:
        digest = None
    name = PurePosixPath(_shortened(path.name))
    target = free_name(lake.settings.quarantine / name, note=".json")
    rejected = Rejected(
        file=shown(path),
        moved_to=str(target),
        reason=problem.reason,
        message=str(problem),
        export_id=digest,
        quarantined_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )
    note = target.parent / f"{target.name}.json"
    content = json.dumps(asdict(rejected), indent=2, ensure_ascii=False)
    lake.write_bytes(note, f"{content}\n".encode())
    try:
        lake.move(path, target)
    except BaseException:
        lake.remove(note)
        raise
    log.warning("quarantined: %s", problem)
    return rejected


def in_quarantine(lake: Lake) -> list[UPath]:
    """The files that wait there for a person, by name: those with a note beside them."""
    found = {path.name: path for path in files_in(lake.settings.quarantine)}
    return [found[name] for name in sorted(found) if f"{name}.json" in found]


def note_of(path: UPath) -> Rejected:
    """What the note beside a file in quarantine says."""
    try:
        return Rejected(**json.loads((path.parent / f"{path.name}.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        text = f"{path.name}: lies in quarantine, and its note cannot be read. Correct it, or delete both."
        return Rejected(
            file=path.name, moved_to=str(path), reason="unknown", message=text, export_id=None, quarantined_at=""
        )


def where_found(lake: Lake, rejected: Rejected) -> str:
    """Where the file lay, below the landing folder where that is: copies in two folders are told apart by it."""
    root = f"{shown(lake.settings.landing)}/"
    return rejected.file.removeprefix(root)


def sentence(lake: Lake, rejected: Rejected) -> str:
    """Its message, which says why and what to do, between where the file was found and where it is now."""
    place = where_found(lake, rejected)
    name = PurePosixPath(rejected.file).name
    text = rejected.message.removeprefix(rejected.file).removeprefix(name)
    now = lake.settings.quarantine / PurePosixPath(rejected.moved_to).name
    return f"{place}{text if text != rejected.message else f': {text}'} It is now {shown(now)}."


def _shortened(name: str) -> str:
    """The name as one line of text, short enough for a number and the note's ".json"; the suffix stays."""
    text = one_line(name)
    suffix = PurePosixPath(text).suffix[-8:]
    stem = text.removesuffix(suffix).encode()[:_LONGEST_NAME].decode(errors="ignore")
    return f"{stem}{suffix}"
