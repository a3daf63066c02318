"""A data folder of an earlier version is used as if it were of this one; one of a newer version is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tiktok_assets.accounts import load_roster
from tiktok_assets.exports.provenance import READER_VERSION
from tiktok_assets.failures import DataOfNewerVersion
from tiktok_assets.inbox.findings import Finding
from tiktok_assets.inbox.verify import verify
from tiktok_assets.pipeline.process import process, project_instance
from tiktok_assets.pipeline.rebuild import rebuild
from tiktok_assets.settings import Settings, load_settings, project_root
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.history import history_folder, take_over
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests import budget
from tiktok_assets_tests.upgrades.recipe import ACCOUNT, NEW, land_visit, unpack

NEWER = int(READER_VERSION) + 1
VERSIONS = ("eb20a3f", "3775d55 with fewer columns")


def settings_of(home: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of an installation in ``home``."""
    for name, value in {"DATA_DIR": home / "data", "ACCOUNTS": ACCOUNT, "START_DATE": "2025-01"}.items():
        monkeypatch.setenv(f"TIKTOK_{name}", str(value))
    return load_settings()


@pytest.fixture(params=[pytest.param(VERSIONS[0], marks=budget.in_the_long_run), VERSIONS[1]])
def upgraded(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An installation of an earlier version, in which this one has processed another visit."""
    name, *fewer = str(request.param).split(" ", 1)
    data = unpack(name, tmp_path)
    if fewer:
        without_a_column(data)
    settings = settings_of(tmp_path, monkeypatch)
    take_over(tmp_path / ".dagster", history_folder(settings), is_default=True)
    land_visit(data, *NEW)
    result = process(settings)
    assert [account.error for account in result.accounts] == [None]
    assert result.is_clean
    yield settings


def without_a_column(data: Path) -> None:
    """As if the version had not had the column yet, in curated, its warehouse and the published file."""
    for path in (data / "curated/account_daily").rglob("*.parquet"):
        pl.read_parquet(path).drop("virality_rate").write_parquet(path)
    for path in data.rglob("*.duckdb"):
        with duckdb.connect(path) as connection:
            for (view,) in connection.execute("select view_name from duckdb_views() where not internal").fetchall():
                connection.execute(f"drop view {view}")
            connection.execute("alter table social_media_stats drop column virality_rate")


def test_it_is_complete_answers_the_readme_and_equals_a_rebuild(upgraded: Settings) -> None:
    assert verified(upgraded) == []
    with project_instance() as instance:
        assert instance.get_runs_count() == 3  # two of the earlier version, one of this
    with duckdb.connect(str(upgraded.warehouse), read_only=True) as connection:
        for query in re.findall(r"```sql\n(.*?)```", (project_root() / "README.md").read_text(), re.DOTALL):
            connection.execute(query)
        columns = connection.sql("select * from social_media_stats").columns
    assert "virality_rate" in columns
    assert rebuild(upgraded)[1] == []


def test_a_folder_of_a_newer_version_is_refused_and_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = unpack("3775d55", tmp_path)
    for path in (data / "raw/exports" / f"account={ACCOUNT}").glob("*.json"):
        path.rename(path.with_name(re.sub(r"\.v\d+\.", f".v{NEWER}.", path.name)))
    settings = settings_of(tmp_path, monkeypatch)
    land_visit(data, *NEW)
    before = contents(data)
    for attempt in (process, rebuild, verified):
        with pytest.raises(DataOfNewerVersion, match=rf"newer version .*\(reader {NEWER}; .* Update"):
            attempt(settings)
    assert contents(data) == before


def verified(settings: Settings) -> list[Finding]:
    """What ``verify`` finds."""
    warehouse = Warehouse(settings.working_warehouse, settings.warehouse)
    return verify(Lake(settings), load_roster(settings), warehouse)


def contents(data: Path) -> dict[str, bytes]:
    """Every file but the locks."""
    return {
        str(path.relative_to(data)): path.read_bytes()
        for path in sorted(data.rglob("*"))
        if path.is_file() and "locks" not in path.parts
    }
