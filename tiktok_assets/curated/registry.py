"""Every table of staging, curated and the warehouse: the one list.

Does not belong here: what one table is (the module of its question in ``curated``, its report in ``reports``), how far
a change affects later months (``recomputed``).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import pandera.polars as pa

from tiktok_assets.curated.account.account_daily import ACCOUNT_DAILY, SOCIAL_MEDIA_STATS
from tiktok_assets.curated.account.benchmarks import ACCOUNT_BENCHMARKS
from tiktok_assets.curated.account.periods import ACCOUNT_PERIODS, PERIODS
from tiktok_assets.curated.audience.audience import AUDIENCE, AUDIENCE_INSIGHTS
from tiktok_assets.curated.coverage.coverage import COVERAGE
from tiktok_assets.curated.coverage.export_log import EXPORTS
from tiktok_assets.curated.quality.check_results import DATA_QUALITY
from tiktok_assets.curated.quality.quality import ANOMALY_LOG
from tiktok_assets.curated.quality.restatements import RESTATEMENTS, SETTLING
from tiktok_assets.curated.songs.recognition import SONG_VIDEOS, VIDEOS_OF_SONGS
from tiktok_assets.curated.songs.song_daily import SONG_DAILY, SONG_DAYS
from tiktok_assets.curated.songs.song_weeks import SONG_WEEKS, WEEKS_OF_SONGS
from tiktok_assets.curated.table import Table
from tiktok_assets.curated.videos.hashtags import HASHTAG_PERFORMANCE, HASHTAGS
from tiktok_assets.curated.videos.posting import POSTING_PERFORMANCE, POSTING_TIMES
from tiktok_assets.curated.videos.video_daily import VIDEO_DAILY, VIDEO_DAYS
from tiktok_assets.curated.videos.videos import CONTENT_PERFORMANCE, VIDEOS
from tiktok_assets.curated.videos.viral import VIRAL_CONTENT, VIRAL_VIDEOS
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.alignment import Alignment

STAGING = (
    Table(key="staging/alignment", schema=Alignment, version="2"),
    *(Table(key=f"staging/{report.name}", schema=report.schema, version=report.parser_version) for report in REPORTS),
)
CURATED = (
    *(COVERAGE, RESTATEMENTS, SETTLING),
    *(ACCOUNT_DAILY, ACCOUNT_PERIODS, VIDEOS, VIRAL_VIDEOS, AUDIENCE, POSTING_TIMES, HASHTAGS),
    VIDEO_DAILY,
    *(SONG_VIDEOS, SONG_DAILY, SONG_WEEKS),
)
WAREHOUSE = (
    *(SOCIAL_MEDIA_STATS, PERIODS, CONTENT_PERFORMANCE, VIRAL_CONTENT, AUDIENCE_INSIGHTS),
    VIDEO_DAYS,
    *(VIDEOS_OF_SONGS, SONG_DAYS, WEEKS_OF_SONGS),
    *(POSTING_PERFORMANCE, HASHTAG_PERFORMANCE, ANOMALY_LOG, DATA_QUALITY, ACCOUNT_BENCHMARKS, EXPORTS),
)
TABLES: dict[str, Table] = {table.key: table for table in (*STAGING, *CURATED, *WAREHOUSE)}
"""By asset key."""
SCHEMAS: dict[str, type[pa.DataFrameModel]] = {key: table.schema for key, table in TABLES.items()}
PREVIOUS_NAMES = {table.name: table.previous_names for table in WAREHOUSE if table.previous_names}
"""By table of the warehouse and column: its name in files of earlier versions."""

_WAREHOUSE = "warehouse/"


class UnknownTable(ValueError):
    """There is no such table. The message lists the valid names."""


def key_of(table: str, views: Iterable[str] = ()) -> str:
    """The key of ``table``, a key of ``TABLES``; "warehouse/" may be omitted.

    ``views``: names that are valid as well; theirs begin with "warehouse/", too. Raises UnknownTable.
    """
    keys = [*reversed(TABLES), *(f"{_WAREHOUSE}{view}" for view in views)]
    key = table if table in keys else f"{_WAREHOUSE}{table}"
    if key not in keys:
        names = [name.removeprefix(_WAREHOUSE) for name in keys]
        nearest = difflib.get_close_matches(table, names, n=1)
        meant = f" Did you mean {nearest[0]}?" if nearest else ""
        raise UnknownTable(f"There is no table {table}.{meant} There are: {', '.join(names)}.")
    return key
