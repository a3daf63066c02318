"""Analytics: an agency's days from staging to the warehouse, compared with the same arithmetic in plain Polars and in
SQL.

All sides read the same three Parquet files and end with the same tables in a DuckDB file; before anything is timed,
every number of every row is compared. The cost of Dagster's bookkeeping is measured separately: the curated and
warehouse assets run once over these days, and once over as many month partitions without any rows.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from benchmarks import plain_polars, plain_sql
from benchmarks.processing import LAST, prepare
from benchmarks.timing import Pair, side_by_side
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.account.account_daily import SOCIAL_MEDIA_STATS, account_daily
from tiktok_assets.curated.account.benchmarks import ACCOUNT_BENCHMARKS
from tiktok_assets.curated.account.periods import PERIODS, account_periods
from tiktok_assets.curated.quality.restatements import Settling
from tiktok_assets.curated.table import Parameters
from tiktok_assets.curated.videos import viral
from tiktok_assets.graph import build_definitions
from tiktok_assets.partitions import PartitionRange, range_tags
from tiktok_assets.reports.follower_history import FollowerHistory
from tiktok_assets.reports.insights import Insights
from tiktok_assets.reports.overview import Overview
from tiktok_assets.reports.viewers import Viewers
from tiktok_assets.settings import Settings
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake

_REPORTS = {"overview": Overview, "viewers": Viewers, "follower_history": FollowerHistory}
_KEYS = {
    "social_media_stats": ["account", "date"],
    "account_periods": ["account", "period", "starts_on"],
    "account_benchmarks": ["account", "date", "metric"],
}
_LOADED = dt.datetime.combine(LAST + dt.timedelta(days=1), dt.time(18), dt.UTC)


def staged_days(accounts: tuple[str, ...], days: int) -> dict[str, pl.DataFrame]:
    """Staging of the daily reports of simulated accounts, each from one export."""
    first = LAST - dt.timedelta(days=days - 1)
    truths = [SimulatedAccount.generate(name, number, first, LAST) for number, name in enumerate(accounts)]
    rows = pl.concat(truth.daily.with_columns(account=pl.lit(truth.handle)) for truth in truths)
    rows = rows.rename({"day": "date"}).with_columns(
        date_label="date",
        date_shift_days=pl.lit(0, pl.Int64),
        downloaded_at=pl.lit(_LOADED).cast(pl.Datetime("us", "UTC")),
        export_id=pl.lit("e" * 64),
        follower_difference=pl.col("followers").diff().over("account"),
    )
    # Studio exports none of Business Suite's columns.
    rows = rows.drop("new_followers", "lost_followers")
    return {name: conform(rows, schema) for name, schema in _REPORTS.items()}


def measure(folder: Path, accounts: int = 100, days: int = 365) -> list[Pair]:
    """Curated and warehouse of ``accounts`` x ``days``: arithmetic and DuckDB, then the graph with its bookkeeping."""
    settings = prepare(folder, accounts).model_copy(update={"start_date": dt.date(2020, 1, 1)})
    staged = staged_days(settings.accounts, days)
    write(staged, folder)
    sides = {"Polars": in_polars, "SQL": in_sql}
    assert_equal(in_the_project(folder), {name: side(folder) for name, side in sides.items()})
    what = f"{accounts} accounts x {days} days, staging to warehouse"
    pairs = [
        side_by_side(f"{what}, against plain {name}", lambda: in_the_project(folder), lambda side=side: side(folder))
        for name, side in sides.items()
    ]
    return [*pairs, _graph(settings, staged, f"the curated and warehouse assets of {accounts} accounts x {days} days")]


def write(staged: Mapping[str, pl.DataFrame], folder: Path) -> None:
    """The input of all sides."""
    for name, rows in staged.items():
        rows.write_parquet(folder / f"{name}.parquet")


def in_the_project(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables as the assets make them, without Dagster."""
    staged = {name: pl.read_parquet(folder / f"{name}.parquet") for name in _REPORTS}
    days = account_daily(
        staged["overview"], staged["viewers"], staged["follower_history"], Insights.empty(), Settling.empty()
    )
    months = days["date"].dt.truncate("1mo").unique().sort().to_list()
    parameters = Parameters(
        months=months,
        loaded_at=_LOADED,
        viral_min_views=viral.MIN_VIEWS,
        viral_growth=viral.GROWTH_THRESHOLD,
    )
    stats = SOCIAL_MEDIA_STATS.rows({"account_daily": days}, parameters)
    tables = {
        "social_media_stats": stats,
        "account_periods": PERIODS.rows({"account_periods": account_periods(days)}, parameters),
        "account_benchmarks": ACCOUNT_BENCHMARKS.rows({"days": stats}, parameters),
    }
    partitions = PartitionRange(tuple(stats["account"].unique().sort()), tuple(months))
    store = Warehouse(folder / "ours.duckdb", folder / "published.duckdb")
    with store.session() as session:
        for name, rows in tables.items():
            session.replace(name, "date", rows, partitions.extended(after=31))
    return tables


