"""A rebuild of a lake whose warehouse other machines publish as well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import fsspec
import pytest

from tiktok_assets.graph import warehouse_of
from tiktok_assets.pipeline import rebuild as rebuilding
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_copy
from tiktok_assets_tests.conftest import Install


@pytest.fixture
def settings(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    monkeypatch.setattr("tiktok_assets.settings.project_root", lambda: tmp_path)
    fsspec.filesystem("memory").store.clear()
    yield install("pig1987", data_dir="memory://lake/data")
    fsspec.filesystem("memory").store.clear()


def test_a_rebuild_that_fails_on_a_machine_that_never_wrote_the_warehouse_keeps_all_of_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse_of(settings).session() as session:
        session.connection.execute("create table social_media_stats as select 1 as account, 2 as loaded_at")
        session.publish()
    for file in settings.state.glob("warehouse.duckdb*"):
        file.unlink()

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuilding, "process_alone", stopped)
    with pytest.raises(KeyboardInterrupt):
        rebuilding.rebuild(settings)
    with warehouse_of(settings).session() as session:
        session.publish()
    with duckdb.connect(str(published_copy(settings)), read_only=True) as connection:
        assert connection.sql("select account from social_media_stats").fetchall() == [(1,)]
