"""Account x month as Dagster's partitions, and which of them a run is asked for.

Does not belong here: what those amount to (``partitions.PartitionRange``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import dagster as dg

from tiktok_assets.failures import PartitionsLost
from tiktok_assets.partitions import RANGE_END, RANGE_START, PartitionRange, partition_range


class AccountMonths(dg.MultiPartitionsDefinition):
    """Partitions whose runs are tagged with their key alone, not with its account and its month as well.

    A backfill that is launched from a job's page (dagster issue 28861) gives each run a range, and beside it the tags
    of the range's first partition. Execution prefers tags of an account and a month to the range: the run would make
    that one partition, and the backfill would say that all are made.
    """

    def get_tags_for_partition_key(self, partition_key: str) -> Mapping[str, str]:
        return {"dagster/partition": partition_key}


def account_months(accounts: Sequence[str], start: dt.date) -> AccountMonths:
    """The partitions of every asset, up to the current month; their keys are those of ``partitions.partition_key``."""
    return AccountMonths(
        {
            "account": dg.StaticPartitionsDefinition(accounts),
            "date": months_since(start),
        }
    )


def months_since(start: dt.date) -> dg.MonthlyPartitionsDefinition:
    """The partitions of streams, which belong to no account, up to the current month."""
    return dg.MonthlyPartitionsDefinition(start.isoformat(), end_offset=1)


def run_partitions(context: dg.AssetExecutionContext) -> PartitionRange:
    """The rectangle a run is asked for. Raises PartitionsLost where Dagster would make less than its tags name."""
    made, tags = set(context.partition_keys), context.run.tags
    partitions = partition_range(made)
    lost = [tags[end] for end in (RANGE_START, RANGE_END) if end in tags and tags[end] not in made]
    if lost:
        raise PartitionsLost(
            f"The run names the partitions {tags[RANGE_START]} to {tags[RANGE_END]}, and Dagster would make only "
            f"{' and '.join(sorted(made)[:3])}, because its tags name that one too. Nothing was made. Launch a new "
            "run: open the job, or Assets and their group, select Materialize and choose the partitions there. Do not "
            "re-execute this one, and write no tags by hand."
        )
    return partitions


def event_key(account: str, month: dt.date) -> dg.MultiPartitionKey:
    """The key of a partition as an event has to name it, so that Dagster finds the event by account and by month."""
    return dg.MultiPartitionKey({"account": account, "date": month.isoformat()})
