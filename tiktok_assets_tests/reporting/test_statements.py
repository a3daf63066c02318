"""Statements: the month's numbers are the truth's, what is issued stays, and corrections are listed, never made."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

from tiktok_assets.reporting import media_kit
from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.choices import Part
from tiktok_assets.reporting.statements.kept import StatementDamaged, content, damaged, issued, keep, pages
from tiktok_assets.reporting.statements.month import last_of, month_numbers
from tiktok_assets.reporting.statements.page import statement_page
from tiktok_assets.reporting.statements.statement import (
    AccountMonth,
    Correction,
    Day,
    MonthNumbers,
    Statement,
    corrections,
    folder_of_account,
)
from tiktok_assets.settings import Settings
from tiktok_assets.storage.lake import Lake
from tiktok_assets_tests.conftest import Install
from tiktok_assets_tests.reporting.conftest import Run, stored
from tiktok_assets_tests.reporting.simulated_tables import TITLE, simulated, text_of

MONTH, FOLDER = dt.date(2025, 10, 1), folder_of_account("pig1987")
pytestmark = pytest.mark.usefixtures("no_browser")
NOW = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def numbers(known: AccountTables) -> MonthNumbers:
    return month_numbers(known, MONTH)


def figure(numbers: MonthNumbers, name: str) -> float | None:
    (value,) = (one.value for one in numbers.figures if one.name == name)
    return value


def statement(numbers: MonthNumbers, number: int = 1) -> Statement:
    return Statement(number=number, accounts=of(numbers), month=MONTH, issued_at=NOW)


def of(numbers: MonthNumbers, account: str = "pig1987") -> list[AccountMonth]:
    return [AccountMonth(account=account, handle=account, numbers=numbers)]


def with_views(numbers: MonthNumbers, date: dt.date, views: int | None) -> MonthNumbers:
    """As if TikTok had given one day otherwise."""
    days = [day.model_copy(update={"video_views": views}) if day.date == date else day for day in numbers.days]
    return numbers.model_copy(update={"days": days})


# --- the numbers


def test_a_month_has_the_true_numbers(numbers: MonthNumbers) -> None:
    truth = [day for day in simulated().days if (day.day.year, day.day.month) == (2025, 10)]
    assert [(day.date, day.video_views, day.likes, day.followers) for day in numbers.days] == [
        (day.day, day.video_views, day.likes, day.followers) for day in truth
    ]
    views = sum(day.video_views for day in truth)
    engagements = sum(day.likes + day.comments + day.shares for day in truth)
    assert figure(numbers, "Video views") == views
    assert figure(numbers, "Engagements") == engagements
    assert figure(numbers, "Engagement rate") == pytest.approx(engagements / views)
    assert figure(numbers, "Followers") == truth[-1].followers
    before = [day.video_views for day in simulated().days if dt.date(2025, 8, 31) <= day.day < MONTH]
    assert next(one.before for one in numbers.figures if one.name == "Video views") == sum(before)  # 31 days, not 30


def test_a_month_with_unknown_days_says_so_and_sums_the_known_ones(known: AccountTables) -> None:
    august = month_numbers(known, dt.date(2025, 8, 1))  # without 4 to 10 August
    assert august.days_known == 24
    text = text_of(statement_page(statement(august), None, []))
    assert "Views are known of 24 of 31 days." in text
    assert "the other 7 days had is not known" in text


def test_viewers_and_followers_are_of_the_month_itself(known: AccountTables) -> None:
    ends = pl.col("date").is_in([dt.date(2025, 10, 30), dt.date(2025, 10, 31)])
    unknown = [pl.when(~ends).then(name).alias(name) for name in ("unique_viewers", "followers")]
    found = month_numbers(dataclasses.replace(known, days=known.days.with_columns(unknown)), MONTH)
    of_october = known.days.filter(pl.col("date") >= MONTH, pl.col("date") <= dt.date(2025, 10, 29))
    viewers, followers = (
        next(one for one in found.figures if one.name == name) for name in ("Viewers a day", "Followers")
    )
    assert (viewers.value, viewers.days_known) == (of_october["unique_viewers"].mean(), 29)
    assert (followers.at, followers.before, followers.change) == (dt.date(2025, 10, 29), None, None)


def test_provisional_days_are_named(numbers: MonthNumbers) -> None:
    last = [day.model_copy(update={"is_settled": day.date.day < 30}) for day in numbers.days]
    open_month = numbers.model_copy(update={"days": last})
    assert open_month.provisional == [dt.date(2025, 10, 30), dt.date(2025, 10, 31)]
    text = text_of(statement_page(statement(open_month), None, []))
    assert "2 days (30 to 31 October 2025) may still be changed by TikTok." in text


def test_posts_are_those_published_in_the_month(known: AccountTables, numbers: MonthNumbers) -> None:
    ids = {post.video_id for post in numbers.posts}
    published = known.videos.filter(pl.col("video_id").is_in(ids))["published_at"].dt.date()
    assert len(ids) == 5
    assert set(published.dt.strftime("%Y-%m")) == {"2025-10"}
    assert [post.views for post in numbers.posts] == sorted((post.views for post in numbers.posts), reverse=True)


@pytest.mark.parametrize(("month", "last"), [("2024-02-01", "2024-02-29"), ("2025-12-01", "2025-12-31")])
def test_the_last_day_of_a_month(month: str, last: str) -> None:
    assert last_of(dt.date.fromisoformat(month)) == dt.date.fromisoformat(last)


# --- corrections


def test_a_changed_day_is_listed_with_what_it_was(numbers: MonthNumbers) -> None:
    day = dt.date(2025, 10, 7)
    was = next(one.video_views for one in numbers.days if one.date == day)
    assert corrections(of(numbers), of(with_views(numbers, day, 5))) == [
        Correction(account="pig1987", name="video_views", date=day, was=was, now=5)
    ]
    assert corrections(of(numbers), of(with_views(numbers, day, None)))[0].now is None  # unknown is not 0
    assert corrections(of(numbers), of(numbers)) == []


def test_a_day_that_came_or_went_is_listed() -> None:
    day = Day(
        date=MONTH, video_views=3, likes=None, comments=None, shares=None, unique_viewers=None, profile_views=None,
        followers=9, is_settled=True,
    )  # fmt: skip
    nothing = MonthNumbers(figures=[], days=[], posts=[], exports=[])
    came = corrections(of(nothing), of(nothing.model_copy(update={"days": [day]})))
    assert [(one.name, one.was, one.now) for one in came] == [("video_views", None, 3), ("followers", None, 9)]
    went = corrections(of(nothing.model_copy(update={"days": [day]})), of(nothing))
    assert [(one.name, one.was, one.now) for one in went] == [("video_views", 3, None), ("followers", 9, None)]


def test_the_next_statement_lists_what_it_corrects(known: AccountTables, numbers: MonthNumbers) -> None:
    day = dt.date(2025, 10, 7)
    more = known.days.with_columns(
        video_views=pl.when(pl.col("date") == day).then(pl.col("video_views") + 1000).otherwise("video_views")
    )
    later = month_numbers(dataclasses.replace(known, days=more), MONTH)
    found = corrections(of(numbers), of(later))
    views = figure(numbers, "Video views")
    assert views is not None
    text = text_of(statement_page(statement(later, 2), statement(numbers), found))
    assert "It corrects statement pig1987-2025-10-1 of 1 December 2025" in text
    assert f"the month Video views {views:,.0f} {views + 1000:,.0f}" in text
    was = next(one.video_views for one in numbers.days if one.date == day)
    assert was is not None
    assert f"7 Oct 2025 Video views {was:,} {was + 1000:,}" in text


def test_a_title_is_text(known: AccountTables) -> None:
    page = statement_page(statement(month_numbers(known, dt.date(2025, 11, 1))), None, [])
    assert TITLE not in page
    assert TITLE in text_of(page)


# --- what is kept


@pytest.fixture
def lake(install: Install) -> Lake:
    return Lake(install("pig1987"))


def test_what_is_given_out_is_what_was_issued(lake: Lake, numbers: MonthNumbers) -> None:
    kept = keep(lake, statement(numbers), "<p>Öl</p>", b"%PDF")
    assert issued(lake, FOLDER, MONTH) == [kept]
    assert content(lake, kept, ".html") == "<p>Öl</p>".encode()
    assert content(lake, kept, ".pdf") == b"%PDF"
    assert issued(lake, FOLDER, dt.date(2025, 1, 1)) == []
    assert list(damaged(lake)) == []


def test_a_statement_is_never_replaced(lake: Lake, numbers: MonthNumbers) -> None:
    kept = keep(lake, statement(numbers), "first", b"first")
    with pytest.raises(StatementDamaged, match="never replaced"):
        keep(lake, statement(numbers), "second", b"second")
    assert content(lake, kept, ".html") == b"first"


def test_a_lost_record_is_named_and_its_pages_stay(lake: Lake, numbers: MonthNumbers) -> None:
    kept = keep(lake, statement(numbers), "first", b"first")
    html = Path(str(pages(lake, kept)[".html"]))
    html.with_suffix(".json").unlink()
    assert [finding.place for finding in damaged(lake)] == [str(html), str(html.with_suffix(".pdf"))]
    with pytest.raises(StatementDamaged, match="has no record"):
        keep(lake, statement(numbers), "another", b"another")
    assert html.read_text() == "first"


def test_what_a_file_browser_leaves_is_no_statement(lake: Lake, numbers: MonthNumbers) -> None:
    folder = Path(str(pages(lake, keep(lake, statement(numbers), "page", b"page"))[".html"])).parent
    (folder / "._pig1987-2025-10-1.json").write_bytes(b"\0")
    (folder / "pig1987-2025-10-9.json").mkdir()
    assert len(issued(lake, FOLDER, MONTH)) == 1
    assert list(damaged(lake)) == []


def test_a_record_of_one_account_alone_is_read_as_it_was_issued(numbers: MonthNumbers) -> None:
    old = {"number": 3, "account": "a", "handle": "h", "month": "2025-10-01", "issued_at": "2025-12-01T09:30:00Z"}
    read = Statement.model_validate_json(
        json.dumps({**old, "numbers": numbers.model_dump(mode="json"), "pdf_sha256": "x"})
    )
    assert (read.name, read.client, read.accounts[0].handle, read.pdf_sha256) == ("a-2025-10-3", None, "h", "x")
    assert read.accounts[0].numbers == numbers


@pytest.mark.parametrize("suffix", [".html", ".pdf", ".json"])
def test_a_damaged_statement_is_not_given_out(lake: Lake, numbers: MonthNumbers, suffix: str) -> None:
    kept = keep(lake, statement(numbers), "page", b"page")
    path = Path(str(pages(lake, kept)[".html"])).with_suffix(suffix)
    path.write_text("changed")
    (finding,) = damaged(lake)
    assert finding.place == str(path)
    with pytest.raises(StatementDamaged, match="restore it from a backup"):
        [content(lake, one, suffix) for one in issued(lake, FOLDER, MONTH)]
    if suffix != ".json":
        path.unlink()
        assert "is missing" in next(damaged(lake)).problem


# --- the command, with a printer that needs no browser


def test_a_month_is_issued_once_and_given_out_again_byte_for_byte(run: Run, tmp_path: Path) -> None:
    code, said = run("statement", "pig1987", "--month", "2025-10", "-o", f"{tmp_path / 'first.html'}")
    assert (code, said.startswith("Statement pig1987-2025-10-1 was issued.")) == (0, True)
    code, said = run("statement", "@pig1987", "--month", "2025-10", "-o", f"{tmp_path / 'again.html'}")
    assert (code, "was issued" in said, "changed" in said) == (0, False, False)
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    assert TITLE not in (tmp_path / "first.html").read_text()


def test_a_correction_is_another_statement_and_the_first_stays(run: Run, known: AccountTables, tmp_path: Path) -> None:
    assert run("statement", "pig1987", "--month", "2025-10")[0] == 0
    assert run("statement", "pig1987", "--month", "2025-10", "--correct") == (
        2,
        "Nothing has changed since statement pig1987-2025-10-1: it needs no correction.",
    )
    first = {path: path.read_bytes() for path in (tmp_path / "data/statements").rglob("*.*")}
    restated = known.days.with_columns(pl.col("likes") + 1)
    stored(Settings(), dataclasses.replace(known, days=restated))  # from the environment
    code, said = run("statement", "pig1987", "--month", "2025-10")
    assert (code, "33 numbers have changed since." in said) == (0, True)  # 31 days, engagements and their rate
    code, said = run("statement", "pig1987", "--month", "2025-10", "--correct", "-o", f"{tmp_path / 'second.html'}")
    assert (code, "pig1987-2025-10-2 was issued" in said) == (0, True)
    assert "It corrects statement pig1987-2025-10-1" in (tmp_path / "second.html").read_text()
    assert {path: path.read_bytes() for path in first} == first


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ["--month", "2099-01"],
            2,
            "January 2099 cannot be stated yet: TikTok has the numbers of 31 January 2099 ",
        ),
        (["--month", "2024-06"], 2, "No export of pig1987 knows a number of June 2024."),
        (["--month", "october"], 2, "'october' is not a month."),
        (["--month", "2025-13"], 2, "'2025-13' is not a month."),
        (["--month", "2025-10", "-o", "x.docx"], 2, "give a file that ends in .pdf or .html"),
    ],
)
def test_what_cannot_be_stated_is_said(run: Run, arguments: list[str], code: int, sentence: str) -> None:
    done, said = run("statement", "pig1987", *arguments)
    assert (done, sentence in said) == (code, True), said


def test_a_damaged_statement_ends_the_command_and_verify(run: Run, tmp_path: Path) -> None:
    run("statement", "pig1987", "--month", "2025-10")
    (path,) = (tmp_path / "data/statements").rglob("*.pdf")
    path.write_bytes(b"another")
    code, said = run("statement", "pig1987", "--month", "2025-10")
    assert (code, "is not as it was issued; restore it from a backup" in said) == (1, True)
    code, said = run("verify")
    assert (code, f"{path.name}: this page of a statement is not as it was issued" in said) == (1, True)


# --- the media kit


def test_a_media_kit_shows_what_was_chosen_and_no_more(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "kit.html"
    assert run("media-kit", "pig1987", "--show", "followers", "-o", f"{page}")[0] == 0
    text = text_of(page.read_text())
    assert f"Followers {simulated().days[-1].followers:,}" in text
    others = ("Video views", "Viewers a day", "Engagement rate", "Videos", "Audience")
    assert [name for name in others if name in text] == []
    assert run("media-kit", "pig1987", "-o", f"{tmp_path / 'all.html'}")[0] == 0
    everything = text_of((tmp_path / "all.html").read_text())
    assert f"Video views {sum(day.video_views for day in simulated().days[-28:]):,}" in everything


def test_an_unknown_number_of_a_media_kit_is_a_dash(known: AccountTables) -> None:
    empty = dataclasses.replace(known, days=known.days.clear())
    text = text_of(media_kit.media_kit(empty, [Part.FOLLOWERS, Part.VIEWS], NOW))
    assert "Followers — Video views —" in text
