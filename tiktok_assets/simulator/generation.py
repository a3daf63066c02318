"""Generates a simulated account: seeded random walks over its days. Called through ``SimulatedAccount.generate``."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import accumulate, pairwise
from math import exp
from operator import mul
from random import Random
from typing import NamedTuple

from tiktok_assets.simulator.traits import SMALL_ACCOUNT, DayTruth, Traits
from tiktok_assets.simulator.videos import Clocks, SimulatedVideo, daily_rates, make_video

LEAD_DAYS = 64
"""Days of posts before the first day, so that an older account does not start with no views."""

_WEEKDAYS = (0.92, 0.95, 0.97, 1.0, 1.07, 1.18, 1.10)
_VIEWS_OF_A_VIDEO = {"small": 60, "medium": 5_000, "large": 250_000}
_FIRST_FOLLOWERS = {"small": (20, 60), "medium": (1_500, 6_000), "large": (150_000, 600_000)}


class History(NamedTuple):
    """Everything that happened; see ``SimulatedAccount`` for each field."""

    days: tuple[DayTruth, ...]
    posted: tuple[SimulatedVideo, ...]
    clocks: Clocks
    origin: date


def generate_history(handle: str, seed: int, first_day: date, last_day: date, traits: Traits) -> History:
    """The history generated from the seed.

    Each part draws from its own random stream, day by day, so a later ``last_day`` adds days and changes none.
    """
    walk = f"{handle}|{seed}|{traits.size}"
    origin = first_day - timedelta(days=LEAD_DAYS)
    calendar = [date.fromordinal(day) for day in range(origin.toordinal(), last_day.toordinal() + 1)]
    paces = _paces(Random(f"{walk}|paces"), calendar)
    posts = _posts(Random(f"{walk}|posts"), handle, calendar, traits)
    posted = tuple(replace(video, is_of_release=_is_of_release(video, traits)) for video in posts)
    rates = daily_rates(posted, len(calendar))
    earned = [_whole(map(mul, *pair)) for pair in zip(paces, rates, strict=True)]
    return History(
        days=tuple(_days(Random(f"{walk}|days"), calendar, earned, traits)),
        posted=posted,
        clocks=Clocks(*([0.0, *accumulate(ticks)] for ticks in paces)),
        origin=origin,
    )


def _paces(rng: Random, calendar: Sequence[date]) -> tuple[list[float], ...]:
    """Ticks of each day for views, likes, comments, shares: the weekday, noise of the day, noise of each kind."""
    random, ticks = rng.random, []
    for day in calendar:
        tick = _WEEKDAYS[day.weekday()] * exp(0.22 * (random() + random() - 1))
        ticks.append(
            (tick, tick * (0.88 + 0.24 * random()), tick * (0.7 + 0.6 * random()), tick * (0.75 + 0.5 * random()))
        )
    return tuple(list(kind) for kind in zip(*ticks, strict=True))


def _posts(rng: Random, handle: str, calendar: Sequence[date], traits: Traits) -> Iterator[SimulatedVideo]:
    """Videos of each day from birth on; views of a video are lognormal, capped at 10 times the usual, 60 when viral."""
    usual = _VIEWS_OF_A_VIDEO[traits.size]
    per_day = traits.posts_per_week / 7
    born = traits.born or calendar[0]
    for start, day in enumerate(calendar):
        if day < born:
            continue
        if day == traits.viral_day:
            own = Random(f"{handle}|viral")  # its own stream: the switch changes no other video
            yield make_video(own, handle, day, start, 60.0 * usual, traits.utc_offset, wait_days=0)
        for _ in range(int(per_day) + (rng.random() < per_day % 1)):
            potential = usual * min(10.0, exp(rng.gauss(0, 1)))
            wait_days = rng.randrange(1, 10) if rng.random() < traits.scheduled_share else 0
            if traits.born and (day - born).days <= wait_days:
                wait_days = 0  # no upload before the account exists
            yield make_video(rng, handle, day, start, potential, traits.utc_offset, wait_days)


def _is_of_release(video: SimulatedVideo, traits: Traits) -> bool:
    """Drawn from the video's id: the switch changes no other video."""
    begins = traits.release and traits.release - timedelta(days=7)
    return (
        begins is not None and video.posted_at.date() >= begins and Random(f"{video.video_id}|release").random() < 2 / 3
    )


def _whole(amounts: Iterator[float]) -> list[int]:
    """Whole numbers whose running sum never leaves the running sum of ``amounts`` by 1 or more."""
    sums = [0, *(int(total + 1e-6) for total in accumulate(amounts))]
    return [after - before for before, after in pairwise(sums)]


def _covered(earned: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, int, int]]:
    """Views, likes, comments, shares of each day; engagement waits for a later day until views cover it."""
    late_likes = late_comments = late_shares = 0
    for views, *earned_today in zip(*earned, strict=True):
        likes = min(views, earned_today[0] + late_likes)
        comments = min(views - likes, earned_today[1] + late_comments)
        shares = min(views - likes - comments, earned_today[2] + late_shares)
        late_likes += earned_today[0] - likes
        late_comments += earned_today[1] - comments
        late_shares += earned_today[2] - shares
        yield views, likes, comments, shares


def _days(rng: Random, calendar: Sequence[date], earned: Sequence[Sequence[int]], traits: Traits) -> Iterator[DayTruth]:
    followers = rng.randrange(*_FIRST_FOLLOWERS[traits.size]) if traits.born is None else 0
    for day, (views, *engagement) in list(zip(calendar, _covered(earned), strict=True))[LEAD_DAYS:]:
        likes, comments, shares = _with_removals(rng, views, engagement) if traits.removals else engagement
        unique_viewers = int(views * (0.62 + 0.3 * rng.random()))
        new_viewers = int(unique_viewers * (0.45 + 0.4 * rng.random()))
        gained = int(unique_viewers * (0.002 + 0.008 * rng.random()) + rng.random() * (views > 0))
        lost = min(followers, int(followers * 0.0008 * rng.random() + 0.6 * rng.random()))
        if day == traits.follower_drop:
            lost = max(lost, followers // 5)
        if traits.size == "small":
            gained = min(gained, SMALL_ACCOUNT - 1 - followers + lost)
        followers += gained - lost
        yield DayTruth(
            day=day,
            video_views=views,
            profile_views=int(views * (0.006 + 0.012 * rng.random())),
            likes=likes,
            comments=comments,
            shares=shares,
            unique_viewers=unique_viewers,
            new_viewers=new_viewers,
            returning_viewers=unique_viewers - new_viewers,
            followers=followers,
            new_followers=gained,
            lost_followers=lost,
        )


def _with_removals(rng: Random, views: int, engagement: Sequence[int]) -> tuple[int, int, int]:
    """Removed comments show as negative days: 35 of 365, down to -7, in one real file; likes, shares more rarely."""
    likes, comments, shares = engagement
    chance = rng.random()
    if views == 0 or chance >= 0.12:
        return likes, comments, shares
    if chance < 0.10:
        return likes, -rng.choice((1, 1, 1, 2, 2, 3, 4, 7)), shares
    return (-1, comments, shares) if chance < 0.105 and views < 500 else (likes, comments, -1)
