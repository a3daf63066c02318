"""The trace of one number: every export that reported it, where it stands in it, and which one won.

Belongs here: which reports a number can come from, and what became of each. Does not belong here: reading, parsing,
aligning and choosing the latest row, which are the assets' own (``as_of``); printing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tiktok_assets.accounts import Account
from tiktok_assets.curated.account.account_daily import AccountDaily
from tiktok_assets.curated.account.formulas import OF_DAY, OF_VIDEO
from tiktok_assets.curated.videos.videos import COUNTS, RATES
from tiktok_assets.exports.problems import ExportProblem
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports import Report
from tiktok_assets.reports._columns import is_missing
from tiktok_assets.reports.alignment import DAILY, aligned
from tiktok_assets.reports.content import CONTENT
from tiktok_assets.reports.insights import INSIGHTS
from tiktok_assets.reports.report import EXPORT_ORDER
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets.vintages.known_exports import KnownExports

if TYPE_CHECKING:
    from tiktok_assets.vintages.as_of import HistoricalLake

_ORDERED_BY = {
    "captured_at": "captured",
    "zip_stamp": "ZIP stamp",
    "zip_name": "by its name",
    "export_date_column": "by its column Time",
    "window_end": "by its last day",
    "siblings": "by the files beside it",
    "file_time": "file time",
}
"""The evidence of a vintage, as it reads in a sentence."""

_ROW = ["export_id", "member", "row_number"]
# A label is at most 2 days off its real day.
_NEAR = dt.timedelta(days=3)
_LOOKS_LIKE_A_NUMBER = r"^\s*[-+−]?[0-9][0-9,.eE+-]*\s*$"


class UnknownMetric(ValueError):
    """No export can contain this number. The message lists those that can be traced."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One number in one export, and what became of it."""

    value: float | None
    text: Mapping[str, str]
    """The cells it was read from, by column, as they stand in the file; each of several decides the number."""
    export_id: str
    file: str
    """Below the account's folder in landing or the archive."""
    member: str
    row: int
    """1 is the first row below the header."""
    report: str
    downloaded_at: dt.datetime
    vintage: dt.datetime
    """The moment that orders the exports; ``vintage_evidence`` says what it rests on."""
    vintage_evidence: str
    date_label: dt.date
    shift_days: int
    """Label minus real day. 0 for snapshots."""
    confidence: str | None
    evidence: tuple[str, ...]
    won: bool
    why: str


@dataclass(frozen=True, kw_only=True)
class MetricTrace:
    """The exports of one number, newest first. A derived number has ``parts`` instead."""

    account: str
    date: dt.date
    metric: str
    video_id: str | None
    value: float | None
    """What the tables say; None is unknown."""
    observations: tuple[Observation, ...] = ()
    formula: str | None = None
    parts: tuple[MetricTrace, ...] = ()

    @property
    def is_reported(self) -> bool:
        """Whether any export reported it."""
        return bool(self.observations) or any(part.is_reported for part in self.parts)


@dataclass(frozen=True)
class Source:
    """A column of a staging table that holds a metric; ``where``: in which of a day's rows."""

    report: Report
    column: str
    where: Mapping[str, str]


def trace(settings: Settings, account: Account, date: dt.date, metric: str, video_id: str | None = None) -> MetricTrace:
    """The trace of ``metric`` on the real day ``date`` (UTC); with ``video_id``, of a video as captured on that day.

    ``metric``: a column of social_media_stats or curated/account_daily; with ``video_id`` of content_performance.
    Raises UnknownMetric.
    """
    return trace_of(KnownExports(Lake(settings), (account.key,), dt.datetime.now(dt.UTC)), date, metric, video_id)


def trace_of(known: KnownExports, date: dt.date, metric: str, video_id: str | None = None) -> MetricTrace:
    """As ``trace``, from the ``known`` exports of one account."""
    empty = MetricTrace(account=known.accounts[0], date=date, metric=metric, video_id=video_id, value=None)
    if formula := (OF_DAY if video_id is None else OF_VIDEO).get(metric):
        known = _with_tables(known)
        row = _row(known, date, video_id)
        days_before = (0, row.get(formula.over) or 0) if formula.over else formula.days_before
        days = [
            (part, date - dt.timedelta(days=days)) for part in formula.metrics for days in dict.fromkeys(days_before)
        ]
        parts = tuple(trace_of(known, day, part, video_id) for part, day in days)
        return dataclasses.replace(empty, value=row.get(metric), formula=formula.text, parts=parts)
    observations = tuple(_observations(known, date, _sources(metric, video_id)))
    value = next((one.value for one in observations if one.won), None)
    return dataclasses.replace(empty, value=value, observations=observations)


def _with_tables(known: KnownExports) -> HistoricalLake:
    """With the tables of the warehouse too, from which a derived number is read."""
    from tiktok_assets.vintages.as_of import HistoricalLake

    return known if isinstance(known, HistoricalLake) else HistoricalLake(known.lake, known.accounts, known.moment)


def _row(known: HistoricalLake, date: dt.date, video_id: str | None) -> dict[str, Any]:
    """The row of the warehouse that holds the number; empty if there is none."""
    if video_id is None:
        rows = known.rows("warehouse/social_media_stats").filter(date=date)
    else:
        rows = known.rows("warehouse/content_performance").filter(captured_on=date, video_id=video_id)
    return rows.row(0, named=True) if rows.height else {}


