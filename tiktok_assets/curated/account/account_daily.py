"""How did an account do on a day? Overview, viewers, followers and insights side by side."""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
import polars.selectors as cs

from tiktok_assets.curated._tables import WarehouseRow, conform
from tiktok_assets.curated.account.metrics import DayRates, with_metrics
from tiktok_assets.curated.quality import quality
from tiktok_assets.curated.quality.quality import DayFlags, broken, find_anomalies, with_anomalies
from tiktok_assets.curated.quality.restatements import final_days
from tiktok_assets.curated.table import Checks, Input, Parameters, Table, publication
from tiktok_assets.exports.months import month_of

MONTH_BEFORE = 31
"""Days before the first of a month that reach the month before, whatever its length."""

_KEY = ["account", "date"]


class DayMetrics(pa.DataFrameModel):
    """The numbers of an account's day in exports. Null is unknown."""

    date: pl.Date = pa.Field(description="the real day (UTC): date_label less date_shift_days")
    video_views: int = pa.Field(nullable=True, description="views of all videos on the day")
    unique_viewers: int = pa.Field(nullable=True, description="people who watched; never to be summed over days")
    new_viewers: int = pa.Field(nullable=True, description="first-time viewers")
    returning_viewers: int = pa.Field(nullable=True, description="viewers who had watched before")
    profile_views: int = pa.Field(nullable=True, description="visits of the profile")
    likes: int = pa.Field(nullable=True, description="likes less likes taken back; may be negative")
    comments: int = pa.Field(nullable=True, description="comments less comments removed; may be negative")
    shares: int = pa.Field(nullable=True, description="shares; may be negative")
    followers: int = pa.Field(nullable=True, description="followers at the end of the day")
    following: int = pa.Field(
        nullable=True, description="accounts followed, as Studio showed it when it was read on the day"
    )
    date_label: pl.Date = pa.Field(
        description="the day as Overview's export labelled it; where it lacks the day, as Viewers or FollowerHistory "
        "does, else the day itself. Viewers are often labelled a day later: `tiktok-assets trace` shows each label"
    )
    date_shift_days: int = pa.Field(description="date_label minus date, in days")
    is_settled: bool = pa.Field(
        nullable=True,
        description="whether all of the day's counts are final: reported at an age from which they no longer change "
        "(curated/settling); null where no daily report has a count of the day",
    )


class AccountDaily(DayFlags, DayRates, DayMetrics):
    """One row per account and day with a number, with rates, growth and anomalies against earlier days.

    A day that exports list without any number is a row only between days with numbers.
    """

    account: str = pa.Field(description="account key, as in accounts.toml")
    reach: int = pa.Field(nullable=True, description="reached audience (Business Suite)")
    engaged_audience: int = pa.Field(nullable=True, description="engaged audience (Business Suite)")
    new_followers: int = pa.Field(nullable=True, description="new followers (Business Suite)")
    lost_followers: int = pa.Field(nullable=True, description="lost followers (Business Suite)")
    clicks: int = pa.Field(nullable=True, description="phone number clicks (Business Suite)")
    leads: int = pa.Field(nullable=True, description="leads submitted (Business Suite)")
    export_id: str = pa.Field(nullable=True, description="export behind the Overview columns")
    viewers_export_id: str = pa.Field(nullable=True, description="export behind the viewer columns")
    followers_export_id: str = pa.Field(nullable=True, description="export behind followers")
    insights_export_id: str = pa.Field(nullable=True, description="insights file behind following")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = _KEY


class SocialMediaStats(DayFlags, DayRates, DayMetrics, WarehouseRow):
    """One row per account and day: counts, rates, growth, and what is unusual. Unknown is null, never 0."""

    handle: str = pa.Field(nullable=True, description="the account's handle")
    export_id: str = pa.Field(nullable=True, description="export behind the Overview columns; see table exports")
    viewers_export_id: str = pa.Field(nullable=True, description="export behind the viewer columns")
    followers_export_id: str = pa.Field(nullable=True, description="export behind followers")
    insights_export_id: str = pa.Field(nullable=True, description="insights file behind following")

    class Config(WarehouseRow.Config):
        unique = ["platform", *_KEY]


def account_daily(
    overview: pl.DataFrame,
    viewers: pl.DataFrame,
    follower_history: pl.DataFrame,
    insights: pl.DataFrame,
    settling: pl.DataFrame,
) -> pl.DataFrame:
    """The days of an account, each with its rates, growth and anomalies.

    The first ``quality.LOOK_BACK`` days lack history. ``settling``: rows of ``Settling``.
    """
    days = with_metrics(_joined(overview, viewers, follower_history, insights, settling))
    return conform(with_anomalies(days, find_anomalies(days)), AccountDaily)


