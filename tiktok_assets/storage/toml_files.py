"""TOML files that people and commands both edit: tables ``[<group>.<key>]``, read strictly, added to, replaced whole.

A file is of this machine, or at a storage address, where several share it.

Does not belong here: what the fields of a table mean (``accounts``, ``songs``).
"""

from __future__ import annotations

import contextlib
import io
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from upath import UPath

from tiktok_assets.storage import objects
from tiktok_assets.storage.atomic import replacing
from tiktok_assets.storage.locks import Held
from tiktok_assets.storage.versioned import Overtaken, replace, version_of

_EDITS = 2


class UnusableToml(ValueError):
    """The text cannot be used: says why, and what to do. Names no file."""


def read_bytes(path: Path | UPath) -> bytes | None:
    """The content of the file as it is now; None where there is none. Raises OSError."""
    try:
        return path.read_bytes() if isinstance(path, Path) else objects.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_text(path: Path | UPath) -> str | None:
    """The text of the file; None where there is none. Raises UnusableToml."""
    try:
        content = read_bytes(path)
        return None if content is None else io.TextIOWrapper(io.BytesIO(content), "utf-8-sig").read()
    except OSError as error:
        raise UnusableToml(f"the file cannot be read ({error.strerror or error}). Fix or remove it.") from error
    except UnicodeDecodeError as error:
        raise UnusableToml(
            "the file cannot be read: it is not text in UTF-8. Save it as that, or remove it."
        ) from error


def tables_of(text: str, group: str) -> dict[str, Any]:
    """By key, the entries of ``group``. Raises UnusableToml, also where the text has anything else."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnusableToml(f"this is not TOML: {error}. Fix that line.") from error
    entries = document.pop(group, {})
    if document or not isinstance(entries, dict):
        stray = next(iter(document), group)
        raise UnusableToml(f"'{stray}' is not a valid entry here. Write tables [{group}.<name>].")
    return entries


def with_table(text: str, group: str, key: str, fields: Mapping[str, Any]) -> str:
    """``text`` with the table ``[<group>.<key>]`` at its end; everything else, comments too, is as it was."""
    import tomlkit

    document = tomlkit.parse(text)
    if group not in document:
        document.append(group, tomlkit.table(is_super_table=True))
    entry = tomlkit.table()
    for name, value in fields.items():
        entry.append(name, list(value) if isinstance(value, tuple) else value)
    document[group].append(key, entry)  # pyright: ignore[reportAttributeAccessIssue]
    return tomlkit.dumps(document)


def edit(path: Path | UPath, change: Callable[[str], str], held: Held | None = None) -> str:
    """Replace the text of the file by what ``change`` makes of it, and return what it was; "" where there is no file.

    ``held``: the lock that keeps other commands from editing it, where there are any. A person, or a program that knows
    no lock, may have replaced a file at a storage address since it was read: then ``change`` is asked again, once.
    Raises UnusableToml.
    """
    if isinstance(path, Path):
        text = read_text(path) or ""
        _replace_text(path, change(text), held)
        return text
    for _ in range(_EDITS):
        before, text = version_of(path), read_text(path) or ""
        changed = change(text)
        if held is not None:
            held.require()
        with contextlib.suppress(Overtaken):
            replace(path, changed.encode(), before)
            return text
    raise UnusableToml("somebody else is changing the file. Nothing was changed here: run this again.")


def _replace_text(path: Path, text: str, held: Held | None) -> None:
    """The file is the old one or the new one at every moment, keeps its mode, and a link to it stays a link."""
    if held is not None:
        held.require()
    with replacing(path.resolve()) as scratch:
        scratch.write_text(text, encoding="utf-8")
