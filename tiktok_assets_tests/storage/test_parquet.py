"""The files of the lake: one immutable file per export in raw, one file per partition in staging and curated."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from tiktok_assets.assets.dagster_failures import manager_reports_failures
from tiktok_assets.assets.partitions import account_months
from tiktok_assets.exports.provenance import PROVENANCE, READER_VERSION
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.reports.viewers import Viewers
from tiktok_assets.settings import Settings
from tiktok_assets.storage import parquet
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.parquet import PartitionIOManager, RawIOManager, RawRows, windowed_input

JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
PARTITIONS = account_months(["a", "b"], JANUARY)


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings)


def viewers(*rows: tuple[str, date, int]) -> pl.DataFrame:
    """Account, day, unique viewers; the other columns of staging/viewers alike."""
    frame = pl.DataFrame(rows, {"account": pl.String, "date": pl.Date, "unique_viewers": pl.Int64}, orient="row")
    return frame.with_columns(
        pl.lit(None, pl.Int64).alias("new_viewers"),
        pl.lit(None, pl.Int64).alias("returning_viewers"),
        pl.col("date").alias("date_label"),
        pl.lit(0, pl.Int64).alias("date_shift_days"),
        pl.lit("e1").alias("export_id"),
        pl.lit(NOON).alias("downloaded_at"),
    )


def materialize(lake: Lake, made: pl.DataFrame | pl.LazyFrame, first: str, last: str) -> pl.DataFrame:
    """Store ``made`` as staging/viewers in a run over first..last, and what an asset behind it gets in that run."""
    got: list[pl.DataFrame] = []

    @dg.asset(key=["staging", "viewers"], partitions_def=PARTITIONS, io_manager_key="lake")
    def upstream() -> Any:
        return made

    @dg.asset(partitions_def=PARTITIONS, ins={"rows": dg.AssetIn(["staging", "viewers"])})
    def downstream(rows: pl.DataFrame) -> None:
        got.append(rows)

    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    manager = manager_reports_failures(PartitionIOManager(lake, {"staging/viewers": Viewers}))
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([upstream, downstream], instance=instance, resources={"lake": manager}, tags=tags)
    return got[0]


def files(lake: Lake) -> list[str]:
    root = Path(str(lake.settings.data_dir))
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def partition(account: str, month: date) -> str:
    return f"staging/viewers/account={account}/date={month}/data.parquet"


def test_a_range_is_a_file_for_each_partition_with_its_rows(lake: Lake) -> None:
    rows = viewers(("a", date(2025, 1, 31), 1), ("a", FEBRUARY, 2), ("a", date(2025, 2, 28), 3))
    assert materialize(lake, rows, "a|2025-01-01", "a|2025-02-01").equals(rows)
    assert files(lake) == [partition("a", JANUARY), partition("a", FEBRUARY)]
    february = pl.read_parquet(Path(str(lake.settings.data_dir)) / partition("a", FEBRUARY), hive_partitioning=False)
    assert february.equals(rows.tail(2))


@pytest.mark.parametrize("most", [0, 2, 50])
def test_long_rows_are_stored_as_short_ones_are(lake: Lake, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    made = viewers(*(("ab"[number % 2], date(2025, 1 + number % 3 // 2, 9 - number), number) for number in range(9)))
    monkeypatch.setattr(parquet, "PIECE", most)
    stored = materialize(lake, made.lazy(), "a|2025-01-01", "b|2025-02-01")
    assert len(files(lake)) == 4
    assert stored.equals(materialize(lake, made, "a|2025-01-01", "b|2025-02-01"))
    assert set(stored["unique_viewers"]) == set(range(9))


def test_a_partition_range_touches_no_other_partition(lake: Lake) -> None:
    everything = viewers(*((account, month, 1) for account in "ab" for month in (JANUARY, FEBRUARY)))
    materialize(lake, everything, "a|2025-01-01", "b|2025-02-01")
    rectangle = viewers(("a", FEBRUARY, 7), ("b", FEBRUARY, 8))
    assert materialize(lake, rectangle, "a|2025-02-01", "b|2025-02-01").equals(rectangle)
    stored = pl.concat(pl.read_parquet(Path(str(lake.settings.data_dir)) / file) for file in files(lake))
    assert stored.sort("account", "date")["unique_viewers"].to_list() == [1, 7, 1, 8]


def test_a_partition_that_lost_its_rows_has_no_file(lake: Lake) -> None:
    materialize(lake, viewers(("a", JANUARY, 1), ("a", FEBRUARY, 2)), "a|2025-01-01", "a|2025-02-01")
    materialize(lake, viewers(("a", FEBRUARY, 2)), "a|2025-01-01", "a|2025-02-01")
    assert files(lake) == [partition("a", FEBRUARY)]


def test_a_range_without_rows_reads_as_an_empty_table_of_its_schema(lake: Lake) -> None:
    got = materialize(lake, viewers(), "a|2025-01-01", "b|2025-02-01")
    assert files(lake) == []
    assert got.height == 0
    assert set(got.schema.items()) == set(viewers().schema.items())


def test_rows_of_other_partitions_are_refused_and_nothing_is_stored(lake: Lake) -> None:
    with pytest.raises(dg.Failure, match="staging/viewers: 1 rows lie outside the partitions of this run"):
        materialize(lake, viewers(("a", JANUARY, 1), ("b", JANUARY, 2)), "a|2025-01-01", "a|2025-01-01")
    assert files(lake) == []


def test_a_reversed_range_fails_instead_of_doing_nothing(lake: Lake) -> None:
    with pytest.raises(dg.Failure, match="Is the range reversed"):
        materialize(lake, viewers(), "a|2025-02-01", "a|2025-01-01")


def looking_back(lake: Lake, made: pl.DataFrame, first: str, last: str, **window: Any) -> tuple[pl.DataFrame, dict]:
    """``materialize`` for a table whose later months look back 28 days at the run's; also returns its metadata."""
    got: list[pl.DataFrame] = []

    @dg.asset(
        key=["staging", "viewers"], partitions_def=PARTITIONS, io_manager_key="lake", metadata={"downstream_days": 28}
    )
    def upstream() -> pl.DataFrame:
        return made

    @dg.asset(partitions_def=PARTITIONS, ins={"rows": windowed_input(["staging", "viewers"], **window)})
    def downstream(rows: pl.DataFrame) -> None:
        got.append(rows)

    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
    manager = manager_reports_failures(PartitionIOManager(lake, {"staging/viewers": Viewers}))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([upstream, downstream], instance=instance, resources={"lake": manager}, tags=tags)
    metadata = result.asset_materializations_for_node("staging__viewers")[0].metadata
    return got[0], {name: value.value for name, value in metadata.items()}


