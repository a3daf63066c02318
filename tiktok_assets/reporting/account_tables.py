"""The data of an account's report: its curated tables of every month, read from the lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from tiktok_assets.accounts import Account
from tiktok_assets.curated.account.account_daily import ACCOUNT_DAILY
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.audience.audience import AUDIENCE
from tiktok_assets.curated.quality.quality import find_anomalies
from tiktok_assets.curated.videos.hashtags import HASHTAGS
from tiktok_assets.curated.videos.posting import POSTING_TIMES
from tiktok_assets.curated.videos.video_daily import VIDEO_DAILY
from tiktok_assets.curated.videos.videos import VIDEOS
from tiktok_assets.curated.videos.viral import VIRAL_VIDEOS
from tiktok_assets.label.songs import Song
from tiktok_assets.reporting.song_tables import SongTables, read_songs
from tiktok_assets.reporting.stored import stored
from tiktok_assets.storage.lake import Lake

TABLES = (ACCOUNT_DAILY, VIDEOS, VIRAL_VIDEOS, AUDIENCE, POSTING_TIMES, HASHTAGS)
"""The curated tables a report reads, beside ``VIDEO_DAILY`` and those of songs."""
MONTHS_OF_VIDEO_DAYS = 4
"""Months that hold 28 days of videos, and the snapshots that make them known."""


@dataclass(frozen=True, kw_only=True)
class Covered:
    """How much of one report the exports cover: a line of the page."""

    report: str
    first: dt.date | None
    last: dt.date | None
    days: int
    missing: int | None
    """Missing days; None for snapshots, which have no daily series."""


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """What exports cover, and sentences that say what to do about the rest."""

    covered: Sequence[Covered] = ()
    to_do: Sequence[str] = ()
    due: int = 0
    """Exports to make."""
    due_before: dt.date | None = None
    """The last date on which the most urgent of them helps; None if there is none or it is not known."""
    last_export: dt.date | None = None
    """When the newest export was downloaded."""
    lost: Sequence[str] = ()
    quarantined: Sequence[str] = ()
    """The account's files: where each was found, why it is in quarantine, and what to do."""
    unassigned: Sequence[str] = ()
    """The same of files that name no account, and may be its."""
    doubts: Sequence[str] = ()
    """Exports whose year may be wrong, and what to do."""


@dataclass(frozen=True, kw_only=True)
class AccountTables:
    """Everything a report of one account shows. The frames must not hold rows of other accounts."""

    account: Account
    days: pl.DataFrame
    """``AccountDaily`` with the columns of ``DayRates``, one row a day, in order."""
    anomalies: pl.DataFrame
    """``Anomalies`` of these days."""
    videos: pl.DataFrame
    """Snapshots: ``Videos``."""
    viral: pl.DataFrame
    audience: pl.DataFrame
    posting: pl.DataFrame
    """``PostingTimes`` of the newest month."""
    hashtags: pl.DataFrame
    """``Hashtags`` of the newest month."""
    video_days: pl.DataFrame = field(default_factory=VIDEO_DAILY.schema.empty)
    """``VideoDaily`` of the newest months, or of all where a period is asked for."""
    completeness: Completeness = field(default_factory=Completeness)
    songs: SongTables = field(default_factory=SongTables)

    @property
    def has_data(self) -> bool:
        """Whether there is anything to report."""
        return not (self.days.is_empty() and self.videos.is_empty() and self.audience.is_empty())


def account_tables(
    account: Account,
    tables: dict[str, pl.DataFrame],
    completeness: Completeness,
    songs: SongTables | None = None,
) -> AccountTables:
    """The tables of one account, from rows by table name as in ``TABLES``."""
    days = with_metrics(tables["account_daily"])
    return AccountTables(
        account=account,
        days=days,
        anomalies=find_anomalies(days),
        videos=tables["videos"],
        viral=tables["viral_videos"].sort("date", "total_views", descending=True),
        audience=tables["audience"],
        posting=_newest_month(tables["posting_times"]),
        hashtags=_newest_month(tables["hashtags"]),
        video_days=tables["video_daily"],
        completeness=completeness,
        songs=songs or SongTables(),
    )


def read_tables(
    lake: Lake,
    account: Account,
    completeness: Completeness,
    songs: Sequence[Song] = (),
    *,
    with_all_video_days: bool = False,
) -> AccountTables:
    """The stored tables of ``account``, and what they hold of ``songs``. A table without rows is empty."""
    tables = {table.name: stored(lake, table, account.key) for table in TABLES}
    newest = 0 if with_all_video_days else MONTHS_OF_VIDEO_DAYS
    tables[VIDEO_DAILY.name] = stored(lake, VIDEO_DAILY, account.key, newest=newest)
    of_songs = read_songs(lake, account.key, songs, tables[VIDEO_DAILY.name])
    return account_tables(account, tables, completeness, of_songs)


def _newest_month(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("date") == pl.col("date").max())
