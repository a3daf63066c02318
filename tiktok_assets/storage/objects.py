"""Requests to an object storage, such as S3: whole objects, many at a time, created only where none is.

Belongs here: what one request does, for S3 and, where that is possible, for any storage fsspec knows. Does not belong
here: paths of this machine, what is kept between requests (``look``, ``copies``), what an object means (``lake``).
"""

from __future__ import annotations

import contextvars
import datetime as dt
import errno
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from upath import UPath

_AT_ONCE = 16
_ATTEMPTS = 5
_PIECE = 1024**2  # bytes
_CHANGED_AT = "changed-at-ns"
"""The metadata of a copy: when its original changed last, in Unix ns. The storage knows only when it got the copy."""

One = TypeVar("One")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing says of an object. ``tag`` changes with its bytes; empty where the storage has none."""

    size: int
    changed: float
    """When the storage got it, in Unix seconds."""
    tag: str = ""

    def has_bytes_of(self, other: Entry) -> bool:
        """Whether both are of the same bytes. Of times a listing may say more digits than a question about one."""
        return (self.size, self.tag or self.changed) == (other.size, other.tag or other.changed)


def is_object(path: UPath) -> bool:
    """Whether the path is of an object storage and not of this machine."""
    return not isinstance(path, Path)


def is_s3(path: UPath) -> bool:
    """Whether the object lies in S3, or on a server that speaks like it."""
    return is_object(path) and path.protocol in ("s3", "s3a")


def keeps_times(path: UPath) -> bool:
    """Whether a copy at this path knows the time of its original."""
    return not is_object(path) or is_s3(path)


def at_once(work: Callable[[One], Made], items: Iterable[One]) -> list[Made]:
    """``work`` done on all ``items``, many at a time: a request waits 30 ms for its answer. In their order."""
    items = list(items)
    if len(items) < 2:
        return [work(item) for item in items]
    contexts = [contextvars.copy_context() for _ in items]
    with ThreadPoolExecutor(min(_AT_ONCE, len(items))) as pool:
        return list(pool.map(lambda context, item: context.run(work, item), contexts, items))


def objects_below(folder: UPath) -> dict[str, Entry]:
    """Every object below ``folder`` by its key; one request for 1,000 of them."""
    # Asked for by the prefix: s3fs would make two more requests about an empty folder.
    found: Any = folder.fs.find(folder.parent.path.rstrip("/"), prefix=f"{folder.name}/", detail=True)
    inside = f"{folder.path.rstrip('/')}/"
    return {key: _entry(folder.fs, info) for key, info in found.items() if key.startswith(inside) and key[-1] != "/"}


def names_of(folder: UPath) -> list[str]:
    """The names directly in ``folder``, of objects and of folders; none where it does not exist."""
    if is_s3(folder):
        above, prefix = folder.parent.path.rstrip("/"), f"{folder.name}/"
        found = folder.fs.find(above, prefix=prefix, maxdepth=1, withdirs=True, detail=False)
        return [key.rstrip("/").rsplit("/", 1)[-1] for key in found if key != f"{folder.path}/"]
    try:
        return [path.name for path in folder.iterdir()]
    except (FileNotFoundError, NotADirectoryError):  # fsspec's memory storage raises the latter
        return []


def entry(path: UPath) -> Entry:
    """What the storage says of one object. Raises FileNotFoundError."""
    info = path.fs.info(path.path)
    if info["type"] != "file":
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return _entry(path.fs, info)


def download(path: UPath, target: Path) -> None:
    """Store the object as a file of this machine, with the time of its original: one request. Raises OSError."""
    if not is_s3(path):
        target.write_bytes(read(path))
        changed = round(entry(path).changed * 1e9)
    else:
        changed = _run(path.fs, lambda: _download(path.fs, path.path, target))
    os.utime(target, ns=(changed, changed))


def read(path: UPath) -> bytes:
    """The bytes of the object: one request. Raises FileNotFoundError, OSError."""
    # s3fs asks for the size first, unless it may not read in pieces.
    content = path.fs.cat_file(path.path, **({"max_concurrency": 1} if is_s3(path) else {}))
    return content if isinstance(content, bytes) else content.encode()


def write(path: UPath, content: bytes | Path, *, create: bool = False) -> None:
    """Store bytes, or a file of this machine with its time, as an object: complete, or not at all.

    ``create``: raise FileExistsError where there is an object already, also one that somebody else stores meanwhile.
    """
    mode: dict[str, Any] = {"mode": "create"} if create else {}
    for attempt in range(_ATTEMPTS):
        try:
            if isinstance(content, bytes):
                path.fs.pipe_file(path.path, content, **mode)
            else:
                kept: dict[str, Any] = (
                    {"Metadata": {_CHANGED_AT: str(content.stat().st_mtime_ns)}} if is_s3(path) else {}
                )
                path.fs.put_file(str(content), path.path, **mode, **kept)
            return
        except OSError as error:
            code = _code(error)
            if create and (code in ("412", "PreconditionFailed") or isinstance(error, FileExistsError)):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
            # Somebody else creates it at this moment, and may fail.
            if code not in ("409", "ConditionalRequestConflict") or attempt == _ATTEMPTS - 1:
                raise


def copy(path: UPath, target: UPath) -> None:
    """Copy an object inside its storage, with its metadata; replaces what is there."""
    path.fs.cp_file(path.path, target.path)


def remove(path: UPath) -> None:
    """Delete one object. Where there is none, S3 says nothing, and others raise FileNotFoundError."""
    path.fs.rm_file(path.path)


def _entry(storage: Any, info: dict[str, Any]) -> Entry:
    changed = info.get("LastModified") or storage.modified(info["name"])
    seconds = changed.timestamp() if isinstance(changed, dt.datetime) else float(changed)
    return Entry(info["size"], seconds, str(info.get("ETag", "")).strip('"'))


def _code(error: OSError) -> str:
    """What the server called an error: s3fs has no type of its own for it."""
    answer = getattr(error.__cause__, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


# s3fs reads an object with its metadata only by two requests. These call what it has no public name for.


def _run(storage: Any, work: Callable[[], Any]) -> Any:
    from fsspec.asyn import sync
    from s3fs.core import _error_wrapper

    async def attempted() -> Any:
        return await _error_wrapper(work, retries=_ATTEMPTS)

    return sync(storage.loop, attempted)


async def _download(storage: Any, key: str, target: Path) -> int:
    """Returns when the object's original changed last, in ns."""
    bucket, name, _ = storage.split_path(key)
    answer = await storage._call_s3("get_object", Bucket=bucket, Key=name)
    with target.open("wb") as file:
        async with answer["Body"] as body:
            while piece := await body.read(_PIECE):
                file.write(piece)
    kept = answer.get("Metadata", {}).get(_CHANGED_AT, "")
    return int(kept) if kept.isdecimal() else round(answer["LastModified"].timestamp() * 1e9)


def parents_of(key: str, root: str) -> Iterator[tuple[str, str]]:
    """Each folder on the way from the object up to ``root``, with the name in it."""
    while len(key) > len(root):
        folder, _, name = key.rpartition("/")
        yield folder, name
        key = folder
