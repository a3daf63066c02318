"""What a query answers better than a stored table: weeks, months, one row per video, what is trending now.

Belongs here: SQL over the warehouse's tables, and what its columns mean. Does not belong here: anything that a table
could hold and a run could make; a view is right whatever was run last, which is the only reason to have one.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandera.polars as pa

from tiktok_assets.curated import targets
from tiktok_assets.curated.account.periods import Periods
from tiktok_assets.curated.songs import song_weeks, views_and_streams
from tiktok_assets.curated.songs.song_daily import SongDays
from tiktok_assets.curated.songs.song_weeks import WeeksOfSongs
from tiktok_assets.curated.targets import PROGRESS, progress_query
from tiktok_assets.curated.videos import trends


@dataclass(frozen=True, kw_only=True)
class View:
    """A query, and its columns: those of ``schema`` by its descriptions, others by ``columns``."""

    query: str
    description: str
    """What one row is."""
    sources: tuple[str, ...]
    """The tables of the warehouse that it is made of."""
    schema: type[pa.DataFrameModel] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Columns of ``schema`` that it does not have."""
    account: str | None = "account"
    """The column of the account's key; None: its rows are of all accounts together."""
    day: str = "date"
    """The column of the day, or of a moment in it."""

    def descriptions(self) -> dict[str, str]:
        """What each column means."""
        schema = self.schema.to_schema().columns if self.schema else {}
        described = {str(name): column.description or "" for name, column in schema.items() if name not in self.without}
        return {**self.columns, **described}


def _of_periods(period: str, example: str) -> View:
    return View(
        query=f"select platform, account, label as {period}, * exclude (platform, account, label, period, export_id) "
        f"from account_periods where period = '{period}'",
        description=f"One row per account and {period}; see account_periods.",
        sources=("account_periods",),
        schema=Periods,
        columns={period: f"{period} of the year, as {example}"},
        without=("label", "period", "export_id"),
    )


# An unknown never replaces a number: of each column the newest one known.
_ROLLUP = """
select
    'content_performance' as source_relation,
    any_value(published_at) as created_timestamp,
    video_id as post_id,
    arg_max(title, captured_on) as post_message,
    account as page_id,
    arg_max(handle, captured_on) as page_name,
    arg_max(link, captured_on) as post_url,
    platform,
    null::bigint as clicks,
    arg_max(total_views, captured_on) as impressions,
    arg_max(total_likes, captured_on) as likes,
    arg_max(total_shares, captured_on) as shares,
    arg_max(total_comments, captured_on) as comments
from content_performance
group by platform, account, video_id
"""

_TRENDS = f"""
with today as (
    select max(captured_on) as date from content_performance
), found as (
    select account, video_id, link, total_views from viral_content, today
    where detected_on > date - {trends.WINDOW} and detected_on <= date
    qualify row_number() over (partition by account, video_id order by total_views desc) = 1
), newest as (
    select account, video_id, hashtags from content_performance, today where captured_on > date - {trends.WINDOW}
    qualify captured_on = max(captured_on) over (partition by account, video_id)
), marked as (
    select account, hashtags, link, total_views, total_views is not null as is_viral
    from newest left join found using (account, video_id)
), tagged as (
    select *, avg(is_viral::int) over () as share, unnest(list_distinct(hashtags)) as hashtag from marked
)
select
    'tiktok' as platform,
    (select date from today) as date,
    hashtag,
    count(*) filter (is_viral) as viral_videos,
    count(distinct account) filter (is_viral) as accounts,
    sum(total_views)::bigint as viral_views,
    count(*) as videos,
    avg(is_viral::int) / any_value(share) as lift,
    arg_max(link, total_views) as example_link
from tagged
group by hashtag
having count(*) filter (is_viral) >= {trends.MIN_VIRAL}
order by accounts desc, viral_videos desc, hashtag
"""

