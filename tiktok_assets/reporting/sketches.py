"""Sketches for Dagster's UI: a chart and a small table, short enough for Dagster to show without a click.

Belongs here: rendering a table's rows as Markdown with an image. Does not belong here: Dagster, the page.

Dagster 1.13 shows Markdown metadata directly below 1,000 characters and behind a button above; an image may be a data
URL. The metadata is stored again with every partition of a run. Both call for an image of about 700 bytes, which no
chart library writes. Drawn directly it costs 1 ms; Altair and vl-convert would cost a run 1.1 s to import and start.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

import polars as pl

from tiktok_assets.curated.measures import ENGAGEMENTS
from tiktok_assets.exports.long_frames import Rows
from tiktok_assets.reporting import facts, words

MOST = 999
"""The most characters that Dagster shows directly."""
_DAYS = 90
_SNAPSHOT_DAYS = 28
_WIDTH, _HEIGHT = 360, 56
_TITLE = 24
_BARS = 30
# Readable on white and on Dagster's dark background.
_BLUE, _TEAL, _ORANGE, _GREY = "#3b82d6", "#1098ad", "#e8590c", "#9a9aa5"


def sketch(table: str, rows: Rows) -> str | None:
    """Markdown of the rows of a curated ``table`` (one of ``SKETCHES``): of the account with the most.

    None if there is nothing to draw.
    """
    accounts = rows.lazy().group_by("account").len().sort("len", "account", descending=[True, False]).collect()
    if accounts.is_empty():
        return None
    account = accounts["account"][0]
    more = f" (of {accounts.height} accounts)" if accounts.height > 1 else ""
    return SKETCHES[table](rows.filter(pl.col("account") == account), f"{account}{more}")


def _days(rows: pl.DataFrame, title: str) -> str | None:
    """Views of the last days as a line, and the sums of a week and of four."""
    last = facts.last_day(rows)
    if last is None:
        return None
    counted = rows.with_columns(engagements=ENGAGEMENTS)
    week, month = ({one.name: one for one in facts.headlines(counted, last, days)} for days in (7, 28))
    known = rows.filter(pl.col("video_views").is_not_null())["date"]
    first = max(last - dt.timedelta(days=_DAYS - 1), min(known, default=last))
    calendar = pl.DataFrame({"date": pl.date_range(first, last, eager=True)})
    views = calendar.join(rows.select("date", "video_views"), on="date", how="left").sort("date")["video_views"]
    lines = [
        f"| {title} | 7 days | | 28 days | |",
        "|---|--:|--:|--:|--:|",
        *(
            f"| {name} | {words.value_of(week[name])} | {words.change_of(week[name])} "
            f"| {words.value_of(month[name])} | {words.change_of(month[name])} |"
            for name in ("Video views", "Engagements", "Followers")
        ),
        "",
        f"Views a day, {words.span(first, last)}",
    ]
    return _fitting(views.to_list(), _line, "\n".join(lines))


def _videos(rows: Rows, title: str) -> str | None:
    """Views of the newest videos as bars in the order of their posts, and the three with most views."""
    since = pl.col("date") > pl.col("date").max().dt.offset_by(f"-{_SNAPSHOT_DAYS}d")
    newest = rows.lazy().filter(pl.col("total_views").is_not_null()).filter(since)
    days, count = newest.select(pl.col("date").n_unique(), count=pl.len()).collect().row(0)
    if count == 0:
        return None
    if days > 1:  # a list of 900,000 videos is one snapshot, and this would take it 1 s
        newest = newest.sort("date").unique("video_id", keep="last")
        count = newest.select(pl.len()).collect().item()
    posted_at = pl.coalesce("published_at", pl.col("post_date").cast(pl.Datetime("us", "UTC")))
    recent = newest.select("video_id", "total_views", posted_at=posted_at).top_k(_BARS, by="posted_at").collect()
    top = newest.select("total_views", "video_id", "title").top_k(3, by=["total_views", "video_id"]).collect()
    lines = [
        f"| {title} | views |",
        "|---|--:|",
        *(
            f"| {_plain(row['title'] or row['video_id'])} | {words.count(row['total_views'])} |"
            for row in top.sort("total_views", "video_id", descending=True).to_dicts()
        ),
        "",
        f"Views of the newest of {words.count(count)} videos, oldest first",
    ]
    return _fitting(recent.sort("posted_at", "video_id")["total_views"].to_list(), _bars, "\n".join(lines))


def _posting(rows: pl.DataFrame, title: str) -> str | None:
    """Hours across, weekdays down: where there is evidence, and where there are only videos. The newest month."""
    newest = rows.filter(pl.col("date") == pl.col("date").max())
    proven = newest.filter(pl.col("evidence") != "no evidence").sort(pl.col("effect").log().abs(), descending=True)
    lines = [f"| {title} | views | videos |", "|---|--:|--:|"]
    lines += [f"| {words.slot(row)} | {words.effect(row)} | {row['n']} |" for row in proven.head(3).to_dicts()]
    if proven.is_empty():
        lines.append("| no evidence of an effect | | |")
    cells = newest.filter(pl.col("weekday").is_not_null(), pl.col("hour").is_not_null())
    image = _image(_heat_map(cells), 24, 7, scale=14)
    return _markdown(image, "\n".join([*lines, "", "Hours 0 to 23 across, Monday to Sunday down; grey: no evidence"]))


SKETCHES: Mapping[str, Callable[[Any, str], str | None]] = {
    "account_daily": _days,
    "videos": _videos,
    "posting_times": _posting,
}


def _fitting(values: Sequence[float | None], draw: Callable[[Sequence[float | None]], str], text: str) -> str:
    """The Markdown with ``values`` drawn; pairs of them are averaged until it is short enough."""
    while _length(markdown := _markdown(_image(draw(values), _WIDTH, _HEIGHT), text)) > MOST and len(values) > 1:
        pairs = [values[start : start + 2] for start in range(0, len(values), 2)]
        values = [None if None in pair else sum(pair) / len(pair) for pair in pairs]  # pyright: ignore[reportArgumentType, reportCallIssue]
    return markdown


def _line(values: Sequence[float | None]) -> str:
    """A path through the known values, broken at unknown ones."""
    highest = max((value for value in values if value is not None), default=0) or 1
    step = max(1, _WIDTH // max(1, len(values) - 1))
    path, at = "", None
    for index, value in enumerate(values):
        if value is None:
            at = None
            continue
        x, y = index * step, round(_HEIGHT - max(0.0, value) / highest * (_HEIGHT - 2)) - 1
        path += f"M{x} {y}h1" if at is None else f"l{x - at[0]}{_next(y - at[1])}"
        at = (x + 1, y) if at is None else (x, y)
    return f"<path d='{path}' fill='none' stroke='{_BLUE}' stroke-width='2'/>"


def _bars(values: Sequence[float | None]) -> str:
    highest = max((value for value in values if value is not None), default=0) or 1
    step = _WIDTH // max(1, len(values))
    heights = [max(1, round(max(0.0, value or 0.0) / highest * _HEIGHT)) for value in values]
    path = "".join(f"M{index * step + step // 2} {_HEIGHT}v-{height}" for index, height in enumerate(heights))
    return f"<path d='{path}' stroke='{_BLUE}' stroke-width='{max(1, step - 3)}'/>"


def _heat_map(cells: pl.DataFrame) -> str:
    colours = {"no evidence": _GREY, "more views": _TEAL, "fewer views": _ORANGE}
    strokes = []
    for evidence, colour in colours.items():
        rows = cells.filter(pl.col("evidence") == evidence).sort("weekday", "hour")
        slots = rows.select("weekday", "hour").rows()
        # Neighbouring hours of a weekday, with the same difference of hour and index, are one stroke.
        runs = [list(run) for _, run in groupby(enumerate(slots), lambda at: (at[1][0], at[1][1] - at[0]))]
        path = "".join(f"M{run[0][1][1]} {run[0][1][0] - 0.5}h{len(run)}" for run in runs)
        if path:
            strokes.append(f"<path d='{path}' stroke='{colour}' stroke-width='.9'/>")
    return "".join(strokes)


def _next(step: int) -> str:
    return str(step) if step < 0 else f" {step}"


def _image(content: str, width: int, height: int, scale: int = 1) -> str:
    """An SVG as a data URL, as short as possible: only the characters that would end the URL are escaped."""
    size = f"width='{width * scale}' height='{height * scale}' viewBox='0 0 {width} {height}'"
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{content}</svg>"
    return f"data:image/svg+xml,{quote(svg, safe=' =:/.;,-' + chr(39))}"


def _markdown(image: str, text: str) -> str:
    return f"![chart](<{image}>)\n\n{text}"


def _length(text: str) -> int:
    """As a browser counts it."""
    return len(text.encode("utf-16-le")) // 2


def _plain(title: str) -> str:
    """The start of a title with nothing that Markdown or a table would take for its own."""
    kept = "".join(" " if character in "|\\`*_[]<>#~!&\r\n" else character for character in title)
    short = " ".join(kept.split())
    return short if len(short) <= _TITLE else f"{short[: _TITLE - 1].rstrip()}…"
