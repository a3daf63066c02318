"""What `verify` says where the lake lies in other storage and several machines use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from tiktok_assets.accounts import load_roster
from tiktok_assets.graph import warehouse_of
from tiktok_assets.inbox.verify import verify
from tiktok_assets.settings import Settings
from tiktok_assets.storage import objects
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install


@pytest.fixture
def settings(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    fsspec.filesystem("memory").store.clear()
    yield install("pig1987", data_dir="memory://lake/data")
    fsspec.filesystem("memory").store.clear()


def test_what_is_damaged_is_named_by_its_address_and_not_by_the_copy_that_was_looked_at(settings: Settings) -> None:
    assert verify(Lake(settings), load_roster(settings), warehouse_of(settings)) == []
    objects.write(settings.warehouse, b"damaged")
    objects.write(settings.previous_lake / "complete", b"a rebuild")
    rebuild, warehouse = verify(Lake(settings), load_roster(settings), warehouse_of(settings))
    assert (warehouse.place, warehouse.problem[:16]) == (str(settings.warehouse), "cannot be opened")
    assert (rebuild.place, rebuild.problem) == (str(settings.previous_lake), "a rebuild has not ended")
    assert "`tiktok-assets rebuild` on any machine" in (rebuild.remedy or "")