def in_polars(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables by ``plain_polars``."""
    days = plain_polars.days(
        *(
            pl.scan_parquet(folder / f"{name}.parquet").select("account", "date", *columns)
            for name, columns in _COLUMNS.items()
        )
    )
    tables = {
        "social_media_stats": days,
        "account_periods": plain_polars.periods(days),
        "account_benchmarks": plain_polars.benchmarks(days),
    }
    with duckdb.connect(str(folder / "polars.duckdb")) as connection:
        for name, rows in tables.items():
            connection.register("_rows", rows.to_arrow())
            connection.execute(f"create or replace table {name} as from _rows")
    return tables


def in_sql(folder: Path) -> dict[str, pl.DataFrame]:
    """The tables by ``plain_sql``."""
    with duckdb.connect(str(folder / "sql.duckdb")) as connection:
        for name, columns in _COLUMNS.items():
            source = f"select account, date, {', '.join(columns)} from '{folder / name}.parquet'"
            connection.execute(f"create or replace view {name} as {source}")
        for query in (plain_sql.DAYS, plain_sql.PERIODS, plain_sql.BENCHMARKS):
            connection.execute(query)
        sources = {"social_media_stats": "days"}
        return {name: pl.DataFrame(connection.table(sources.get(name, name)).to_arrow_table()) for name in _KEYS}


_COLUMNS = {
    "overview": ("video_views", "profile_views", "likes", "comments", "shares"),
    "viewers": ("unique_viewers", "new_viewers", "returning_viewers"),
    "follower_history": ("followers",),
}


def assert_equal(ours: Mapping[str, pl.DataFrame], sides: Mapping[str, Mapping[str, pl.DataFrame]]) -> None:
    """Raises AssertionError if a side has a different row or number: then it is not the same arithmetic."""
    from polars.testing import assert_frame_equal

    for side, tables in sides.items():
        for name, rows in tables.items():
            columns = [column for column in rows.columns if column in ours[name].columns]
            if len(columns) < rows.width:
                raise AssertionError(f"{side}, {name}: {sorted(set(rows.columns) - set(columns))} are not ours")
            expected = ours[name].select(columns).sort(_KEYS[name])
            found = rows.select(columns).sort(_KEYS[name]).cast(dict(expected.schema))  # pyright: ignore[reportArgumentType]
            assert_frame_equal(found, expected, rel_tol=1e-9)


def _graph(settings: Settings, staged: Mapping[str, pl.DataFrame], what: str) -> Pair:
    """The assets run by Dagster over the days, against as many month partitions without rows: its bookkeeping."""
    lake = Lake(settings)
    for name, rows in staged.items():
        by_partition = rows.with_columns(month=pl.col("date").dt.truncate("1mo")).partition_by(
            "account", "month", as_dict=True
        )
        for (account, month), partitions in by_partition.items():
            lake.write(lake.partition_file("staging", name, str(account), month), partitions.drop("month"))  # pyright: ignore[reportArgumentType]
    assets = dg.AssetSelection.groups("curated", "warehouse") - dg.AssetSelection.assets(
        *(["curated", "restatements"], ["curated", "settling"], ["warehouse", "exports"]),  # made of raw
        ["warehouse", "song_streams"],  # of months alone
    )
    definitions = dg.Definitions.merge(
        build_definitions(settings), dg.Definitions(jobs=[dg.define_asset_job("analytics", assets)])
    )
    job = definitions.resolve_job_def("analytics")
    first = min(rows["date"].min() for rows in staged.values())  # pyright: ignore[reportArgumentType]
    months = pl.date_range(first.replace(day=1), LAST.replace(day=1), "1mo", eager=True).to_list()  # pyright: ignore[reportOptionalMemberAccess,reportAttributeAccessIssue]
    years_before = [month.replace(year=month.year - 5) for month in months]
    empty, full = (_seconds(job, settings, asked) for asked in (years_before, months))
    return Pair(f"{what}, against as many partitions without rows: bookkeeping", full, empty, full / empty)


def _seconds(job: dg.JobDefinition, settings: Settings, months: list[dt.date]) -> float:
    tags = range_tags([settings.accounts[0], settings.accounts[-1]], months)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        start = time.perf_counter()
        job.execute_in_process(instance=instance, tags=tags, run_config=quiet)
        return time.perf_counter() - start
