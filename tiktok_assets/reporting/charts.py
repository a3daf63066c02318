"""Charts of a report: from a frame to an Altair chart. Colours are named styles, which the theme defines.

Belongs here: which columns are drawn and how. Does not belong here: computing numbers (``facts``), the page.

Unknown days are drawn as such: the line breaks, a band marks them. Altair takes 0.7 s to import and is imported when
the first chart is drawn.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from tiktok_assets.reporting.words import WEEKDAYS, clock, count, times

if TYPE_CHECKING:
    import altair as alt

    Picture: TypeAlias = alt.LayerChart | alt.FacetChart | alt.Chart

DAYS_SHOWN = 365
_LONG = 120
"""From this many days on, the axis shows months."""
ALL = "All"
_HOURS = [ALL, *map(clock, range(24))]
# 20k; and 0, for which Vega's own format gives 0k.
_SHORT = "format(datum.value, '~s')"
_SLOT_HEIGHT = 19
"""Pixels of an hour, in the heat map and in the bars beside it."""
_WIDEST_EFFECT = 3.0
"""x: stronger effects get no stronger colour."""


def views_over_time(days: pl.DataFrame, anomalies: pl.DataFrame, last: dt.date) -> Picture:
    """Views of each of the last ``DAYS_SHOWN`` days, their mean of 7 days, and the days with an anomaly of views."""
    import altair as alt

    shown = every_day(days, last, "video_views", "video_views_7d_avg")
    # Missing days are a band of their own.
    of_views = anomalies.filter(~pl.col("anomaly").is_in(["follower_drop", "missing_day"]))
    marked = _marked(shown, of_views, "video_views")
    y = alt.Y("video_views:Q", title=None, axis=alt.Axis(labelExpr=_SHORT))
    x = _x(shown)
    base = alt.Chart(shown).encode(x=x)
    tooltip = [_day(), _count("video_views", "Views"), _count("video_views_7d_avg", "Mean of 7 days")]
    return alt.layer(
        *_unknown(shown, "video_views"),
        base.mark_line(style="quiet").encode(y=y),
        base.mark_line(style="views").encode(y=alt.Y("video_views_7d_avg:Q")),
        base.mark_point(style="hover").encode(y=y, tooltip=tooltip),
        *_points(marked, "video_views", x),
    ).properties(width="container", height=220)


def followers_over_time(days: pl.DataFrame, anomalies: pl.DataFrame, last: dt.date) -> Picture:
    """Followers at the end of each of the last ``DAYS_SHOWN`` days, and the days on which they fell."""
    import altair as alt

    shown = every_day(days, last, "followers", "net_followers")
    marked = _marked(shown, anomalies.filter(pl.col("anomaly") == "follower_drop"), "followers")
    y = alt.Y("followers:Q", title=None, axis=alt.Axis(labelExpr=_SHORT), scale=alt.Scale(zero=False))
    x = _x(shown)
    base = alt.Chart(shown).encode(x=x, y=y)
    tooltip = [_day(), _count("followers", "Followers"), _count("net_followers", "Gained")]
    return alt.layer(
        *_unknown(shown, "followers"),
        base.mark_line(style="followers"),
        base.mark_point(style="hover").encode(tooltip=tooltip),
        *_points(marked, "followers", x),
    ).properties(width="container", height=180)


def posting_heat_map(posting: pl.DataFrame) -> Picture:
    """Views at equal age by weekday and hour of publication: coloured where there is evidence, else grey."""
    import altair as alt

    cells = slots(posting)
    columns = [*(name[:3] for name in WEEKDAYS), ALL]
    x = alt.X("weekday:O", title=None, scale=alt.Scale(domain=columns), axis=alt.Axis(orient="top", labelAngle=0))
    y = alt.Y("hour:O", title=None, scale=alt.Scale(domain=_HOURS))
    strength = alt.Opacity("strength:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.35, 1]))
    tooltip = [
        alt.Tooltip("when:N", title="Posted"),
        alt.Tooltip("videos:Q", title="Videos"),
        alt.Tooltip("effect:N", title="Views"),
    ]
    layers = [
        ("no evidence", "no-evidence", "few"),
        ("more views", "more", "effect"),
        ("fewer views", "fewer", "effect"),
    ]
    drawn: list[alt.Chart] = []
    for evidence, cell, text in layers:
        rows = cells.filter(pl.col("evidence") == evidence)
        if rows.is_empty():
            continue
        base = alt.Chart(rows).encode(x=x, y=y, tooltip=tooltip)
        rectangles = base.mark_rect(style=cell)
        drawn += [
            rectangles if evidence == "no evidence" else rectangles.encode(opacity=strength),
            base.mark_text(style=text).encode(text="label:N"),
        ]
    return alt.layer(*drawn).properties(width="container", height=_SLOT_HEIGHT * len(_HOURS))


def audience_activity(activity: pl.DataFrame, *, beside_heat_map: bool) -> Picture:
    """Mean active followers of each hour; ``beside_heat_map``: in its rows, whose hours are labelled there."""
    import altair as alt

    rows = activity.with_columns(hour=pl.col("hour").map_elements(clock, return_dtype=pl.String))
    hours = _HOURS if beside_heat_map else _HOURS[1:]
    axis = None if beside_heat_map else alt.Axis(title=None)
    return (
        alt.Chart(rows)
        .mark_bar(style="activity")
        .encode(
            x=alt.X("active_followers:Q", title=None, axis=alt.Axis(orient="top", labelExpr=_SHORT, tickCount=2)),
            y=alt.Y("hour:O", scale=alt.Scale(domain=hours), axis=axis),
            tooltip=[alt.Tooltip("hour:O", title="Hour"), _count("active_followers", "Active followers, mean")],
        )
        .properties(width="container", height=_SLOT_HEIGHT * len(hours))
    )


def every_day(days: pl.DataFrame, last: dt.date, *columns: str) -> pl.DataFrame:
    """``date`` and ``columns`` of each of the ``DAYS_SHOWN`` days up to ``last``; a day without a row is null.

    They begin on the first day on which the first of the columns is known.
    """
    shown = days.filter(pl.col("date") > last - dt.timedelta(days=DAYS_SHOWN), pl.col("date") <= last)
    first = shown.filter(pl.col(columns[0]).is_not_null())["date"].min()
    begin = first if isinstance(first, dt.date) else last
    calendar = pl.DataFrame({"date": pl.date_range(begin, last, eager=True)})
    return calendar.join(shown.select("date", *columns), on="date", how="left").sort("date")


def slots(posting: pl.DataFrame) -> pl.DataFrame:
    """One row per cell of the heat map, ``weekday`` and ``hour`` ("All" for all of them), with the text of its tooltip.

    ``strength`` is 0 to 1, null without evidence; ``label`` is the effect, or else the number of videos.
    """
    widest = math.log(_WIDEST_EFFECT)
    rows = []
    for row in posting.sort("weekday", "hour", nulls_last=True).iter_rows(named=True):
        proven = row["evidence"] != "no evidence"
        rows.append(
            {
                "weekday": ALL if row["weekday"] is None else WEEKDAYS[row["weekday"] - 1][:3],
                "hour": ALL if row["hour"] is None else clock(row["hour"]),
                "videos": row["n"],
                "evidence": row["evidence"],
                "strength": min(1.0, abs(math.log(row["effect"])) / widest) if proven else None,
                "label": times(row["effect"]) if proven else count(row["n"]),
                "when": _when(row),
                "effect": f"{times(row['effect'])}: {row['evidence']}" if proven else "no evidence of an effect",
            }
        )
    text = dict.fromkeys(("weekday", "hour", "evidence", "label", "when", "effect"), pl.String)
    return pl.DataFrame(rows, schema_overrides=text | {"videos": pl.Int64, "strength": pl.Float64})


def _when(row: Mapping[str, Any]) -> str:
    weekday = "any weekday" if row["weekday"] is None else WEEKDAYS[row["weekday"] - 1]
    return f"{weekday}, any hour" if row["hour"] is None else f"{weekday}, from {clock(row['hour'])}"


def _marked(shown: pl.DataFrame, anomalies: pl.DataFrame, column: str) -> pl.DataFrame:
    """The days of ``shown`` with an anomaly and a known number: date, number, kind, and sentences."""
    by_day = anomalies.group_by("date").agg(
        kind=pl.when((pl.col("kind") == "data_error").any()).then(pl.lit("data_error")).otherwise(pl.lit("event")),
        sentence=pl.col("sentence").str.join(" "),
    )
    return shown.select("date", column).join(by_day, on="date").filter(pl.col(column).is_not_null()).sort("date")


def _points(marked: pl.DataFrame, column: str, x: alt.X) -> list[alt.Chart]:
    import altair as alt

    tooltip = [_day(), _count(column, "Number"), alt.Tooltip("sentence:N", title="What")]
    return [
        alt.Chart(rows).mark_point(style=style).encode(x=x, y=alt.Y(f"{column}:Q"), tooltip=tooltip)
        for kind, style in (("event", "event"), ("data_error", "error"))
        if not (rows := marked.filter(pl.col("kind") == kind)).is_empty()
    ]


def _unknown(shown: pl.DataFrame, column: str) -> list[alt.Chart]:
    """A band over each run of unknown days; no layer if there is none."""
    import altair as alt

    known = pl.col(column).is_not_null()
    runs = (
        shown.with_columns(run=known.cum_sum())
        .filter(~known)
        .group_by("run", maintain_order=True)
        .agg(first=pl.col("date").min(), last=pl.col("date").max())
        .with_columns(after=pl.col("first").dt.offset_by("-1d"), before=pl.col("last").dt.offset_by("1d"))
        .drop("run")
    )
    if runs.is_empty():
        return []
    tooltip = [alt.Tooltip("first:T", title="Not known from"), alt.Tooltip("last:T", title="to")]
    x = alt.X("after:T", title=None)
    return [alt.Chart(runs).mark_rect(style="unknown").encode(x=x, x2="before:T", tooltip=tooltip)]


def _x(shown: pl.DataFrame) -> alt.X:
    import altair as alt

    form = "%b %Y" if shown.height > _LONG else "%-d %b"
    return alt.X("date:T", title=None, axis=alt.Axis(format=form, labelOverlap=True, tickCount=6, grid=False))


def _day() -> alt.Tooltip:
    import altair as alt

    return alt.Tooltip("date:T", title="Day", format="%A, %-d %B %Y")


def _count(column: str, title: str) -> alt.Tooltip:
    import altair as alt

    return alt.Tooltip(f"{column}:Q", title=title, format=",.0f")
