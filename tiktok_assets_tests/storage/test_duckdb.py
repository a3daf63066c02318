"""The warehouse file: what a run stores, what a crash leaves, and what readers get while it is written."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl
import pytest

from tiktok_assets.assets.partitions import account_months
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.failures import RowsOutsideRange, WarehouseUnusable
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage import duckdb as ours
from tiktok_assets.storage.duckdb import Replaced, Warehouse
from tiktok_assets.storage.file_locks import FileLocks
from tiktok_assets.storage.warehouse_io import warehouse_io_manager

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    folder = tmp_path / "the label's data"
    return Warehouse(folder / "state" / "warehouse.duckdb", folder / "warehouse" / "tiktok.duckdb")


def days(*rows: tuple[str, date, int, int]) -> pl.DataFrame:
    """Account, day, views, likes."""
    return pl.DataFrame(rows, ["account", "date", "views", "likes"], orient="row").with_columns(
        pl.col("account").cast(pl.String), pl.col("date").cast(pl.Date), pl.col("views", "likes").cast(pl.Int64)
    )


def stored(warehouse: Warehouse, query: str = "from t order by all") -> list[tuple[object, ...]]:
    with warehouse.session() as session:
        return session.connection.sql(query).fetchall()


def replace(
    warehouse: Warehouse, table: str, day: str, rows: Rows, partitions: PartitionRange, **more: Any
) -> Replaced:
    with warehouse.session() as session:
        return session.replace(table, day, rows, partitions, **more)


def read(warehouse: Warehouse, *arguments: Any, **more: Any) -> pl.DataFrame:
    with warehouse.session() as session:
        return session.read(*arguments, **more)


def publish(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.publish()


def published(warehouse: Warehouse, query: str = "from t order by all") -> list[tuple[object, ...]]:
    with duckdb.connect(str(warehouse.published), read_only=True) as connection:
        return connection.sql(query).fetchall()


@contextmanager
def process(code: str) -> Iterator[subprocess.Popen[str]]:
    """Another Python process; ``code`` prints a line when it is ready, and continues when we send a line."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        yield running
        running.kill()


def test_a_rectangle_of_partitions_is_replaced_exactly(warehouse: Warehouse) -> None:
    everything = PartitionRange(("a", "b", "c"), (JANUARY, FEBRUARY, MARCH))
    before = [(account, month, 1, 1) for account in everything.accounts for month in everything.months]
    assert replace(warehouse, "t", "date", days(*before), everything).rows == 0
    partitions = PartitionRange(("a", "c"), (JANUARY, MARCH))
    replaced = replace(warehouse, "t", "date", days(("a", date(2025, 1, 31), 7, 7), ("c", MARCH, 8, 8)), partitions)
    assert replaced.rows == 4
    assert stored(warehouse) == [
        ("a", date(2025, 1, 31), 7, 7),
        ("a", FEBRUARY, 1, 1),
        *(("b", month, 1, 1) for month in everything.months),
        ("c", FEBRUARY, 1, 1),
        ("c", MARCH, 8, 8),
    ]


def test_columns_are_matched_by_name_and_not_by_position(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 100, 5)), partitions)
    swapped = days(("a", JANUARY, 200, 6)).select("likes", "views", "date", "account")
    replace(warehouse, "t", "date", swapped, partitions)
    assert stored(warehouse, "select views, likes from t") == [(200, 6)]


def test_a_new_column_is_added_and_unknown_in_older_rows(warehouse: Warehouse) -> None:
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), PartitionRange(("a",), (JANUARY,)))
    more = days(("a", FEBRUARY, 2, 2)).with_columns(rate=0.5, tags=pl.lit(["x"]))
    replace(warehouse, "t", "date", more, PartitionRange(("a",), (FEBRUARY,)))
    assert stored(warehouse, "select views, rate, tags from t order by 1") == [(1, None, None), (2, 0.5, ["x"])]


def test_a_column_that_is_no_longer_made_is_unknown_in_newer_rows(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions)
    replace(warehouse, "t", "date", days(("a", JANUARY, 2, 2)).drop("likes"), partitions)
    assert stored(warehouse, "select views, likes from t") == [(2, None)]


def test_an_empty_frame_empties_the_partitions_and_keeps_the_table(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1), ("a", JANUARY, 2, 2)), partitions)
    assert replace(warehouse, "t", "date", days(), partitions).rows == 2
    assert stored(warehouse) == []
    replace(warehouse, "never_filled", "date", days(), partitions)
    assert stored(warehouse, "select count(views) from never_filled") == [(0,)]


