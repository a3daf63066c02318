"""The pipeline's own copy of the warehouse, in which it writes: restored from what is published, and published.

Belongs here: whether the copy continues what is published, and its way from and to there. Does not belong here: how a
published file is replaced (``published_file``), rows and transactions (``duckdb``).

Where the lake lies in other storage, several machines may have a copy. Beside each lies a note: the version it was
restored from or published as. Once another one is published, the copy is restored from that, and what was only in it
is loaded again: receipts say in which copy the rows of an export are.
"""

from __future__ import annotations

import functools
import logging
import time
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import duckdb
from pydantic import TypeAdapter, ValidationError
from upath import UPath

from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.published_file import PublishedFile, local_copy_of, published_file, wal_of
from tiktok_assets.storage.warehouse_files import compact_to, require_replaceable

if TYPE_CHECKING:
    from collections.abc import Collection

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a copy of a warehouse in other storage continues."""

    version: str | None
    """The published version; None if nothing was published yet."""
    copy: str
    """The name of this copy, in receipts."""
    changed: int
    """When the copy had changed last, in ns, as it was published or restored; 0 if it never was."""


_ORIGIN = TypeAdapter(Origin)


@dataclass(frozen=True)
class WorkingFile:
    """The ``working`` file on this machine, and the ``published`` one that people read."""

    working: Path
    published: Path | UPath

    @functools.cached_property
    def _file(self) -> PublishedFile:
        return published_file(self.published)

    @property
    def is_only_one(self) -> bool:
        """Whether no other machine can publish: both files lie on this one."""
        return isinstance(self.published, Path)

    def copy_name(self) -> str | None:
        """The name of this copy, which receipts note; None where there is no other one."""
        origin = None if self.is_only_one else self._origin()
        return origin.copy if origin else None

    def as_published(self, folder: Path) -> Self:
        """What is judged by its content: the working file, or where other machines have one as well, a copy in
        ``folder`` of what is published."""
        if self.is_only_one:
            return self
        copy = local_copy_of(self.published, folder) or folder / "nothing"
        return replace(self, working=copy, published=UPath(copy))

    def start_empty(self) -> None:
        """An empty working file in place of a lost one, which would be restored."""
        self.working.parent.mkdir(parents=True, exist_ok=True)
        if not self.is_only_one:
            self._note(self._file.version(), uuid.uuid4().hex)
        duckdb.connect(self.working).close()

    def problem(self) -> str | None:
        """Why the working file cannot be used, if it cannot. The caller holds all runs back."""
        if not self.working.exists():
            return "missing"
        try:
            duckdb.connect(self.working, read_only=True).close()
        except duckdb.Error as error:
            is_open_elsewhere = "lock" in str(error).lower()
            return None if is_open_elsewhere else f"cannot be opened ({str(error).splitlines()[0]})"
        return None

    def continue_published(self, ours: Collection[str] = ()) -> None:
        """Restore the working file where it is lost, or where another machine has published since.

        A run that started with an empty or older file would publish that over everything. The caller holds the lock of
        the session. ``ours``: the names of our tables. Raises WarehouseUnusable where a file that is not ours is there.
        """
        if self.is_only_one:
            if not self.working.exists():
                self.restore(ours)
            return
        origin, version = self._origin(), self._file.version()
        if version is None and self.working.exists():
            self._note(None, origin.copy if origin else uuid.uuid4().hex)
        elif origin is None or origin.version != version or self.problem():
            self.restore(ours)

    def restore(self, ours: Collection[str] = ()) -> None:
        """Make the working file from the published one, where that can be opened; a damaged one is kept beside it.

        The caller holds the lock of the session, or all runs back.
        """
        self._origin_file.unlink(missing_ok=True)
        is_stale = not self.is_only_one and not self.problem()
        for lost in (self.working, wal_of(self.working)):
            if lost.exists():
                lost.unlink() if is_stale else lost.replace(lost.with_name(f"{lost.name}.damaged"))
        copy = self.working.with_name(f"{self.working.name}.restored")
        version = self._file.fetch(copy)
        if version is not None:
            self._use(copy, ours)
        if not self.is_only_one:
            self._note(version, uuid.uuid4().hex)

    def _use(self, copy: Path, ours: Collection[str]) -> None:
        if not self.is_only_one:
            require_replaceable(copy, ours, name=f"{self.published}")
        try:
            duckdb.connect(copy, read_only=True).close()
        except duckdb.Error as error:
            copy.unlink()
            log.warning("%s cannot be opened (%s): every table is made again.", self.published, error)
            return
        copy.replace(self.working)
        log.warning("%s is restored from %s.", self.working, self.published)

    def replace_published(self, *, is_half_empty: bool) -> None:
        """Publish the working file, which is closed and whole. ``is_half_empty``: written anew before that.

        Raises WarehouseOvertaken where another machine has published since; the next session restores the file.
        """
        if is_half_empty:
            compact = self.working.with_name(f"{self.working.name}.compact")
            compact.unlink(missing_ok=True)  # what a killed process left
            compact_to(self.working, compact)
            compact.replace(self.working)
        if self.is_only_one:
            self._file.replace(self.working, None)
        elif origin := self._origin():
            self._note(self._file.replace(self.working, origin.version), origin.copy)

    def is_behind(self) -> bool:
        """Whether the published file lacks what the working one has, or is missing.

        A copy that another machine has published over is not ahead of that: the next session restores it.
        """
        if not self.working.exists():
            return False
        if isinstance(self.published, Path):
            published = self.published.stat().st_mtime_ns if self.published.exists() else None
        elif version := self._file.version():
            origin = self._origin()
            if origin is None or origin.version != version:
                return False
            published = origin.changed
        else:
            published = None
        return wal_of(self.working).exists() or published != self.working.stat().st_mtime_ns

    def seconds_since_published(self) -> float:
        """How long ago this machine has replaced the file that people read; infinite where it never has."""
        file = self.published if isinstance(self.published, Path) else self._origin_file
        try:
            return max(0.0, time.time() - file.stat().st_ctime)
        except FileNotFoundError:
            return float("inf")

    @property
    def _origin_file(self) -> Path:
        return self.working.with_name(f"{self.working.name}.origin.json")

    def _origin(self) -> Origin | None:
        try:
            return _ORIGIN.validate_json(self._origin_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def _note(self, version: str | None, copy: str) -> None:
        changed = self.working.stat().st_mtime_ns if version and self.working.exists() else 0
        with replacing(self._origin_file) as scratch:
            scratch.write_bytes(_ORIGIN.dump_json(Origin(version=version, copy=copy, changed=changed)))
