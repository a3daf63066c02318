"""Unusable files: moved to ``data/quarantine``, each beside a ``.json`` that says why and what to do."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

from upath import UPath

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.inbox.files import shown
from tiktok_assets.inbox.identities import identity
from tiktok_assets.storage.lake import Lake, free_name
from tiktok_assets.storage.look import names_in

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
    target = lake.settings.quarantine / PurePosixPath(_shortened(path.name))
    while True:
        target = free_name(target, note=".json")
        rejected, note = _rejected(path, problem, digest, target), target.parent / f"{target.name}.json"
        content = json.dumps(asdict(rejected), indent=2, ensure_ascii=False)
        with contextlib.suppress(FileExistsError):  # somebody else takes this name at this moment
            lake.write_bytes(note, f"{content}\n".encode(), create=True)
            break
        lake.look_again()
    try:
        lake.move(path, target)
    except BaseException:
        lake.remove(note)
        raise
    log.warning("quarantined: %s", problem)
    return rejected


def _rejected(path: UPath, problem: ExportProblem, digest: str | None, target: UPath) -> Rejected:
    return Rejected(
        file=shown(path),
        moved_to=str(target),
        reason=problem.reason,
        message=str(problem),
        export_id=digest,
        quarantined_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    )


def in_quarantine(lake: Lake) -> list[UPath]:
    """The files that wait there for a person, by name: those with a note beside them."""
    folder, found = lake.settings.quarantine, set(names_in(lake.settings.quarantine))
    return [folder / name for name in sorted(found) if f"{name}.json" in found]


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
    """Its message, which says why and what to do, and begins with where the file was found."""
    place = where_found(lake, rejected)
    name = PurePosixPath(rejected.file).name
    text = rejected.message.removeprefix(rejected.file).removeprefix(name)
    return f"{place}{text}" if text != rejected.message else f"{place}: {text}"


def _shortened(name: str) -> str:
    """The name as one line of text, short enough for a number and the note's ".json"; the suffix stays."""
    text = one_line(name)
    suffix = PurePosixPath(text).suffix[-8:]
    stem = text.removesuffix(suffix).encode()[:_LONGEST_NAME].decode(errors="ignore")
    return f"{stem}{suffix}"
