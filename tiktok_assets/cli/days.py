"""How a day is written on the command line. Does not belong here: moments (``as-of`` has its own)."""

from __future__ import annotations

import datetime as dt
import re

import typer


def day_of(text: str) -> dt.date:
    """The day that ``text`` names, as 2026-03-16; for ``parser`` of an argument or option."""
    written = text.strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", written):
        try:
            return dt.date.fromisoformat(written)
        except ValueError:
            raise typer.BadParameter(f"there is no day {written} in the calendar.") from None
    raise typer.BadParameter(f"{text!r} is not a day. Write year-month-day, for example 2026-03-16.")
