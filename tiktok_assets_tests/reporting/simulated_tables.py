"""The tables of a simulated account, as a correct pipeline stores them: a report whose numbers the truth knows."""

from __future__ import annotations

import datetime as dt
import html
import re

import polars as pl

from tiktok_assets.accounts import Account
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.account.account_daily import AccountDaily
from tiktok_assets.curated.audience.audience import Audience
from tiktok_assets.curated.videos.hashtags import hashtag_effects
from tiktok_assets.curated.videos.posting import posting_times
from tiktok_assets.curated.videos.video_daily import video_daily
from tiktok_assets.curated.videos.viral import viral_videos
from tiktok_assets.reporting.account_tables import AccountTables, Completeness, Covered, account_tables
from tiktok_assets.simulator.account import SimulatedAccount, Traits
from tiktok_assets_tests.curated.frames import true_days, true_snapshots

_NO_MOMENTS = pl.DataFrame(schema={"export_id": pl.String, "counted_at": pl.Datetime("us", "UTC")})
FIRST, LAST = dt.date(2025, 1, 1), dt.date(2025, 11, 30)
GAP = (dt.date(2025, 8, 4), dt.date(2025, 8, 10))
VIRAL, DROPPED = dt.date(2025, 11, 6), dt.date(2025, 10, 12)
TITLE = "</script><script>window.stolen = true</script><img src=x onerror='window.stolen = true'> & #live"


def simulated(handle: str = "pig1987", *, posts_per_week: float = 6) -> SimulatedAccount:
    """An account with a gap, a viral video and a day on which a fifth of the followers left."""
    traits = Traits(viral_day=VIRAL, follower_drop=DROPPED, gap=GAP, posts_per_week=posts_per_week)
    return SimulatedAccount.generate(handle, 3, FIRST, LAST, traits=traits)


def tables(
    account: SimulatedAccount, *, timezone: str | None = "Europe/Lisbon", is_settled: bool | None = None
) -> AccountTables:
    """All tables of ``account``; its newest video's title is a piece of HTML."""
    days = conform(true_days(account).with_columns(is_settled=pl.lit(is_settled)), AccountDaily)
    weekly = [LAST - dt.timedelta(days=7 * number) for number in range(46)]
    videos = true_snapshots(account, weekly)
    newest = videos.sort("date", "published_at")["video_id"][-1]
    is_newest = pl.col("video_id") == newest
    videos = videos.with_columns(
        title=pl.when(is_newest).then(pl.lit(TITLE)).otherwise("title"),
        total_views=pl.when(is_newest).then(9_999_999).otherwise("total_views"),
        average_watch_time=pl.lit(7.4),
        completion_rate=pl.lit(None, pl.Float64),
        hashtags=pl.col("hashtags").list.eval(pl.element().str.strip_prefix("#")),
    )
    month = [LAST.replace(day=1)]
    return account_tables(
        Account(key=account.handle, handle=account.handle, timezone=timezone),
        {
            "account_daily": days,
            "videos": videos,
            "video_daily": video_daily(
                videos.with_columns(insights_export_id=pl.lit(None, pl.String)), days, _NO_MOMENTS
            ),
            "viral_videos": viral_videos(videos),
            "audience": audience_rows(account),
            "posting_times": posting_times(videos, month) if timezone else posting_times(videos.clear(), month),
            "hashtags": hashtag_effects(videos, month),
        },
        Completeness(
            covered=[Covered(report="overview", first=FIRST, last=LAST, days=327, missing=7)],
            to_do=["Overview lacks 7 days (2025-08-04 to 2025-08-10): export them."],
        ),
    )


def audience_rows(account: SimulatedAccount) -> pl.DataFrame:
    """``Audience`` of the last days."""
    shares = [
        *(("gender", value, share) for value, share in account.gender_on(LAST)),
        *(("territory", value, share) for value, share in account.territories_on(LAST)),
    ]
    rows = [
        {"date": LAST, "dimension": dimension, "value": value, "share": share} for dimension, value, share in shares
    ]
    for back in range(7):
        day = LAST - dt.timedelta(days=back)
        counts = enumerate(account.active_followers_on(day))
        rows += [
            {"date": day, "dimension": "active_time", "value": f"{hour:02}", "hour": hour, "count": count}
            for hour, count in counts
        ]
    columns = {name: column.dtype.type for name, column in Audience.to_schema().columns.items()}
    filled = [{"account": account.handle, "audience": "followers", "export_id": "e", **row} for row in rows]
    return pl.DataFrame([[row.get(name) for name in columns] for row in filled], schema=columns, orient="row")


def text_of(made: str) -> str:
    """What a person reads on a page, without scripts."""
    return html.unescape(
        re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", made, flags=re.DOTALL)))
    )
