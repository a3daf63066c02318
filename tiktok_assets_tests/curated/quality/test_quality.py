"""Anomalies: each rule on its own, each planted on simulated accounts, and next to none on clean ones."""

from __future__ import annotations

from datetime import date, timedelta
from math import log
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.quality.quality import (
    ANOMALIES,
    CHECKS,
    LOOK_BACK,
    PROMISES,
    Anomalies,
    anomaly_log,
    find_anomalies,
    with_anomalies,
)
from tiktok_assets.curated.quality.scores import with_scores
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.budget import examples
from tiktok_assets_tests.curated.frames import by_month, column, day_rows, true_days, values_of

MONDAY = date(2025, 3, 3)
QUIET = {"video_views": 50, "profile_views": 3, "likes": 4, "comments": 1, "shares": 0, "followers": 500}


def days(*changes: dict[str, Any]) -> pl.DataFrame:
    """Days from Monday, 3 March 2025 on, all like ``QUIET`` but for what is changed."""
    return day_rows(*({"date": MONDAY + timedelta(n), **QUIET, **change} for n, change in enumerate(changes)))


def found(rows: pl.DataFrame) -> pl.DataFrame:
    table = find_anomalies(rows)
    assert violations(Anomalies, table) == []
    return table


def sentences(rows: pl.DataFrame) -> list[tuple[str, str, str, str]]:
    return values_of(found(rows), "anomaly", "kind", "severity", "sentence")


class TestFollowerDrop:
    @pytest.mark.parametrize(("before", "now", "drops"), [(1000, 899, True), (1000, 900, False), (10, 8, False)])
    def test_more_than_a_tenth_in_a_day_is_a_drop(self, before: int, now: int, drops: bool) -> None:
        assert column(found(days({"followers": before}, {"followers": now})), "anomaly") == ["follower_drop"] * drops

    def test_it_is_an_event_and_the_sentence_tells_the_numbers(self) -> None:
        assert sentences(days({"followers": 1000}, {"followers": 800})) == [
            ("follower_drop", "event", "warning", "Followers fell from 1,000 to 800 in a day (-20%).")
        ]

    def test_a_fall_to_nothing_is_a_lost_number(self) -> None:
        sentence = "Followers fell from 1,000 to none in a day: the number was probably lost."
        assert sentences(days({"followers": 1000}, {"followers": 0})) == [
            ("follower_drop", "data_error", "error", sentence)
        ]

    def test_over_an_unknown_day_nothing_is_said_of_one_day(self) -> None:
        assert found(days({"followers": 1000}, {"followers": None}, {"followers": 800})).is_empty()


class TestIdentities:
    def test_more_engagement_than_views_is_a_data_error(self) -> None:
        change = {"video_views": 10, "likes": 8, "comments": 2, "shares": 1}
        sentence = (
            "11 likes, comments and shares on 10 views: nobody engages without viewing, so one of the numbers is wrong."
        )
        assert sentences(days(change)) == [("views_below_engagement", "data_error", "error", sentence)]
        assert found(days({**change, "shares": 0})).is_empty()

    def test_far_more_viewers_than_views_are_a_data_error_of_the_viewers(self) -> None:
        change = {"video_views": 7324, "unique_viewers": 63125}
        sentence = (
            "63,125 viewers on 7,324 views: nobody watches without a view. TikTok probably reported the viewers of "
            "another day, so do not use those of this one."
        )
        assert sentences(days(change)) == [("viewers_above_views", "data_error", "warning", sentence)]

    @pytest.mark.parametrize(("views", "viewers"), [(120, 180), (100, 199), (500, 1000), (7, 70), (None, 500)])
    def test_a_few_more_viewers_than_views_are_a_label_that_may_be_right(self, views: int | None, viewers: int) -> None:
        counts = {"video_views": views, "likes": 0, "comments": 0, "shares": 0, "unique_viewers": viewers}
        assert found(days(counts)).is_empty()

    @pytest.mark.parametrize("removed", [-1, -7, -10])
    def test_net_removals_of_a_few_are_no_anomaly(self, removed: int) -> None:
        assert found(days({"comments": removed}, {"likes": removed}, {"shares": removed})).is_empty()

    def test_many_net_removals_are_an_event(self) -> None:
        assert sentences(days({"comments": -11, "likes": -40, "shares": 3})) == [
            ("negative_count", "event", "warning", "Many more were removed than given: likes -40 and comments -11.")
        ]

    @pytest.mark.parametrize("name", ["video_views", "profile_views", "unique_viewers", "followers"])
    def test_what_cannot_be_taken_back_is_a_data_error_below_zero(self, name: str) -> None:
        rows = found(days({name: -2, "likes": 0, "comments": 0}))
        assert (name == "video_views") == ("views_below_engagement" in column(rows, "anomaly"))
        negative = rows.filter(anomaly="negative_count")
        sentence = f"A count that cannot be below 0 is: {name.replace('_', ' ')} -2."
        assert values_of(negative, "kind", "severity", "value", "sentence") == [("data_error", "error", -2.0, sentence)]


