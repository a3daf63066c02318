"""The sha256 of each file, computed once: kept by a process, and for a lake in an object storage by the lake.

``data/raw/identities/`` is the index of such a lake: which objects of landing and archive hold which bytes. Each look
that computed something adds a file to it. Thanks to it a look reads only what is new. It may be deleted at any time:
everything is read once more then.
"""

from __future__ import annotations

import contextlib
import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from upath import UPath

from tiktok_assets.exports.archive import export_id, unreadable
from tiktok_assets.inbox.files import State, state_of
from tiktok_assets.storage.copies import local_copy
from tiktok_assets.storage.lake import Lake, read_many, size_of
from tiktok_assets.storage.look import entries_below, exists, names_in
from tiktok_assets.storage.objects import is_object

Identities = dict[str, tuple[State, str]]
_FORM: TypeAdapter[Identities] = TypeAdapter(dict[str, tuple[tuple[int, float, str], str]])
_DIGITS = 8
_known: Identities = {}
"""By path as text: the state of a file, and the sha256 of its bytes in that state."""
_computed: set[str] = set()
"""Of these, what no index says yet."""
_read_files: set[str] = set()
"""The files of indexes that ``_known`` contains; none is ever written anew."""


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
    if is_object(lake.settings.data_dir):
        _read(_segments(lake) or [_former_index(lake)])


def _segments(lake: Lake) -> list[UPath]:
    """The files of the index, the oldest first."""
    return [_folder(lake) / name for name in sorted(names_in(_folder(lake)))]


def _read(files: Sequence[UPath]) -> None:
    new = [path for path in files if str(path) not in _read_files]
    for path, content in zip(new, read_many(new), strict=True):
        _known.update(_parsed(content))
        _read_files.add(str(path))


def _parsed(content: bytes | None) -> Identities:
    """What a file of the index says; nothing if it is damaged: what it said is read once more, and noted anew."""
    try:
        return _FORM.validate_json(content or b"{}")
    except ValidationError:
        return {}


@contextlib.contextmanager
def identities(lake: Lake) -> Iterator[None]:
    """Know what the index says, and note in it what the block has computed. The caller holds the lock "intake"."""
    know_identities(lake)
    yield
    if is_object(lake.settings.data_dir) and _computed:
        _note(lake)
        _computed.clear()


def _note(lake: Lake) -> None:
    """Add a file to the index, which replaces the last ones as long as they are not more than twice as large.

    So they are few, each half as large as the one before, and an entry is seldom written again.
    """
    segments = _segments(lake)
    number = 1 + (int(segments[-1].name[:_DIGITS]) if segments else 0)
    # Without any file all that is known is new to the index: it was deleted, or is the one file of former versions.
    content = _still_there(lake, _computed if segments else _known.keys(), _known)
    written = _FORM.dump_json(content)
    replaced = [former] if not segments and exists(former := _former_index(lake)) else []
    while segments and size_of(segments[-1]) <= 2 * len(written):
        replaced.append(last := segments.pop())
        older = _parsed(read_many([last])[0])
        content |= _still_there(lake, older.keys() - content.keys(), older)
        written = _FORM.dump_json(content)
    lake.write_bytes(added := _folder(lake) / f"{number:0{_DIGITS}}-{uuid4().hex}.json", written)
    _read_files.add(str(added))
    lake.each(lake.remove, replaced)


def _still_there(lake: Lake, names: Iterable[str], known: Identities) -> Identities:
    """What is ``known`` of those of ``names`` that lie in landing or the archive."""
    settings, by_folder = lake.settings, defaultdict[UPath, list[str]](list)
    landing, archive = f"{settings.landing}/", f"{settings.archive}/"
    accounts = functools.cache(lambda account: settings.archive / account)
    for name in names:
        if name.startswith(landing):
            by_folder[settings.landing].append(name)
        elif name.startswith(archive):
            by_folder[accounts(name.removeprefix(archive).partition("/")[0])].append(name)
    found: Identities = {}
    for folder, inside in by_folder.items():
        there, prefix = entries_below(folder), f"{folder}/"
        found |= {name: known[name] for name in inside if name in known and name.removeprefix(prefix) in there}
    return found


def _folder(lake: Lake) -> UPath:
    return lake.settings.raw / "identities"


def _former_index(lake: Lake) -> UPath:
    """The index as one file, as former versions wrote it."""
    return lake.settings.raw / "exports" / "identities.json"
