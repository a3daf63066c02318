"""One report as one export contains it, and what a person should know about it.

Belongs here: warnings, which do not stop the export from being used. Does not belong here: reading a file (``export``).
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from tiktok_assets.exports.evidence import DatedRows
from tiktok_assets.exports.text_rows import LINK, ROW, TITLE, Table, normal
from tiktok_assets.reports._columns import DECIMAL_WHOLE
from tiktok_assets.reports.content import CONTENT, VIDEO_LINK
from tiktok_assets.reports.identify import Layout
from tiktok_assets.reports.report import Report


@dataclass(frozen=True, kw_only=True)
class MemberRows:
    """One report as one export contains it. ``dates`` has a day per row, or nothing for snapshots."""

    name: str
    layout: Layout
    table: Table
    days: DatedRows
    locale: str | None
    handles: tuple[str, ...]
    """The handles in video links, or that of an insights file; no other report names its account."""

    @property
    def report(self) -> Report:
        return self.layout.report

    @property
    def is_daily(self) -> bool:
        return self.report.is_daily


def warnings_of(member: MemberRows) -> Iterator[str]:
    """What a person should know that does not stop the export from being used."""
    yield from member.days.warnings
    title, dates, layout = member.report.title, member.days.dates, member.layout
    yield from (f"{title} lacks {note}" for note in member.table.notes)
    if saved_again := [*member.table.saved_again, *_decimals(member)]:
        yield f"{title} was saved again by another program: {'; '.join(saved_again)}. No value is lost"
    if layout.unknown:
        yield f"{title} has unknown columns, kept as text in raw: {', '.join(layout.unknown)}"
    if layout.unused:
        yield f"{title} has columns that another column replaces, kept as text in raw: {', '.join(layout.unused)}"
    if layout.missing:
        yield f"{title} lacks columns, their values are unknown: {', '.join(map(str.strip, layout.missing))}"
    if isinstance(member.table.rows, pl.DataFrame) and member.table.rows.is_empty():
        yield f"{title} has no rows: TikTok has no data for it (small accounts get only the header)"
    yield from _empty(member)
    yield from _repeated(member)
    is_one_a_day = member.is_daily and member.report.grain == ("date",)
    if is_one_a_day and dates and max(dates) - min(dates) >= dt.timedelta(days=len(set(dates))):
        yield f"{title} leaves out days between {min(dates)} and {max(dates)}"


def _decimals(member: MemberRows) -> Iterator[str]:
    """Whole numbers that a program wrote with a decimal point. Insights have them as Studio's pages load them."""
    if member.report.is_optional:
        return
    rows, known = member.table.rows, set(member.table.header).difference(member.layout.unknown)
    names = [name for name in member.table.header if name in known and normal(name) != "distribution"]
    if isinstance(rows, pl.DataFrame) and names:
        written = rows.select(pl.any_horizontal(pl.col(names).str.contains(DECIMAL_WHOLE)).any()).item()
        if written:
            yield "counts written as 100.0"


def _empty(member: MemberRows) -> Iterator[str]:
    """Cells without a value, which TikTok never writes: a missing one is "undefined". A title may be empty."""
    rows, layout = member.table.rows, member.layout
    left_out = {*layout.unknown, layout.label_column, member.table.column(TITLE)}
    names = [name for name in member.table.header if name not in left_out]
    if member.report.is_optional or not names:
        return
    is_empty = [(pl.col(name).str.strip_chars() == "").alias(name) for name in names]
    found = rows.lazy().select(ROW, *is_empty).filter(pl.any_horizontal(names)).head(_SHOWN + 1)
    engine = "in-memory" if isinstance(rows, pl.DataFrame) else "streaming"
    cells = [
        f"row {number}, {name}"
        for number, *empty in found.collect(engine=engine).rows()
        for name, one in zip(names, empty, strict=True)
        if one
    ]
    if cells:
        shown = "; ".join(cells[:_SHOWN]) + (" ..." if len(cells) > _SHOWN else "")
        yield f"{member.report.title} has empty cells, their values are unknown ({shown}): the file was edited"


def _repeated(member: MemberRows) -> Iterator[str]:
    """Grains in several rows of one table, with their rows: ``latest_per_grain`` takes the last of them."""
    report, table = member.report, member.table
    keys = [column for name in report.grain if (column := table.column(_COLUMN_OF.get(name, name)))]
    if report.is_optional or not keys:
        return
    cells = [_key(report, column) for column in keys]
    grains = table.rows.lazy().select(*cells, ROW)
    grains = grains.collect(engine="in-memory" if isinstance(table.rows, pl.DataFrame) else "streaming")
    if member.is_daily:
        grains = grains.with_columns(pl.Series("date", member.days.dates, dtype=pl.Date))
    key = grains.drop(ROW).columns
    repeated = grains.filter(grains.select(key).is_duplicated())
    if repeated.is_empty():
        return
    by_grain = repeated.sort(ROW).group_by(key, maintain_order=True).agg(ROW)[ROW]
    found: list[list[int]] = by_grain.head(_SHOWN).to_list()
    what = _WORD_OF[report.grain[-1]]
    values = [column for column in table.header if column not in keys and column != member.layout.label_column]
    rows = table.rows.lazy().filter(pl.col(ROW).is_in(list(itertools.chain(*found))))
    by_number = {number: row for number, *row in rows.select(ROW, *values).collect(engine="streaming").rows()}
    shown = "; ".join(_rows_of_grain(numbers, by_number) for numbers in found)
    more = f"; and {len(by_grain) - _SHOWN} more" if len(by_grain) > _SHOWN else ""
    yield f"{report.title} names {what} more than once ({shown}{more}); the last row of {what} is used"


def _key(report: Report, column: str) -> pl.Expr:
    """A part of the grain as rows are compared: a video by its id, since its link may be written in several ways."""
    cell = pl.col(column).str.strip_chars()
    if report is CONTENT:
        return cell.str.extract(VIDEO_LINK, 2).cast(pl.UInt64, strict=False)
    return pl.coalesce(cell.cast(pl.Float64, strict=False).cast(pl.String), cell)  # hour 5 may be written as 05 or 5.0


def _rows_of_grain(numbers: Sequence[int], by_number: Mapping[int, Sequence[str]]) -> str:
    """``rows 1 and 3 with equal values``"""
    is_equal = len({tuple(by_number[number]) for number in numbers}) == 1
    listed = ", ".join(map(str, numbers[:_SHOWN])) + (" ..." if len(numbers) > _SHOWN else "")
    return f"rows {listed} with {'equal' if is_equal else 'different'} values"


_SHOWN = 5
_COLUMN_OF = {"video_id": LINK, "territory": "top territories"}
"""The column of a part of the grain, if it has another name."""
_WORD_OF = {
    "date": "a day",
    "hour": "an hour",
    "video_id": "a video",
    "gender": "a gender",
    "territory": "a territory",
}
