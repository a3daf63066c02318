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


@pytest.mark.parametrize("report", [one for one in REPORTS if one.is_daily], ids=lambda report: report.name)
def test_a_table_with_its_days_beside_each_other_is_named_as_such(report: Report) -> None:
    header = report.headers["studio"] if "studio" in report.headers else next(iter(report.headers.values()))
    rows = [(name, "12", "13") for name in header]
    with pytest.raises(ForeignFile, match=f"is {report.title} with its days beside each other .* a row for each day"):
        identify("x.csv", rows[0], rows, is_named_by_studio=True)


@pytest.mark.parametrize("first", ["9 апреля", "4月9日", "Datum 4", "9 tháng Tư"])
def test_a_row_of_numbers_is_never_shown_as_columns(first: str) -> None:
    header, row = ("Dag", "Tittar", "Annat"), (first, "100", "7")
    with pytest.raises(ForeignFile, match="Dag, Tittar, Annat"):
        identify("Overview.csv", header, [header, row], is_named_by_studio=True)


@pytest.mark.parametrize(
    "column", ["Campaign ID", "Spend", "Total cost", "CTR (destination)", "2-second video views", "By Day", "CPM"]
)
def test_a_report_of_ads_manager_is_named_whatever_its_columns(column: str) -> None:
    with pytest.raises(ForeignFile, match="is a TikTok Ads Manager report"):
        identify("Overview.csv", ("Date", "Video views", "Likes", column), is_named_by_studio=True)
