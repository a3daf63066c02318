"""Every asset, check, job, sensor and resource of an installation, put together. Nothing connects here."""

from __future__ import annotations

import warnings

import dagster as dg

from tiktok_assets.accounts import load_roster
from tiktok_assets.assets.curated import CURATED, STAGED, build_curated_assets
from tiktok_assets.assets.landing import build_landing_assets
from tiktok_assets.assets.raw import build_raw_assets
from tiktok_assets.assets.staging import build_staging_assets
from tiktok_assets.assets.warehouse import DAYS, build_warehouse_assets
from tiktok_assets.jobs import process_exports
from tiktok_assets.partitions import account_months
from tiktok_assets.sensors import build_new_exports
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import Warehouse, warehouse_io_manager
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.parquet import PartitionIOManager, RawIOManager


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions for one installation. Raises NoAccounts where no account is configured."""
    lake, roster = Lake(settings), load_roster(settings)
    partitions_def = account_months(roster.partition_keys(), settings.start_date)
    with warnings.catch_warnings():
        # backfill_policy, owners, kinds: one beta warning for each of 21 assets, about nothing we could do.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [
            build_landing_assets(lake, partitions_def),
            build_raw_assets(lake, partitions_def),
            *build_staging_assets(partitions_def),
            *build_curated_assets(partitions_def),
            *build_warehouse_assets(lake, roster, partitions_def),
        ]
    return dg.Definitions(
        assets=assets,
        jobs=[process_exports],
        sensors=[build_new_exports(lake, roster, process_exports)],
        executor=dg.in_process_executor,
        resources={
            "raw": RawIOManager(lake),
            "lake": PartitionIOManager(lake, STAGED | CURATED),
            "warehouse": warehouse_io_manager(Warehouse(settings.state / "warehouse.duckdb", settings.warehouse), DAYS),
        },
    )
