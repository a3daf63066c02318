"""The whole graph, spelled out: generated names are listed here, so that grep finds them and changes are visible."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from tiktok_assets.graph import build_definitions
from tiktok_assets.settings import Settings, project_root
from tiktok_assets_tests.conftest import Install

SCHEMA = ["keeps_schema"]
DAILY = ["days_are_contiguous", "exports_are_dated", "has_no_duplicates", "has_rows", "keeps_schema"]
SOMETIMES = ["exports_are_dated", "has_no_duplicates", "has_rows", "keeps_schema"]
OPTIONAL = ["has_no_duplicates", "keeps_schema"]
FOLLOWERS = sorted([*DAILY, "follower_differences_agree"])
DAYS = [
    "active_days_have_data",
    "engagement_is_not_an_outlier",
    "engagement_rate_is_within_bounds",
    "follower_trend_is_plausible",
    "has_no_duplicates",
    "keeps_schema",
    "views_cover_engagement",
    "views_cover_viewers",
]

# Asset: what it is made of, and what is promised about it.
REPORTED = [
    "curated/account_daily",
    "curated/audience",
    "curated/hashtags",
    "curated/posting_times",
    "curated/song_videos",
    "curated/song_weeks",
    "curated/video_daily",
    "curated/videos",
    "curated/viral_videos",
]
GRAPH: dict[str, tuple[list[str], list[str]]] = {
    "landing/overview": ([], ["has_nothing_in_quarantine"]),
    "landing/viewers": ([], ["has_nothing_in_quarantine"]),
    "landing/followers": ([], ["has_nothing_in_quarantine"]),
    "landing/content": ([], ["has_nothing_in_quarantine"]),
    "landing/insights": ([], ["has_nothing_in_quarantine"]),
    "landing/streams": ([], ["has_nothing_in_quarantine"]),
    "raw/overview": (["landing/overview"], []),
    "raw/viewers": (["landing/viewers"], []),
    "raw/follower_history": (["landing/followers"], []),
    "raw/follower_activity": (["landing/followers"], []),
    "raw/follower_gender": (["landing/followers"], []),
    "raw/follower_territories": (["landing/followers"], []),
    "raw/content": (["landing/content"], []),
    "raw/insights": (["landing/insights"], []),
    "staging/alignment": (
        ["raw/content", "raw/follower_activity", "raw/follower_history", "raw/overview", "raw/viewers"],
        ["exports_agree"],
    ),
    "staging/overview": (["raw/overview", "staging/alignment"], DAILY),
    "staging/viewers": (["raw/viewers", "staging/alignment"], DAILY),
    "staging/follower_history": (["raw/follower_history", "staging/alignment"], FOLLOWERS),
    "staging/follower_activity": (["raw/follower_activity", "staging/alignment"], SOMETIMES),
    "staging/follower_gender": (["raw/follower_gender"], SOMETIMES),
    "staging/follower_territories": (["raw/follower_territories"], SOMETIMES),
    "staging/content": (["raw/content"], SOMETIMES),
    "staging/insights": (["raw/insights"], OPTIONAL),
    **dict.fromkeys(
        ("curated/restatements", "curated/settling"),  # made in one step
        (
            ["raw/follower_activity", "raw/follower_history", "raw/overview", "raw/viewers", "staging/alignment"],
            [],
        ),
    ),
    "curated/account_daily": (
        [
            "curated/settling",
            "staging/alignment",
            "staging/follower_history",
            "staging/insights",
            "staging/overview",
            "staging/viewers",
        ],
        DAYS,
    ),
    "curated/account_periods": (["curated/account_daily"], SCHEMA),
    "curated/videos": (["staging/content", "staging/insights"], SCHEMA),
    "curated/viral_videos": (["curated/videos"], SCHEMA),
    "curated/posting_times": (["curated/videos"], SCHEMA),
    "curated/hashtags": (["curated/videos"], SCHEMA),
    "curated/video_daily": (["curated/account_daily", "curated/videos", "raw/content"], SCHEMA),
    "curated/song_videos": (["curated/videos"], SCHEMA),
    "curated/song_daily": (["curated/song_videos", "curated/video_daily"], SCHEMA),
    "curated/song_weeks": (["curated/song_videos", "curated/video_daily"], SCHEMA),
    "curated/audience": (
        ["staging/follower_activity", "staging/follower_gender", "staging/follower_territories", "staging/insights"],
        [*SCHEMA, "timezone_is_that_of_the_exports"],
    ),
    "curated/coverage": (
        [
            "staging/content",
            "staging/follower_activity",
            "staging/follower_gender",
            "staging/follower_history",
            "staging/follower_territories",
            "staging/overview",
            "staging/viewers",
        ],
        SCHEMA,
    ),
    "reports/account_report": (REPORTED, []),
    "reports/front_page": (REPORTED, []),
    "warehouse/social_media_stats": (["curated/account_daily"], ["is_fresh"]),
    "warehouse/account_periods": (["curated/account_periods"], []),
    "warehouse/content_performance": (["curated/videos"], []),
    "warehouse/viral_content": (["curated/viral_videos"], []),
    "warehouse/video_daily": (["curated/video_daily"], []),
    "warehouse/song_videos": (["curated/song_videos"], []),
    "warehouse/song_days": (["curated/song_daily"], []),
    "warehouse/song_weeks": (["curated/song_weeks"], []),
    "warehouse/audience_insights": (["curated/audience"], []),
    "warehouse/posting_times": (["curated/posting_times"], []),
    "warehouse/hashtag_performance": (["curated/hashtags"], []),
    "warehouse/anomalies": (["curated/account_daily"], []),
    "warehouse/data_quality": (
        [
            "curated/account_daily",
            "raw/follower_history",
            "raw/overview",
            "raw/viewers",
            "staging/follower_history",
            "staging/overview",
            "staging/viewers",
        ],
        [],
    ),
    "warehouse/account_benchmarks": (["warehouse/social_media_stats"], []),
    "warehouse/exports": (
        [
            "raw/content",
            "raw/follower_activity",
            "raw/follower_gender",
            "raw/follower_history",
            "raw/follower_territories",
            "raw/insights",
            "raw/overview",
            "raw/viewers",
            "warehouse/account_benchmarks",
            "warehouse/account_periods",
            "warehouse/anomalies",
            "warehouse/audience_insights",
            "warehouse/content_performance",
            "warehouse/data_quality",
            "warehouse/hashtag_performance",
            "warehouse/posting_times",
            "warehouse/social_media_stats",
            "warehouse/song_days",
            "warehouse/song_videos",
            "warehouse/song_weeks",
            "warehouse/video_daily",
            "warehouse/viral_content",
        ],
        [],
    ),
}
STREAMS: dict[str, tuple[list[str], list[str]]] = {  # partitioned by month alone, made by a job of their own
    "raw/streams": (["landing/streams"], []),
    "staging/streams": (["raw/streams"], ["keeps_schema", "latest_file_is_known"]),
    "warehouse/song_streams": (["staging/streams"], ["every_stream_has_a_song", "recordings_have_isrcs"]),
}
GRAPH |= STREAMS
KINDS = {
    "landing": {"zip"},
    "raw": {"polars", "parquet"},
    "staging": {"polars", "parquet"},
    "curated": {"polars", "parquet"},
    "warehouse": {"duckdb"},
    "reports": {"altair", "html"},
}
# Files and pages are no tables, and the pages have a job of their own.
TABLES = [key for key in GRAPH if not key.startswith(("landing", "reports"))]
LINEAGE = "dagster/column_lineage"
ROOT = project_root()


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    folder = tmp_path_factory.mktemp("graph")
    (folder / "accounts.toml").write_text("[accounts.pig1987]\n[accounts.zonea0]\n")
    return build_definitions(
        Settings.model_validate({"data_dir": folder / "data", "accounts_file": folder / "accounts.toml"})
    )


@pytest.fixture(scope="module")
def nodes(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def test_these_are_the_assets_and_what_they_are_made_of(nodes: dict[str, dg.AssetSpec]) -> None:
    found = {key: sorted(dep.asset_key.to_user_string() for dep in spec.deps) for key, spec in nodes.items()}
    assert found == {key: deps for key, (deps, _) in GRAPH.items()}


def test_these_are_the_promises(definitions: dg.Definitions) -> None:
    found: dict[str, list[str]] = {key: [] for key in GRAPH}
    blocking = set()
    for assets in definitions.resolve_asset_graph().assets_defs:
        for spec in assets.check_specs:
            found[spec.asset_key.to_user_string()].append(spec.name)
            if spec.blocking:
                blocking.add(spec.name)
            assert spec.description, spec.name
    assert {key: sorted(names) for key, names in found.items()} == {key: names for key, (_, names) in GRAPH.items()}
    assert blocking == {"keeps_schema"}


@pytest.mark.parametrize("key", GRAPH)
def test_an_asset_has_group_kinds_owner_and_description(
    definitions: dg.Definitions, nodes: dict[str, dg.AssetSpec], key: str
) -> None:
    layer, spec = key.split("/")[0], nodes[key]
    dropped = {"landing/insights": {"json"}, "landing/streams": {"csv"}}
    assert (spec.group_name, spec.kinds) == (layer, dropped.get(key) or KINDS[layer])
    assert spec.owners == ["team:data-platform"]
    assert spec.description is not None and spec.description.endswith(".")
    assert not definitions.resolve_asset_graph().get(spec.key).pools  # their slots outlive a killed process


@pytest.mark.parametrize("key", TABLES)
def test_every_column_is_described(nodes: dict[str, dg.AssetSpec], key: str) -> None:
    columns = nodes[key].metadata["dagster/column_schema"].columns
    assert len(columns) > 5
    assert [column.name for column in columns if not column.description] == []


def described(definitions: dg.Definitions, nodes: dict[str, dg.AssetSpec]) -> dict[str, str]:
    """Every text that Dagster shows as Markdown, by what it describes."""
    texts = {key: node.description for key, node in nodes.items()}
    for key, node in nodes.items():
        columns = node.metadata.get("dagster/column_schema")
        if isinstance(columns, dg.TableSchema):
            texts |= {f"{key}.{column.name}": column.description for column in columns.columns}
    for kind in ("jobs", "sensors", "schedules"):
        texts |= {f"{kind}/{one.name}": one.description for one in getattr(definitions, kind) or ()}
    for assets in definitions.resolve_asset_graph().assets_defs:
        texts |= {f"{spec.asset_key.to_user_string()} {spec.name}": spec.description for spec in assets.check_specs}
    return {name: text for name, text in texts.items() if text}


def test_no_description_has_a_placeholder_that_markdown_would_drop_as_html(
    definitions: dg.Definitions, nodes: dict[str, dg.AssetSpec]
) -> None:
    texts = described(definitions, nodes)
    assert "`<account>.html`" in texts["jobs/report_accounts"]
    dropped = {name: text for name, text in texts.items() if re.search(r"<\w", re.sub(r"`[^`]*`", "", text))}
    assert dropped == {}


def test_columns_name_those_they_are_made_of(nodes: dict[str, dg.AssetSpec]) -> None:
    lineage = {key: spec.metadata[LINEAGE] for key, spec in nodes.items() if LINEAGE in spec.metadata}
    custom = {"curated/coverage", "curated/restatements", "curated/settling"}
    assert lineage.keys() == {key for key in GRAPH if key.startswith(("curated", "warehouse"))} - custom
    assert [key for key, columns in lineage.items() if not columns.deps_by_column] == ["warehouse/exports"]
    sources = lineage["curated/account_daily"].deps_by_column
    assert sources["following"] == [dg.TableColumnDep(dg.AssetKey(["staging", "insights"]), "value")]
    assert [dep.asset_key.path[-1] for dep in sources["followers"]] == ["follower_history"]
    rate = lineage["warehouse/social_media_stats"].deps_by_column["engagement_rate"]
    assert rate == [dg.TableColumnDep(dg.AssetKey(["curated", "account_daily"]), "engagement_rate")]


@pytest.mark.parametrize("key", [key for key in GRAPH if key.startswith("warehouse")])
def test_a_table_of_the_warehouse_states_its_location(nodes: dict[str, dg.AssetSpec], key: str) -> None:
    assert nodes[key].metadata["dagster/table_name"] == key.replace("warehouse/", "main.")


@pytest.mark.parametrize("key", [key for key in GRAPH if not key.startswith("landing")])
def test_a_table_has_a_version_of_its_code(nodes: dict[str, dg.AssetSpec], key: str) -> None:
    assert nodes[key].code_version


def test_streams_have_months_and_take_a_range_in_one_run(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in STREAMS:
        node = graph.get(dg.AssetKey(key.split("/")))
        assert isinstance(node.partitions_def, dg.MonthlyPartitionsDefinition)
        assert node.partitions_def.get_first_partition_key() == "2020-01-01"
        assert node.backfill_policy == dg.BackfillPolicy.single_run()
    made = definitions.resolve_job_def("process_streams").asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in made} == STREAMS.keys()


def test_assets_of_accounts_share_account_and_month_and_take_a_range_in_one_run(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    of_all_accounts = {"reports/front_page", "landing/streams", *STREAMS}
    for key in graph.get_all_asset_keys():
        if key.to_user_string() in of_all_accounts:
            continue
        node = graph.get(key)
        partitions = node.partitions_def
        assert isinstance(partitions, dg.MultiPartitionsDefinition)
        account, month = (dimension.partitions_def for dimension in partitions.partitions_defs)
        assert list(account.get_partition_keys()) == ["pig1987", "zonea0"]
        assert isinstance(month, dg.MonthlyPartitionsDefinition)
        assert month.get_first_partition_key() == "2020-01-01"
        assert "pig1987|2025-11-01" in partitions.get_partition_keys()
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_the_job_makes_every_table_below_landing(definitions: dg.Definitions) -> None:
    assert [job.name for job in definitions.resolve_all_job_defs() if not job.name.startswith("__")] == [
        "extract_exports",
        "process_exports",
        "process_streams",
        "publish_warehouse",
        "refresh_reports",
        "report_accounts",
        "send_digest",
    ]
    job = definitions.resolve_job_def("process_exports")
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert made == set(TABLES) - STREAMS.keys()
    assert job.executor_def.name == "in_process"


def test_lake_and_warehouse_are_made_by_two_jobs_with_queues_where_loading_is_apart(
    install: Install, definitions: dg.Definitions
) -> None:
    apart = build_definitions(install("pig1987", "zonea0", loading="apart"))
    made = {
        name: {key.to_user_string() for key in apart.resolve_job_def(name).asset_layer.selected_asset_keys}
        for name in ("process_lake", "load_warehouse")
    }
    warehouse = {key for key in TABLES if key.startswith("warehouse/")} - STREAMS.keys()
    assert made["load_warehouse"] == warehouse
    assert made["process_lake"] == {*TABLES, "curated/complete"} - STREAMS.keys() - warehouse
    queues = {job.name: job.run_tags.get("dagster-celery/queue") for job in apart.resolve_all_job_defs()}
    assert {name: queue for name, queue in queues.items() if not name.startswith("__")} == {
        "process_lake": "lake",
        "load_warehouse": "warehouse",
        "process_streams": "warehouse",
        "publish_warehouse": "warehouse",
        "extract_exports": "studio-default",
        "report_accounts": "lake",
        "refresh_reports": "lake",
        "send_digest": "lake",
    }
    assert not any("dagster-celery/queue" in job.run_tags for job in definitions.resolve_all_job_defs())
    assert {target.job_name for target in apart.resolve_sensor_def("new_exports").targets} == {
        *("process_lake", "load_warehouse", "process_streams", "publish_warehouse")
    }


def test_freshness_is_judged_with_the_reports_and_not_by_each_run(definitions: dg.Definitions) -> None:
    judging = {
        name: {check.name for check in definitions.resolve_job_def(name).asset_layer.asset_graph.asset_check_keys}
        for name in ("process_exports", "refresh_reports")
    }
    assert "keeps_schema" in judging["process_exports"] and "is_fresh" not in judging["process_exports"]
    assert judging["refresh_reports"] == {"is_fresh"}


def test_the_sensors_are_on_by_themselves_and_start_these_jobs(definitions: dg.Definitions) -> None:
    jobs: dict[str, list[str]] = {}
    stopped: list[str] = []
    for sensor in definitions.sensors or ():
        assert isinstance(sensor, dg.SensorDefinition)
        if sensor.default_status is not dg.DefaultSensorStatus.RUNNING:
            stopped.append(sensor.name)
        jobs[sensor.name] = [target.job_name for target in sensor.targets]
    assert jobs == {
        "new_exports": ["process_exports", "process_streams", "publish_warehouse"],
        "changed_tables": ["refresh_reports"],
        "alerts": [],
    }
    assert stopped == ["alerts"]  # nobody is named who would get them


def test_the_daily_schedule_extracts_and_needs_no_warehouse(definitions: dg.Definitions) -> None:
    schedules = {one.name: one for one in definitions.schedules or () if isinstance(one, dg.ScheduleDefinition)}
    assert {name: one.job_name for name, one in schedules.items()} == {
        "daily_extraction": "extract_exports",
        "weekly_digest": "send_digest",
    }
    job = definitions.resolve_job_def("extract_exports")
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert made == {key for key in GRAPH if key.startswith("landing")} - {"landing/streams"}


def test_the_graph_is_the_same_for_other_accounts(install: Install) -> None:
    other = build_definitions(install("north", south="south.bytheway"))
    assert {key.to_user_string() for key in other.resolve_asset_graph().get_all_asset_keys()} == GRAPH.keys()


def python(code: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """A fresh Python with an empty data folder."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))}
    environment = ours | {"TIKTOK_DATA_DIR": str(folder / "data"), "TIKTOK_ACCOUNTS": "pig1987,zonea0"}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_definitions_load_without_warning_browser_network_or_writing(tmp_path: Path) -> None:
    code = """
import socket, sys

def refuse(*address):
    raise AssertionError(f"the network was asked for {address}")

socket.getaddrinfo = socket.socket.connect = refuse
import tiktok_assets.definitions
lazy = {"playwright", "altair", "vl_convert", "jinja2", "fastexcel", "starlette", "uvicorn", "xlsxwriter", "apprise"}
early = {"tiktok_assets.simulator", *lazy} & set(sys.modules)
assert not early, early
"""
    loaded = python(code, tmp_path, "-W", "error")
    assert (loaded.returncode, loaded.stderr) == (0, "")
    assert not (tmp_path / "data").exists()


def test_exports_reports_and_curated_import_no_dagster(tmp_path: Path) -> None:
    code = """
import importlib, pkgutil, sys
for name in ("exports", "reports", "curated"):
    package = importlib.import_module(f"tiktok_assets.{name}")
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
assert not {"dagster", "duckdb", "playwright"} & set(sys.modules)
"""
    imported = python(code, tmp_path)
    assert (imported.returncode, imported.stderr) == (0, "")


@pytest.mark.parametrize("command", [("dg", "check", "defs"), ("dagster", "definitions", "validate")], ids=" ".join)
def test_dagsters_own_check_of_the_definitions_passes(command: tuple[str, ...], tmp_path: Path) -> None:
    program = Path(sys.executable).parent / command[0]
    environment = os.environ | {"DAGSTER_HOME": str(tmp_path), "TIKTOK_DATA_DIR": str(tmp_path / "data")}
    checked = subprocess.run([program, *command[1:]], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
