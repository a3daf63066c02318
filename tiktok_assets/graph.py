"""Every asset, check, job, sensor and resource of an installation, assembled. Nothing connects here."""

from __future__ import annotations

import warnings

import dagster as dg

from tiktok_assets.accounts import Roster, load_roster
from tiktok_assets.assets.account_report import build_account_report, build_front_page
from tiktok_assets.assets.alignment import build_alignment_asset
from tiktok_assets.assets.coverage import build_coverage_asset
from tiktok_assets.assets.dagster_failures import manager_reports_failures
from tiktok_assets.assets.export_log import build_export_log
from tiktok_assets.assets.freshness import build_freshness_check
from tiktok_assets.assets.landing import build_landing_assets
from tiktok_assets.assets.partitions import account_months, months_since
from tiktok_assets.assets.quarantine import build_quarantine_checks
from tiktok_assets.assets.raw import build_raw_assets
from tiktok_assets.assets.restatements import build_restatements_asset
from tiktok_assets.assets.staging import build_staging_assets
from tiktok_assets.assets.streams import build_streams_assets, landed_streams
from tiktok_assets.assets.table_assets import build_table_asset
from tiktok_assets.curated.catalog import descriptions, published_views
from tiktok_assets.curated.registry import PREVIOUS_NAMES, SCHEMAS, TABLES, WAREHOUSE
from tiktok_assets.jobs import (
    build_publish_warehouse,
    build_send_digest,
    extract_exports,
    process_exports,
    process_streams,
    refresh_reports,
    report_accounts,
)
from tiktok_assets.label.songs import load_songs
from tiktok_assets.label.targets import load_targets
from tiktok_assets.schedules import build_daily_extraction, build_weekly_digest
from tiktok_assets.sensors import build_alerts, build_changed_tables, build_new_exports
from tiktok_assets.settings import Settings
from tiktok_assets.storage.duckdb import Warehouse
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.parquet import PartitionIOManager, RawIOManager
from tiktok_assets.storage.run_locks import ACCOUNT_LOCKS, RUN_LIFE, CommittingIOManager, account_locks, run_life
from tiktok_assets.storage.state import locks_of
from tiktok_assets.storage.warehouse_io import warehouse_io_manager
from tiktok_assets.streams.tables import SONG_STREAMS, STREAM_TABLES
from tiktok_assets.studio.extraction import Extractor, in_browser

_PUBLISHED = {**TABLES, **STREAM_TABLES}


def build_definitions(settings: Settings, studio: Extractor | None = None) -> dg.Definitions:
    """All definitions for one installation. Raises NoAccounts where no account is configured.

    ``studio``: where exports come from; TikTok's own by default.
    """
    lake, roster, songs = Lake(settings), load_roster(settings), load_songs(settings)
    partitions_def = account_months(roster.partition_keys(), settings.start_date)
    with warnings.catch_warnings():
        # backfill_policy, owners, kinds: one beta warning for each asset, about nothing we could do.
        warnings.simplefilter("ignore", dg.BetaWarning)
        warnings.simplefilter("ignore", dg.PreviewWarning)
        assets = [
            build_landing_assets(lake, roster, partitions_def),
            build_raw_assets(lake, partitions_def),
            build_alignment_asset(lake, partitions_def),
            *build_staging_assets(partitions_def),
            build_restatements_asset(lake, partitions_def),
            build_coverage_asset(lake, partitions_def),
            build_account_report(lake, roster, partitions_def),
            build_front_page(lake, roster),
            build_export_log(lake, roster, songs, partitions_def),
        ]
        warehouse = warehouse_of(settings)
        made = {key for asset in assets for key in asset.keys}
        others = [table for table in TABLES.values() if dg.AssetKey(table.key.split("/")) not in made]
        assets += [build_table_asset(table, settings, roster, songs, partitions_def) for table in others]
        streams = build_streams_assets(lake, roster, warehouse, months_since(settings.start_date))
        send_digest = build_send_digest(lake, roster)
        publish_warehouse = build_publish_warehouse(lake, roster, warehouse)
        new_exports = build_new_exports(lake, roster, warehouse, process_exports, process_streams, publish_warehouse)
    return dg.Definitions(
        assets=[*assets, landed_streams(), streams],
        asset_checks=[build_quarantine_checks(lake), build_freshness_check(lake, roster)],
        jobs=[
            process_exports,
            process_streams,
            extract_exports,
            report_accounts,
            refresh_reports,
            publish_warehouse,
            send_digest,
        ],
        schedules=[build_daily_extraction(lake, roster, extract_exports), build_weekly_digest(settings, send_digest)],
        sensors=[
            new_exports,
            build_changed_tables(lake, process_exports, refresh_reports),
            build_alerts(lake, roster),
        ],
        executor=dg.in_process_executor,
        resources=_resources(lake, roster, warehouse, studio or in_browser(settings)),
    )


def _resources(lake: Lake, roster: Roster, warehouse: Warehouse, extractor: Extractor) -> dict[str, object]:
    locks = locks_of(lake.settings)
    return {
        "studio": dg.ResourceDefinition(lambda _: extractor, required_resource_keys={RUN_LIFE}),
        RUN_LIFE: run_life(locks),
        ACCOUNT_LOCKS: account_locks(locks, list(roster)),
        "raw": _holding_accounts(RawIOManager(lake)),
        "lake": _holding_accounts(PartitionIOManager(lake, SCHEMAS)),
        "warehouse": warehouse_io_manager(
            warehouse,
            {table.name: table.day for table in WAREHOUSE},
            ACCOUNT_LOCKS,
            prepare=manager_reports_failures,
        ),
    }


def _holding_accounts(manager: dg.IOManager) -> dg.IOManagerDefinition:
    """An IO manager of the lake, which holds the accounts of its run before it reads or writes."""

    def committing(context: dg.InitResourceContext) -> dg.IOManager:
        return manager_reports_failures(CommittingIOManager(manager, getattr(context.resources, ACCOUNT_LOCKS)))

    return dg.IOManagerDefinition(committing, required_resource_keys={ACCOUNT_LOCKS})


def warehouse_of(settings: Settings) -> Warehouse:
    """The warehouse of an installation, with all that is published in it."""
    targets = load_targets(settings, load_roster(settings)).targets
    return Warehouse(
        settings.working_warehouse,
        settings.warehouse,
        views=published_views(_PUBLISHED, targets),
        descriptions=descriptions(_PUBLISHED),
        previous_names=PREVIOUS_NAMES,
        always={SONG_STREAMS.name: SONG_STREAMS.schema.empty},
    )
