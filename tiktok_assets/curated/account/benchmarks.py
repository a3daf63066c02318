"""How does an account stand among the accounts of the roster? One window of days each, and percentiles of it.

Totals are not compared: a label of millions and one of thousands are put side by side by views per follower, engagement
and growth. These tables look across accounts, so no partition of one account can hold them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import OfManyExports, made_of
from tiktok_assets.curated.measures import growth, ratio
from tiktok_assets.curated.table import Input, Table
from tiktok_assets.exports.months import month_of

WINDOW = 28
"""Days of the window: 4 of each weekday."""
LOOK_BACK = 2 * WINDOW
"""Days before ``last_day``, itself included: the window, and the one before it to grow from."""

MOST = 0.8
"""Share of the accounts whose window has to be complete for a day to be the one they are compared on."""

METRICS = ["views_per_follower", "engagement_rate", "virality_rate", "video_views_growth", "follower_growth_rate"]
_SUMMED = ("video_views", "likes", "comments", "shares", "engagements")
_COMPARED = ("video_views", "likes", "comments", "shares", "followers")
COLUMNS = ("account", "date", *_SUMMED, "followers")
"""The columns of a day that ``account_totals`` needs."""


class AccountTotals(pa.DataFrameModel):
    """One row per account with a known day in the window. Sums are over its days_known days."""

    account: str = pa.Field(unique=True, description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="last day of the window")
    days_known: int = pa.Field(description=f"days of the window of {WINDOW} with known video_views")
    is_complete: bool = pa.Field(description="whether all days are known; else sums are of a part, and rank nowhere")
    video_views: int = pa.Field(nullable=True, description="sum of video_views over the days known")
    likes: int = pa.Field(nullable=True, description="sum of likes over the days known; net")
    comments: int = pa.Field(nullable=True, description="sum of comments over the days known; net")
    shares: int = pa.Field(nullable=True, description="sum of shares over the days known; net")
    engagements: int = pa.Field(nullable=True, description="likes + comments + shares over the days known; net")
    engagement_rate: float = pa.Field(nullable=True, description="engagements / video_views of the same days")
    virality_rate: float = pa.Field(nullable=True, description="shares / video_views of the same days")
    followers: int = pa.Field(nullable=True, description="followers at the end of the last day")
    net_followers: int = pa.Field(
        nullable=True, description="followers minus those at the end of the day before it all"
    )
    follower_growth_rate: float = pa.Field(nullable=True, description="net_followers / followers before the window")
    views_per_follower: float = pa.Field(
        nullable=True, description="video_views / followers at the end of the last day; null unless complete"
    )
    video_views_growth: float = pa.Field(
        nullable=True, description="video_views / those of the window before, minus 1; null unless both are complete"
    )

    class Config(pa.DataFrameModel.Config):
        strict = True


class AccountBenchmarks(pa.DataFrameModel):
    """One row per account and metric."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="last day of the window")
    metric: str = pa.Field(
        isin=METRICS,
        description="what is compared, of the window of 28 days: views_per_follower (video_views / followers at its "
        "end), engagement_rate (likes + comments + shares / video_views), virality_rate (shares / video_views), "
        "video_views_growth (against the 28 days before), follower_growth_rate (of followers since the day before it)",
        metadata=made_of(*_COMPARED),
    )
    value: float = pa.Field(
        nullable=True,
        description="the account's; null if unknown, or the window is incomplete",
        metadata=made_of(*_COMPARED),
    )
    roster_median: float = pa.Field(
        nullable=True, description="median over the accounts compared", metadata=made_of(*_COMPARED)
    )
    percentile: float = pa.Field(
        nullable=True,
        ge=0,
        le=1,
        description="share of the other accounts that are below, equal ones counted half; null with no other account",
        metadata=made_of(*_COMPARED),
    )
    accounts: int = pa.Field(description="accounts compared: those of known value", metadata=made_of(*_COMPARED))

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "metric"]


class Benchmarks(AccountBenchmarks, OfManyExports):
    """One row per account, month and metric: the last 28 days that most accounts know, against the other accounts."""

    class Config(AccountBenchmarks.Config, OfManyExports.Config):
        unique = ["platform", "account", "date", "metric"]


def monthly_benchmarks(days: pl.DataFrame, months: Iterable[dt.date]) -> pl.DataFrame:
    """The benchmarks of each of ``months`` (first days) that an account knows a day of; see ``last_days``."""
    chosen = [day for month, day in last_days(days) if month in set(months)]
    tables = [account_benchmarks(account_totals(days, day)) for day in chosen]
    return pl.concat(tables) if tables else AccountBenchmarks.empty()


