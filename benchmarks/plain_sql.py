"""The arithmetic of social_media_stats, account_periods and account_benchmarks as one would write it in SQL."""

from __future__ import annotations

_W7 = "partition by account order by date range between interval 6 days preceding and current row"
_HISTORY = "order by date range between interval 56 days preceding and interval 1 day preceding"
_ON = "partition by account order by date range between interval {n} days preceding and interval {n} days preceding"


def _before(column: str, days: int) -> str:
    return f"first({column}) over ({_ON.format(n=days)})"


def _ratio(one: str, other: str) -> str:
    return f"case when {other} > 0 then ({one}) / {other} end"


def _growth(days: int) -> str:
    return f"case when video_views >= 0 and views_{days} > 0 then (video_views - views_{days}) / views_{days} end"


def _mean7(column: str) -> str:
    return f"case when count({column}) over w7 = 7 then avg({column}) over w7 end"


def _scores(name: str, value: str, counts: str) -> str:
    """Usual and ordinary of a value among the days that count; see ``curated.scores``."""
    known = f"case when {counts} then {value} end"
    weekday = f"partition by account, isodow(date) {_HISTORY}"
    every = f"partition by account {_HISTORY}"
    return (
        f"{value} as {name}, {counts} as {name}_counts, "
        f"case when count({known}) over ({weekday}) >= 4 then median({known}) over ({weekday}) end as {name}_usual, "
        f"case when count({known}) over ({every}) >= 14 then quantile_cont({known}, 0.9) over ({every}) end "
        f"as {name}_ordinary"
    )


def _spread(name: str) -> str:
    surprise = f"case when {name}_counts then abs({name} - {name}_usual) end"
    window = f"partition by account {_HISTORY}"
    return (
        f"case when count({surprise}) over ({window}) >= 14 "
        f"then greatest(1.4826 * median({surprise}) over ({window}), 0.2) end as {name}_spread"
    )


def _outlier(name: str, record: int, certain: str = "0") -> str:
    surprise = f"({name} - {name}_usual)"
    return (
        f"(sound and (coalesce(abs{surprise} >= 3.5 * sqrt({name}_spread ** 2 + {certain}) and abs{surprise} >= ln(3), "
        f"false) or coalesce({name}_usual is not null and {name} - {name}_ordinary >= ln({record}), false)))"
    )


_OVERVIEW = ("video_views", "profile_views", "likes", "comments", "shares")
_STOCKS = ("video_views", "profile_views", "unique_viewers", "new_viewers", "returning_viewers", "followers")
_SAME = " and ".join(f"{name} = {_before(name, 1)}" for name in _OVERVIEW)
_BELOW_ZERO = " or ".join(f"coalesce({name} < 0, false)" for name in _STOCKS)
_FLAGS = {
    "duplicate_entry": "same",
    "engagement_outlier": f"{_outlier('rate', 3, '1 / (expected + 1)')} and video_views >= 100 "
    "and greatest(engagements, expected) >= 20 and least(likes, comments, shares) >= -10",
    "follower_drop": "followers < 0.9 * followers_1 and followers_1 - followers >= 3",
    "missing_day": "date - known_before > 1",
    "negative_count": "below_zero or least(likes, comments, shares) < -10",
    "viewers_above_views": "sound and unique_viewers > 2 * video_views and unique_viewers - video_views >= 100",
    "views_below_engagement": "video_views < engagements",
    "views_outlier": f"{_outlier('views', 5)} and greatest(video_views, exp(views_usual) - 1) >= 100",
}
_NAMES = ", ".join(f"case when coalesce({found}, false) then '{name}' end" for name, found in _FLAGS.items())

DAYS = f"""
create or replace table days as
with joined as (
    select account, date, o.* exclude (account, date), v.* exclude (account, date), f.followers
    from overview as o full join viewers as v using (account, date)
    full join follower_history as f using (account, date)
), known as (
    select *, likes + comments + shares as engagements, {_before("followers", 1)} as followers_1,
        {", ".join(f"{_before('video_views', n)} as views_{n}" for n in (1, 7, 28))},
        coalesce({_SAME} and video_views >= 100, false) as same, {_BELOW_ZERO} as below_zero,
        max(case when video_views is not null then date end) over (partition by account order by date
            range between interval 112 days preceding and interval 1 day preceding) as known_before
    from joined
), logs as (
    select *, not (same or below_zero or coalesce(video_views < engagements, false)) as sound,
        ln(1 + case when video_views >= 0 then video_views end) as log_views,
        case when engagements is not null then ln(1 + greatest(engagements, 0)) end
            - ln(1 + case when video_views >= 0 then video_views end) as log_rate
    from known
), usual as (
    select *, {_scores("views", "log_views", "(sound and video_views > 0)")},
        {_scores("rate", "log_rate", "(sound and video_views >= 100)")}
    from logs
), scored as (
    select *, {_spread("views")}, {_spread("rate")}, exp(rate_usual) * (video_views + 1) - 1 as expected from usual
)
select account, date, {", ".join(_OVERVIEW)}, unique_viewers, new_viewers, returning_viewers, followers, engagements,
    {_ratio("engagements", "video_views")} as engagement_rate, {_ratio("shares", "video_views")} as virality_rate,
    followers - followers_1 as net_followers,
    {_ratio("followers - followers_1", "followers_1")} as follower_growth_rate,
    {_mean7("video_views")} as video_views_7d_avg, {_mean7("engagements")} as engagements_7d_avg,
    {", ".join(f"{_growth(n)} as video_views_growth_{n}d" for n in (1, 7, 28))},
    list_filter([{_NAMES}], lambda name: name is not null) as anomalies
from scored window w7 as ({_W7}) order by account, date
"""

