"""Which videos are taking off? The rule of daily growth, applied to all snapshots so far.

Belongs here: reading the snapshots, and how many videos the warehouse holds by the other rule. Does not belong here:
the rule itself (``curated.videos.viral``), and the definition of growth (``curated.videos.video_growth``).
"""

from __future__ import annotations

import math

import polars as pl

from tiktok_assets.accounts import load_roster
from tiktok_assets.curated._tables import conform
from tiktok_assets.curated.videos.video_growth import with_growth
from tiktok_assets.curated.videos.videos import Videos
from tiktok_assets.curated.videos.viral import GROWTH_THRESHOLD, MIN_VIEWS, ViralVideos, viral_videos
from tiktok_assets.queries.tables import read
from tiktok_assets.settings import Settings, load_settings

SCHEMA = pl.Schema({name: column.dtype.type for name, column in ViralVideos.to_schema().columns.items()})
"""The columns of what ``detect_viral_trends`` returns; ``ViralVideos`` describes them."""


def detect_viral_trends(
    min_views: int = MIN_VIEWS, growth_threshold: float = GROWTH_THRESHOLD, *, settings: Settings | None = None
) -> pl.DataFrame:
    """The videos of all accounts that took off, newest first: a row per video and wave, with ``SCHEMA``.

    A video takes off on the day of the snapshot by which it had at least ``min_views`` views in all and, since the
    snapshot before, had gained per day at least ``growth_threshold`` times what it had gained per day of its life until
    then (``daily_growth``). It needs two snapshots: one export contains totals, not growth. An empty frame
    if none did. Reads ``content_performance`` of the published warehouse.

    Raises ValueError for an invalid threshold, NoWarehouse if nothing was processed yet.
    """
    if min_views < 0:
        raise ValueError(f"min_views={min_views}: must be a number of views, 0 or more.")
    if not (math.isfinite(growth_threshold) and growth_threshold > 0):
        raise ValueError(f"growth_threshold={growth_threshold}: must be a factor above 0.")
    settings = settings or load_settings()
    renamed = {"captured_on": "date", "publish_date": "post_date"}
    snapshots = conform(read("content_performance", settings=settings).rename(renamed), Videos)
    timezones = {key: account.timezone for key, account in load_roster(settings).items()}
    found = viral_videos(
        with_growth(snapshots, timezones),
        min_views=min_views,
        growth_threshold=growth_threshold,
        median_threshold=math.inf,  # only the rule of daily growth, not that of the median
    )
    newest_first = found.sort(["date", "total_views", "account", "video_id"], descending=[True, True, False, False])
    return newest_first.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def found_by_peers(settings: Settings | None = None) -> int:
    """The number of videos in ``viral_content`` that only their account's others of the same age show to be viral."""
    rows = read("viral_content", columns=["account", "video_id", "reason"], settings=settings or load_settings())
    return rows.filter(pl.col("reason") == "views_vs_median").n_unique(["account", "video_id"])
