"""Finds the table in rows of cells that people and spreadsheet programs saved again, joined or added to.

Belongs here: where the header is, and which rows and columns besides the report's own can be left out because they add
no information. Whatever is left out is reported. Does not belong here: bytes and quoting (``tables``), which report a
header is (``reports.identify``).

TikTok keeps 365 days: older exports that exist only as such files cannot be exported again.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Row = Sequence[str]
IsHeader = Callable[[Row], bool]
HEAD = 20
"""How many rows are searched for a header."""

# How spreadsheets name their row of totals; in lower case.
_TOTALS = {
    *("total", "totals", "grand total", "sum", "sums", "overall", "summe", "gesamt", "gesamtergebnis", "insgesamt"),
    *("total general", "totale", "totaal", "eindtotaal", "suma", "soma", "somme", "summa", "totalt", "i alt"),
    *("yhteensä", "итого", "всего", "сумма", "razem", "celkem", "összesen", "toplam", "genel toplam", "jumlah"),
    *("tổng", "tổng cộng", "σύνολο", "รวม", "ผลรวม", "कुल", "合計", "合计", "总计", "總計", "합계", "총계"),
    *("المجموع", "الإجمالي", "סה״כ", "σ", "∑"),
}
_DIGIT = re.compile(r"\d")
_NUMBER = re.compile(r"[+-]?\d+(?:\.0+)?")


@dataclass(frozen=True)
class Found:
    """A table without what was added to it. ``above``: the rows above its header. ``notes``: a sentence each."""

    header: list[str]
    rows: list[list[str]]
    above: Sequence[Row]
    notes: tuple[str, ...]


def header_row(rows: Sequence[Row], is_header: IsHeader) -> int | None:
    """The number of the first header among the first rows; None if there is none."""
    return next((number for number, row in enumerate(rows[:HEAD]) if is_header(row)), None)


def parted(rows: Sequence[list[str]], is_header: IsHeader | None) -> list[list[list[str]]]:
    """The rows of each table in a file or sheet, without empty rows.

    Another table begins with the header of another report, or with the text above it, or below an empty row with rows
    that cannot belong to the table above.
    """
    parts: list[list[list[str]]] = [[]]
    header: Row | None = None
    is_below_empty = False
    for number, row in enumerate(rows):
        if not any(map(str.strip, row)):
            is_below_empty = True
            continue
        is_new = is_header is not None and _is_new(row, header, is_header)
        if header is not None and (is_new or (is_below_empty and _is_another(rows[number:], header, is_header))):
            parts.append([])
            header = None
        if is_new:
            header = row
        parts[-1].append(row)
        is_below_empty = False
    return parts


def _is_new(row: Row, header: Row | None, is_header: IsHeader | None) -> bool:
    """Whether a row is the header of a report and not ``header``. No header contains a digit, almost every row does."""
    if is_header is None or _DIGIT.search("".join(row)):
        return False
    return is_header(row) and (header is None or not _same(row, header))


def _is_another(rows: Sequence[Row], header: Row, is_header: IsHeader | None) -> bool:
    """Whether the rows down to the next empty one have another header, or none has the cells that ``header`` has."""
    block = list(itertools.takewhile(lambda row: any(map(str.strip, row)), rows))
    if any(_is_new(row, header, is_header) for row in block):
        return True
    return all(len(row) != len(header) or _width(row) == 1 for row in block)


def _width(row: Row) -> int:
    """How many cells a row has, without empty ones behind the last value."""
    return max((column for column, cell in enumerate(row, start=1) if cell.strip()), default=0)


def table_in(rows: Sequence[list[str]], at: int) -> Found:
    """The table whose header is the row ``at``. Rows of other lengths than the header's stay as they are."""
    above, header, body = list(rows[:at]), list(rows[at]), [list(row) for row in rows[at + 1 :]]
    notes: list[str] = []
    if above:
        shown = " / ".join(" ".join(cell for cell in row if cell.strip()) for row in above)[:200]
        notes.append(f"{_rows(len(above))} above its header not read: {shown}")
    header, body = _without_empty_columns(header, body)
    repeated = [number for number, row in enumerate(body, 1) if _same(row, header)]
    if repeated:
        body = [row for row in body if not _same(row, header)]
        notes.append(f"its header repeated in row {repeated[0]}: files were joined")
    for place, name in ((len(body) - 1, "last"), (0, "first")):
        if len(body) > 1 and _is_total(body[place], body[:place] or body[1:], _label_of(header)):
            total = body.pop(place)
            notes.append(f"a row of totals ({name} row: {', '.join(total)[:100]}), which was not read")
    return Found(header=header, rows=body, above=above, notes=tuple(notes))


def _without_empty_columns(header: list[str], body: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """Without columns that have neither a name nor a value, and without empty cells behind the last column."""
    width = len(header)
    body = [row[:width] if not any(map(str.strip, row[width:])) else row for row in body]
    empty = [
        column
        for column, name in enumerate(header)
        if not name.strip() and all(len(row) <= column or not row[column].strip() for row in body)
    ]
    if not empty:
        return header, body
    return _without(header, empty), [_without(row, empty) for row in body]


def _without(row: list[str], columns: list[int]) -> list[str]:
    return [cell for column, cell in enumerate(row) if column not in columns]


def _same(row: Row, header: Row) -> bool:
    return [cell.strip().casefold() for cell in row] == [cell.strip().casefold() for cell in header]


def _label_of(header: Row) -> int:
    names = [name.strip().casefold() for name in header]
    return next((names.index(name) for name in ("date", "time") if name in names), 0)


def _is_total(row: Row, others: Sequence[Row], label: int) -> bool:
    """Whether a row is named a total, or has no name and in each column the sum of the others."""
    if len(row) <= label:
        return False
    name = row[label].strip().strip(":").casefold()
    if name in _TOTALS:
        return True
    return not name and any(map(str.strip, row)) and _adds_up(row, others)


def _adds_up(row: Row, others: Sequence[Row]) -> bool:
    sums = 0
    for column, cell in enumerate(row):
        cells = [other[column] for other in others if len(other) > column]
        if not cell.strip():
            continue
        if not all(_NUMBER.fullmatch(one.strip()) for one in (cell, *cells)):
            return False
        if float(cell) != sum(map(float, cells)):
            return False
        sums += 1
    return sums > 0


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
