"""From tables of accounts to one HTML page that opens from disk: styles, scripts and numbers are embedded.

Belongs here: the contents of each section. Does not belong here: the numbers (``facts``), their wording (``words``).

The page's own policy lets the browser run only its scripts and make no network requests (``rendering``).
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from tiktok_assets.curated.audience.clock import disagreements, named_offset
from tiktok_assets.reporting import charts, facts, words
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.songs import PAGE, songs_of_account
from tiktok_assets.reporting.theme import theme

if TYPE_CHECKING:
    from tiktok_assets.reporting.charts import Picture

TOP = 10
_HASHTAGS = 12
_TERRITORIES = 8
_EVENTS = 8
_ERRORS = 12
_EFFECTS = 6


def page(accounts: Sequence[AccountTables], made_at: dt.datetime, front: str = "", period: Period | None = None) -> str:
    """The page of ``accounts``, which all have data, as of ``made_at`` (aware).

    ``front``: the front page beside it; ``period``: the days of the first numbers, by default the last ones.
    """
    sections = [_section(tables, period) for tables in accounts]
    drawn = {name: _spec(chart) for section in sections for name, chart in section.pop("charts").items()}
    return rendered(
        "page.html",
        scripts=[_engine(), text("page.js"), text("csv.js")],
        styles=["page.css"],
        accounts=sections,
        front=front,
        songs_link=PAGE if front else "",
        made_at=made_at,
        specs=_inert(drawn),
        themes=_inert({"light": theme(dark=False), "dark": theme(dark=True)}),
    )


def _section(tables: AccountTables, period: Period | None) -> dict[str, Any]:
    """The template's data for one account."""
    key, last = tables.account.key, facts.last_day(tables.days)
    activity = facts.activity_by_hour(tables.audience)
    drawn: dict[str, Picture] = {}
    if last is not None:
        drawn[f"views-{key}"] = charts.views_over_time(tables.days, tables.anomalies, last)
        if tables.days["followers"].count():
            drawn[f"followers-{key}"] = charts.followers_over_time(tables.days, tables.anomalies, last)
    if tables.posting.height:
        drawn[f"posting-{key}"] = charts.posting_heat_map(tables.posting)
    if activity["days"].sum():
        drawn[f"activity-{key}"] = charts.audience_activity(activity, beside_heat_map=tables.posting.height > 0)
    events, errors = _unusual(tables, last)
    newest = facts.newest_snapshots(tables.videos)
    return {
        "key": key,
        "handle": tables.account.handle,
        "as_of": words.day(last),
        "charts": drawn,
        "has": {name.removesuffix(f"-{key}") for name in drawn},
        "windows": _windows(tables.days, last, period),
        "events": events,
        "posting": _posting(tables),
        "peak": _peak(activity),
        "top": top_videos(newest, TOP),
        "videos_known": newest.height,
        "songs": songs_of_account(key, tables.songs),
        "viral": [_viral(row) for row in tables.viral.head(TOP).to_dicts()],
        "hashtags": _hashtags(tables.hashtags),
        "audience": audience_shares(tables.audience),
        "errors": errors,
        "errors_more": max(0, facts.data_errors(tables.anomalies).height - len(errors)),
        "covered": [
            {
                "report": one.report.replace("_", " "),
                "first": words.short_day(one.first),
                "last": words.short_day(one.last),
                "days": words.count(one.days),
                "missing": words.count(one.missing),
            }
            for one in tables.completeness.covered
        ],
        "to_do": [
            *(sentence for _, _, sentence in disagreements(tables.audience, {key: tables.account.timezone})),
            *tables.completeness.to_do,
        ],
        "lost": tables.completeness.lost,
        "quarantined": [*tables.completeness.quarantined, *tables.completeness.unassigned],
        "doubts": tables.completeness.doubts,
    }


def _windows(days: pl.DataFrame, last: dt.date | None, period: Period | None) -> list[dict[str, Any]]:
    """The numbers of ``period``, or those of the days up to ``last``; none where there is no day."""
    if last is None:
        return []
    if period:
        before = words.span(period.before.first, period.before.last)
        numbers = facts.headlines(days, period.last, period.days, is_fixed=True)
        return [_window(words.span(period.first, period.last), f"against {before}", numbers, period.last)]
    return [
        _window(
            f"Last {length} days",
            f"{words.span(last - dt.timedelta(days=length - 1), last)}, against as many days before",
            facts.headlines(days, last, length),
            last,
        )
        for length in facts.WINDOWS
    ]


def _window(title: str, note: str, numbers: Sequence[Headline], last: dt.date) -> dict[str, Any]:
    return {
        "title": title,
        "note": note,
        "numbers": [
            {
                "name": one.name,
                "value": words.value_of(one),
                "change": (change := words.change_of(one)),
                "direction": words.direction_of(change),
                "before": words.before_of(one),
                "at": words.until_of(one) if one.at != last else "",
            }
            for one in numbers
        ],
    }


def _unusual(tables: AccountTables, last: dt.date | None) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    events = facts.recent_events(tables.anomalies, last) if last else tables.anomalies.clear()
    errors = facts.data_errors(tables.anomalies)
    return (
        [{"day": words.short_day(row["date"]), "text": row["sentence"]} for row in events.head(_EVENTS).to_dicts()],
        [{"day": words.short_day(row["date"]), "text": row["sentence"]} for row in errors.head(_ERRORS).to_dicts()],
    )


