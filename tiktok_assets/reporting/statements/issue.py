"""Issues statements: from the tables of accounts to a numbered page that stays as it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from tiktok_assets.accounts import Account
from tiktok_assets.exports.windows import SURELY_THERE, last_day_with_data
from tiktok_assets.reporting.choices import Paper
from tiktok_assets.reporting.printing import open_printer
from tiktok_assets.reporting.statements.client_page import client_page
from tiktok_assets.reporting.statements.kept import ISSUING, issued, keep
from tiktok_assets.reporting.statements.month import last_of, month_numbers
from tiktok_assets.reporting.statements.page import statement_page
from tiktok_assets.reporting.statements.statement import (
    AccountMonth,
    Correction,
    Statement,
    corrections,
    folder_of_account,
    folder_of_client,
)
from tiktok_assets.reporting.words import day
from tiktok_assets.reporting.writing import each_tables
from tiktok_assets.storage.lake import Lake


class StatementRefused(ValueError):
    """There is nothing to state. The message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose month is stated: one account's, or those of all accounts of a client."""

    accounts: Sequence[Account]
    client: str | None = None

    @property
    def folder(self) -> str:
        return folder_of_account(self.accounts[0].key) if self.client is None else folder_of_client(self.client)


def current_numbers(lake: Lake, whose: Whose, month: dt.date, now: dt.datetime) -> list[AccountMonth]:
    """The month as believed ``now`` (aware). Raises StatementRefused if it is not over, or nothing of it is known."""
    last = last_of(month)
    if last > last_day_with_data(now):
        there = dt.datetime.combine(last, dt.time(), dt.UTC) + SURELY_THERE
        raise StatementRefused(
            f"{month:%B %Y} cannot be stated yet: TikTok has the numbers of {day(last)} from "
            f"{day(there.date())}, {there:%H:%M} UTC, on."
        )
    found = [
        AccountMonth(account=tables.account.key, handle=tables.account.handle, numbers=month_numbers(tables, month))
        for tables in each_tables(lake, whose.accounts, now)
    ]
    if any(figure.value is not None for one in found for figure in one.numbers.figures):
        return found
    keys = [account.key for account in whose.accounts]
    raise StatementRefused(
        f"No export of {', '.join(keys)} knows a number of {month:%B %Y}. "
        f"`tiktok-assets status {' '.join(keys)}` lists what is missing."
    )


def issue(
    lake: Lake, whose: Whose, month: dt.date, now: dt.datetime, paper: Paper = Paper.A4, *, correct: bool = False
) -> tuple[Statement, bool]:
    """The statement of a month, and whether it is a new one: the first, or with ``correct`` one that lists corrections.

    ``now`` is aware. Raises StatementRefused where the month is not over, nothing is known of it, or nothing has
    changed that could be corrected; StatementDamaged; BrowserUnusable, where no browser can print it: then nothing is
    kept, and no number is used.
    """
    with lake.alone(ISSUING) as held:
        earlier = issued(lake, whose.folder, month)
        if earlier and not correct:
            return earlier[-1], False
        accounts = current_numbers(lake, whose, month, now)
        corrected = corrections(earlier[-1].accounts, accounts) if earlier else []
        if earlier and not corrected:
            raise StatementRefused(f"Nothing has changed since statement {earlier[-1].name}: it needs no correction.")
        statement = Statement(
            number=earlier[-1].number + 1 if earlier else 1,
            client=whose.client,
            accounts=accounts,
            month=month,
            issued_at=now,
        )
        write = statement_page if whose.client is None else client_page
        html = write(statement, earlier[-1] if earlier else None, corrected)
        with open_printer(lake.settings, paper) as printer:
            pdf = printer.pdf(html, title=f"Statement {statement.name}")
        held.require()
        return keep(lake, statement, html, pdf), True


def changed_since(lake: Lake, statement: Statement, whose: Whose, now: dt.datetime) -> list[Correction]:
    """What is believed otherwise ``now`` than when the statement was issued."""
    return corrections(statement.accounts, current_numbers(lake, whose, statement.month, now))
