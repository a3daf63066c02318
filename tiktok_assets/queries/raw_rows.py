"""Raw rows of the lake for other programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from tiktok_assets.reports import REPORTS
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake, read_parquet


class UnknownReport(ValueError):
    """No report has that name."""


def exported_rows(
    settings: Settings, *, accounts: Sequence[str], reports: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """The raw rows, one export at a time, with the name of the ``report`` as the first column.

    Raises UnknownReport for an unknown report; the message lists the known ones.
    """
    names = [report.name for report in REPORTS]
    if unknown := set(reports or ()) - set(names):
        raise UnknownReport(f"No report is called {', '.join(sorted(unknown))}. There are: {', '.join(names)}.")
    lake = Lake(settings)
    for name in reports or names:
        for account in accounts:
            for path in lake.raw_files(name, account):
                yield read_parquet([path]).select(pl.lit(name).alias("report"), pl.all())
