"""Which month and day a date text of an export names, and in which language.

Belongs here: the texts TikTok writes for a day in any interface language.
Does not belong here: the year of a label without one (``years``), labels that are a day off, files and columns.

Every known label equals the CLDR skeleton ``MMMMd`` of the interface language, so the tables come from Babel's data,
one per locale, built when that locale is first tried: all 1,082 of them would cost 1.1 s and 200 MB.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from babel import Locale, localedata
from babel.dates import tokenize_pattern

from tiktok_assets.exports.monthdays import CALENDAR, LEAP_DAY, MonthDay, is_contiguous, is_leap
from tiktok_assets.exports.numeric_dates import (
    OTHER_CALENDAR,
    Dates,
    Unread,
    buddhist_note,
    date_with_year,
    gregorian,
    is_of_other_calendar,
    is_pair,
    read_pairs,
    read_with_years,
    starts_with_year,
)
from tiktok_assets.exports.problems import UnreadableValue


@dataclass(frozen=True)
class DayTexts:
    """The days that the date texts of one file name, one entry a row.

    ``locale``: the language that reads every row; None where the texts are numbers (ISO, Business Suite). ``years``: of
    texts that carry them; Studio's never do.
    """

    locale: str | None
    days: list[MonthDay]
    years: list[int] | None
    notes: tuple[str, ...] = ()
    """How they were read, for dates that TikTok does not write."""


class UnreadableDay(UnreadableValue):
    """A date text that cannot be read in the language of the other rows, or in any. ``row`` counts from 0."""

    def __init__(self, row: int, text: str, reason: str) -> None:
        super().__init__(f"Row {row + 1} has {text!r} for its date: {reason}")
        self.row = row
        self.text = text
        self.why = f"is no date: {reason}"


# Languages of TikTok's interface and other large ones, roughly by how likely a file is to be in them. The order decides
# only the name reported for a short file: "12 april" is Dutch and Swedish, and the same day in both.
_LIKELY = """
    en en_GB es pt id ar ru fr vi th ja de tr it ko zh hi bn ur fil ms pl uk nl ro el sv cs hu he fi da nb km my jv ceb
    bg hr sk sl sr lt lv et ca fa ta te mr gu ml kn pa ne si sw af kk uz az ka hy mn lo am sq mk bs is ga eu gl
"""
LIKELY_LOCALES = tuple(_LIKELY.split())

# Studio spells Vietnamese months out ("18 tháng Tám", "3 tháng Mười Một"); the data of Babel 2.18 has only "tháng 8".
_VIETNAMESE = "Một, Hai, Ba, Tư, Năm, Sáu, Bảy, Tám, Chín, Mười, Mười Một, Mười Hai"
SPELLED_MONTHS = {"vi": tuple(f"tháng {number}" for number in _VIETNAMESE.split(", "))}

_Names = tuple[str, ...]
_Form = tuple[str, _Names]
_Table = Mapping[str, MonthDay]

# Marks that control bidirectional text or joining, not letters; which of them are written differs by CLDR version.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_NON_ASCII_DIGIT = re.compile(r"[^\D0-9]")
_DIGIT = re.compile("[0-9]")
# Spreadsheets write "12-Apr" and "12-Apr-26", people "April 12, 2026", "12 de abril de 2026", "2026年4月12日".
_HYPHENS = re.compile(r"(?<=\d)-(?=[^\W\d_])|(?<=[^\W\d_])-(?=\d)")
_YEAR_AFTER = re.compile(r"(?P<day>.*[^\W\d_].*?)[\s,./-]+(?P<year>\d{4})")
_LINKED = re.compile(r" del?$")  # "12 de abril" + " de 2026"
_SHORT_YEAR_AFTER = re.compile(r"(?P<day>\d{1,2}-[^\W\d_]+)-(?P<year>\d{2})")
_YEAR_BEFORE = re.compile(r"(?P<year>\d{4})[年년] ?(?P<day>.+)")


def read_day_texts(texts: Sequence[str]) -> DayTexts:
    """The days named by the date texts of one file, in the order of its rows.

    One language has to read all of them: CLDR's ``MMMMd`` form of every locale first, then stand-alone and abbreviated
    month names. Among languages that disagree, the one in which the rows are neighbouring days is taken.

    Raises ``UnreadableDay`` for the first row that does not fit the others.
    """
    keys = [*map(_key, texts)]
    if not keys:
        return DayTexts(locale=None, days=[], years=None)
    if starts_with_year(keys[0]):
        return _numeric(texts, read_with_years(keys))
    if is_pair(keys[0]) and all(map(is_pair, keys)):
        return _numeric(texts, read_pairs(keys))
    if split := _without_years(keys):
        return _dated_words(texts, *split)
    locale, days = _words(texts, keys)
    return DayTexts(locale=locale, days=days, years=None)


def _numeric(texts: Sequence[str], read: Dates | Unread) -> DayTexts:
    if isinstance(read, Unread):
        raise UnreadableDay(read.row, texts[read.row], read.reason)
    return DayTexts(locale=None, days=read.days, years=read.years, notes=read.notes)


def _without_years(keys: Sequence[str]) -> tuple[list[str], list[int]] | None:
    """The texts without their years, and these; None unless each text carries one beside the name of a month."""
    for form in (_YEAR_AFTER, _SHORT_YEAR_AFTER, _YEAR_BEFORE):
        if not form.fullmatch(keys[0]):
            continue
        found = [match for match in map(form.fullmatch, keys) if match]
        if len(found) == len(keys):
            years = [int(match["year"]) for match in found]
            return [_LINKED.sub("", match["day"]) for match in found], [
                year + 2000 if year < 100 else year for year in years
            ]
    return None


def _dated_words(texts: Sequence[str], keys: list[str], years: list[int]) -> DayTexts:
    locale, days = _words(texts, keys)
    strange = next((row for row, year in enumerate(years) if is_of_other_calendar(year)), None)
    if strange is not None:
        raise UnreadableDay(strange, texts[strange], OTHER_CALENDAR)
    notes = buddhist_note(years)
    years = [*map(gregorian, years)]
    for row, (year, day) in enumerate(zip(years, days, strict=True)):
        if day == LEAP_DAY and not is_leap(year):
            raise UnreadableDay(row, texts[row], "not a day of the calendar.")
    return DayTexts(locale=locale, days=days, years=years, notes=notes)


def _words(texts: Sequence[str], keys: list[str]) -> tuple[str, list[MonthDay]]:
    """The language that reads every text, and the days. Raises UnreadableDay."""
    # No two likely languages give one text two meanings (a test checks that), so the first to read all of it is right.
    reading = next(_readings(keys, LIKELY_LOCALES, _written), None)
    if reading is None and not all(map(_DIGIT.search, keys)):
        # Every locale writes the day in digits, so a row such as "undefined" is worth no search through all of them.
        raise _unreadable(texts, keys, LIKELY_LOCALES)
    reading = reading or _most_contiguous(_readings(keys, _other_locales(), _written))
    for loose in (keys, [_HYPHENS.sub(" ", key) for key in keys]):
        reading = reading or _most_contiguous(_readings(loose, (*LIKELY_LOCALES, *_other_locales()), _written_loosely))
    if reading is None:
        raise _unreadable(texts, keys, (*LIKELY_LOCALES, *_other_locales()))
    return reading


def _readings(
    keys: list[str], locales: Iterable[str], table_of: Callable[[str], _Table]
) -> Iterator[tuple[str, list[MonthDay]]]:
    first = keys[0]
    for locale in locales:
        table = table_of(locale)
        if first in table:
            try:
                yield locale, [*map(table.__getitem__, keys)]
            except KeyError:
                continue


def _most_contiguous(readings: Iterator[tuple[str, list[MonthDay]]]) -> tuple[str, list[MonthDay]] | None:
    best = None
    for reading in readings:
        if is_contiguous(reading[1]):
            return reading
        best = best or reading
    return best


def _unreadable(texts: Sequence[str], keys: list[str], locales: Iterable[str]) -> UnreadableDay:
    """The first row outside the language that reads most of the file."""
    reads = {"year, month, day": [date_with_year(key) is not None for key in keys]}
    for locale in locales:
        table = _written_loosely(locale)
        reads[locale] = [key in table for key in keys]
    language, readable = max(reads.items(), key=lambda item: sum(item[1]))
    row = readable.index(False)
    if not any(readable):
        return UnreadableDay(
            row, texts[row], "no language writes a day this way, and it is not YYYY-MM-DD or YYYY/MM/DD."
        )
    return UnreadableDay(
        row, texts[row], f"{sum(readable)} of the {len(texts)} rows read as {language!r}, this one does not."
    )


def _normalised(text: str) -> str:
    """One spelling for texts that look alike: letter case, kinds of spaces and digits, invisible marks."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
        text = _NON_ASCII_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)
        text = unicodedata.normalize("NFKC", text.casefold())
    return " ".join(text.casefold().split())


