"""Commands import what they need: which of the heavy packages are loaded once a command has run, in a new process."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import tiktok_assets
from tiktok_assets.cli import files
from tiktok_assets.curated.videos import viral
from tiktok_assets.pipeline.process import process
from tiktok_assets.settings import Settings, project_root, variable
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets_tests.instances import fresh

FIRST, LAST = dt.date(2026, 2, 20), dt.date(2026, 3, 10)
DAGSTER = {"dagster"}
TABLES = {"polars", "pandera", "duckdb", "altair"}
SETTINGS = {"pydantic_settings", "fsspec", "upath"}  # pydantic alone is typer's
BROWSER = {"playwright"}
CLUSTER = {
    "aiobotocore",
    "botocore",
    "celery",
    "dagster_celery",
    "dagster_postgres",
    "psycopg",
    "psycopg2",
    "redis",
    "s3fs",
}
# Runs commands one after the other as the console script does, or imports a module, and says on its last line which
# packages were loaded when each of them had ended. A package that one of them loads stays loaded: the first list with
# it names the command.
RUNNER = """
import importlib, json, sys
from tiktok_assets.cli.app import main
ran = []
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    try:
        importlib.import_module(arguments[1]) if arguments[0] == "import" else main()
        code = 0
    except SystemExit as stopped:
        code = stopped.code
    loaded = sorted({name.partition(".")[0] for name in sys.modules})
    ran.append({"arguments": arguments, "code": code, "loaded": loaded})
print(json.dumps(ran))
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An installation whose exports are all processed."""
    folder = tmp_path_factory.mktemp("light")
    (folder / "accounts.toml").write_text('[accounts.zonea0]\nhandle = "zone.a0"\n')
    settings = Settings(data_dir=str(folder / "data"), accounts_file=folder / "accounts.toml")  # pyright: ignore[reportArgumentType]
    account = SimulatedAccount.generate("zone.a0", 7, dt.date(2026, 1, 1), LAST)
    downloaded = dt.datetime(2026, 3, 11, 18, tzinfo=dt.UTC)
    for export in studio_exports(account, FIRST, LAST, downloaded_at=downloaded):
        land(export, folder / "data" / "landing")
    with fresh() as instance:
        assert process(settings, instance=instance).is_clean
    return settings


Arguments = tuple[str, ...]


def loaded_by(settings: Settings, *commands: Arguments) -> dict[Arguments, set[str]]:
    """By command, the packages that it and those before it have loaded; every command must succeed."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("TIKTOK_")}
    chosen = {variable(name): str(getattr(settings, name)) for name in settings.model_fields_set}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, json.dumps(commands)],
        cwd=project_root(),
        env=ours | chosen,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    ran = json.loads(done.stdout.splitlines()[-1])
    assert CLUSTER.isdisjoint(name for one in ran for name in one["loaded"])
    # 1 is an answer too, for `status` and `sessions`.
    assert [one for one in ran if one["code"] not in (0, 1)] == [], done.stdout + done.stderr
    return {tuple(one["arguments"]): set(one["loaded"]) for one in ran}


def test_help_and_version_read_no_settings_and_no_tables(settings: Settings) -> None:
    loaded = loaded_by(settings, ("--help",), ("--version",), ("process", "--help"), ("trace", "--help"))
    heavy = DAGSTER | TABLES | SETTINGS | BROWSER
    assert {command: found & heavy for command, found in loaded.items() if found & heavy} == {}


def test_lists_of_accounts_and_logins_read_no_tables(settings: Settings) -> None:
    loaded = loaded_by(settings, ("accounts", "list"), ("sessions",), ("sessions", "--json"))
    heavy = DAGSTER | TABLES | BROWSER
    assert {command: found & heavy for command, found in loaded.items() if found & heavy} == {}


def test_commands_that_only_read_do_not_import_dagster(settings: Settings) -> None:
    loaded = loaded_by(
        settings,
        ("status",),
        ("report",),
        ("trace", "zonea0", "2026-03-01", "video_views"),
        ("trace", "zonea0", "2026-03-01", "engagement_rate"),
        ("as-of", "2026-03-20", "--table", "staging/overview"),
        ("as-of", "2026-03-20"),
        ("schema-check",),
        ("archive", "--dry-run"),
        ("viral",),
        ("export", "raw"),
        ("export", "table", "social_media_stats"),
        ("export", "table", "staging/overview"),
        ("process",),  # nothing is new
    )
    heavy = DAGSTER | BROWSER
    assert {command: found & heavy for command, found in loaded.items() if found & heavy} == {}
    assert "polars" in loaded["status",]  # the probe sees what is loaded


def test_inspect_does_not_import_dagster_duckdb_or_charts(settings: Settings) -> None:
    (overview,) = Path(str(settings.landing)).rglob("Overview*.zip")
    (loaded,) = loaded_by(settings, ("inspect", str(overview))).values()
    assert loaded & {"dagster", "duckdb", "altair", "playwright"} == set()


def test_an_import_of_dagster_is_noticed_and_definitions_import_nothing_of_a_cluster(settings: Settings) -> None:
    prune, definitions = ("history", "prune", "--older-than", "90d"), ("import", "tiktok_assets.definitions")
    loaded = loaded_by(settings, prune, definitions)
    assert "dagster" in loaded[prune] and "playwright" not in loaded[definitions]


def test_the_defaults_of_viral_are_those_of_the_rule() -> None:
    defaults = {name: one.default for name, one in inspect.signature(files.viral).parameters.items()}
    assert (defaults["min_views"], defaults["growth_threshold"]) == (viral.MIN_VIEWS, viral.GROWTH_THRESHOLD)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((project_root() / "pyproject.toml").read_text())["project"]
    assert tiktok_assets.__version__ == project["version"]
