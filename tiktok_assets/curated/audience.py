"""Who follows an account, and when are they active? Gender, territory and hour in one long table."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, conform

DIMENSIONS = ["age_range", "gender", "territory", "active_time"]


class AudienceMetrics(pa.DataFrameModel):
    """A share or a count of an account's audience."""

    dimension: str = pa.Field(isin=DIMENSIONS, description="age_range, gender, territory or active_time")
    value: str = pa.Field(description="Male, GR, 18-24, or the hour of active_time")
    share: float = pa.Field(nullable=True, ge=0, le=1, description="share of followers, 0 to 1; null for active_time")
    count: int = pa.Field(nullable=True, ge=0, description="active followers in the hour; null for shares")
    hour: int = pa.Field(nullable=True, ge=0, le=23, description="local hour of active_time, 0 to 23")


class Audience(AudienceMetrics):
    """One row per account, day, dimension and value (shares: day of the download; active_time: the day itself)."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the download; for active_time the day spoken of")
    export_id: str = pa.Field(nullable=True, description="export behind the number")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "dimension", "value"]


class AudienceInsights(AudienceMetrics, WarehouseRow):
    """One row per account, day, dimension and value."""

    captured_on: pl.Date = pa.Field(description="day of the download; for active_time the day spoken of")

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "captured_on", "dimension", "value"]


def audience(gender: pl.DataFrame, territories: pl.DataFrame, activity: pl.DataFrame) -> pl.DataFrame:
    """The three audience reports in long form. The zeros TikTok fills up an export's end with are unknown: null."""
    parts = [
        gender.with_columns(dimension=pl.lit("gender"), value="gender"),
        territories.with_columns(dimension=pl.lit("territory"), value="territory"),
        activity.with_columns(
            dimension=pl.lit("active_time"),
            value=pl.col("hour").cast(pl.String).str.zfill(2),
            count=pl.when(~pl.col("is_zero_tail")).then("active_followers"),
        ),
    ]
    return pl.concat(conform(part, Audience) for part in parts).sort("account", "date", "dimension", "value")
