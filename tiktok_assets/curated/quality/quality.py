"""Which of an account's days deserve a second look? Data errors, and events that are real but unusual.

A data error breaks an identity: the number is misleading. An event breaks none: the number is right, and
rare. A day whose own counts are in error is not searched for events in them.

Every anomaly depends only on its day and the days before it, so a later run never changes an earlier finding.

Belongs here: finding them and what a finding is. Does not belong here: the rules (``anomaly_rules``), the scores
(``scores``), and what a pipeline does about a finding.
"""

from __future__ import annotations

from typing import Any

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import WarehouseRow, made_of
from tiktok_assets.curated.measures import ENGAGEMENTS, before, with_earlier
from tiktok_assets.curated.quality import scores
from tiktok_assets.curated.quality.anomaly_rules import LEAST_VIEWS, OVERVIEW, RULES, STOCKS, Rule
from tiktok_assets.curated.quality.scores import with_scores
from tiktok_assets.curated.table import Input, Table

LOOK_BACK = scores.LOOK_BACK
"""Days before the first requested day that ``find_anomalies`` needs."""

ANOMALIES = [
    *("follower_drop", "engagement_outlier", "missing_day", "duplicate_entry"),
    *("negative_count", "views_below_engagement", "viewers_above_views", "views_outlier"),
]
SEVERITIES = ["error", "warning", "info"]
"""The worst first."""

PROMISES = {
    "has_no_duplicates": ("duplicate_entry",),
    "views_cover_engagement": ("views_below_engagement",),
    "views_cover_viewers": ("viewers_above_views",),
    "engagement_rate_is_within_bounds": ("views_below_engagement", "negative_count"),
    "follower_trend_is_plausible": ("follower_drop",),
    "engagement_is_not_an_outlier": ("engagement_outlier",),
    "views_are_not_an_outlier": ("views_outlier",),
    "active_days_have_data": ("missing_day",),
}
"""Which anomalies break which promise about account_daily."""

CHECKS = {anomaly: name for name, broken in reversed(PROMISES.items()) for anomaly in broken}
"""The first promise that each anomaly breaks."""

_EVERY_DAY = pl.col("date").is_not_null()
_JUDGED: dict[str, pl.Expr] = {
    "has_no_duplicates": _EVERY_DAY,
    "views_cover_engagement": pl.col("below_engagement").is_not_null(),
    "views_cover_viewers": pl.col("unique_viewers").is_not_null() & pl.col("video_views").is_not_null(),
    "engagement_rate_is_within_bounds": pl.col("below_engagement").is_not_null(),
    "follower_trend_is_plausible": (pl.col("followers") - pl.col(before("followers", 1))).is_not_null(),
    "engagement_is_not_an_outlier": pl.col("rate_spread").is_not_null() & pl.col("rate_surprise").is_not_null(),
    "views_are_not_an_outlier": pl.col("views_spread").is_not_null() & pl.col("views_surprise").is_not_null(),
    "active_days_have_data": _EVERY_DAY,
}
"""On which days each promise can be judged: its inputs are known, for an outlier also the usual value."""

EXAMINED = ("video_views", "profile_views", "likes", "comments", "shares", "unique_viewers", "followers")
"""The counts of a day that its anomalies are found in."""

_KEY = ["account", "date"]
FINDING = [*_KEY, "kind", "severity", "first_day", "last_day", "sentence"]
"""The columns of ``Anomalies`` that describe a broken promise."""


class DayFlags(pa.DataFrameModel):
    """What ``with_anomalies`` adds to a day."""

    anomalies: list[str] = pa.Field(
        nullable=True,
        description="data errors and events found on the day (table anomalies); null: not examined",
        metadata=made_of(*EXAMINED),
    )


