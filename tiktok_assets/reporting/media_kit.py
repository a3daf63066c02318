"""The media kit: one dated page about an account for partners, with the numbers its owner chose and no others.

Belongs here: what may be shown. Does not belong here: the numbers (``facts``), their wording (``words``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from tiktok_assets.reporting import facts, words
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.choices import Part
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.page import audience_shares, top_videos
from tiktok_assets.reporting.rendering import rendered

DAYS = 28
"""Days of the numbers, up to the newest one with views."""
_POSTS = 3

_FIGURES = {
    Part.FOLLOWERS: "Followers",
    Part.VIEWS: "Video views",
    Part.VIEWERS: "Viewers a day",
    Part.ENGAGEMENT: "Engagement rate",
}


def media_kit(tables: AccountTables, parts: Sequence[Part], made_at: dt.datetime) -> str:
    """The page of an account that has data, with ``parts`` alone, as of ``made_at`` (aware)."""
    last = facts.last_day(tables.days)
    figures = {one.name: one for one in facts.headlines(tables.days, last, DAYS)} if last else {}
    newest = facts.newest_snapshots(tables.videos)
    return rendered(
        "media_kit.html",
        scripts=[],
        styles=["page.css", "statement.css"],
        made_at=made_at,
        handle=tables.account.handle,
        dated=words.day(made_at.date()),
        span=words.span(last - dt.timedelta(days=DAYS - 1), last) if last else words.UNKNOWN,
        figures=[_figure(figures.get(name), name) for part, name in _FIGURES.items() if part in parts],
        videos=top_videos(newest, _POSTS) if Part.VIDEOS in parts else [],
        audience=audience_shares(tables.audience) if Part.AUDIENCE in parts else [],
    )


def _figure(one: Headline | None, name: str) -> dict[str, Any]:
    if one is None:
        return {"name": name, "value": words.UNKNOWN, "note": ""}
    is_partial = one.kind != "stock" and one.days_known < one.days
    note = f"{one.days_known} of {one.days} days known" if is_partial else words.until_of(one)
    return {"name": one.name, "value": words.value_of(one), "note": note}
