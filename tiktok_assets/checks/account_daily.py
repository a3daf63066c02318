"""What is promised of an account's days, checked on the slice a run makes. A broken promise warns and stops nothing.

What is found, and in which words, is ``curated.quality``'s. An outlier of views is good news more often than not: it is
told in ``anomalies`` and in the warehouse, and is no promise here.
"""

from __future__ import annotations

import dagster as dg
import polars as pl

from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.curated.quality.quality import broken, find_anomalies
from tiktok_assets.partitions import Slice
from tiktok_assets.storage.metadata import markdown_table

_DESCRIPTIONS = {
    "has_no_duplicates": "No day is told twice, under one date or two.",
    "views_cover_engagement": "No day has more likes, comments and shares than views.",
    "views_cover_viewers": "No day has far more viewers than views.",
    "engagement_rate_is_within_bounds": "The engagement rate of every day lies between 0 and 1.",
    "follower_trend_is_plausible": "Followers never fall by more than a tenth in a day.",
    "engagement_is_not_an_outlier": "Engagement is what is usual for the account at these views.",
    "active_days_have_data": "Between days with data none is missing.",
}
_SHOWN_COLUMNS = ["account", "date", "kind", "sentence"]


def check_specs(key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    return [dg.AssetCheckSpec(name, asset=key, description=text) for name, text in _DESCRIPTIONS.items()]


def check_results(days: pl.DataFrame, part: Slice) -> list[dg.AssetCheckResult]:
    """The promises of ``check_specs`` about the days of ``part``. ``days``: with those before, to compare with."""
    found = part.within(find_anomalies(days))
    judged = part.within(days)
    return [_result(name, broken(name, judged, found).select(_SHOWN_COLUMNS), part) for name in _DESCRIPTIONS]


def _result(name: str, cases: pl.DataFrame, part: Slice) -> dg.AssetCheckResult:
    rows = {} if cases.is_empty() else {"rows": dg.MetadataValue.md(markdown_table(cases.head(SHOWN)))}
    of_accounts = cases.partition_by("account", as_dict=True, maintain_order=True)
    return evaluation(
        name,
        part,
        {account: _summary(found) for (account,), found in of_accounts.items()},
        facts={
            "days": cases.select("account", "date").n_unique(),
            "data_errors": cases.filter(kind="data_error").height,
            "events": cases.filter(kind="event").height,
            **rows,
        },
    )


def _summary(cases: pl.DataFrame) -> str:
    """An account's newest finding as a sentence, and how many more there are."""
    account, day, _, sentence = cases.sort("date").row(-1)
    more = f" And {cases.height - 1} more." if cases.height > 1 else ""
    return f"{account}, {day:%-d %B %Y}: {sentence}{more}"
