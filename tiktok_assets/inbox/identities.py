"""The sha256 of each file, computed once: kept by a process, and for a lake in an object storage by the lake.

``data/raw/exports/identities.json`` is the index of such a lake: which objects of landing and archive hold which bytes.
Thanks to it a look reads only what is new. It may be deleted at any time: everything is read once more then.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from tiktok_assets.exports.archive import export_id, unreadable
from tiktok_assets.inbox.files import State, state_of
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake, read_many
from tiktok_assets.storage.look import entries_below, entry_of
from tiktok_assets.storage.objects import Entry, is_object

_FORM: TypeAdapter[dict[str, tuple[State, str]]] = TypeAdapter(dict[str, tuple[tuple[int, float, str], str]])
_known: dict[str, tuple[State, str]] = {}
"""By path as text: the state of a file, and the sha256 of its bytes in that state."""
_computed: set[str] = set()
"""Of these, what no index says yet."""
_read_from: dict[str, Entry] = {}
"""By path of an index: which version of it ``_known`` contains."""


def identity(path: UPath) -> str:
    """The sha256 of the file, cached as long as its state stays the same. Raises UnreadableFile."""
    name = str(path)
    try:
        state = state_of(path)
        if (known := known_identity(name, state)) is not None:
            return known
        with local_copy(path) as file:
            _known[name] = (state, export_id(file))
        _computed.add(name)
        return _known[name][1]
    except OSError as error:
        raise unreadable(Path(path.name), error) from error


def known_identity(name: str, state: State) -> str | None:
    """The sha256 of a file, given by its path as text, if it was computed in this state."""
    known = _known.get(name)
    return known[1] if known is not None and known[0] == state else None


def is_identified(path: UPath) -> bool:
    """Whether ``identity`` is cached and therefore almost free, unless the file has changed."""
    return str(path) in _known


def know_identities(lake: Lake) -> None:
    """Know what the index of ``lake`` says, where it has one."""
    if not is_object(path := _index(lake)):
        return
    try:
        version = entry_of(path)
    except FileNotFoundError:
        return
    if _read_from.get(str(path)) != version:
        with contextlib.suppress(ValidationError):  # damaged: everything is read once more, and it is written anew
            _known.update(_FORM.validate_json(read_many([path])[0] or b"{}"))
        _read_from[str(path)] = version


@contextlib.contextmanager
def identities(lake: Lake) -> Iterator[None]:
    """Know what the index says, and note in it what the block has computed. The caller holds the lock "intake"."""
    know_identities(lake)
    yield
    if is_object(_index(lake)) and _computed:
        folders = (lake.settings.landing, lake.settings.archive)
        names = (f"{folder}/{below}" for folder in folders for below in entries_below(folder))
        content = {name: _known[name] for name in names if name in _known}
        lake.write_bytes(_index(lake), _FORM.dump_json(content))
        _computed.clear()


def _index(lake: Lake) -> UPath:
    return lake.settings.raw / "exports" / "identities.json"
