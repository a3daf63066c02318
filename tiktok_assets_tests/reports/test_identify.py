"""Which report a header belongs to, whatever the file is called."""

from __future__ import annotations

import pytest

from tiktok_assets.exports.problems import ForeignFile
from tiktok_assets.reports import REPORTS
from tiktok_assets.reports.identify import Layout, identify
from tiktok_assets.reports.report import Report


@pytest.mark.parametrize(
    ("header", "report", "variant"),
    [
        ("Date,Video Views,Profile Views,Likes,Comments,Shares", "overview", "studio"),
        ("Date,Video Views,Profile Views,Likes,Comments,Shares,New followers", "overview", "studio_new_followers"),
        ("Date,Total Viewers,New Viewers,Returning Viewers", "viewers", "studio"),
        ("Date,Followers,Difference in followers from previous day", "follower_history", "studio"),
        ("Date,Hour,Active followers", "follower_activity", "studio"),
        ("Gender,Distribution", "follower_gender", "studio"),
        ("Top territories,Distribution", "follower_territories", "studio"),
        (
            "Time,Video title,Video link,Post time,Total likes,Total comments,Total shares,Total views",
            "content",
            "studio",
        ),
        (
            "Date,Video views,Reached audience,Profile views,Likes,Shares,Comments,Phone number clicks ,"
            "Leads submission,Net growth,New followers,Lost followers",
            "overview",
            "business_suite",
        ),
        (
            "Date,reach,Reached audience,Profile views,Likes,Shares,Comments,Phone number clicks,"
            "Leads submission,Net growth,New followers,Lost followers",
            "overview",
            "business_suite_reach",
        ),
        ("Date,New followers,Total followers,Reached audience,Engaged audience", "follower_history", "business_suite"),
        (
            "Video title,Video link,Post time,Video views,Likes,Comments,Shares,Add to Favorites",
            "content",
            "business_suite",
        ),
        ("Date,reach,Profile Views,Likes,Comments,Shares", "overview", "reach"),
        ("date, VIDEO VIEWS,Profile  Views,likes,comments,shares ", "overview", "studio"),
    ],
)
def test_a_header_is_its_report_and_variant(header: str, report: str, variant: str) -> None:
    layout = identify("file.csv", header.split(","))
    assert (layout.report.name, layout.variant) == (report, variant)
    assert layout.product == ("business_suite" if variant.startswith("business_suite") else "studio")
    assert (layout.unknown, layout.missing) == ((), ())


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Date,Video Views", "Date"),
        (" date ,Video Views", " date "),
        ("Time,Video link,Total views", "Time"),
        ("Video title,Video link,Video views", None),
        ("Gender,Distribution", None),
    ],
)
def test_the_column_with_the_day_is_spelled_as_in_the_file(header: str, column: str | None) -> None:
    assert identify("file.csv", header.split(",")).label_column == column


def test_differences_from_the_nearest_known_header_are_reported() -> None:
    layout = identify("x.csv", ["Date", "Video Views", "Likes", "Comments", "Shares", "Saves", "Gifts"])
    assert (layout.unknown, layout.missing) == (("Saves", "Gifts"), ("Profile Views",))


@pytest.mark.parametrize(
    ("header", "product"),
    [
        ("Date,Campaign name,Cost,Video views", "TikTok Ads Manager"),
        ("Primary", "Meta Business Suite"),
        ("Content,Video title,Video publish time,Views,Watch time (hours)", "YouTube Studio"),
        ("date,video_views,profile_views,likes,comments,shares", "cleaned or processed"),
        ("Date,Video Views,Profile Views,Likes,Comments,Shares,engagement_rate", "cleaned or processed"),
        ("Date,Views", "no known report has these columns: Date, Views"),
        ("", r"no known report has these columns: \(none\)"),
    ],
)
def test_a_table_of_another_product_is_refused_by_name(header: str, product: str) -> None:
    with pytest.raises(ForeignFile, match=f"^unknown.csv: .*{product}"):
        identify("unknown.csv", header.split(",") if header else [])


def test_a_message_about_a_very_long_header_stays_readable() -> None:
    with pytest.raises(ForeignFile) as raised:
        identify("unknown.csv", ["binary rubbish"] * 10_000)
    assert len(str(raised.value)) < 700


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.name)
def test_every_known_header_is_found_again(report: Report) -> None:
    for variant, header in report.headers.items():
        label = header[0] if header[0] in ("Date", "Time") else None
        assert identify("x.csv", header) == Layout(
            report=report, variant=variant, unknown=(), missing=(), label_column=label
        )