class TestMissingAndDouble:
    def test_a_gap_is_told_by_the_first_day_after_it(self) -> None:
        rows = days({}, {}, {}, {}, {}).filter(~pl.col("date").is_in([date(2025, 3, 4), date(2025, 3, 5)]))
        listed = values_of(found(rows), "date", "anomaly", "kind", "first_day", "last_day", "value")
        assert listed == [(date(2025, 3, 6), "missing_day", "data_error", date(2025, 3, 4), date(2025, 3, 5), 2.0)]
        sentence = "No data for 2 days, from 4 March 2025 to 5 March 2025: export that window again."
        assert column(found(rows), "sentence") == [sentence]

    def test_a_row_without_views_is_a_missing_day_once_a_later_day_is_known(self) -> None:
        unknown: dict[str, Any] = dict.fromkeys(("video_views", "profile_views", "likes", "comments", "shares"))
        assert found(days({}, unknown, unknown)).is_empty()
        assert values_of(found(days({}, unknown, {})), "date", "anomaly", "value") == [
            (date(2025, 3, 5), "missing_day", 1.0)
        ]

    def test_over_month_end_and_leap_day_the_days_are_counted_right(self) -> None:
        rows = day_rows({"date": date(2024, 2, 27), **QUIET}, {"date": date(2024, 3, 2), **QUIET})
        assert values_of(found(rows), "first_day", "last_day", "value") == [(date(2024, 2, 28), date(2024, 3, 1), 3.0)]

    @pytest.mark.parametrize(("distance", "gaps"), [(112, 1), (113, 0)])
    def test_after_16_weeks_of_silence_it_is_a_new_beginning(self, distance: int, gaps: int) -> None:
        rows = day_rows({"date": MONDAY, **QUIET}, {"date": MONDAY + timedelta(distance), **QUIET})
        assert found(rows).height == gaps

    def test_a_day_stored_under_two_dates_is_a_double(self) -> None:
        same = {"video_views": 100}
        rows = found(days(same, same))
        assert values_of(rows, "date", "anomaly", "kind", "first_day") == [
            (date(2025, 3, 4), "duplicate_entry", "data_error", MONDAY)
        ]
        assert "100 views" in column(rows, "sentence")[0]
        assert found(days(same, {**same, "likes": 5})).is_empty()
        assert found(days({"video_views": 99}, {"video_views": 99})).is_empty()  # few views are equal by chance

    def test_a_day_with_two_rows_is_a_double_and_flagged_on_both(self) -> None:
        rows = pl.concat([days({}, {}), days({"followers": 100})])
        table = found(rows)
        assert values_of(table, "date", "anomaly", "severity") == [(MONDAY, "duplicate_entry", "error")]
        assert column(with_anomalies(rows, table), "anomalies") == [["duplicate_entry"], [], ["duplicate_entry"]]


