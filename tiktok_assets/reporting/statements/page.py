"""A statement of one account as a page: from its numbers to HTML.

Does not belong here: what the numbers are (``month``), several accounts (``client_page``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from tiktok_assets.reporting import words
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.rendering import rendered, text
from tiktok_assets.reporting.statements.month import last_of
from tiktok_assets.reporting.statements.statement import Correction, MonthNumbers, Post, Statement

_WIDTH, _HEIGHT = 700, 120  # of the drawing of the days
_NAMES = {
    "video_views": "Video views",
    "likes": "Likes",
    "comments": "Comments",
    "shares": "Shares",
    "unique_viewers": "Viewers",
    "profile_views": "Profile views",
    "followers": "Followers",
}
_SHORT_ID = 12
RATES = ("Engagement rate",)
"""The figures that are no counts."""


def statement_page(statement: Statement, corrected: Statement | None, corrections: Sequence[Correction]) -> str:
    """The page of a statement. ``corrected``: the one before it, and what differs from that."""
    (of_account,) = statement.accounts
    numbers, last = of_account.numbers, last_of(statement.month)
    return rendered(
        "statement.html",
        scripts=[text("csv.js")],
        styles=["page.css", "statement.css"],
        made_at=statement.issued_at,
        **heading(statement),
        handle=of_account.handle,
        figures=[_figure(Headline(**one.model_dump()), last) for one in numbers.figures],
        state=_state(numbers, last.day),
        bars=_bars(numbers, last),
        most=_most(numbers),
        days=[_day(numbers, last.replace(day=number)) for number in range(1, last.day + 1)],
        columns=list(_NAMES.values()),
        posts=[shown_post(one) for one in numbers.posts],
        **correcting(corrected),
        corrections=[correction(one) for one in corrections],
        exports=short_ids(numbers.exports),
    )


def heading(statement: Statement) -> dict[str, str]:
    """What every statement's page has, whoever it is about."""
    return {
        "name": statement.name,
        "month": f"{statement.month:%B %Y}",
        "issued": words.day(statement.issued_at.date()),
    }


def _figure(one: Headline, last: dt.date) -> dict[str, str]:
    return {
        "name": one.name,
        "value": words.value_of(one),
        "change": "" if one.change is None else words.change_of(one),
        "direction": words.direction_of(words.change_of(one)),
        "before": words.before_of(one),
        "at": words.until_of(one) if one.at != last else "",
    }


def _state(numbers: MonthNumbers, days: int) -> list[str]:
    """What a reader has to know about the numbers, as sentences."""
    missing = days - numbers.days_known
    found = []
    if missing:
        found.append(
            f"Views are known of {numbers.days_known} of {days} days. Sums are over the known days only: what the "
            f"other {words.counted(missing, 'day')} had is not known."
        )
    if provisional := numbers.provisional:
        span = words.span(min(provisional), max(provisional))
        found.append(f"{words.counted(len(provisional), 'day')} ({span}) may still be changed by TikTok.")
    return found or ["Every day is known and final: TikTok no longer changes these numbers."]


def _most(numbers: MonthNumbers) -> str:
    known = [(day.video_views, day.date) for day in numbers.days if day.video_views is not None]
    views, date = max(known, key=lambda one: one[0], default=(None, None))
    return f"Most on {words.day(date)}: {words.count(views)}." if known else ""


def _bars(numbers: MonthNumbers, last: dt.date) -> list[dict[str, Any]]:
    """A bar for each day of the month, from 0 up; an unknown day is marked, not drawn as 0."""
    views = {day.date.day: day for day in numbers.days}
    most = max((day.video_views or 0 for day in numbers.days), default=0) or 1
    step = _WIDTH / last.day
    bars = []
    for number in range(1, last.day + 1):
        day = views.get(number)
        value = day.video_views if day else None
        height = _HEIGHT if value is None else max(1.0, max(value, 0) / most * _HEIGHT)
        kind = "unknown" if value is None or day is None else "final" if day.is_settled else "provisional"
        bars.append(
            {
                "x": f"{(number - 1) * step + 2:.1f}",
                "y": f"{_HEIGHT - height:.1f}",
                "width": f"{step - 4:.1f}",
                "height": f"{height:.1f}",
                "kind": kind,
                "title": f"{number}: {words.count(value)}",
            }
        )
    return bars


def _day(numbers: MonthNumbers, date: dt.date) -> dict[str, Any]:
    day = next((one for one in numbers.days if one.date == date), None)
    counts = [words.count(getattr(day, column) if day else None) for column in _NAMES]
    return {"day": words.short_day(date), "counts": counts, "is_provisional": date in numbers.provisional}


def shown_post(one: Post) -> dict[str, str]:
    """A video of the month."""
    return {
        "title": one.title or "(no caption)",
        "link": words.address(one.link),
        "views": words.count(one.views),
        "counted": words.short_day(one.counted),
    }


def correcting(corrected: Statement | None) -> dict[str, str]:
    """The statement that is corrected, and the day of its issue; nothing where none is."""
    return {
        "corrected": corrected.name if corrected else "",
        "corrected_on": words.day(corrected.issued_at.date()) if corrected else "",
    }


def correction(one: Correction) -> dict[str, str]:
    """A line of the list of corrections."""
    write = words.percent if one.name in RATES else words.count
    return {
        "day": words.short_day(one.date) if one.date else "the month",
        "name": one.name if one.date is None else _NAMES[one.name],
        "was": write(one.was),
        "now": write(one.now),
    }


def short_ids(exports: Iterable[str]) -> list[str]:
    """Enough of each export's sha256 to find it."""
    return [one[:_SHORT_ID] for one in exports]