def _posting(tables: AccountTables) -> dict[str, Any]:
    """What is known about the time of posting, and what to do if nothing is."""
    key, posting = tables.account.key, tables.posting
    if tables.account.timezone is None:
        setting = 'timezone = "Europe/Lisbon"'
        offset = named_offset(tables.audience)
        where = f"where it posts from; its exports are made at {offset}" if offset else "where it posts from"
        note = (
            f"The hour of publication is not known, because accounts.toml has no timezone for {key}. Write {setting} "
            f"({where}) below [accounts.{key}], then run tiktok-assets rebuild."
        )
        return {"note": note, "effects": [], "zone": None}
    if posting.is_empty():
        return {
            "note": "No video with a known hour of publication yet.",
            "effects": [],
            "zone": tables.account.timezone,
        }
    proven = posting.filter(pl.col("evidence") != "no evidence").sort(pl.col("effect").log().abs(), descending=True)
    videos = int(posting.filter(pl.col("hour").is_null())["n"].sum())
    note = f"Of {words.count(videos)} videos of the last 12 months, each against the account's others at equal age."
    if proven.is_empty():
        note = (
            f"No evidence that a weekday or an hour gets more views than another: the {words.count(videos)} videos of "
            "the last 12 months are too few or too similar to show one."
        )
    effects = [
        f"{words.slot(row)}: {words.effect(row)} the views of other videos, {row['n']} videos"
        for row in proven.head(_EFFECTS).to_dicts()
    ]
    return {"note": note, "effects": effects, "zone": tables.account.timezone}


def _peak(activity: pl.DataFrame) -> str:
    known = activity.drop_nulls("active_followers").sort("active_followers", descending=True)
    if known.is_empty():
        return ""
    row = known.row(0, named=True)
    days = activity["days"].max()
    most = words.count(row["active_followers"])
    return (
        f"Most are active from {words.clock(row['hour'])} on: {most} on average, over the last {days} days with data."
    )


def top_videos(newest: pl.DataFrame, most: int) -> list[dict[str, str]]:
    """The first ``most`` of ``facts.newest_snapshots``, in words."""
    return [_video(row) for row in newest.head(most).with_columns(rate=facts.engagement_rate_of_video()).to_dicts()]


def _video(row: dict[str, Any]) -> dict[str, str]:
    posted = row["post_date"] or (row["published_at"].date() if row["published_at"] else None)
    return {
        "title": row["title"] or "(no caption)",
        "link": words.address(row["link"]),
        "posted": words.short_day(posted),
        "views": words.count(row["total_views"]),
        "rate": words.percent(row["rate"]),
        "watched": words.seconds(row["average_watch_time"]),
    }


def _viral(row: dict[str, Any]) -> dict[str, str]:
    return {
        "title": row["title"] or "(no caption)",
        "link": words.address(row["link"]),
        "found": words.short_day(row["date"]),
        "views": words.count(row["total_views"]),
        "why": words.why_viral(row),
    }


def _hashtags(hashtags: pl.DataFrame) -> list[dict[str, str]]:
    proven = pl.col("evidence") != "no evidence"
    rows = hashtags.sort([proven, pl.col("effect"), pl.col("n")], descending=True, nulls_last=True).head(_HASHTAGS)
    return [
        {
            "name": f"#{row['hashtag']}",
            "videos": words.count(row["n"]),
            "effect": words.effect(row) if row["effect"] is not None else words.UNKNOWN,
            "evidence": row["evidence"],
            "direction": {"more views": "up", "fewer views": "down"}.get(row["evidence"], "faint"),
        }
        for row in rows.to_dicts()
    ]


def audience_shares(audience: pl.DataFrame) -> list[dict[str, Any]]:
    """The shares by group, each with its day; groups without data are left out."""
    groups = [
        ("Followers by gender", "followers", "gender"),
        ("Followers by age", "followers", "age_range"),
        ("Viewers by age", "viewers", "age_range"),
        ("Followers by territory", "followers", "territory"),
    ]
    found = []
    for title, whose, dimension in groups:
        shares = facts.newest_shares(audience, whose, dimension)
        if shares.is_empty():
            continue
        most = shares["share"].max()
        rows = [
            {
                "name": _territory(row["value"]) if dimension == "territory" else row["value"],
                "share": words.percent(row["share"]),
                "width": f"{100 * row['share'] / most:.1f}%" if isinstance(most, float) and most > 0 else "0%",
            }
            for row in shares.head(_TERRITORIES).to_dicts()
        ]
        found.append({"title": title, "day": words.short_day(shares["date"][0]), "rows": rows})
    return found


@functools.cache
def _territory(code: str) -> str:
    from babel import Locale

    return str(Locale("en").territories.get(code, code))


def _spec(chart: Picture) -> dict[str, Any]:
    """Vega-Lite without web addresses and colours."""
    spec = chart.to_dict()
    return {name: value for name, value in spec.items() if name not in ("$schema", "config")}


def _inert(data: object) -> str:
    """JSON that cannot close a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@functools.cache
def _engine() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script: 0.9 MB, and 1.4 s to build."""
    import altair
    import vl_convert

    version = ".".join(altair.VEGALITE_VERSION.split(".")[:2])
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", version).replace("\r\n", "\n")
