"""Any days beside as many before them, against the truth of the simulation."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from tiktok_assets_tests.reporting.conftest import Run
from tiktok_assets_tests.reporting.simulated_tables import simulated, text_of

OCTOBER = ("--from", "2025-10-01", "--to", "2025-10-31")


def views(first: dt.date, last: dt.date) -> int:
    return sum(day.video_views for day in simulated().days if first <= day.day <= last)


def test_a_month_is_compared_with_as_many_days_before(run: Run) -> None:
    code, said = run("compare", *OCTOBER, "--json")
    found = json.loads(said)
    (row,) = found["rows"]
    october, before = (
        views(dt.date(2025, 10, 1), dt.date(2025, 10, 31)),
        views(dt.date(2025, 8, 31), dt.date(2025, 9, 30)),
    )
    assert (code, found["days"], row["name"], row["views"], row["days_known"]) == (0, 31, "pig1987", october, 31)
    assert row["views_change"] == pytest.approx(october / before - 1)
    followers = {day.day: day.followers for day in simulated().days}
    assert row["followers_gained"] == followers[dt.date(2025, 10, 31)] - followers[dt.date(2025, 9, 30)]


def test_a_client_with_an_unknown_day_has_no_sum(run: Run) -> None:
    code, said = run("compare", "--from", "2025-08-01", "--to", "2025-08-31", "--by", "client", "--json")
    (row,) = json.loads(said)["rows"]
    assert (code, row["name"], row["views"], row["accounts_known"], row["accounts"]) == (0, "(no client)", None, 0, 1)


def test_a_person_reads_a_table(run: Run) -> None:
    code, said = run("compare", *OCTOBER)
    assert code == 0
    assert f"pig1987 {views(dt.date(2025, 10, 1), dt.date(2025, 10, 31)):,} " in said
    assert "2025-10-01 to 2025-10-31 against 2025-08-31 to 2025-09-30" in said


def test_days_in_the_wrong_order_are_refused(run: Run) -> None:
    code, said = run("compare", "--from", "2025-10-31", "--to", "2025-10-01")
    assert (code, "The last day is before the first one." in said) == (2, True)


def test_a_front_page_of_the_same_days_is_written_where_it_is_asked_for(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "october.html"
    assert run("report", *OCTOBER, "--front", "-o", f"{page}")[0] == 0
    assert f"Views {views(dt.date(2025, 10, 1), dt.date(2025, 10, 31)):,} " in text_of(page.read_text())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (OCTOBER, "Name a file or folder with -o: the pages in the data folder are always of the last days."),
        (["--from", "2025-10-01", "-o", "x.html"], "Give both --from and --to, or neither."),
        (["--from", "2025-10-31", "--to", "2025-10-01", "-o", "x.html"], "The last day is before the first one."),
    ],
)
def test_a_report_of_no_period_is_refused(run: Run, arguments: list[str], sentence: str) -> None:
    code, said = run("report", *arguments)
    assert (code, sentence in said) == (2, True), said
