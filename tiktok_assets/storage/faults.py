"""What the operating system, SQLite and DuckDB refuse, as a sentence: what happened, to which path, what to do.

Belongs here: the one translation, for the command line and for runs. Does not belong here: refusals of ours, which are
sentences already, and the files that people drop (``exports.problems``).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

_AGAIN = "then run this again: it continues where it stopped, nothing is lost."
_IS_FULL = "the disk is full"
# By what the system says: what that means, and what to do.
_MEANINGS: dict[tuple[int, ...], tuple[str, str]] = {
    (errno.ENOSPC, errno.EDQUOT): (_IS_FULL, f"Free some space and {_AGAIN.removeprefix('then ')}"),
    (errno.EROFS,): ("it can only be read", f"Mount it writable, or set TIKTOK_DATA_DIR to another folder, {_AGAIN}"),
    (errno.EACCES, errno.EPERM): (
        "this user may not read or write it",
        f"Give it to this user (chown), or allow it (chmod u+rw), {_AGAIN}",
    ),
    (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.EHOSTDOWN, errno.ETIMEDOUT): (
        "its disk or mount is full or does not answer",
        f"Check that it has space, is connected and mounted, {_AGAIN}",
    ),
    (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS): (
        "its file system has no locks, so two runs could overwrite each other's files",
        "Set TIKTOK_DATA_DIR to a folder on a local disk, then run this again. Nothing was changed.",
    ),
    (errno.EBUSY, errno.ETXTBSY): ("another program has it open", f"Close it there, {_AGAIN}"),
    (errno.EMFILE, errno.ENFILE): ("too many files are open", f"Raise the limit (ulimit -n 4096), {_AGAIN}"),
    (errno.ENOENT,): ("it is not there", f"Check that its disk is mounted, {_AGAIN}"),
    (errno.ENOTDIR, errno.EISDIR, errno.EEXIST): (
        "a file is where a folder is needed, or a folder where a file is",
        f"Move it away, {_AGAIN}",
    ),
}
_NUMBER = re.compile(r"\[Errno (\d+)\]|\(os error (\d+)\)")  # as Python and Polars write it into a message
_NAMED = re.compile(r"(?:file|directory|path) \"([^\"]+)\"", re.IGNORECASE)  # as DuckDB names a file
# SQLite and DuckDB report what the system said without its number.
_WORDS = {
    "no space left on device": errno.ENOSPC,
    "disk is full": errno.ENOSPC,
    "could not set lock": errno.EBUSY,
    "database is locked": errno.EBUSY,
    "permission denied": errno.EACCES,
    "read-only file system": errno.EROFS,
    "readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
    "disk i/o error": errno.EIO,
    "input/output error": errno.EIO,
    "stale file handle": errno.ESTALE,
    "transport endpoint is not connected": errno.ENOTCONN,
}
_OF_NETWORKS = (errno.ETIMEDOUT, errno.EHOSTDOWN)
_OF_DATABASES = ("duckdb", "_duckdb", "sqlite3", "sqlalchemy")
# By what botocore raises, which is no OSError, or a base of it: a storage that does not answer, and no login for it.
_OF_STORAGE = {
    "ConnectionError": "Check that it runs and AWS_ENDPOINT_URL is right",
    "HTTPClientError": "Check that it runs and AWS_ENDPOINT_URL is right",
    "NoCredentialsError": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "Set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
}


def sentence_of(error: BaseException, place: str | None = None) -> str | None:
    """What a person reads instead of a traceback; None for what is not the system's doing, which is a bug of ours.

    ``place``: the folder to name where the error names no path, as SQLite's do.
    """
    for one in _chain(error):
        if remedy := _remedy_of_storage(one):
            return f"{place or 'The object storage'}: cannot be reached ({one}). {remedy}, {_AGAIN}"
        if (number := number_of(one)) is None:
            continue
        found = next((meaning for numbers, meaning in _MEANINGS.items() if number in numbers), None)
        path = _path(one)
        if path is None and (found is None or number in _OF_NETWORKS):
            continue
        path = path or place
        what, remedy = found or ("it cannot be used", f"Correct that, {_AGAIN}")
        reason = os.strerror(number)
        if path is None:
            return f"{what[0].upper()}{what[1:]}. {remedy}"
        return f"{path}: {what} ({reason}). {remedy}"
    return None


def _remedy_of_storage(error: BaseException) -> str | None:
    names = [one.__name__ for one in type(error).__mro__ if one.__module__ == "botocore.exceptions"]
    return next((_OF_STORAGE[name] for name in names if name in _OF_STORAGE), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it was raised from."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__


def number_of(error: BaseException) -> int | None:
    """The errno of an error, also where only its text has it."""
    text = str(error)
    if isinstance(error, OSError):
        if error.errno is not None:
            return error.errno
        found = _NUMBER.search(text)
        return int(found[1] or found[2]) if found else None
    is_of_database = type(error).__module__.split(".")[0] in _OF_DATABASES
    if is_of_database or any(name in text for name in ("sqlite3.", "duckdb.", "os error", "[Errno")):
        if found := _NUMBER.search(text):
            return int(found[1] or found[2])
        return next((number for words, number in _WORDS.items() if words in text.lower()), None)
    return None


def _path(error: BaseException) -> str | None:
    if isinstance(error, OSError) and error.filename is not None:
        return str(error.filename if error.filename2 is None else error.filename2)
    found = _NAMED.search(str(error))
    return found[1] if found else None
