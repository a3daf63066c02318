"""Gives old CSV files today's column names: the header line is rewritten, every other byte stays.

Belongs here: files, backups, undoing. Does not belong here: what a column is called today (``tables``). Numbers are not
touched: `tiktok-assets validate` reports what is wrong in them, and the original exports contain the right ones.

A file keeps its name, because other programs look for it there; the original is kept beside it as ``<name>.bak``.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tiktok_assets.legacy import tables as legacy
from tiktok_assets.storage.atomic import flush, replacing

BACKUP = ".bak"
_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(rb"[^\r\n]*")
_FIELD = re.compile(r'("(?:[^"]|"")*"|[^,"]*)(?:,|$)')


class MigrationOutcome(StrEnum):
    """What became of a file."""

    WOULD_CHANGE = "would change"
    CHANGED = "changed"
    WOULD_RESTORE = "would be restored"
    RESTORED = "restored"
    CURRENT = "current"
    """Nothing to do: it has today's names already, or no backup to restore."""
    SKIPPED = "skipped"
    """It is not a file of the legacy pipeline."""
    REFUSED = "refused"
    """Something prevents it; a person has to look."""


@dataclass(frozen=True, kw_only=True)
class Migrated:
    """One file. ``renamed``: the old and new name of each column that changes."""

    file: str
    outcome: MigrationOutcome
    renamed: tuple[tuple[str, str], ...] = ()
    backup: str | None = None
    reason: str | None = None


class CannotMigrate(ValueError):
    """The path cannot be processed at all."""


class _Refused(Exception):
    """Why a file is not changed."""


def migrate(path: Path, *, execute: bool = False, keep_out: Sequence[Path] = ()) -> list[Migrated]:
    """Give the CSV file at ``path``, or each below it, today's column names. Without ``execute``, only report.

    An existing backup is never overwritten: a file whose backup holds other bytes is refused. ``keep_out``: folders
    whose files are never changed. Raises CannotMigrate if there is nothing at ``path``.
    """
    return [_migrate(file, execute=execute) for file in _csv_files(path, keep_out)]


def undo(path: Path, *, execute: bool = True, keep_out: Sequence[Path] = ()) -> list[Migrated]:
    """Restore the CSV file at ``path``, or each below it, from its backup, and remove the backups.

    A file that was changed after its migration is refused. Raises CannotMigrate as ``migrate``.
    """
    return [_undo(file, execute=execute) for file in _csv_files(path, keep_out)]


def renamed(content: bytes, name: str = "") -> tuple[bytes, tuple[tuple[str, str], ...]] | None:
    """``content`` with today's column names, and which ones changed; None if it is not a legacy table.

    Raises ValueError if two columns would get one name, or the header is not text.
    """
    bom = _BOM if content.startswith(_BOM) else b""
    found = _HEADER.match(content, len(bom))
    line = found.group() if found else b""
    text = line.decode()
    fields = _fields(text)
    before = [next(csv.reader([field]), [""])[0] if field else "" for field in fields]
    after = legacy.current_names(before, name)
    if after is None:
        return None
    if twins := [one for one, times in Counter(after).items() if times > 1]:
        raise ValueError(f"two of its columns would both be called {twins[0]}")
    header = ",".join(
        field if was == now else _written(now, quoted=field.startswith('"'))
        for field, was, now in zip(fields, before, after, strict=True)
    )
    changes = tuple((was, now) for was, now in zip(before, after, strict=True) if was != now)
    return bom + header.encode() + content[len(bom) + len(line) :], changes


def _fields(line: str) -> list[str]:
    """The fields of a CSV line as they are written, with their quotes."""
    fields, at = [], 0
    while match := _FIELD.match(line, at):
        fields.append(match.group(1))
        if match.end() == len(line) and not match.group().endswith(","):
            return fields
        at = match.end()
    raise ValueError(f"its header is not CSV: {line[:100]!r}")


def _written(name: str, *, quoted: bool) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator="").writerow([name])
    return buffer.getvalue()


