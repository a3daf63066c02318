"""The table ``_columns``: every column of every published table, its meaning, unit and where its numbers come from.

It is a view of constants, made of the schemas at each publishing: nobody can forget to bring it up to date.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import dagster as dg

from tiktok_assets.assets.curated import CURATED, STAGED
from tiktok_assets.assets.lineage import lineage
from tiktok_assets.assets.restatements import COMPARED
from tiktok_assets.assets.warehouse import WAREHOUSE, WAREHOUSE_KEYS
from tiktok_assets.curated.catalog import unit_of
from tiktok_assets.curated.views import VIEWS


class Column(NamedTuple):
    """One row of ``_columns``."""

    table: str
    column: str
    description: str
    unit: str
    source: str


def published_views(assets: Iterable[dg.AssetsDefinition]) -> dict[str, str]:
    """By name, the queries of the views people find beside the tables that ``assets`` make."""
    upstream = {
        key.to_user_string(): sorted(before.to_user_string() for before in deps)
        for one in assets
        for key, deps in one.asset_deps.items()
    }
    return {**{name: view.query for name, view in VIEWS.items()}, "_columns": catalog_query(upstream)}


def columns(upstream: Mapping[str, Sequence[str]]) -> list[Column]:
    """Every column of the tables and views people query, in their order. ``upstream``: by asset, what it is made of."""
    return [*_of_tables(upstream), *_of_views(), *_OF_ITSELF]


def catalog_query(upstream: Mapping[str, Sequence[str]]) -> str:
    """``columns`` as SQL."""
    rows = ",\n".join("(" + ", ".join(_quoted(value) for value in column) + ")" for column in columns(upstream))
    names = ", ".join(f'"{name}"' for name in Column._fields)
    return f"select * from (values\n{rows}) as catalog({names})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _of_tables(upstream: Mapping[str, Sequence[str]]) -> Iterator[Column]:
    before = functools.cache(lambda key: lineage(key, _SCHEMAS, upstream[key]).deps_by_column)

    def origins(key: str, column: str) -> Iterator[str]:
        """The columns of staging, or of tables beside it, that a column is made of."""
        for dep in before(key).get(column, ()):
            earlier = dep.asset_key.to_user_string()
            if earlier in STAGED or earlier in COMPARED:
                yield f"{earlier}.{dep.column_name}"
            else:
                yield from origins(earlier, dep.column_name)

    for table, schema in WAREHOUSE.items():
        for name, column in schema.to_schema().columns.items():
            source = ", ".join(dict.fromkeys(origins(f"warehouse/{table}", str(name))))
            source = source or _SOURCES.get(str(name)) or ("landed files" if table == "exports" else "computed")
            unit = unit_of(str(name), str(column.dtype))
            yield Column(table, str(name), column.description or "", unit, source)


def _of_views() -> Iterator[Column]:
    for name, view in VIEWS.items():
        schema = view.schema.to_schema().columns if view.schema else {}
        types = {str(column): str(described.dtype) for column, described in schema.items()}
        for column, description in view.descriptions().items():
            unit = unit_of(column, types.get(column) or _TYPES.get(column, "String"))
            yield Column(name, column, description, unit, ", ".join(f"warehouse/{source}" for source in view.sources))


_OF_ITSELF = [
    Column("_columns", "table", "the table or view that people query", "text", "constant"),
    Column("_columns", "column", "its column", "text", "constant"),
    Column("_columns", "description", "what the column means, and when it is null", "text", "constant"),
    Column("_columns", "unit", "in which unit it is", "text", "constant"),
    Column("_columns", "source", "the columns of staging that it is made of", "text", "constant"),
]
_SCHEMAS = STAGED | CURATED | COMPARED | WAREHOUSE_KEYS
_SOURCES = {
    "platform": "constant",
    "account": "accounts.toml",
    "handle": "accounts.toml",
    "export_id": "none: many exports tell the row",
    "loaded_at": "the run",
}
_TYPES = {
    **dict.fromkeys(("impressions", "likes", "shares", "comments", "clicks"), "Int64"),
    "created_timestamp": "Datetime",
}
