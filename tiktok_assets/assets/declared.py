"""``dg.asset`` and ``dg.AssetOut`` of a ``Table``: its metadata in Dagster, whatever its step does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg

from tiktok_assets.checks.table import check_specs
from tiktok_assets.curated.lineage import lineage
from tiktok_assets.curated.recomputed import downstream_days
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.curated.table import Table
from tiktok_assets.storage.duckdb import ALL_ACCOUNTS, OVER_ALL_MONTHS
from tiktok_assets.storage.metadata import OWNERS, column_schema
from tiktok_assets.storage.parquet import DOWNSTREAM

LINEAGE = "dagster/column_lineage"


def table_asset(
    table: Table,
    partitions_def: dg.PartitionsDefinition,
    *,
    ins: Mapping[str, dg.AssetIn],
    metadata: Mapping[str, object] | None = None,
    **more: Any,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """``dg.asset`` for the step that makes the table. ``metadata`` and ``more``: in addition to the table's own."""
    output = _output(table)
    if table.layer == "warehouse":
        # The tables of the lake first: the warehouse is held, and other runs wait, from its first table on.
        more["op_tags"] = {"dagster/priority": "-1"}
    if table.layer != "staging":
        more["check_specs"] = check_specs(table)
    decorator: Any = dg.asset(
        **output | {"metadata": {**output["metadata"], **(metadata or {})}},
        ins=ins,
        group_name=table.layer,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        **more,
    )
    return decorator


def table_output(table: Table) -> dg.AssetOut:
    """The table as one output of a step that makes several."""
    return dg.AssetOut(**_output(table))


def column_lineage(table: Table, tables: Mapping[str, Table] = TABLES) -> dict[str, dg.TableColumnLineage]:
    """``lineage`` as metadata. ``tables``: by key, those that it is made of."""
    deps = {
        column: [dg.TableColumnDep(dg.AssetKey(origin.key.split("/")), origin.column) for origin in origins]
        for column, origins in lineage(table, tables).items()
    }
    return {LINEAGE: dg.TableColumnLineage(deps)}


def _output(table: Table) -> dict[str, Any]:
    is_in_warehouse = table.layer == "warehouse"
    return {
        "key": table.key.split("/"),
        "description": table.description,
        "code_version": table.version,
        "kinds": {"duckdb"} if is_in_warehouse else {"polars", "parquet"},
        "owners": OWNERS,
        "io_manager_key": "warehouse" if is_in_warehouse else "lake",
        "metadata": {"dagster/column_schema": column_schema(table.schema), **_storage_metadata(table)},
    }


def _storage_metadata(table: Table) -> dict[str, object]:
    """What the IO managers read; see ``storage.parquet`` and ``storage.duckdb``."""
    found = {
        "dagster/table_name": f"main.{table.name}" if table.layer == "warehouse" else None,
        DOWNSTREAM: downstream_days(table.key),
        ALL_ACCOUNTS: table.needs_all_accounts,
        OVER_ALL_MONTHS: dict(table.over_all_months),
    }
    return {name: value for name, value in found.items() if value}
