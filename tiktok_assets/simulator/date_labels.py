"""Calendar days as Studio writes them in each interface language: month and day, never a year.

Every observed form equals the CLDR skeleton ``MMMMd`` of the locale, with one exception that is written out here.
Turning such text back into a date is the readers' task, and shares no code with this module.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache

from babel import Locale
from babel.dates import format_skeleton

_VIETNAMESE_MONTHS = ["Một", "Hai", "Ba", "Tư", "Năm", "Sáu", "Bảy", "Tám", "Chín", "Mười", "Mười_Một", "Mười_Hai"]
"""Studio spells months out (``18 tháng Tám``) as CLDR did before 2021; Babel 2.18 has ``18 tháng 8``."""


@lru_cache(maxsize=64)
def date_texts(locale: str) -> Mapping[tuple[int, int], str]:
    """(month, day) -> text, for the 366 days of a leap year. ``locale`` as ``en``, ``en_GB`` or ``en-GB``."""
    parsed = Locale.parse(locale.replace("-", "_"))
    days = [date(2024, 1, 1) + timedelta(days=days) for days in range(366)]
    if parsed.language == "vi":
        return {(d.month, d.day): f"{d.day} tháng {_VIETNAMESE_MONTHS[d.month - 1].replace('_', ' ')}" for d in days}
    return {(d.month, d.day): format_skeleton("MMMMd", d, locale=parsed) for d in days}


def date_text(day: date, locale: str) -> str:
    """``day`` as Studio labels it: ``April 12`` in en, ``28 May`` in en_GB, ``9月13日`` in ja."""
    return date_texts(locale)[day.month, day.day]
