"""The lake before a rebuild: set aside, and put back where the rebuild fails or is killed.

Belongs here: moving the layers that a rebuild makes, and the working warehouse. Does not belong here: when
(``rebuild``).
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from upath import UPath

from tiktok_assets.settings import Settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.look import entries_below
from tiktok_assets.storage.objects import is_object

_LAYERS = ("raw", "staging", "curated")


class PreviousLake:
    """What a rebuild makes anew, as it was before. The layers stay in their storage, the warehouse on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._warehouse = Folders(settings.state / "before-rebuild", [settings.working_warehouse])
        data = settings.data_dir
        if isinstance(data, Path):
            places = [data / layer for layer in _LAYERS]
            self._warehouse = Folders(settings.state / "before-rebuild", [*places, settings.working_warehouse])
        self._layers = Objects(Lake(settings), data) if is_object(data) else None

    def exists(self) -> bool:
        return self._warehouse.exists() or (self._layers is not None and self._layers.exists())

    def set_aside(self) -> None:
        if self._layers is not None:
            self._layers.set_aside()
        self._warehouse.set_aside()

    def restore(self) -> None:
        """Have everything as it was when it was set aside; nothing to do where it was not."""
        if self._warehouse.exists():
            self._warehouse.restore()
        if self._layers is not None:
            self._layers.restore()

    def forget(self) -> None:
        if self._layers is not None:
            self._layers.forget()
        self._warehouse.forget()


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

    So at every moment the originals are whole, or the copy is.
    """

    def __init__(self, lake: Lake, data: UPath) -> None:
        self._lake, self._data, self._backup = lake, data, lake.settings.previous_lake
        self._complete = self._backup / "complete"

    def exists(self) -> bool:
        return bool(entries_below(self._backup))

    def set_aside(self) -> None:
        for layer in _LAYERS:
            self._copy(self._data / layer, self._backup / layer)
        self._lake.write_bytes(self._complete, b"")
        with self._changing():
            self._delete_layers(self._data)

    def restore(self) -> None:
        if self._complete.exists():
            with self._changing():
                self._delete_layers(self._data)
                for layer in _LAYERS:
                    self._copy(self._backup / layer, self._data / layer)
        self.forget()

    def forget(self) -> None:
        self._lake.remove(self._complete)  # from here on the layers are whole, and what is left of the copy is not
        self._delete_layers(self._backup)

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
