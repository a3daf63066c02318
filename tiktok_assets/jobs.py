"""Jobs: a verb and an object."""

from __future__ import annotations

import dagster as dg

process_exports = dg.define_asset_job(
    "process_exports",
    selection=dg.AssetSelection.groups("raw", "staging", "curated", "warehouse"),
    description="Landed exports to the warehouse: raw, staging, curated and the tables in DuckDB.",
)

# A job of its own, and a command: the first page of a process costs 2.3 s, each further one 0.2 s.
report_accounts = dg.define_asset_job(
    "report_accounts",
    selection=dg.AssetSelection.groups("reports"),
    description="The page of each account of the run, data/reports/<account>.html, from what is in curated now.",
)

# Visits to Studio are counted by this tag (dagster.yaml): two at once, whatever else runs.
VISIT_TAG = "tiktok/visit"

extract_exports = dg.define_asset_job(
    "extract_exports",
    selection=dg.AssetSelection.groups("landing"),
    description="Exports that are missing, asked of TikTok Studio and landed. The sensor carries on from there.",
    tags={VISIT_TAG: "studio"},
)