_key = lru_cache(maxsize=4096)(_normalised)


@cache
def _other_locales() -> tuple[str, ...]:
    """All other locales of the CLDR by name; regional ones last, so that they are named only if they are needed."""
    others = set(localedata.locale_identifiers()).difference(LIKELY_LOCALES)
    return tuple(sorted(others, key=lambda locale: ("_" in locale, locale)))


@cache
def _written(locale: str) -> _Table:
    """Every day of the year as the CLDR writes it in this locale."""
    data = Locale.parse(locale)
    pattern = data.datetime_skeletons["MMMMd"].pattern
    context = "stand-alone" if "L" in pattern else "format"
    forms = [(pattern, _names(data, context, "wide"))]
    if locale in SPELLED_MONTHS:
        forms.append((pattern, SPELLED_MONTHS[locale]))
    return _table(tuple(forms))


@cache
def _written_loosely(locale: str) -> _Table:
    """``_written``, and the same with stand-alone or abbreviated months, for interfaces that follow other CLDR data."""
    data = Locale.parse(locale)
    patterns = [data.datetime_skeletons[skeleton].pattern for skeleton in ("MMMMd", "MMMd")]
    widths = [(context, width) for width in ("wide", "abbreviated") for context in ("format", "stand-alone")]
    forms = [(pattern, _names(data, context, width)) for pattern in patterns for context, width in widths]
    return {**_table(tuple(dict.fromkeys(forms))), **_written(locale)}


def _names(data: Locale, context: str, width: str) -> _Names:
    names = data.months[context][width]
    return tuple(names[month] for month in range(1, 13))


@cache
def _table(forms: tuple[_Form, ...]) -> _Table:
    """Text -> day for CLDR patterns with their month names. Cached by content: most regional locales share one."""
    table: dict[str, MonthDay] = {}
    for pattern, names in forms:
        tokens = tokenize_pattern(pattern)
        for day in CALENDAR:
            text = "".join(part if isinstance(part, str) else _field(part, day, names) for _, part in tokens)
            table.setdefault(_normalised(text), day)
    return table


def _field(field: tuple[str, int], day: MonthDay, names: _Names) -> str:
    letter, length = field
    if letter == "d":
        return f"{day.day:0{length}}"
    if length < 3:
        return f"{day.month:0{length}}"
    return names[day.month - 1]
