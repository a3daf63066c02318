"""The questions of ``docs/sql.md``, and the warehouse of a label with two accounts that answers them.

The newest day is Sunday 22 March 2026. Every number of the warehouse is chosen so that the answers can be worked out by
hand: ``pig1987`` has 100 views a day, 150 in its last week, and no number of 5 March; ``zonea0`` has 20 views a day and
ends a day earlier. A year before, they had 100 and 10.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import conform, warehouse_rows
from tiktok_assets.curated.account.account_daily import SocialMediaStats
from tiktok_assets.curated.account.metrics import with_metrics
from tiktok_assets.curated.account.periods import Periods, account_periods
from tiktok_assets.curated.quality.restatements import Restatements
from tiktok_assets.curated.registry import TABLES
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.curated.frames import day_rows
from tiktok_assets_tests.queries.published_tables import publish_all

PAGE = (Path(__file__).parent.parent / "docs/sql.md").read_text()
NOW = dt.datetime(2026, 3, 23, 8, tzinfo=dt.UTC)
PIG, ZONE = "pig1987", "zonea0"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A section of the page."""

    number: int
    text: str
    query: str
    reading: str
    """How to read the answer."""


def questions(page: str = PAGE) -> dict[str, Question]:
    """By its text, each question of the page, in order."""
    parts = (re.split(r"\. |\n\n```sql\n|;\n```\n\n", section, maxsplit=3) for section in page.split("\n## ")[1:])
    found = [Question(number=int(n), text=text, query=query, reading=reading) for n, text, query, reading in parts]
    return {one.text: one for one in found}


def day(month: int, number: int) -> dt.date:
    """A day of 2026."""
    return dt.date(2026, month, number)


