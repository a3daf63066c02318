"""The page as text: its sections, what it says where nothing is known, and that nothing in it is run or fetched."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import subprocess
import sys

import polars as pl
import pytest

from tiktok_assets.reporting.account_tables import AccountTables, Completeness
from tiktok_assets.reporting.page import page
from tiktok_assets.reporting.period import Period
from tiktok_assets_tests.curated.frames import active
from tiktok_assets_tests.reporting.simulated_tables import LAST, TITLE, VIRAL, simulated, tables, text_of

MADE = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def known() -> AccountTables:
    return tables(simulated())


def without_engine(made: str) -> str:
    """The page less the one script that is Vega's."""
    return max(re.split(r"<script>.*?</script>", made, flags=re.DOTALL), key=len)


def test_the_page_has_its_sections_in_order(known: AccountTables) -> None:
    made = page([known], MADE)
    assert re.findall(r"<h2>(.*?)</h2>", without_engine(made)) == [
        *("Last 28 days", "Last 7 days", "Views", "Followers", "When to post", "Top videos", "Viral videos"),
        *("Hashtags", "Audience", "What the numbers rest on"),
    ]
    assert "Made by tiktok-assets on 1 December 2025, 09:30 UTC." in text_of(made)


def test_the_page_shows_the_true_numbers(known: AccountTables) -> None:
    text = text_of(page([known], MADE))
    truth = simulated().days
    views = sum(day.video_views for day in truth[-28:])
    assert f"Video views {views:,}" in text
    assert f"from {sum(day.video_views for day in truth[-56:-28]):,}" in text
    assert f"Followers {truth[-1].followers:,} +{truth[-1].followers - truth[-29].followers:,}" in text
    assert "6 Nov 2025" in text
    viral = simulated().on(VIRAL)
    assert viral is not None
    assert f"{viral.video_views:,} views are" in text
    assert "Overview lacks 7 days (2025-08-04 to 2025-08-10)" in text
    assert "No data for 7 days, from 4 August 2025 to 10 August 2025" in text


def test_a_period_stands_instead_of_the_last_days(known: AccountTables) -> None:
    october = Period(dt.date(2025, 10, 1), dt.date(2025, 10, 31))
    text = text_of(page([known], MADE, period=october))
    views = sum(day.video_views for day in simulated().days if october.first <= day.day <= october.last)
    assert "1 to 31 October 2025 against 31 August to 30 September 2025 Video views" in text
    assert f"Video views {views:,}" in text
    assert "Last 28 days" not in text and "Last 7 days" not in text


def test_a_title_that_is_a_script_is_text(known: AccountTables) -> None:
    made = page([known], MADE)
    assert TITLE in text_of(made)
    assert "<script>window.stolen" not in made
    assert "<img" not in without_engine(made)
    assert made.count("<script") == 5  # themes, specifications, Vega, the charts, CSV


def test_only_scripts_of_known_digest_may_run_and_nothing_may_be_fetched(known: AccountTables) -> None:
    made = page([known], MADE)
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made)
    assert "default-src 'none'" in policy
    [scripts] = re.findall(r"script-src ([^;]+)", policy)
    assert re.fullmatch(r"'sha256-[\w+/=]{44}'( 'sha256-[\w+/=]{44}'){2}", scripts)
    tags = re.findall(r"<(?:script|link|img|iframe|source|video)\b[^>]*\b(?:src|href)=[^>]*>", without_engine(made))
    assert tags == []
    assert "url(" not in without_engine(made)


def test_a_link_that_is_no_web_address_is_no_link(known: AccountTables) -> None:
    odd = known.videos.with_columns(link=pl.lit("javascript:alert(1)"))
    made = page([dataclasses.replace(known, videos=odd, viral=known.viral.clear())], MADE)
    assert "javascript:alert" not in without_engine(made)


def test_without_a_timezone_the_page_says_what_to_write() -> None:
    text = text_of(page([tables(simulated(), timezone=None)], MADE))
    assert "The hour of publication is not known, because accounts.toml has no timezone for pig1987." in text
    assert 'timezone = "Europe/Lisbon" (where it posts from)' in text
    assert "below [accounts.pig1987]" in text
    assert "Views by weekday and hour" not in text
    assert "Active followers by hour" in text


def test_the_clock_of_exports_is_named_and_a_contradicting_timezone_is_a_task() -> None:
    unnamed, wrong = (
        dataclasses.replace(
            one,
            audience=active(2, account="pig1987").with_columns(
                audience=pl.lit("followers"), share=pl.lit(None, pl.Float64), value=pl.col("hour").cast(pl.String)
            ),
        )
        for one in (tables(simulated(), timezone=None), tables(simulated(), timezone="Asia/Seoul"))
    )
    assert "(where it posts from; its exports are made at UTC+2)" in text_of(page([unnamed], MADE))
    assert "accounts.toml says Asia/Seoul, UTC+9 on 23 March 2026" in text_of(page([wrong], MADE))


def test_too_few_videos_are_reported_as_no_evidence(known: AccountTables) -> None:
    unproven = known.posting.with_columns(evidence=pl.lit("no evidence"))
    text = text_of(page([dataclasses.replace(known, posting=unproven)], MADE))
    assert "No evidence that a weekday or an hour gets more views than another" in text


def test_evidence_is_a_sentence_with_its_range_and_number_of_videos(known: AccountTables) -> None:
    row = known.posting.filter(pl.col("hour").is_null(), weekday=6)
    evidence = {"effect": 1.8, "effect_low": 1.2, "effect_high": 2.6, "evidence": "more views"}
    proven = row.with_columns(pl.lit(value).alias(name) for name, value in evidence.items())
    made = text_of(page([dataclasses.replace(known, posting=proven)], MADE))
    assert f"Saturdays: 1.8× (1.2 to 2.6) the views of other videos, {row['n'][0]} videos" in made


def test_a_page_with_only_videos_says_what_is_unknown(known: AccountTables) -> None:
    bare = dataclasses.replace(
        known,
        days=known.days.clear(),
        anomalies=known.anomalies.clear(),
        audience=known.audience.clear(),
        posting=known.posting.clear(),
        viral=known.viral.clear(),
        hashtags=known.hashtags.clear(),
        completeness=Completeness(),
    )
    text = text_of(page([bare], MADE))
    for sentence in (
        "No export contains the account's daily numbers yet.",
        "When followers are active is not known",
        "No hashtag was used on five videos or more.",
        "Not known. Studio shows it from 100 followers on",
    ):
        assert sentence in text
    assert " 0 " not in text.split("Top videos")[0]
    assert bare.has_data


def test_several_accounts_share_one_page_and_one_engine(known: AccountTables) -> None:
    both = page([known, tables(simulated("zonea0"))], MADE)
    assert re.findall(r'<article id="(\w+)">', both) == ["pig1987", "zonea0"]
    assert '<a href="#zonea0">@zonea0</a>' in both
    assert len(both) < 1.2 * len(page([known], MADE))
    assert {f"views-{name}" for name in ("pig1987", "zonea0")} <= set(re.findall(r'class="chart" id="([\w-]+)"', both))


def test_everything_but_the_page_itself_is_quick_to_import() -> None:
    code = """
import sys
import tiktok_assets.reporting.writing, tiktok_assets.assets.pictures, tiktok_assets.cli.app
early = {"altair", "vl_convert", "jinja2"} & set(sys.modules)
assert not early, early
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_report_ends_with_the_newest_day(known: AccountTables) -> None:
    assert f"As of {LAST.day} November 2025" in text_of(page([known], MADE))
