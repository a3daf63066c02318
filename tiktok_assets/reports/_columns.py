"""From text to typed columns: the expressions that two or more reports share.

A cell is a value, a known mark for "missing", or an error. It is never silently null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.exports.text_rows import normal

# "undefined" is Studio's, "NAN" and "--" are Business Suite's; the others are what spreadsheets leave behind.
MISSING = ("", "undefined", "nan", "--", "-", "null", "none", "n/a")

# A comma only where it parts thousands: "1,5" is a decimal comma or an error, in no case 15.
_WHOLE = r"^-?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)$"
_FRACTION = r"^[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?$"
# What a program writes for a whole number that it holds as a decimal one.
DECIMAL_WHOLE = r"^\s*-?[0-9]+(\.0+|,0|,00)\s*$"
# Thousands parted by spaces, as in French and Swedish, or by apostrophes: no decimal number is written so.
_SPACED_WHOLE = r"^-?[0-9]{1,3}([ \u00a0\u202f\u2009'\u2019][0-9]{3})+$"
_DECIMAL_COMMA = r"^0?,[0-9]+$"

_DIGITS = {chr(ord(zero) + digit): str(digit) for zero in "٠۰०০੦૦௦౦೦൦๐໐၀០０" for digit in range(10)} | {
    "٬": ",",
    "٫": ".",
    "−": "-",
    "－": "-",
}
"""The digits of other scripts, and the signs of Arabic numbers, as ASCII."""


def text(rows: pl.DataFrame, *names: str) -> pl.Expr:
    """The text under the first of the normal ``names`` that the row's file has as a column; null without any."""
    columns = [
        column for name in names for column in rows.columns if column not in PROVENANCE and normal(column) == name
    ]
    return pl.coalesce(pl.col(columns)) if columns else pl.lit(None, dtype=pl.String)


def is_missing(value: pl.Expr) -> pl.Expr:
    """True if the row's file has the column and the cell says that the value is unknown."""
    return value.str.strip_chars().str.to_lowercase().is_in(MISSING)


def pick(rows: pl.DataFrame, **columns: pl.Expr) -> pl.DataFrame:
    """``columns`` only, always with as many rows as ``rows``: a select of constants alone would have one."""
    return rows.with_columns(expr.alias(f"_{name}") for name, expr in columns.items()).select(
        pl.col(f"_{name}").alias(name) for name in columns
    )


@dataclass(frozen=True, kw_only=True)
class Column:
    """How one column is read: its text, the form and the bounds of a value, and its type.

    The bounds are those of the schema: a value accepted here never fails a table later, where all exports are combined.
    """

    text: pl.Expr
    kind: str
    """What a value is, in words for messages."""
    form: str
    dtype: pl.DataType
    least: float | None = None
    most: float | None = None
    required: bool = False

    def plain(self, cell: pl.Expr) -> pl.Expr:
        """``value`` for plain digits, as in almost every cell of a whole number; null if a closer look is needed."""
        if self.dtype != pl.Int64():
            return self.value(cell)
        return self._bounded(pl.when(~cell.str.starts_with("+")).then(cell).cast(self.dtype, strict=False))

    def value(self, cell: pl.Expr) -> pl.Expr:
        """The value of the text ``cell``; null if it is not a value of this column."""
        if self.dtype == pl.String():
            return self._bounded(pl.when(cell.str.contains(self.form)).then(cell))
        cell = cell.str.replace_many(_DIGITS)
        written = pl.when(cell.str.contains(self.form)).then(cell.str.replace_all(",", ""))
        for form, sign, instead in self.resaved:
            written = written.when(cell.str.contains(form)).then(cell.str.replace_all(sign, instead))
        return self._bounded(written.cast(self.dtype, strict=False))

    @property
    def resaved(self) -> tuple[tuple[str, str, str], ...]:
        """Unambiguous forms of other programs: the form, what to replace in it, and the replacement."""
        if self.dtype == pl.Int64():
            return ((DECIMAL_WHOLE, r"[.,]0+$", ""), (_SPACED_WHOLE, r"[^0-9-]", ""))
        return ((_DECIMAL_COMMA, ",", "."),)

    def _bounded(self, value: pl.Expr) -> pl.Expr:
        if self.least is None and self.most is None:
            return value
        within = pl.lit(value=True) if self.least is None else value >= self.least
        return pl.when(within if self.most is None else within & (value <= self.most)).then(value)

    def is_unknown(self, cell: pl.Expr) -> pl.Expr:
        """Whether the file lacks the column, or says that the value is missing, if it may be missing."""
        return pl.lit(value=False) if self.required else cell.is_null() | is_missing(cell)


