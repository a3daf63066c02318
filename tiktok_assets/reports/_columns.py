"""From text to typed columns: the expressions that two or more reports share.

A cell is a value, a known mark for "missing", or an error. It is never silently null.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.exports.provenance import PROVENANCE

# "undefined" is Studio's, "NAN" and "--" are Business Suite's; the others are what spreadsheets leave behind.
MISSING = ("", "undefined", "nan", "--", "-", "null", "none", "n/a")

_WHOLE = r"^-?(\d+|\d{1,3}(,\d{3})+)$"
_FRACTION = r"^(0|1|[01]?\.\d+([eE]-?\d+)?|\d(\.\d+)?[eE]-\d+)$"


def normal(header: str) -> str:
    """A column name without regard to case, underscores and stray spaces: ``"Phone number clicks "`` -> ``"phone number clicks"``."""
    return re.sub(r"[\s_]+", " ", header).strip().casefold()


def text(rows: pl.DataFrame, *names: str) -> pl.Expr:
    """The text under any of the normal ``names``; null where the row's file has no such column."""
    columns = [column for column in rows.columns if column not in PROVENANCE and normal(column) in names]
    return pl.coalesce(pl.col(columns)) if columns else pl.lit(None, dtype=pl.String)


def is_missing(value: pl.Expr) -> pl.Expr:
    """True where the row's file has the column, and the cell says that the value is not known."""
    return value.str.strip_chars().str.to_lowercase().is_in(MISSING)


def pick(rows: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    """``columns`` only, always as many rows as ``rows`` has: a select of constants alone would have one."""
    return rows.with_columns(expr.alias(f"_{name}") for name, expr in columns.items()).select(
        pl.col(f"_{name}").alias(name) for name in columns
    )


@dataclass(frozen=True)
class Column:
    """How one column is read: its text, the pattern a value has, and what it becomes."""

    text: pl.Expr
    form: str
    dtype: pl.DataType


def count(rows: pl.DataFrame, *names: str) -> Column:
    """A whole number, thousands commas allowed. Negative counts are removals."""
    return Column(text(rows, *names), _WHOLE, pl.Int64())


def share(rows: pl.DataFrame, *names: str) -> Column:
    """A fraction from 0 to 1."""
    return Column(text(rows, *names), _FRACTION, pl.Float64())


def typed(rows: pl.DataFrame, columns: Mapping[str, Column]) -> pl.DataFrame:
    """``rows`` with ``columns`` added. Raises UnreadableValue naming file, row, column and value."""
    cells = pick(rows, **{name: column.text.str.strip_chars().str.replace("−", "-") for name, column in columns.items()})
    valid = cells.select(
        pl.col(name).str.contains(column.form).fill_null(value=True) | is_missing(pl.col(name)) for name, column in columns.items()
    )
    if not all(valid[name].all() for name in columns):
        raise _unreadable(rows, columns, cells, valid)
    values = cells.select(
        pl.col(name).str.replace_all(",", "").cast(column.dtype, strict=False) for name, column in columns.items()
    )
    return rows.select(name for name in rows.columns if name in PROVENANCE).hstack(values)


def _unreadable(
    rows: pl.DataFrame, columns: Mapping[str, Column], cells: pl.DataFrame, valid: pl.DataFrame
) -> UnreadableValue:
    cases = []
    for name in columns:
        for row in (~valid[name]).arg_true():
            where = rows.select("source", "member", "row_number").row(row, named=True)
            file = where["source"] if where["source"].endswith(where["member"]) else f"{where['source']}/{where['member']}"
            cases.append(f"{file}, row {where['row_number']}, {name}: {cells[name][row]!r}")
    kinds = "a whole number" if all(column.dtype == pl.Int64 for column in columns.values()) else "a number of its column's kind"
    more = f" and {len(cases) - 5} more" if len(cases) > 5 else ""
    return UnreadableValue(
        f"{'; '.join(cases[:5])}{more}: not {kinds} and not a known mark for missing. "
        "Was the file edited? Export it again; if TikTok now writes this, the report's parser has to learn it."
    )


def day_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Provenance of a daily report: the label's day is taken as it stands."""
    return rows.with_columns(date=pl.col("date_label"), date_shift_days=pl.lit(0, pl.Int64))


def snapshot_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Provenance of a snapshot: it speaks of the day it was downloaded on."""
    return rows.with_columns(date=pl.col("date_label"))
