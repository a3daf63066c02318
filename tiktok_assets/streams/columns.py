"""Which column of a file of streams is which: the contract, and the names that other programs have for the same.

Only a column whose meaning is certain is read; the others stay in raw as text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tiktok_assets.exports.problems import ExportProblem, ForeignFile
from tiktok_assets.exports.text_rows import normal

CONTRACT = "date, isrc or song, store, streams"
NAMES = {
    "date": ("date", "day"),
    "isrc": ("isrc", "isrc code"),
    "song": ("song", "song title", "song name", "track", "track title", "track name", "title"),
    "store": ("store", "store name", "dsp", "retailer", "service"),
    "territory": ("territory", "country", "country code", "country of sale", "sales territory"),
    "streams": ("streams", "plays"),
}
"""By our column, its name and those that mean the same, in lower case; the first one that a file has is read."""
_MONTHS = (
    *("month", "sale month", "sales month", "reporting month", "statement month"),
    *("period", "sales period", "reporting period", "statement period", "accounting period"),
)
_SALES = ("quantity", "units", "units sold")
# Spotify for Artists names the timeline of a song after it, and gives it these columns alone.
SONG_TIMELINE = r"(?i)^(.+?)-timeline(?: ?\(\d+\))?\.csv$"
_OF_TIMELINE = ("date", "streams")


class NotDaily(ExportProblem):
    """Figures of months, weeks or all time: they say nothing about a day."""

    reason = "not_daily"


class NoSong(ExportProblem):
    """Nothing in the file says which song its streams are of."""

    reason = "no_song"


class NoStore(ExportProblem):
    """Nothing in the file says in which store its streams were."""

    reason = "no_store"


def is_header(row: Sequence[str]) -> bool:
    """Whether a row is the header of a table of streams or sales, also of one that is refused then."""
    names = {normal(cell) for cell in row}
    counted = names & {*NAMES["streams"], *_SALES}
    return bool(counted and names & {*NAMES["date"], *NAMES["isrc"], *NAMES["song"], *_MONTHS})


def require_columns(name: str, header: Sequence[str]) -> None:
    """Raise an ExportProblem unless the table ``name`` can be read: it says why, and what to do."""
    names = [normal(column) for column in header]
    columns = ", ".join(header)[:300]
    if not _has(names, NAMES["date"]):
        if months := [column for column in header if normal(column) in _MONTHS]:
            raise NotDaily(
                f"{name}: its column {months[0]} has months, and song_streams has days. Use a report by day; figures "
                "of a month are not divided among its days."
            )
        raise NotDaily(f"{name}: has no column date, so no row is of a day ({columns}). Use a report by day.")
    if not _has(names, NAMES["streams"]):
        sales = [column for column in header if normal(column) in _SALES]
        if not sales:
            raise not_streams(name, header)
        raise ForeignFile(
            f"{name}: its column {sales[0]} counts sales of every kind, also downloads. If each row is of streams "
            "alone, rename the column to streams and put the file back."
        )
    if is_song_timeline(name, names):
        return
    if not _has(names, (*NAMES["isrc"], *NAMES["song"])):
        raise NoSong(
            f"{name}: nothing says which song its streams are of ({columns}). Add a column isrc or song, and put the "
            "file back."
        )
    if not _has(names, NAMES["store"]):
        raise NoStore(
            f"{name}: nothing says in which store its streams were ({columns}). Add a column store, for example with "
            "Spotify in each row, and put the file back."
        )


def not_streams(name: str, header: Sequence[str]) -> ForeignFile:
    """For a table that is none of streams."""
    columns = ", ".join(header)[:300]
    return ForeignFile(f"{name}: is no table of streams; its columns are {columns}. Expected: {CONTRACT}.")


def is_song_timeline(name: str, names: Iterable[str]) -> bool:
    """Whether it is the timeline of a song from Spotify for Artists, which its name says."""
    return re.match(SONG_TIMELINE, name) is not None and sorted(names) == sorted(_OF_TIMELINE)


def unread_columns(header: Sequence[str]) -> list[str]:
    """The columns that stay in raw: those with no meaning here, and those behind one of the same meaning."""
    names = [normal(column) for column in header]
    read = {next((one for one in meant if one in names), None) for meant in NAMES.values()}
    return [column for column in header if normal(column) not in read]


def _has(names: Sequence[str], meant: Sequence[str]) -> bool:
    return any(one in names for one in meant)
