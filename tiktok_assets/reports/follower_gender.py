"""FollowerGender: the gender split of an account's followers on the day of the download."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.reports._columns import name, share, snapshot_rows, text, typed
from tiktok_assets.reports.report import Report, Staged


class FollowerGender(Staged):
    """One row per account, day of the download and gender."""

    gender: str = pa.Field(description="Male, Female or Other, as exported")
    share: float = pa.Field(nullable=True, ge=0, le=1, description="share of followers, 0 to 1")


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows."""
    return snapshot_rows(
        typed(rows, {"gender": name(text(rows, "gender")), "share": share(text(rows, "distribution"))})
    )


FOLLOWER_GENDER = Report(
    name="follower_gender",
    section="followers",
    headers={"studio": ("Gender", "Distribution")},
    signature=(("gender",), ("distribution",)),
    label=None,
    grain=("date", "gender"),
    unit=("date",),
    description="Share of followers by gender on the day of the download.",
    parse=parse,
    schema=FollowerGender,
    parser_version="1",
)
