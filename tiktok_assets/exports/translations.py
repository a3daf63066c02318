"""Column names that TikTok writes in the language of its interface, and their English equivalents.

Belongs here: names reported from real files, no guesses. Studio's own exports are English in every file seen; Business
Suite's are reported in Swedish, by two public projects that read them beside their English twins.
"""

from __future__ import annotations

from collections.abc import Mapping

_SWEDISH_OVERVIEW = {
    "datum": "date",
    "videovisningar": "video views",
    "målgrupp som nåtts": "reached audience",
    "profilvisningar": "profile views",
    "gilla-markeringar": "likes",
    "delningar": "shares",
    "kommentarer": "comments",
    "telefonnummerklickar": "phone number clicks",
    "insamlade leads": "leads submission",
    "nettotillväxt": "net growth",
    "nya följare": "new followers",
    "tappade följare": "lost followers",
}
_SWEDISH_VIDEOS = {
    "videotitel": "video title",
    "videolänk": "video link",
    "publiceringstid": "post time",
    "lägg till i favoriter": "add to favorites",
}

ENGLISH: Mapping[str, str] = {**_SWEDISH_OVERVIEW, **_SWEDISH_VIDEOS}
"""Keyed by the name in lower case."""

DATE_WORDS = frozenset(
    {
        *("datum", "fecha", "data", "dato", "päivämäärä", "dátum", "tarih", "tanggal", "tarikh", "ngày", "petsa"),
        *("дата", "ημερομηνία", "日付", "日期", "날짜", "วันที่", "तारीख", "दिनांक", "তারিখ", "التاريخ", "תאריך", "تاریخ"),
        *("tag", "día", "dia", "jour", "giorno", "dag", "dzień", "den", "nap", "zi", "gün", "hari", "день", "日", "วัน"),
    }
)
"""The column Date in other languages: a table that begins with one may be TikTok's in another language."""
