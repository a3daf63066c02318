"""Numbers, days and effects, formatted for people. Unknown is a dash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from tiktok_assets.reporting.facts import Headline

UNKNOWN = "—"
NO_CHANGE = "no change"
MANY_TIMES = 10
"""From this factor on, growth is written as a factor: over a small number a percentage is meaningless."""
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def count(value: float | None) -> str:
    """``12,345``."""
    return UNKNOWN if value is None else f"{value:,.0f}".replace("-", "−")


def between(low: int | None, value: int | None, high: int | None) -> str:
    """``12,300``, ``about 13,000 (12,300 to 15,000)``, ``at least 12,300``: a number that is known within bounds."""
    if low is None:
        return UNKNOWN
    if high is None:
        return f"at least {count(low)}"
    if low == high:
        return count(low)
    span = f"{count(low)} to {count(high)}"
    return span if value is None else f"about {count(value)} ({span})"


def counted(number: int, one: str) -> str:
    """``1 account``, ``1,200 accounts``."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def address(link: str | None) -> str:
    """The address of a video; empty if it is not a web address."""
    return link if link and link.startswith("https://") else ""


def percent(value: float | None, digits: int = 1) -> str:
    """``4.2%``."""
    return UNKNOWN if value is None else f"{value:.{digits}%}".replace("-", "−")


def times(value: float | None) -> str:
    """``1.5×``."""
    return UNKNOWN if value is None else f"{value:,.0f}×" if value >= 100 else f"{value:.1f}×"


def seconds(value: float | None) -> str:
    """``7.4 s``."""
    return UNKNOWN if value is None else f"{value:.1f} s"


def day(value: dt.date | None) -> str:
    """``30 November 2025``."""
    return UNKNOWN if value is None else f"{value.day} {value:%B %Y}"


def short_day(value: dt.date | None) -> str:
    """``30 Nov 2025``."""
    return UNKNOWN if value is None else f"{value.day} {value:%b %Y}"


def span(first: dt.date, last: dt.date) -> str:
    """``3 to 30 November 2025``, ``27 October to 23 November 2025``."""
    if first == last:
        return day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {day(last)}"
    return f"{first.day} {first:%B} to {day(last)}" if first.year == last.year else f"{day(first)} to {day(last)}"


def clock(hour: int) -> str:
    """``07:00``."""
    return f"{hour:02}:00"


def value_of(headline: Headline) -> str:
    """The number itself."""
    return percent(headline.value) if headline.kind == "rate" else count(headline.value)


def change_of(headline: Headline) -> str:
    """``+12%``, ``302×`` of a small number, ``+0.3 points``, or a dash if it is unknown.

    It is the change between the two figures as they are printed: rates to 0.1%, other numbers whole.
    """
    if headline.change is None or headline.value is None or headline.before is None:
        return UNKNOWN
    if headline.kind == "rate":
        points = round(100 * headline.value, 1) - round(100 * headline.before, 1)
        return _signed(f"{points:+.1f} points", is_zero=round(points, 1) == 0)
    value, before = round(headline.value), round(headline.before)
    if value == before:
        return NO_CHANGE
    if before == 0:
        return UNKNOWN
    change = value / before - 1
    if headline.kind == "stock" and change < MANY_TIMES - 1:
        return _signed(f"{value - before:+,} ({_percentage(change)})")
    return growth(change)


def growth(change: float) -> str:
    """``+12%``, ``+0.4%``, ``302×``; ``no change`` is none at all."""
    if change >= MANY_TIMES - 1:
        return f"{change + 1:,.0f}×"
    return _signed(_percentage(change, least_digits=0), is_zero=change == 0)


def direction_of(change: str) -> str:
    """``up``, ``down``, or nothing: which way a change goes that is written as above."""
    return "up" if change.startswith("+") or change.endswith("×") else "down" if change.startswith("−") else ""


def _percentage(change: float, *, least_digits: int = 1) -> str:
    """As many digits as it takes to be more than nothing, up to two; what is smaller is ``+<0.01%``."""
    for digits in range(least_digits, 3):
        if round(100 * change, digits):
            return f"{change:+.{digits}%}"
    return f"{'+' if change > 0 else '-'}<0.01%"


def _signed(text: str, *, is_zero: bool = False) -> str:
    return NO_CHANGE if is_zero else text.replace("-", "−")


def before_of(headline: Headline) -> str:
    """``from 11,002``, or how many days are known."""
    known = f"{headline.days_known} of {headline.days} days known"
    if headline.kind == "stock" and headline.value is None:
        return f"no export contains them for the last {headline.days} days"
    if headline.days_known < headline.days and headline.kind != "stock":
        return known
    before = percent(headline.before) if headline.kind == "rate" else count(headline.before)
    return f"from {before}" if headline.before is not None else "the days before are not known"


def until_of(headline: Headline) -> str:
    """``on 12 March 2026``, ``up to 12 March 2026``: the day of a number, or the last one."""
    return f"{'up to' if headline.kind == 'mean' else 'on'} {day(headline.at)}" if headline.at else ""


def effect(row: Mapping[str, Any]) -> str:
    """``1.5× (1.1 to 2.0)``."""
    return f"{times(row['effect'])} ({row['effect_low']:.1f} to {row['effect_high']:.1f})"


def why_viral(row: Mapping[str, Any]) -> str:
    """``7.1× the views a day it had before``: the rules that a video met, of a row of ``ViralMetrics``."""
    reasons = []
    if row["reason"] in ("daily_growth", "both"):
        reasons.append(f"{times(row['daily_growth'])} the views a day it had before")
    if row["reason"] in ("views_vs_median", "both"):
        reasons.append(f"{times(row['views_vs_median'])} the account's other videos of its age")
    return ", ".join(reasons).replace(f"{UNKNOWN} the", "far above the")


def slot(row: Mapping[str, Any]) -> str:
    """The time: ``Fridays``, ``18:00 to 19:00``, or both."""
    weekday = f"{WEEKDAYS[row['weekday'] - 1]}s" if row["weekday"] is not None else ""
    hour = f"{clock(row['hour'])} to {clock((row['hour'] + 1) % 24)}" if row["hour"] is not None else ""
    return ", ".join(part for part in (weekday, hour) if part)