def _csv_files(path: Path, keep_out: Sequence[Path]) -> list[Path]:
    """The CSV files at ``path``, including those of which only the backup is left."""
    path = path.absolute()
    if any(path.resolve().is_relative_to(folder.resolve()) for folder in keep_out):
        raise CannotMigrate(f"{path}: is in the data folder, whose files are never changed. Copy it elsewhere first.")
    if path.is_dir():
        names = {file.with_name(file.name.removesuffix(BACKUP)) for file in path.rglob("*") if file.is_file()}
        inside = [folder.resolve() for folder in keep_out]
        return sorted(
            file
            for file in names
            if file.suffix.lower() == ".csv" and not any(file.resolve().is_relative_to(one) for one in inside)
        )
    if not path.exists() and not _backup(path).exists():
        raise CannotMigrate(f"{path}: there is no such file or folder.")
    return [path]


def _migrate(path: Path, *, execute: bool) -> Migrated:
    backup = _backup(path)
    changes: tuple[tuple[str, str], ...] = ()
    try:
        if not path.exists():
            raise _Refused("is missing, only its backup exists: --undo restores it")
        if path.is_symlink():
            raise _Refused("is a link; migrate the file it points to")
        before = path.read_bytes()
        new = _renamed(before, path)
        if new is None:
            return Migrated(
                file=str(path), outcome=MigrationOutcome.SKIPPED, reason="not a table of the legacy pipeline"
            )
        after, changes = new
        if not changes:
            return Migrated(file=str(path), outcome=MigrationOutcome.CURRENT, backup=_if_there(backup))
        if _is_there(backup) and _content(backup) != before:
            raise _Refused(
                f"{backup.name} exists and differs from the file; it is not overwritten. Move it away, then try again"
            )
        if execute:
            _keep(path, backup)
            with replacing(path) as scratch:
                scratch.write_bytes(after)
    except (_Refused, OSError) as error:
        return Migrated(file=str(path), outcome=MigrationOutcome.REFUSED, renamed=changes, reason=_reason(error))
    outcome = MigrationOutcome.CHANGED if execute else MigrationOutcome.WOULD_CHANGE
    return Migrated(file=str(path), outcome=outcome, renamed=changes, backup=str(backup))


def _undo(path: Path, *, execute: bool) -> Migrated:
    backup = _backup(path)
    try:
        if not _is_there(backup):
            return Migrated(file=str(path), outcome=MigrationOutcome.CURRENT, reason="has no backup")
        before = _content(backup)
        if before is None:
            raise _Refused(f"{backup.name} is not a file")
        if path.exists() and (now := path.read_bytes()) != before:
            new = _renamed(before, path)
            if new is None or now != new[0]:
                raise _Refused(
                    f"was changed after its migration; restoring {backup.name} would lose that. Move one of them away"
                )
        if execute:
            backup.replace(path)  # atomic: the file never disappears
    except (_Refused, OSError) as error:
        return Migrated(file=str(path), outcome=MigrationOutcome.REFUSED, backup=str(backup), reason=_reason(error))
    return Migrated(
        file=str(path),
        outcome=MigrationOutcome.RESTORED if execute else MigrationOutcome.WOULD_RESTORE,
        backup=str(backup),
    )


def _renamed(content: bytes, path: Path) -> tuple[bytes, tuple[tuple[str, str], ...]] | None:
    try:
        return renamed(content, path.name)
    except UnicodeDecodeError:
        raise _Refused("its header is not UTF-8 text; save it as CSV UTF-8 first") from None
    except ValueError as error:
        raise _Refused(str(error)) from error


def _keep(path: Path, backup: Path) -> None:
    """Store the bytes of ``path`` as ``backup``, completely, and never over another file."""
    if _is_there(backup):  # with the same bytes: an earlier run was killed before it could change the file
        return
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        scratch = Path(folder) / path.name
        shutil.copy2(path, scratch)
        flush(scratch)
        try:
            os.link(scratch, backup)  # unlike a rename, it fails if the name is taken
        except FileExistsError:
            raise _Refused(f"{backup.name} was created meanwhile; it is not overwritten") from None
        except OSError:  # a file system without hard links
            if _is_there(backup):
                raise
            scratch.rename(backup)


def _backup(path: Path) -> Path:
    return path.with_name(f"{path.name}{BACKUP}")


def _is_there(path: Path) -> bool:
    """True for a dangling link too: the name is taken."""
    return os.path.lexists(path)


def _if_there(path: Path) -> str | None:
    return str(path) if _is_there(path) else None


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