def last_days(days: pl.DataFrame) -> list[tuple[dt.date, dt.date]]:
    """By month (first day), the day that accounts are compared on.

    The newest one on which nearly as many accounts as on any (``MOST``) have a complete window that is not all 0, as
    TikTok reports for days before an account existed: accounts are exported on different days, and one that is no
    longer exported must not hold up the others. Without any complete window it is the newest known day.
    """
    known = days.filter(pl.col("video_views").is_not_null()).unique(["account", "date"]).sort("account", "date")
    known = known.select("account", "date", "video_views", _known=pl.lit(1))
    days_known, views = (
        pl.col(name).rolling_sum_by("date", f"{WINDOW}d").over("account") for name in ("_known", "video_views")
    )
    complete = (
        known.with_columns(_complete=(days_known == WINDOW) & (views > 0))
        .group_by("date")
        .agg(pl.col("_complete").sum())
        .with_columns(month=month_of(pl.col("date")))
    )
    enough = pl.col("_complete") >= MOST * pl.col("_complete").max().over("month")
    return complete.filter(enough).group_by("month").agg(pl.col("date").max()).sort("month").rows()


def account_totals(days: pl.DataFrame, last_day: dt.date) -> pl.DataFrame:
    """Each account over the ``WINDOW`` days up to ``last_day``, out of days with the columns of ``DayRates``."""
    day_before = last_day - dt.timedelta(days=WINDOW)
    now, past = _window(days, last_day), _window(days, day_before)
    before = past.filter("is_complete").select("account", _views_before="video_views")
    rows = (
        now.join(before, on="account", how="left")
        .join(_followers(days, last_day, "followers"), on="account", how="left")
        .join(_followers(days, day_before, "_followers_before"), on="account", how="left")
        .with_columns(date=pl.lit(last_day), net_followers=pl.col("followers") - pl.col("_followers_before"))
    )
    views, complete = pl.col("video_views"), pl.col("is_complete")
    return (
        rows.with_columns(
            engagement_rate=ratio(pl.col("engagements"), views),
            virality_rate=ratio(pl.col("shares"), views),
            follower_growth_rate=ratio(pl.col("net_followers"), pl.col("_followers_before")),
            views_per_follower=pl.when(complete).then(ratio(views, pl.col("followers"))),
            video_views_growth=pl.when(complete).then(growth(views, pl.col("_views_before"))),
        )
        .select(list(AccountTotals.to_schema().columns))
        .sort("account")
    )


def account_benchmarks(totals: pl.DataFrame) -> pl.DataFrame:
    """Each account of ``AccountTotals`` against all of them."""
    value, roster = pl.col("value"), ("date", "metric")
    rows = totals.unpivot(METRICS, index=["account", "date", "is_complete"], variable_name="metric", value_name="value")
    others = value.count().over(roster).cast(pl.Int64) - 1
    return (
        rows.with_columns(value=pl.when("is_complete").then("value"))
        .with_columns(
            roster_median=value.median().over(roster),
            percentile=ratio(value.rank("average").over(roster) - 1, others),
            accounts=others + 1,
        )
        .select(list(AccountBenchmarks.to_schema().columns))
        .sort("metric", "account")
    )


def _window(days: pl.DataFrame, last_day: dt.date) -> pl.DataFrame:
    known = days.filter(
        pl.col("date") > last_day - dt.timedelta(days=WINDOW),
        pl.col("date") <= last_day,
        pl.col("video_views").is_not_null(),
    )
    sums = known.group_by("account", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("days_known"),
        *(pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in _SUMMED),
    )
    return sums.with_columns(is_complete=pl.col("days_known") == WINDOW)


def _followers(days: pl.DataFrame, day: dt.date, name: str) -> pl.DataFrame:
    return days.filter(pl.col("date") == day).select("account", pl.col("followers").alias(name))


ACCOUNT_BENCHMARKS = Table(
    key="warehouse/account_benchmarks",
    schema=Benchmarks,
    version="3",
    inputs={"days": Input("warehouse/social_media_stats", look_back=LOOK_BACK, columns=COLUMNS)},
    make=lambda inputs, parameters: monthly_benchmarks(inputs["days"], parameters.months),
    needs_all_accounts=True,
)