ALL = PartitionRange(("a", "b"), (JANUARY, FEBRUARY, MARCH))


def test_downstream_months_are_replaced_only_where_they_changed(warehouse: Warehouse) -> None:
    first = days(*((account, month, 1, 1) for account in "ab" for month in ALL.months)).with_columns(loaded_at=1)
    replace(warehouse, "t", "date", first, ALL)
    again = days(("a", JANUARY, 1, 1), ("a", FEBRUARY, 1, 1), ("a", MARCH, 7, 1)).with_columns(loaded_at=2)
    partitions, reached = PartitionRange(("a",), (JANUARY,)), PartitionRange(("a",), ALL.months)
    replaced = replace(warehouse, "t", "date", again, partitions, reached=reached)
    assert replaced.changed == [("a", MARCH)]
    assert stored(warehouse, "select date, views, loaded_at from t where account = 'a' order by date") == [
        (JANUARY, 1, 2),
        (FEBRUARY, 1, 1),  # says the same as before, so it is not written again
        (MARCH, 7, 2),
    ]
    gone = replace(warehouse, "t", "date", again.head(1), partitions, reached=reached)
    assert gone.changed == [("a", FEBRUARY), ("a", MARCH)]
    assert stored(warehouse, "select account, count(*) from t group by all order by all") == [("a", 1), ("b", 3)]


def test_a_table_over_all_accounts_changes_the_runs_months_of_every_account_only(warehouse: Warehouse) -> None:
    replace(warehouse, "t", "date", days(*((account, month, 1, 1) for account in "ab" for month in ALL.months)), ALL)
    rows = days(("a", JANUARY, 1, 1), ("b", JANUARY, 2, 1), ("c", JANUARY, 3, 1))
    partitions = PartitionRange(("a",), (JANUARY,))
    replaced = replace(warehouse, "t", "date", rows, partitions, reached=partitions, every_account=True)
    assert replaced.changed == [("b", JANUARY), ("c", JANUARY)]
    assert stored(warehouse, "select account, views from t where date = '2025-01-01' order by all") == [
        ("a", 1),
        ("b", 2),
        ("c", 3),
    ]
    assert stored(warehouse, "select count(*) from t where date > '2025-01-01'") == [(4,)]
    all_rows = read(warehouse, "t", "date", partitions, ["account", "views"], every_account=True)
    assert all_rows.sort("account").rows() == [("a", 1), ("b", 2), ("c", 3)]


def test_a_column_over_all_months_is_right_whichever_month_was_stored_last(warehouse: Warehouse) -> None:
    newest = {"newest": "date = max(date) over (partition by account)"}
    rows = days(*((account, month, 1, 1) for account in "ab" for month in ALL.months))
    rows = rows.with_columns(newest=pl.lit(None, pl.Boolean))
    for month in (FEBRUARY, MARCH, JANUARY):
        partitions = PartitionRange(("a", "b"), (month,))
        replace(warehouse, "t", "date", rows.filter(date=month), partitions, over_all_months=newest)
    assert stored(warehouse, "select account, date from t where newest order by all") == [("a", MARCH), ("b", MARCH)]
    replace(warehouse, "t", "date", rows.clear(), PartitionRange(("a",), (MARCH,)), over_all_months=newest)
    assert stored(warehouse, "select account, date from t where newest order by all") == [("a", FEBRUARY), ("b", MARCH)]
    assert stored(warehouse, "select count(*) from t where newest is null") == [(0,)]


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_column_over_all_months_is_right_for_very_many_rows(warehouse: Warehouse, is_lazy: bool) -> None:
    """With two threads DuckDB 2.0 updates none of several row groups that the same transaction has inserted."""
    count = 300_000
    rows = pl.select(
        account=pl.lit("a"), date=pl.lit(JANUARY), views=pl.int_range(count), newest=pl.lit(None, pl.Boolean)
    )
    newest = {"newest": "date = max(date) over (partition by account, views)"}
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", rows.lazy() if is_lazy else rows, partitions, over_all_months=newest)
    assert stored(warehouse, "select newest, count(distinct views) from t group by all") == [(True, count)]