class Anomalies(pa.DataFrameModel):
    """One row per account, day and anomaly found on it."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="the day whose row carries the flag; for missing_day the first day after")
    anomaly: str = pa.Field(isin=ANOMALIES, description="what was found", metadata=made_of(*EXAMINED))
    kind: str = pa.Field(
        isin=["data_error", "event"],
        description="data_error: an identity breaks; event: it holds, the number is rare",
        metadata=made_of(*EXAMINED),
    )
    severity: str = pa.Field(
        isin=SEVERITIES,
        description="error: do not use the number; warning: look at it; info: know it",
        metadata=made_of(*EXAMINED),
    )
    first_day: pl.Date = pa.Field(description="first day concerned", metadata=made_of(*EXAMINED))
    last_day: pl.Date = pa.Field(description="last day concerned", metadata=made_of(*EXAMINED))
    value: float = pa.Field(
        nullable=True, description="the number found: a count, or the days missing", metadata=made_of(*EXAMINED)
    )
    usual: float = pa.Field(
        nullable=True,
        description="what it is compared with; null where there is no such number",
        metadata=made_of(*EXAMINED),
    )
    sentence: str = pa.Field(description="what happened, in words", metadata=made_of(*EXAMINED))

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = [*_KEY, "anomaly"]


class AnomalyLog(Anomalies, WarehouseRow):
    """One row per account, day and anomaly: the check that found it, and its evidence."""

    check_name: str = pa.Field(
        isin=list(PROMISES), description="the promise about account_daily that it breaks", metadata=made_of(*EXAMINED)
    )

    class Config(Anomalies.Config, WarehouseRow.Config):
        unique = ["platform", *_KEY, "anomaly"]


def find_anomalies(days: pl.DataFrame) -> pl.DataFrame:
    """Every anomaly of ``days`` (account, date, the counts of Overview and Viewers, followers), as ``Anomalies``.

    An anomaly that two rules find is described by the first of them.
    """
    examined = _examined(days)
    found = [row for rule in RULES for row in _findings(rule, examined)]
    columns = Anomalies.to_schema().columns
    dtypes = {name: column.dtype.type for name, column in columns.items()}
    return (
        pl.DataFrame(found, schema=dtypes, orient="row").unique([*_KEY, "anomaly"], keep="first").sort(*_KEY, "anomaly")
    )


def with_anomalies(days: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """``days`` with ``anomalies``: what was found on each, [] for nothing, null if nothing could be examined."""
    names = found.group_by(_KEY).agg(anomalies=pl.col("anomaly").unique().sort())
    nothing = pl.lit([], dtype=pl.List(pl.String))
    unknown = pl.col("video_views").is_null() & pl.col("followers").is_null()
    unflagged = days.drop("anomalies", strict=False)
    return unflagged.join(names, on=_KEY, how="left", maintain_order="left").with_columns(
        anomalies=pl.when(pl.col("anomalies").is_null() & ~unknown).then(nothing).otherwise("anomalies")
    )


def anomaly_log(days: pl.DataFrame) -> pl.DataFrame:
    """Every anomaly of ``days`` (``AccountDaily``), its ``check_name``, and the export behind the day's counts."""
    exports = days.select(*_KEY, "export_id").unique(_KEY, keep="first")
    found = find_anomalies(days).with_columns(
        check_name=pl.col("anomaly").replace_strict(CHECKS, return_dtype=pl.String)
    )
    return found.join(exports, on=_KEY, how="left", maintain_order="left")


def examined_days(days: pl.DataFrame) -> pl.DataFrame:
    """One row per account, day and promise (``check_name``) that could be judged on it: its inputs are known."""
    judged = _examined(days).select(
        *_KEY, *(is_known.fill_null(value=False).alias(name) for name, is_known in _JUDGED.items())
    )
    return (
        judged.unpivot(list(_JUDGED), index=_KEY, variable_name="check_name", value_name="_is_judged")
        .filter("_is_judged")
        .drop("_is_judged")
    )


