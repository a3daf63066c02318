"""Which days do an account's exports contain, and which are missing?

Belongs here: what counts as a day covered, missing or unsettled, for each report. Does not belong here: which export to
make next (``export_coach``, ``content_coach``), reading tables (``status``).

A day is *covered* when the report's main number is known, *missing* when it is not although the account has earlier
days, *unsettled* when it was exported before its numbers were final. The same export labels one report a day later than
another: a day at the *edge* of the account's days, beyond which a report ends a day early, is not missing in it.
Snapshots (gender, territories, content) describe only the day of their download: they have captures, and nothing is
missing between two of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from tiktok_assets.curated.table import Input, Table
from tiktok_assets.exports.months import month_of
from tiktok_assets.exports.windows import DAY, Window
from tiktok_assets.reports.report import UtcTime

# Days after which numbers count as final, from the end of the day they describe.
FINAL_AFTER = 3
# How far back Studio shows a day: a year of days, a week of active hours.
YEAR, WEEK = 365, 7
# Days by which a report may begin later, or end earlier, than the account's days: viewers labelled a day late.
EDGE = 1


@dataclass(frozen=True, kw_only=True)
class Counted:
    """How the days of a report are counted."""

    section: str
    """The export it comes in."""
    known: pl.Expr
    """Over the staged rows of a day: whether they contain the main number."""
    reach: int | None = None
    """For how many days after it a day can be exported; None for a snapshot."""


COUNTED: Mapping[str, Counted] = {
    "overview": Counted(section="overview", known=pl.col("video_views").is_not_null().any(), reach=YEAR),
    "viewers": Counted(section="viewers", known=pl.col("unique_viewers").is_not_null().any(), reach=YEAR),
    "follower_history": Counted(section="followers", known=pl.col("followers").is_not_null().any(), reach=YEAR),
    # Every hour of the day: exports end in the middle of a local day, and TikTok fills it up with zeros.
    "follower_activity": Counted(
        section="followers",
        known=(pl.col("active_followers").is_not_null() & ~pl.col("is_zero_tail")).all(),
        reach=WEEK,
    ),
    "follower_gender": Counted(section="followers", known=pl.col("share").is_not_null().any()),
    "follower_territories": Counted(section="followers", known=pl.col("share").is_not_null().any()),
    "content": Counted(section="content", known=pl.col("total_views").is_not_null().any()),
}
# Reports that a window of days is chosen for; activity comes along, for the last days whatever the window.
_BY_WINDOW = tuple(name for name, counted in COUNTED.items() if counted.reach == YEAR)
_DAYS = {
    "account": pl.String,
    "report": pl.String,
    "date": pl.Date,
    "is_known": pl.Boolean,
    "oldest_export": pl.Datetime("us", "UTC"),
    "last_export": pl.Datetime("us", "UTC"),
}


class Coverage(pa.DataFrameModel):
    """One row per account, month and report: its days in exports. For what is missing today: `tiktok-assets status`."""

    account: str = pa.Field(description="account key, as in accounts.toml")
    date: pl.Date = pa.Field(description="first day of the month")
    report: str = pa.Field(isin=list(COUNTED), description="the report: overview, viewers, follower_history ...")
    first_day: pl.Date = pa.Field(nullable=True, description="first day covered in the month; for snapshots captured")
    last_day: pl.Date = pa.Field(nullable=True, description="last day covered in the month; for snapshots captured")
    days_in_month: int = pa.Field(ge=28, le=31, description="days of the month")
    days_covered: int = pa.Field(ge=0, le=31, description="days whose main number is known; for snapshots captures")
    days_missing: int = pa.Field(
        nullable=True,
        ge=0,
        le=31,
        description="days not covered between the first and last day of the month that an overview, viewers or "
        "follower_history contains, except one day at either end, which its labels may not reach; of "
        "follower_activity between its own. Null for snapshots",
    )
    days_without_number: int = pa.Field(
        nullable=True, ge=0, le=31, description="days that exports name without knowing the number. Null for snapshots"
    )
    days_unsettled: int = pa.Field(
        nullable=True,
        ge=0,
        le=31,
        description=f"of the days covered, those exported less than {FINAL_AFTER} days after they ended. Null for "
        "snapshots",
    )
    last_export: UtcTime = pa.Field(nullable=True, description="when the newest export behind them was downloaded")

    class Config(pa.DataFrameModel.Config):
        strict = True
        unique = ["account", "date", "report"]


def columns_of(report: str) -> list[str]:
    """The staged columns that coverage is made of."""
    return list(dict.fromkeys(("account", "date", "downloaded_at", *COUNTED[report].known.meta.root_names())))


def reported_days(report: str, staged: pl.DataFrame | pl.LazyFrame) -> pl.LazyFrame:
    """One row per account and day out of the staged rows of ``report``.

    ``is_known``: whether the day is covered; ``oldest_export``: when the oldest of its numbers was downloaded;
    ``last_export``: the newest.
    """
    return (
        staged.lazy()
        .group_by("account", "date")
        .agg(
            is_known=COUNTED[report].known,
            oldest_export=pl.col("downloaded_at").min(),
            last_export=pl.col("downloaded_at").max(),
        )
        .select(pl.lit(report).alias(name) if name == "report" else pl.col(name) for name in _DAYS)
    )


def all_reported_days(staged: Mapping[str, pl.DataFrame | pl.LazyFrame]) -> pl.DataFrame:
    """``reported_days`` of several reports, in order."""
    frames = [reported_days(report, rows).cast(_DAYS) for report, rows in staged.items()]  # pyright: ignore[reportArgumentType]
    found = [frame.collect(engine="streaming") for frame in frames]
    return pl.concat(found).sort("account", "report", "date")


def coverage(days: pl.DataFrame, final_after: int = FINAL_AFTER) -> pl.DataFrame:
    """The rows of ``Coverage`` out of ``reported_days``. Each month is judged by its own days alone."""
    known, unsettled = pl.col("is_known"), pl.col("is_known") & _is_unsettled(final_after)
    days = days.with_columns(month=month_of(pl.col("date")))
    spans = (
        days.filter(known & pl.col("report").is_in(_BY_WINDOW))
        .group_by("account", "month")
        .agg(_first=pl.col("date").min(), _last=pl.col("date").max())
    )
    reports = pl.DataFrame(
        [(name, counted.reach) for name, counted in COUNTED.items()],
        schema={"report": pl.String, "_reach": pl.Int64},
        orient="row",
    )
    own = days.group_by("account", "month", "report").agg(
        first_day=pl.col("date").filter(known).min(),
        last_day=pl.col("date").filter(known).max(),
        days_covered=known.sum().cast(pl.Int64),
        days_without_number=(~known).sum().cast(pl.Int64),
        days_unsettled=unsettled.sum().cast(pl.Int64),
        last_export=pl.col("last_export").max(),
    )
    counts = ("days_covered", "days_without_number", "days_unsettled")
    is_snapshot = pl.col("_reach").is_null()
    edge = pl.duration(days=EDGE)
    begins_at_edge, ends_at_edge = (
        pl.col("first_day") <= pl.col("_first") + edge,
        pl.col("last_day") >= pl.col("_last") - edge,
    )
    of_account = pl.col("_reach") == YEAR
    first = pl.when(of_account & ~begins_at_edge.fill_null(value=False)).then("_first").otherwise("first_day")
    last = pl.when(of_account & ~ends_at_edge.fill_null(value=False)).then("_last").otherwise("last_day")
    span = ((last - first).dt.total_days() + 1).fill_null(0)
    return (
        days.select("account", "month")
        .unique()
        .join(reports, how="cross")
        .join(own, on=["account", "month", "report"], how="left")
        .join(spans, on=["account", "month"], how="left")
        .with_columns(pl.col(name).fill_null(0) for name in counts)
        .with_columns(
            date="month",
            days_in_month=pl.col("month").dt.days_in_month().cast(pl.Int64),
            days_missing=span - pl.col("days_covered"),
        )
        .with_columns(
            pl.when(~is_snapshot).then(name).alias(name)
            for name in ("days_missing", "days_without_number", "days_unsettled")
        )
        .select(list(Coverage.to_schema().columns))
        .sort("account", "date", "report")
    )


@dataclass(frozen=True, kw_only=True)
class ReportCoverage:
    """The coverage of one report by an account's exports, up to the newest day Studio may have data for."""

    report: str
    covered: frozenset[dt.date]
    """The days whose main number is known; the captures of a snapshot."""
    missing: frozenset[dt.date]
    """The days that are not covered since the account's first day, without those at the edge. Empty for snapshots."""
    without_number: frozenset[dt.date]
    """Of the missing days, those an export lists without a number although they should be final.
    Another export would hardly add one."""
    unsettled: frozenset[dt.date]
    """Of the covered days, those exported before they were final."""
    last_export: dt.datetime | None

    @property
    def counted(self) -> Counted:
        """How its days are counted."""
        return COUNTED[self.report]

    @property
    def days_missing(self) -> int | None:
        """How many days are missing. None is unknown: of a snapshot, and before any day is known to count from."""
        return self._counted(self.missing)

    @property
    def days_without_number(self) -> int | None:
        """Of these, those without a number; None as ``days_missing``."""
        return self._counted(self.without_number)

    @property
    def days_unsettled(self) -> int | None:
        """How many days were exported before they were final; None as ``days_missing``."""
        return self._counted(self.unsettled)

    def _counted(self, days: Collection[dt.date]) -> int | None:
        return len(days) if self.counted.reach is not None and (self.covered or self.missing) else None

    @property
    def first(self) -> dt.date | None:
        """The first day covered."""
        return min(self.covered, default=None)

    @property
    def last(self) -> dt.date | None:
        """The last day covered."""
        return max(self.covered, default=None)