def test_views_are_published_once_their_tables_exist(tmp_path: Path) -> None:
    views = {
        "v": "select account, views * 2 as twice from t",
        "later": "from not_there_yet",
        "old": "select gone from t",
    }
    warehouse = Warehouse(tmp_path / "warehouse.duckdb", tmp_path / "published" / "tiktok.duckdb", views)
    replace(warehouse, "t", "date", days(("a", JANUARY, 21, 1)), PartitionRange(("a",), (JANUARY,)))
    publish(warehouse)
    assert published(warehouse, "from v") == [("a", 42)]
    assert published(warehouse, "select view_name from duckdb_views() where not internal") == [("v",)]


def test_reading_returns_the_rows_of_the_partition_range(warehouse: Warehouse) -> None:
    everything = days(("a", JANUARY, 1, 1), ("a", FEBRUARY, 2, 2), ("b", JANUARY, 3, 3))
    replace(warehouse, "t", "date", everything, PartitionRange(("a", "b"), (JANUARY, FEBRUARY)))
    assert (
        read(warehouse, "t", "date", PartitionRange(("a", "b"), (JANUARY,)))
        .sort("account")
        .equals(days(("a", JANUARY, 1, 1), ("b", JANUARY, 3, 3)))
    )


def test_moments_are_plain_timestamps_in_utc(warehouse: Warehouse) -> None:
    plain = datetime.fromisoformat("2025-01-01 12:30")
    athens = pl.Series([datetime(2025, 1, 1, 12, 30, tzinfo=UTC)]).dt.convert_time_zone("Europe/Athens")
    rows = days(("a", JANUARY, 1, 1)).with_columns(seen_at=athens)
    replace(warehouse, "t", "date", rows, PartitionRange(("a",), (JANUARY,)))
    assert stored(warehouse, "select seen_at, typeof(seen_at) from t") == [(plain, "TIMESTAMP")]


def test_a_failure_in_the_middle_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions)
    wrong = days(("a", JANUARY, 2, 2)).with_columns(views=pl.lit("many"), extra=1)
    with pytest.raises(duckdb.ConversionException, match="many"):
        replace(warehouse, "t", "date", wrong, partitions)
    assert stored(warehouse, "select * from t") == [("a", JANUARY, 1, 1)]


def test_after_a_long_list_that_failed_the_session_stores_other_rows(warehouse: Warehouse) -> None:
    partitions, rows = PartitionRange(("a",), (JANUARY,)), days(("a", JANUARY, 1, 1))
    with warehouse.session() as session:
        session.replace("t", "date", rows, partitions)
        with pytest.raises(duckdb.ConversionException, match="many"):
            session.replace("t", "date", rows.lazy().with_columns(views=pl.lit("many")), partitions)
        session.replace("u", "date", rows, partitions)
    assert stored(warehouse, "from u") == [("a", JANUARY, 1, 1)]


