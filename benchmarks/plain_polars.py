"""The arithmetic of social_media_stats, account_periods and account_benchmarks as one would write it in Polars.

It may count rows where the project counts calendar days: the benchmark's accounts have a row for each day.
"""

from __future__ import annotations

from math import log

import polars as pl

_OVERVIEW = ("video_views", "profile_views", "likes", "comments", "shares")
_STOCKS = ("video_views", "profile_views", "unique_viewers", "new_viewers", "returning_viewers", "followers")
_SUMS = (*_OVERVIEW, "engagements")
_METRICS = ["views_per_follower", "engagement_rate", "virality_rate", "video_views_growth", "follower_growth_rate"]


def _ratio(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    return pl.when(other > 0).then(one / other)


def _growth(now: pl.Expr, before: pl.Expr) -> pl.Expr:
    return pl.when(now >= 0).then(_ratio(now - before, before))


def _earlier(name: str, days: int) -> pl.Expr:
    return pl.col(name).shift(days).over("account")


def days(overview: pl.LazyFrame, viewers: pl.LazyFrame, follower_history: pl.LazyFrame) -> pl.DataFrame:
    """account_daily: rates, growth, averages and the names of anomalies."""
    key = ["account", "date"]
    views, followers = pl.col("video_views"), pl.col("followers")
    engagements = pl.col("likes") + pl.col("comments") + pl.col("shares")
    same = pl.all_horizontal(pl.col(name) == _earlier(name, 1) for name in _OVERVIEW) & (views >= 100)
    errors = (same, pl.any_horizontal(pl.col(name) < 0 for name in _STOCKS), views < engagements)
    log_views = pl.when(views >= 0).then(views).log1p()
    rows = (
        overview.join(viewers, on=key, how="full", coalesce=True)
        .join(follower_history, on=key, how="full", coalesce=True)
        .sort(key)
        .with_columns(
            engagements=engagements,
            followers_1=_earlier("followers", 1),
            same=same,
            sound=~pl.any_horizontal(error.fill_null(value=False) for error in errors),
            views=log_views,
            rate=engagements.clip(lower_bound=0).log1p() - log_views,
            known_before=pl.when(views.is_not_null()).then("date").forward_fill().shift(1).over("account"),
        )
    )
    rows = _scored(_scored(rows, "views", views > 0), "rate", views >= 100)
    rows = rows.with_columns(expected=pl.col("rate_usual").exp() * (views + 1) - 1)
    least = pl.min_horizontal("likes", "comments", "shares")
    certain = 1 / (pl.col("expected") + 1)
    flags = {
        "duplicate_entry": pl.col("same"),
        "engagement_outlier": _outlier("rate", 3, certain)
        & (views >= 100)
        & (pl.max_horizontal("engagements", "expected") >= 20)
        & (least >= -10),
        "follower_drop": (followers < 0.9 * pl.col("followers_1")) & (pl.col("followers_1") - followers >= 3),
        "missing_day": (pl.col("date") - pl.col("known_before")).dt.total_days().is_between(2, 112)
        & views.is_not_null(),
        "negative_count": pl.any_horizontal(pl.col(name) < 0 for name in _STOCKS) | (least < -10),
        "viewers_above_views": pl.col("sound")
        & (pl.col("unique_viewers") > 2 * views)
        & (pl.col("unique_viewers") - views >= 100),
        "views_below_engagement": views < pl.col("engagements"),
        "views_outlier": _outlier("views", 5) & (pl.max_horizontal(views, pl.col("views_usual").exp() - 1) >= 100),
    }
    names = [pl.when(found).then(pl.lit(name)) for name, found in flags.items()]
    gained = followers - pl.col("followers_1")
    return rows.select(
        *(*key, *_OVERVIEW, "unique_viewers", "new_viewers", "returning_viewers", "followers", "engagements"),
        engagement_rate=_ratio(pl.col("engagements"), views),
        virality_rate=_ratio(pl.col("shares"), views),
        net_followers=gained,
        follower_growth_rate=_ratio(gained, pl.col("followers_1")),
        video_views_7d_avg=views.rolling_mean(7).over("account"),
        engagements_7d_avg=pl.col("engagements").rolling_mean(7).over("account"),
        **{f"video_views_growth_{n}d": _growth(views, _earlier("video_views", n)) for n in (1, 7, 28)},
        anomalies=pl.concat_list(names).list.drop_nulls(),
    ).collect()


def _scored(rows: pl.LazyFrame, name: str, counts: pl.Expr) -> pl.LazyFrame:
    counts = counts & pl.col("sound")
    known, window = pl.when(counts).then(name), "56d"
    surprise = pl.when(counts).then((pl.col(name) - pl.col(f"{name}_usual")).abs())
    return rows.with_columns(
        known.rolling_median_by("date", window, closed="left", min_samples=4)
        .over("account", pl.col("date").dt.weekday())
        .alias(f"{name}_usual"),
        known.rolling_quantile_by("date", window, quantile=0.9, interpolation="linear", closed="left", min_samples=14)
        .over("account")
        .alias(f"{name}_ordinary"),
    ).with_columns(
        (1.4826 * surprise)
        .rolling_median_by("date", window, closed="left", min_samples=14)
        .over("account")
        .clip(lower_bound=0.2)
        .alias(f"{name}_spread")
    )


def _outlier(name: str, record: float, certain: pl.Expr | None = None) -> pl.Expr:
    value, spread = pl.col(name), pl.col(f"{name}_spread")
    spread = spread if certain is None else (spread**2 + certain).sqrt()
    surprise = (value - pl.col(f"{name}_usual")).abs()
    far = (surprise >= 3.5 * spread) & (surprise >= log(3))
    above = pl.col(f"{name}_usual").is_not_null() & (value - pl.col(f"{name}_ordinary") >= log(record))
    return pl.col("sound") & (far | above)


def periods(rows: pl.DataFrame) -> pl.DataFrame:
    """account_periods."""
    return pl.concat([_periods(rows.lazy(), "week", "1w"), _periods(rows.lazy(), "month", "1mo")]).collect()


def _periods(rows: pl.LazyFrame, period: str, every: str) -> pl.LazyFrame:
    views = pl.col("video_views")
    known = views.is_not_null()
    found = (
        rows.group_by("account", starts_on=pl.col("date").dt.truncate(every))
        .agg(
            days_known=views.count().cast(pl.Int64),
            **{
                name: pl.when(known.any() & pl.col(name).filter(known).is_not_null().all()).then(
                    pl.col(name).filter(known).sum()
                )
                for name in _SUMS
            },
            unique_viewers_daily_avg=pl.col("unique_viewers").mean(),
            viewer_days=pl.col("unique_viewers").count(),
        )
        .with_columns(period=pl.lit(period), date=pl.col("starts_on").dt.offset_by(every).dt.offset_by("-1d"))
        .with_columns(days=(pl.col("date") - pl.col("starts_on")).dt.total_days() + 1)
        .with_columns(is_complete=pl.col("days_known") == pl.col("days"))
    )
    ends = rows.select("account", "date", "followers")
    starts = rows.select("account", starts_on=pl.col("date").dt.offset_by("1d"), before="followers")
    complete = found.filter("is_complete").select(
        "account", pl.col("starts_on").dt.offset_by(every), past_views="video_views", past_engagements="engagements"
    )
    is_complete = pl.col("is_complete")
    return (
        found.join(ends, on=["account", "date"], how="left")
        .join(starts, on=["account", "starts_on"], how="left")
        .join(complete, on=["account", "starts_on"], how="left")
        .with_columns(
            net_followers=pl.col("followers") - pl.col("before"),
            engagement_rate=_ratio(pl.col("engagements"), views),
            virality_rate=_ratio(pl.col("shares"), views),
            video_views_daily_avg=_ratio(views, pl.col("days_known")),
            unique_viewers_daily_avg=pl.when(pl.col("viewer_days") == pl.col("days")).then("unique_viewers_daily_avg"),
            video_views_growth=pl.when(is_complete).then(_growth(views, pl.col("past_views"))),
            engagements_growth=pl.when(is_complete).then(_growth(pl.col("engagements"), pl.col("past_engagements"))),
        )
        .drop("viewer_days", "before", "past_views", "past_engagements")
    )


def benchmarks(rows: pl.DataFrame) -> pl.DataFrame:
    """account_benchmarks of every month."""
    views = pl.col("video_views")
    sums = {name: pl.col(name).rolling_sum(28).over("account") for name in ("video_views", "engagements", "shares")}
    windows = rows.lazy().select(
        *("account", "date", "followers"),
        **sums,
        month=pl.col("date").dt.truncate("1mo"),
        past=views.rolling_sum(28).over("account").shift(28).over("account"),
        followers_before=_earlier("followers", 28),
    )
    ends = windows.group_by("month", "date").agg(complete=(views > 0).fill_null(value=False).sum())
    enough = pl.col("complete") >= 0.8 * pl.col("complete").max().over("month")
    chosen = ends.filter(enough).group_by("month").agg(pl.col("date").max())
    known = pl.col("video_views").is_not_null()
    totals = windows.join(chosen, on=["month", "date"], how="semi").select(
        *("account", "date"),
        views_per_follower=_ratio(views, pl.col("followers")),
        engagement_rate=_ratio(pl.col("engagements"), views),
        virality_rate=_ratio(pl.col("shares"), views),
        video_views_growth=_growth(views, pl.col("past")),
        follower_growth_rate=pl.when(known).then(
            _ratio(pl.col("followers") - pl.col("followers_before"), pl.col("followers_before"))
        ),
    )
    roster = ["date", "metric"]
    value = pl.col("value")
    others = value.count().over(roster) - 1
    return (
        totals.unpivot(_METRICS, index=["account", "date"], variable_name="metric", value_name="value")
        .with_columns(
            roster_median=value.median().over(roster),
            accounts=(others + 1).cast(pl.Int64),
            percentile=_ratio(value.rank("average").over(roster) - 1, others),
        )
        .collect()
    )
