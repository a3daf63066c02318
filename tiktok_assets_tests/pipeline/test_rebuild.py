"""A rebuild of a lake whose warehouse other machines publish as well."""

from __future__ import annotations

import duckdb
import pytest

from tiktok_assets.graph import warehouse_of
from tiktok_assets.pipeline import rebuild as rebuilding
from tiktok_assets.settings import Settings
from tiktok_assets.storage.published import published_copy


def test_a_rebuild_that_fails_on_a_machine_that_never_wrote_the_warehouse_keeps_all_of_it(
    remote: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse_of(remote).session() as session:
        session.connection.execute("create table social_media_stats as select 1 as account, 2 as loaded_at")
        session.publish()
    for file in remote.state.glob("warehouse.duckdb*"):
        file.unlink()

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rebuilding, "process_alone", stopped)
    with pytest.raises(KeyboardInterrupt):
        rebuilding.rebuild(remote)
    with warehouse_of(remote).session() as session:
        session.publish()
    with duckdb.connect(str(published_copy(remote)), read_only=True) as connection:
        assert connection.sql("select account from social_media_stats").fetchall() == [(1,)]
