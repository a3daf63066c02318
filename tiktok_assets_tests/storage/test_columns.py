"""Columns of earlier versions are renamed in place; tables, views and columns get their comments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tiktok_assets.curated.registry import PREVIOUS_NAMES
from tiktok_assets.storage.columns import describe, rename_columns
from tiktok_assets.storage.duckdb import Warehouse

QUALITY = {"table_name": "table", "check_name": "check"}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    return [name for name, *_ in connection.sql(f"describe {table}").fetchall()]


def test_columns_named_by_sql_keywords_are_renamed() -> None:
    assert PREVIOUS_NAMES == {
        "anomalies": {"check_name": "check"},
        "data_quality": QUALITY,
    }


def test_opening_an_old_file_renames_its_columns_and_keeps_its_rows(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path / "w.duckdb", tmp_path / "tiktok.duckdb", previous_names=PREVIOUS_NAMES)
    with duckdb.connect(warehouse.working) as old:
        old.execute("""create table data_quality as select 'a' as account, 't' as "table", 'c' as "check", 3 as n""")
        old.execute("""create table anomalies as select 'a' as account, 'c' as "check" """)
        old.execute("""create table mine as select 1 as "check" """)
    for _ in range(2):
        with warehouse.session() as session:
            assert columns(session.connection, "data_quality") == ["account", "table_name", "check_name", "n"]
            session.publish()
    with duckdb.connect(str(warehouse.published), read_only=True) as published:
        assert published.sql("from data_quality").fetchall() == [("a", "t", "c", 3)]
        assert published.sql("select check_name from anomalies").fetchall() == [("c",)]
        assert columns(published, "mine") == ["check"]


def test_a_column_that_has_its_current_name_is_left_alone(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""create table data_quality as select 1 as "check", 2 as check_name, 3 as table_name""")
    rename_columns(connection, {"data_quality": QUALITY, "not_there": QUALITY})
    assert columns(connection, "data_quality") == ["check", "check_name", "table_name"]


def test_comments_follow_what_is_described_and_leave_others_alone(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create table t as select 1 as a, 2 as b; create view v as select a as c from t")
    connection.execute("comment on column t.b is 'a person wrote this'")
    for text in ("an account's day", "another text"):
        described = {"t": (text, {"a": text, "absent": text}), "v": (text, {"c": text}), "absent": (text, {})}
        describe(connection, described)
        found = connection.sql("select table_name, column_name, comment from duckdb_columns() where not internal")
        assert sorted(found.fetchall()) == [("t", "a", text), ("t", "b", "a person wrote this"), ("v", "c", text)]
        assert connection.sql("select comment from duckdb_tables()").fetchall() == [(text,)]
        assert connection.sql("select comment from duckdb_views() where not internal").fetchall() == [(text,)]
