"""Files as people, browsers and copy programs leave them: which exist, and whether one is complete.

Belongs here: the operating system's view of a folder. Does not belong here: what its bytes are (``identities``), what
an export is, which account owns it, and what happens to it (``intake``).
"""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from upath import UPath

from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.exports.visits import copied_together, is_undated, of_one_visit
from tiktok_assets.storage.lake import Lake, changed_at, free_name
from tiktok_assets.storage.look import entries_below, entry_of, exists
from tiktok_assets.storage.objects import Entry, is_object

# A file changed less than this long ago is checked twice, LOOK_AGAIN apart, before it counts as complete.
YOUNG = 5.0  # seconds
LOOK_AGAIN = 1.0
# How browsers and copy programs name an unfinished file; "~$" is Excel's mark on a workbook that is open.
_UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp")
_CLUTTER = (".", "~$", "__MACOSX", "Thumbs.db", "desktop.ini")

Refused = Callable[[UPath, OSError], None]
State = tuple[float | str, ...]


def account_folders(lake: Lake, account: str) -> tuple[UPath, UPath]:
    """The folders with the exports of ``account``: in the archive, and in landing.

    A file has the same path below either, so it may be moved from one to the other at any time. The archive comes
    first: if both contain the same bytes, tables name the older file, which is the archived one.
    """
    return lake.settings.archive / account, lake.settings.landing / account


def account_files(lake: Lake, account: str) -> Iterator[UPath]:
    """Every file of ``account`` in archive and landing, by path. Raises OSError for an unreadable folder."""
    for folder in account_folders(lake, account):
        yield from files_below(folder)


def source_of(lake: Lake, account: str, path: UPath) -> str:
    """The name of a file of ``account`` in tables: its path below the account's folder, in landing or the archive."""
    folder = next(folder for folder in account_folders(lake, account) if lies_below(path, folder))
    return path_below(path, folder)


def path_below(path: UPath, folder: UPath) -> str:
    """The path of a file in ``folder`` from there on; of an object by its text, which takes 1 µs instead of 200."""
    return str(path)[len(str(folder)) + 1 :] if is_object(path) else path.relative_to(folder).as_posix()


def places_of(lake: Lake, account: str, source: str) -> list[UPath]:
    """The files that tables name ``source``: one, or two where a person restored a file under an archived name."""
    return [path for folder in account_folders(lake, account) if is_there(path := folder / source)]


def free_place(lake: Lake, account: str, *below: str) -> UPath:
    """The path in landing for a new file of ``account``, with a name that no file has there or in the archive."""
    archive, landing = account_folders(lake, account)
    return free_name(landing.joinpath(*below), beside=[archive.joinpath(*below[:-1])])


def files_below(
    folder: UPath, refused: Refused | None = None, above: frozenset[tuple[int, int]] = frozenset()
) -> Iterator[UPath]:
    """Every regular file below ``folder``, sorted by path. Links are followed, but not in circles.

    ``refused`` is called with what the operating system does not let us read. Without ``refused`` that is an error: an
    unreadable folder is not an empty one. A file that vanishes meanwhile is skipped.
    """
    if is_object(folder):
        yield from _objects_below(folder)
        return
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if refused is None:
            raise
        return refused(folder, error)
    for path in entries:
        if _is_clutter(path.name):
            continue
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            if refused is None:
                raise
            refused(path, error)
            continue
        place = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode):
            yield path
        elif stat.S_ISDIR(status.st_mode) and place not in above:
            yield from files_below(path, refused, above | {place})


def objects_below(folder: UPath) -> Iterator[tuple[str, State]]:
    """As ``files_below``, of an object storage: the path below ``folder`` as text, and the state.

    A path as an object takes 0.1 ms, and landing keeps every export ever made.
    """
    for below, entry in sorted(entries_below(folder).items(), key=lambda one: one[0].split("/")):
        if not any(map(_is_clutter, below.split("/"))):
            yield below, _state_of_entry(entry)


def _objects_below(folder: UPath) -> Iterator[UPath]:
    return (folder / below for below, _ in objects_below(folder))


def _is_clutter(name: str) -> bool:
    return name.startswith(_CLUTTER) or name.lower().endswith(_UNFINISHED)


def state_of(path: UPath) -> State:
    """What changes when the file does: size, times, inode. The ctime also reveals a copy that kept its date."""
    return _local_state(Path(str(path))) if isinstance(path, Path) else _state_of_entry(entry_of(path))