def covered_until(
    days: pl.DataFrame, newest: dt.date, final_after: int = FINAL_AFTER
) -> dict[str, list[ReportCoverage]]:
    """By account, the coverage of every report out of ``reported_days``, up to the day ``newest``."""
    found: dict[str, list[ReportCoverage]] = {}
    marked = days.with_columns(is_unsettled=_is_unsettled(final_after))
    for (account,), rows in marked.partition_by("account", as_dict=True, maintain_order=True).items():
        by_report = rows.partition_by("report", as_dict=True)
        by_name = {report: by_report.get((report,), rows.clear()) for report in COUNTED}
        days_of = [
            day for report in COUNTED if COUNTED[report].reach for day in by_name[report].filter("is_known")["date"]
        ]
        begin, end = min(days_of, default=None), max(days_of, default=None)
        found[str(account)] = [_report_coverage(report, by_name[report], begin, end, newest) for report in COUNTED]
    return found


def nothing_covered() -> list[ReportCoverage]:
    """The coverage of an account without exports."""
    nothing: frozenset[dt.date] = frozenset()
    return [
        ReportCoverage(
            report=report, covered=nothing, missing=nothing, without_number=nothing, unsettled=nothing, last_export=None
        )
        for report in COUNTED
    ]


def _report_coverage(
    report: str, days: pl.DataFrame, begin: dt.date | None, end: dt.date | None, newest: dt.date
) -> ReportCoverage:
    """``begin``, ``end``: the first and the last day that any report of the account covers."""
    reach = COUNTED[report].reach
    known = days.filter("is_known")
    covered = frozenset(known["date"])
    missing: frozenset[dt.date] = frozenset()
    # A day that another report contains could have been exported in this one, too; not so the active hours of days
    # before the first export, which covers only a week.
    start = begin if reach == YEAR else min(covered, default=None)
    if reach is not None and start is not None:
        span = Window(first=start, last=max(newest, start, *covered))
        missing = frozenset(span.days()) - covered - (_edge(covered, begin, end) if reach == YEAR else frozenset())
    unknown = days.filter(~pl.col("is_known") & ~pl.col("is_unsettled"))
    return ReportCoverage(
        report=report,
        covered=covered,
        missing=missing,
        without_number=missing & frozenset(unknown["date"]),
        unsettled=frozenset(known.filter("is_unsettled")["date"]) if reach is not None else frozenset(),
        last_export=days.select(pl.col("last_export").max()).item(),
    )


def _edge(covered: Collection[dt.date], begin: dt.date | None, end: dt.date | None) -> frozenset[dt.date]:
    """The days ``begin`` and ``end``, where ``covered`` begins or ends ``EDGE`` from them."""
    if not covered or begin is None or end is None:
        return frozenset()
    ends = ((begin, min(covered)), (end, max(covered)))
    return frozenset(day for day, own in ends if abs(own - day) == DAY * EDGE)


def ranges(days: Collection[dt.date]) -> list[Window]:
    """``days`` as the fewest ranges, in order."""
    found: list[Window] = []
    for day in sorted(days):
        if found and found[-1].last + DAY == day:
            found[-1] = Window(first=found[-1].first, last=day)
        else:
            found.append(Window(first=day, last=day))
    return found


def _is_unsettled(final_after: int) -> pl.Expr:
    """Whether a day was exported less than ``final_after`` days after it ended."""
    ended = pl.col("date").dt.offset_by("1d").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.col("oldest_export") - ended < pl.duration(days=final_after)


COVERAGE = Table(
    key="curated/coverage",
    schema=Coverage,
    version="1",
    inputs={report: Input(f"staging/{report}") for report in COUNTED},
    make=lambda inputs, _: coverage(all_reported_days(inputs)),
)