def count(text: pl.Expr, *, least: int | None = None) -> Column:
    """A whole number, thousands commas allowed. Without ``least`` it may be negative: removals."""
    kind = "a whole number" if least is None else f"a whole number from {least} on"
    return Column(text=text, kind=kind, form=_WHOLE, dtype=pl.Int64(), least=least)


def hour(text: pl.Expr) -> Column:
    """An hour of the day. It is part of the grain, so it cannot be missing."""
    kind = "an hour from 0 to 23"
    return Column(text=text, kind=kind, form=_WHOLE, dtype=pl.Int64(), least=0, most=23, required=True)


def share(text: pl.Expr) -> Column:
    """A fraction from 0 to 1."""
    kind = "a share from 0 to 1 with a decimal point"
    return Column(text=text, kind=kind, form=_FRACTION, dtype=pl.Float64(), least=0, most=1)


def name(text: pl.Expr) -> Column:
    """A name that is part of the grain, so it cannot be missing."""
    return Column(text=text, kind="a name", form=r"\S", dtype=pl.String(), required=True)


_EXPORT_AGAIN = "Was the file edited? Export it again; if TikTok now writes this, the report's parser must be extended."


def typed(rows: pl.DataFrame, columns: Mapping[str, Column], remedy: str = _EXPORT_AGAIN) -> pl.DataFrame:
    """The provenance of ``rows``, and ``columns``. Raises UnreadableValue naming file, row, column and value.

    ``remedy``: what to do then.
    """
    cells = pick(rows, **{key: column.text.str.strip_chars() for key, column in columns.items()})
    values = cells.select(column.plain(pl.col(key)).alias(key) for key, column in columns.items())
    doubtful = {key: column for key, column in columns.items() if values[key].null_count()}
    closer = cells.select(column.value(pl.col(key)).alias(key) for key, column in doubtful.items())
    unknown = cells.select(column.is_unknown(pl.col(key)).alias(key) for key, column in doubtful.items())
    values = values.with_columns(closer)
    unread = {key: (closer[key].is_null() & ~unknown[key]).arg_true().to_list() for key in doubtful}
    if any(unread.values()):
        cases = [
            f"{cell_name(rows, row)}, {key}: {cells[key][row]!r} is not {columns[key].kind}"
            for key, bad in unread.items()
            for row in bad
        ]
        raise _unreadable(cases, remedy)
    return rows.select(key for key in rows.columns if key in PROVENANCE).hstack(values)


def cell_name(rows: pl.DataFrame, row: int) -> str:
    """Where a row was read: ``"Viewers_x.zip/Viewers.csv, row 3"``."""
    source, member, number = rows.select("source", "member", "row_number").row(row)
    return f"{source if source.endswith(member) else f'{source}/{member}'}, row {number}"


def _unreadable(cases: list[str], remedy: str) -> UnreadableValue:
    more = f"; and {len(cases) - 5} more" if len(cases) > 5 else ""
    return UnreadableValue(f"{'; '.join(cases[:5])}{more}; and no known mark for missing. {remedy}")


def day_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Provenance of a daily report: the label's day is used unchanged."""
    return rows.with_columns(date=pl.col("date_label"), date_shift_days=pl.lit(0, pl.Int64))


def snapshot_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Provenance of a snapshot: it describes the day of the download."""
    return rows.with_columns(date=pl.col("date_label"))
