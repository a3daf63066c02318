"""What does a column mean, in which unit, and where does it come from? The table ``_columns``, and comments in DuckDB.

Descriptions are the schemas'. Does not belong here: Dagster's words for them (``assets``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tiktok_assets.curated.lineage import staged_origins
from tiktok_assets.curated.table import Table
from tiktok_assets.curated.targets import PROGRESS, Target, progress_query
from tiktok_assets.curated.views import VIEWS

_UNITS: Mapping[str, str] = {
    r"average_watch_time": "seconds",
    r"daily_growth|views_vs_median|effect|effect_low|effect_high|lift": "times",
    r"share|percentile|completion_rate": "0 to 1",
    r"\w*_rate|views_per_follower": "ratio",
    r"\w*_growth(_\d+d)?": "ratio; 0 is no change",
    r"\w*_avg": "mean a day",
    r"views_per_day": "views a day",
    r"(\w+_)?days(_\w+)?": "days",
    r"hour|publish_hour_local": "hour, 0 to 23",
    r"week": "weeks since the release, 0 is the first",
    r"weekday|publish_weekday_local": "weekday, 1 is Monday",
    r"rank": "place, 1 is the first",
    r"value|roster_median|usual": "that of the row's metric, or of the unusual count",
}
_UNITS_OF_TYPES: Mapping[str, str] = {
    "Date": "day",
    "Datetime": "moment (UTC)",
    "Boolean": "true or false",
    "String": "text",
    "List": "list of texts",
    "Int64": "count",
}


def unit_of(column: str, dtype: str) -> str:
    """The unit of a column by its name, else by its type as Polars writes it. Raises KeyError if neither is listed."""
    if dtype not in ("String", "Date"):
        for pattern, unit in _UNITS.items():
            if re.fullmatch(pattern, column):
                return unit
    return _UNITS_OF_TYPES[dtype.partition("(")[0]]


class Column(NamedTuple):
    """One row of ``_columns``: a column of a table or view that people query."""

    table_name: str
    column_name: str
    description: str
    unit: str
    source: str


CATALOG = "_columns"
"""The view's name."""
_OF_CATALOG = {
    "table_name": "the table or view that people query",
    "column_name": "its column",
    "description": "what the column means, and when it is null",
    "unit": "in which unit it is",
    "source": "the columns of staging that it is made of",
}
_SOURCES = {
    "platform": "constant",
    "account": "accounts.toml",
    "handle": "accounts.toml",
    "export_id": "none: many exports contribute to the row",
    "loaded_at": "the run",
}
_TYPES = {
    **dict.fromkeys(("impressions", "likes", "shares", "comments", "clicks"), "Int64"),
    **dict.fromkeys(("roster_accounts", "roster_views"), "Int64"),
    "share": "Float64",
    "created_timestamp": "Datetime",
}


def columns(tables: Mapping[str, Table]) -> list[Column]:
    """Every column that people query, in the order of ``tables`` (all there are, by key), then of the views."""
    of_itself = [Column(CATALOG, name, text, "text", "constant") for name, text in _OF_CATALOG.items()]
    return [*_of_tables(tables), *_of_views(), *of_itself]


def published_views(tables: Mapping[str, Table], targets: Iterable[Target] = ()) -> dict[str, str]:
    """By name, the queries of the views that stand beside the tables of the warehouse.

    ``_columns`` is one of constants, made of the schemas at each publication, so it is always up to date.
    """
    rows = ",\n".join("(" + ", ".join(sql_literal(value) for value in column) + ")" for column in columns(tables))
    catalog = f"select * from (values\n{rows}) as catalog({', '.join(Column._fields)})"
    queries = {name: view.query for name, view in VIEWS.items()}
    return {**queries, PROGRESS: progress_query(targets), CATALOG: catalog}


def descriptions(tables: Mapping[str, Table]) -> dict[str, tuple[str, dict[str, str]]]:
    """By table or view of the warehouse: what one row is, and what each column means."""
    return {
        **{table.name: (table.description, table.columns) for table in _in_warehouse(tables)},
        **{name: (view.description, view.descriptions()) for name, view in VIEWS.items()},
        CATALOG: ("One row per column of a table or view: its meaning, unit and source.", dict(_OF_CATALOG)),
    }


def _in_warehouse(tables: Mapping[str, Table]) -> list[Table]:
    return [table for table in tables.values() if table.layer == "warehouse"]


def _of_tables(tables: Mapping[str, Table]) -> Iterator[Column]:
    for table in _in_warehouse(tables):
        origins = staged_origins(table, tables)
        is_of_files = all(source.key not in tables for source in table.inputs.values())
        others = {**_SOURCES, "export_id": "landed files"} if is_of_files else _SOURCES
        for name, column in table.schema.to_schema().columns.items():
            source = ", ".join(map(".".join, origins.get(str(name), ())))
            source = source or others.get(str(name)) or ("landed files" if is_of_files else "computed")
            yield Column(table.name, str(name), column.description or "", unit_of(str(name), str(column.dtype)), source)


def _of_views() -> Iterator[Column]:
    for name, view in VIEWS.items():
        schema = view.schema.to_schema().columns if view.schema else {}
        types = {str(column): str(described.dtype) for column, described in schema.items()}
        sources = ", ".join(f"warehouse/{source}" for source in view.sources)
        for column, description in view.descriptions().items():
            unit = unit_of(column, types.get(column) or _TYPES.get(column, "String"))
            yield Column(name, column, description, unit, sources)


def sql_literal(text: object) -> str:
    """``text`` as a literal of SQL."""
    return "'" + str(text).replace("'", "''") + "'"
