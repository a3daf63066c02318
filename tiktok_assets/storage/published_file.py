"""The published warehouse as one file that is replaced as a whole, wherever the lake lies.

Belongs here: which version lies there, fetching it, and replacing exactly the version that a writer has read. Does not
belong here: the file in which a writer works (``working_file``), rows.

On this machine a rename replaces it. In S3 one conditional PUT does: of two writers that have read the same version,
the second is refused. In other storage of fsspec the version is compared a moment before it is replaced.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from upath import UPath

from tiktok_assets.failures import WarehouseOvertaken
from tiktok_assets.storage.atomic import flush, naming

_TRIES = 5  # fetching a file that somebody replaces meanwhile
_KEPT = 2  # copies for readers: a program may be about to open the one before
_S3 = ("s3", "s3a")
_WRITER = "writer"
_REFUSED = (404, 409, 412)


class PublishedFile(Protocol):
    """The file under one address."""

    def version(self) -> str | None:
        """What lies there now, as a name that changes with the content; None for nothing."""
        ...

    def fetch(self, target: Path) -> str | None:
        """Store it as ``target``, and return which version that is; None, and no file, where there is none."""
        ...

    def replace(self, source: Path, before: str | None) -> str:
        """Make the bytes of ``source`` the file, and return its version.

        ``before``: the version that ``source`` continues. Raises WarehouseOvertaken where another one lies there.
        """
        ...


def published_file(path: Path | UPath) -> PublishedFile:
    if isinstance(path, Path):
        return _LocalFile(path)
    return _S3Object(path) if path.protocol in _S3 else _StoredFile(path)


def local_copy_of(path: Path | UPath, folder: Path) -> Path | None:
    """The published warehouse as a file of this machine; None where there is none.

    A copy in ``folder``, named by its version, where it lies elsewhere: fetched anew once another one is published.
    """
    if isinstance(path, Path):
        return path if path.exists() else None
    file = published_file(path)
    if (version := file.version()) is None:
        return None
    copy = folder / f"{version}{path.suffix}"
    if not copy.exists():
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f".{uuid.uuid4().hex}"
        try:
            if (version := file.fetch(scratch)) is None:
                return None
            copy = scratch.replace(folder / f"{version}{path.suffix}")
        finally:
            scratch.unlink(missing_ok=True)
        _forget_all_but_newest(folder, f"*{path.suffix}")
    return copy


def _forget_all_but_newest(folder: Path, pattern: str) -> None:
    with contextlib.suppress(FileNotFoundError):  # another reader forgets the same
        for old in sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime_ns)[:-_KEPT]:
            old.unlink()


@dataclass(frozen=True)
class _LocalFile:
    path: Path

    def version(self) -> str | None:
        return f"{self.path.stat().st_mtime_ns}" if self.path.exists() else None

    def fetch(self, target: Path) -> str | None:
        version = self.version()
        if version is not None:
            copy_to(self.path, target)
        return version

    def replace(self, source: Path, before: str | None) -> str:
        """Whatever lies there: one machine has one working file, which leads."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        copy = self.path.with_name(f".{self.path.name}.new")  # beside it: a rename does not cross file systems
        with naming(copy):
            copy_to(source, copy)
        # A WAL beside the published file belongs to the copy being replaced; DuckDB refuses to open the new one with it
        # ("WAL does not match database file").
        wal_of(self.path).unlink(missing_ok=True)
        copy.replace(self.path)
        return f"{self.path.stat().st_mtime_ns}"


@dataclass(frozen=True)
class _StoredFile:
    """In storage without conditional writes: a second writer within the moment of writing is not noticed."""

    path: UPath

    @property
    def _storage(self) -> Any:  # of S3 it has methods that fsspec does not declare
        return self.path.fs

    def version(self) -> str | None:
        found = self._info()
        return None if found is None else self._version_of(found)

    def fetch(self, target: Path) -> str | None:
        for _ in range(_TRIES):
            if (version := self.version()) is None:
                return None
            with contextlib.suppress(FileNotFoundError):
                self._storage.get_file(self.path.path, str(target))
            if self.version() == version:  # else pieces of two versions may have been fetched
                return version
        target.unlink(missing_ok=True)
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(self.path))

    def replace(self, source: Path, before: str | None) -> str:
        if self.version() != before:
            raise _overtaken(self.path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(source.read_bytes())
        return self.version() or ""

    def _info(self) -> Mapping[str, Any] | None:
        try:
            return self._storage.info(self.path.path)
        except FileNotFoundError:
            return None

    def _version_of(self, found: Mapping[str, Any]) -> str:
        moment = found.get("created") or found.get("LastModified") or found.get("mtime") or ""
        return f"{moment}-{found['size']}".replace("/", "-").replace(" ", "T")


@dataclass(frozen=True)
class _S3Object(_StoredFile):
    """In S3, or a server that speaks like it: the version is the ETag."""

    def replace(self, source: Path, before: str | None) -> str:
        condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": f'"{before}"'}
        writer = uuid.uuid4().hex
        try:
            # As bytes: s3fs sends a request that failed once more, and an open file would go on in its middle.
            put = {"Body": source.read_bytes(), "Metadata": {_WRITER: writer}, **condition}
            answer = self._storage.call_s3("put_object", **self._address(), **put)
        except OSError as error:
            if not _is_refused(error):
                raise
            answer = self._head()
            if answer.get("Metadata", {}).get(_WRITER) != writer:  # else only the answer to our own PUT was lost
                raise _overtaken(self.path) from error
        return self._version_of(answer)

    def _info(self) -> Mapping[str, Any] | None:
        return self._head() or None  # never what a listing said a while ago

    def _head(self) -> Mapping[str, Any]:
        try:
            return self._storage.call_s3("head_object", **self._address())
        except FileNotFoundError:
            return {}

    def _version_of(self, found: Mapping[str, Any]) -> str:
        return str(found["ETag"]).strip('"')

    def _address(self) -> dict[str, str]:
        bucket, key, _ = self._storage.split_path(self.path.path)
        return {"Bucket": bucket, "Key": key}


def _is_refused(error: OSError) -> bool:
    """Whether S3 said that the condition of a PUT does not hold (412), that two of them ran at once (409), or that the
    file to be replaced is not there (404)."""
    answer: Mapping[str, Any] = getattr(error.__cause__, "response", {})
    return answer.get("ResponseMetadata", {}).get("HTTPStatusCode") in _REFUSED


def _overtaken(path: UPath) -> WarehouseOvertaken:
    return WarehouseOvertaken(
        f"{path}: another writer has published since this one had read it, so what this run loaded was not published. "
        "Nothing is lost: the next run loads its exports again. Only one process may load at a time: the worker of the "
        "queue `warehouse`, or `tiktok-assets process`."
    )


def wal_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


def copy_to(source: Path, target: Path) -> None:
    """The bytes of ``source`` with its time, by the file system itself where it can, on disk when this returns."""
    with source.open("rb") as file, target.open("wb") as copy:
        size = os.fstat(file.fileno()).st_size
        try:
            while (at := copy.tell()) < size:
                copied = os.copy_file_range(file.fileno(), copy.fileno(), size - at, at, at)
                copy.seek(at + copied)
                if not copied:
                    break
        except (AttributeError, OSError):  # not on this system, or not between these two disks
            copy.seek(0)
            shutil.copyfileobj(file, copy, 1024**2)
    changed = source.stat().st_mtime_ns
    os.utime(target, ns=(changed, changed))
    flush(target)
