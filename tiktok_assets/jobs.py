"""Jobs: a verb and an object, and the words in which a run is asked for."""

from __future__ import annotations

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

PROCESSED_GROUPS = ("raw", "staging", "curated", "warehouse")


def build_process_exports(partitions_def: dg.PartitionsDefinition) -> UnresolvedAssetJobDefinition:
    """Everything below landing, for a range of months of one account."""
    return dg.define_asset_job(
        "process_exports",
        selection=dg.AssetSelection.groups(*PROCESSED_GROUPS),
        partitions_def=partitions_def,
        description="Landed exports to the warehouse: raw, staging, curated and the tables in DuckDB.",
    )
