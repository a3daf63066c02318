"""Viewers: how many people watched on a day, and how many of them for the first time."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import count, day_rows, text, typed
from tiktok_assets.reports.report import Report, StagedDay


class Viewers(StagedDay):
    """One row per account and day. People, not views: days must never be summed."""

    unique_viewers: int = pa.Field(nullable=True, ge=0, description="people who watched at least one video")
    new_viewers: int = pa.Field(nullable=True, description="of these, first-time viewers")
    returning_viewers: int = pa.Field(nullable=True, description="of these, viewers who had watched before")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows. Beside an ``undefined`` total TikTok writes placeholder zeros: they are unknown too."""
    values = typed(
        rows,
        {
            "unique_viewers": count(text(rows, "total viewers"), least=0),
            "new_viewers": count(text(rows, "new viewers")),
            "returning_viewers": count(text(rows, "returning viewers")),
        },
    )
    placeholder = pl.col("unique_viewers").is_null()
    parts = (pl.col(name) for name in ("new_viewers", "returning_viewers"))
    return day_rows(
        values.with_columns(
            pl.when(~(placeholder & (part == 0))).then(part).alias(part.meta.output_name()) for part in parts
        )
    )


VIEWERS = Report(
    name="viewers",
    section="viewers",
    headers={"studio": ("Date", "Total Viewers", "New Viewers", "Returning Viewers")},
    signature=(("date",), ("total viewers",)),
    label="Date",
    grain=("date",),
    unit=("date",),
    description="Unique, new and returning viewers of the day.",
    parse=parse,
    schema=Viewers,
    parser_version="1",
)