class TestScores:
    def test_the_usual_is_the_median_of_the_same_weekday_in_the_8_weeks_before(self) -> None:
        counts = [100 + n for n in range(64)]
        rows = days(*({"video_views": n} for n in counts))
        scored = with_scores(rows, "views", pl.col("video_views").cast(pl.Float64), pl.lit(value=True))
        # day 63 is a Monday like days 7, 14, ..., 56 (8 of them; day 0 is out of the window): median of 107 .. 156
        assert scored["views_usual"][63] == (128 + 135) / 2
        assert scored["views_surprise"][63] == 163 - 131.5
        # 3 of a weekday are too few; the 4th week after the first has 4
        assert scored["views_usual"][27] is None
        assert scored["views_usual"][28] == (107 + 114) / 2

    def test_the_spread_is_the_scaled_median_of_surprises_before_and_needs_14_of_them(self) -> None:
        rows = days(*({"video_views": 100 + n} for n in range(60)))
        scored = with_scores(rows, "views", pl.col("video_views").cast(pl.Float64), pl.lit(value=True))
        # surprises begin on day 28: 17.5 each day until day 34, 21 until day 41; 14 of them are there on day 42
        assert scored["views_spread"][41] is None
        assert scored["views_spread"][42] == pytest.approx(1.4826 * (17.5 + 21) / 2)

    def test_the_day_itself_and_days_after_do_not_count(self) -> None:
        counts = [100 + n % 9 for n in range(90)]
        value = pl.col("video_views").log1p()
        plain = with_scores(days(*({"video_views": n} for n in counts)), "views", value, pl.lit(value=True))
        counts[80:] = [999_999] * 10
        risen = with_scores(days(*({"video_views": n} for n in counts)), "views", value, pl.lit(value=True))
        columns = ["views_usual", "views_spread", "views_ordinary"]
        assert_frame_equal(plain.head(81).select(columns), risen.head(81).select(columns))
        assert risen["views_surprise"][80] == pytest.approx(log(1_000_000) - plain["views_usual"][80])


def steady(number: int = 100, **changes: dict[str, int]) -> pl.DataFrame:
    """``steady(d80={"likes": 1})``: days of about 1,000 views with 100 engagements; day 80 has 1 like."""
    rows = [
        {"video_views": 1000 + 37 * (n % 5), "likes": 80 + n % 4, "comments": 12, "shares": 8} for n in range(number)
    ]
    for key, change in changes.items():
        rows[int(key[1:])] |= change
    return days(*rows)


