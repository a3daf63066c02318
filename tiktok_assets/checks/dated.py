"""Whether the exports behind a staging table are reliably dated: the years of their labels, and their order.

Belongs here: the check. Does not belong here: which exports are in doubt (``curated.quality.dated``), how years and
order are found (``exports.years``, ``exports.downloads``).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.curated.quality.dated import doubtful_exports, sentence
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.metadata import markdown_table


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """``years``: exports, a row each (account, source, last, evidence, file_time).

    ``order``: as ``reports.report.undecided``.
    """

    years: pl.DataFrame
    order: pl.DataFrame


def exports_in_doubt(raw: pl.LazyFrame, rows: Rows) -> pl.DataFrame:
    """The exports behind ``rows`` whose year or day may be wrong, as ``Doubts.years``."""
    behind = rows.lazy().select("account", "export_id").unique().collect()
    found = doubtful_exports(raw).join(behind, on=["account", "export_id"], how="semi", maintain_order="left")
    return found.drop("export_id").unique(["account", "source"], keep="first", maintain_order=True)


def exports_are_dated(partitions: PartitionRange, doubts: Doubts) -> dg.AssetCheckResult:
    broken: dict[str, str] = {}
    for account, files, source, last, evidence, file_time in (
        doubts.years.group_by("account", maintain_order=True)
        .agg(pl.len(), pl.col("source", "last", "evidence", "file_time").first())
        .rows()
    ):
        broken[account] = sentence(source, last, evidence, file_time, files - 1)
    for account, grains, ids in (
        doubts.order.group_by("account", maintain_order=True).agg(pl.len(), pl.col("export_ids").first()).rows()
    ):
        broken.setdefault(
            account,
            f"{grains} rows are reported differently by exports that are equally old by all evidence "
            f"({', '.join(one[:8] for one in ids)}): which one is stored was decided by their ids. "
            "Name them as Studio did.",
        )
    facts = {"exports_in_doubt": doubts.years.height, "rows_of_undecided_order": doubts.order.height}
    tables = {
        name: dg.MetadataValue.md(markdown_table(cases.head(SHOWN)))
        for name, cases in (("exports", doubts.years), ("rows", doubts.order))
        if cases.height
    }
    return evaluation("exports_are_dated", partitions, broken, facts={**facts, **tables})
