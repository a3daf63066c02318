"""Tables as of a moment: against those stored then, and against a lake that received only the exports until then."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.curated.quality.restatements import LOOK_BACK as RESTATEMENT_LOOK_BACK
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.registry import TABLES, UnknownTable
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.vintages.as_of import HistoricalLake, NotAMoment, as_of, moment_of
from tiktok_assets_tests import budget
from tiktok_assets_tests.history import RESTATED, TRUE_VIEWS, VISITS, Visit, installation, landed, processed
from tiktok_assets_tests.made_once import MadeOnce

NOW = dt.datetime.now(dt.UTC)
Tables = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class ProcessedVisits:
    """A lake, and every table as it was stored after each visit."""

    settings: Settings
    stored: list[Tables]


def process_visits(folder: Path, visits: Sequence[Visit], made_once: MadeOnce) -> ProcessedVisits:
    """A lake in which each of ``visits`` is processed before the next one comes."""
    visits_processed, name = ProcessedVisits(installation(folder), []), "visits"
    for visit in visits:
        name += f" {visit.at:%m%d}"
        made_once.fill(
            Path(str(visits_processed.settings.data_dir)),
            name,
            functools.partial(take, visits_processed.settings, visit),
        )
        visits_processed.stored.append({key: stored(visits_processed.settings, key) for key in TABLES})
    return visits_processed


def take(settings: Settings, visit: Visit) -> None:
    landed(settings, [visit])
    processed(settings)


@pytest.fixture(scope="module")
def visits_processed(tmp_path_factory: pytest.TempPathFactory, made_once: MadeOnce) -> ProcessedVisits:
    return process_visits(tmp_path_factory.mktemp("lake"), VISITS, made_once)


@pytest.fixture(scope="module")
def lake(visits_processed: ProcessedVisits) -> Settings:
    return visits_processed.settings


def stored(settings: Settings, key: str) -> pl.DataFrame:
    """The table as files or the published warehouse hold it."""
    layer, name = key.split("/")
    if layer == "warehouse":
        with duckdb.connect(str(settings.warehouse), read_only=True) as connection:
            rows = pl.DataFrame(connection.sql(f"select * exclude (loaded_at) from {name}").to_arrow_table())
    else:
        files = sorted(Path(str(settings.data_dir), layer, name).rglob("*.parquet"))
        rows = pl.concat([TABLES[key].schema.empty(), *(pl.read_parquet(file) for file in files)], how="diagonal")
    return plain(rows)


def plain(rows: pl.DataFrame) -> pl.DataFrame:
    """In one order of rows and columns; moments without a zone, as DuckDB has them."""
    rows = rows.drop("loaded_at", strict=False).with_columns(cs.datetime().dt.replace_time_zone(None))
    return rows.select(sorted(rows.columns)).sort(cs.exclude(cs.list()))


def tables(settings: Settings, moment: dt.datetime) -> Tables:
    known = HistoricalLake(Lake(settings), ("north",), moment)
    return {key: plain(known.rows(key)) for key in TABLES}


def assert_same(found: Tables, expected: Tables) -> None:
    for key, rows in expected.items():
        assert found[key].columns == rows.columns, key
        assert_frame_equal(found[key], rows, check_dtypes=False) if rows.height else found[key].is_empty()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_tables_as_of_a_moment_equal_those_stored_then(visits_processed: ProcessedVisits, number: int) -> None:
    moment = NOW if number == len(VISITS) else VISITS[number].at - dt.timedelta(seconds=1)
    assert_same(tables(visits_processed.settings, moment), visits_processed.stored[number - 1])


def test_all_tables_as_of_now_are_available_by_name(visits_processed: ProcessedVisits) -> None:
    asked = as_of(visits_processed.settings, NOW, "content_performance", ["north"])
    assert plain(asked).equals(plain(as_of(visits_processed.settings, NOW, "warehouse/content_performance")))
    assert asked["loaded_at"].unique().to_list() == [NOW]
    assert {key for key, rows in visits_processed.stored[-1].items() if rows.is_empty()} <= RARE


RARE = {f"curated/{name}" for name in ("viral_videos", "posting_times", "hashtags")} | {
    f"warehouse/{name}" for name in ("viral_content", "posting_times", "hashtag_performance", "anomalies")
}


@budget.in_the_long_run
def test_visits_that_come_in_another_order_leave_the_same_tables(
    visits_processed: ProcessedVisits, tmp_path: Path, made_once: MadeOnce
) -> None:
    last, first, second = process_visits(tmp_path, [VISITS[2], VISITS[0], VISITS[1]], made_once).stored
    assert_same(second, visits_processed.stored[-1])
    assert not last["staging/overview"].equals(first["staging/overview"])


def test_every_real_day_is_there_once(visits_processed: ProcessedVisits) -> None:
    days = visits_processed.stored[-1]["warehouse/social_media_stats"]["date"]
    assert sorted(days) == [dt.date(2024, 12, 10) + dt.timedelta(days=day) for day in range(58)]  # to 5 February


def test_a_number_is_the_one_known_at_the_moment(lake: Settings) -> None:
    def views(moment: str) -> list[int]:
        return as_of(lake, moment_of(moment)).filter(date=RESTATED)["video_views"].to_list()

    assert views("2025-01-20T16:20") == []
    assert views("2025-01-20") == [TRUE_VIEWS]
    assert views("2025-02-05") == [TRUE_VIEWS]
    assert views("2025-02-06") == [TRUE_VIEWS + 1]


def test_the_one_number_that_changed_is_the_one_restatement(lake: Settings) -> None:
    (row,) = as_of(lake, NOW, "curated/restatements").to_dicts()
    assert (row["date"], row["report"], row["metric"]) == (RESTATED, "overview", "video_views")
    assert (row["old_value"], row["new_value"]) == (TRUE_VIEWS, TRUE_VIEWS + 1)
    # From the end of 12 January: to 28 January 23:45:02, and to 6 February 16:20:30.
    assert row["old_age_days"] == pytest.approx(15 + (23 * 3600 + 45 * 60 + 2) / 86_400)
    assert row["new_age_days"] == pytest.approx(24 + (16 * 3600 + 20 * 60 + 30) / 86_400)


def test_a_day_is_final_once_as_old_as_the_oldest_number_that_changed(lake: Settings) -> None:
    days = as_of(lake, NOW).select("date", "is_settled")
    # A number moved at 15.99 days, so January and February take 16. One visit speaks of December: that takes 3.
    assert days.filter(pl.col("date") < dt.date(2025, 1, 1))["is_settled"].to_list() == [True] * 22
    final = days.filter(pl.col("date") >= dt.date(2025, 1, 1), "is_settled")["date"]
    assert (final.min(), final.max()) == (dt.date(2025, 1, 1), dt.date(2025, 1, 20))


def test_days_are_recomputed_as_far_back_as_their_finality_depends_on_restatements() -> None:
    assert downstream_days("curated/account_daily") >= RESTATEMENT_LOOK_BACK


def test_before_the_first_export_every_table_is_empty_and_whole(lake: Settings) -> None:
    for key, rows in tables(lake, moment_of("2024-12-31")).items():
        assert rows.is_empty()
        assert set(rows.columns) == set(TABLES[key].schema.to_schema().columns) - {"loaded_at"}


def test_a_query_changes_nothing(lake: Settings) -> None:
    def files() -> dict[str, tuple[int, int]]:
        root = Path(str(lake.data_dir))
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in root.rglob("*")}

    before = files()
    tables(lake, moment_of("2025-01-30"))
    assert files() == before


def test_an_unknown_table_is_answered_with_the_known_ones(lake: Settings) -> None:
    with pytest.raises(
        UnknownTable, match=r"There is no table stats\. There are: .*social_media_stats.*staging/viewers"
    ):
        as_of(lake, NOW, "stats")


def test_a_date_is_its_end_and_a_timestamp_itself() -> None:
    assert moment_of("2026-03-20") == dt.datetime(2026, 3, 20, 23, 59, 59, 999999, tzinfo=dt.UTC)
    assert moment_of("2026-03-20T14:00") == dt.datetime(2026, 3, 20, 14, tzinfo=dt.UTC)
    assert moment_of("2026-03-20 14:00+02:00") == dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
    with pytest.raises(NotAMoment, match=r"'20 March' is neither a date"):
        moment_of("20 March")


@given(st.datetimes(timezones=st.just(dt.UTC)))
def test_a_moment_written_out_is_the_moment(moment: dt.datetime) -> None:
    assert moment_of(moment.isoformat()) == moment
    assert moment_of(moment.date().isoformat()).date() == moment.date()