def broken(promise: str, days: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """The days on which a promise of ``PROMISES`` is broken, with the columns ``FINDING``.

    ``found``: the anomalies of ``days``.
    """
    findings = found.filter(pl.col("anomaly").is_in(PROMISES[promise])).select(FINDING)
    if promise != "engagement_rate_is_within_bounds":
        return findings
    rate = pl.col("engagement_rate")
    outside = days.filter(~rate.is_between(0, 1)).select(
        *_KEY,
        kind=pl.lit("event"),
        severity=pl.lit("warning"),
        first_day="date",
        last_day="date",
        sentence=pl.when(rate < 0)
        .then(pl.format("More likes, comments and shares were removed than given: {} of them.", "engagements"))
        .otherwise(pl.format("The engagement rate is {}: above 1, there is more engagement than views.", rate)),
    )
    added = outside.join(findings, on=_KEY, how="anti")
    inside = days.filter(rate.is_between(0, 1)).select(_KEY)
    return pl.concat([findings.join(inside, on=_KEY, how="anti"), added]).sort(_KEY)


def _findings(rule: Rule, examined: pl.DataFrame) -> list[tuple[Any, ...]]:
    found = examined.filter(rule.found).with_columns(
        _first=rule.first_day,
        _last=rule.last_day,
        _value=rule.value.cast(pl.Float64),
        _usual=rule.usual.cast(pl.Float64).round(6),  # the way to a log and back
    )
    day = ("account", "date")
    finding = ("_first", "_last", "_value", "_usual")
    return [
        (
            *(row[key] for key in day),
            rule.anomaly,
            rule.kind,
            rule.severity,
            *(row[key] for key in finding),
            rule.sentence(row),
        )
        for row in found.iter_rows(named=True)
    ]


def _examined(days: pl.DataFrame) -> pl.DataFrame:
    """``days`` with all columns that the rules need."""
    views = pl.col("video_views")
    rows = with_earlier(days.sort(_KEY), 1, *OVERVIEW, "followers").with_columns(
        engagements=ENGAGEMENTS,
        repeated=pl.struct(_KEY).is_duplicated(),
        same_as_before=pl.all_horizontal(pl.col(name) == pl.col(before(name, 1)) for name in OVERVIEW)
        & (views >= LEAST_VIEWS),
        below_zero=pl.any_horizontal(pl.col(name) < 0 for name in STOCKS if name in days.columns),
        below_engagement=views < ENGAGEMENTS,
    )
    errors = ("repeated", "same_as_before", "below_zero", "below_engagement")
    rows = rows.with_columns(sound=~pl.any_horizontal(pl.col(name).fill_null(value=False) for name in errors))
    # A day without views is a day before the account existed, or an error: never a usual day.
    log_views = pl.when(views >= 0).then(views).log1p()
    rows = with_scores(rows, "views", log_views, pl.col("sound") & (views > 0))
    log_rate = pl.col("engagements").clip(lower_bound=0).log1p() - log_views
    rows = with_scores(rows, "rate", log_rate, pl.col("sound") & (views >= LEAST_VIEWS))
    return _with_gaps(rows).with_columns(expected_engagements=pl.col("rate_usual").exp() * (views + 1) - 1)


def _with_gaps(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds ``known_before``, the last day before with known views; null if none, or longer ago than ``LOOK_BACK``."""
    known = rows.filter(pl.col("video_views").is_not_null()).select(_KEY).unique().sort(_KEY)
    gaps = known.with_columns(known_before=pl.col("date").shift(1).over("account"))
    near = (pl.col("date") - pl.col("known_before")).dt.total_days() <= LOOK_BACK
    return rows.join(gaps.filter(near), on=_KEY, how="left", maintain_order="left")


ANOMALY_LOG = Table(
    key="warehouse/anomalies",
    schema=AnomalyLog,
    version="3",
    inputs={"days": Input("curated/account_daily", look_back=LOOK_BACK)},
    make=lambda inputs, _: anomaly_log(inputs["days"]),
    previous_names={"check_name": "check"},
)