def test_a_process_killed_between_delete_and_insert_leaves_the_table_as_it_was(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    before = days(*(("a", JANUARY, number, number) for number in range(180)))
    replace(warehouse, "t", "date", before, partitions)
    code = f"""
import sys, time
from datetime import date
from pathlib import Path
import duckdb, polars as pl
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage import duckdb as ours

class Stops:
    '''A connection that waits for its death once the rows are deleted.'''
    def __init__(self, connection): self.connection = connection
    def __getattr__(self, name): return getattr(self.connection, name)
    def execute(self, query, *rest):
        if query.startswith("insert"):
            print("ready", flush=True)
            time.sleep(60)
        return self.connection.execute(query, *rest)

connect = duckdb.connect
ours.duckdb.connect = lambda *path, **how: Stops(connect(*path, **how))
warehouse = ours.Warehouse(Path({str(warehouse.working)!r}), Path({str(warehouse.published)!r}))
rows = pl.DataFrame({{"account": ["a"], "date": [date(2025, 1, 1)], "views": [0], "likes": [0], "new": [0]}})
with warehouse.session() as session:
    session.replace("t", "date", rows, PartitionRange(("a",), (date(2025, 1, 1),)))
"""
    with process(code) as running:
        running.kill()
        running.wait()
    assert pl.DataFrame(stored(warehouse), before.schema, orient="row").equals(before.sort("views"))


def test_a_file_that_another_process_has_open_is_waited_for(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(), partitions)
    code = f"""
import duckdb, sys
with duckdb.connect({str(warehouse.working)!r}):
    print("ready", flush=True)
    sys.stdin.readline()
"""
    with process(code) as other:
        assert other.stdin is not None
        storing = threading.Thread(
            target=replace, args=(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions), daemon=True
        )
        storing.start()
        time.sleep(0.3)
        assert storing.is_alive()
        other.stdin.write("go on\n")
        other.stdin.flush()
        storing.join(timeout=30)
    assert stored(warehouse) == [("a", JANUARY, 1, 1)]


def test_waiting_for_another_programs_lock_ends_with_duckdbs_own_error(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ours, "LOCK_TIMEOUT", 0.2)
    replace(warehouse, "t", "date", days(), PartitionRange(("a",), (JANUARY,)))
    code = f"import duckdb, sys; c = duckdb.connect({str(warehouse.working)!r}); print('ready', flush=True); input()"
    with process(code) as _, pytest.raises(duckdb.IOException, match="lock"):
        stored(warehouse)


def test_a_file_that_is_no_database_is_not_waited_for(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.working.parent.mkdir(parents=True)
    warehouse.working.write_bytes(b"no database" * 1000)
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    with pytest.raises(WarehouseUnusable, match="is not a DuckDB file"):
        stored(warehouse)
    assert waits == []


def test_the_published_file_is_a_complete_database_without_leftovers(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    for views in (1, 2):
        replace(warehouse, "t", "date", days(("a", JANUARY, views, 0)), partitions)
        publish(warehouse)
        assert published(warehouse) == [("a", JANUARY, views, 0)]
    assert [path.name for path in warehouse.published.parent.iterdir()] == ["tiktok.duckdb"]
    assert sorted(path.name for path in warehouse.working.parent.iterdir()) == ["locks", "warehouse.duckdb"]


def test_a_reader_in_another_process_neither_stops_publishing_nor_loses_what_it_opened(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions)
    publish(warehouse)
    code = f"""
import duckdb, sys
with duckdb.connect({str(warehouse.published)!r}, read_only=True) as connection:
    print("ready", flush=True)
    sys.stdin.readline()
    print(connection.sql("select views from t").fetchall(), flush=True)
"""
    with process(code) as reader:
        assert reader.stdin is not None and reader.stdout is not None
        replace(warehouse, "t", "date", days(("a", JANUARY, 2, 2)), partitions)
        publish(warehouse)
        assert published(warehouse, "select views from t") == [(2,)]
        reader.stdin.write("look\n")
        reader.stdin.flush()
        assert reader.stdout.readline() == "[(1,)]\n"


def test_writing_into_the_published_file_does_not_break_the_next_one(
    warehouse: Warehouse,
) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions)
    publish(warehouse)
    code = f"""
import duckdb, sys
connection = duckdb.connect({str(warehouse.published)!r})
connection.execute("create table mine as select 42 as answer")
print("ready", flush=True)
sys.stdin.readline()
"""
    with process(code):  # left open, then killed: its log of changes stays beside the file
        replace(warehouse, "t", "date", days(("a", JANUARY, 2, 2)), partitions)
        publish(warehouse)
        assert published(warehouse, "select views from t") == [(2,)]
    assert published(warehouse, "select views from t") == [(2,)]


def test_the_later_of_two_publications_holds_the_later_state(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is put in place while the working file is still ours; another process can only come before or after."""
    replace(warehouse, "t", "date", days(), PartitionRange(("a",), (JANUARY,)))
    locks, held = FileLocks(warehouse.working.parent / "locks"), list[bool]()
    rename = Path.replace

    def watched(path: Path, target: Path) -> Path:
        held.append(locks.is_held("warehouse"))
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", watched)
    publish(warehouse)
    assert held == [True]


def test_unpublished_changes_are_detected(warehouse: Warehouse) -> None:
    partitions = PartitionRange(("a",), (JANUARY,))
    assert not warehouse.is_behind()
    assert warehouse.seconds_since_published() == float("inf")
    replace(warehouse, "t", "date", days(("a", JANUARY, 1, 1)), partitions)
    assert warehouse.is_behind()
    publish(warehouse)
    assert not warehouse.is_behind()
    assert warehouse.seconds_since_published() < 600
    assert stored(warehouse, "select views from t") == [(1,)]  # to look changes nothing
    assert not warehouse.is_behind()
    replace(warehouse, "t", "date", days(("a", JANUARY, 2, 2)), partitions)
    assert warehouse.is_behind()
    publish(warehouse)
    warehouse.published.unlink()
    assert warehouse.is_behind()


def test_a_half_empty_file_is_compacted(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_SMALL", 0)
    partitions = PartitionRange(("a",), (JANUARY,))
    numbers = pl.Series(range(1_000_000)).shuffle(seed=1)
    many = pl.DataFrame({"views": numbers, "likes": numbers.reverse()}).with_columns(account=pl.lit("a"), date=JANUARY)
    replace(warehouse, "t", "date", many, partitions)
    publish(warehouse)
    large = warehouse.working.stat().st_size
    replace(warehouse, "t", "date", many.head(1), partitions)
    publish(warehouse)
    assert warehouse.working.stat().st_size == warehouse.published.stat().st_size < large / 4
    assert stored(warehouse) == published(warehouse) == [many.row(0)]
    assert not warehouse.is_behind()


partitions = account_months(["a", "b"], JANUARY)


@dg.asset(key=["warehouse", "t"], partitions_def=partitions, io_manager_key="warehouse")
def t(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Stores a row for each of its partitions, or for the day in the run's tag."""
    outside = context.run.tags.get("day")
    keys = [key.rpartition("|") for key in context.partition_keys]
    rows = [(account, date.fromisoformat(outside or month), 1, 1) for account, _, month in keys]
    return days(*rows)


@dg.asset(key=["warehouse", "later"], deps=[t], partitions_def=partitions, io_manager_key="warehouse")
def fails() -> pl.DataFrame:
    raise dg.Failure("on purpose")


@dg.asset(
    key=["warehouse", "later"],
    ins={"rows": dg.AssetIn(["warehouse", "t"])},
    partitions_def=partitions,
    io_manager_key="warehouse",
)
def reads(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def materialize(
    warehouse: Warehouse,
    *assets: dg.AssetsDefinition | dg.SourceAsset,
    first: str,
    last: str,
    tags: dict[str, str] | None = None,
) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            assets,
            instance=instance,
            resources={"warehouse": warehouse_io_manager(warehouse, {"t": "date", "later": "date"})},
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
                **(tags or {}),
            },
            raise_on_error=False,
        )


def test_a_run_stores_its_partitions_and_publishes_at_its_end(warehouse: Warehouse) -> None:
    result = materialize(warehouse, t, first="a|2025-01-01", last="b|2025-02-01")
    assert result.success
    assert len(published(warehouse)) == 4
    metadata = result.asset_materializations_for_node("warehouse__t")[-1].metadata
    assert metadata["rows_replaced"].value == 0


def test_a_failed_run_still_publishes_what_was_stored(warehouse: Warehouse) -> None:
    result = materialize(warehouse, t, fails, first="a|2025-01-01", last="a|2025-01-01")
    assert not result.success
    assert published(warehouse) == [("a", JANUARY, 1, 1)]


def test_a_run_that_stored_nothing_publishes_nothing(warehouse: Warehouse) -> None:
    assert not materialize(warehouse, fails, first="a|2025-01-01", last="a|2025-01-01").success
    assert not warehouse.published.exists()


def test_rows_of_partitions_that_the_run_was_not_asked_for_are_refused(warehouse: Warehouse) -> None:
    result = materialize(warehouse, t, first="a|2025-01-01", last="a|2025-01-01", tags={"day": "2025-02-01"})
    assert not result.success
    (failure,) = (event for event in result.all_events if event.is_step_failure)
    assert "warehouse/t: 1 rows lie outside the partitions of this run" in str(failure.step_failure_data.error)
    assert not warehouse.published.exists()


def test_a_reversed_range_fails(warehouse: Warehouse) -> None:
    assert not materialize(warehouse, t, first="a|2025-02-01", last="a|2025-01-01").success


def test_a_downstream_asset_gets_the_rows_of_its_own_partitions(warehouse: Warehouse) -> None:
    materialize(warehouse, t, first="a|2025-01-01", last="b|2025-02-01")
    result = materialize(warehouse, t.to_source_assets()[0], reads, first="b|2025-01-01", last="b|2025-01-01")
    assert result.success
    assert stored(warehouse, "from later") == [("b", JANUARY, 1, 1)]


def test_the_error_about_rows_outside_the_range_names_table_and_example() -> None:
    with pytest.raises(RowsOutsideRange, match=r"t: 1 rows .*\('b', datetime.date\(2025, 1, 1\)\)"):
        PartitionRange(("a",), (JANUARY,)).require(days(("b", JANUARY, 1, 1)), "t")
