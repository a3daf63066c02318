"""Who follows and watches an account, and when? Age, gender, territory and hour in one long table."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, conform
from tiktok_assets.curated.audience.clock import disagreements
from tiktok_assets.curated.table import Checks, Input, Parameters, Table, publication

DIMENSIONS = ["age_range", "gender", "territory", "active_time"]
AUDIENCES = ["followers", "viewers"]
_KEY = ["date", "audience", "dimension", "value"]
_AGES = {"follower_age": "followers", "viewer_age": "viewers"}


class AudienceMetrics(pa.DataFrameModel):
    """A share or a count of an account's audience."""

    audience: str = pa.Field(
        isin=AUDIENCES, description="whose: followers, or viewers (of age_range, in the days Studio's page was set to)"
    )
    dimension: str = pa.Field(isin=DIMENSIONS, description="age_range, gender, territory or active_time")
    value: str = pa.Field(description="Male, GR, 18-24, or the hour of active_time")
    share: float = pa.Field(
        nullable=True, ge=0, le=1, description="share of the audience, 0 to 1; null for active_time"
    )
    count: int = pa.Field(nullable=True, ge=0, description="active followers in the hour; null for shares")
    hour: int = pa.Field(nullable=True, ge=0, le=23, description="local hour of active_time, 0 to 23")


class Audience(AudienceMetrics):
    """One row per account, day, audience, dimension and value. Shares: day of the download; active_time: day itself."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="day of the download; for active_time the day described")
    export_id: str = pa.Field(nullable=True, description="export behind the number")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", *_KEY]


class AudienceInsights(AudienceMetrics, WarehouseRow):
    """One row per account, day, audience, dimension and value."""

    captured_on: pl.Date = pa.Field(description="day of the download; for active_time the day described")

    class Config(WarehouseRow.Config):
        unique = ["platform", "account", "captured_on", "audience", "dimension", "value"]


def audience(
    gender: pl.DataFrame, territories: pl.DataFrame, activity: pl.DataFrame, insights: pl.DataFrame
) -> pl.DataFrame:
    """Three reports of followers, and the ages among insights, in long form.

    The zeros TikTok fills up an export's end with are unknown: null. Ages that Studio has no data of are no rows.
    """
    followers = pl.lit("followers")
    ages = insights.filter(pl.col("metric").is_in(list(_AGES)) & pl.col("value").is_not_null())
    parts = [
        gender.with_columns(audience=followers, dimension=pl.lit("gender"), value="gender"),
        territories.with_columns(audience=followers, dimension=pl.lit("territory"), value="territory"),
        activity.with_columns(
            audience=followers,
            dimension=pl.lit("active_time"),
            value=pl.col("hour").cast(pl.String).str.zfill(2),
            count=pl.when(~pl.col("is_zero_tail")).then("active_followers"),
        ),
        ages.with_columns(
            audience=pl.col("metric").replace_strict(_AGES, default=None, return_dtype=pl.String),
            dimension=pl.lit("age_range"),
            value="item",
            share="value",
        ),
    ]
    return pl.concat(conform(part, Audience) for part in parts).sort("account", *_KEY)


_CLOCK = "timezone_is_that_of_the_exports"


def _wrong_clocks(rows: pl.DataFrame, parameters: Parameters) -> dict[str, pl.DataFrame]:
    found = [(account, sentence) for account, _, sentence in disagreements(rows, parameters.timezones)]
    return {_CLOCK: pl.DataFrame(found, schema={"account": pl.String, "sentence": pl.String}, orient="row")}


_SNAPSHOT = {name: name for name in ("account", "date", "export_id")}
AUDIENCE = Table(
    key="curated/audience",
    schema=Audience,
    version="4",
    inputs={
        "gender": Input("staging/follower_gender", pivoted=_SNAPSHOT | {"value": "gender", "share": "share"}),
        "territories": Input(
            "staging/follower_territories", pivoted=_SNAPSHOT | {"value": "territory", "share": "share"}
        ),
        "activity": Input(
            "staging/follower_activity",
            pivoted=_SNAPSHOT | {"value": "hour", "hour": "hour", "count": "active_followers"},
        ),
        "insights": Input(
            "staging/insights",
            pivoted=_SNAPSHOT | {"audience": "metric", "dimension": "metric", "value": "item", "share": "value"},
        ),
    },
    make=lambda inputs, _: audience(**inputs),
    checks=[
        Checks(
            descriptions={_CLOCK: "The hours in exports follow the timezone in accounts.toml, where it names one."},
            cases=_wrong_clocks,
        )
    ],
)
AUDIENCE_INSIGHTS = publication(
    AUDIENCE, "warehouse/audience_insights", AudienceInsights, renamed={"captured_on": "date"}
)