_SUMS = ("video_views", "profile_views", "likes", "comments", "shares", "engagements")


def _period(period: str, every: str) -> str:
    sums = ", ".join(
        f"case when count(video_views) > 0 and count({name}) filter (video_views is not null) = count(video_views) "
        f"then sum({name}) filter (video_views is not null) end as {name}"
        for name in _SUMS
    )
    return f"""
select account, '{period}' as period, date_trunc('{period}', date)::date as starts_on,
    (date_trunc('{period}', date) + interval '{every}' - interval 1 day)::date as date,
    count(video_views) as days_known, {sums},
    case when count(unique_viewers) = any_value((date_trunc('{period}', date) + interval '{every}')::date
        - date_trunc('{period}', date)::date) then avg(unique_viewers) end as unique_viewers_daily_avg
from days group by all"""


PERIODS = f"""
create or replace table account_periods as
with periods as ({_period("week", "7 days")} union all {_period("month", "1 month")}), complete as (
    select p.*, date - starts_on + 1 as days, days_known = date - starts_on + 1 as is_complete, e.followers,
        e.followers - b.followers as net_followers,
        {_ratio("engagements", "video_views")} as engagement_rate, {_ratio("shares", "video_views")} as virality_rate,
        {_ratio("video_views", "days_known")} as video_views_daily_avg
    from periods as p left join (select account, date, followers from days) as e using (account, date)
    left join (select account, date + 1 as starts_on, followers from days) as b using (account, starts_on)
)
select c.*, {
    ", ".join(
        f"case when c.is_complete and b.is_complete and c.{name} >= 0 and b.{name} > 0 "
        f"then (c.{name} - b.{name}) / b.{name} end as {name}_growth"
        for name in ("video_views", "engagements")
    )
}
from complete as c left join complete as b
on b.account = c.account and b.period = c.period and b.date = c.starts_on - 1 order by all
"""


def _sum(name: str) -> str:
    return f"case when count({name}) over now = count(video_views) over now then sum({name}) over now end"


_METRICS = ("views_per_follower", "engagement_rate", "virality_rate", "video_views_growth", "follower_growth_rate")
_LONG = " union all ".join(
    f"select account, date, is_complete, '{name}' as metric, {name} as value from totals" for name in _METRICS
)
_W28 = "partition by account order by date range between interval {n} days preceding and interval {m} days preceding"
BENCHMARKS = f"""
create or replace table account_benchmarks as
with windows as (
    select account, date, followers, date_trunc('month', date)::date as month,
        count(video_views) over now = 28 as is_complete, count(video_views) over past = 28 as past_is_complete,
        sum(video_views) over now as views, sum(video_views) over past as views_before,
        {_sum("engagements")} as engaged, {_sum("shares")} as shared,
        {_before("followers", 28)} as followers_before
    from days where video_views is not null
    window now as ({_W28.format(n=27, m=0)}), past as ({_W28.format(n=55, m=28)})
), ends as (
    select month, date, count(*) filter (is_complete and views > 0) as complete from windows group by all
), chosen as (
    select month, max(date) as date from ends
    semi join (select month, 0.8 * max(complete) as least from ends group by month) as most
    on ends.month = most.month and ends.complete >= most.least group by month
), totals as (
    select account, date, is_complete, {_ratio("views", "followers")} as views_per_follower,
        {_ratio("engaged", "views")} as engagement_rate, {_ratio("shared", "views")} as virality_rate,
        case when past_is_complete then {_ratio("views - views_before", "views_before")} end as video_views_growth,
        {_ratio("followers - followers_before", "followers_before")} as follower_growth_rate
    from windows semi join chosen using (month, date)
), long as (
    {_LONG}
), valid as (select * replace (case when is_complete then value end as value) from long)
select account, date, metric, value, median(value) over roster as roster_median, count(value) over roster as accounts,
    case when value is not null and count(value) over roster > 1 then
        (rank() over (partition by date, metric order by value nulls last)
         + (count(*) over (partition by date, metric, value) - 1) / 2 - 1) / (count(value) over roster - 1) end
        as percentile
from valid window roster as (partition by date, metric) order by metric, date, account
"""
