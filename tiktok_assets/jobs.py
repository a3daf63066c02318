"""Jobs: a verb and an object."""

from __future__ import annotations

import dagster as dg

process_exports = dg.define_asset_job(
    "process_exports",
    selection=dg.AssetSelection.groups("raw", "staging", "curated", "warehouse"),
    description="Landed exports to the warehouse: raw, staging, curated and the tables in DuckDB.",
)