_NOT_KNOWN_LAST = ("known_in", "is_latest", "export_id")
_KNOWN_LAST = f"select * exclude ({', '.join(_NOT_KNOWN_LAST)}) from {{table}} where is_latest"

# The weeks of two songs begin on different weekdays; that of an account counts once all of its days are known.
_SONG_PERFORMANCE = f"""
with weeks as (
    {_KNOWN_LAST.format(table="song_weeks")}
), complete as (
    select starts_on, day.account, sum(video_views)::bigint as video_views
    from (select distinct starts_on from weeks)
    join social_media_stats as day on day.date between starts_on and starts_on + {song_weeks.DAYS - 1}
    group by all
    having count(video_views) = {song_weeks.DAYS}
), roster as (
    select starts_on, count(*) as roster_accounts, sum(video_views)::bigint as roster_views from complete group by all
)
select
    weeks.*,
    roster_accounts,
    roster_views,
    case when video_views is not null and roster_views > 0 then views / roster_views end as share
from weeks
left join complete using (account, starts_on)
left join roster using (starts_on)
"""

VIEWS: Mapping[str, View] = {
    "social_media_stats_weekly": _of_periods("week", "2026-W05"),
    "social_media_stats_monthly": _of_periods("month", "2026-01"),
    "social_media_rollup": View(
        query=_ROLLUP,
        description="One row per account and video: its newest numbers, in the columns of Fivetran's "
        "dbt_social_media_reporting.",
        sources=("content_performance",),
        account="page_id",
        day="created_timestamp",
        columns={
            "source_relation": "the table it comes from",
            "created_timestamp": "upload time (UTC)",
            "post_id": "TikTok's id of the video",
            "post_message": "caption with its hashtags, the newest known",
            "page_id": "account key, as in accounts.toml",
            "page_name": "handle of the account",
            "post_url": "address of the video",
            "platform": "always 'tiktok'",
            "clicks": "unknown: TikTok reports none for a video",
            "impressions": "views since publication, the newest known; TikTok reports no impressions",
            "likes": "likes since publication, the newest known",
            "shares": "shares since publication, the newest known",
            "comments": "comments since publication, the newest known",
        },
    ),
    "viral_trends": View(
        query=_TRENDS,
        description=inspect.cleandoc(str(trends.ViralTrends.__doc__)),
        sources=("viral_content", "content_performance"),
        schema=trends.ViralTrends,
        account=None,
        columns={"platform": "always 'tiktok'"},
    ),
    "song_views_and_streams": View(
        query=views_and_streams.QUERY,
        description=inspect.cleandoc(str(views_and_streams.ViewsAndStreams.__doc__)),
        sources=("song_days", "song_streams"),
        schema=views_and_streams.ViewsAndStreams,
        account=None,
    ),
    "song_daily": View(
        query=_KNOWN_LAST.format(table="song_days"),
        description="One row per account, song and day: what is known of it.",
        sources=("song_days",),
        schema=SongDays,
        without=_NOT_KNOWN_LAST,
    ),
    "song_performance": View(
        query=_SONG_PERFORMANCE,
        description="One row per account, song and week since release: what is known of it.",
        sources=("song_weeks", "social_media_stats"),
        day="starts_on",
        schema=WeeksOfSongs,
        without=_NOT_KNOWN_LAST,
        columns={
            "roster_accounts": "accounts of which every day of the week is known",
            "roster_views": "sum of their video_views in the week",
            "share": "views / roster_views, of the known videos alone; null where a day of the account is unknown",
        },
    ),
    PROGRESS: View(
        query=progress_query([]),
        description="One row per target of targets.csv: what was reached of it, and whether that is on the way.",
        sources=("social_media_stats",),
        columns=targets.COLUMNS,
        account=None,
        day="month",
    ),
}
"""By name. social_media_rollup has the columns of Fivetran's dbt_social_media_reporting, to stand beside its tables."""
