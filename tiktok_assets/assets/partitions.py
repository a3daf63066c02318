"""Account x month as Dagster's partitions. Does not belong here: the range of a run (``partitions``)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import dagster as dg


def account_months(accounts: Sequence[str], start: dt.date) -> dg.MultiPartitionsDefinition:
    """The partitions of every asset, up to the current month; their keys are those of ``partitions.partition_key``."""
    return dg.MultiPartitionsDefinition(
        {
            "account": dg.StaticPartitionsDefinition(accounts),
            "date": dg.MonthlyPartitionsDefinition(start.isoformat(), end_offset=1),
        }
    )


def event_key(account: str, month: dt.date) -> dg.MultiPartitionKey:
    """The key of a partition as an event has to name it, so that Dagster finds the event by account and by month."""
    return dg.MultiPartitionKey({"account": account, "date": month.isoformat()})
