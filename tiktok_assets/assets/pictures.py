"""The sketch of a table in its metadata. It costs a run a few ms, and a sketch that fails costs it nothing else."""

from __future__ import annotations

import dagster as dg

from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.reporting.sketches import SKETCHES, sketch


def chart_metadata(table: str, rows: Rows) -> dict[str, dg.MetadataValue]:
    """``picture``: a chart and a small table of what a run put into a curated ``table``.

    Nothing for tables without a sketch, without rows, and where drawing fails: that is logged.
    """
    if table not in SKETCHES:
        return {}
    try:
        markdown = sketch(table, rows)
    except Exception as error:  # whatever it is, the numbers are right without their picture
        dg.get_dagster_logger().warning("The picture of %s could not be drawn: %r", table, error)
        return {}
    return {"picture": dg.MetadataValue.md(markdown)} if markdown else {}
