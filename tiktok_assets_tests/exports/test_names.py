"""What a file name says about an export."""

from __future__ import annotations

import datetime as dt

import pytest

from tiktok_assets.exports.names import NameFacts, bare_name, read_name

# Every ending that a browser, a file manager or our own landing folder puts behind a name.
COPIES = ["", " (1)", "(1)", " (12)", " 4", " copy", " copy 2", " - Copy", " - Copy (2)", "~2", " (1)~3"]


@pytest.mark.parametrize("handle", ["pig1987", "zone.a0", "sobat.ti", "haileytupy2.0", "a_b_c", "x_2024"])
@pytest.mark.parametrize("copy", COPIES)
def test_a_handle_with_dots_and_underscores_is_all_that_follows_the_section(handle: str, copy: str) -> None:
    for section in ("Content", "Viewers", "Followers"):
        assert read_name(f"{section}_{handle}{copy}.zip") == NameFacts(section=section.lower(), handle=handle)
    assert read_name(f"Overview_2024-05-28_1748345902_{handle}{copy}.ZIP") == NameFacts(
        section="overview",
        handle=handle,
        first_day=dt.date(2024, 5, 28),
        epoch=dt.datetime(2025, 5, 27, 11, 38, 22, tzinfo=dt.UTC),
    )


@pytest.mark.parametrize(
    ("name", "section"),
    [
        ("Overview.csv", "overview"),
        ("Overview 4.csv", "overview"),
        ("Content 2.csv", "content"),
        ("viewers (1).xlsx", "viewers"),
        ("FollowerHistory.csv", "followers"),
        ("Follower Activity (2).csv", "followers"),
        ("FollowerGender.csv", "followers"),
        ("FollowerTopTerritories copy.csv", "followers"),
        ("Business Suite overview.csv", None),
        ("export.csv", None),
        ("2024.csv", None),
        ("", None),
    ],
)
def test_a_loose_member_names_its_section_and_no_handle(name: str, section: str | None) -> None:
    assert read_name(name) == NameFacts(section=section)


def test_the_folder_of_an_unpacked_archive_is_read_like_the_archive() -> None:
    assert read_name("Followers_zone.a0") == NameFacts(section="followers", handle="zone.a0")


def test_an_impossible_day_in_a_name_is_no_day() -> None:
    assert read_name("Overview_2024-13-40_1748345902_x.zip") == NameFacts(section="overview", handle="x")


def test_the_bare_name_has_no_folder_type_date_or_copy_mark() -> None:
    assert bare_name("Downloads/Overview (1).csv") == "Overview"
    assert bare_name("Overview_2024-05-28.csv") == "Overview"
