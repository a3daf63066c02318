"""The days, months and years that a person writes into the name of a file.

Belongs here: what such text can mean, and whether the rows of the file agree. Does not belong here: Studio's own names
(``names``), the year of the rows (``years``).

A full date is evidence. A month with a year, or "Dec 24", which is a day or a month of 2024, can only confirm or
contradict a year from other evidence. A lone year, which is that of the window or of the download, can only contradict.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from babel import Locale

from tiktok_assets.exports.months import months_between
from tiktok_assets.exports.numeric_dates import gregorian

_LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "sv", "da", "pl", "id", "tr")
_YEARS = range(2016, 2100)
# A file saved in the weeks after its last row may be named for those weeks.
_NAMED_AFTER = dt.timedelta(days=45)

_ISO = re.compile(
    r"(?<![0-9])(\d{4})([-_.])(\d{1,2})\2(\d{1,2})(?![0-9])"
    r"|(?<![0-9A-Za-z._])(20\d{2})(\d{2})(\d{2})(?![0-9A-Za-z])"
)
_DAY_FIRST = re.compile(r"(?<![0-9A-Za-z])(\d{1,2})([-_.])(\d{1,2})\2(\d{4})(?![0-9])")
_WORDS = re.compile(
    r"(?<![^\W_])(?:(?P<before>\d{1,2})\.?[\s_-]*(?:de )?)?(?P<month>[^\W\d_]{3,})\.?[\s_-]*(?:de )?"
    r"(?:(?P<after>\d{1,2})(?:st|nd|rd|th)?[\s,_-]+)?(?P<year>\d{4}|\d{2})(?![0-9])",
    re.IGNORECASE,
)
_MONTH = re.compile(r"(?<![0-9A-Za-z._])(20\d{2})[-_.](0[1-9]|1[0-2])(?![0-9])")
_YEAR = re.compile(r"(?<![0-9A-Za-z._])(20\d{2})(?![0-9A-Za-z])")


@dataclass(frozen=True, kw_only=True)
class NameDates:
    """``days``: full dates. ``months``: (year, month). ``hints``: (month, number), a day or a year of two digits."""

    days: tuple[dt.date, ...] = ()
    months: tuple[tuple[int, int], ...] = ()
    years: tuple[int, ...] = ()
    hints: tuple[tuple[int, int], ...] = ()

    def confirms(self, last: dt.date) -> bool:
        """Whether the name gives the year of a window that ends with the day ``last``."""
        near = {(day.year, day.month) for day in (last, last + _NAMED_AFTER)}
        months = {*self.months, *((2000 + number, month) for month, number in self.hints)}
        return bool(near & months)

    def contradiction(self, dates: Sequence[dt.date], downloaded: dt.date, by: str) -> str | None:
        """A sentence if the name gives another time than ``dates``, which ascend; None otherwise.

        ``downloaded``: a lone year may be that of the download. ``by``: what ``dates`` rest on.
        """
        first, last = dates[0], dates[-1]
        shown = {(month.year, month.month) for month in months_between(first, last + _NAMED_AFTER)}
        days = {(date.month, date.day) for date in dates}
        named: list[tuple[str, bool]] = [
            (f"{calendar.month_name[month]} {year}", (year, month) in shown) for year, month in self.months
        ]
        years = {downloaded.year, *(year for year, _ in shown)}
        named += [(str(year), year in years) for year in self.years]
        named += [
            (f"{calendar.month_abbr[month]} {number}", (month, number) in days or (2000 + number, month) in shown)
            for month, number in self.hints
        ]
        wrong = [text for text, fits in named if not fits]
        if not wrong or any(fits for _, fits in named):
            return None
        return (
            f"its name says {', '.join(wrong)}, but by {by} its rows are {first} to {last}. Use "
            "Studio's original name, or put a full date of its window (YYYY-MM-DD) into the name."
        )


NO_DATES = NameDates()


def read_dates(text: str) -> tuple[NameDates, str]:
    """The dates in a name without its file type, and the name with each of them replaced by "|"."""
    days = [*_full_dates(text)]
    for form in (_ISO, _DAY_FIRST):
        text = form.sub("|", text)
    bare, months, hints = text, list[tuple[int, int]](), list[tuple[int, int]]()
    for match in _WORDS.finditer(text):
        month, year = _month_names().get(match["month"].casefold()), match["year"]
        if month is None:
            continue
        day = match["before"] or match["after"]
        if len(year) == 2:
            hints += [(month, int(year))] if day is None else []
        elif day and (date := _date(int(year), month, int(day))):
            days.append(date)
        elif day is None:
            months.append((int(year), month))
        bare = bare.replace(match[0], "|")
    months += [(int(year), int(month)) for year, month in _MONTH.findall(bare)]
    bare = _MONTH.sub("|", bare)
    years = [int(year) for year in _YEAR.findall(bare) if int(year) in _YEARS]
    found = NameDates(days=tuple(days), months=tuple(months), years=tuple(years), hints=tuple(hints))
    return found, _YEAR.sub("|", bare)


def _full_dates(text: str) -> Iterator[dt.date]:
    for year, _, month, day, packed_year, packed_month, packed_day in _ISO.findall(text):
        found = _date(int(year or packed_year), int(month or packed_month), int(day or packed_day))
        if found:
            yield found
    for first, separator, second, year in _DAY_FIRST.findall(text):
        readings = {_date(int(year), int(second), int(first))}
        if separator != ".":
            readings.add(_date(int(year), int(first), int(second)))
        known = [date for date in readings if date]
        if len(known) == 1:  # 4-12-2025 has two
            yield known[0]


def _date(year: int, month: int, day: int) -> dt.date | None:
    year = gregorian(year)
    try:
        return dt.date(year, month, day) if year in _YEARS else None
    except ValueError:
        return None


@cache
def _month_names() -> dict[str, int]:
    """Full and abbreviated names of months in the languages that file names are likely to be in."""
    names: dict[str, int] = {}
    for language in _LANGUAGES:
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for month, name in months[context][width].items():
                    names.setdefault(name.casefold().rstrip("."), month)
    return names
