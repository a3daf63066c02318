"""How a day, and a period, is written on the command line. Does not belong here: moments (``as-of`` has its own)."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tiktok_assets.reporting.period import Period


def day_of(text: str) -> dt.date:
    """The day that ``text`` names, as 2026-03-16; for ``parser`` of an argument or option."""
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
        try:
            return dt.date.fromisoformat(written)
        except ValueError:
            raise typer.BadParameter(f"there is no day {written} in the calendar.") from None
    raise typer.BadParameter(f"{text!r} is not a day. Write year-month-day, for example 2026-03-16.")


FirstDay = Annotated[dt.date | None, typer.Option("--from", help="First day, with --to.", parser=day_of, metavar="DAY")]
LastDay = Annotated[dt.date | None, typer.Option("--to", help="Last day, with --from.", parser=day_of, metavar="DAY")]


def period_of(first: dt.date | None, last: dt.date | None) -> Period | None:
    """The days from ``first`` to ``last``; None if neither is given. What is no period is refused."""
    if first is None and last is None:
        return None
    if first is None or last is None:
        raise typer.BadParameter("Give both --from and --to, or neither.", param_hint="--to" if first else "--from")
    return period_from(first, last)


def period_from(first: dt.date, last: dt.date) -> Period:
    """The days from ``first`` to ``last``, if there can be such."""
    from tiktok_assets.reporting.period import Period
    from tiktok_assets.settings import FIRST_MONTH_OF_TIKTOK

    if last < first:
        raise typer.BadParameter("The last day is before the first one.", param_hint="--to")
    if first < FIRST_MONTH_OF_TIKTOK:
        raise typer.BadParameter(f"TikTok has no data before {FIRST_MONTH_OF_TIKTOK}.", param_hint="--from")
    return Period(first, last)
