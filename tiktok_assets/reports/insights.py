"""Insights: the numbers that Studio's pages show and no export contains, at the time of the capture."""

from __future__ import annotations

from typing import Literal, NamedTuple

import pandera.polars as pa
import polars as pl

from tiktok_assets.exports.insights import HEADER, INSIGHT, ITEM_LIST, RELATION
from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.reports._columns import cell_name, is_missing, pick, snapshot_rows, text
from tiktok_assets.reports.report import Report, Staged

_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_WHOLE = r"^-?[0-9]+$"
_VIDEO_ID = r"^[0-9]{17,19}$"
# Studio's status for "no data" beside a number is 2; the number is then a placeholder 0.
_HAS_VALUE = ("", "0")

Kind = Literal["count", "share", "seconds", "milliseconds", "text"]


class Metric(NamedTuple):
    """One number, or list of numbers by item, and its path in the responses of an endpoint.

    ``no_data``: the path at which a response says that there is no data, if it can.
    """

    name: str
    kind: Kind
    endpoint: str
    path: str
    no_data: str | None = None


def _single(name: str, kind: Kind, type_: str) -> Metric:
    """A type of the insight endpoint; a video's number lies one level deeper than an account's."""
    return Metric(name, kind, INSIGHT, rf"^/{type_}(/value){{1,2}}$", rf"^/{type_}(/value)?/status$")


def _shares(name: str, type_: str) -> Metric:
    """As ``_single``, a list of shares by item."""
    return Metric(name, "share", INSIGHT, rf"^/{type_}(/value){{1,2}}/[0-9]+/value$", rf"^/{type_}(/value)?/status$")


def _listed(name: str, kind: Kind, field: str) -> Metric:
    """A field of the list of videos."""
    return Metric(name, kind, ITEM_LIST, rf"^/item_list/[0-9]+/{field}$")


METRICS = (
    Metric("followers", "count", RELATION, "^/FollowerCount/"),
    Metric("following", "count", RELATION, "^/FollowingCount/"),
    _shares("viewer_age", "viewer_age_distribution"),
    _shares("follower_age", "follower_age_distribution"),
    _shares("traffic_source", "vv_traffic_source"),
    _single("average_watch_time", "seconds", "video_per_duration_realtime"),
    _single("completion_rate", "share", "video_finish_rate_realtime"),
    _shares("video_traffic_source", "video_traffic_source_percent_realtime"),
    _single("video_new_followers", "count", "video_new_followers"),
    _listed("duration", "milliseconds", "duration"),
    _listed("total_views", "count", "play_count"),
    _listed("total_likes", "count", "like_count"),
    _listed("total_comments", "count", "comment_count"),
    _listed("total_shares", "count", "share_count"),
    _listed("favorites", "count", "favorite_count"),
    _listed("title", "text", "desc"),
)


class Insights(Staged):
    """One row per account, day of the capture, video (or the account itself), metric and item."""

    video_id: str = pa.Field(description="TikTok's id of the video; empty where the number is the account's")
    metric: str = pa.Field(
        isin=[metric.name for metric in METRICS],
        description="followers, following; ages and sources (shares by item); of a video average_watch_time and "
        "duration (seconds), completion_rate (0 to 1), total_views and other lifetime counts, title",
    )
    item: str = pa.Field(description="18-24, For You ...; empty where the metric is one number, or has no data")
    value: float = pa.Field(nullable=True, ge=0, description="the number; null where Studio says that it has no data")
    text: str = pa.Field(nullable=True, description="a video's title; null for numbers")
    window_days: int = pa.Field(
        nullable=True, description="days the page was set to, for what depends on it; null without a number"
    )


def parse(rows: pl.DataFrame) -> pl.DataFrame:
    """The metrics among the leaves of ``rows``; the others stay in raw. Raises UnreadableValue.

    A type that was not requested is null in a response and gives no row. One that was requested and has no data gives
    a row whose value is null. Among several responses of one visit the last one with data counts.
    """
    cells = pick(
        rows,
        endpoint=text(rows, "endpoint"),
        answer=text(rows, "answer").cast(pl.Int64, strict=False),
        asked=text(rows, "asked"),
        path=text(rows, "path"),
        item=text(rows, "item"),
        status=text(rows, "status"),
        type=text(rows, "type"),
        written=text(rows, "value"),
    ).with_columns(
        video=_only_one(pl.col("asked"), r'"aweme_id":"([0-9]+)"'),
        window_days=_only_one(pl.col("asked"), r'"(?:days|range)":"?([0-9]+)').cast(pl.Int64, strict=False),
        user=pl.col("asked").str.extract(r'"user_id":"([0-9]+)"'),
    )
    leaves = rows.with_columns(cells.get_columns()).filter(pl.col("video").is_not_null())
    found = pl.concat(rows_of(leaves, metric) for metric in METRICS for rows_of in (_values, _without_data))
    _refuse(found, "video_id", found["video_id"].str.contains(_VIDEO_ID) | (found["video_id"] == ""))
    return snapshot_rows(_last_responses(found))


