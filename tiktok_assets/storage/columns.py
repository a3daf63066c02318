"""Names and comments of the warehouse's columns, brought up to date with the code.

Belongs here: changes of a DuckDB file's catalog that touch no row. Does not belong here: rows, views (``duckdb``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tiktok_assets.curated.catalog import sql_literal

if TYPE_CHECKING:
    import duckdb

Descriptions = Mapping[str, tuple[str, Mapping[str, str]]]
"""By table or view: what it is, and what each of its columns means."""


def rename_columns(connection: duckdb.DuckDBPyConnection, previous_names: Mapping[str, Mapping[str, str]]) -> None:
    """Rename columns of earlier versions; rows stay. ``previous_names``: earlier names, by table and current name."""
    if not previous_names:
        return
    found = {(table, column) for table, column, _ in _commented_columns(connection)}
    for table, names in previous_names.items():
        for name, previous in names.items():
            if (table, previous) in found and (table, name) not in found:
                connection.execute(f'alter table {table} rename column "{previous}" to "{name}"')


def describe(connection: duckdb.DuckDBPyConnection, descriptions: Descriptions) -> None:
    """Set the comments of tables, views and columns that are not those of ``descriptions`` yet."""
    kinds = {name: (kind, comment) for name, kind, comment in connection.execute(_TABLES).fetchall()}
    columns = {(table, column): comment for table, column, comment in _commented_columns(connection)}
    statements = []
    for name in descriptions.keys() & kinds.keys():
        (kind, comment), (text, meanings) = kinds[name], descriptions[name]
        if comment != text:
            statements.append(f'comment on {kind} "{name}" is {sql_literal(text)}')
        statements += [
            f'comment on column "{name}"."{column}" is {sql_literal(meaning)}'
            for column, meaning in meanings.items()
            if columns.get((name, column), meaning) != meaning
        ]
    if statements:
        connection.execute(";".join(("begin", *statements, "commit")))  # one commit instead of one for each comment


_TABLES = """
select table_name, 'table', comment from duckdb_tables() where database_name = current_database()
union all
select view_name, 'view', comment from duckdb_views() where database_name = current_database() and not internal
"""
_COLUMNS = """
select table_name, column_name, comment from duckdb_columns() where database_name = current_database() and not internal
"""


def _commented_columns(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str | None]]:
    return connection.execute(_COLUMNS).fetchall()
