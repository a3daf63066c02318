"""The sketches in Dagster's metadata: short enough to be shown at once, whatever the rows; and harmless to a run."""

from __future__ import annotations

import datetime as dt
import logging
import re
import xml.etree.ElementTree as ET
from urllib.parse import unquote

import polars as pl
import pytest

from tiktok_assets.assets.pictures import chart_metadata
from tiktok_assets.reporting import sketches
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.sketches import MOST, SKETCHES, sketch
from tiktok_assets_tests.reporting.simulated_tables import GAP, LAST, TITLE, simulated, tables


@pytest.fixture(scope="module")
def known() -> AccountTables:
    return tables(simulated())


def rows_of(known: AccountTables, table: str) -> pl.DataFrame:
    return {"account_daily": known.days, "videos": known.videos, "posting_times": known.posting}[table]


def drawn(markdown: str) -> ET.Element:
    """The SVG inside, which has to be well formed."""
    [address] = re.findall(r"!\[chart\]\(<data:image/svg\+xml,([^>]+)>\)", markdown)
    return ET.fromstring(unquote(address))


@pytest.mark.parametrize("table", SKETCHES)
def test_a_sketch_is_an_image_and_a_table_that_dagster_shows_at_once(known: AccountTables, table: str) -> None:
    markdown = sketch(table, rows_of(known, table))
    assert markdown is not None
    assert len(markdown) <= MOST
    assert drawn(markdown).find("{http://www.w3.org/2000/svg}path") is not None
    assert "| pig1987 |" in markdown


@pytest.mark.parametrize("table", SKETCHES)
def test_no_rows_are_no_sketch(known: AccountTables, table: str) -> None:
    assert sketch(table, rows_of(known, table).clear()) is None


def test_the_table_shows_the_true_numbers(known: AccountTables) -> None:
    markdown = sketch("account_daily", known.days) or ""
    truth = simulated().days
    week, month = (sum(day.video_views for day in truth[-days:]) for days in (7, 28))
    assert re.search(rf"\| Video views \| {week:,} \| [^|]+ \| {month:,} \| ", markdown)
    assert f"| Followers | {truth[-1].followers:,} |" in markdown


def test_unknown_days_break_the_line_and_unknown_numbers_are_dashes(known: AccountTables) -> None:
    upto = known.days.filter(pl.col("date") <= GAP[1] + dt.timedelta(days=20))
    path = drawn(sketch("account_daily", upto) or "").find("{http://www.w3.org/2000/svg}path")
    assert path is not None
    assert path.attrib["d"].count("M") == 2
    unknown = known.days.with_columns(followers=pl.lit(None, pl.Int64))
    assert "| Followers | — | — | — | — |" in (sketch("account_daily", unknown) or "")


def test_a_sketch_begins_on_the_first_day_with_views(known: AccountTables) -> None:
    late = known.days.with_columns(video_views=pl.when(pl.col("date") >= dt.date(2025, 11, 20)).then("video_views"))
    drawn = sketch("account_daily", late)
    assert drawn is not None
    assert "Views a day, 20 to " in drawn


def test_the_wildest_days_still_fit(known: AccountTables) -> None:
    wild = known.days.with_columns(
        video_views=pl.when(pl.int_range(pl.len()) % 2 == 0).then(10**12).otherwise(0).cast(pl.Int64)
    )
    markdown = sketch("account_daily", wild) or ""
    assert 0 < len(markdown) <= MOST
    drawn(markdown)


def test_every_hour_of_every_weekday_still_fits(known: AccountTables) -> None:
    row = known.posting.head(1)
    every = pl.concat([row.with_columns(weekday=pl.lit(d), hour=pl.lit(h)) for d in range(1, 8) for h in range(24)])
    markdown = sketch("posting_times", every.cast(dict(known.posting.schema))) or ""  # pyright: ignore[reportArgumentType]
    assert 0 < len(markdown) <= MOST


def test_a_title_cannot_break_out_of_its_cell(known: AccountTables) -> None:
    odd = known.videos.with_columns(title=pl.lit(f"a|b\n\n# c [d](e) {TITLE}"))
    lines = (sketch("videos", odd) or "").split("\n")
    assert next(line for line in lines if "a b" in line).count("|") == 3
    assert not any(line.startswith("#") for line in lines)


def test_one_of_several_accounts_is_drawn_and_their_number_given(known: AccountTables) -> None:
    few = known.days.head(3).with_columns(account=pl.lit("zonea0"))
    assert "| pig1987 (of 2 accounts) |" in (sketch("account_daily", pl.concat([few, known.days])) or "")


def test_a_table_without_a_sketch_has_none(known: AccountTables) -> None:
    assert chart_metadata("hashtags", known.hashtags) == {}
    assert list(chart_metadata("account_daily", known.days)) == ["picture"]


def test_a_sketch_that_fails_is_logged_and_fails_no_run(
    known: AccountTables, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(rows: pl.DataFrame, title: str) -> str:
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr(sketches, "SKETCHES", {**SKETCHES, "account_daily": broken})
    with caplog.at_level(logging.WARNING):
        assert chart_metadata("account_daily", known.days) == {}
    assert "The picture of account_daily could not be drawn" in caplog.text
    assert "no such number" in caplog.text


def test_a_sketch_shows_what_was_known_on_its_last_day(known: AccountTables) -> None:
    assert LAST.strftime("%B %Y") in (sketch("account_daily", known.days) or "")
