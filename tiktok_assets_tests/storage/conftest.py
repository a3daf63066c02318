"""A lake in an object storage, without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tiktok_assets.inbox import identities
from tiktok_assets.settings import Settings
from tiktok_assets.storage import copies
from tiktok_assets.storage.copies import Copies
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.storage.memory import empty_memory


@pytest.fixture
def remote(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An empty one of the account pig1987, in fsspec's memory."""
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    kept = Copies()
    monkeypatch.setattr(copies, "_copies", lambda: kept)
    for name, nothing in {"_known": {}, "_computed": set(), "_read_files": set()}.items():
        monkeypatch.setattr(identities, name, nothing)
    empty_memory()
    yield install("pig1987", data_dir="memory://lake/data")
    empty_memory()
