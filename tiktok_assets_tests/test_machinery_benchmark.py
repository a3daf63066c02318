"""The other side of the benchmark stores the same days as processing, and a look at a stack finds whose work it is."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks import plain_load, stacks
from benchmarks.processing import LAST, prepare, visit
from tiktok_assets.pipeline.process import process
from tiktok_assets_tests.instances import fresh

NUMBERS = ["video_views", "profile_views", "likes", "comments", "shares"]
NUMBERS += ["unique_viewers", "new_viewers", "returning_viewers", "followers"]


def days(file: Path) -> pl.DataFrame:
    with duckdb.connect(file, read_only=True) as connection:
        query = f"select account, date, {', '.join(NUMBERS)} from social_media_stats order by all"
        return pl.DataFrame(connection.sql(query).to_arrow_table()).cast(dict.fromkeys(NUMBERS, pl.Int64))


def test_plain_polars_stores_the_days_that_processing_stores(tmp_path: Path) -> None:
    settings = prepare(tmp_path / "ours", 1)
    visit(settings, settings.accounts[0], LAST, 28)
    assert process(settings, instance=fresh()).is_clean
    plain_load.load(Path(str(settings.landing)), tmp_path / "plain")
    found = days(tmp_path / "plain" / "plain.duckdb")
    assert found.height == 28
    assert_frame_equal(found, days(Path(str(settings.warehouse))))


SITE = "/venv/lib/python3.11/site-packages"
PROJECT = "/project/tiktok_assets"


@pytest.mark.parametrize(
    ("innermost_first", "part"),
    [
        ([f"{SITE}/polars/lazyframe/frame.py", f"{PROJECT}/storage/lake.py", f"{SITE}/dagster/a.py"], stacks.PARQUET),
        ([f"{SITE}/polars/frame.py", f"{PROJECT}/curated/peers.py", f"{SITE}/dagster/a.py"], stacks.OURS),
        ([f"{SITE}/polars/frame.py", f"{SITE}/pandera/b.py", f"{PROJECT}/assets/raw.py"], stacks.CHECKS),
        (["/python/json/encoder.py", f"{SITE}/dagster/serdes.py", f"{PROJECT}/assets/raw.py"], stacks.DAGSTER),
        (["/python/json/encoder.py", f"{PROJECT}/storage/duckdb.py", f"{SITE}/dagster/a.py"], stacks.DUCKDB),
        ([f"{SITE}/sqlalchemy/engine/base.py", f"{PROJECT}/storage/event_log.py"], stacks.HISTORY),
        (["<frozen importlib._bootstrap>", f"{SITE}/polars/__init__.py", f"{PROJECT}/cli.py"], stacks.IMPORTS),
        (["/python/runpy.py"], stacks.IMPORTS),
    ],
)
def test_a_look_at_a_stack_belongs_to_whoever_did_the_work(innermost_first: list[str], part: str) -> None:
    assert stacks.part_of(innermost_first) == part
