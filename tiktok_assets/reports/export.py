"""An export that was read: what it is, which handles and days it contains, and its rows with their provenance.

Does not belong here: how a file is read (``reading``).
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tiktok_assets.exports.long_tables import pieces
from tiktok_assets.exports.months import months_between
from tiktok_assets.exports.names import NameFacts
from tiktok_assets.exports.provenance import PROVENANCE, READER_VERSION
from tiktok_assets.reports.member import MemberRows, warnings_of


@dataclass(frozen=True, kw_only=True)
class Export:
    """One file from TikTok: a ZIP, a loose CSV or XLSX, or insights. ``export_id`` is the sha256 of its bytes."""

    export_id: str
    path: Path
    facts: NameFacts
    members: tuple[MemberRows, ...]
    downloaded_at: dt.datetime
    downloaded_at_evidence: str
    vintage: dt.datetime
    """Orders this export among others of its account: see ``downloads.vintage``."""
    vintage_evidence: str
    unread: tuple[str, ...] = ()
    """Tables and files in it that are not TikTok's, and why; a sentence each."""
    notes: tuple[str, ...] = ()
    """How a snapshot without a date was dated by the files beside it."""

    @functools.cached_property
    def window(self) -> tuple[dt.date, dt.date]:
        """First and last day of the rows; the day of a snapshot is that of the download."""
        days = [day for member in self.members if member.is_daily for day in member.days.dates]
        if not all(member.is_daily for member in self.members) or not days:
            days.append(self.downloaded_at.date())
        return min(days), max(days)

    @property
    def months(self) -> list[dt.date]:
        """First day of every month from the window's first to its last: the partitions this export touches."""
        return months_between(*self.window)

    @property
    def sections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(member.report.section for member in self.members))

    @property
    def handles(self) -> tuple[str, ...]:
        """The handles it contains: those in video links, then the one in its name."""
        linked = [handle for member in self.members for handle in member.handles]
        return tuple(dict.fromkeys([*linked, *filter(None, [self.facts.handle])]))

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know that does not stop the export from being used."""
        found = [warning for member in self.members for warning in warnings_of(member)]
        return tuple(dict.fromkeys([*found, *self.notes, *(f"not read: {text}" for text in self.unread)]))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Of the warnings, those that say that the year of its days may be wrong."""
        return tuple(dict.fromkeys(doubt for member in self.members for doubt in member.days.doubts))

    @property
    def rests_on_file_time(self) -> bool:
        """Whether nothing but the file's time says the year of some of its days."""
        return any(member.days.is_by_file_time for member in self.members)

    def frames(self, *, account: str, source: str) -> Iterator[tuple[MemberRows, pl.DataFrame | pl.LazyFrame]]:
        """The raw rows of each member: the text of every column, with provenance. Lazy for very many rows."""
        first, last = self.window
        values = [
            {
                "account": account,
                "export_id": self.export_id,
                "source": source,
                "member": member.name,
                "downloaded_at": self.downloaded_at,
                "downloaded_at_evidence": self.downloaded_at_evidence,
                "vintage": self.vintage,
                "vintage_evidence": self.vintage_evidence,
                "window_first": first,
                "window_last": last,
                "year_evidence": member.days.year_evidence,
                "locale": member.locale,
                "product": member.layout.product,
                "variant": member.layout.variant,
                "parser_version": READER_VERSION,
            }
            for member in self.members
        ]
        # One frame for all members, since making one costs as much as reading a member.
        provenance = pl.DataFrame(
            [[*one.values()] for one in values], {name: PROVENANCE[name] for name in values[0]}, orient="row"
        )
        for number, member in enumerate(self.members):
            yield member, _beside(provenance[number : number + 1], self._labelled(member))

    def _labelled(self, member: MemberRows) -> pl.DataFrame | pl.LazyFrame:
        """The rows of ``member`` with the day of each; a snapshot's is the day of the download."""
        rows, captured = member.table.rows, self.downloaded_at.date()
        if isinstance(rows, pl.LazyFrame):
            return rows.with_columns(date_label=pl.lit(captured))
        if member.is_daily:
            days = pl.Series("date_label", member.days.dates, dtype=pl.Date)
        else:
            days = pl.repeat(captured, rows.height, dtype=pl.Date, eager=True).alias("date_label")
        return rows.clone().insert_column(0, days)

    def validate(self) -> None:
        """Parse every row once. Raises UnreadableValue naming file, row, column and value."""
        for member, rows in self.frames(account="", source=self.path.name):
            for piece in pieces(rows):
                member.report.parse(piece)


def _beside(provenance: pl.DataFrame, rows: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame | pl.LazyFrame:
    if isinstance(rows, pl.LazyFrame):  # a cross join would mix up their order
        values = zip(provenance.schema.items(), provenance.row(0), strict=True)
        return rows.select(*(pl.lit(value, dtype).alias(name) for (name, dtype), value in values), pl.all())
    return provenance.join(rows, how="cross")