def between_known_days(days: pl.DataFrame, alignment: pl.DataFrame) -> pl.DataFrame:
    """``days`` (``AccountDaily``) without those that have no number and lie outside the days that exports know.

    A day is compared with the exports of its month and of the month before, each as a whole, so that the result
    depends on no other month. ``alignment``: rows of ``Alignment``.
    """
    exports = alignment.filter(pl.col("report").is_in(["overview", "viewers", "follower_history"]))
    known = (
        pl.concat([exports, exports.with_columns(pl.col("date").dt.offset_by("1mo"))])
        .group_by("account", month="date")
        .agg(pl.col("first_known").min(), pl.col("last_known").max())
    )
    has_number = pl.any_horizontal((cs.integer() - cs.by_name("date_shift_days")).is_not_null())
    is_between = pl.col("date").is_between("first_known", "last_known")
    return (
        days.with_columns(month=month_of(pl.col("date")))
        .join(known, on=["account", "month"], how="left", maintain_order="left")
        .filter(has_number | is_between)
        .select(days.columns)
    )


def _joined(
    overview: pl.DataFrame,
    viewers: pl.DataFrame,
    follower_history: pl.DataFrame,
    insights: pl.DataFrame,
    settling: pl.DataFrame,
) -> pl.DataFrame:
    """The three daily reports and insights joined on account and day; what lacks a day leaves its columns null.

    Where two reports contain the same Business Suite metric, Overview's is preferred. ``followers`` come from the
    export, which counts at the end of a day; insights count when they are read. ``net_followers`` are Business Suite's.
    """
    daily = {"overview": overview, "viewers": viewers, "follower_history": follower_history}
    final = final_days(daily, settling)
    viewers = viewers.rename({"export_id": "viewers_export_id"})
    followers = follower_history.rename({"export_id": "followers_export_id"})
    joined = overview.join(viewers, on=_KEY, how="full", coalesce=True, suffix="_of_viewers").join(
        followers, on=_KEY, how="full", coalesce=True, suffix="_of_followers"
    )
    joined = joined.join(_following(insights), on=_KEY, how="full", coalesce=True).join(final, on=_KEY, how="left")
    shared = ("date_label", "date_shift_days", "reach", "new_followers")
    sources = {name: [column for column in joined.columns if column.split("_of_")[0] == name] for name in shared}
    return conform(
        joined.with_columns(pl.coalesce(columns).alias(name) for name, columns in sources.items()).with_columns(
            pl.col("date_label").fill_null(pl.col("date")), pl.col("date_shift_days").fill_null(0)
        ),
        AccountDaily,
    ).sort(_KEY)


def _following(insights: pl.DataFrame) -> pl.DataFrame:
    rows = insights.filter((pl.col("metric") == "following") & pl.col("value").is_not_null())
    return rows.select(*_KEY, following=pl.col("value").cast(pl.Int64), insights_export_id=pl.col("export_id"))


def _made(alignment: pl.DataFrame, **inputs: pl.DataFrame) -> pl.DataFrame:
    return between_known_days(account_daily(**inputs), alignment)


_PROMISED = {
    "has_no_duplicates": "No day is stored twice, under one date or two.",
    "views_cover_engagement": "No day has more likes, comments and shares than views.",
    "views_cover_viewers": "No day has far more viewers than views.",
    "engagement_rate_is_within_bounds": "The engagement rate of every day lies between 0 and 1.",
    "follower_trend_is_plausible": "Followers never fall by more than a tenth in a day.",
    "engagement_is_not_an_outlier": "Engagement is what is usual for the account at these views.",
    "active_days_have_data": "No day is missing between days with data.",
}
"""An outlier of views is usually good news: it is listed in ``anomalies``, and is no promise here."""


def _broken(days: pl.DataFrame, _: Parameters) -> dict[str, pl.DataFrame]:
    found = find_anomalies(days)
    return {promise: broken(promise, days, found) for promise in _PROMISED}


ACCOUNT_DAILY = Table(
    key="curated/account_daily",
    schema=AccountDaily,
    version="5",
    inputs={
        "overview": Input("staging/overview", look_back=quality.LOOK_BACK),
        "viewers": Input("staging/viewers", look_back=quality.LOOK_BACK, renamed={"viewers_export_id": "export_id"}),
        "follower_history": Input(
            "staging/follower_history", look_back=quality.LOOK_BACK, renamed={"followers_export_id": "export_id"}
        ),
        "insights": Input(
            "staging/insights",
            look_back=quality.LOOK_BACK,
            pivoted={
                "account": "account",
                "date": "date",
                "following": "value",
                "insights_export_id": "export_id",
            },
        ),
        "settling": Input("curated/settling", pivoted={"is_settled": "settled_after_days"}),
        "alignment": Input("staging/alignment", look_back=MONTH_BEFORE, pivoted={}),
    },
    make=lambda inputs, _: _made(**inputs),
    checks=[Checks(descriptions=_PROMISED, cases=_broken)],
    is_daily=True,
    is_by_day=True,
)
SOCIAL_MEDIA_STATS = publication(ACCOUNT_DAILY, "warehouse/social_media_stats", SocialMediaStats, has_handles=True)
