"""docs/extending.md, step by step: its blocks applied to a copy of the project, and what that makes of exports.

A block with a ``title`` is that file: whole, or as a diff whose unmarked and removed lines stand there exactly once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/extending.md"
BLOCKS = re.findall(r'^```(python|diff) title="([^"]+)"\n(.*?)^```$', PAGE.read_text(), re.MULTILINE | re.DOTALL)

RUN = """
import datetime as dt
import json
import sys
from pathlib import Path

import duckdb
import polars as pl

from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import range_tags
from tiktok_assets.simulator.exports import land, studio_exports
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.vintages.as_of import as_of
from tiktok_assets.vintages.trace import trace
from tiktok_assets.accounts import load_roster
from tiktok_assets_tests.curated.account import test_weekdays
from tiktok_assets_tests.landing_files import drop
from tiktok_assets_tests.history import ACCOUNT, installation
from tiktok_assets_tests.instances import fresh

DECEMBER, JANUARY = dt.date(2024, 12, 1), dt.date(2025, 1, 1)
at = dt.datetime(2025, 1, 20, 16, 20, 30, tzinfo=dt.UTC)
settings = installation(Path(sys.argv[1]))
landing = Path(str(settings.landing)) / "north"
for export in studio_exports(ACCOUNT, dt.date(2024, 12, 28), dt.date(2025, 1, 19), downloaded_at=at):
    land(export, landing)
drop(b'"Device","Distribution"\\n"iPhone","0.6"\\n"Android","0.4"\\n', landing, "FollowerDevices.csv")


def checks(first, last):
    with fresh() as instance:
        job = build_definitions(settings).resolve_job_def("process_exports")
        ran = job.execute_in_process(instance=instance, tags=range_tags(["north"], [first, last]))
    found = [one for one in ran.get_asset_check_evaluations() if one.check_name == "all_weekdays_are_known"]
    return [(one.passed, one.description) for one in found]


def rows(query):
    with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
        return connection.sql(query).fetchall()


test_weekdays.test_a_weekday_has_the_mean_of_its_known_days_in_the_month_and_the_eight_weeks_before()
both, january = checks(DECEMBER, dt.date(2025, 6, 1)), checks(JANUARY, JANUARY)
path = trace(settings, load_roster(settings)["north"], dt.date(2025, 1, 5), "comment_rate")
devices = pl.read_parquet(f"{settings.data_dir}/staging/follower_devices/**/*.parquet")
found = {
    "devices": devices.select("device", "share").rows(),
    "checks": [both, january],
    "days": [downstream_days("curated/weekdays"), downstream_days("warehouse/weekday_views")],
    "weekdays": rows("select account, date::text, weekday, days_known from weekday_views order by all"),
    "as_of": as_of(settings, at, "weekday_views").height,
    "comment": rows("select comment from duckdb_tables() where table_name = 'weekday_views'"),
    "rates": rows("select count(*), count(*) filter (comment_rate = comments / video_views) from social_media_stats"),
    "columns": rows("select table_name, unit, source from _columns where column_name = 'comment_rate'"),
    "formula": path.formula,
}
Path(sys.argv[2]).write_text(json.dumps(found))
"""


def applied(root: Path) -> None:
    """Every block of the page, in its order, to the project in ``root``."""
    for kind, name, text in BLOCKS:
        path = root / name
        if kind == "python":
            assert not path.exists(), f"{name} is new on the page and not in the project"
            path.write_text(text)
            continue
        lines = text.splitlines(keepends=True)
        before, after = ("".join(line[1:] for line in lines if line[0] in marks) for marks in (" -", " +"))
        assert path.read_text().count(before) == 1, f"{name} holds these lines not once:\n{before}"
        path.write_text(path.read_text().replace(before, after))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the extended copy makes of a few exports, in a process of its own."""
    root = tmp_path_factory.mktemp("copy")
    for package in ("tiktok_assets", "tiktok_assets_tests"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    applied(root)
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("TIKTOK_", "DAGSTER_"))}
    command = [sys.executable, "-c", RUN, str(root / "installation"), str(root / "found.json")]
    ran = subprocess.run(
        command, cwd=root, env=ours | {"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    return json.loads((root / "found.json").read_text())


pytestmark = pytest.mark.e2e


def test_the_report_is_recognized_and_staged(made: dict[str, Any]) -> None:
    assert sorted(made["devices"]) == [["Android", 0.4], ["iPhone", 0.6]]


def test_the_table_is_made_published_described_and_known_of_any_moment(made: dict[str, Any]) -> None:
    december = [row for row in made["weekdays"] if row[1] == "2024-12-01"]
    january = [row for row in made["weekdays"] if row[1] == "2025-01-01"]
    # 28 to 31 December are a Saturday to a Tuesday; 23 days up to 19 January, all of which January looks back at.
    assert [row[2:4] for row in december] == [[1, 1], [2, 1], [6, 1], [7, 1]]
    assert [row[2] for row in january] == [1, 2, 3, 4, 5, 6, 7]
    assert sum(row[3] for row in january) == 23
    assert made["as_of"] >= len(december) + len(january)
    assert made["comment"] == [
        ["One row per account, month and weekday: the views of the month and the 8 weeks before it."]
    ]
    assert made["days"] == [122 + 56, 122 + 56]


def test_the_check_is_seen_broken_and_kept(made: dict[str, Any]) -> None:
    both, january = made["checks"]
    sentence = "north, 1 December 2024: Nothing is known of 3 weekdays: export these weeks again."
    assert both == [[False, sentence]]
    assert january == [[True, None]]


def test_the_metric_is_in_the_warehouse_its_catalog_and_trace(made: dict[str, Any]) -> None:
    ((days, right),) = made["rates"]
    assert (days, right) == (23, 23)
    assert made["columns"] == [
        ["social_media_stats", "ratio", "staging/overview.comments, staging/overview.video_views"]
    ]
    assert made["formula"] == "comments / video_views"