def _sources(metric: str, video_id: str | None) -> list[Source]:
    """Where a metric comes from, in order of preference. Raises UnknownMetric."""
    if video_id is None:
        found = _sources_of_days().get(metric)
        others = [*_sources_of_days(), *OF_DAY]
    else:
        video = {"video_id": video_id}
        content = [Source(CONTENT, metric, video)] if metric in COUNTS else []
        insights = [Source(INSIGHTS, "value", {"metric": metric, "item": "", **video})]
        found = [*content, *insights] if metric in (*COUNTS, *RATES) else None
        others = [*COUNTS, *RATES, *OF_VIDEO]
    if found is None:
        of = "a day" if video_id is None else "a video"
        more = "; of a video, with --video: total_views and others" if video_id is None else ""
        raise UnknownMetric(f"{metric!r} cannot be traced. Of {of}: {', '.join(dict.fromkeys(others))}{more}.")
    return found


def _sources_of_days() -> dict[str, list[Source]]:
    """As ``curated.account.account_daily`` joins them."""
    daily = [report for report in DAILY if report.grain == ("date",)]
    found: dict[str, list[Source]] = {}
    for name in map(str, AccountDaily.to_schema().columns):
        if reports := [report for report in daily if name in report.values]:
            found[name] = [Source(report, name, {}) for report in reports]
    return found | {"following": [Source(INSIGHTS, "value", {"metric": "following", "item": "", "video_id": ""})]}


def _observations(known: KnownExports, date: dt.date, sources: list[Source]) -> Iterator[Observation]:
    """What each export says, by source, newest first."""
    winner: dict[str, Any] | None = None
    shifts = {(one.export_id, one.report): one for found in known.verdicts.values() for one, _ in found}
    for source in sources:
        report = source.report
        raw = known.raw(report.name).filter(pl.col("date_label").is_between(date - _NEAR, date + _NEAR)).collect()
        rows = report.parse(raw)
        if report in DAILY:
            rows = aligned(rows, known.alignment, report.name)
        rows = rows.filter(pl.col("date") == date, **source.where)
        cells = _cells(source, raw.join(rows, on=_ROW, how="semi"))
        for row in rows.sort(*EXPORT_ORDER, "row_number", descending=True).iter_rows(named=True):
            verdict = shifts.get((row["export_id"], report.name))
            value, won = row[source.column], winner is None and row[source.column] is not None
            why = _why(row, value, report, winner)
            winner = {**row, "report": report} if won else winner
            yield Observation(
                value=value,
                text=cells.get(tuple(row[key] for key in _ROW), {}),
                export_id=row["export_id"],
                file=row["source"],
                member=row["member"],
                row=row["row_number"],
                report=report.name,
                downloaded_at=row["downloaded_at"],
                vintage=row["vintage"],
                vintage_evidence=row["vintage_evidence"],
                date_label=row["date_label"],
                shift_days=verdict.shift_days if verdict else 0,
                confidence=verdict.confidence if verdict else None,
                evidence=verdict.evidence + verdict.against if verdict else (),
                won=won,
                why=why,
            )


def _why(row: Mapping[str, Any], value: float | None, report: Report, winner: Mapping[str, Any] | None) -> str:
    """Why a number won or not; ``winner``: the winning row, if it comes before this one."""
    if value is None:
        return "not used: the export has no number"
    if winner is None:
        return f"won: the newest with a number ({_ORDERED_BY[row['vintage_evidence']]})"
    if winner["report"] is not report:
        return f"not used: {winner['report'].title} reports it and takes precedence"
    if winner["export_id"] == row["export_id"]:
        return f"not used: row {winner['row_number']} of the same export repeats it"
    other = winner["export_id"][:8]
    if row["vintage"] < winner["vintage"]:
        return f"not used: older than {other} ({_ORDERED_BY[row['vintage_evidence']]} {row['vintage']:%Y-%m-%d %H:%M})"
    if row["downloaded_at"] < winner["downloaded_at"]:
        return f"not used: {other} has the later file time, and nothing else distinguishes them"
    return f"not used: as old as {other} by all evidence; the larger id wins"


def _cells(source: Source, raw: pl.DataFrame) -> dict[tuple[Any, ...], dict[str, str]]:
    """The cells that decide a number, by row: those that change it when their text is changed.

    The report's own parser decides, so that no second list has to say which header becomes which column.
    """
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    columns = [name for name in raw.columns if name not in PROVENANCE] if raw.height else []
    for name in ["Value"] if columns and source.report is INSIGHTS else columns:
        cell = pl.col(name)
        other = pl.when(cell.str.strip_chars() == "1").then(pl.lit("0")).otherwise(pl.lit("1"))
        is_number = cell.str.contains(_LOOKS_LIKE_A_NUMBER) | is_missing(cell)
        try:
            changed = source.report.parse(raw.with_columns(pl.when(is_number).then(other).otherwise(cell).alias(name)))
        except ExportProblem:  # the column cannot hold a number, for example a link
            continue
        before = source.report.parse(raw)
        same = before.join(changed, on=[*_ROW, source.column], how="semi", nulls_equal=True)
        for row in raw.join(same, on=_ROW, how="anti").iter_rows(named=True):
            found.setdefault(tuple(row[key] for key in _ROW), {})[name] = row[name]
    return found
