"""What really happened on a simulated account, per real UTC day: exports are made from it, tests compare with it.

Belongs here: the truth only. How Studio phrases, labels, shifts or loses it is ``exports``.

    account = SimulatedAccount.generate("north.pier", seed=1, first_day=date(2025, 1, 1), last_day=date(2025, 12, 31))
    account.daily           # polars: one row per UTC day
    account.videos          # polars: one row per video
    account.videos_on(day)  # polars: lifetime totals of each posted video at the end of a UTC day
    account.on(day)         # one day as a plain tuple, or None outside first_day..last_day

The same (handle, seed, first_day, traits) is the same account, on every machine; a later last_day only adds days.
A year costs a few ms; Polars frames are built on demand.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import polars as pl

from tiktok_assets.simulator import audience
from tiktok_assets.simulator.generation import generate_history
from tiktok_assets.simulator.traits import PLAIN, SMALL_ACCOUNT, DayTruth, Traits
from tiktok_assets.simulator.videos import Clocks, SimulatedVideo, Totals


@dataclass(frozen=True, repr=False)
class SimulatedAccount:
    """An account and the truth about it from ``first_day`` to ``last_day`` (both included)."""

    handle: str
    seed: int
    first_day: date
    last_day: date
    traits: Traits
    days: tuple[DayTruth, ...]
    """One entry for each day from ``first_day`` on, without gaps."""
    posted: tuple[SimulatedVideo, ...]
    """Every video, oldest post first; some were posted in the two months before ``first_day``."""
    clocks: Clocks
    origin: date
    """The day of the clocks' first entry, and of ``start`` = 0 in ``posted``."""

    def __repr__(self) -> str:
        return f"{self.handle}, {self.first_day} to {self.last_day}, seed {self.seed}"

    @staticmethod
    def generate(
        handle: str, seed: int, first_day: date, last_day: date, *, traits: Traits = PLAIN
    ) -> "SimulatedAccount":
        """The account generated from ``handle``, ``seed`` and ``traits``."""
        if last_day < first_day:
            raise ValueError(f"account {handle!r}: last_day {last_day} is before first_day {first_day}")
        history = generate_history(handle, seed, first_day, last_day, traits)
        return SimulatedAccount(
            handle=handle,
            seed=seed,
            first_day=first_day,
            last_day=last_day,
            traits=traits,
            days=history.days,
            posted=history.posted,
            clocks=history.clocks,
            origin=history.origin,
        )

    def on(self, day: date) -> DayTruth | None:
        """The truth of one UTC day; None outside ``first_day``..``last_day``."""
        index = day.toordinal() - self.first_day.toordinal()
        return self.days[index] if 0 <= index < len(self.days) else None

    def existed_on(self, day: date) -> bool:
        """Whether anything could be measured on ``day``: it is inside the account's days and not before its birth."""
        return self.first_day <= day <= self.last_day and (self.traits.born is None or day >= self.traits.born)

    def has_rows_on(self, day: date) -> bool:
        """Whether exports have a row for the UTC ``day``: not in the gap, and not after ``last_day``."""
        gap = self.traits.gap
        return day <= self.last_day and not (gap is not None and gap[0] <= day <= gap[1])

    def shows_audience(self, day: date) -> bool:
        """Whether Studio shows activity, gender and territories on ``day``: from 100 followers on."""
        truth = self.on(day)
        return truth is not None and truth.followers >= SMALL_ACCOUNT

    def local_date(self, moment: datetime) -> date:
        """The account's local date at ``moment``."""
        return (moment.astimezone(UTC) + timedelta(hours=self.traits.utc_offset)).date()

    def totals_at(self, video: SimulatedVideo, moment: datetime) -> Totals:
        """Lifetime totals of ``video`` at ``moment``; they stop changing after ``last_day``."""
        return video.totals_at(self.clocks, self.clock_position(moment))

    def clock_position(self, moment: datetime) -> float:
        """``moment`` in days since ``origin``, the unit of the clocks."""
        return (moment - datetime.combine(self.origin, time(), UTC)) / timedelta(days=1)

    def active_followers_on(self, local_day: date) -> tuple[int, ...]:
        """Followers online in each of the 24 hours of a date of the account's local time."""
        truth = self.on(min(local_day, self.last_day))
        return audience.active_followers(self._audience_seed, truth.followers if truth else 0, local_day)

    def gender_on(self, day: date) -> tuple[tuple[str, float], ...]:
        """(gender, share) in order of share, summing to 1."""
        return audience.gender_shares(self._audience_seed, day)

    def territories_on(self, day: date) -> tuple[tuple[str, float], ...]:
        """(territory, share): ten ISO codes in order of share, then ``Others``, summing to 1."""
        return audience.territory_shares(self._audience_seed, day)

    @property
    def _audience_seed(self) -> str:
        return f"{self.handle}|{self.seed}"

    @cached_property
    def daily(self) -> pl.DataFrame:
        """One row per UTC day, ascending and contiguous; columns as in ``DayTruth``, counts as Int64."""
        schema = {"day": pl.Date, **dict.fromkeys(DayTruth._fields[1:], pl.Int64)}
        columns = zip(DayTruth._fields, zip(*self.days, strict=True), strict=True)
        return pl.DataFrame({name: list(values) for name, values in columns}, schema=schema)

    @cached_property
    def videos(self) -> pl.DataFrame:
        """One row per video, oldest post first.

        video_id (19 digits, text), title, link, uploaded_at and posted_at (UTC), post_date (local), is_scheduled.
        """
        return pl.DataFrame(
            {
                "video_id": [str(video.video_id) for video in self.posted],
                "title": [video.title for video in self.posted],
                "link": [video.link for video in self.posted],
                "uploaded_at": [video.uploaded_at for video in self.posted],
                "posted_at": [video.posted_at for video in self.posted],
                "post_date": [video.post_date for video in self.posted],
                "is_scheduled": [video.is_scheduled for video in self.posted],
            },
            schema_overrides={"video_id": pl.String, "title": pl.String, "link": pl.String, "is_scheduled": pl.Boolean}
            | dict.fromkeys(("uploaded_at", "posted_at"), pl.Datetime("us", "UTC"))
            | {"post_date": pl.Date},
        )

    def videos_on(self, day: date) -> pl.DataFrame:
        """``videos`` posted until the end of the UTC ``day``, with the lifetime totals at its end.

        Adds total_views, total_likes, total_comments, total_shares. Up to any day, the views of all videos sum to no
        more than the account's; removed comments are subtracted from the account and from no video.
        """
        end = float(day.toordinal() + 1 - self.origin.toordinal())
        shown = [video for video in self.posted if video.start < end]
        totals = [video.totals_at(self.clocks, end) for video in shown]
        columns = {f"total_{name}": [getattr(total, name) for total in totals] for name in Totals._fields}
        numbers = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64))
        return self.videos.head(len(shown)).hstack(numbers)
