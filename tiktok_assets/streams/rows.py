"""The rows of a file of streams as values: which recording, in which store, on which day, how often.

A cell is a value, a known mark for "missing", or an error.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import replace

import polars as pl

from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports._columns import Column, cell_name, count, is_missing, name, text, typed
from tiktok_assets.streams.columns import NAMES, SONG_TIMELINE, NoSong

GRAIN = ("track", "store", "territory", "date")
"""What one row of a file is of. ``track``: its ISRC, else its title."""
UNIT = ("track", "store", "date")
"""What is taken from one file as a whole, and adds up its territories: those of two files never mix."""
_ALL_TERRITORIES = ("all", "global", "total", "world", "worldwide")
_MOST = 10**12  # per cell, so that no sum of cells leaves 64 bits
_REMEDY = "Correct the cell, or export the file again, and put it back."
_ISRC = r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$"
_NOT_IN_NAMES = re.compile(r'[?/\\:*"<>|]')  # what file names cannot hold becomes "_" in those of downloads


class ContradictoryRows(ExportProblem):
    """Rows of the same recording, store, territory and day that differ in a column, or a total beside its parts."""

    reason = "contradictory_rows"


def cells_of(rows: pl.DataFrame, column: str) -> pl.Expr:
    """The text of our ``column``, under whichever of its names the row's file has."""
    return text(rows, *NAMES[column])


def title_key(title: str) -> str:
    """What two spellings of a title share: letter case, spaces and signs that a file name cannot hold do not count."""
    return _NOT_IN_NAMES.sub("_", " ".join(unicodedata.normalize("NFC", title).casefold().split()))


def typed_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The raw ``rows`` of one file with their ``date``, ``isrc``, ``song``, ``store``, ``territory``, ``streams``.

    ``track`` is the ISRC, else the key of the title. ``streams`` is null where the cell says that it is missing.
    Raises UnreadableValue or NoSong naming file, row and remedy.
    """
    named = pl.col("member").str.extract(SONG_TIMELINE, 1)
    isrc = cells_of(rows, "isrc").str.to_uppercase().str.replace_all(r"[\s-]", "")
    store = pl.coalesce(cells_of(rows, "store"), pl.when(named.is_not_null()).then(pl.lit("Spotify")))
    columns: Mapping[str, Column] = {
        "isrc": Column(text=isrc, kind="an ISRC of 12 letters and digits", form=_ISRC, dtype=pl.String()),
        "song": Column(text=pl.coalesce(cells_of(rows, "song"), named), kind="a title", form=r"\S", dtype=pl.String()),
        "store": name(store.str.to_lowercase().str.replace_all(r"\s+", " ")),
        "territory": Column(text=cells_of(rows, "territory"), kind="a territory", form=r"\S", dtype=pl.String()),
        "streams": replace(
            count(cells_of(rows, "streams"), least=0), kind=f"a whole number from 0 to {_MOST:,}", most=_MOST
        ),
    }
    found = typed(rows, columns, _REMEDY).with_columns(
        pl.when(~is_missing(pl.col(column))).then(column).alias(column) for column in ("song", "territory")
    )
    keys = {title: title_key(title) for title in found["song"].drop_nulls().unique()}
    of_title = pl.col("song").replace_strict(keys, return_dtype=pl.String, default=None)
    found = found.with_columns(date=pl.col("date_label"), track=pl.coalesce("isrc", of_title))
    nameless = found["track"].is_null().arg_true().to_list()
    if nameless:
        raise NoSong(f"{cell_name(rows, nameless[0])}: has neither an ISRC nor a title of a song. {_REMEDY}")
    return found


def distinct_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Typed rows with a number, each once."""
    return rows.filter(pl.col("streams").is_not_null()).unique(GRAIN, keep="first", maintain_order=True)


def notes_on(raw: pl.DataFrame, rows: pl.DataFrame) -> Iterator[str]:
    """What a person should know of ``rows``, typed from ``raw``; a sentence each.

    Raises ContradictoryRows: rows of one grain can be parts of a sum, or an old and a new number; a total of all
    territories beside some of them would count twice.
    """
    _refuse_totals_beside_parts(raw, rows)
    of_file = [column for column in raw.columns if column not in PROVENANCE]
    cells = raw.select(pl.struct(of_file)).to_series()
    numbered = rows.select(*GRAIN, cells=cells, row=pl.int_range(pl.len()))
    several = numbered.group_by(GRAIN, maintain_order=True).agg("row", kinds=pl.col("cells").n_unique())
    contradictory = several.filter(pl.col("kinds") > 1)
    if contradictory.height:
        track, store, _, date, (first, second, *_), _ = contradictory.row(0)
        raise ContradictoryRows(
            f"{cell_name(raw, first)} and row {raw['row_number'][second]}: are both of {track}, {store}, {date}"
            f"{_and_more(contradictory.height)}. If they are parts of one number, add them up in one row; if one is "
            "old, delete it. Then put the file back."
        )
    if repeated := several.filter(pl.col("row").list.len() > 1).height:
        yield (
            "1 row appears more than once, alike in every column, and counts once"
            if repeated == 1
            else f"{repeated} rows appear more than once, alike in every column, and count once"
        )
    if unknown := rows["streams"].null_count():
        yield (
            "1 row has no number of streams: its day stays unknown"
            if unknown == 1
            else f"{unknown} rows have no number of streams: their days stay unknown"
        )


def _refuse_totals_beside_parts(raw: pl.DataFrame, rows: pl.DataFrame) -> None:
    territory = pl.col("territory")
    is_total = territory.is_null() | territory.str.to_lowercase().is_in(_ALL_TERRITORIES)
    counted = rows.select(*UNIT, "streams", "territory", total=is_total, row=pl.int_range(pl.len()))
    several = (
        counted.drop_nulls("streams")
        .unique([*UNIT, "territory"], keep="first", maintain_order=True)
        .group_by(UNIT, maintain_order=True)
        .agg("row", total=pl.col("total").any())
        .filter(pl.col("total"), pl.col("row").list.len() > 1)
    )
    if several.height:
        track, store, date, (first, second, *_), _ = several.row(0)
        raise ContradictoryRows(
            f"{cell_name(raw, first)} and row {raw['row_number'][second]}: are both of {track}, {store}, {date}"
            f"{_and_more(several.height)}, and one has no territory or that of all. Of each recording, store and day "
            "keep either the total or the countries, then put the file back."
        )


def _and_more(number: int) -> str:
    return f", and {number - 1} more such pairs" if number > 1 else ""
