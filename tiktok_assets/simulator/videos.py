"""The videos of a simulated account: when each was uploaded and posted, and how many views it has at any moment.

Everything is a closed form of (video, moment), so an account of a year costs milliseconds. The pace of the account
(weekday, noise) is a clock that runs faster on busy days; a video earns along that clock. An account's daily figures
are the sums of its videos, made in ``generation``; nothing here knows about exports.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from random import Random
from typing import NamedTuple

from tiktok_assets.simulator.titles import RELEASE, title_of

SHELF_LIFE = ((1, 0.42), (1, 0.18), (2, 0.14), (4, 0.10), (8, 0.07), (16, 0.05), (96, 0.04))
"""(days, share of all views a video will ever get), stage by stage.

The first day outweighs the second by 2.3, more than the pace of two days differs: a viral video peaks on its day.
"""
_STAGES = (*SHELF_LIFE, (1, 0.0))


class Totals(NamedTuple):
    """Lifetime totals of one video at one moment."""

    views: int
    likes: int
    comments: int
    shares: int


class Clocks(NamedTuple):
    """How fast each number is earned: prefix sums over days, one entry more than there are days, starting at 0."""

    views: Sequence[float]
    likes: Sequence[float]
    comments: Sequence[float]
    shares: Sequence[float]


@dataclass(frozen=True)
class SimulatedVideo:
    """One video. ``start`` is the UTC day it was posted, counted from the first entry of the account's clocks.

    Rates are per view and sum to less than 0.3, so views cover engagement at every moment.
    """

    video_id: int
    handle: str
    uploaded_at: datetime
    posted_at: datetime
    post_date: date
    start: int
    potential: float
    like_rate: float
    comment_rate: float
    share_rate: float
    is_of_release: bool = False

    @cached_property
    def title(self) -> str:
        """The caption; may be empty."""
        title = title_of(self.video_id)
        return f"{RELEASE} {title}".rstrip() if self.is_of_release else title

    @property
    def link(self) -> str:
        """The public address, as Content.csv gives it."""
        return f"https://www.tiktok.com/@{self.handle}/video/{self.video_id}"

    @property
    def is_scheduled(self) -> bool:
        """Whether it was uploaded before it was posted: its id then encodes an earlier date than its post time."""
        return self.posted_at != self.uploaded_at

    @property
    def rates(self) -> tuple[float, float, float, float]:
        """Views, likes, comments and shares per view."""
        return (1.0, self.like_rate, self.comment_rate, self.share_rate)

    def views_at(self, clock: Sequence[float], moment: float) -> int:
        """Lifetime views at ``moment`` (days, fractions allowed, from the clock's first entry)."""
        return int(self._earned(clock, moment))

    def totals_at(self, clocks: Clocks, moment: float) -> Totals:
        """Lifetime totals at ``moment`` (days, fractions allowed, from the clocks' first entry)."""
        pairs = zip(self.rates, clocks, strict=True)
        return Totals(*(int(rate * self._earned(clock, moment)) for rate, clock in pairs))

    def _earned(self, clock: Sequence[float], moment: float) -> float:
        earned, begin, read = 0.0, self.start, read_clock(clock, self.start)
        for days, share in SHELF_LIFE:
            if begin >= moment:
                break
            begin += days
            before, read = read, read_clock(clock, min(begin, moment))
            earned += share / days * (read - before)
        return earned * self.potential


def read_clock(clock: Sequence[float], moment: float) -> float:
    """The clock between two days, and at its ends before the first and after the last."""
    last = len(clock) - 1
    if moment >= last:
        return clock[last]
    if moment <= 0:
        return clock[0]
    whole = int(moment)
    return clock[whole] + (moment - whole) * (clock[whole + 1] - clock[whole])


def make_video(
    rng: Random, handle: str, day: date, start: int, potential: float, utc_offset: int, wait_days: int
) -> SimulatedVideo:
    """One video posted on the UTC ``day``, uploaded ``wait_days`` earlier (0: not scheduled); its id encodes the upload
    time.

    Most are posted between 14 and 23 o'clock of the account's local time.
    """
    local_hour = rng.choice((8, 12, 14, 15, 16, 17, 18, 18, 19, 19, 20, 20, 21, 22))
    second = ((local_hour - utc_offset) % 24) * 3600 + rng.randrange(3600)
    posted_at = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    uploaded_at = posted_at - timedelta(days=wait_days, seconds=rng.randrange(7200)) if wait_days else posted_at
    return SimulatedVideo(
        video_id=(int(uploaded_at.timestamp()) << 32) | rng.getrandbits(32),
        handle=handle,
        uploaded_at=uploaded_at,
        posted_at=posted_at,
        post_date=(posted_at + timedelta(hours=utc_offset)).date(),
        start=start,
        potential=potential,
        like_rate=rng.uniform(0.03, 0.14),
        comment_rate=rng.uniform(0.0005, 0.008),
        share_rate=rng.uniform(0.0005, 0.015),
    )


def daily_rates(videos: Sequence[SimulatedVideo], days: int) -> list[list[float]]:
    """What all ``videos`` together earn per tick of the clock, for each of ``days``: views, likes, comments, shares.

    A video's rate is constant through a stage of its shelf life, so only the changes are added up.
    """
    changes = views, likes, comments, shares = [0.0] * days, [0.0] * days, [0.0] * days, [0.0] * days
    for video in videos:
        begin, before = video.start, 0.0
        _, like_rate, comment_rate, share_rate = video.rates
        for length, share in _STAGES:
            if begin >= days:
                break
            after = share / length * video.potential
            step = after - before
            views[begin] += step
            likes[begin] += step * like_rate
            comments[begin] += step * comment_rate
            shares[begin] += step * share_rate
            begin, before = begin + length, after
    return [_running_sums(change) for change in changes]


def _running_sums(values: Sequence[float]) -> list[float]:
    total, sums = 0.0, []
    for value in values:
        total += value
        sums.append(total if total > 1e-9 else 0.0)
    return sums