def _span(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    return (first + dt.timedelta(number) for number in range((last - first).days + 1))


def _days() -> pl.DataFrame:
    """A row per account and day, before rates and growth."""
    rows: list[dict[str, Any]] = []
    for date in _span(dt.date(2025, 2, 23), dt.date(2025, 3, 23)):
        rows += [{"account": PIG, "date": date, "video_views": 100}, {"account": ZONE, "date": date, "video_views": 10}]
    for date in _span(day(2, 1), day(3, 22)):
        is_last_week = date >= day(3, 16)
        counts = {"video_views": 100, "likes": 9, "comments": 1, "shares": 0, "followers": 1000}
        if is_last_week:
            counts = {"video_views": 150, "likes": 12, "comments": 2, "shares": 1, "followers": 990}
        rows.append({"account": PIG, "date": date, **({} if date == day(3, 5) else counts)})
    for number, date in enumerate(_span(day(2, 1), day(3, 21))):
        counts = {"video_views": 20, "likes": 1, "comments": 0, "shares": 0, "followers": 500 + number}
        rows.append({"account": ZONE, "date": date, **counts})
    return day_rows(*rows)


def _stats(days: pl.DataFrame) -> pl.DataFrame:
    final_until = pl.col("account").replace_strict({PIG: day(3, 20), ZONE: day(3, 18)}, return_dtype=pl.Date)
    export = pl.col("account").replace_strict({PIG: "e1", ZONE: "e2"})
    return _loaded(
        days.with_columns(
            is_settled=pl.when(pl.col("video_views").is_not_null()).then(pl.col("date") <= final_until),
            date_label="date",
            date_shift_days=0,
            export_id=export,
        ),
        SocialMediaStats,
    )


def _loaded(rows: pl.DataFrame, schema: type[pa.DataFrameModel]) -> pl.DataFrame:
    return warehouse_rows(rows, schema, NOW)


def _table(name: str, *rows: Mapping[str, Any]) -> pl.DataFrame:
    """Rows of a table of the warehouse with the given values and nothing else."""
    return _loaded(pl.DataFrame(rows, infer_schema_length=None), TABLES[f"warehouse/{name}"].schema)


def _videos() -> pl.DataFrame:
    """Snapshots: of `First` two, of the others one."""

    def snapshot(account: str, title: str, published: dt.date, captured: dt.date, views: int | None) -> dict[str, Any]:
        return {
            "account": account,
            "video_id": title,
            "title": title,
            "link": f"https://tiktok.example/{title}",
            "publish_date": published,
            "captured_on": captured,
            "age_days": (captured - published).days,
            "total_views": views,
            "is_latest": captured == day(3, 20),
            "engagement_rate": 0.1,
        }

    return _table(
        "content_performance",
        snapshot(PIG, "First", day(3, 2), day(3, 10), 500),  # at an age of 8 days
        snapshot(PIG, "First", day(3, 2), day(3, 20), 900),
        snapshot(PIG, "Second", day(3, 5), day(3, 20), 700),
        snapshot(PIG, "Old", day(2, 10), day(3, 20), 5000),
        snapshot(ZONE, "Unknown", day(3, 12), day(3, 20), None),
        snapshot(ZONE, "Fifth", day(3, 13), day(3, 20), 60),  # at an age of 7 days
    )


def _audience() -> pl.DataFrame:
    def share(account: str, captured: dt.date, territory: str, share: float) -> dict[str, Any]:
        found = {"account": account, "captured_on": captured, "value": territory, "share": share}
        return {"audience": "followers", "dimension": "territory", **found}

    def active(date: dt.date, hour: int, count: int | None) -> dict[str, Any]:
        found = {"account": PIG, "captured_on": date, "value": f"{hour:02}", "hour": hour, "count": count}
        return {"audience": "followers", "dimension": "active_time", **found}

    return _table(
        "audience_insights",
        *(share(PIG, day(2, 20), "FR", 0.9), share(PIG, day(3, 23), "GR", 0.6), share(PIG, day(3, 23), "DE", 0.3)),
        share(ZONE, day(3, 23), "GR", 0.4),
        *(active(day(3, 12), 3, 9999), active(day(3, 19), 20, 300), active(day(3, 20), 20, 500)),
        *(active(day(3, 19), 9, 100), active(day(3, 20), 9, None)),
    )


def _effects() -> dict[str, pl.DataFrame]:
    def effect(month: int, n: int, effect: float | None, low: float | None, high: float | None, evidence: str):
        found = {"account": PIG, "date": day(month, 1), "n": n, "evidence": evidence}
        return {**found, "effect": effect, "effect_low": low, "effect_high": high}

    more, none = "more views", "no evidence"
    return {
        "posting_times": _table(
            "posting_times",
            {**effect(2, 12, 1.8, 1.2, 2.7, more), "hour": 7},
            {**effect(3, 14, 1.6, 1.1, 2.3, more), "hour": 18},
            {**effect(3, 6, 0.9, 0.5, 1.6, none), "hour": 9},
            {**effect(3, 9, 1.9, 1.3, 2.5, more), "weekday": 5},
            {**effect(3, 3, None, None, None, none), "hour": 20, "account": ZONE},
        ),
        "hashtag_performance": _table(
            "hashtag_performance",
            {**effect(2, 8, 2.0, 1.5, 2.5, more), "hashtag": "old"},
            {**effect(3, 8, 1.5, 1.1, 2.0, more), "hashtag": "newmusic"},
            {**effect(3, 20, 1.0, 0.8, 1.3, none), "hashtag": "fyp"},
        ),
    }


def _exports() -> pl.DataFrame:
    def file(account: str, export: str, report: str, month: int) -> dict[str, Any]:
        found = {"account": account, "export_id": export, "report": report, "month": day(month, 1), "rows": 22}
        return {**found, "source": f"Overview_{account}.zip", "member": f"{report}.csv", "downloaded_at": NOW}

    return _table(
        "exports",
        *(file(PIG, "e1", "overview", 2), file(PIG, "e1", "overview", 3), file(PIG, "e1", "viewers", 3)),
        file(ZONE, "e2", "overview", 3),
    )


def publish_label(settings: Settings) -> None:
    """The published warehouse of the label, and its restatements in the lake."""
    days = with_metrics(_days())
    viral = {"account": PIG, "video_id": "Old", "title": "Old", "detected_on": day(3, 18), "total_views": 5000}
    drop = {"account": PIG, "anomaly": "follower_drop", "kind": "event"}
    publish_all(
        settings,
        social_media_stats=_stats(days),
        account_periods=_loaded(account_periods(days), Periods),
        content_performance=_videos(),
        viral_content=_table("viral_content", {**viral, "daily_growth": 6.0, "reason": "daily_growth", "rank": 1}),
        audience_insights=_audience(),
        exports=_exports(),
        anomalies=_table(
            "anomalies",
            {**drop, "date": day(3, 16), "sentence": "Followers fell from 1,000 to 990."},
            {**drop, "date": day(3, 15), "sentence": "Before the last seven days."},
        ),
        **_effects(),
    )
    change = {"account": PIG, "report": "overview", "item": "", "metric": "video_views", "new_age_days": 8.0}
    changes = pl.DataFrame(
        [
            {**change, "date": day(3, 11), "old_value": 90, "new_value": 100, "old_age_days": 1.5},
            {**change, "date": day(3, 10), "old_value": 101, "new_value": 100, "old_age_days": 2.5},
            {**change, "date": day(3, 10), "old_value": 5, "new_value": 6, "old_age_days": 2.5, "report": "viewers"},
        ]
    )
    lake = Lake(settings)
    lake.write(lake.partition_file("curated", "restatements", PIG, day(3, 1)), conform(changes, Restatements))
