"""When does posting pay: the arithmetic worked out manually, effects that were planted, and none where none was."""

from __future__ import annotations

from datetime import date, timedelta
from math import exp, log, sqrt

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated.videos.equal_age import residuals
from tiktok_assets.curated.videos.posting import LOOK_BACK, PostingTimes, posting_times
from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.traits import Traits
from tiktok_assets_tests.curated.frames import by_month, column, true_snapshots, values_of

MAY = date(2025, 5, 1)
DAY = date(2025, 5, 20)


def videos(*given: tuple[int, int | None, int, int], captured: date = DAY) -> pl.DataFrame:
    """One snapshot a video, in order of upload: weekday, hour, age in days, total views."""
    columns = {"publish_weekday_local": pl.Int64, "publish_hour_local": pl.Int64, "age_days": pl.Int64}
    rows = pl.DataFrame(given, {**columns, "total_views": pl.Int64}, orient="row")
    numbered = rows.with_row_index("video_id").with_columns(pl.col("video_id").cast(pl.String).str.zfill(4))
    return numbered.with_columns(account=pl.lit("a"), date=pl.lit(captured))


def effects(rows: pl.DataFrame) -> pl.DataFrame:
    table = posting_times(rows, [MAY])
    assert violations(PostingTimes, table) == []
    return table


class TestEqualAge:
    def test_views_are_measured_against_the_accounts_own_line_through_age(self) -> None:
        # log(1 + views) = 2 log(age) + log(10): on the line, so nothing is left of any
        ages = (1, 2, 3, 10)
        rows = residuals(videos(*((1, 12, age, 10 * age * age - 1) for age in ages)), [MAY])
        assert column(rows, "residual") == pytest.approx([0, 0, 0, 0], abs=1e-12)

    def test_of_videos_of_one_age_the_residual_is_the_distance_from_the_mean_log(self) -> None:
        rows = residuals(videos((1, 12, 7, 99), (1, 12, 7, 399)), [MAY])
        # log 100 and log 400: their mean is log 200, log 2 away from both
        assert column(rows, "residual") == pytest.approx([-log(2), log(2)])

    def test_a_video_counts_once_with_the_snapshot_nearest_to_a_week(self) -> None:
        rows = videos((1, 12, 2, 10), (1, 12, 8, 20), (1, 12, 30, 30)).with_columns(video_id=pl.lit("same"))
        chosen = residuals(rows, [MAY], "publish_hour_local")
        assert values_of(chosen, "video_id", "age_days", "total_views") == [("same", 8, 20)]

    def test_the_day_of_publication_and_unknown_views_do_not_count(self) -> None:
        rows = videos((1, 12, 0, 10), (1, 12, 5, 20)).with_columns(
            total_views=pl.when(pl.col("age_days") == 0).then("total_views")
        )
        assert residuals(rows, [MAY]).is_empty()

    def test_only_what_was_known_at_the_end_of_the_month_counts(self) -> None:
        captured = [MAY - timedelta(days=366), MAY - timedelta(days=365), date(2025, 5, 31), date(2025, 6, 1)]
        rows = pl.concat(
            videos((1, n, 7, 10), captured=day).with_columns(video_id=pl.lit(str(n))) for n, day in enumerate(captured)
        )
        assert column(residuals(rows, [MAY]), "video_id") == ["1", "2"]

    def test_an_account_without_a_snapshot_in_the_month_has_no_row_for_it(self) -> None:
        april = date(2025, 4, 20)
        rows = pl.concat(
            [videos((1, 12, 7, 10), captured=april), videos((1, 12, 7, 10)).with_columns(account=pl.lit("b"))]
        )
        found = residuals(rows, [date(2025, 4, 1), MAY])
        assert values_of(found, "account", "date") == [("a", date(2025, 4, 1)), ("b", MAY)]


