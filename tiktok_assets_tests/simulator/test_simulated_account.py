"""The truth of a simulated account must be consistent before any export is made of it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import polars as pl
import pytest

import tiktok_assets.simulator
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.titles import title_of
from tiktok_assets.simulator.traits import Traits

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)


def test_the_same_seed_is_the_same_account_and_another_seed_is_not() -> None:
    one, same, other = (SimulatedAccount.generate("a.b", seed, FIRST, LAST) for seed in (1, 1, 2))
    assert one == same
    assert one.days != other.days


def test_a_later_last_day_adds_days_and_changes_none() -> None:
    year = SimulatedAccount.generate("a.b", 1, FIRST, LAST)
    longer = SimulatedAccount.generate("a.b", 1, FIRST, LAST + timedelta(days=90))
    assert longer.days[: len(year.days)] == year.days
    assert longer.posted[: len(year.posted)] == year.posted


def test_days_are_contiguous_and_inside_the_requested_range(account: SimulatedAccount) -> None:
    days = account.daily["day"].to_list()
    assert days == [account.first_day + timedelta(days=n) for n in range(len(days))]
    assert days[-1] == account.last_day


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_identities_of_a_day_hold(size: Literal["small", "medium", "large"], seed: int) -> None:
    account = SimulatedAccount.generate("x", seed, FIRST, LAST, traits=Traits(size=size))
    broken = account.daily.filter(
        (pl.col("video_views") < pl.col("likes") + pl.col("comments") + pl.col("shares"))
        | (pl.col("video_views") < pl.col("unique_viewers"))
        | (pl.col("unique_viewers") != pl.col("new_viewers") + pl.col("returning_viewers"))
        | (pl.col("followers") != pl.col("followers").shift(1) + pl.col("new_followers") - pl.col("lost_followers"))
        | (pl.min_horizontal("video_views", "profile_views", "new_viewers", "returning_viewers", "followers") < 0)
    )
    assert broken.is_empty()
    assert account.daily["video_views"].min() != account.daily["video_views"].max()


def test_videos_gain_no_more_views_than_the_account(account: SimulatedAccount) -> None:
    before, after = date(2025, 3, 1), date(2025, 9, 1)
    totals = [sum(account.videos_on(day)["total_views"].to_list()) for day in (before, after)]
    gained = totals[1] - totals[0]
    counted = sum(day.video_views for day in account.days if before < day.day <= after)
    assert 0.98 * counted < gained <= counted + len(account.posted)


def test_lifetime_totals_never_fall_and_start_at_zero(account: SimulatedAccount) -> None:
    video = account.posted[100]
    moments = [video.posted_at + timedelta(hours=hours) for hours in (-48, 0, 5, 30, 200, 3000)]
    views = [account.totals_at(video, moment).views for moment in moments]
    assert views[0] == 0
    assert views == sorted(views)
    assert views[-1] > 0


def test_the_id_of_a_video_encodes_when_it_was_uploaded(account: SimulatedAccount) -> None:
    for video_id, uploaded_at in account.videos.select("video_id", "uploaded_at").iter_rows():
        assert len(video_id) == 19
        assert datetime.fromtimestamp(int(video_id) >> 32, UTC) == uploaded_at


def test_only_a_scheduled_video_is_posted_on_a_later_date_than_its_upload() -> None:
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(scheduled_share=0.5, utc_offset=-5))
    local_upload = {video: (video.uploaded_at - timedelta(hours=5)).date() for video in account.posted}
    assert {video.is_scheduled for video in account.posted} == {True, False}
    assert all((video.post_date > day) == video.is_scheduled for video, day in local_upload.items())


def test_titles_contain_what_breaks_readers_and_never_a_newline() -> None:
    titles = [title_of(video_id) for video_id in range(7_600_000_000_000_000_000, 7_600_000_000_000_002_000)]
    assert "" in titles
    assert max(map(len, titles)) == 3830
    assert any('","' in title for title in titles)
    assert any("😂" in title for title in titles) and any("#음악" in title for title in titles)
    assert not any("\n" in title or "\r" in title for title in titles)


def test_the_viral_day_is_the_strongest_day() -> None:
    for seed in range(5):
        viral_day = date(2025, 6, 1) + timedelta(days=seed)
        account = SimulatedAccount.generate("x", seed, FIRST, LAST, traits=Traits(viral_day=viral_day))
        assert max(account.days, key=lambda day: day.video_views).day == viral_day


def test_the_follower_drop_is_the_only_large_fall() -> None:
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(follower_drop=date(2025, 8, 9)))
    falls = [day.day for day in account.days if day.lost_followers > day.followers * 0.1]
    assert falls == [date(2025, 8, 9)]


def test_removals_make_negative_comments_and_can_be_switched_off() -> None:
    with_removals, without = (
        SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(removals=removals)) for removals in (True, False)
    )
    assert -7 <= min(day.comments for day in with_removals.days) < 0
    assert min(min(day.likes, day.comments, day.shares) for day in without.days) >= 0


def test_nothing_happens_before_the_account_is_born() -> None:
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(born=date(2025, 4, 10)))
    for day in account.days[:99]:
        assert sum(day[1:]) == 0
    assert min(video.uploaded_at for video in account.posted) >= datetime(2025, 4, 10, tzinfo=UTC)
    assert account.days[-1].followers > 0


def test_a_small_account_stays_below_100_followers() -> None:
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=Traits(size="small", viral_day=date(2025, 5, 5)))
    assert 0 < max(day.followers for day in account.days) < 100
    assert not account.shows_audience(LAST)


def test_distributions_sum_to_one_in_order_of_share_and_carry_float_noise() -> None:
    texts: list[str] = []
    for seed in range(20):
        account = SimulatedAccount.generate("x", seed, FIRST, FIRST)
        gender, territories = account.gender_on(FIRST), account.territories_on(FIRST)
        for shares in (gender, territories):
            assert sum(share for _, share in shares) == pytest.approx(1.0, abs=1e-9)
        assert [share for _, share in gender] == sorted((share for _, share in gender), reverse=True)
        named = [share for _, share in territories[:-1]]
        assert named == sorted(named, reverse=True) and min(named) > 0
        assert len({code for code, _ in territories}) == 11 and territories[-1][0] == "Others"
        texts += [repr(share) for _, share in gender + territories]
    assert any(len(text) > 10 for text in texts)


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="'x': last_day 2025-01-01 is before first_day 2025-12-31"):
        SimulatedAccount.generate("x", 1, LAST, FIRST)


def test_the_simulator_imports_neither_dagster_nor_the_readers_it_tests() -> None:
    for module in Path(tiktok_assets.simulator.__path__[0]).glob("*.py"):
        imports = [line for line in module.read_text().splitlines() if line.lstrip().startswith(("import ", "from "))]
        ours = [line for line in imports if "tiktok_assets" in line and "tiktok_assets.simulator" not in line]
        assert not ours and not any("dagster" in line for line in imports), module
