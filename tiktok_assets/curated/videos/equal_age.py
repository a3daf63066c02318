"""Views of videos made comparable: each against its account's videos of that age and time, and contrasts of groups.

Belongs here: what ``posting`` and ``hashtags`` both ask, "did these videos do better than the account's others?".
Does not belong here: what the groups are.

    distance = log(1 + views) - the account's line through log(1 + views) over log(age), one point a video
    residual = distance - median distance of the NEIGHBOURS published before it, itself, and the NEIGHBOURS after it
    contrast = (mean residual of the group - mean residual of the others), shrunk towards 0 by m / (m + DOUBT)
               with m = n * others / (n + others); its variance is s^2 / (m + DOUBT)

which is the mean and variance of a normal posterior whose prior is worth ``DOUBT`` videos of no effect. The effect is
exp(contrast): 1.3 is 30% more views than the account's other videos of that age and time.

Without the neighbours a growing account would show an effect of whatever it does lately: among 200 simulated accounts
whose views rose 7-fold while they replaced one hashtag, all showed an effect of it; with the neighbours none does.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import NormalDist

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated._tables import made_of
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.exports.months import month_of

REFERENCE_AGE = 7
"""Days: of each video the snapshot nearest to this age is taken."""
LOOK_BACK = 365
"""Days before the first of the month that count beside the month itself."""
MIN_VIDEOS = 20
"""Videos of the account below which nothing is claimed: a line and a spread need some."""
MIN_GROUP = 5
"""Videos below which no effect is given, in the group or outside it."""
NEIGHBOURS = 5
DOUBT = 5
ALLOWED_ERROR = 0.05
"""Chance of claiming anything for an account of no effects at all. It is shared among the groups that could be claimed:
an account has dozens of hours and hashtags to be wrong about, and each at 99% claimed something for 1 in 5."""

COLUMNS = ("account", "date", "video_id", "age_days", "total_views")
"""The columns of a snapshot that ``residuals`` needs."""

EVIDENCE = ["more views", "fewer views", "no evidence"]
_ACCOUNT, _VIDEO = ["account", "date"], ["account", "video_id"]


class Effect(pa.DataFrameModel):
    """The effect of a group of an account's videos, as ``with_effects`` computes it."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month at whose end this was known")
    n: int = pa.Field(
        ge=1,
        description="videos of the group, of the last 12 months up to the end of the month",
        metadata=made_of("video_id"),
    )
    effect: float = pa.Field(
        nullable=True,
        description="x: views at equal age against the account's other videos of that time, shrunk towards 1 (no "
        "effect), so that a large effect of few videos is understated; null below "
        f"{MIN_GROUP} videos in the group or outside it, or {MIN_VIDEOS} in all",
        metadata=made_of("total_views", "age_days"),
    )
    effect_low: float = pa.Field(
        nullable=True,
        description="lower end of the 95% interval of effect, widened so that it holds for all claims of the account "
        "together where nothing has an effect",
        metadata=made_of("total_views", "age_days"),
    )
    effect_high: float = pa.Field(
        nullable=True, description="upper end of that interval", metadata=made_of("total_views", "age_days")
    )
    evidence: str = pa.Field(
        isin=EVIDENCE,
        description="more views or fewer views where the interval excludes 1, else no evidence",
        metadata=made_of("total_views", "age_days"),
    )


