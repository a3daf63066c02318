"""Whether the exports behind a staging table are reliably dated: the years of their labels, and their order.

Belongs here: exports that are dated only by a file's time, or not at all. Does not belong here: how years and order are
found (``exports.years``, ``exports.downloads``).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.exports.evidence import DAYS_OF_A_DOWNLOAD
from tiktok_assets.partitions import PartitionRange
from tiktok_assets.storage.metadata import markdown_table


@dataclass(frozen=True, kw_only=True)
class Doubts:
    """``years``: exports, a row each (account, source, last, file_time). ``order``: as ``reports.report.undecided``."""

    years: pl.DataFrame
    order: pl.DataFrame


def years_by_file_time(raw: pl.LazyFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The exports behind ``rows`` whose year rests on a file time long after their last row, as ``Doubts.years``.

    A copy of an older file has such a time, and would be read in the wrong year.
    """
    by_time = (pl.col("year_evidence") == "file_time") & (pl.col("downloaded_at_evidence") == "file_time")
    apart = pl.col("downloaded_at").dt.date() - pl.col("window_last")
    return (
        raw.filter(by_time & (apart > DAYS_OF_A_DOWNLOAD))
        .join(rows.lazy().select("account", "export_id").unique(), on=["account", "export_id"], how="semi")
        .group_by("account", "source")
        .agg(last=pl.col("window_last").first(), file_time=pl.col("downloaded_at").first())
        .sort("account", "source")
        .collect(engine="streaming")
    )


def exports_are_dated(partitions: PartitionRange, doubts: Doubts) -> dg.AssetCheckResult:
    broken: dict[str, str] = {}
    for account, files, source, last, file_time in (
        doubts.years.group_by("account", maintain_order=True)
        .agg(pl.len(), pl.col("source", "last", "file_time").first())
        .rows()
    ):
        more = f" (and {files - 1} more)" if files > 1 else ""
        broken[account] = (
            f"The year {last.year} of {source}{more} rests on the time of the file ({file_time:%Y-%m-%d}), which may "
            "be that of a copy. Name it as Studio did, or with a full date of its window."
        )
    for account, grains, ids in (
        doubts.order.group_by("account", maintain_order=True).agg(pl.len(), pl.col("export_ids").first()).rows()
    ):
        broken.setdefault(
            account,
            f"{grains} rows are reported differently by exports that are equally old by all evidence "
            f"({', '.join(one[:8] for one in ids)}): which one is stored was decided by their ids. "
            "Name them as Studio did.",
        )
    facts = {"exports_by_file_time": doubts.years.height, "rows_of_undecided_order": doubts.order.height}
    tables = {
        name: dg.MetadataValue.md(markdown_table(cases.head(SHOWN)))
        for name, cases in (("exports", doubts.years), ("rows", doubts.order))
        if cases.height
    }
    return evaluation("exports_are_dated", partitions, broken, facts={**facts, **tables})