MARCH = date(2025, 3, 1)
THREE_MONTHS = viewers(*((account, month, 1) for account in "ab" for month in (JANUARY, FEBRUARY, MARCH)))


def test_a_table_that_looks_back_reads_earlier_and_later_months_of_its_columns(lake: Lake) -> None:
    materialize(lake, THREE_MONTHS, "a|2025-01-01", "b|2025-03-01")
    february = THREE_MONTHS.filter(account="a", date=FEBRUARY)
    requested = {"columns": ["account", "date"]}
    got, _ = looking_back(lake, february, "a|2025-02-01", "a|2025-02-01", before=1, **requested)
    assert got.rows() == [("a", JANUARY), ("a", FEBRUARY)]
    got, _ = looking_back(lake, february, "a|2025-02-01", "a|2025-02-01", after=1, **requested)
    assert got.rows() == [("a", FEBRUARY)]  # March was not among what the asset returned: it has no rows any more
    own = THREE_MONTHS.filter(account="b")
    got, _ = looking_back(lake, own, "b|2025-01-01", "b|2025-03-01", before=400, after=400)
    assert got.equals(own)


def test_later_months_are_stored_only_where_they_changed(lake: Lake) -> None:
    materialize(lake, THREE_MONTHS, "a|2025-01-01", "b|2025-03-01")
    paths = {name: Path(str(lake.settings.data_dir)) / name for name in files(lake)}
    before = {name: path.stat().st_mtime_ns for name, path in paths.items()}
    own = THREE_MONTHS.filter(account="a")
    _, metadata = looking_back(lake, own.head(2), "a|2025-01-01", "a|2025-01-01")
    assert "later_partitions_changed" not in metadata
    assert paths[partition("a", FEBRUARY)].stat().st_mtime_ns == before[partition("a", FEBRUARY)]
    changed = own.head(2).with_columns(unique_viewers=pl.Series([1, 9]))
    _, metadata = looking_back(lake, changed, "a|2025-01-01", "a|2025-01-01")
    assert metadata["later_partitions_changed"] == "a|2025-02-01"
    assert pl.read_parquet(paths[partition("a", FEBRUARY)])["unique_viewers"].to_list() == [9]
    _, metadata = looking_back(lake, own.head(1), "a|2025-01-01", "a|2025-01-01")
    assert metadata["later_partitions_changed"] == "a|2025-02-01"
    gone = {partition("a", FEBRUARY)}
    assert set(files(lake)) == before.keys() - gone
    untouched = {partition("a", MARCH), *(partition("b", month) for month in (JANUARY, FEBRUARY, MARCH))}
    assert all(paths[name].stat().st_mtime_ns == before[name] for name in untouched)