def residuals(videos: Rows, months: Sequence[dt.date], *columns: str) -> pl.DataFrame:
    """One row per account, month (``date``) and video: ``residual``, and ``columns`` of the chosen snapshot.

    ``videos``: snapshots with the columns of ``Videos`` and ``VideoGrowth``. ``months``: first days. An account without
    a snapshot in a month has no row for it.
    """
    usable = (
        videos.lazy()
        .filter(pl.col("total_views") >= 0, pl.col("age_days") >= 1)
        .select(*COLUMNS, *columns, _published=pl.col("date") - pl.duration(days="age_days"))
    )
    is_first = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in _VIDEO)
    distance = (pl.col("age_days") - REFERENCE_AGE).abs()
    of_months = [
        usable.filter(
            pl.col("date") >= month - dt.timedelta(days=LOOK_BACK),
            pl.col("date") < (month + dt.timedelta(days=31)).replace(day=1),
        )
        .filter(pl.col("date").max().over("account") >= month)  # else nothing new was known at the end of the month
        .sort(*_VIDEO, distance, "date")
        .filter(is_first | (pl.int_range(pl.len()) == 0))
        .with_columns(date=pl.lit(month))
        .collect()
        for month in sorted(set(months) & set(usable.select(month_of(pl.col("date")).unique()).collect()["date"]))
    ]
    chosen = pl.concat(of_months) if of_months else usable.head(0).collect()
    x, y = pl.col("age_days").log(), pl.col("total_views").log1p()
    slope = pl.when(x.var() > 0).then(pl.cov(x, y) / x.var()).otherwise(0.0)
    around = pl.col("_distance").rolling_median(2 * NEIGHBOURS + 1, center=True, min_samples=1)
    return (
        chosen.with_columns(_distance=(y - y.mean() - slope * (x - x.mean())).over(_ACCOUNT))
        .sort(*_ACCOUNT, "_published", "video_id")  # ids count up
        .with_columns(residual=pl.col("_distance") - around.over(_ACCOUNT))
        .drop("_published", "_distance")
    )


def sums(groups: pl.DataFrame, *key: str) -> pl.DataFrame:
    """How many videos each group has, and the sum of their residuals. ``groups``: its videos, each once per group."""
    return groups.group_by(*_ACCOUNT, *key).agg(n=pl.len().cast(pl.Int64), _of_group=pl.col("residual").sum())


def with_effects(rows: pl.DataFrame, groups: pl.DataFrame, *key: str) -> pl.DataFrame:
    """The effect of each group of videos, with the columns of ``Effect`` and ``key``.

    ``rows``: all videos, as ``residuals`` returns them. ``groups``: ``sums`` of parts of their groups.
    """
    two_parameters = 2  # level and slope of the account's line
    accounts = rows.group_by(_ACCOUNT).agg(
        _all=pl.len().cast(pl.Int64),
        _sum=pl.col("residual").sum(),
        _spread=((pl.col("residual") ** 2).sum() / (pl.len() - two_parameters)).sqrt(),
    )
    groups = groups.group_by(*_ACCOUNT, *key).agg(pl.col("n", "_of_group").sum())
    n, others = pl.col("n"), pl.col("_all") - pl.col("n")
    enough = (pl.col("_all") >= MIN_VIDEOS) & (n >= MIN_GROUP) & (others >= MIN_GROUP)
    worth = n * others / pl.col("_all")
    judged = groups.join(accounts, on=_ACCOUNT).with_columns(_claims=enough.sum().over(_ACCOUNT))
    width = {claims: _width(claims) for claims in judged["_claims"].unique()}
    above_others = pl.col("_of_group") / n - (pl.col("_sum") - pl.col("_of_group")) / others
    contrast = pl.when(enough).then(above_others * worth / (worth + DOUBT))
    margin = (
        pl.col("_claims").replace_strict(width, return_dtype=pl.Float64) * pl.col("_spread") / (worth + DOUBT).sqrt()
    )
    effects = judged.with_columns(
        effect=contrast.exp(), effect_low=(contrast - margin).exp(), effect_high=(contrast + margin).exp()
    )
    more, fewer = pl.col("effect_low") > 1, pl.col("effect_high") < 1
    evidence = (
        pl.when(more).then(pl.lit(EVIDENCE[0])).when(fewer).then(pl.lit(EVIDENCE[1])).otherwise(pl.lit(EVIDENCE[2]))
    )
    return (
        effects.with_columns(evidence=evidence)
        .drop("_of_group", "_sum", "_all", "_spread", "_claims")
        .sort(*_ACCOUNT, *key)
    )


def _width(claims: int) -> float:
    """Half width of an interval in standard deviations, where ``claims`` of them share the allowed error."""
    return NormalDist().inv_cdf(1 - ALLOWED_ERROR / 2 / max(claims, 1))