def _state_of_entry(entry: Entry) -> State:
    return (entry.size, entry.changed, entry.tag)


def _local_state(path: Path) -> State:
    status = path.stat()
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def siblings_of(lake: Lake, path: UPath, *, is_dated: bool = False) -> tuple[tuple[Path, State], ...]:
    """The dated files of the visit that a snapshot without a date came from, with their states.

    They lie in its folder, in landing or in the archive: either may be archived before the other. Only on this machine.
    ``is_dated``: those of the visit of a file with dates.
    """
    if not (is_dated or is_undated(path.name)) or not isinstance(path, Path):
        return ()
    roots = (lake.settings.landing, lake.settings.archive)
    own, local = Path(str(path)), [Path(str(root)) for root in roots]
    below = next((own.parent.relative_to(root) for root in local if own.is_relative_to(root)), None)
    folders = [own.parent] if below is None else [root / below for root in local]
    others = [other for folder in folders if folder.is_dir() for other in folder.iterdir() if other.is_file()]
    chosen = copied_together(own, others) if is_dated else of_one_visit(own, others)
    return tuple((other, _local_state(other)) for other in chosen)


def unchanged(paths: list[UPath]) -> Iterator[tuple[UPath, bool]]:
    """Each path, and whether it stayed the same between two checks. Files that vanish meanwhile are left out.

    An object is complete once it is there.
    """
    first = {path: before for path in paths if (before := _state_if_present(path)) is not None}
    if any(is_younger(path, YOUNG) for path in first):
        time.sleep(LOOK_AGAIN)
    for path, before in first.items():
        now = before if is_object(path) else _state_if_present(path)
        if now is not None:
            yield path, now == before


def is_younger(path: UPath, seconds: float) -> bool:
    """Whether the file changed less than ``seconds`` ago. A time in the future says nothing: clocks differ.

    An object never counts as young: it is complete once it is there.
    """
    try:
        return not is_object(path) and 0 <= time.time() - changed_at(path) < seconds
    except OSError:
        return False


def _state_if_present(path: UPath) -> State | None:
    try:
        return state_of(path)
    except (FileNotFoundError, NotADirectoryError):  # renamed by the program that wrote it
        return None
    except OSError:  # its disk does not answer: reading it says so
        return ()


def is_there(path: UPath) -> bool:
    """Whether the file exists, even if it cannot be read."""
    try:
        return exists(path)
    except OSError:
        return True


def is_text(path: UPath) -> bool:
    """Whether the name is valid text; file systems accept any bytes."""
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:
        return False


def shown(path: UPath) -> str:
    """The path as one line of text, whatever its bytes."""
    return one_line(str(path))


def is_inside(path: UPath, folder: UPath) -> bool:
    """Whether ``path`` is ``folder`` or lies below it, with links resolved."""
    return lies_below(path.resolve(), folder.resolve())


def lies_below(path: UPath, folder: UPath) -> bool:
    """Whether ``path`` is written as a path in ``folder``; a local path never lies in remote storage."""
    if is_object(path) or is_object(folder):
        return is_object(path) and is_object(folder) and f"{path}/".startswith(f"{folder}/")
    return path.is_relative_to(folder)


def is_behind_link(path: UPath, folder: UPath) -> bool:
    """Whether ``path``, written as a path in ``folder``, lies elsewhere: a folder on the way is a link or a mount."""
    if not isinstance(path, Path):
        return False
    below = [parent for parent in path.parents if parent != folder and lies_below(parent, folder)]
    return not is_inside(path.parent, folder) or any(map(_is_mount, below))


def _is_mount(folder: Path) -> bool:
    """Also a bind mount of the same disk, which only the system's own list shows."""
    listed = Path("/proc/self/mountinfo")
    if folder.is_mount() or not listed.exists():
        return folder.is_mount()
    places = {line.split(" ")[4] for line in listed.read_text(errors="surrogateescape").splitlines()}
    return re.sub(r"[ \t\n\\]", lambda sign: f"\\{ord(sign[0]):03o}", str(folder.resolve())) in places


def is_same(path: UPath, other: UPath) -> bool:
    """Whether two paths lead to the same place: through a link, or on a case-insensitive disk."""
    try:
        return isinstance(path, Path) and path.samefile(other)
    except OSError:  # one of them is not there, or no longer
        return False
