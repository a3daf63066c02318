"""Partitions: which rectangle a run is asked for, and that nothing outside of it is ever stored."""

from __future__ import annotations

import datetime as dt
from random import Random

import dagster as dg
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.assets.partitions import account_months
from tiktok_assets.failures import EmptyRange, RowsOutsideRange
from tiktok_assets.partitions import RANGE_END, RANGE_START, PartitionRange, partition_range, range_tags
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets_tests.instances import fresh
from tiktok_assets_tests.landing_files import drop_export, materialize

JANUARY, FEBRUARY, MARCH = (dt.date(2026, month, 1) for month in (1, 2, 3))
months = st.dates(dt.date(2020, 1, 1), dt.date(2030, 1, 1)).map(lambda day: day.replace(day=1))


@given(
    st.lists(st.sampled_from("abc"), min_size=1, unique=True), st.lists(months, min_size=1, unique=True), st.randoms()
)
def test_a_rectangle_is_the_same_in_whatever_order_its_keys_come(
    accounts: list[str], asked: list[dt.date], random: Random
) -> None:
    keys = [f"{account}|{month}" for account in accounts for month in asked]
    partitions = partition_range(random.sample(keys, len(keys)))
    assert sorted(partitions.accounts) == sorted(accounts)
    assert partitions.months == tuple(sorted(asked))
    assert partitions.keys_frame().height == len(keys)


def test_an_account_name_may_contain_a_bar() -> None:
    assert partition_range(["a|b|2026-01-01"]) == PartitionRange(("a|b",), (JANUARY,))


@pytest.mark.parametrize(
    ("month", "last"), [((2024, 2), (2024, 2, 29)), ((2026, 2), (2026, 2, 28)), ((2025, 12), (2025, 12, 31))]
)
def test_a_range_ends_on_the_last_day_of_its_last_month(month: tuple[int, int], last: tuple[int, int, int]) -> None:
    partitions = partition_range([f"a|{dt.date(*month, 1)}"])
    assert (partitions.first_day, partitions.last_day) == (dt.date(*month, 1), dt.date(*last))


def test_the_current_month_has_a_partition_and_the_next_has_none() -> None:
    keys = account_months(["a"], dt.date(2026, 1, 1)).get_partition_keys(dt.datetime(2026, 3, 31, 23, tzinfo=dt.UTC))
    assert keys == ["a|2026-01-01", "a|2026-02-01", "a|2026-03-01"]


def test_range_tags_cover_all_months_in_between() -> None:
    assert range_tags(["a"], [MARCH, JANUARY]) == {RANGE_START: "a|2026-01-01", RANGE_END: "a|2026-03-01"}


def test_a_run_for_no_partition_is_an_error() -> None:
    with pytest.raises(EmptyRange, match="Is the range reversed"):
        partition_range([])


def test_rows_of_other_partitions_are_refused_with_an_example() -> None:
    partitions = PartitionRange(("a", "b"), (JANUARY, MARCH))
    rows = pl.DataFrame({"account": ["a", "b"], "date": [dt.date(2026, 1, 31), dt.date(2026, 3, 1)]})
    assert partitions.require(rows, "staging/overview")["month"].to_list() == [JANUARY, MARCH]
    for account, day in (("a", dt.date(2026, 2, 1)), ("c", dt.date(2026, 1, 1))):
        stray = pl.DataFrame({"account": [account], "date": [day]})
        with pytest.raises(RowsOutsideRange, match=rf"staging/overview: 1 rows lie outside.*{account}"):
            partitions.require(pl.concat([rows, stray]), "staging/overview")


# --- through Dagster -------------------------------------------------------------------------------------------------

GROUPS = ("raw", "staging", "curated", "warehouse")