def _only_one(asked: pl.Expr, form: str) -> pl.Expr:
    """The one value of ``form`` in the request; null if there are several, empty if there is none."""
    matches = asked.str.extract_all(form).list.unique()
    one = matches.list.first().str.extract(form, 1)
    return pl.when(matches.list.len() == 0).then(pl.lit("")).when(matches.list.len() == 1).then(one)


def _values(leaves: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """The rows of ``metric`` that have a value, or null instead of one."""
    here = leaves.filter(
        (pl.col("endpoint") == metric.endpoint)
        & pl.col("path").str.contains(metric.path)
        & pl.col("type").is_in(("number", "text", "null"))
    )
    if metric.endpoint == RELATION:  # a map by user, of which one is ours
        here = here.filter(pl.col("path").str.extract(r"([^/]*)$") == pl.col("user"))
    elif metric.endpoint == INSIGHT:
        here = here.filter(pl.col("status").is_in(_HAS_VALUE))
    else:
        here = here.with_columns(video=pl.col("item"))
    if not metric.path.endswith("[0-9]+/value$"):
        here = here.with_columns(item=pl.lit(""))
    if metric.kind == "text":
        return _shaped(here, metric, text=pl.when(pl.col("type") != "null").then("written"))
    values = here.select(
        value=_number(pl.col("written").str.strip_chars(), metric.kind),
        unknown=(pl.col("type") == "null") | is_missing(pl.col("written")),
    )
    _refuse(here.with_columns(metric=pl.lit(metric.name)), "written", values["unknown"] | values["value"].is_not_null())
    return _shaped(here.hstack(values.select("value")), metric, value=pl.col("value"))


def _number(written: pl.Expr, kind: Kind) -> pl.Expr:
    """The value of ``written`` in the unit of staging; null if it is not a possible one."""
    form = _WHOLE if kind == "count" else _NUMBER
    value = pl.when(written.str.contains(form)).then(written).cast(pl.Float64, strict=False)
    possible = (value >= 0) & (value <= 1 if kind == "share" else value.is_finite())
    return pl.when(possible).then(value / 1000 if kind == "milliseconds" else value)


def _without_data(leaves: pl.DataFrame, metric: Metric) -> pl.DataFrame:
    """A row for each response that says "no data" for ``metric``."""
    says = pl.col("path").str.contains(metric.no_data) if metric.no_data else pl.lit(value=False)
    here = leaves.filter((pl.col("endpoint") == metric.endpoint) & says & ~pl.col("written").is_in(_HAS_VALUE))
    return _shaped(here.with_columns(item=pl.lit("")), metric)


_SHAPED = (
    "account",
    "export_id",
    "source",
    "member",
    "row_number",
    "date_label",
    "downloaded_at",
    "vintage",
    "vintage_evidence",
    "answer",
)
_NOTHING = pl.lit(None)


def _shaped(here: pl.DataFrame, metric: Metric, *, value: pl.Expr = _NOTHING, text: pl.Expr = _NOTHING) -> pl.DataFrame:
    return here.select(
        *_SHAPED,
        video_id=pl.col("video"),
        metric=pl.lit(metric.name),
        item=pl.col("item"),
        value=value.cast(pl.Float64),
        text=text.cast(pl.String),
        window_days=pl.when(value.is_not_null()).then("window_days"),
        path=pl.col("path"),
    )


def _last_responses(found: pl.DataFrame) -> pl.DataFrame:
    """For each visit and metric the last response with data: ages for 7 days and for 28 must not be mixed."""
    unit = ("account", "export_id", "video_id", "metric")
    known = pl.any_horizontal(pl.col("value", "text").is_not_null())
    last = pl.coalesce(pl.col("answer").filter(known).max().over(unit), pl.col("answer").max().over(unit))
    return found.filter(pl.col("answer") == last).drop("answer", "path")


def _refuse(found: pl.DataFrame, column: str, is_good: pl.Series) -> None:
    bad = found.filter(~is_good.fill_null(value=True))
    if bad.height:
        raise UnreadableValue(
            f"{cell_name(bad, 0)}, {bad['path'][0]}: {bad[column][0]!r} is not a possible {bad['metric'][0]}. "
            "If Studio now writes this, the report's parser must be extended; the file is kept for that."
        )


INSIGHTS = Report(
    name="insights",
    section="insights",
    headers={"studio": HEADER},
    signature=(("endpoint",), ("path",), ("value",)),
    label=None,
    grain=("date", "video_id", "metric", "item"),
    unit=("date", "video_id", "metric"),
    description="What Studio's pages showed on the day of the capture: following, ages, watch time, completion.",
    parse=parse,
    schema=Insights,
    parser_version="1",
    is_optional=True,
)
