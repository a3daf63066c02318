"""Studio's calendar: two fields that cannot be typed into, and one month whose days are clicked.

Belongs here: from a window of days to clicks, in any language of the interface. Does not belong here: what a click on
"Download" does (``pages``).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.dates import get_month_names

from tiktok_assets.exports.dates import SPELLED_MONTHS
from tiktok_assets.exports.windows import SURELY_THERE, Window
from tiktok_assets.failures import DataNotThere, UiChanged
from tiktok_assets.studio.selectors import Selectors

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# Studio goes back a year, a simulated account somewhat more. Beyond this, the arrows do something else.
_MOST_MONTHS = 240


@dataclass(frozen=True, kw_only=True)
class Picker:
    """The open calendar of one page. ``where``: account and section; every message begins with it."""

    page: Page
    selectors: Selectors
    seconds: float
    where: str

    def pick(self, window: Window, now: dt.datetime) -> Window:
        """Click the first and the last day of ``window``. Returns what was picked, which is less where Studio has less.

        Raises DataNotThere if Studio has none of these days yet.
        """
        newest = self._newest()
        if newest < window.first:
            there = dt.datetime.combine(window.first, dt.time(), dt.UTC) + SURELY_THERE
            retry_at = max(there, now + dt.timedelta(hours=1))
            raise DataNotThere(
                f"{self.where}: Studio has no data for {window} yet, its calendar ends on {newest}. It may be "
                f"requested again at {retry_at:%Y-%m-%d %H:%M} UTC.",
                retry_at,
            )
        last = min(window.last, newest)
        first = self._pick_day("start_date", window.first, last)
        picked = Window(first=first, last=self._pick_day("end_date", last, last))
        for name, day in (("start_date", picked.first), ("end_date", picked.last)):
            self._refuse_other_day(name, day)
        return picked

    def _newest(self) -> dt.date:
        """The last day that can be clicked: in the month the calendar opens with, or in the one before."""
        for _ in range(2):
            (year, month), offered = self._shown(), self._offered()
            if offered:
                return dt.date(year, month, max(offered))
            self.element("previous_month").click()
        raise UiChanged(f"{self.where}: the calendar offers no day at all. Correct `day` in selectors.toml.")

    def _pick_day(self, field: str, day: dt.date, last: dt.date) -> dt.date:
        """Click ``day``, or the first day after it that is offered: Studio does not go back forever."""
        self.element(field).click()
        self._turn_to(day)
        year, month, earliest = day.year, day.month, day.day
        while (year, month) <= (last.year, last.month):
            offered = self._offered()
            if fits := [number for number in offered if number >= earliest]:
                offered[min(fits)].click()
                return dt.date(year, month, min(fits))
            self.element("next_month").click()
            year, month, earliest = *_next_month(year, month), 1
        raise UiChanged(
            f"{self.where}: the calendar offers no day from {day} to {last}. If the one in the browser does, correct "
            "`day` in selectors.toml."
        )

    def _turn_to(self, day: dt.date) -> None:
        year, month = self._shown()
        distance = (day.year - year) * 12 + day.month - month
        if abs(distance) > _MOST_MONTHS:
            raise UiChanged(f"{self.where}: the calendar shows {year}-{month:02}, which is too far from {day}.")
        if distance:
            arrow = self.element("next_month" if distance > 0 else "previous_month")
            for _ in range(abs(distance)):
                arrow.click()
        if self._shown() != (day.year, day.month):
            raise UiChanged(
                f"{self.where}: the arrows of the calendar do not lead to {day:%Y-%m}. Correct `previous_month` and "
                "`next_month` in selectors.toml."
            )

    def _shown(self) -> tuple[int, int]:
        """Year and month of the grid shown."""
        title, year = self.element("month_title").inner_text(), self.element("year_title").inner_text()
        language = self.page.locator("html").get_attribute("lang") or "en"
        month, number = month_of(title, language), re.search(r"\d{4}", year)
        if month is None or number is None:
            raise UiChanged(
                f"{self.where}: the calendar's month {title!r} {year!r} cannot be read (language {language!r}). "
                "Correct `month_title` and `year_title` in selectors.toml."
            )
        return int(number.group()), month

    def _offered(self) -> dict[int, Locator]:
        """The days of the month shown that can be clicked."""
        days = self.selectors.everywhere(self.page, "day").filter(visible=True)
        return {
            int(number.group()): days.nth(index)
            for index, text in enumerate(days.all_inner_texts())
            if (number := re.search(r"\d+", text))
        }

    def _refuse_other_day(self, field: str, day: dt.date) -> None:
        """The fields show what was clicked; if they show a date we can parse, it must be that day."""
        text = self.element(field).input_value()
        try:
            shown = dt.date.fromisoformat(text.strip())
        except ValueError:
            return  # spelled out in some language
        if shown != day:
            raise UiChanged(
                f"{self.where}: {day} was clicked, but the calendar shows {shown}. Correct `day` in selectors.toml."
            )

    def element(self, name: str) -> Locator:
        """The visible element of that name. Raises UiChanged if it is missing."""
        found = self.selectors.find(self.page, name, self.seconds)
        if found is None:
            raise missing(self.where, name, "the calendar")
        return found


def missing(where: str, name: str, place: str) -> UiChanged:
    """The failure for an element missing on the page; it says which line of selectors.toml fixes it."""
    return UiChanged(
        f"{where}: Could not find `{name}` on {place}; Studio's page has changed. Open the screenshot of "
        f"this failure, then name the element in selectors.toml: [elements] {name} = '...'"
    )


def month_of(title: str, language: str) -> int | None:
    """The month a calendar's title names in ``language`` (``el``, ``pt-BR``), 1 to 12; None if it cannot be read."""
    try:
        locale = Locale.parse(language, sep="-" if "-" in language else "_")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    text = title.strip().casefold()
    for number, name in enumerate(SPELLED_MONTHS.get(locale.language, ()), start=1):
        if name.casefold() == text:
            return number
    for width in ("wide", "abbreviated"):
        for context in ("stand-alone", "format"):
            for number, name in get_month_names(width, context, locale).items():
                if name.casefold() == text:
                    return int(number)
    digits = re.search(r"\d{1,2}", text)  # 11月, tháng 11
    return int(digits.group()) if digits and 1 <= int(digits.group()) <= 12 else None


def _next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
