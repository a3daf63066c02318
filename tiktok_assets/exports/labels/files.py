"""One daily file as alignment uses it: labels and numbers, without where they were read.

Belongs here: what a row is, and which rows say anything. Does not belong here: comparing files.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

Numbers = tuple[int, ...]

METRICS: Mapping[str, tuple[str, ...]] = {
    "overview": ("video_views", "profile_views", "likes", "comments", "shares"),
    "viewers": ("unique_viewers", "new_viewers", "returning_viewers"),
    "follower_history": ("followers",),
    "follower_activity": ("active_followers",),
}
"""What is compared. Not the follower difference: it has two meanings (trap 3)."""

SHIFTS: Mapping[str, tuple[int, int]] = {
    "overview": (-1, 1),
    "viewers": (-1, 2),
    "follower_history": (-1, 1),
    "follower_activity": (-1, 1),
}
"""The possible shifts: labels follow a local date, a day off UTC at most; Viewers run up to one more ahead."""

_HOURS = 24
_FEWEST_COUNTS = 2
"""Counts that are not zero in a distinctive row."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DailyFile:
    """One report as one export contains it; a row per label (in ``follower_activity`` per label and hour).

    ``rows``: ``date_label`` (Date), the columns of ``METRICS[report]`` (whole numbers, null where undefined), ``hour``
    for follower_activity; more columns are ignored. The last row of a label counts.
    ``downloaded_at``: aware. It is only trusted if ``downloaded_at_evidence`` is "zip_stamp".
    """

    export_id: str
    report: str
    downloaded_at: dt.datetime
    downloaded_at_evidence: str
    rows: pl.DataFrame
    source: str = ""
    """Its path below the account's folder, for people."""

    @property
    def key(self) -> tuple[str, str]:
        return (self.export_id, self.report)

    @property
    def order(self) -> tuple[dt.datetime, str, str]:
        """The order in which files are processed, whatever their order of arrival."""
        return (self.downloaded_at, self.export_id, self.report)

    @property
    def name(self) -> str:
        """The file in a sentence: "overview of export 3fa2c1d0 (2026-03-25)"."""
        return f"{self.report} of export {self.export_id[:8]} ({self.downloaded_at:%Y-%m-%d})"

    @property
    def is_stamped(self) -> bool:
        """Whether ``downloaded_at`` is the download's own time, not that of a copy or a guess from the labels."""
        return self.downloaded_at_evidence == "zip_stamp"

    @functools.cached_property
    def days(self) -> Mapping[int, Numbers]:
        """Label (as an ordinal) -> its numbers, if none of them is undefined.

        Activity has 24 per label; its last date is left out if zeros fill it up: a later export has the rest.
        """
        if self.report == "follower_activity":
            last = max(self.hours, default=None)
            return {
                label: tuple(counts[hour] for hour in range(_HOURS))
                for label, counts in self.hours.items()
                if len(counts) == _HOURS and not (label == last and counts[_HOURS - 1] == 0)
            }
        known = self.rows.select("date_label", *METRICS[self.report]).drop_nulls()
        labels = known["date_label"].to_list()
        return {label.toordinal(): row[1:] for label, row in zip(labels, known.rows(), strict=True)}

    @functools.cached_property
    def hours(self) -> Mapping[int, Mapping[int, int]]:
        """Follower activity: label -> hour -> count."""
        found: dict[int, dict[int, int]] = {}
        for label, hour, count in self.rows.select("date_label", "hour", "active_followers").drop_nulls().rows():
            found.setdefault(label.toordinal(), {})[hour] = count
        return found

    @functools.cached_property
    def distinctive_days(self) -> Mapping[Numbers, int]:
        """Numbers that occur on one label only, with at least two counts above zero -> that label.

        A row of zeros and a day given twice (found in Viewers) cannot identify a day. A single count often stays the
        same, so for followers it is the step that is distinctive: the count and the one of the day before.
        """
        rows = self.days
        if len(METRICS[self.report]) == 1 and self.report != "follower_activity":
            steps = ((label, (*self.days.get(label - 1, ()), *numbers)) for label, numbers in self.days.items())
            rows = {label: step for label, step in steps if len(set(step)) > 1}
        times = Counter(rows.values())
        return {
            numbers: label
            for label, numbers in rows.items()
            if times[numbers] == 1 and sum(map(bool, numbers)) >= _FEWEST_COUNTS
        }

    @functools.cached_property
    def last_counted(self) -> int | None:
        """The last label whose row has a count above zero. Zeros and ``undefined`` may appear before the data."""
        return max((label for label, numbers in self.days.items() if any(numbers)), default=None)
