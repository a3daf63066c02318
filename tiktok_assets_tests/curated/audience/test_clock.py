"""In which timezone exports are made, and whether accounts.toml names it."""

from __future__ import annotations

import polars as pl
import pytest

from tiktok_assets.curated.audience.clock import disagreements, named_offset, utc_offsets
from tiktok_assets_tests.curated.frames import LAST, active, values_of


@pytest.mark.parametrize(("begins", "offset"), [(2, 2), (9, 9), (11, 11), (15, -9), (20, -4), (23, -1)])
def test_the_first_unknown_hour_of_the_last_day_is_the_offset(begins: int, offset: int) -> None:
    assert values_of(utc_offsets(active(begins)), "account", "date", "export_id", "utc_offset") == [
        ("a", LAST, "e", offset)
    ]


@pytest.mark.parametrize("begins", [0, 12, 13, 14, 24])
def test_an_offset_on_either_side_of_the_date_line_or_a_whole_day_is_unknown(begins: int) -> None:
    assert utc_offsets(active(begins)).is_empty()


def test_hours_that_are_quiet_on_other_days_too_give_no_offset() -> None:
    assert utc_offsets(active(20, quiet=(22,))).is_empty()
    assert utc_offsets(active(20, days=2)).is_empty()
    assert utc_offsets(active(20).clear()).is_empty()


def test_an_older_export_that_ends_in_unknown_hours_does_not_hide_the_offset() -> None:
    older = active(2).with_columns(date=pl.col("date").dt.offset_by("-7d"), export_id=pl.lit("older"))
    assert values_of(utc_offsets(pl.concat([older, active(2)])), "date", "utc_offset") == [(LAST, 2)]


@pytest.mark.parametrize("zone", ["Europe/Athens", "Europe/Kaliningrad", "Africa/Cairo"])
def test_a_timezone_of_that_offset_agrees(zone: str) -> None:
    assert disagreements(active(2), {"a": zone}) == []


def test_half_hours_and_daylight_saving_are_distinguished() -> None:
    assert disagreements(active(6), {"a": "Asia/Kolkata"}) == []  # UTC+5:30 begins with the first whole hour after it
    assert disagreements(active(20), {"a": "America/New_York"}) == []  # on 23 March it is UTC-4 already
    assert len(disagreements(active(19), {"a": "America/New_York"})) == 1


def test_another_timezone_is_reported_with_what_to_do() -> None:
    rows = pl.concat([active(2), active(2, account="b"), active(9, account="c")])
    assert disagreements(rows, {"a": "Asia/Seoul", "b": None, "c": "Asia/Seoul"}) == [
        (
            *("a", LAST),
            "accounts.toml says Asia/Seoul, UTC+9 on 23 March 2026, but the exports count the hours of that day at "
            "UTC+2. Hours of posting use the first timezone, hours of active followers the second. Correct the "
            "timezone of a, then run `tiktok-assets rebuild`.",
        )
    ]


def test_the_offset_has_a_name_for_accounts_without_a_timezone() -> None:
    assert named_offset(active(2)) == "UTC+2"
    assert named_offset(active(20)) == "UTC-4"
    assert named_offset(active(13)) is None
