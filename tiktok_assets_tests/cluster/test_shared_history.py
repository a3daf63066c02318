"""Dagster's history in Postgres: its tables are made once, and a run opens few connections to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy.event import listen
from sqlalchemy.pool import Pool

from tiktok_assets.settings import load_settings
from tiktok_assets.storage.run_locks import RUN_LIFE, run_life
from tiktok_assets.storage.shared_history import make_tables
from tiktok_assets.storage.state import locks_of
from tiktok_assets_tests.cluster.conftest import KEY

pytestmark = pytest.mark.cluster


@pytest.fixture
def history(tmp_path: Path, state_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    url = state_url.replace("postgresql://", "postgresql+psycopg2://")
    (tmp_path / "dagster.yaml").write_text(f"storage: {{postgres: {{postgres_url: '{url}'}}}}\n")
    for name, value in {"DAGSTER_HOME": tmp_path, "TIKTOK_STATE_URL": state_url, "TIKTOK_SESSION_KEY": KEY}.items():
        monkeypatch.setenv(name, str(value))
    made, again = list(make_tables(load_settings())), list(make_tables(load_settings()))
    assert made == again
    assert made[1] == "The tables of Dagster are there (PostgresEventLogStorage)."
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_a_run_keeps_its_connections(history: dg.DagsterInstance) -> None:
    @dg.op(required_resource_keys={RUN_LIFE})
    def log_much(context) -> None:
        for number in range(50):
            context.log_event(dg.AssetObservation("one", metadata={"number": number}))

    @dg.job(resource_defs={RUN_LIFE: run_life(locks_of(load_settings()))})
    def one_run() -> None:
        log_much()

    opened = []
    listen(Pool, "connect", lambda *_: opened.append(1))
    assert one_run.execute_in_process(instance=history).success
    assert len(history.fetch_observations(dg.AssetKey("one"), limit=99).records) == 50
    assert len(opened) < 50
