"""Landing: the exports as TikTok served them. These assets report what lies there; they never change a byte."""

from collections.abc import Iterable, Iterator

import dagster as dg

from tiktok_assets.assets.metadata import OWNERS, part_of_list
from tiktok_assets.dropped import account_files
from tiktok_assets.exports.names import SECTIONS, read_name
from tiktok_assets.intake import LandedExport
from tiktok_assets.partitions import partition_key, slice_of
from tiktok_assets.storage.lake import Lake

_DESCRIPTION = {
    "overview": "Overview ZIPs: the account's daily views, profile views, likes, comments and shares.",
    "viewers": "Viewers ZIPs: unique, new and returning viewers a day.",
    "followers": "Followers ZIPs: followers a day, and their activity, gender and territories.",
    "content": "Content ZIPs: lifetime totals of up to 15 videos.",
}


def build_landing_assets(lake: Lake, partitions_def: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name="landing",
        specs=[
            dg.AssetSpec(
                ["landing", section],
                group_name="landing",
                description=_DESCRIPTION[section],
                partitions_def=partitions_def,
                kinds={"zip"},
                owners=OWNERS,
                skippable=True,
            )
            for section in SECTIONS
        ],
        can_subset=True,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool="landing",
    )
    def landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        part = slice_of(context.partition_keys)
        files = [path for account in part.accounts for path in account_files(lake, account)]
        for key in sorted(context.selected_asset_keys):
            section = key.path[-1]
            found = [path for path in files if read_name(path.name).section == section]
            yield dg.MaterializeResult(
                asset_key=key,
                metadata={
                    "files": len(found),
                    "bytes": sum(path.stat().st_size for path in found),
                    "newest": part_of_list([path.name for path in found[::-1]]),
                },
            )

    return landing


def landing_events(instance: dg.DagsterInstance, landed: Iterable[LandedExport]) -> Iterator[dg.AssetMaterialization]:
    """What landed, told to Dagster without a run: each partition of landing that it does not know of yet."""
    files: dict[tuple[str, str], list[LandedExport]] = {}
    for export in landed:
        for section in export.sections:
            for month in export.months:
                files.setdefault((section, partition_key(export.account, month)), []).append(export)
    known = {
        section: instance.get_materialized_partitions(dg.AssetKey(["landing", section]))
        for section in {section for section, _ in files}
    }
    for (section, key), exports in files.items():
        if key not in known[section]:
            sources = ", ".join(export.source for export in exports)
            yield dg.AssetMaterialization(["landing", section], partition=key, metadata={"files": sources})
