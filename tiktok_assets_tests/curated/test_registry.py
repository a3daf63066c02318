"""The list of tables against itself, and how far a change goes on: spelled out, and against what really changes."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from tiktok_assets.curated.lineage import lineage
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.reports import REPORTS
from tiktok_assets_tests.curated.frames import parameters

DOWNSTREAM = {
    # As far as the table itself looks back at staging.
    "curated/settling": 92,
    "curated/account_daily": 112,
    "curated/videos": 366,
    # Settling may change a whole month 92 days later, so a day 122 days later; and another 31 from there.
    "curated/account_periods": 122 + 31,
    # A video's growth changes up to 366 days later, and these look back at it.
    "curated/viral_videos": 366 + 184,
    "curated/posting_times": 366 + 365,
    "curated/hashtags": 366 + 365,
    "curated/video_daily": 366 + 67,
    "curated/song_videos": 366,
    # The snapshots of the year before say which videos a song has.
    "curated/song_daily": 366 + 366,
    "curated/song_weeks": 366 + 366,
    # What the warehouse holds of a curated table changes with it.
    "warehouse/social_media_stats": 112,
    "warehouse/account_periods": 122 + 31,
    "warehouse/content_performance": 366,
    "warehouse/viral_content": 366 + 184,
    "warehouse/video_daily": 366 + 67,
    "warehouse/song_videos": 366,
    "warehouse/song_days": 366 + 366,
    "warehouse/song_weeks": 366 + 366,
    "warehouse/posting_times": 366 + 365,
    "warehouse/hashtag_performance": 366 + 365,
    "warehouse/anomalies": 122 + 112,
    "warehouse/data_quality": 122 + 112,
    "warehouse/account_benchmarks": 122 + 56,
}


def test_downstream_days_follow_from_the_look_back_of_tables() -> None:
    assert {key: days for key in TABLES if (days := downstream_days(key))} == DOWNSTREAM


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_reads_tables_and_columns_that_exist(table: Table) -> None:
    raw = {f"raw/{report.name}" for report in REPORTS}
    for source in table.inputs.values():
        assert source.key in TABLES or source.key in raw
        if source.key in TABLES:
            others = [*source.renamed.values(), *(source.pivoted or {}).values(), *source.columns]
            assert set(others) <= TABLES[source.key].columns.keys()
        assert {*source.renamed, *(source.pivoted or {})} <= table.columns.keys()
    assert {table.day, *table.over_all_months, *table.previous_names} <= table.columns.keys()


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_table_is_made_of_tables_listed_before_it(table: Table) -> None:
    keys = list(TABLES)
    assert all(keys.index(one.key) < keys.index(table.key) for one in table.inputs.values() if one.key in TABLES)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_a_computed_column_is_made_of_columns_that_exist(table: Table) -> None:
    for column, origins in lineage(table, TABLES).items():
        assert column in table.columns
        assert all(origin.column in TABLES[origin.key].columns for origin in origins)


def test_a_table_without_a_function_is_not_asked_for_rows() -> None:
    with pytest.raises(TypeError, match="curated/settling has no `make`"):
        TABLES["curated/settling"].rows({}, parameters())


@pytest.mark.parametrize("key", ["curated/account_daily", "curated/videos"])
def test_rows_that_depend_on_their_day_and_days_before_do_so(key: str) -> None:
    """What ``is_by_day`` claims: without the later half of each input the earlier half of the rows is the same."""
    table, middle = TABLES[key], dt.date(2025, 2, 15)
    inputs = {name: some_rows(TABLES[source.key]) for name, source in table.inputs.items()}
    early = {name: rows.filter(pl.col("date") <= middle) for name, rows in inputs.items()}
    expected = table.rows(inputs, parameters()).filter(pl.col("date") <= middle)
    assert expected.height
    assert table.rows(early, parameters()).equals(expected)


def some_rows(table: Table) -> pl.DataFrame:
    """A row a day from January to March 2025, with numbers that vary."""
    days = pl.date_range(dt.date(2025, 1, 1), dt.date(2025, 3, 31), "1d", eager=True).alias("date")
    rows = pl.DataFrame({"date": days, "_n": range(len(days))}).with_columns(account=pl.lit("a"))
    number = (pl.col("_n") * 7919 % 101) * 50 + 100
    texts = {"export_id": pl.lit("e"), "video_id": pl.lit("7"), "title": pl.lit("#a"), "metric": pl.lit("following")}
    values = {
        name: texts.get(name, pl.lit(None)) if str(column.dtype) == "String" else pl.lit(None)
        for name, column in table.schema.to_schema().columns.items()
        if name not in ("date", "account")
    }
    values |= {
        name: number
        for name, column in table.schema.to_schema().columns.items()
        if str(column.dtype) in ("Int64", "Float64") and name != "date_shift_days"
    }
    return rows.with_columns(**values).select(
        pl.col(name).cast(column.dtype.type) for name, column in table.schema.to_schema().columns.items()
    )


def test_a_column_that_is_renamed_is_not_also_found_under_its_own_name() -> None:
    source = Input("staging/viewers", renamed={"viewers_export_id": "export_id"})
    assert (source.source_of("viewers_export_id"), source.source_of("export_id")) == ("export_id", None)
    assert source.source_of("date") == "date"
    assert Input("a/b", columns=("date",)).source_of("views") is None
