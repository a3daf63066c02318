"""Business Suite's CSV files: full dates, their own headers, missing values as NAN or --."""

import csv
from datetime import UTC, date, datetime

from tiktok_assets.simulator.account import SimulatedAccount
from tiktok_assets.simulator.business_suite import business_suite_export
from tiktok_assets.simulator.traits import Traits

FIRST, LAST = date(2025, 12, 4), date(2025, 12, 31)


def test_the_overview_has_the_measured_header_and_dates(account: SimulatedAccount, downloaded_at: datetime) -> None:
    export = business_suite_export(account, "overview", FIRST, LAST, downloaded_at=downloaded_at)
    header, first_row, *_ = export.content.decode().split("\n")
    assert header == (
        "Date,Video views,Reached audience,Profile views,Likes,Shares,Comments,Phone number clicks ,Leads submission,"
        "Net growth,New followers,Lost followers"
    )
    truth = account.on(FIRST)
    assert truth is not None
    net = truth.new_followers - truth.lost_followers
    assert first_row == (
        f"2025/12/04,{truth.video_views},{truth.unique_viewers},{truth.profile_views},{truth.likes},{truth.shares},"
        f"{truth.comments},0,0,{net},{truth.new_followers},{truth.lost_followers}"
    )
    assert export.expected["overview"][0]["net_followers"] == net


def test_a_missing_day_says_nan_or_dashes_and_is_none(downloaded_at: datetime) -> None:
    traits = Traits(gap=(date(2025, 12, 10), date(2025, 12, 10)))
    account = SimulatedAccount.generate("x", 1, FIRST, LAST, traits=traits)
    for missing in ("NAN", "--"):
        export = business_suite_export(account, "audience", FIRST, LAST, downloaded_at=downloaded_at, missing=missing)
        lines = export.content.decode().split("\n")
        assert lines[0] == "Date,New followers,Total followers,Reached audience,Engaged audience"
        assert lines[7] == f"2025/12/10,{missing},{missing},{missing},{missing}"
        row = export.expected["follower_history"][6]
        assert row == {
            "date_label": date(2025, 12, 10),
            "true_day": date(2025, 12, 10),
            "new_followers": None,
            "followers": None,
            "reach": None,
            "engaged_audience": None,
        }


def test_videos_have_a_local_time_and_correctly_doubled_quotes(downloaded_at: datetime) -> None:
    traits = Traits(posts_per_week=14, utc_offset=9)
    account = SimulatedAccount.generate("x", 3, date(2025, 1, 1), LAST, traits=traits)
    export = business_suite_export(account, "video", date(2025, 6, 1), LAST, downloaded_at=downloaded_at)
    header, *rows = csv.reader(export.content.decode().splitlines(), strict=True)
    assert header == [
        "Video title",
        "Video link",
        "Post time",
        "Video views",
        "Likes",
        "Comments",
        "Shares",
        "Add to Favorites",
    ]
    expected = export.expected["content"]
    assert [row[0] for row in rows] == [row["title"] for row in expected]
    assert b'""' in export.content
    for row, expected_row in zip(rows, expected, strict=True):
        assert datetime.strptime(row[2], "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).date() == expected_row["post_date"]
        assert int(row[3]) == expected_row["total_views"]


def test_the_older_schema_says_reach_where_newer_files_say_video_views(
    account: SimulatedAccount, downloaded_at: datetime
) -> None:
    export = business_suite_export(account, "overview", FIRST, LAST, downloaded_at=downloaded_at, older=True)
    assert export.content.startswith(b"Date,reach,Reached audience,Profile views,")
    row = export.expected["overview"][0]
    truth = account.on(FIRST)
    assert truth is not None
    assert export.content.split(b"\n")[1].startswith(b"2025/12/04,%d,%d," % (truth.video_views, truth.unique_viewers))
    assert (row["video_views"], row["reach"]) == (truth.video_views, truth.unique_viewers)
