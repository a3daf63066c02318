"""Groups of clients as code locations of one package, by settings alone, as docs/cluster.md describes it."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget

from tiktok_assets.storage.history import History
from tiktok_assets_tests import budget
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop, export

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
ACCOUNTS = """
[accounts.blue1]
client = "Blue"
[accounts.red1]
client = "Red"
[accounts.blue2]
client = "Blue"
"""
OVERVIEW = dg.AssetKey(["raw", "overview"])


@pytest.fixture
def groups(tmp_path: Path) -> dict[str, dict[str, str]]:
    """By group, the settings that make it one: its clients, and a data folder of its own."""
    (tmp_path / "accounts.toml").write_text(ACCOUNTS)
    shared = {"TIKTOK_ACCOUNTS_FILE": str(tmp_path / "accounts.toml"), "TIKTOK_START_DATE": "2025-05"}
    return {
        client.lower(): {**shared, "TIKTOK_CLIENTS": client, "TIKTOK_DATA_DIR": str(tmp_path / client.lower())}
        for client in ("Blue", "Red")
    }


def environment(settings: dict[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIKTOK_")}
    return {**ours, **settings, "PYTHONPATH": str(ROOT)}


@budget.in_the_long_run
def test_two_groups_are_processed_side_by_side_and_share_nothing(groups: dict[str, dict[str, str]]) -> None:
    command = [sys.executable, "-m", "tiktok_assets.cli.app", "process"]
    running = []
    for group, settings in groups.items():
        made = export(f"{group}1", "overview")
        drop(made.content, Path(settings["TIKTOK_DATA_DIR"]) / "landing" / f"{group}1", made.name)
        started = subprocess.Popen(command, env=environment(settings), stdout=subprocess.PIPE, text=True)
        running.append(started)
    for one in running:
        printed, _ = one.communicate(timeout=300)
        assert one.returncode == 0, printed
    for group, settings in groups.items():
        data = Path(settings["TIKTOK_DATA_DIR"])
        with duckdb.connect(data / "warehouse" / "tiktok.duckdb", read_only=True) as warehouse:
            found = warehouse.sql("select distinct account from social_media_stats").fetchall()
        assert found == [(f"{group}1",)]
        history = History(str(data / "state" / "dagster"))
        partitions = history.event_log_storage.get_materialized_partitions(OVERVIEW)
        assert {key.partition("|")[0] for key in partitions} == {f"{group}1"}


def test_a_workspace_knows_the_partitions_of_both_locations_but_one_asset_of_a_key(
    groups: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    entries = []
    for group, settings in groups.items():
        python = tmp_path / f"python-of-{group}"
        values = "".join(f'export {name}="{value}"\n' for name, value in settings.items())
        python.write_text(f'#!/bin/sh\n{values}exec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        entry = f'module_name: tiktok_assets.definitions, location_name: {group}, executable_path: "{python}"'
        entries.append(f"  - python_module: {{{entry}}}\n")
    (tmp_path / "workspace.yaml").write_text("load_from:\n" + "".join(entries))
    target = WorkspaceFileTarget([str(tmp_path / "workspace.yaml")])
    with fresh() as instance, WorkspaceProcessContext(instance, target) as context:
        request = context.create_request_context()
        partitions = {}
        for location in request.code_locations:
            node = location.get_repository("__repository__").get_asset_node_snap(OVERVIEW)
            assert node is not None
            assert node.partitions is not None
            keys = node.partitions.get_partitions_definition().get_partition_keys()
            partitions[location.name] = {key.partition("|")[0] for key in keys}
        assert partitions == {"blue": {"blue1", "blue2"}, "red": {"red1"}}
        with pytest.warns(UserWarning, match="Only one MATERIALIZATION node is allowed per asset key"):
            warnings.simplefilter("always")
            shown = request.asset_graph.get(OVERVIEW).partitions_def
        assert shown is not None
        assert {key.partition("|")[0] for key in shown.get_partition_keys()} == {"blue1", "blue2"}
