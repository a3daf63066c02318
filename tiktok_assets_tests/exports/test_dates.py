"""Date texts of every interface language; the expected side is Babel's own formatting or written manually."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from babel import Locale, localedata
from babel.dates import format_skeleton

from tiktok_assets.exports import dates
from tiktok_assets.exports.dates import LIKELY_LOCALES, UnreadableDay, read_day_texts
from tiktok_assets.exports.monthdays import MonthDay, is_contiguous

LEAP_YEAR = [dt.date(2024, 1, 1) + dt.timedelta(days=n) for n in range(366)]
LEAP_YEAR_DAYS = [MonthDay(day.month, day.day) for day in LEAP_YEAR]

# Locales in which a whole year cannot be read back: none with Babel 2.18 (CLDR 47).
IMPOSSIBLE: set[str] = set()

# The only texts with two meanings in CLDR's MMMMd: a file of nothing but these is read as the first language.
# "nhlangula" is June in North Ndebele and October in Tsonga; "nyakanga" is September in Rundi and July in Kinyarwanda.
TWO_MEANINGS = {("nd", "ts"): "nhlangula", ("rn", "rw"): "nyakanga"}


def texts(locale: str, days: list[dt.date], skeleton: str = "MMMMd") -> list[str]:
    found = Locale.parse(locale)  # once, not for each of 366 days
    return [format_skeleton(skeleton, day, locale=found) for day in days]


@pytest.mark.parametrize(
    ("text", "locale", "month", "day"),
    [
        ("April 12", "en", 4, 12),
        ("28 May", "en_GB", 5, 28),
        ("25 Φεβρουαρίου", "el", 2, 25),
        ("4 de enero", "es", 1, 4),
        ("1 de maio", "pt", 5, 1),
        ("20 января", "ru", 1, 20),
        ("1 octobre", "fr", 10, 1),
        ("18 tháng Tám", "vi", 8, 18),
        ("3 tháng Mười Một", "vi", 11, 3),
        ("3 tháng Mười", "vi", 10, 3),
        ("9月13日", "ja", 9, 13),
        ("8 Juli", "id", 7, 8),
        ("1 มกราคม", "th", 1, 1),
        ("12. März", "de", 3, 12),
        ("12 listopada", "pl", 11, 12),
        ("12. listopada", "hr", 10, 12),
        ("3월 12일", "ko", 3, 12),
        ("12 मार्च", "hi", 3, 12),
        ("12 Kasım", "tr", 11, 12),
        ("12 tháng 3", "vi", 3, 12),
    ],
)
def test_a_label_is_read_in_its_language(text: str, locale: str, month: int, day: int) -> None:
    read = read_day_texts([text])
    assert (read.locale, read.days, read.years) == (locale, [(month, day)], None)


def test_a_year_of_labels_reads_back_in_every_locale_of_the_cldr() -> None:
    locales = sorted(localedata.locale_identifiers())
    assert len(locales) > 1000
    wrong = {locale for locale in locales if read_day_texts(texts(locale, LEAP_YEAR)).days != LEAP_YEAR_DAYS}
    assert wrong == IMPOSSIBLE


@pytest.mark.parametrize("locale", LIKELY_LOCALES)
def test_a_year_of_abbreviated_months_reads_back_in_every_likely_locale(locale: str) -> None:
    assert read_day_texts(texts(locale, LEAP_YEAR, "MMMd")).days == LEAP_YEAR_DAYS


def test_no_text_has_two_meanings_except_two_known_month_names() -> None:
    meanings: dict[str, dict[MonthDay, set[str]]] = {}
    for locale in localedata.locale_identifiers():
        for text, day in dates._written(locale).items():
            meanings.setdefault(text, {}).setdefault(day, set()).add(locale.split("_")[0])
    twofold = {text: days for text, days in meanings.items() if len(days) > 1}
    languages = {tuple(sorted(set().union(*days.values()))) for days in twofold.values()}
    assert languages == set(TWO_MEANINGS)
    assert {text.rstrip(" 0123456789") for text in twofold} == set(TWO_MEANINGS.values())
    assert not {language for pair in TWO_MEANINGS for language in pair} & set(LIKELY_LOCALES)


def test_within_a_locale_no_text_names_two_days() -> None:
    """Guards ``setdefault`` in the tables: a month name that stands for two months would silently be the first."""
    for locale in localedata.locale_identifiers():
        data = Locale.parse(locale)
        for skeleton in ("MMMMd", "MMMd"):
            for context in ("format", "stand-alone"):
                for width in ("wide", "abbreviated"):
                    form = (data.datetime_skeletons[skeleton].pattern, dates._names(data, context, width))
                    assert len(dates._table((form,))) == 366, (locale, skeleton, context, width)


@pytest.mark.parametrize(
    ("variant", "base"), [("es_MX", "es"), ("pt_PT", "pt"), ("en_US", "en"), ("zh_Hant", "ja"), ("en_AU", "en_GB")]
)
def test_a_regional_variant_is_reported_only_when_its_base_cannot_read_the_file(variant: str, base: str) -> None:
    """Chinese labels are written exactly as Japanese ones, so they are read as these."""
    assert read_day_texts(texts(variant, LEAP_YEAR)).locale == base


def test_the_spanish_of_peru_has_its_own_september() -> None:
    assert read_day_texts(texts("es_PE", LEAP_YEAR)).locale == "es_PE"
    assert read_day_texts(["4 de setiembre", "5 de enero"]).locale == "es_PE"


def test_one_language_explains_the_whole_file() -> None:
    assert read_day_texts(["12 april", "1 maart"]).locale == "nl"
    assert read_day_texts(["12 april", "1 maj"]).locale == "sv"


def test_between_two_languages_the_one_with_contiguous_days_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def table_of(locale: str) -> dict[str, MonthDay]:
        if locale == "zu":
            return {"1 x": MonthDay(3, 31), "2 x": MonthDay(4, 1)}
        return {"1 x": MonthDay(1, 2), "2 x": MonthDay(2, 2)} if locale in ("xh", "yo") else {}

    monkeypatch.setattr(dates, "_written", table_of)
    assert read_day_texts(["1 x", "2 x"]).locale == "zu"
    assert read_day_texts(["2 x", "1 x"]).locale == "xh"


@pytest.mark.parametrize(
    ("days", "contiguous"),
    [
        ([(12, 31), (1, 1)], True),
        ([(2, 28), (3, 1)], True),
        ([(2, 28), (2, 29), (3, 1)], True),
        ([(5, 1), (5, 1), (5, 2)], True),
        ([(5, 1), (5, 3)], False),
        ([(5, 2), (5, 1)], False),
    ],
)
def test_contiguous_means_the_same_day_or_the_next(days: list[tuple[int, int]], contiguous: bool) -> None:
    assert is_contiguous([MonthDay(*day) for day in days]) is contiguous


@pytest.mark.parametrize(
    "text",
    [
        "  April 12 ",
        "APRIL 12",
        "April\u00a012",
        "April\u202f12",
        "\u200eApril\u200f 12",
        "\ufeffApril 12",
        "April １２",
        "April  12",
        "Apr 12",
    ],
)
def test_spaces_letter_case_digits_and_invisible_marks_do_not_matter(text: str) -> None:
    assert read_day_texts([text]).days == [(4, 12)]


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("١٢ مارس", "ar"),
        ("\u061c١٢\u200f مارس", "ar"),
        ("१२ मार्च", "hi"),
        ("๑๒ มีนาคม", "th"),
        ("১২ মার্চ", "bn"),
    ],
)
def test_native_digits_are_read(text: str, locale: str) -> None:
    read = read_day_texts([text])
    assert (read.locale, read.days) == (locale, [(3, 12)])


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert read_day_texts(["1 de marc\u0327o"]).days == read_day_texts(["1 de março"]).days == [(3, 1)]


@pytest.mark.parametrize(
    "text", ["2026-03-01", "2026/03/01", "2026/03/01 13:45:10", "2026-03-01T13:45:10", "2026/3/1 09:05", " 2026-03-01 "]
)
def test_a_text_with_its_year_gives_the_year_and_no_language(text: str) -> None:
    read = read_day_texts([text, "2024-02-29"])
    assert (read.locale, read.days, read.years) == (None, [(3, 1), (2, 29)], [2026, 2024])


def test_no_rows_give_no_days() -> None:
    read = read_day_texts([])
    assert (read.locale, read.days, read.years) == (None, [], None)


@pytest.mark.parametrize(
    ("rows", "row", "says"),
    [
        (["April 12", "April 13", "undefined"], 2, "2 of the 3 rows read as 'en'"),
        (["undefined", "April 12", "April 13"], 0, "2 of the 3 rows read as 'en'"),
        (["12 avril", "13 avril", "14 brumaire"], 2, "2 of the 3 rows read as 'fr'"),
        (["April 30", "April 31"], 1, "1 of the 2 rows read as 'en'"),
        (["2026-02-28", "2026-02-29"], 1, "not a day of the calendar"),
        (["2026-02-28", "March 1"], 1, "not a day of the calendar"),
        (["Total", "2026-02-28"], 0, "1 of the 2 rows read as 'year, month, day'"),
        (["Total"], 0, "no language"),
        ([""], 0, "no language"),
        (["46082"], 0, "no language"),
    ],
)
def test_an_unreadable_text_is_named_with_its_row_and_the_language_of_the_others(
    rows: list[str], row: int, says: str
) -> None:
    with pytest.raises(UnreadableDay) as caught:
        read_day_texts(rows)
    assert (caught.value.row, caught.value.text) == (row, rows[row])
    assert str(caught.value).startswith(f"Row {row + 1} has {rows[row]!r}")
    assert says in str(caught.value)


def test_an_english_file_with_a_missing_date_does_not_load_every_locale() -> None:
    """All of them cost 1.1 s and 200 MB; counted in a fresh process, where no other test has loaded them."""
    code = (
        "from babel import localedata\n"
        "from tiktok_assets.exports.dates import read_day_texts\n"
        "try: read_day_texts(['April 12', 'undefined'])\n"
        "except ValueError: print(len(localedata._cache))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < int(result.stdout) < 120
