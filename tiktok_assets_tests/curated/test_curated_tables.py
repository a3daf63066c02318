"""Tables of business meaning, against rows written manually."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from tiktok_assets.checks.schema import violations
from tiktok_assets.curated._tables import conform, warehouse_rows, with_handles
from tiktok_assets.curated.account import account_daily as daily
from tiktok_assets.curated.account.account_daily import AccountDaily, SocialMediaStats
from tiktok_assets.curated.audience.audience import Audience, AudienceInsights, audience
from tiktok_assets.curated.coverage.export_log import Exports, export_log
from tiktok_assets.curated.quality.restatements import Settling
from tiktok_assets.curated.videos import videos as snapshots
from tiktok_assets.curated.videos.videos import ContentPerformance, Videos
from tiktok_assets.exports.provenance import PROVENANCE
from tiktok_assets.reports.content import Content
from tiktok_assets.reports.follower_activity import FollowerActivity
from tiktok_assets.reports.follower_gender import FollowerGender
from tiktok_assets.reports.follower_history import FollowerHistory
from tiktok_assets.reports.follower_territories import FollowerTerritories
from tiktok_assets.reports.insights import Insights
from tiktok_assets.reports.overview import Overview
from tiktok_assets.reports.viewers import Viewers

MONDAY, TUESDAY, WEDNESDAY = date(2025, 1, 6), date(2025, 1, 7), date(2025, 1, 8)
LOADED_AT = datetime(2025, 1, 9, tzinfo=UTC)


def staged(schema: type[pa.DataFrameModel], *rows: dict[str, Any]) -> pl.DataFrame:
    """Staged rows of account "a" that say what is given and nothing else."""
    known = {"account": "a", "downloaded_at": LOADED_AT, "date_shift_days": 0}
    columns = schema.to_schema().columns
    dtypes = {name: column.dtype.type for name, column in columns.items()}
    filled = [
        {name: {**known, "date_label": row["date"], **row}.get(name) for name in columns}
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(filled, schema=dtypes, orient="row")


def account_daily(
    overview: pl.DataFrame, viewers: pl.DataFrame, follower_history: pl.DataFrame, insights: pl.DataFrame
) -> pl.DataFrame:
    """Days of which nothing is known about settling."""
    return daily.account_daily(overview, viewers, follower_history, insights, Settling.empty())


def videos(content: pl.DataFrame, insights: pl.DataFrame) -> pl.DataFrame:
    """Snapshots of an account in Athens."""
    return snapshots.videos(content, insights, {"a": "Europe/Athens"}).lazy().collect()


def values_of(rows: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return rows.select(columns).rows()


class TestAccountDaily:
    def test_a_day_that_only_one_report_tells_is_a_row_with_the_rest_unknown(self) -> None:
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "video_views": 10, "export_id": "o"}),
            staged(Viewers, {"date": TUESDAY, "unique_viewers": 7, "export_id": "v"}),
            staged(FollowerHistory, {"date": WEDNESDAY, "followers": 5, "export_id": "f"}),
            staged(Insights),
        )
        columns = ("date", "video_views", "unique_viewers", "followers", "date_label", "date_shift_days")
        assert values_of(joined, *columns) == [
            (MONDAY, 10, None, None, MONDAY, 0),
            (TUESDAY, None, 7, None, TUESDAY, 0),
            (WEDNESDAY, None, None, 5, WEDNESDAY, 0),
        ]
        assert values_of(joined, "export_id", "viewers_export_id", "followers_export_id") == [
            ("o", None, None),
            (None, "v", None),
            (None, None, "f"),
        ]
        assert violations(AccountDaily, joined) == []

    def test_a_day_of_all_three_reports_is_one_row_that_names_each_export(self) -> None:
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "video_views": 10, "likes": -1, "export_id": "o"}),
            staged(Viewers, {"date": MONDAY, "unique_viewers": 7, "new_viewers": 3, "export_id": "v"}),
            staged(FollowerHistory, {"date": MONDAY, "followers": 5, "export_id": "f"}),
            staged(Insights),
        )
        columns = ("video_views", "likes", "unique_viewers", "new_viewers", "followers")
        assert values_of(joined, *columns) == [(10, -1, 7, 3, 5)]
        assert values_of(joined, "export_id", "viewers_export_id", "followers_export_id") == [("o", "v", "f")]

    def test_the_same_day_of_two_accounts_stays_two_rows(self) -> None:
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "account": "a", "video_views": 1, "export_id": "o"}),
            staged(Viewers, {"date": MONDAY, "account": "b", "unique_viewers": 2, "export_id": "v"}),
            staged(FollowerHistory),
            staged(Insights),
        )
        assert values_of(joined, "account", "video_views", "unique_viewers") == [("a", 1, None), ("b", None, 2)]

    def test_business_suite_extras_are_overviews_where_both_tell_them(self) -> None:
        suite = {"reach": 8, "new_followers": 3, "lost_followers": 1, "clicks": 2, "leads": 0}
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "export_id": "o", **suite}, {"date": TUESDAY, "export_id": "o"}),
            staged(Viewers),
            staged(
                FollowerHistory,
                {"date": MONDAY, "export_id": "f", "reach": 99, "new_followers": 99, "engaged_audience": 6},
                {"date": TUESDAY, "export_id": "f", "reach": 9, "new_followers": 4},
            ),
            staged(Insights),
        )
        columns = ("reach", "new_followers", "lost_followers", "clicks", "leads", "engaged_audience")
        assert values_of(joined, *columns) == [(8, 3, 1, 2, 0, 6), (9, 4, None, None, None, None)]

    def test_following_stands_on_the_day_it_was_read_and_followers_stay_the_exports(self) -> None:
        read = {"video_id": "", "item": "", "export_id": "i"}
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "video_views": 10, "export_id": "o"}),
            staged(Viewers),
            staged(FollowerHistory, {"date": MONDAY, "followers": 5, "export_id": "f"}),
            staged(
                Insights,
                {"date": MONDAY, "metric": "following", "value": 70.0, **read},
                {"date": MONDAY, "metric": "followers", "value": 6.0, **read},
                {"date": TUESDAY, "metric": "following", "value": None, **read},
                {"date": WEDNESDAY, "metric": "following", "value": 71.0, **read},
                {"date": WEDNESDAY, "metric": "followers", "value": 7.0, **read},
            ),
        )
        columns = ("date", "following", "followers", "video_views", "insights_export_id", "date_label")
        assert values_of(joined, *columns) == [
            (MONDAY, 70, 5, 10, "i", MONDAY),
            (WEDNESDAY, 71, None, None, "i", WEDNESDAY),
        ]
        assert violations(AccountDaily, joined) == []

    def test_a_day_has_its_rates_and_what_the_days_before_make_of_it(self) -> None:
        counts = {"likes": 6, "comments": 3, "shares": 1, "profile_views": 2, "export_id": "o"}
        days = account_daily(
            staged(
                Overview,
                {"date": MONDAY, "video_views": 100, **counts},
                {"date": TUESDAY, "video_views": 5, **counts},
            ),
            staged(Viewers),
            staged(
                FollowerHistory,
                {"date": MONDAY, "followers": 50, "export_id": "f"},
                {"date": TUESDAY, "followers": 40, "export_id": "f"},
            ),
            staged(Insights, {"date": WEDNESDAY, "metric": "following", "value": 7.0, "video_id": "", "item": ""}),
        )
        assert violations(AccountDaily, days) == []
        columns = ("engagements", "engagement_rate", "virality_rate", "net_followers", "video_views_growth_1d")
        assert values_of(days, *columns) == [
            (10, 0.1, 0.01, None, None),
            (10, 2.0, 0.2, -10, -0.95),
            (None, None, None, None, None),  # a day that only insights contain
        ]
        # a fifth of the followers left; 10 engagements on 5 views cannot be; nothing was examined on Wednesday
        assert days["anomalies"].to_list() == [[], ["follower_drop", "views_below_engagement"], None]

    def test_net_followers_are_business_suites_where_followers_are_unknown(self) -> None:
        told_by_suite = {"new_followers": 9, "lost_followers": 2, "export_id": "o"}
        days = account_daily(
            staged(
                Overview,
                {"date": MONDAY, "net_followers": 5, **told_by_suite},
                {"date": TUESDAY, **told_by_suite},
                {"date": WEDNESDAY, "net_followers": 5, **told_by_suite},
            ),
            staged(Viewers),
            staged(
                FollowerHistory,
                {"date": TUESDAY, "followers": 20, "export_id": "f"},
                {"date": WEDNESDAY, "followers": 23, "export_id": "f"},
            ),
            staged(Insights),
        )
        assert days["net_followers"].to_list() == [5, 7, 3]  # as reported, new less lost, counted

    def test_without_any_export_it_is_an_empty_table_of_its_schema(self) -> None:
        joined = account_daily(staged(Overview), staged(Viewers), staged(FollowerHistory), staged(Insights))
        assert joined.height == 0
        assert violations(AccountDaily, joined) == []

    def test_the_warehouse_row_carries_handle_platform_and_time_and_unknown_rates(self) -> None:
        joined = account_daily(
            staged(Overview, {"date": MONDAY, "video_views": 10, "export_id": "o"}),
            staged(Viewers),
            staged(FollowerHistory),
            staged(Insights),
        )
        loaded = warehouse_rows(with_handles(joined, {"a": "a.handle"}), SocialMediaStats, LOADED_AT)
        assert violations(SocialMediaStats, loaded) == []
        columns = ("platform", "account", "handle", "date", "video_views", "following", "export_id", "loaded_at")
        assert values_of(loaded, *columns) == [("tiktok", "a", "a.handle", MONDAY, 10, None, "o", LOADED_AT)]
        assert loaded.columns[:2] == ["platform", "account"]
        assert loaded.columns[-2:] == ["export_id", "loaded_at"]


def listed(title: str | None) -> pl.DataFrame:
    row = {"date": MONDAY, "video_id": VIDEO, "title": title, "published_at": LOADED_AT}
    return staged(Content, {**row, "export_id": "c", "handle": "a", "link": "l", "total_views": 5})


VIDEO = "7300000000000000000"


def insights_of(day: date, video_id: str, **metrics: float | str | None) -> pl.DataFrame:
    known = {"date": day, "video_id": video_id, "item": "", "export_id": "i"}
    return staged(
        Insights,
        *(
            {**known, "metric": name, "text" if isinstance(value, str) else "value": value}
            for name, value in metrics.items()
        ),
    )


class TestVideos:
    @pytest.mark.parametrize(
        ("title", "hashtags"),
        [
            ("New song #Rap #greekrap", ["rap", "greekrap"]),
            ("#μουσική και #Ελλάδα!", ["μουσική", "ελλάδα"]),
            ("#日本語 #हिन्दी #música_2025", ["日本語", "हिन्दी", "música_2025"]),
            ("#one#two", ["one", "two"]),
            ("twice #Fyp #fyp", ["fyp"]),
            ("a # alone, C#, and 5#", []),
            ('quotes "#in" (#brackets), #end.', ["in", "brackets", "end"]),
            ("", []),
            (None, None),
        ],
    )
    def test_hashtags_are_those_of_the_title_in_lower_case_once_each(
        self, title: str | None, hashtags: list[str] | None
    ) -> None:
        table = videos(listed(title), staged(Insights))
        assert table["hashtags"].to_list() == [hashtags]
        assert violations(Videos, table) == []

    def test_the_warehouse_row_keeps_the_values_of_the_snapshot(self) -> None:
        renamed = videos(listed("x"), staged(Insights)).rename({"date": "captured_on", "post_date": "publish_date"})
        loaded = warehouse_rows(renamed, ContentPerformance, LOADED_AT)
        assert violations(ContentPerformance, loaded) == []
        assert values_of(loaded, "captured_on", "total_views", "favorites", "is_latest") == [(MONDAY, 5, None, None)]

    def test_insights_join_the_snapshot_of_their_day_and_totals_stay_the_exports(self) -> None:
        table = videos(
            listed("x"),
            insights_of(MONDAY, VIDEO, average_watch_time=7.5, completion_rate=0.25, total_views=9.0, favorites=3.0),
        )
        columns = ("date", "title", "total_views", "favorites", "average_watch_time", "completion_rate")
        assert values_of(table, *columns) == [(MONDAY, "x", 5, 3, 7.5, 0.25)]
        assert values_of(table, "export_id", "insights_export_id") == [("c", "i")]
        assert violations(Videos, table) == []

    def test_a_video_that_only_insights_tell_of_has_the_totals_of_that_moment(self) -> None:
        told_of = insights_of(TUESDAY, VIDEO, completion_rate=0.25, total_views=9.0, title="only #here")
        table = videos(listed("x"), told_of)
        columns = ("date", "title", "hashtags", "link", "total_views", "total_likes", "completion_rate", "export_id")
        assert values_of(table, *columns) == [
            (MONDAY, "x", [], "l", 5, None, None, "c"),
            (TUESDAY, "only #here", ["here"], None, 9, None, 0.25, "i"),
        ]
        assert table["published_at"].to_list()[1] == datetime(2023, 11, 11, 0, 48, 18, tzinfo=UTC)
        assert violations(Videos, table) == []

    def test_a_snapshot_has_the_videos_growth_and_its_hour_in_the_accounts_timezone(self) -> None:
        table = videos(listed("x"), insights_of(TUESDAY, VIDEO, total_views=9.0))
        columns = ("date", "views_gained", "gained_over_days", "publish_hour_local")
        # uploaded at 00:48 UTC of 11 November 2023, which is 2:48 in Athens
        assert values_of(table, *columns)[1] == (TUESDAY, 4, 1, 2)

    def test_a_video_without_data_that_no_export_lists_is_no_row(self) -> None:
        assert videos(listed("x"), insights_of(TUESDAY, VIDEO, completion_rate=None, title="t")).height == 1

    def test_no_videos_are_an_empty_table(self) -> None:
        assert violations(Videos, videos(staged(Content), staged(Insights))) == []


class TestAudience:
    def test_three_reports_and_the_ages_of_insights_become_one_long_table(self) -> None:
        table = audience(
            staged(FollowerGender, {"date": TUESDAY, "gender": "Male", "share": 0.6, "export_id": "f"}),
            staged(FollowerTerritories, {"date": TUESDAY, "territory": "GR", "share": 0.9, "export_id": "f"}),
            staged(
                FollowerActivity,
                {"date": MONDAY, "hour": 7, "active_followers": 12, "is_zero_tail": False, "export_id": "f"},
            ),
            staged(
                Insights,
                {"date": TUESDAY, "metric": "viewer_age", "item": "18-24", "value": 0.3, "export_id": "i"},
                {"date": TUESDAY, "metric": "follower_age", "item": "18-24", "value": 0.2, "export_id": "i"},
                {"date": WEDNESDAY, "metric": "viewer_age", "item": "", "value": None, "export_id": "i"},
                {"date": WEDNESDAY, "metric": "traffic_source", "item": "For You", "value": 0.9, "export_id": "i"},
            ),
        )
        assert values_of(table, "date", "audience", "dimension", "value", "share", "count", "hour") == [
            (MONDAY, "followers", "active_time", "07", None, 12, 7),
            (TUESDAY, "followers", "age_range", "18-24", 0.2, None, None),
            (TUESDAY, "followers", "gender", "Male", 0.6, None, None),
            (TUESDAY, "followers", "territory", "GR", 0.9, None, None),
            (TUESDAY, "viewers", "age_range", "18-24", 0.3, None, None),
        ]
        assert violations(Audience, table) == []
        loaded = warehouse_rows(table.rename({"date": "captured_on"}), AudienceInsights, LOADED_AT)
        assert violations(AudienceInsights, loaded) == []

    def test_the_zeros_at_the_end_of_an_export_are_unknown_and_a_quiet_hour_is_zero(self) -> None:
        hours = [(3, 0, False), (4, 5, False), (5, 0, True), (6, None, False)]
        activity = staged(
            FollowerActivity,
            *(
                {"date": MONDAY, "hour": hour, "active_followers": count, "is_zero_tail": tail, "export_id": "f"}
                for hour, count, tail in hours
            ),
        )
        table = audience(staged(FollowerGender), staged(FollowerTerritories), activity, staged(Insights))
        assert values_of(table, "hour", "count") == [(3, 0), (4, 5), (5, None), (6, None)]


def raw(*rows: tuple[str, str, date]) -> pl.DataFrame:
    """Raw rows: account, export, day of the label."""
    frame = pl.DataFrame(rows, ["account", "export_id", "date_label"], orient="row")
    missing = {name: dtype for name, dtype in PROVENANCE.items() if name not in frame.columns}
    texts = [pl.lit("x", dtype).alias(name) for name, dtype in missing.items() if dtype == pl.String]
    others = [pl.lit(None, dtype).alias(name) for name, dtype in missing.items() if dtype != pl.String]
    return frame.with_columns(*texts, *others).with_columns(
        downloaded_at=pl.lit(LOADED_AT),
        vintage=pl.lit(LOADED_AT),
        window_first=pl.lit(MONDAY),
        window_last=pl.lit(WEDNESDAY),
    )


class TestExportLog:
    def test_an_export_counts_its_rows_by_month_and_report(self) -> None:
        rows = raw(
            ("a", "e1", date(2025, 1, 30)),
            ("a", "e1", date(2025, 1, 31)),
            ("a", "e1", date(2025, 2, 1)),
            ("a", "e2", date(2025, 2, 1)),
            ("b", "e3", date(2025, 2, 28)),
        )
        log = export_log("viewers", rows.lazy()).sort("account", "export_id", "month")
        assert values_of(log, "account", "export_id", "report", "month", "rows") == [
            ("a", "e1", "viewers", date(2025, 1, 1), 2),
            ("a", "e1", "viewers", date(2025, 2, 1), 1),
            ("a", "e2", "viewers", date(2025, 2, 1), 1),
            ("b", "e3", "viewers", date(2025, 2, 1), 1),
        ]
        assert violations(Exports, warehouse_rows(log, Exports, LOADED_AT)) == []

    def test_no_raw_rows_are_no_exports(self) -> None:
        log = export_log("viewers", pl.LazyFrame(schema=PROVENANCE))
        assert violations(Exports, warehouse_rows(log, Exports, LOADED_AT)) == []


def test_conforming_to_a_schema_drops_other_columns_and_adds_absent_ones_as_null() -> None:
    rows = pl.DataFrame({"account": ["a"], "date": [MONDAY], "mystery": [1]})
    shaped = conform(rows, Videos)
    assert shaped.columns == list(Videos.to_schema().columns)
    assert shaped["total_views"].to_list() == [None]
