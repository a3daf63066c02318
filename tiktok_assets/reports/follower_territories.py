"""FollowerTopTerritories: where an account's followers are on the day of the download."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import name, share, snapshot_rows, text, typed
from tiktok_assets.reports.report import Report, Staged


class FollowerTerritories(Staged):
    """One row per account, day of the download and territory."""

    territory: str = pa.Field(description="ISO 3166-1 alpha-2 code, or Others")
    share: float = pa.Field(nullable=True, ge=0, le=1, description="share of followers, 0 to 1")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows."""
    return snapshot_rows(
        typed(rows, {"territory": name(text(rows, "top territories")), "share": share(text(rows, "distribution"))})
    )


FOLLOWER_TERRITORIES = Report(
    name="follower_territories",
    section="followers",
    headers={"studio": ("Top territories", "Distribution")},
    signature=(("top territories",), ("distribution",)),
    label=None,
    grain=("date", "territory"),
    unit=("date",),
    description="Share of followers in the ten territories with the most of them, and in all others.",
    parse=parse,
    schema=FollowerTerritories,
    parser_version="1",
)
