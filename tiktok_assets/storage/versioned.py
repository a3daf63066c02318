"""One file at a storage address that is replaced only where it is the version that was read.

Belongs here: which version lies there, and the conditional PUT. Does not belong here: what the file is
(``published_file``, ``toml_files``).

In S3 the version is the ETag: of two writers that have read the same one, the second is refused. In other storage of
fsspec, which has no conditional writes, the version is compared a moment before the file is replaced.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from upath import UPath

from tiktok_assets.storage.objects import is_s3

_WRITER = "writer"
_REFUSED = (404, 409, 412)


class Overtaken(Exception):
    """Somebody else has replaced the file since it was read."""


def version_of(path: UPath) -> str | None:
    """What lies there now, as a name that changes with the content; None for nothing."""
    if is_s3(path):  # never what a listing said a while ago
        return _etag(found) if (found := _head(path)) else None
    storage: Any = path.fs
    try:
        found = storage.info(path.path)
    except FileNotFoundError:
        return None
    moment = found.get("created") or found.get("LastModified") or found.get("mtime") or ""
    return f"{moment}-{found['size']}".replace("/", "-").replace(" ", "T")


def replace(path: UPath, content: bytes, before: str | None) -> str:
    """Make ``content`` the file, and return its version.

    ``before``: the version that ``content`` continues. Raises Overtaken where another one lies there.
    """
    if is_s3(path):
        return _put(path, content, before)
    if version_of(path) != before:
        raise Overtaken(str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return version_of(path) or ""


def _put(path: UPath, content: bytes, before: str | None) -> str:
    storage: Any = path.fs
    condition = {"IfNoneMatch": "*"} if before is None else {"IfMatch": f'"{before}"'}
    writer = uuid.uuid4().hex
    try:
        # As bytes: s3fs sends a request that failed once more, and an open file would go on in its middle.
        put = {"Body": content, "Metadata": {_WRITER: writer}, **condition}
        answer = storage.call_s3("put_object", **_address(path), **put)
    except OSError as error:
        if not _is_refused(error):
            raise
        answer = _head(path)
        if answer.get("Metadata", {}).get(_WRITER) != writer:  # else only the answer to our own PUT was lost
            raise Overtaken(str(path)) from error
    return _etag(answer)


def _head(path: UPath) -> Mapping[str, Any]:
    storage: Any = path.fs
    try:
        return storage.call_s3("head_object", **_address(path))
    except FileNotFoundError:
        return {}


def _etag(found: Mapping[str, Any]) -> str:
    return str(found["ETag"]).strip('"')


def _address(path: UPath) -> dict[str, str]:
    storage: Any = path.fs
    bucket, key, _ = storage.split_path(path.path)
    return {"Bucket": bucket, "Key": key}


def _is_refused(error: OSError) -> bool:
    """Whether S3 said that the condition of a PUT does not hold (412), that two of them ran at once (409), or that the
    file to be replaced is not there (404)."""
    answer: Mapping[str, Any] = getattr(error.__cause__, "response", {})
    return answer.get("ResponseMetadata", {}).get("HTTPStatusCode") in _REFUSED