def test_a_month_beyond_the_downstream_days_is_refused(lake: Lake) -> None:
    with pytest.raises(dg.Failure, match="1 rows lie outside the partitions of this run"):
        looking_back(lake, viewers(("a", MARCH, 1)), "a|2025-01-01", "a|2025-01-01")


def test_columns_that_older_files_lack_are_unknown(lake: Lake) -> None:
    materialize(lake, viewers(("a", JANUARY, 1)), "a|2025-01-01", "a|2025-01-01")
    path = Path(str(lake.settings.data_dir)) / partition("a", JANUARY)
    pl.read_parquet(path).drop("new_viewers").write_parquet(path)
    got, _ = looking_back(lake, viewers(("a", FEBRUARY, 1)), "a|2025-02-01", "a|2025-02-01", before=1)
    assert (got.height, got["new_viewers"].to_list()) == (2, [None, None])


def raw_rows(lake: Lake, *days: date, views: str) -> pl.DataFrame:
    """Raw rows of one export."""
    plain = pl.DataFrame(schema=PROVENANCE).select(pl.exclude("account", "date_label", "row_number"))
    rows = pl.DataFrame({"account": "a", "date_label": days}, schema_overrides={"date_label": pl.Date})
    empty = [pl.lit(None, dtype).alias(name) for name, dtype in plain.schema.items()]
    return rows.with_row_index("row_number", 1).with_columns(*empty, pl.lit(views).alias("Video Views"))


def store_raw(lake: Lake, *exports: RawRows) -> None:
    context = dg.build_output_context(asset_key=dg.AssetKey(["raw", "overview"]))
    RawIOManager(lake).handle_output(context, list(exports))


def test_raw_holds_one_file_per_export_named_after_download_and_digest(lake: Lake) -> None:
    store_raw(lake, RawRows("a", NOON, "0123456789abcdef", raw_rows(lake, JANUARY, views="1")))
    assert files(lake) == [f"raw/overview/account=a/20250301T120000Z_0123456789ab_v{READER_VERSION}.parquet"]


def test_a_raw_file_is_never_written_again(lake: Lake) -> None:
    export = RawRows("a", NOON, "0123456789abcdef", raw_rows(lake, JANUARY, views="1"))
    store_raw(lake, export)
    (path,) = (Path(str(lake.settings.data_dir)) / name for name in files(lake))
    before = (path.stat().st_mtime_ns, path.stat().st_ino)
    store_raw(lake, RawRows("a", NOON, "0123456789abcdef", raw_rows(lake, JANUARY, views="2")))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before
    assert pl.read_parquet(path)["Video Views"].to_list() == ["1"]


def test_raw_rows_of_a_range_come_from_every_export_with_the_columns_of_all(lake: Lake) -> None:
    one = raw_rows(lake, date(2024, 12, 23), date(2025, 1, 30), date(2025, 1, 31), date(2025, 2, 9), views="1")
    other = raw_rows(lake, date(2025, 1, 31), views="2").with_columns(Reach=pl.lit("9"))
    store_raw(lake, RawRows("a", NOON, "1" * 64, one), RawRows("a", NOON, "2" * 64, other))
    rows = RawIOManager(lake).scan("overview", PartitionRange(("a", "b"), (JANUARY,))).collect()
    assert rows.select("date_label", "Video Views", "Reach").rows() == [
        (date(2025, 1, 30), "1", None),
        (date(2025, 1, 31), "1", None),
        (date(2025, 1, 31), "2", "9"),
    ]


def test_raw_rows_of_a_range_include_the_week_around_it(lake: Lake) -> None:
    labels = [date(2024, 12, 23), date(2024, 12, 24), date(2025, 2, 8), date(2025, 2, 9)]
    store_raw(lake, RawRows("a", NOON, "1" * 64, raw_rows(lake, *labels, views="1")))
    rows = RawIOManager(lake).scan("overview", PartitionRange(("a",), (JANUARY,))).collect()
    assert rows["date_label"].to_list() == labels[1:3]


def test_raw_rows_of_an_account_without_exports_have_provenance_columns(lake: Lake) -> None:
    rows = RawIOManager(lake).scan("overview", PartitionRange(("b",), (JANUARY,))).collect()
    assert (rows.height, dict(rows.schema)) == (0, PROVENANCE)