def stored(settings: Settings) -> dict[tuple[str, dt.date], int]:
    """Account and month -> days in the warehouse."""
    with Warehouse(settings.state / "warehouse.duckdb", settings.warehouse).session() as session:
        rows = session.connection.sql(
            "select account, date_trunc('month', date)::date, count(*) from social_media_stats group by all"
        ).fetchall()
    return {(account, month): days for account, month, days in rows}


def test_a_reversed_range_fails_loudly(settings: Settings) -> None:
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    tags = {RANGE_START: "pig1987|2025-06-01", RANGE_END: "pig1987|2025-05-01"}
    with fresh() as instance:
        run = materialize(settings, instance, *GROUPS, accounts=["pig1987"], tags=tags)
        assert not run.success
        failures = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
    assert failures
    assert all("Is the range reversed" in str(error) for error in failures)


def test_a_rectangle_of_accounts_and_months_is_one_run(settings: Settings) -> None:
    for handle, folder in (("pig1987", "pig1987"), ("zone.a0", "zonea0")):
        drop_export(settings, handle, "overview", folder=folder)
    may, june = dt.date(2025, 5, 1), dt.date(2025, 6, 1)
    with fresh() as instance:
        assert materialize(settings, instance, *GROUPS, accounts=["pig1987", "zonea0"]).success
        everything = {
            (account, month): 12 if month == may else 20 for account in ("pig1987", "zonea0") for month in (may, june)
        }
        assert stored(settings) == everything
        # One month of both accounts again: the other month stays as it is.
        assert materialize(settings, instance, *GROUPS, accounts=["pig1987", "zonea0"], months=[june]).success
        assert stored(settings) == everything
        one = instance.get_materialized_partitions(dg.AssetKey(["warehouse", "social_media_stats"]))
    assert one == {f"{account}|{month}" for account, month in everything}


def test_a_run_from_a_job_s_page_is_tagged_so_that_its_range_is_what_it_makes() -> None:
    """Dagster takes the range's tags from the first partition, and drops ``dagster/partition`` of them alone."""
    partitions = account_months(["a", "b"], JANUARY)
    assert dict(partitions.get_tags_for_partition_key("a|2026-01-01")) == {"dagster/partition": "a|2026-01-01"}


FIRST_OF_FOUR = {"dagster/partition/account": "pig1987", "dagster/partition/date": "2025-05-01"}


@pytest.mark.parametrize("groups", [GROUPS, ("landing",), ("reports",)])
def test_a_run_that_would_make_less_than_it_names_fails_at_its_first_step(
    settings: Settings, groups: tuple[str, ...]
) -> None:
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    tags = range_tags(["pig1987", "zonea0"], [dt.date(2025, 5, 1), dt.date(2025, 6, 1)])
    with fresh() as instance:
        run = materialize(settings, instance, *groups, accounts=[], tags=tags | FIRST_OF_FOUR)
        assert not run.success
        failures = [event.step_failure_data.error for event in run.all_events if event.is_step_failure]
        front_page = dg.AssetKey(["reports", "front_page"])  # of all accounts: it has no partition
        made = [event for event in run.all_events if event.is_step_materialization and event.asset_key != front_page]
    assert made == []
    message = str(failures[0])
    assert "pig1987|2025-05-01 to zonea0|2025-06-01, and Dagster would make only pig1987|2025-05-01" in message
    assert "Materialize and choose the partitions" in message


def test_the_event_of_a_single_partition_is_found_by_its_account_and_by_its_month(settings: Settings) -> None:
    drop_export(settings, "pig1987", "overview", folder="pig1987")
    key = dg.AssetKey(["staging", "overview"])
    with fresh() as instance:
        tags = {"dagster/partition": "pig1987|2025-05-01"}
        assert materialize(settings, instance, *GROUPS, accounts=[], tags=tags).success
        event = instance.get_latest_materialization_event(key)
    assert event is not None and event.asset_materialization is not None
    assert event.asset_materialization.tags is not None
    assert event.asset_materialization.tags.items() >= FIRST_OF_FOUR.items()
