"""Statements of a client: sums of accounts that are never silently of fewer, kept as those of an account are."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tiktok_assets.reporting.account_tables import AccountTables
from tiktok_assets.reporting.statements.client_page import client_page
from tiktok_assets.reporting.statements.statement import (
    AccountMonth,
    Figure,
    MonthNumbers,
    Statement,
    corrections,
    folder_of_client,
)
from tiktok_assets.settings import Settings
from tiktok_assets_tests.reporting.conftest import Run, stored
from tiktok_assets_tests.reporting.simulated_tables import simulated, text_of

pytestmark = pytest.mark.usefixtures("no_browser")
MONTH = dt.date(2025, 10, 1)
NOW = dt.datetime(2025, 12, 1, 9, 30, tzinfo=dt.UTC)
CLIENT = "Blue Note"


def clients(*accounts: AccountMonth, number: int = 1, client: str = CLIENT) -> Statement:
    return Statement(number=number, client=client, accounts=accounts, month=MONTH, issued_at=NOW)


def month(
    account: str, views: int | None, before: int | None = None, *, known: int = 31, **figures: Any
) -> AccountMonth:
    """An account of whose month these numbers are known: ``followers`` and the day ``at`` of them, ``engagements``."""

    def one(name: str, kind: str, value: float | None, past: float | None = None, **more: Any) -> Figure:
        change = value / past - 1 if value is not None and past and known == 31 else None
        days = {"days": 31, "days_known": known if value is not None else 0, "at": None, **more}
        return Figure.model_validate(
            {"name": name, "kind": kind, "value": value, "before": past, "change": change, **days}
        )

    at, engagements = figures.get("at", dt.date(2025, 10, 31)), figures.get("engagements")
    found = [
        one("Video views", "sum", views, before),
        one("Engagements", "sum", engagements),
        one("Engagement rate", "rate", engagements / views if engagements and views else None),
        one("Followers", "stock", figures.get("followers"), at=at),
        one("Profile views", "sum", None),
        one("Viewers a day", "mean", 7),
    ]
    numbers = MonthNumbers(figures=found, days=[], posts=[], exports=[account])
    return AccountMonth(account=account, handle=account, numbers=numbers)


def test_a_clients_sums_are_of_its_accounts_first_each_then_together() -> None:
    a = month("a", 1000, 800, engagements=50, followers=10)
    b = month("b", 500, 400, engagements=100, followers=5)
    text = text_of(client_page(clients(a, b), None, []))
    assert "Blue Note, October 2025 Statement client-blue-note-2025-10-1 , issued on 1 December 2025." in text
    assert "@a 1,000 +25% 50 5.0% 10 — 7 @b 500 +25% 100 20.0% 5 — 7" in text
    assert "All accounts 1,500 +25% 150 10.0% 15 — — " in text  # 150 / 1,500; viewers are never summed
    assert "Profile views of all accounts are without @a (not known), @b (not known)" in text


def test_an_unknown_account_is_named_and_the_sum_is_the_least_it_can_be() -> None:
    a = month("a", 1000, 800, engagements=50, followers=10)
    b = month("b", 500, known=24, engagements=None, followers=5, at=dt.date(2025, 10, 29))
    text = text_of(client_page(clients(a, b), None, []))
    assert "@b 500 24 of 31 days — — 5 on 29 Oct 2025" in text
    assert (
        "All accounts at least 1,000 1 of 2 accounts at least 50 1 of 2 accounts 5.0% 1 of 2 accounts at least 10 "
        in text
    )
    assert (
        "Video views of all accounts are without @b (24 of 31 days): what these had in the month is not known." in text
    )
    assert "Engagements of all accounts are without @b (not known)" in text
    assert "Followers of all accounts are without @b (on 29 Oct 2025)" in text
    nobody = text_of(client_page(clients(month("a", None), month("b", None)), None, []))
    assert "All accounts — — — — — —" in nobody


def test_a_clients_correction_lists_sums_and_accounts_that_came_or_went() -> None:
    a, b = month("a", 1000, followers=10), month("b", 500, followers=5)
    first, second = clients(a, b), clients(month("a", 1100, followers=10), month("c", 1, followers=1), number=2)
    text = text_of(client_page(second, first, corrections(first.accounts, second.accounts)))
    assert "It corrects statement client-blue-note-2025-10-1 of 1 December 2025" in text
    assert "all accounts Video views 1,500 1,101 all accounts Followers 15 11 @a Video views 1,000 1,100" in text
    assert "@c Video views — 1" in text and "@b Video views 500 —" in text


def test_names_of_clients_share_no_folder_unless_only_their_case_differs() -> None:
    names = ("Blue Note", "Blue-Note", "blue  note", "Blue/Note", "../x", "日本", "é", "x" * 300)
    folders = [folder_of_client(name) for name in names]
    assert len({*folders}) == len(names)
    assert all(re.fullmatch(r"client=[a-z0-9-]{1,80}", folder) for folder in folders)
    assert folder_of_client("BLUE NOTE") == folders[0] == "client=blue-note"


def test_a_client_is_given_its_statement_again_and_corrections_on_another(
    run: Run, known: AccountTables, tmp_path: Path
) -> None:
    settings = Settings()  # from the environment
    settings.accounts_file.write_text(
        '[accounts.pig1987]\nhandle = "pig1987"\nclient = "Blue Note"\n'
        '[accounts.other]\nhandle = "other"\nclient = "blue note"\n'
    )
    asked = ("statement", "--client", "blue note", "--month", "2025-10")
    code, said = run(*asked, "-o", f"{tmp_path / 'first.html'}")
    assert (code, "Statement client-blue-note-2025-10-1 was issued." in said) == (0, True), said
    text = text_of((tmp_path / "first.html").read_text())
    views = sum(day.video_views for day in simulated().days if (day.day.year, day.day.month) == (2025, 10))
    assert f"All accounts at least {views:,} 1 of 2 accounts" in text
    assert "Video views of all accounts are without @other (not known)" in text
    stored(settings, dataclasses.replace(known, days=known.days.with_columns(pl.col("likes") + 1)))
    code, said = run(*asked, "-o", f"{tmp_path / 'again.html'}")
    assert (code, "statement --client 'Blue Note' --month 2025-10 --correct" in said) == (0, True), said
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    code, said = run(*asked, "--correct", "-o", f"{tmp_path / 'second.html'}")
    assert (code, "client-blue-note-2025-10-2 was issued" in said) == (0, True), said
    corrected = text_of((tmp_path / "second.html").read_text())
    assert "It corrects statement client-blue-note-2025-10-1" in corrected and "@pig1987 Engagements" in corrected
    (page,) = (tmp_path / "data/statements").rglob("*-1.pdf")
    page.write_bytes(b"another")
    code, said = run("verify")
    assert (code, f"{page.name}: this page of a statement is not as it was issued" in said) == (1, True)


@pytest.mark.parametrize("named", [[], ["pig1987", "--client", "x"]])
def test_a_statement_is_of_one_account_or_a_client(run: Run, named: list[str]) -> None:
    code, said = run("statement", *named, "--month", "2025-10")
    assert (code, "Name one account, or a client with --client." in said) == (2, True)
