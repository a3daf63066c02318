"""Whether the exports of an account agree on the days that several of them contain.

Belongs here: the check. Does not belong here: which exports contradict others (``exports.labels.agreement``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.exports.labels import Contradiction
from tiktok_assets.exports.safe_text import one_line
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.metadata import markdown_table

_NAME = "exports_agree"


def exports_agree_spec(key: dg.AssetKey) -> dg.AssetCheckSpec:
    text = "Exports of an account report the same numbers for most of the settled days that they share."
    return dg.AssetCheckSpec(_NAME, asset=key, description=text)


def exports_agree(partitions: PartitionRange, found: Mapping[str, Sequence[Contradiction]]) -> dg.AssetCheckResult:
    """``found``: by account, its exports that contradict others of it."""
    broken = {
        account: f"{one_line(ones[0].file.source)}: {ones[0]}" + (f" And {len(ones) - 1} more." if ones[1:] else "")
        for account, ones in found.items()
        if ones
    }
    rows = [
        (account, one.file.source, one.file.report, one.other.source, one.differing, one.days)
        for account, ones in found.items()
        for one in ones
    ]
    columns = ["account", "source", "report", "differs from", "on days", "of days"]
    facts = {"contradictions": len(rows)}
    tables = {"exports": dg.MetadataValue.md(markdown_table(pl.DataFrame(rows[:SHOWN], columns, orient="row")))}
    return evaluation(_NAME, partitions, broken, facts={**facts, **(tables if rows else {})})
