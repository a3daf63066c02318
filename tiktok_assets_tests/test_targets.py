"""Targets: what a line means, what is refused with its remedy, and progress computed manually."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiktok_assets.accounts import Account, Roster
from tiktok_assets.curated.targets import COLUMNS, Target, progress_query
from tiktok_assets.label.targets import Targets, is_published, load_targets, note_published
from tiktok_assets.reporting.front_page import front_page
from tiktok_assets.reporting.roster_line import RosterLine
from tiktok_assets.reporting.targets import Progress
from tiktok_assets.settings import Settings
from tiktok_assets_tests.reporting.simulated_tables import text_of

ROSTER = Roster(
    [
        Account(key="pig1987", handle="pig.band", client="Blue Note"),
        Account(key="zonea0", handle="zone.a0", client="Blue Note"),
        Account(key="zero", handle="zero"),
    ]
)
NOVEMBER = dt.date(2026, 11, 1)
GOOD = "account,client,metric,month,target\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path / "data"), targets_file=tmp_path / "targets.csv")  # pyright: ignore[reportArgumentType]


def loaded(settings: Settings, text: str) -> Targets:
    settings.targets_file.write_text(text, encoding="utf-8")
    return load_targets(settings, ROSTER)


def target(**fields: Any) -> Target:
    of_account = {"scope": "account", "name": "pig1987", "accounts": ("pig1987",), "metric": "video_views"}
    return Target(**(of_account | {"month": NOVEMBER, "target": 600} | fields))


# --- the file


def test_a_line_is_of_an_account_or_of_all_accounts_of_a_client(settings: Settings) -> None:
    found = loaded(settings, f"{GOOD}@Pig.Band,,video_views,2026-11,600\n\n,blue note,followers_gained,2026-12,20\n")
    client = target(scope="client", name="Blue Note", accounts=("pig1987", "zonea0"), metric="followers_gained")
    client = Target(**{**vars(client), "month": dt.date(2026, 12, 1), "target": 20})
    assert found == Targets(targets=(target(), client))


def test_a_spreadsheets_semicolons_and_byte_order_mark_are_read(settings: Settings) -> None:
    settings.targets_file.write_bytes("\ufeffmetric;account;month;target\nvideo_views;pig1987;2026-11;600\n".encode())
    assert load_targets(settings, ROSTER).targets == (target(),)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nobody,,video_views,2026-11,1", "no account is called 'nobody'. There are: pig1987, zonea0, zero."),
        (",Verve,video_views,2026-11,1", "no account has the client 'Verve'. There are: Blue Note."),
        ("zero,Blue Note,video_views,2026-11,1", "write either an account or a client."),
        (",,video_views,2026-11,1", "write either an account or a client."),
        ("zero,,viewers,2026-11,1", "metric 'viewers' cannot be used. Write one of video_views,"),
        ("zero,,video_views,11/2026,1", "month '11/2026' cannot be used. Write year-month, for example 2026-11."),
        ("zero,,video_views,2026-11,0", "target '0' cannot be used. Write a whole number above 0, without separators."),
        ("zero,,video_views,2026-11,1k", "target '1k' cannot be used."),
        ("zero,,video_views,2026-11,1,000", "it has 6 cells, the first line 5. Write numbers as 1000."),
        ("pig1987,,video_views,2026-11,7", "pig1987 has another video_views for 2026-11 above it."),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_the_others_count(settings: Settings, line: str, sentence: str) -> None:
    found = loaded(settings, f"{GOOD}pig1987,,video_views,2026-11,600\n{line}\nzero,,likes,2026-11,5\n")
    (problem,) = found.problems
    assert problem.startswith(f"{settings.targets_file}, line 3: {sentence}")
    assert [one.name for one in found.targets] == ["pig1987", "zero"]


@pytest.mark.parametrize("text", ["", "name,goal\nx,1\n", "account,metric,month\n"])
def test_a_file_of_another_form_is_said_to_be_one(settings: Settings, text: str) -> None:
    (problem,) = loaded(settings, text).problems
    assert "its first line must be account,client,metric,month,target" in problem


@given(st.text(max_size=60))
def test_no_text_stops_anybody(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "targets.csv"
    path.write_bytes(f"{GOOD}{text}".encode("utf-8", "surrogatepass"))
    found = load_targets(Settings(targets_file=path), ROSTER)
    assert len(found.targets) <= 1 + text.count("\n") + text.count("\r")


def test_edited_and_deleted_targets_are_published_again(settings: Settings) -> None:
    assert is_published(settings, ROSTER)  # there are none
    query = progress_query(loaded(settings, f"{GOOD}pig1987,,video_views,2026-11,600\n").targets)
    assert not is_published(settings, ROSTER)
    note_published(settings, query)
    assert is_published(settings, ROSTER)
    settings.targets_file.unlink()
    assert not is_published(settings, ROSTER)


# --- progress


def day(account: str, number: int, *, is_settled: bool | None = True, **counts: int | None) -> dict[str, Any]:
    return {"account": account, "date": dt.date(2026, 11, number), "is_settled": is_settled, **counts}


def progress(targets: list[Target], *days: dict[str, Any]) -> list[dict[str, Any]]:
    counts = (
        "video_views",
        "engagements",
        "likes",
        "comments",
        "shares",
        "profile_views",
        "net_followers",
        "followers",
    )
    schema = {"account": pl.String, "date": pl.Date, "is_settled": pl.Boolean, **dict.fromkeys(counts, pl.Int64)}
    rows = [{name: one.get(name) for name in schema} for one in days]
    with duckdb.connect() as connection:
        connection.register("social_media_stats", pl.DataFrame(rows, schema=schema).to_arrow())
        return pl.DataFrame(connection.sql(progress_query(targets)).to_arrow_table()).to_dicts()


def test_progress_is_of_known_days_and_pace_of_as_many_as_the_month_has() -> None:
    before = day("pig1987", 1, video_views=7) | {"date": dt.date(2026, 10, 31)}
    others = (before, day("zonea0", 1, video_views=999))
    days = (day("pig1987", 1, video_views=100), day("pig1987", 2, is_settled=False, video_views=50), day("pig1987", 3))
    (row,) = progress([target()], *days, *others)
    assert row == {
        "scope": "account",
        "name": "pig1987",
        "metric": "video_views",
        "month": NOVEMBER,
        "target": 600,
        "accounts": 1,
        "accounts_known": 1,
        "days": 30,
        "days_known": 2,
        "value": 150,
        "value_settled": 100,
        "value_provisional": 50,
        "progress": 0.25,
        "pace": 0.25 / (2 / 30),
    }
    assert list(row) == list(COLUMNS)


def test_a_client_is_the_sum_of_its_accounts_and_one_without_numbers_counts_as_unknown_days() -> None:
    of_client = target(scope="client", name="Blue Note", accounts=("pig1987", "zonea0", "zero"))
    (row,) = progress([of_client], day("pig1987", 1, video_views=100), day("zonea0", 1, video_views=20))
    assert (row["accounts"], row["accounts_known"], row["days"], row["days_known"]) == (3, 2, 90, 2)
    assert (row["value"], row["pace"]) == (120, None)  # the third account may be unlike the others
    (row,) = progress([of_client], *(day(name, 1, video_views=20) for name in of_client.accounts))
    assert row["pace"] == pytest.approx(0.1 / (3 / 90))


def test_a_month_that_has_ended_has_no_pace() -> None:
    after = day("zonea0", 1) | {"date": dt.date(2026, 12, 1)}
    (row,) = progress([target()], day("pig1987", 1, video_views=100), after)
    assert (row["progress"], row["pace"]) == (pytest.approx(1 / 6), None)


def test_followers_are_those_of_the_newest_known_day_and_have_no_pace() -> None:
    followers = target(metric="followers", target=2000)
    days = [day("pig1987", 1, followers=900), day("pig1987", 5, followers=1000), day("pig1987", 6)]
    (row,) = progress([followers], *days)
    assert (row["value"], row["progress"], row["pace"], row["value_settled"], row["value_provisional"]) == (
        *(1000, 0.5, None, None, None),
    )


def test_what_is_not_known_is_null_and_never_0() -> None:
    (row,) = progress([target()], day("zonea0", 1, video_views=5))
    unknown = ("value", "value_settled", "value_provisional", "progress", "pace")
    assert [row[name] for name in unknown] == [None] * 5
    assert (row["days_known"], row["accounts_known"]) == (0, 0)


def test_without_targets_there_are_no_rows() -> None:
    assert progress([], day("pig1987", 1, video_views=5)) == []


def test_a_name_is_text_in_the_query() -> None:
    (row,) = progress([target(scope="client", name="O'Neil'); drop table x; --")], day("pig1987", 1, video_views=1))
    assert row["name"] == "O'Neil'); drop table x; --"


def test_the_front_page_shows_progress_and_what_cannot_be_used() -> None:
    rows = pl.DataFrame(progress([target()], day("pig1987", 1, video_views=150)))
    made = front_page(
        [RosterLine(key="pig1987", handle="pig.band")],
        dt.datetime(2026, 11, 30, tzinfo=dt.UTC),
        Progress(rows=rows, problems=["targets.csv, line 3: <month>"]),
    )
    text = text_of(made)
    assert "@pig.band video views November 2026 600 150 25% 750% 1 of 30 days" in text
    assert "targets.csv, line 3: <month>" in text
    assert "<month>" not in made
