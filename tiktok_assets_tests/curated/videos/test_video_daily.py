"""The views of a video's day, and the bounds of them, worked out manually."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from tiktok_assets.curated.videos import total_bounds
from tiktok_assets.curated.videos.counted import LONGEST_GAP
from tiktok_assets.curated.videos.video_daily import video_daily
from tiktok_assets_tests.curated.frames import values_of
from tiktok_assets_tests.curated.videos.given_totals import NOTHING, account, at_noon, dated, listed, march, noon

BOUNDS = ("day", "views_low", "views", "views_high", "evidence")


class TestTwoSnapshots:
    def test_a_day_between_two_snapshots_has_none_or_all_of_their_gain(self) -> None:
        rows = at_noon({3: 100, 6: 160})
        # 60 in the 3 days from noon to noon: a half day on the 3rd and 6th, whose other halves nothing limits.
        assert values_of(rows, *BOUNDS, "bound_width", "total_views_low", "total_views_high") == [
            (march(4), 0, 20, 60, "bounded", 60, 100, 160),
            (march(5), 0, 20, 60, "bounded", 60, 100, 160),
        ]
        assert values_of(rows, "date", "snapshot_before") == [(march(6), march(3))] * 2

    def test_the_day_of_a_snapshot_has_a_part_of_the_gain_before_and_of_the_gain_after(self) -> None:
        rows = at_noon({3: 100, 4: 130, 5: 190})
        # 4 March: half of 30 and half of 60.
        assert values_of(rows, *BOUNDS) == [(march(4), 0, 45, 90, "bounded")]

    def test_no_gain_is_exactly_no_views(self) -> None:
        rows = at_noon({3: 100, 5: 100})
        assert values_of(rows, *BOUNDS, "bound_width") == [(march(4), 0, 0, 0, "exact", 0)]

    def test_nothing_is_known_after_the_last_snapshot_and_before_the_first(self) -> None:
        assert at_noon({3: 100}).is_empty()
        assert at_noon({}).is_empty()

    def test_an_unknown_total_is_passed_over(self) -> None:
        assert at_noon({3: 100, 4: None, 6: 160}).equals(at_noon({3: 100, 6: 160}))

    def test_days_of_a_gap_of_more_than_a_month_are_not_given(self) -> None:
        last = march(1) + dt.timedelta(LONGEST_GAP)
        rows = [{"date": march(1), "total_views": 1, "export_id": "1"}, {"total_views": 63, "export_id": "2"}]
        exports = dated({"1": noon(march(1)), "2": noon(last)})
        given = video_daily(listed(rows[0], {**rows[1], "date": last}), NOTHING, exports)
        assert given.height == LONGEST_GAP - 1
        later = last + dt.timedelta(1)
        exports = dated({"1": noon(march(1)), "2": noon(later)})
        assert video_daily(listed(rows[0], {**rows[1], "date": later}), NOTHING, exports).is_empty()


class TestPublication:
    def test_a_video_begins_at_no_views_on_the_day_of_its_upload(self) -> None:
        rows = at_noon({5: 50}, published_at=noon(march(3)))
        # From the beginning of the 3rd to noon of the 5th are 2.5 days: 50 / 2.5 a day.
        assert values_of(rows, *BOUNDS, "snapshot_before") == [
            (march(3), 0, 20, 50, "bounded", None),
            (march(4), 0, 20, 50, "bounded", None),
        ]

    def test_the_day_of_the_publication_is_known_after_the_second_snapshot(self) -> None:
        rows = at_noon({3: 40, 4: 100}, published_at=noon(march(3)))
        # 40 until noon, and half of the 60 up to the next noon; it can be all of them, and not less than the 40.
        assert values_of(rows, *BOUNDS) == [(march(3), 40, 70, 100, "bounded")]

    def test_a_scheduled_video_begins_on_its_post_date_which_may_be_a_day_ahead_of_utc(self) -> None:
        rows = at_noon({20: 50}, published_at=noon(march(1)), post_date=march(18))
        assert values_of(rows, "day") == [(march(17),), (march(18),), (march(19),)]


class TestTotalsThatFell:
    def test_bounds_open_on_every_day_that_a_fall_may_concern(self) -> None:
        rows = at_noon({3: 100, 4: 130, 6: 120, 7: 126, 8: 126})
        assert values_of(rows, *BOUNDS, "bound_width") == [
            (march(4), 0, None, None, "total fell", None),
            (march(5), 0, None, None, "total fell", None),
            (march(6), 0, None, None, "total fell", None),
            (march(7), 0, 3, 6, "bounded", 6),
        ]
        # At the end of the 6th the total is known again: 120 at noon of it, 126 at noon of the 7th.
        totals = values_of(rows, "total_views_low", "total_views_high")
        assert totals == [(None, None), (None, None), (120, 126), (126, 126)]


class TestTheAccountsViews:
    days = account({march(day): views for day, views in {2: 30, 3: 30, 4: 30, 5: 10, 6: 10, 7: 10, 8: 10}.items()})

    def test_a_day_has_no_more_than_the_account_on_it_or_a_day_beside_it(self) -> None:
        rows = at_noon({3: 100, 7: 160}, self.days)
        # Limits are 30 up to 5 March and 10 from the 6th: at the end of the 5th at least 160 - 10 - 10 are there.
        assert values_of(rows, "day", "views_low", "views_high", "total_views_low", "total_views_high") == [
            (march(4), 0, 30, 110, 160),
            (march(5), 0, 30, 140, 160),
            (march(6), 0, 10, 150, 160),
        ]

    def test_the_estimate_follows_the_accounts_views(self) -> None:
        # Seen up to noon of the 7th: 15 + 30 + 10 + 10 + 5 = 70 for a gain of 35, so half of the account's.
        rows = at_noon({3: 100, 7: 135}, self.days)
        assert values_of(rows, "day", "views") == [(march(4), 15), (march(5), 5), (march(6), 5)]

    def test_a_day_without_views_counts_as_the_mean_of_the_others_in_the_estimate(self) -> None:
        days = account({march(3): 20, march(4): 30, march(5): None, march(6): 20})
        # Known: 10 + 30 + 10 over 2 days from noon to noon, so 25 a day: 75 in all for a gain of 150.
        rows = at_noon({3: 100, 6: 250}, days)
        assert values_of(rows, "day", "views") == [(march(4), 60), (march(5), 50)]

    def test_views_that_are_not_final_or_not_known_limit_nothing(self) -> None:
        views = {march(day): 30 for day in range(1, 10)}
        for days in (account(views, is_settled=False), account({**views, march(5): None})):
            high = at_noon({4: 100, 6: 200}, days)["views_high"].to_list()
            assert high == [100]

    def test_a_gain_above_the_accounts_views_opens_the_bounds_and_says_so(self) -> None:
        rows = at_noon({3: 100, 7: 1_000}, self.days)
        assert rows["evidence"].to_list() == ["contradicts account"] * 3
        assert rows.select("views_low", "views_high").unique().rows() == [(0, 900)]


class TestExportsWithoutATime:
    def test_a_total_of_a_local_date_may_be_counted_a_day_before_or_after_it(self) -> None:
        rows = at_noon({1: 10, 3: 100, 6: 160, 9: 190}, is_dated=False)
        # That of 6 March was counted on the 5th, 6th or 7th, so it is a limit of the end of the 4th, and one from the
        # end of the 7th on. The 5th can have what came between the counts of the 3rd and the 9th.
        assert values_of(rows, "day", "views_low", "views_high", "snapshot_before", "date") == [
            (march(3), 0, 150, march(1), march(6)),
            (march(4), 0, 150, march(1), march(6)),
            (march(5), 0, 90, march(3), march(9)),
            (march(6), 0, 90, march(3), march(9)),
            (march(7), 0, 90, march(3), march(9)),
        ]

    def test_dates_in_another_order_than_their_counts_look_like_a_fall_and_open_the_bounds(self) -> None:
        # 10 views a day: 10 d at noon of day d. That of the 7th was counted where it was still the 6th, and the other
        # way round, on both sides of the date line.
        rows = at_noon({3: 30, 6: 70, 7: 60, 10: 100, 13: 130, 16: 160}, is_dated=False)
        assert values_of(rows.filter(evidence="total fell"), "day") == [(march(day),) for day in range(5, 9)]
        assert set(rows["evidence"]) == {"total fell", "bounded"}
        is_within = pl.col("views_low").le(10) & pl.col("views_high").fill_null(10).ge(10)
        end = 10 * pl.col("day").dt.day().cast(pl.Int64) + 5
        is_total_within = end.is_between("total_views_low", "total_views_high").fill_null(value=True)
        assert rows.filter(is_within & is_total_within).height == rows.height

    def test_a_time_that_contradicts_the_date_is_not_used(self) -> None:
        rows = listed(*({"date": march(day), "total_views": day, "export_id": str(day)} for day in (1, 3, 6, 9)))
        wrong = dated({str(day): noon(march(day + 10)) for day in (1, 3, 6, 9)})
        assert video_daily(rows, NOTHING, wrong).equals(video_daily(rows, NOTHING, dated({})))

    def test_insights_are_dated_in_utc_by_their_capture(self) -> None:
        rows = listed(*({"date": march(day), "total_views": day, "export_id": str(day)} for day in (3, 6)))
        rows = rows.with_columns(insights_export_id="export_id")
        assert video_daily(rows, NOTHING, dated({}))["day"].to_list() == [march(4), march(5)]


def test_of_a_long_list_the_videos_that_gained_most_have_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(total_bounds, "MOST_VIDEOS", 2)
    gains = {"1": 5, "2": 9, "3": 7}
    rows = [
        {"date": march(day), "video_id": video, "total_views": day * gain, "export_id": str(day)}
        for video, gain in gains.items()
        for day in (3, 6)
    ]
    days = video_daily(listed(*rows), NOTHING, dated({"3": noon(march(3)), "6": noon(march(6))}))
    assert sorted(days["video_id"].unique()) == ["2", "3"]
