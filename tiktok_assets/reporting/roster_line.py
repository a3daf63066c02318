"""The line of an account on the front page: its numbers, its best post, what is due and what is broken.

Belongs here: which facts a line has. Does not belong here: the numbers' formulas (``facts``), how lines are shown
(``front_page``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from tiktok_assets.reporting import facts
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.best_post import Post, best_of_last_week, best_post
from tiktok_assets.reporting.facts import Headline
from tiktok_assets.reporting.freshness import LATE_AFTER
from tiktok_assets.reporting.next_steps import NextSteps, next_steps
from tiktok_assets.reporting.period import Period
from tiktok_assets.reporting.song_tables import SongTables

WINDOWS = (7, 28)
"""Days of the numbers of a line, unless it is about a period."""
SHOWN = ("Video views", "Followers")


@dataclass(frozen=True, kw_only=True)
class RosterLine:
    """An account on the front page. None is unknown, never 0."""

    key: str
    handle: str
    last: dt.date | None = None
    """The newest day with numbers."""
    days_late: int | None = None
    """How many days that is behind the newest day Studio can have numbers of."""
    numbers: dict[tuple[str, int], Headline] = field(default_factory=dict)
    """By name and length of the window."""
    period: Period | None = None
    """The days that the line is about; None: the last ones, of ``WINDOWS``."""
    views: Sequence[float | None] = ()
    """Of each day of the longest window."""
    best: Post | None = None
    last_export: dt.date | None = None
    due: int = 0
    """Exports to make."""
    due_before: dt.date | None = None
    """The last date on which the most urgent one helps."""
    problems: Sequence[str] = ()
    """Files in quarantine, exports in doubt, and misleading days of the last three months, in a few words each."""

    unassigned: int = 0
    """Files in quarantine that name no account: the same for all."""
    songs: SongTables = field(default_factory=SongTables)
    client: str | None = None
    owner: str | None = None
    next: NextSteps = field(default_factory=NextSteps)

    @property
    def is_late(self) -> bool:
        return self.last is None or (self.days_late or 0) > LATE_AFTER

    @property
    def is_compared(self) -> bool:
        """Whether its numbers are of the same days as the others': late ones are not, those of a period are."""
        return self.period is not None or not self.is_late

    @property
    def needs_attention(self) -> bool:
        return self.is_late or bool(self.problems)


def roster_line(tables: AccountTables, newest: dt.date, period: Period | None = None) -> RosterLine:
    """The line of an account: of its last days, or of ``period``.

    ``newest``: the newest day Studio can have numbers of.
    """
    last, completeness = facts.last_day(tables.days), tables.completeness
    shown = [period] if period else [Period.up_to(last, days) for days in WINDOWS] if last else []
    numbers = {
        (one.name, window.days): one
        for window in shown
        for one in facts.headlines(tables.days, window.last, window.days, is_fixed=period is not None)
        if one.name in SHOWN
    }
    return RosterLine(
        key=tables.account.key,
        handle=tables.account.handle,
        last=last,
        days_late=(newest - last).days if last else None,
        numbers=numbers,
        period=period,
        views=_views(tables.days, shown[-1]) if shown else (),
        best=best_post(tables.videos, tables.video_days, period)
        if period
        else best_of_last_week(tables.videos, tables.video_days),
        last_export=completeness.last_export,
        due=completeness.due,
        due_before=completeness.due_before,
        problems=_problems(tables, last),
        unassigned=len(completeness.unassigned),
        songs=tables.songs,
        client=tables.account.client,
        owner=tables.account.owner,
        next=next_steps(tables),
    )


def _views(days: pl.DataFrame, shown: Period) -> list[float | None]:
    calendar = pl.DataFrame({"date": pl.date_range(shown.first, shown.last, eager=True)})
    return (
        calendar.join(days.select("date", "video_views"), on="date", how="left").sort("date")["video_views"].to_list()
    )


def _problems(tables: AccountTables, last: dt.date | None) -> list[str]:
    since = (last or dt.date.max) - dt.timedelta(days=facts.RECENT)
    days = facts.data_errors(tables.anomalies).filter(pl.col("date") > since).height
    counts = (
        (len(tables.completeness.quarantined), "file in quarantine", "files in quarantine"),
        (len(tables.completeness.doubts), "export in doubt", "exports in doubt"),
        (days, "misleading day", "misleading days"),
    )
    return [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