class TestEffects:
    def test_the_effect_is_the_shrunk_contrast_of_the_group_with_the_others(self) -> None:
        noon, evening = (3, 12, 7, 399), (5, 18, 7, 99)
        table = effects(videos(*[noon, evening, evening, evening] * 8))
        # contrast log(400) - log(100) = log 4; m = 8 x 24 / 32 = 6; shrunk by 6 / (6 + 5) to (6 / 11) log 4
        contrast = 6 / 11 * log(4)
        # of 6 to 11 neighbours in a row most are at log 100, the median: 8 residuals are log 4, 24 are 0, over 32 - 2
        spread = sqrt(8 / 30) * log(4)
        # noon and evening, alone and with their weekday, and the two weekdays: 6 claims share 5%: 0.9958 -> 2.638
        width = 2.6383 * spread / sqrt(11)
        row = table.filter(weekday=3, hour=12).row(0, named=True)
        assert row["n"] == 8
        assert row["effect"] == pytest.approx(exp(contrast))
        assert row["effect_low"] == pytest.approx(exp(contrast - width), rel=1e-4)
        assert row["effect_high"] == pytest.approx(exp(contrast + width), rel=1e-4)
        # 0.756 beside a width of 0.569: the interval excludes no effect
        assert row["evidence"] == "more views"
        assert table.filter(weekday=5, hour=18)["effect"].item() == pytest.approx(exp(-contrast))
        assert table.filter(weekday=5, hour=18)["evidence"].item() == "fewer views"

    def test_an_account_on_the_rise_does_not_praise_what_it_does_lately(self) -> None:
        # 7 times the views from one day on, the day on which it moves its hour: either of the two may be the cause
        before, after = [(3, 12, 7, 99)] * 40, [(3, 18, 7, 699)] * 40
        table = effects(videos(*before, *after))
        assert set(column(table, "evidence")) == {"no evidence"}
        # each of 80 videos has the views of its neighbours, also beside the jump, where one side is 6 of 11
        assert column(table.drop_nulls("effect"), "effect") == pytest.approx([1.0, 1.0, 1.0, 1.0])

    def test_weekdays_and_hours_are_also_told_on_their_own(self) -> None:
        table = effects(videos((1, 8, 7, 10), (1, 9, 7, 10), (2, 9, 7, 10)))
        assert values_of(table, "weekday", "hour", "n") == [
            *((None, 8, 1), (None, 9, 2)),
            *((1, None, 2), (1, 8, 1), (1, 9, 1)),
            *((2, None, 1), (2, 9, 1)),
        ]

    @pytest.mark.parametrize(("group", "others"), [(4, 30), (30, 4), (5, 14), (1, 0)])
    def test_too_few_videos_in_a_group_outside_it_or_in_all_have_no_effect(self, group: int, others: int) -> None:
        table = effects(videos(*[(3, 12, 7, 9_999)] * group, *[(5, 18, 7, 9)] * others))
        row = table.filter(weekday=3, hour=12)
        assert values_of(row, "n", "effect", "effect_low", "effect_high", "evidence") == [
            (group, None, None, None, "no evidence")
        ]

    def test_without_a_local_hour_there_is_nothing_to_say(self) -> None:
        assert effects(videos(*[(3, None, 7, 100)] * 40)).is_empty()
        assert effects(videos()).is_empty()

    def test_equal_views_at_every_hour_are_no_evidence(self) -> None:
        table = effects(videos(*((1 + n % 7, n % 5, 7, 100) for n in range(70))))
        assert set(column(table, "evidence")) == {"no evidence"}
        assert column(table.drop_nulls("effect"), "effect") == pytest.approx([1.0] * len(table.drop_nulls("effect")))


@pytest.fixture(scope="module")
def year() -> list[pl.DataFrame]:
    """Twelve accounts whose hour of posting has no effect, each with a year of videos, captured every week."""
    weeks = [date(2024, 6, 7) + timedelta(days=7 * n) for n in range(52)]
    accounts = (
        SimulatedAccount.generate(f"pier{seed}", seed, date(2024, 5, 1), date(2025, 5, 31), traits=Traits())
        for seed in range(12)
    )
    return [true_snapshots(account, weeks) for account in accounts]


def test_accounts_without_an_effect_show_no_evidence(year: list[pl.DataFrame]) -> None:
    claims = [set(column(posting_times(rows, [MAY]), "evidence")) - {"no evidence"} for rows in year]
    assert sum(map(bool, claims)) <= 1  # 5% of 12 accounts


def test_an_hour_with_five_times_the_views_is_found_and_no_other(year: list[pl.DataFrame]) -> None:
    at_six = pl.col("publish_hour_local") == 18
    planted = year[0].with_columns(total_views=pl.when(at_six).then(pl.col("total_views") * 5).otherwise("total_views"))
    more = posting_times(planted, [MAY]).filter(evidence="more views")
    assert set(column(more, "hour")) == {18}


def test_a_run_per_month_makes_what_one_run_makes(year: list[pl.DataFrame]) -> None:
    rows = pl.concat(year[:2])
    months = sorted(set(rows["date"].dt.truncate("1mo")))
    split = by_month(rows, LOOK_BACK, lambda window, month: posting_times(window, [month]))
    key = ["account", "date", "weekday", "hour"]
    assert_frame_equal(split.sort(key), posting_times(rows, months).sort(key))
