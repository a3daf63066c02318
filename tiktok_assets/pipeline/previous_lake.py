"""The lake before a rebuild: set aside, and put back where the rebuild fails or is killed.

Belongs here: moving the layers that a rebuild makes, and the working warehouse. Does not belong here: when
(``rebuild``).
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

from upath import UPath

from tiktok_assets.settings import Settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.lake import Lake, read_many
from tiktok_assets.storage.look import entries_below

_LAYERS = ("raw", "staging", "curated")


class PreviousLake:
    """What a rebuild makes anew, as it was before. The layers stay in their storage, the warehouse on this machine."""

    def __init__(self, settings: Settings) -> None:
        data, here = settings.data_dir, settings.state / "before-rebuild"
        if isinstance(data, Path):
            self._kept = Folders(here, [*(data / layer for layer in _LAYERS), settings.working_warehouse])
        else:
            self._kept = Objects(Lake(settings), data, here)

    def exists(self) -> bool:
        return self._kept.exists()

    def set_aside(self) -> None:
        self._kept.set_aside()

    def restore(self) -> None:
        """Have everything as it was when it was set aside, on whichever machine; nothing to do where it was not."""
        if self.exists():
            self._kept.restore()

    def forget(self) -> None:
        self._kept.forget()


class Folders:
    """Folders and files of this machine, each renamed in one step."""

    def __init__(self, backup: Path, places: Sequence[Path]) -> None:
        self._backup, self._places = backup, places

    def exists(self) -> bool:
        return self._backup.exists()

    def set_aside(self) -> None:
        self._backup.mkdir(parents=True)
        for path in self._places:
            if path.exists():
                path.rename(self._backup / path.name)

    def restore(self) -> None:
        for path in self._places:
            if (self._backup / path.name).exists():
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                (self._backup / path.name).rename(path)
        self._backup.rmdir()

    def forget(self) -> None:
        shutil.rmtree(self._backup)


class Objects:
    """Objects, which have no rename: all are copied, then noted as complete, and only then deleted.

    So at every moment the originals are whole, or the copy is. The note names the rebuild, and so does the folder of
    this machine with its working warehouse: another machine may have ended that rebuild, and the warehouse grown since.
    """

    def __init__(self, lake: Lake, data: UPath, here: Path) -> None:
        self._lake, self._data, self._backup, self._here = lake, data, lake.settings.previous_lake, here
        self._complete = self._backup / "complete"

    def exists(self) -> bool:
        return self._here.exists() or bool(entries_below(self._backup))

    def set_aside(self) -> None:
        for layer in _LAYERS:
            self._copy(self._data / layer, self._backup / layer)
        name = uuid.uuid4().hex
        self._lake.write_bytes(self._complete, name.encode())
        with self._changing():
            self._delete_layers(self._data)
        self._warehouse(name).set_aside()

    def restore(self) -> None:
        if (name := read_many([self._complete])[0]) is not None:
            with self._changing():
                self._delete_layers(self._data)
                for layer in _LAYERS:
                    self._copy(self._backup / layer, self._data / layer)
            if (warehouse := self._warehouse(name.decode())).exists():
                warehouse.restore()
        self.forget()

    def forget(self) -> None:
        self._lake.remove(self._complete)  # from here on the layers are whole, and what is left of the copy is not
        self._delete_layers(self._backup)
        shutil.rmtree(self._here, ignore_errors=True)

    def _warehouse(self, name: str) -> Folders:
        return Folders(self._here / name, [self._lake.settings.working_warehouse])

    def _changing(self) -> contextlib.AbstractContextManager[None]:
        """Mark what changes during the block: the receipts of every account, those of before and those of now."""
        folders = [parent / "raw" / "exports" for parent in (self._data, self._backup)]
        accounts = {below.partition("/")[0] for folder in folders for below in entries_below(folder) if "/" in below}
        return self._lake.changes.marked(*(folders[0] / account for account in sorted(accounts)))

    def _copy(self, folder: UPath, target: UPath) -> None:
        self._lake.each(lambda below: objects.copy(folder / below, target / below), entries_below(folder))

    def _delete_layers(self, parent: UPath) -> None:
        for layer in _LAYERS:
            self._lake.each(lambda below, folder=parent / layer: _delete(folder / below), entries_below(parent / layer))


def _delete(path: UPath) -> None:
    with contextlib.suppress(FileNotFoundError):
        objects.remove(path)
