"""Reports: the page of each account and the front page, from the curated tables as they are at that moment."""

import datetime as dt

import dagster as dg

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.reporting import ADDRESS
from tiktok_assets.reporting.account_tables import TABLES
from tiktok_assets.reporting.song_tables import TABLES as SONG_TABLES
from tiktok_assets.reporting.writing import refresh, tables_of, write_report
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import OWNERS, part_of_list
from tiktok_assets.storage.partition_metadata import set_partition_metadata, stored_last
from tiktok_assets.storage.run_locks import RUN_LIFE


def build_account_report(lake: Lake, roster: Roster, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.asset(
        key=["reports", "account_report"],
        deps=[dg.AssetKey(table.key.split("/")) for table in (*TABLES, *SONG_TABLES)],
        group_name="reports",
        description="One HTML page per account over all its months, as of now: `<account>.html` in reports.",
        code_version="1",
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"altair", "html"},
        owners=OWNERS,
        metadata={"folder": dg.MetadataValue.path(str(lake.settings.reports))},
        required_resource_keys={RUN_LIFE},
    )
    @reports_failures
    def account_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        accounts = [roster[key] for key in run_partitions(context).accounts]
        now = dt.datetime.now(dt.UTC)
        written = {tables.account.key: write_report(lake, tables, now) for tables in tables_of(lake, accounts, now)}
        if without := [account.key for account in accounts if account.key not in written]:
            context.log.warning("No page, because there is no data yet: %s", part_of_list(without))
        pages = part_of_list([path.name for path in written.values()])
        facts = {"pages": pages, "pages_written": len(written)}
        set_partition_metadata(context, context.asset_key, {stored_last(context): facts})
        return dg.MaterializeResult()

    return account_report


def build_front_page(lake: Lake, roster: Roster) -> dg.AssetsDefinition:
    @dg.asset(
        key=["reports", "front_page"],
        deps=[dg.AssetKey(table.key.split("/")) for table in (*TABLES, *SONG_TABLES)],
        group_name="reports",
        description="The page of all accounts, `index.html` in reports, and the pages of those whose tables changed. "
        f"Under `make dev` it is served at [{ADDRESS}]({ADDRESS}).",
        code_version="1",
        kinds={"altair", "html"},
        owners=OWNERS,
        metadata={"folder": dg.MetadataValue.path(str(lake.settings.reports)), "page": dg.MetadataValue.url(ADDRESS)},
        required_resource_keys={RUN_LIFE},
    )
    @reports_failures
    def front_page(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        made = refresh(lake, list(roster.values()), dt.datetime.now(dt.UTC))
        pages = part_of_list([path.name for path in made])
        return dg.MaterializeResult(metadata={"page": dg.MetadataValue.url(ADDRESS), "pages": pages})

    return front_page
