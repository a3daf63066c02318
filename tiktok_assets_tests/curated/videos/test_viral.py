"""Which videos are viral, when and why: thresholds met and missed by one view."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.videos.peers import Peers, with_peers
from tiktok_assets.curated.videos.video_growth import with_growth
from tiktok_assets.curated.videos.viral import LOOK_BACK, ViralVideos, viral_videos
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.curated.frames import by_month, column, snapshot_rows, true_snapshots, values_of

MAY_1 = date(2025, 5, 1)


def may(day: int) -> date:
    return MAY_1 + timedelta(days=day - 1)


def snapshots(*rows: tuple[str, date, date, int | None]) -> pl.DataFrame:
    """Snapshots: video, published on, captured on, total views."""
    given = (
        {
            "video_id": video,
            "published_at": datetime(published.year, published.month, published.day, 12, tzinfo=UTC),
            "date": captured,
            "total_views": views,
        }
        for video, published, captured, views in rows
    )
    return with_growth(snapshot_rows(*given), {})


def found(rows: pl.DataFrame, **thresholds: float) -> pl.DataFrame:
    table = viral_videos(rows, **thresholds)  # pyright: ignore[reportArgumentType]
    assert violations(ViralVideos, table) == []
    return table


class TestDailyGrowth:
    @pytest.mark.parametrize(
        ("before", "now", "growth"),
        [
            (4_000, 14_000, 5.0),  # 4 days of 1,000 each; 10,000 in 2 days are 5,000 a day
            (4_000, 13_999, None),
            (1_000, 9_999, None),  # 4,499.5 a day against 250 is 18 times, but the total is below 10,000
            (1_000, 10_000, 18.0),  # (10,000 - 1,000) / 2 = 4,500 a day; 1,000 / 4 = 250
        ],
    )
    def test_a_total_of_10_000_with_5_times_its_own_daily_gain_is_viral(
        self, before: int, now: int, growth: float | None
    ) -> None:
        rows = snapshots(("1", may(1), may(5), before), ("1", may(1), may(7), now))
        expected = [] if growth is None else [(may(7), now, growth, "daily_growth", 1)]
        assert values_of(found(rows), "date", "total_views", "daily_growth", "reason", "rank") == expected

    def test_both_thresholds_are_settings(self) -> None:
        rows = snapshots(("1", may(1), may(5), 400), ("1", may(1), may(7), 1_000))
        # 300 a day against 100
        assert found(rows, min_views=1_000).is_empty()
        assert found(rows, growth_threshold=3).is_empty()
        assert column(found(rows, min_views=1_000, growth_threshold=3), "daily_growth") == [3.0]

    def test_views_out_of_nothing_are_viral_and_no_multiple_of_it(self) -> None:
        rows = snapshots(("1", may(1), may(5), 0), ("1", may(1), may(6), 10_000))
        assert values_of(found(rows), "daily_growth", "reason") == [(None, "daily_growth")]

    def test_without_a_day_of_life_before_there_is_nothing_to_grow_from(self) -> None:
        assert found(snapshots(("1", may(1), may(1), 10), ("1", may(1), may(2), 90_000))).is_empty()
        assert found(snapshots(("1", may(1), may(9), 900_000))).is_empty()


def others(count: int, captured: date, age: int, views: int) -> list[tuple[str, date, date, int | None]]:
    """As many other videos, all of one age and total."""
    return [(f"other {n}", captured - timedelta(age), captured, views) for n in range(count)]


class TestAgainstTheOthers:
    @pytest.mark.parametrize(("views", "times"), [(500, 5.0), (499, None)])
    def test_5_times_the_median_of_the_others_at_that_age_is_viral(self, views: int, times: float | None) -> None:
        rows = snapshots(
            ("1", may(4), may(7), views),
            *((f"other {n}", may(4), may(7), total) for n, total in enumerate((20, 90, 100, 110, 90_000))),
        )
        # the median of 20, 90, 100, 110, 90,000 is 100; the last one is 900 times that, whoever is left out
        expected = [] if times is None else [("1", times, 5, "views_vs_median", 2)]
        assert values_of(found(rows).filter(pl.col("video_id") == "1"), *TOLD) == expected

    def test_fewer_than_5_others_are_no_measure(self) -> None:
        assert found(snapshots(("1", may(4), may(7), 90_000), *others(4, may(7), 3, 10))).is_empty()

    def test_what_others_had_at_that_age_counts_not_what_they_have_now(self) -> None:
        young, old = (
            others(5, may(4), 3, 100),
            [(video, day, may(20), 4_000) for video, day, _, _ in others(5, may(4), 3, 0)],
        )
        rows = snapshots(*young, *old, ("1", may(17), may(20), 500))
        assert values_of(found(rows), "video_id", "views_vs_median") == [("1", 5.0)]

    def test_a_total_seen_later_bounds_what_others_had(self) -> None:
        rows = snapshots(("1", may(17), may(20), 5_000), *others(5, may(20), 20, 1_000))
        # none of the others was captured at an age of 3 days; they cannot have had more than their 1,000 of now
        assert values_of(found(rows), *TOLD) == [("1", 5.0, 5, "views_vs_median", 1)]

    def test_younger_videos_say_nothing_about_an_older_one(self) -> None:
        assert found(snapshots(("1", may(1), may(20), 5_000), *others(5, may(20), 10, 100))).is_empty()

    def test_from_28_days_on_all_are_equally_old(self) -> None:
        rows = snapshots(("1", may(1) - timedelta(300), may(30), 5_000), *others(5, may(30), 28, 1_000))
        assert values_of(found(rows), *TOLD) == [("1", 5.0, 5, "views_vs_median", 1)]

    def test_videos_not_seen_for_a_quarter_do_not_count(self) -> None:
        for days, peers in ((92, 5), (93, 0)):
            rows = snapshots(("1", may(1), may(4), 90_000), *others(5, may(4) - timedelta(days), 10, 1_000))
            assert column(with_peers(rows, Peers.of(rows)).filter(pl.col("video_id") == "1"), "peers") == [peers]

    def test_another_accounts_videos_do_not_count(self) -> None:
        others_videos = snapshots(*others(5, may(7), 3, 10)).with_columns(account=pl.lit("b"))
        assert found(pl.concat([snapshots(("1", may(4), may(7), 90_000)), others_videos])).is_empty()

    def test_a_video_in_the_middle_is_compared_with_those_around_it(self) -> None:
        totals = {"a": 10, "b": 20, "c": 30, "d": 40, "e": 50, "f": 60}
        rows = snapshots(*((video, may(1), may(4), views) for video, views in totals.items()))
        # of the five others: a: median 40; c: 10 20 40 50 60: 40; d: 10 20 30 50 60: 30; f: 30
        times = dict(values_of(with_peers(rows, Peers.of(rows)), "video_id", "views_vs_median"))
        assert times == {"a": 10 / 40, "b": 20 / 40, "c": 30 / 40, "d": 40 / 30, "e": 50 / 30, "f": 60 / 30}
        rows = snapshots(*((video, may(1), may(4), views) for video, views in {**totals, "g": 70}.items()))
        # of the six others of d: 10 20 30 50 60 70: median 40; of a: 20 30 40 50 60 70: 45
        times = dict(values_of(with_peers(rows, Peers.of(rows)), "video_id", "views_vs_median"))
        assert (times["a"], times["d"], times["g"]) == (10 / 45, 1.0, 70 / 35)


TOLD = ("video_id", "views_vs_median", "peers", "reason", "rank")


class TestDetection:
    def test_a_video_is_found_once_on_the_first_day_it_meets_a_rule(self) -> None:
        totals = {4: 100, 5: 499, 6: 500, 7: 600, 9: 9_000}
        rows = snapshots(
            *(("1", may(1), may(day), views) for day, views in totals.items()), *others(5, may(4), 20, 100)
        )
        assert values_of(found(rows), "video_id", "date", "total_views") == [("1", may(6), 500)]

    def test_both_rules_met_on_one_day_are_both_named(self) -> None:
        rows = snapshots(("1", may(1), may(5), 100), ("1", may(1), may(6), 20_000), *others(5, may(6), 20, 1_000))
        # 19,900 a day against 100 / 4 = 25; 20,000 against 1,000
        assert values_of(found(rows), "daily_growth", "views_vs_median", "reason") == [(796.0, 20.0, "both")]

    @pytest.mark.parametrize(("quiet", "waves"), [(92, 1), (93, 2)])
    def test_a_second_wave_after_a_quiet_quarter_is_found_again(self, quiet: int, waves: int) -> None:
        first, second = may(6), may(6) + timedelta(quiet)
        rows = snapshots(
            *(("1", may(1), may(5), 1_000), ("1", may(1), first, 11_000)),
            *(("1", may(1), second - timedelta(1), 11_000), ("1", may(1), second, 99_000)),
        )
        assert column(found(rows), "date") == [first, second][:waves]

    def test_rank_is_by_views_within_the_month(self) -> None:
        hits = [
            (video, may(1), day, views)
            for video, total in (("1", 20_000), ("2", 30_000), ("3", 25_000))
            for day, views in ((may(5), 100), (may(6) if video != "3" else date(2025, 6, 1), total))
        ]
        assert values_of(found(snapshots(*hits)), "video_id", "date", "rank") == [
            ("2", may(6), 1),
            ("1", may(6), 2),
            ("3", date(2025, 6, 1), 1),
        ]

    def test_no_snapshots_no_viral_videos(self) -> None:
        assert found(snapshots()).is_empty()


def test_the_viral_video_of_a_simulated_account_is_found_on_its_second_day() -> None:
    posted = date(2025, 6, 10)
    account = SimulatedAccount.generate(
        "north.pier", 3, date(2025, 3, 1), date(2025, 7, 31), traits=Traits(viral_day=posted)
    )
    rows = true_snapshots(account, [date(2025, 5, 1) + timedelta(n) for n in range(70)])
    strongest = found(rows).sort("total_views").tail(1)
    assert column(strongest, "date")[0] - posted <= timedelta(days=1)
    views = account.videos_on(column(strongest, "date")[0]).sort("total_views")["total_views"].to_list()
    assert column(strongest, "total_views") == views[-1:]


@pytest.mark.parametrize("seed", range(3))
def test_a_run_per_month_makes_what_one_run_makes(seed: int) -> None:
    account = SimulatedAccount.generate("north.pier", seed, date(2024, 1, 1), date(2025, 6, 30))
    days = [date(2024, 1, 5) + timedelta(n * (3 + seed * 13)) for n in range(150) if n * (3 + seed * 13) < 500]
    rows = true_snapshots(account, days)
    at_once = viral_videos(rows, min_views=500)
    assert at_once.height > 5
    assert_frame_equal(by_month(rows, LOOK_BACK, lambda window, _: viral_videos(window, min_views=500)), at_once)
