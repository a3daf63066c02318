"""How does a curated table become the one that people query? Names, handle, platform and time of loading.

Does not belong here: what a number means (the module of its question), DuckDB, Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import polars as pl

from tiktok_assets.curated._tables import warehouse_rows
from tiktok_assets.curated.account.account_daily import SocialMediaStats, with_handles
from tiktok_assets.curated.account.benchmarks import Benchmarks, monthly_benchmarks
from tiktok_assets.curated.account.periods import Periods
from tiktok_assets.curated.audience.audience import AudienceInsights
from tiktok_assets.curated.coverage.export_log import Exports, export_log
from tiktok_assets.curated.quality.check_results import DataQuality, check_results
from tiktok_assets.curated.quality.quality import AnomalyLog, anomaly_log
from tiktok_assets.curated.videos.hashtags import HashtagPerformance
from tiktok_assets.curated.videos.posting import PostingPerformance
from tiktok_assets.curated.videos.videos import ContentPerformance
from tiktok_assets.curated.videos.viral import ViralContent

RENAMED = {"captured_on": "date", "publish_date": "post_date", "detected_on": "date"}
"""Names that change on the way from curated: the warehouse's, and the one before."""


def social_media_stats(days: pl.DataFrame, handles: Mapping[str, str], loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``AccountDaily`` as rows of ``SocialMediaStats``. ``handles``: by account."""
    return warehouse_rows(with_handles(days, handles), SocialMediaStats, loaded_at)


def content_performance(videos: pl.DataFrame, handles: Mapping[str, str], loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``Videos`` as rows of ``ContentPerformance``. ``handles``: by account."""
    renamed = videos.rename({"date": "captured_on", "post_date": "publish_date"})
    return warehouse_rows(with_handles(renamed, handles), ContentPerformance, loaded_at)


def account_periods(periods: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``AccountPeriods`` as rows of ``Periods``."""
    return warehouse_rows(periods, Periods, loaded_at)


def viral_content(viral: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``ViralVideos`` as rows of ``ViralContent``."""
    return warehouse_rows(viral.rename({"date": "detected_on"}), ViralContent, loaded_at)


def posting_times(times: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``PostingTimes`` as rows of ``PostingPerformance``."""
    return warehouse_rows(times, PostingPerformance, loaded_at)


def hashtag_performance(hashtags: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``Hashtags`` as rows of ``HashtagPerformance``."""
    return warehouse_rows(hashtags, HashtagPerformance, loaded_at)


def anomalies(days: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """The anomalies of rows of ``AccountDaily`` as rows of ``AnomalyLog``. Days that lack history find fewer."""
    return warehouse_rows(anomaly_log(days), AnomalyLog, loaded_at)


def data_quality(days: pl.DataFrame, reports: Mapping[str, pl.DataFrame], loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``AccountDaily`` and of staged ``reports`` as rows of ``DataQuality``; see ``check_results``."""
    return warehouse_rows(check_results(days, reports), DataQuality, loaded_at)


def account_benchmarks(days: pl.DataFrame, months: Iterable[dt.date], loaded_at: dt.datetime) -> pl.DataFrame:
    """Each of ``months`` (first days) as rows of ``Benchmarks``. ``days``: ``SocialMediaStats`` of all accounts."""
    return warehouse_rows(monthly_benchmarks(days, months), Benchmarks, loaded_at)


def audience_insights(audience: pl.DataFrame, loaded_at: dt.datetime) -> pl.DataFrame:
    """Rows of ``Audience`` as rows of ``AudienceInsights``."""
    return warehouse_rows(audience.rename({"date": "captured_on"}), AudienceInsights, loaded_at)


def exports(raw: Mapping[str, pl.LazyFrame], loaded_at: dt.datetime) -> pl.DataFrame:
    """Raw rows, by report, as rows of ``Exports``: of every month they speak of."""
    log = pl.concat([export_log(report, rows) for report, rows in raw.items()], how="diagonal")
    return warehouse_rows(log, Exports, loaded_at)
