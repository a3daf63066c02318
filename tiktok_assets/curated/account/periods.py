"""How did an account do in a week or a month? ISO weeks (Monday to Sunday) and calendar months.

A period belongs to the month its last day lies in, so that it needs no day later than its partition. A week that runs
into next month appears there.

Unique viewers are never summed: who watched on Monday and on Tuesday is one person. Their daily mean is given instead.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, made_of
from tiktok_assets.curated.measures import growth, ratio
from tiktok_assets.curated.table import Input, Table, publication

LOOK_BACK = 31
"""Days before the first requested month: the longest month before it, which it is compared with."""

_SUMMED = ("video_views", "profile_views", "likes", "comments", "shares", "engagements")
_KEY = ["account", "period", "starts_on"]
_COUNTS = (*_SUMMED, "unique_viewers", "followers")
COLUMNS = ("account", "date", *_COUNTS)
"""The columns of a day that ``account_periods`` needs."""


class AccountPeriods(pa.DataFrameModel):
    """One row per account and week or month with a number of at least one day. Sums are over the same days_known days.

    A count that is unknown on one of these days has no sum.
    """

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="last day of the period; the partition it belongs to")
    period: str = pa.Field(
        isin=["week", "month"], description="week (ISO, from Monday) or month", metadata=made_of("date")
    )
    label: str = pa.Field(description="2026-W05 or 2026-01", metadata=made_of("date"))
    starts_on: pl.Date = pa.Field(description="first day of the period", metadata=made_of("date"))
    days: int = pa.Field(description="calendar days of the period: 7, or 28 to 31", metadata=made_of("date"))
    days_known: int = pa.Field(description="days of the period with known video_views", metadata=made_of("video_views"))
    is_complete: bool = pa.Field(
        description="whether days_known is days; else sums are of a part and growth is null",
        metadata=made_of("video_views"),
    )
    video_views: int = pa.Field(nullable=True, description="sum of video_views over the days known")
    profile_views: int = pa.Field(nullable=True, description="sum of profile_views over the days known")
    likes: int = pa.Field(nullable=True, description="sum of likes over the days known; net")
    comments: int = pa.Field(nullable=True, description="sum of comments over the days known; net")
    shares: int = pa.Field(nullable=True, description="sum of shares over the days known; net")
    engagements: int = pa.Field(nullable=True, description="likes + comments + shares over the days known; net")
    engagement_rate: float = pa.Field(
        nullable=True,
        description="engagements / video_views of the same days",
        metadata=made_of("engagements", "video_views"),
    )
    virality_rate: float = pa.Field(
        nullable=True, description="shares / video_views of the same days", metadata=made_of("shares", "video_views")
    )
    video_views_daily_avg: float = pa.Field(
        nullable=True, description="video_views / days_known", metadata=made_of("video_views")
    )
    unique_viewers_daily_avg: float = pa.Field(
        nullable=True,
        description="mean unique_viewers of a day; null unless known on every day of the period",
        metadata=made_of("unique_viewers"),
    )
    followers: int = pa.Field(nullable=True, description="followers at the end of the period's last day")
    net_followers: int = pa.Field(
        nullable=True,
        description="followers minus followers at the end of the day before the period",
        metadata=made_of("followers"),
    )
    video_views_growth: float = pa.Field(
        nullable=True,
        description="video_views / video_views of the period before, minus 1; null unless both are complete. Months "
        "differ in length: compare video_views_daily_avg for that",
        metadata=made_of("video_views"),
    )
    engagements_growth: float = pa.Field(
        nullable=True,
        description="engagements / engagements of the period before, minus 1; null unless both complete",
        metadata=made_of("engagements"),
    )

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _KEY


class Periods(AccountPeriods, OfManyExports):
    """One row per account and week or month; see social_media_stats_weekly and _monthly."""

    class Config(AccountPeriods.Config, OfManyExports.Config):
        unique = ["platform", *_KEY]


def account_periods(days: pl.DataFrame) -> pl.DataFrame:
    """The weeks and months of ``days``: account, date, followers, unique_viewers and the counts that are summed."""
    known = days.filter(pl.any_horizontal(pl.col(_COUNTS).is_not_null()))
    return pl.concat([_periods(known, "week", "1w"), _periods(known, "month", "1mo")]).sort("account", "date", "period")


def _periods(days: pl.DataFrame, period: str, every: str) -> pl.DataFrame:
    starts_on = pl.col("date").dt.truncate(every)
    known = pl.col("video_views").is_not_null()
    own = days.group_by("account", starts_on=starts_on).agg(
        known.sum().cast(pl.Int64).alias("days_known"),
        *(_sum_of_known_days(column, known) for column in _SUMMED),
        pl.col("unique_viewers").mean().alias("unique_viewers_daily_avg"),
        pl.col("unique_viewers").count().alias("_viewer_days"),
    )
    rows = own.with_columns(
        period=pl.lit(period),
        date=pl.col("starts_on").dt.offset_by(every).dt.offset_by("-1d"),
        label=pl.col("starts_on").dt.to_string("%G-W%V" if period == "week" else "%Y-%m"),
    ).with_columns(days=(pl.col("date") - pl.col("starts_on")).dt.total_days() + 1)
    rows = _with_followers(rows, days).with_columns(
        is_complete=pl.col("days_known") == pl.col("days"),
        unique_viewers_daily_avg=pl.when(pl.col("_viewer_days") == pl.col("days")).then("unique_viewers_daily_avg"),
        engagement_rate=ratio(pl.col("engagements"), pl.col("video_views")),
        virality_rate=ratio(pl.col("shares"), pl.col("video_views")),
        video_views_daily_avg=ratio(pl.col("video_views"), pl.col("days_known")),
    )
    return _with_growth(rows, every).select(list(AccountPeriods.to_schema().columns))


def _sum_of_known_days(column: str, known: pl.Expr) -> pl.Expr:
    """The sum over days with known views; null if there is none, or if ``column`` is unknown on one of them."""
    of_known = pl.col(column).filter(known)
    return pl.when(of_known.len() > 0, of_known.null_count() == 0).then(of_known.sum()).alias(column)


def _with_followers(rows: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    counted = days.select("account", "date", "followers").unique(["account", "date"], keep="none")
    day_before = counted.select("account", starts_on=pl.col("date").dt.offset_by("1d"), _before="followers")
    return (
        rows.join(counted, on=["account", "date"], how="left")
        .join(day_before, on=["account", "starts_on"], how="left")
        .with_columns(net_followers=pl.col("followers") - pl.col("_before"))
    )


def _with_growth(rows: pl.DataFrame, every: str) -> pl.DataFrame:
    complete = rows.filter("is_complete").select(
        "account",
        pl.col("starts_on").dt.offset_by(every),
        _views="video_views",
        _engagements="engagements",
    )
    joined = rows.join(complete, on=["account", "starts_on"], how="left")
    return joined.with_columns(
        video_views_growth=pl.when("is_complete").then(growth(pl.col("video_views"), pl.col("_views"))),
        engagements_growth=pl.when("is_complete").then(growth(pl.col("engagements"), pl.col("_engagements"))),
    )


ACCOUNT_PERIODS = Table(
    key="curated/account_periods",
    schema=AccountPeriods,
    version="5",
    inputs={"days": Input("curated/account_daily", look_back=LOOK_BACK, columns=COLUMNS)},
    make=lambda inputs, _: account_periods(inputs["days"]),
)
PERIODS = publication(ACCOUNT_PERIODS, "warehouse/account_periods", Periods)
