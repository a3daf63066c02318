"""Curated/complete, the last asset of a run that makes the tables of the lake alone (``TIKTOK_LOADING=apart``).

With all of them stored, the exports of the run wait to be loaded. Where one run does both, ``export_log`` is the last.
"""

from collections.abc import Sequence

import dagster as dg

from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.assets.partitions import run_partitions
from tiktok_assets.assets.runs import makes_all, run_of_lake, selects
from tiktok_assets.curated.songs.song import Song
from tiktok_assets.inbox.receipts import note_curated
from tiktok_assets.making import made_with
from tiktok_assets.storage.changes import together
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.manifest import LAKE_TABLES, note_files_made
from tiktok_assets.storage.metadata import OWNERS
from tiktok_assets.storage.run_locks import ACCOUNT_LOCKS

KEY = "curated/complete"


def build_complete(
    lake: Lake, roster: Roster, songs: Sequence[Song], partitions_def: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    @dg.asset(
        key=KEY.split("/"),
        deps=[dg.AssetKey(table.key.split("/")) for table in LAKE_TABLES],
        group_name="curated",
        description="Every table of the lake is complete for the account and month, and may be loaded.",
        kinds={"parquet"},
        owners=OWNERS,
        partitions_def=partitions_def,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={ACCOUNT_LOCKS},
    )
    @reports_failures
    def complete(context: dg.AssetExecutionContext) -> None:
        partitions = run_partitions(context)
        getattr(context.resources, ACCOUNT_LOCKS).require()
        with together():
            if makes_all(context, LAKE_TABLES):
                note_files_made(lake, partitions, made_with(lake.settings, roster, songs))
            if selects(context, LAKE_TABLES):
                run = run_of_lake(context)
                for account in partitions.accounts:
                    note_curated(lake, account, partitions, run)

    return complete