class TestOutliers:
    def test_a_steady_account_has_none(self) -> None:
        assert found(steady()).is_empty()

    def test_views_far_above_the_usual_are_an_event(self) -> None:
        rows = steady(d80={"video_views": 10_000, "likes": 800, "comments": 120, "shares": 80})
        ((name, kind, severity, sentence),) = sentences(rows)
        assert (name, kind, severity) == ("views_outlier", "event", "info")
        # day 80 is a Thursday. The 8 before saw 1,000 1,037 1,037 1,074 1,111 1,111 1,148 1,148 views:
        # the median of the logs is that of sqrt(1,075 x 1,112) = 1,093, less the 1 of log1p
        assert sentence == "10,000 views are 9.2 times the 1,092 of a usual Thursday."

    def test_so_are_views_far_below(self) -> None:
        rows = found(steady(d80={"video_views": 30, "likes": 2, "comments": 1, "shares": 0}))
        assert column(rows, "anomaly") == ["views_outlier"]
        assert column(rows, "sentence")[0].startswith("30 views are only 3% of the 1,0")

    def test_engagement_is_judged_by_the_views_it_came_with(self) -> None:
        rows = found(steady(d80={"likes": 480}, d90={"likes": 5, "comments": 1, "shares": 0}))
        assert values_of(rows, "date", "anomaly", "kind") == [
            (MONDAY + timedelta(80), "engagement_outlier", "event"),
            (MONDAY + timedelta(90), "engagement_outlier", "event"),
        ]
        # (engagements + 1) / (views + 1) of the 8 Thursdays before has 101 / 1,075 and 103 / 1,112 in its middle:
        # sqrt(0.09395 x 0.09263) x 1,001 = 93.4, less 1
        sentence = "500 likes, comments and shares are 5.4 times the 92 usual for 1,000 views."
        assert column(rows, "sentence")[0] == sentence

    def test_one_viral_day_hides_neither_the_next_nor_a_follower_drop(self) -> None:
        viral = {"video_views": 50_000, "likes": 4000, "comments": 600, "shares": 400}
        next_day = {"video_views": 10_000, "likes": 800, "comments": 120, "shares": 80}
        rows = found(
            steady(
                d80=viral, d81={**next_day, "followers": 400}, d82={"followers": 400}, d83=next_day | {"followers": 400}
            )
        )
        assert values_of(rows, "date", "anomaly") == [
            (MONDAY + timedelta(80), "views_outlier"),
            (MONDAY + timedelta(81), "follower_drop"),
            (MONDAY + timedelta(81), "views_outlier"),
            (MONDAY + timedelta(83), "views_outlier"),
        ]

    def test_a_data_error_is_not_told_as_an_event_as_well(self) -> None:
        rows = found(steady(d80={"video_views": 40, "likes": 90}))
        assert column(rows, "anomaly") == ["views_below_engagement"]

    def test_without_6_weeks_of_history_nothing_is_unusual(self) -> None:
        spike = {"video_views": 4_000, "likes": 320, "comments": 48, "shares": 32}
        assert found(steady(42, d41=spike)).is_empty()
        assert column(found(steady(43, d42=spike)), "anomaly") == ["views_outlier"]

    def test_an_account_that_wakes_up_is_not_unusual_all_day_long(self) -> None:
        nothing = {"video_views": 0, "likes": 0, "comments": 0, "shares": 0}
        rows = steady(120, **{f"d{n}": nothing for n in range(80)})
        assert found(rows).is_empty()


def test_a_day_without_data_was_not_examined() -> None:
    rows = days({}, {"video_views": None, "followers": None}, {"video_views": None})
    assert column(with_anomalies(rows, find_anomalies(rows)), "anomalies") == [[], None, []]


def test_one_day_and_no_day_are_examined_too() -> None:
    assert found(days({})).is_empty()
    empty = with_anomalies(days(), found(days()))
    assert (empty.height, empty.schema["anomalies"]) == (0, pl.List(pl.String))


def test_a_finding_names_its_check_and_the_export_behind_the_day() -> None:
    rows = days({"followers": 1000}, {"followers": 500, "comments": -20}).with_columns(
        export_id=pl.Series(["first", "second"])
    )
    assert values_of(anomaly_log(rows), "anomaly", "check_name", "export_id") == [
        ("follower_drop", "follower_trend_is_plausible", "second"),
        ("negative_count", "engagement_rate_is_within_bounds", "second"),
    ]
    assert CHECKS["views_below_engagement"] == "views_cover_engagement"


def test_every_anomaly_breaks_a_promise() -> None:
    assert {anomaly for broken in PROMISES.values() for anomaly in broken} == set(ANOMALIES)


SPOT = date(2025, 10, 8)


def simulated(seed: int, **traits: Any) -> pl.DataFrame:
    account = SimulatedAccount.generate(
        f"pier{seed}", seed, date(2025, 1, 1), date(2025, 12, 31), traits=Traits(**traits)
    )
    return true_days(account)


def changed(rows: pl.DataFrame, **changes: Any) -> pl.DataFrame:
    on_the_spot = pl.col("date") == SPOT
    return rows.with_columns(
        pl.when(on_the_spot).then(value).otherwise(name).alias(name) for name, value in changes.items()
    )


