"""The folders of the data lake, and the only way a file gets into them: complete, or not at all.

Belongs here: paths, atomic writes, reading of many Parquet files; on this machine or any storage fsspec knows.
Does not belong here: what the tables mean, Dagster, DuckDB.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import io
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import polars as pl
from upath import UPath

from tiktok_assets import clock
from tiktok_assets.exports.long_frames import FOLDERS, PIECE
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.settings import Settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.atomic import remove_orphans, replacing
from tiktok_assets.storage.changes import Changes, together
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.locks import Held
from tiktok_assets.storage.look import entries_below, entry_of, exists, looking, names_in, present, removed, stored
from tiktok_assets.storage.objects import at_once, is_object
from tiktok_assets.storage.state import locks_of

_PIECE = 1024**2  # bytes
# The file of a list of 100,000 videos.
_LONG = 2 * 1024**2  # bytes
One = TypeVar("One")
Made = TypeVar("Made")
_ORPHAN_AFTER = 24 * 3600.0  # seconds
_RAW_NAME = re.compile(r"^(\d{8}T\d{6}Z_[0-9a-f]{12})(?:_v\w+)?\.parquet$")


@dataclass(frozen=True)
class Lake:
    """All layers of one installation."""

    settings: Settings

    def months_kept(self, months: Iterable[dt.date]) -> list[dt.date]:
        """Of ``months``, those that have a partition: from the first month kept to the current one."""
        return [month for month in months if self.settings.start_date <= month <= clock.today()]

    def raw_folder(self, report: str, account: str) -> UPath:
        """One immutable file per export."""
        return self.settings.raw / report / f"account={account}"

    def raw_file(self, report: str, account: str, downloaded_at: dt.datetime, export_id: str) -> UPath:
        return self.raw_folder(report, account) / self.raw_name(downloaded_at, export_id)

    def raw_name(self, downloaded_at: dt.datetime, export_id: str) -> str:
        """The name of the file of an export, in the folder of each of its reports."""
        version = "" if READER_VERSION == "1" else f"_v{READER_VERSION}"
        return f"{downloaded_at:%Y%m%dT%H%M%SZ}_{export_id[:12]}{version}.parquet"

    def partition_file(self, layer: str, table: str, account: str, month: dt.date) -> UPath:
        """The file of one partition of a staging or curated table."""
        # In one step: each takes UPath 5 µs, and a run over many partitions asks for 20,000 files.
        return self.settings.data_dir / f"{layer}/{table}/account={account}/date={month}/data.parquet"

    def partition_files(
        self, layer: str, table: str, accounts: Iterable[str], months: Collection[dt.date]
    ) -> dict[tuple[str, dt.date], UPath]:
        """The files there are of a staging or curated table, by account and month, in this order."""
        accounts = list(accounts)
        folders = [self.partition_file(layer, table, account, dt.date.min).parent.parent for account in accounts]
        there = dict(zip(accounts, self.each(partitions_in, folders), strict=True))
        keys = [(account, month) for account in accounts for month in months if f"date={month}" in there[account]]
        files = {key: self.partition_file(layer, table, *key) for key in keys}
        return {key: path for key, path in files.items() if is_object(path) or path.exists()}

    def raw_files(self, report: str, account: str, since: dt.date = dt.date.min) -> list[UPath]:
        """The files of a report, of each export the one that the newest reader wrote.

        ``since``: leave out exports downloaded before that day, which cannot speak of it or of later ones.
        """
        newest: dict[str, str] = {}
        earliest = since.isoformat().replace("-", "")
        folder = self.raw_folder(report, account)
        for name in sorted(names_in(folder), key=lambda name: (len(name), name)):
            if (match := _RAW_NAME.match(name)) and name >= earliest:
                newest[match.group(1)] = name
        return [folder / name for name in newest.values()]

    def each(self, work: Callable[[One], Made], items: Iterable[One]) -> list[Made]:
        """``work`` done on all ``items``, in their order; many at a time where the lake is an object storage."""
        return at_once(work, items) if is_object(self.settings.data_dir) else [work(item) for item in items]

    def write(self, path: UPath, rows: pl.DataFrame | pl.LazyFrame, *, create: bool = False) -> None:
        """Store ``rows`` as one Parquet file, replacing what is there; ``create``: as in ``write_bytes``."""
        if not isinstance(path, Path):
            buffer = io.BytesIO()
            rows.lazy().sink_parquet(buffer)
            self.write_bytes(path, buffer.getvalue(), create=create)
            return
        _refuse_to_replace(path, create)
        with self._scratch_for(path) as scratch:
            if isinstance(rows, pl.LazyFrame):
                rows.sink_parquet(scratch, row_group_size=PIECE, maintain_order=True)
            else:
                rows.write_parquet(scratch, row_group_size=PIECE)

    def write_bytes(self, path: UPath, content: bytes, *, create: bool = False) -> None:
        """Store ``content`` as one file, replacing what is there.

        ``create``: raise FileExistsError instead. On this machine a lock keeps others from creating it meanwhile.
        """
        if not isinstance(path, Path):
            with self.changes.marked(path):
                objects.write(path, content, create=create)
            stored(path)
            return
        _refuse_to_replace(path, create)
        with self._scratch_for(path) as scratch:
            scratch.write_bytes(content)

    def _scratch_for(self, path: Path, mode: int = 0o644) -> contextlib.AbstractContextManager[Path]:
        """A file outside the scanned folders that becomes ``path`` when the block succeeds."""
        return replacing(path, mode=mode, scratch_folder=self.settings.state / "scratch")

    def remove_orphans(self) -> None:
        """Remove scratch files of processes that were killed a day ago or earlier."""
        a_day_ago = time.time() - _ORPHAN_AFTER
        remove_orphans(self.settings.state / "scratch", "*", a_day_ago)
        remove_orphans(self.settings.state, "tmp*", a_day_ago)
        remove_orphans(Path(tempfile.gettempdir()), f"{FOLDERS}*", a_day_ago)
        if is_object(self.settings.data_dir):
            self.changes.end_abandoned(entries_below(self.changes.marks))

    def remove(self, path: UPath) -> None:
        """Delete one file if it is there."""
        with contextlib.suppress(FileNotFoundError), self.changes.marked(path):
            _unlink(path)

    def copy(self, path: UPath, target: UPath) -> None:
        """Store the bytes of ``path`` as ``target`` as well, with its time and mode where the storage has such.

        Raises FileExistsError where an object storage holds other bytes there.
        """
        with local_copy(path) as source:
            if not isinstance(target, Path):
                try:
                    with self.changes.marked(target):
                        objects.write(target, source, create=True)
                except FileExistsError:
                    if not _is_same(source, target):
                        raise
                stored(target)
                return
            status = source.stat()
            mode = status.st_mode & 0o777 if isinstance(path, Path) else 0o644
            with self._scratch_for(target, mode) as scratch:
                shutil.copyfile(source, scratch)
                # To the nanosecond: it may be the only record of the download time.
                os.utime(scratch, ns=(status.st_mtime_ns, status.st_mtime_ns))

    def move(self, path: UPath, target: UPath) -> None:
        """Move ``path`` to ``target``. Raises OSError, with nothing changed, if the original may not be removed.

        If it has to be copied to another disk or storage, the copy is verified before the original is deleted.
        """
        if isinstance(path, Path) and isinstance(target, Path) and not path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(OSError):  # another disk
                path.rename(target)
                return
        with self.changes.marked(path, target):
            self._move_by_copy(path, target)

    def _move_by_copy(self, path: UPath, target: UPath) -> None:
        self.copy(path, target)
        try:
            if not _is_same(path, target):
                raise OSError(errno.EIO, "the copy came out differently", str(target))
            _require_unchanged(path)
            _unlink(path)
        except OSError:
            self.remove(target)
            raise

    def looking(self) -> contextlib.AbstractContextManager[None]:
        """Until the block ends, all that a look at new files asks about is answered from one listing (``look``)."""
        settings = self.settings
        folders = [settings.landing, settings.quarantine, settings.raw / "identities", settings.previous_lake]
        streams = [settings.raw / "streams", settings.staging / "streams"]
        others = [settings.landing_path] if settings.landing_path is not None else []
        return looking([*folders, *streams, *others], self.changes if is_object(settings.data_dir) else None)

    def looking_at_everything(self) -> contextlib.AbstractContextManager[None]:
        """As ``looking``, also at all tables; one request for 1,000 files."""
        settings = self.settings
        others = [settings.landing_path] if settings.landing_path is not None else []
        layers = [settings.landing, settings.archive, settings.raw, settings.staging, settings.curated]
        return looking([*layers, settings.quarantine, *others, settings.previous_lake])

    def looking_at(self, accounts: Collection[str]) -> contextlib.AbstractContextManager[None]:
        """As ``looking``, at the exports of some accounts."""
        folders = (self.settings.landing, self.settings.archive)
        exports = [folder / account for folder in folders for account in accounts]
        return looking([*exports, *(self.raw_folder("exports", account) for account in accounts)])

    def look_again(self) -> None:
        """Have the look under way, if there is one, list its folders again."""
        with present():
            pass

    @property
    def changes(self) -> Changes:
        """The marks on the folders of accounts that only grow: their receipts, and the archive."""
        settings = self.settings
        return Changes(settings.data_dir, (settings.archive, settings.raw / "exports"))

    @contextlib.contextmanager
    def alone(self, work: str | Collection[str]) -> Iterator[Held]:
        """Wait until no other process or thread does the ``work``, and keep others waiting while the block lasts.

        What others have done before is seen inside the block: a look around it does not count there. What the block
        changes is marked ``together``.
        """
        with locks_of(self.settings).hold(work) as held, present(), together():
            yield held


def scan_each(paths: Iterable[UPath]) -> list[pl.LazyFrame]:
    """The rows of each of many files; those of an object storage are read now, many at a time."""
    return [pl.scan_parquet(content) for content in _each(_content, paths)]


def scan_parquet(paths: Iterable[UPath]) -> pl.LazyFrame:
    """The rows of many files; columns that only some of them have are null in the others. Empty without files."""
    frames = scan_each(paths)
    return pl.concat(frames, how="diagonal") if frames else pl.LazyFrame()


def scan_long(paths: Collection[UPath], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame | None:
    """The rows of files of this machine, if there are so many that they are worked on piece by piece; else None."""
    if not any(isinstance(path, Path) and size_of(path) > _LONG for path in paths):
        return None
    local = [str(path) for path in paths]
    return pl.scan_parquet(local, glob=False, schema=schema, missing_columns="insert", extra_columns="ignore")


def read_parquet(paths: Iterable[UPath]) -> pl.DataFrame:
    """As ``scan_parquet``, read."""
    return scan_parquet(paths).collect()


def read_many(paths: Iterable[UPath]) -> list[bytes | None]:
    """The bytes of many files, in their order; None for one that is not there."""

    def content(path: UPath) -> bytes | None:
        try:
            return path.read_bytes() if isinstance(path, Path) else objects.read(path)
        except FileNotFoundError:
            return None

    return _each(content, paths)


def partitions_in(folder: UPath) -> list[str]:
    """The names of the folders ``date=<month>`` of a table; in an object storage, of those that hold a file."""
    if not is_object(folder):
        return names_in(folder)
    return [month for below in entries_below(folder) if (month := below.removesuffix("/data.parquet")) != below]


def scan_partitions(folders: Iterable[UPath], schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.LazyFrame:
    """The columns of ``schema`` in every month of a staging or curated table; null where a file lacks one.

    ``folders``: of its accounts, those that exist.
    """
    folders = list(folders)
    months = _each(partitions_in, folders)
    found = [folder / f"{month}/data.parquet" for folder, names in zip(folders, months, strict=True) for month in names]
    paths = [path for path in found if is_object(path) or path.exists()]
    if not paths:
        return pl.LazyFrame(schema=schema)
    local = [str(path) for path in paths if isinstance(path, Path)]
    if not local:
        return pl.concat([pl.LazyFrame(schema=schema), scan_parquet(paths)], how="diagonal").select(list(schema))
    # One scan of all files takes half as long as one scan a file: 0.2 s for the 2,400 months of 100 accounts.
    return pl.scan_parquet(local, glob=False, schema=schema, missing_columns="insert", extra_columns="ignore")


def changed_at(path: UPath) -> float:
    """When the file changed last, or when the object storage got it, in Unix seconds."""
    return path.stat().st_mtime if isinstance(path, Path) else entry_of(path).changed


def _each(work: Callable[[UPath], Made], paths: Iterable[UPath]) -> list[Made]:
    """``work`` done on all, many at a time where each is a request."""
    paths = list(paths)
    return at_once(work, paths) if any(map(is_object, paths)) else [work(path) for path in paths]


def _content(path: UPath) -> Path | bytes:
    return path if isinstance(path, Path) else objects.read(path)


def size_of(path: UPath) -> int:
    """In bytes."""
    return path.stat().st_size if isinstance(path, Path) else entry_of(path).size


def _refuse_to_replace(path: Path, create: bool) -> None:
    if create and path.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _unlink(path: UPath) -> None:
    if isinstance(path, Path):
        path.unlink()
    else:
        objects.remove(path)
        removed(path)


def _require_unchanged(path: UPath) -> None:
    """Raise OSError where somebody has replaced the object since the look under way: its copy is of what was there."""
    if is_object(path) and (known := entry_of(path)).changed and not objects.entry(path).has_bytes_of(known):
        raise OSError(errno.EBUSY, "it was replaced meanwhile", str(path))


def _is_same(path: UPath | Path, other: UPath) -> bool:
    """Whether both files hold the same bytes; a local copy of ``path`` counts as it."""
    with local_copy(UPath(path)) as source, source.open("rb") as file, other.open("rb") as twin:
        while (piece := file.read(_PIECE)) == twin.read(_PIECE):
            if not piece:
                return True
    return False


def files_in(folder: UPath) -> list[UPath]:
    """The files in ``folder``; none where it does not exist. A folder that cannot be read is an error, not empty."""
    if not isinstance(folder, Path):
        return [folder / name for name in names_in(folder)]
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def plain(path: UPath) -> UPath:
    """The same path, faster where it is of this machine: each step of a UPath takes 5 µs, and there are thousands."""
    return Path(str(path)) if isinstance(path, Path) else path  # pyright: ignore[reportReturnType]


def free_name(path: UPath, note: str = "", beside: Iterable[UPath] = ()) -> UPath:
    """``path``, or the first of ``name~2.zip``, ``name~3.zip`` ... that is free, and so is its name with ``note``.

    ``beside``: more folders in which no file may have that name.
    """
    name, number, folders = PurePosixPath(path.name), 2, [path.parent, *beside]
    while any(exists(folder / taken) for folder in folders for taken in {path.name, f"{path.name}{note}"}):
        path = path.parent / f"{name.stem}~{number}{name.suffix}"
        number += 1
    return path
