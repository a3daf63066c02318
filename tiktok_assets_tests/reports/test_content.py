"""The videos of a Content file: whose, which, when."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tiktok_assets.exports.problems import UnreadableValue
from tiktok_assets.reports.content import CONTENT
from tiktok_assets_tests.export_files import parsed, quoted, write, zipped

STUDIO, BUSINESS = CONTENT.headers["studio"], CONTENT.headers["business_suite"]
# 7480000000000000001 >> 32 is 1741573214: 10 March 2025, 02:20:14 UTC.
ID, UPLOADED = "7480000000000000001", dt.datetime(2025, 3, 10, 2, 20, 14, tzinfo=dt.UTC)


def video(folder: Path, link: str, posted: str = "March 11", *, exported: str = "March 17") -> dict[str, Any]:
    """A Studio export with one video, downloaded on 17 March 2026."""
    row = (exported, "title", link, posted, "1", "2", "3", "4")
    return parsed(write(folder / "Content_x.zip", zipped({"Content.csv": quoted(STUDIO, row)})))["content"].row(
        0, named=True
    )


def refusal(folder: Path, link: str, posted: str = "March 11") -> str:
    with pytest.raises(UnreadableValue) as raised:
        video(folder, link, posted)
    return str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://www.tiktok.com/@zone.a0/video/{}",
        "https://tiktok.com/@zone.a0/video/{}",
        "http://m.tiktok.com/@zone.a0/video/{}",
        "https://www.tiktok.com/@zone.a0/photo/{}",
        "https://www.tiktok.com/@zone.a0/video/{}?lang=el",
        " https://www.tiktok.com/@zone.a0/video/{}/ ",
    ],
)
def test_a_link_tells_video_handle_and_the_second_of_the_upload(tmp_path: Path, address: str) -> None:
    link = address.format(ID)
    row = video(tmp_path, link)
    assert (row["video_id"], row["handle"], row["published_at"]) == (ID, "zone.a0", UPLOADED)
    assert row["link"] == link.strip()
    assert (row["total_likes"], row["total_comments"], row["total_shares"], row["total_views"]) == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "link",
    [
        "https://vm.tiktok.com/ZMabc123/",
        "https://www.tiktok.com/@zone.a0",
        "https://www.tiktok.com/@zone.a0/video/74800000000000000010",
        "https://www.tiktok.com/@zone.a0/video/7.48E+18",
        "https://www.tiktok.com/@zone.a0/video/123",
        "https://nottiktok.com/@zone.a0/video/7480000000000000001",
        "https://",
    ],
)
def test_a_link_that_is_no_video_is_refused_with_its_row(tmp_path: Path, link: str) -> None:
    message = refusal(tmp_path, link)
    assert message.startswith(f"Content_x.zip/Content.csv, row 1, Video link: {link!r} is not")


def test_an_id_of_18_digits_is_a_video_whose_upload_is_unknown_and_not_of_1977(tmp_path: Path) -> None:
    row = video(tmp_path, "https://www.tiktok.com/@zone.a0/video/748000000000000000", "May 1")
    assert (row["video_id"], row["published_at"]) == ("748000000000000000", None)
    assert row["post_date"] == dt.date(2025, 5, 1)  # the last 1 May before the download


@pytest.mark.parametrize(
    ("posted", "day"),
    [
        ("March 11", dt.date(2025, 3, 11)),
        ("March 9", dt.date(2025, 3, 9)),  # west of Greenwich
        ("March 25", dt.date(2025, 3, 25)),  # scheduled
        ("January 2", dt.date(2026, 1, 2)),  # scheduled over New Year
        ("2025/03/11 04:25:13", dt.date(2025, 3, 11)),
        ("2025-03-11", dt.date(2025, 3, 11)),
        ("2024/3/9 4:25", dt.date(2024, 3, 9)),
        ("", None),
        ("--", None),
        ("undefined", None),
    ],
)
def test_the_day_of_the_post_lies_in_the_first_year_that_is_not_before_the_upload(
    tmp_path: Path, posted: str, day: dt.date | None
) -> None:
    assert video(tmp_path, f"https://www.tiktok.com/@zone.a0/video/{ID}", posted)["post_date"] == day


@pytest.mark.parametrize("posted", ["yesterday", "March 32", "2025/02/31 04:25:13", "3 d ago"])
def test_a_post_time_that_is_no_day_is_refused_with_its_row(tmp_path: Path, posted: str) -> None:
    message = refusal(tmp_path, f"https://www.tiktok.com/@zone.a0/video/{ID}", posted)
    assert message.startswith("Content_x.zip/Content.csv, row 1, Post time:") and posted in message


def test_posts_of_two_languages_in_one_run_are_each_read_in_their_own(tmp_path: Path) -> None:
    link = f"https://www.tiktok.com/@zone.a0/video/{ID}"
    for posted, exported in [("11 Μαρτίου", "17 Μαρτίου"), ("3月11日", "3月17日"), ("11 tháng Ba", "17 tháng Ba")]:
        row = video(tmp_path, link, posted, exported=exported)
        assert (row["post_date"], row["date"]) == (dt.date(2025, 3, 11), dt.date(2026, 3, 17))


def test_a_business_suite_list_has_favorites_and_no_day_of_export(tmp_path: Path) -> None:
    link = f"https://www.tiktok.com/@zone.a0/video/{ID}"
    text = ",".join(BUSINESS) + f'\n"say ""hi"", you",{link},2025/03/11 04:25:13,"1,234",5,NAN,--,6\n'
    row = parsed(write(tmp_path / "my list.csv", text))["content"].row(0, named=True)
    assert (row["title"], row["post_date"], row["published_at"]) == ('say "hi", you', dt.date(2025, 3, 11), UPLOADED)
    assert (row["total_views"], row["total_likes"], row["total_comments"]) == (1234, 5, None)
    assert (row["total_shares"], row["favorites"], row["date"]) == (None, 6, dt.date(2026, 3, 17))
