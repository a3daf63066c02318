"""Which columns of the tables before each column of a curated table is made of, as the UI shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import dagster as dg
import pandera.polars as pa

from tiktok_assets.curated._tables import OfManyExports
from tiktok_assets.curated.catalog import COMPUTED
from tiktok_assets.curated.videos.videos import COUNTS, RATES
from tiktok_assets.curated.warehouse import RENAMED
from tiktok_assets.storage.metadata import column_lineage

# These stand one row below the other, so that no column has the name it gets: by table, which column becomes which.
_INSIGHTS, _SETTLING = "staging/insights", "curated/settling"
_KEY = {"account": "account", "date": "date"}
_FROM_LONG_TABLES: dict[str, dict[str, dict[str, str]]] = {
    "curated/account_daily": {
        _INSIGHTS: {**_KEY, "following": "value", "insights_export_id": "export_id"},
        _SETTLING: {"is_settled": "settled_after_days"},
    },
    "curated/videos": {
        _INSIGHTS: {
            **_KEY,
            "video_id": "video_id",
            "title": "text",
            **dict.fromkeys((*COUNTS, *RATES), "value"),
            **dict.fromkeys(("export_id", "insights_export_id"), "export_id"),
        }
    },
    "curated/audience": {
        "staging/follower_gender": {**_KEY, "value": "gender", "share": "share", "export_id": "export_id"},
        "staging/follower_territories": {**_KEY, "value": "territory", "share": "share", "export_id": "export_id"},
        "staging/follower_activity": {
            **_KEY,
            **dict.fromkeys(("value", "hour"), "hour"),
            "count": "active_followers",
            "export_id": "export_id",
        },
        _INSIGHTS: {
            **_KEY,
            **dict.fromkeys(("audience", "dimension"), "metric"),
            "value": "item",
            "share": "value",
            "export_id": "export_id",
        },
    },
}
# Named otherwise than the column they are, or of one report alone.
_FROM_ANOTHER_NAME = {
    ("curated/account_daily", "export_id"): ("staging/overview", "export_id"),
    ("curated/account_daily", "viewers_export_id"): ("staging/viewers", "export_id"),
    ("curated/account_daily", "followers_export_id"): ("staging/follower_history", "export_id"),
}


def lineage(key: str, schemas: Mapping[str, type[pa.DataFrameModel]], upstream: Iterable[str]) -> dg.TableColumnLineage:
    """The lineage of the table ``key``: columns of the same name, those of long tables, those that a rate is made of.

    ``schemas``: by asset key, that of the table and of those ``upstream`` that are tables with columns of their own.
    """
    schema, long = schemas[key], _FROM_LONG_TABLES.get(key, {})
    before = {name: schemas[name] for name in sorted(set(upstream) - long.keys()) if name in schemas}
    renamed = RENAMED if key.startswith("warehouse/") else {}
    found = {name: list(deps) for name, deps in column_lineage(schema, before, renamed).deps_by_column.items()}
    for source, columns in long.items():
        for name, column in columns.items():
            found.setdefault(name, []).append(dg.TableColumnDep(dg.AssetKey(source.split("/")), column))
    for name in map(str, schema.to_schema().columns):
        if (key, name) in _FROM_ANOTHER_NAME:
            source, column = _FROM_ANOTHER_NAME[key, name]
            found[name] = [dg.TableColumnDep(dg.AssetKey(source.split("/")), column)]
        of_table = COMPUTED.get(f"{key.partition('/')[2]}.{name}", ())
        if of_table:
            found.pop(name, None)
        parts = of_table or COMPUTED.get(name, ())
        if parts and (name not in found or key in _FROM_LONG_TABLES):
            origins = [dep for part in parts if part != name for dep in _origins(part, found, before)]
            found[name] = list(dict.fromkeys([*found.get(name, []), *origins]))
    if issubclass(schema, OfManyExports):
        found.pop("export_id", None)
    return dg.TableColumnLineage({name: deps for name, deps in found.items() if deps})


def _origins(
    column: str, found: Mapping[str, list[dg.TableColumnDep]], before: Mapping[str, type[pa.DataFrameModel]]
) -> list[dg.TableColumnDep]:
    """Where a column that another one is computed from comes from: this table's lineage, else the tables before."""
    if column in found:
        return found[column]
    if column in COMPUTED:
        return [dep for part in COMPUTED[column] for dep in _origins(part, found, before)]
    keys = [key for key, schema in before.items() if column in schema.to_schema().columns]
    return [dg.TableColumnDep(dg.AssetKey(key.split("/")), column) for key in keys]
