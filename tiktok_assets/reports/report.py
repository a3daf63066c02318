"""What a report is, and how several exports of it become one row per grain."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import pandera.polars as pa
import polars as pl

UtcTime = Annotated[pl.Datetime, "us", "UTC"]

EXPORT_ORDER = ("vintage", "downloaded_at", "export_id")
"""The order of rows of several exports, the newest last: see ``exports.downloads.vintage``."""

PROVENANCE_COLUMNS = ("date_label", "date_shift_days", "export_id", "downloaded_at")


class Staged(pa.DataFrameModel):
    """The columns that every staged row has."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(
        description="the day the row speaks of, as its export labels it; for snapshots the day of the download (UTC)"
    )
    export_id: str = pa.Field(description="sha256 of the newest export that contributed a number")
    downloaded_at: UtcTime = pa.Field(description="when that export was downloaded (UTC)")

    class Config(pa.DataFrameModel.Config):
        strict = True


class StagedDay(Staged):
    """The columns of every row whose day was named by a label without a year."""

    date_label: pl.Date = pa.Field(description="the day as the export labels it")
    date_shift_days: int = pa.Field(description="date_label minus date, in days")


@dataclass(frozen=True, kw_only=True)
class Report:
    """One TikTok Studio report: where it is found, how it is read, what must hold.

    A field belongs here only if every report has it. What one report needs goes into its ``parse``.
    """

    name: str
    section: str
    """The export it comes in: "followers"."""
    headers: Mapping[str, tuple[str, ...]]
    """Every known header, by variant. "studio" is what Studio writes today, "business_suite" the Business Suite."""
    signature: tuple[tuple[str, ...], ...]
    """The columns, in normal form, that a file must have to be this report; one of each group."""
    alternatives: tuple[tuple[str, ...], ...] = ()
    """Columns of one meaning, in normal form: a value's own column first, then its substitutes."""
    label: str | None
    """The column whose text names the row's day; None for a snapshot."""
    grain: tuple[str, ...]
    unit: tuple[str, ...]
    """What a newer export replaces as a whole: a day, or all of a snapshot (shares of two snapshots never mix)."""
    description: str
    parse: Callable[[pl.DataFrame], pl.DataFrame]
    """Raw rows -> typed rows, with the columns of ``schema``, one for one where a row is one fact. Raises
    UnreadableValue."""
    schema: type[pa.DataFrameModel]
    parser_version: str
    is_optional: bool = False
    """Whether complete exports may lack it without a warning: only our browser captures insights."""

    @property
    def member(self) -> str:
        """The file inside Studio's ZIP: "FollowerHistory.csv"."""
        return f"{self.title}.csv"

    @property
    def title(self) -> str:
        """TikTok's own name: "FollowerHistory"."""
        special = {"follower_territories": "FollowerTopTerritories"}
        return special.get(self.name) or "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def is_daily(self) -> bool:
        """Whether the label of each row names the day of its values."""
        return "date_label" in self.columns

    @functools.cached_property
    def values(self) -> tuple[str, ...]:
        """The columns with the reported values: all but key and provenance."""
        others = {"account", "date", *self.grain, *PROVENANCE_COLUMNS}
        return tuple(name for name in self.schema.to_schema().columns if name not in others)

    @functools.cached_property
    def columns(self) -> tuple[str, ...]:
        """All staged columns in the order people read them: key, values, provenance."""
        schema = self.schema.to_schema().columns
        key = dict.fromkeys(("account", "date", *self.grain))
        return (*key, *self.values, *(name for name in PROVENANCE_COLUMNS if name in schema))


def latest_per_grain(report: Report, parsed: pl.DataFrame) -> pl.DataFrame:
    """One row per account and grain from all the rows that exports report for it.

    The newest export wins, but a null never replaces a number: per column the newest number is used, and
    ``export_id`` names the newest export that contributed one. Newest is the latest ``vintage``, then the latest
    ``downloaded_at``; between exports that are equal in both the id decides, which ``undecided`` reports. The result
    does not depend on the order of ``parsed``.
    """
    key = ["account", *report.grain]
    distinct = parsed.lazy().select(key).unique().select(pl.len()).collect(engine="streaming").item()
    if distinct == parsed.height and report.unit == report.grain:  # nothing to choose, as in one list of 900,000 videos
        return parsed.select(report.columns).sort(key)
    known = pl.any_horizontal(pl.col(report.values).is_not_null())
    ordered = parsed.with_columns(_known=known).sort(*EXPORT_ORDER, "row_number")
    if report.unit != report.grain:
        newest = pl.col("export_id").filter(pl.col("_known")).last().over("account", *report.unit)
        ordered = ordered.filter(pl.col("export_id") == newest.fill_null(pl.col("export_id")))
    provenance = [name for name in PROVENANCE_COLUMNS if name in parsed.columns]
    latest = ordered.group_by(key, maintain_order=True).agg(
        *(pl.col(name).drop_nulls().last() for name in report.values),
        *(pl.col(name).filter(pl.col("_known")).last().fill_null(pl.col(name).last()) for name in provenance),
    )
    return latest.select(report.columns).sort(key)


def undecided(report: Report, parsed: pl.DataFrame) -> pl.DataFrame:
    """The grains whose newest number is decided only by the ids of the exports: account, ``report.grain`` and the ids.

    These exports are equally old by all evidence and report different numbers.
    """
    key = ["account", *report.grain]
    none = parsed.clear().select(*key, export_ids=pl.lit(None, pl.List(pl.String)))
    if parsed["export_id"].n_unique() < 2:  # as in one list of 900,000 videos
        return none
    rivals = parsed.filter(pl.col("export_id").min().over(key) != pl.col("export_id").max().over(key))
    if rivals.is_empty():
        return none
    newest = rivals.filter(pl.any_horizontal(pl.col(report.values).is_not_null()))
    for moment in ("vintage", "downloaded_at"):
        newest = newest.filter(pl.col(moment) == pl.col(moment).max().over(key))
    differing = pl.any_horizontal(pl.col(name).drop_nulls().n_unique() > 1 for name in report.values)
    return (
        newest.group_by(key)
        .agg(export_ids=pl.col("export_id").unique().sort(), _differ=differing)
        .filter(pl.col("_differ") & (pl.col("export_ids").list.len() > 1))
        .drop("_differ")
        .sort(key)
    )