PLANTED = {
    "follower_drop": lambda seed: simulated(seed, follower_drop=SPOT),
    "missing_day": lambda seed: simulated(seed, gap=(SPOT - timedelta(3), SPOT - timedelta(1))),
    "duplicate_entry": lambda seed: simulated(seed).with_columns(
        pl.when(pl.col("date") == SPOT).then(pl.col(name).shift(1)).otherwise(name).alias(name)
        for name in ("video_views", "profile_views", "likes", "comments", "shares")
    ),
    "negative_count": lambda seed: changed(simulated(seed), comments=-60),
    "views_below_engagement": lambda seed: changed(simulated(seed), likes=pl.col("video_views") + 20),
    "viewers_above_views": lambda seed: changed(simulated(seed), unique_viewers=pl.col("video_views") * 3 + 100),
    "views_outlier": lambda seed: changed(
        simulated(seed), **{name: pl.col(name) * 40 for name in ("video_views", "likes", "comments", "shares")}
    ),
    "engagement_outlier": lambda seed: changed(
        simulated(seed), likes=(pl.col("video_views") * 0.8).cast(pl.Int64), comments=0, shares=0
    ),
}


CLEAN = (0, 2, 3, 5, 8)
"""Seeds of accounts of whose year nothing is flagged: 49 of the first 60 are."""


@pytest.mark.parametrize("anomaly", ANOMALIES)
@pytest.mark.parametrize("seed", CLEAN)
def test_what_is_planted_on_an_account_is_found_and_nothing_else(anomaly: str, seed: int) -> None:
    assert found(simulated(seed)).is_empty()
    assert values_of(found(PLANTED[anomaly](seed)), "date", "anomaly") == [(SPOT, anomaly)]


@pytest.mark.parametrize("seed", CLEAN)
def test_a_viral_video_shows_on_its_day_and_hides_no_follower_drop_on_the_next(seed: int) -> None:
    rows = found(simulated(seed, viral_day=SPOT, follower_drop=SPOT + timedelta(1)))
    assert (SPOT, "views_outlier") in values_of(rows, "date", "anomaly")
    assert values_of(rows.filter(anomaly="follower_drop"), "date") == [(SPOT + timedelta(1),)]
    assert set(column(rows, "anomaly")) == {"views_outlier", "follower_drop"}
    assert max(column(rows, "date")) <= SPOT + timedelta(5)  # the wave ebbs away


def test_under_1_percent_of_the_days_of_200_clean_accounts_are_flagged() -> None:
    sizes, paces = ("small", "medium", "large"), (1, 2, 3.5, 7, 14)
    rows = pl.concat(
        simulated(seed, size=sizes[seed % 3], posts_per_week=paces[seed % 5], utc_offset=seed % 9)
        for seed in range(200)
    )
    flagged = find_anomalies(rows).select("account", "date").unique()
    assert rows.height == 200 * 365
    assert flagged.height < 0.01 * rows.height
    worst = max(column(flagged.group_by("account").len(), "len"))
    assert worst < 0.05 * 365


def test_two_anomalies_of_a_day_are_both_named_in_its_row() -> None:
    rows = days({"followers": 1000}, {"followers": 500, "comments": -20})
    flags = column(with_anomalies(rows, find_anomalies(rows)), "anomalies")
    assert flags == [[], ["follower_drop", "negative_count"]]


@examples(12)
@given(
    seed=st.integers(0, 10_000),
    lost=st.sets(st.integers(0, 364), max_size=60),
    unknown=st.sets(st.integers(0, 364), max_size=20),
    moved=st.dictionaries(st.integers(0, 364), st.sampled_from([0, 3, 20, -1]), max_size=20),
)
def test_a_run_per_month_finds_what_one_run_finds(
    seed: int, lost: set[int], unknown: set[int], moved: dict[int, int]
) -> None:
    number = pl.int_range(pl.len())
    times = number.replace_strict(moved, default=1, return_dtype=pl.Int64)
    rows = (
        simulated(seed)
        .with_columns(video_views=pl.when(~number.is_in(unknown)).then(pl.col("video_views") * times))
        .filter(~number.is_in(lost))
    )
    split = by_month(rows, LOOK_BACK, lambda window, _: find_anomalies(window))
    assert_frame_equal(split, find_anomalies(rows))
    flagged = by_month(rows, LOOK_BACK, lambda window, _: with_anomalies(window, find_anomalies(window)))
    assert_frame_equal(flagged, with_anomalies(rows, find_anomalies(rows)))
