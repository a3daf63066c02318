"""The object storage that fsspec has in memory, for tests."""

from __future__ import annotations

import fsspec


def empty_memory() -> None:
    """Have nothing in it, not even the folders that other tests have made."""
    storage = fsspec.filesystem("memory")
    storage.store.clear()
    storage.pseudo_dirs[:] = [""]
