"""Issues statements: from the tables of an account to a numbered page that stays as it is."""

from __future__ import annotations

import datetime as dt

from tiktok_assets.accounts import Account
from tiktok_assets.exports.windows import SURELY_THERE, last_day_with_data
from tiktok_assets.reporting.printing import Paper, open_printer
from tiktok_assets.reporting.statements.kept import ISSUING, issued, keep
from tiktok_assets.reporting.statements.month import last_of, month_numbers
from tiktok_assets.reporting.statements.page import statement_page
from tiktok_assets.reporting.statements.statement import Correction, MonthNumbers, Statement, corrections
from tiktok_assets.reporting.words import day
from tiktok_assets.reporting.writing import tables_of
from tiktok_assets.storage.lake import Lake


class StatementRefused(ValueError):
    """There is nothing to state. The message says why, and what to do."""


def current_numbers(lake: Lake, account: Account, month: dt.date, now: dt.datetime) -> MonthNumbers:
    """The month as believed ``now`` (aware). Raises StatementRefused if it is not over, or nothing of it is known."""
    last = last_of(month)
    if last > last_day_with_data(now):
        there = dt.datetime.combine(last, dt.time(), dt.UTC) + SURELY_THERE
        raise StatementRefused(
            f"{month:%B %Y} cannot be stated yet: TikTok has the numbers of {day(last)} from "
            f"{day(there.date())}, {there:%H:%M} UTC, on."
        )
    for tables in tables_of(lake, [account], now):
        numbers = month_numbers(tables, month)
        if any(one.value is not None for one in numbers.figures):
            return numbers
    raise StatementRefused(
        f"No export of {account.key} knows a number of {month:%B %Y}. `tiktok-assets status {account.key}` lists what "
        "is missing."
    )


def issue(
    lake: Lake, account: Account, month: dt.date, now: dt.datetime, paper: Paper = Paper.A4, *, correct: bool = False
) -> tuple[Statement, bool]:
    """The statement of a month, and whether it is a new one: the first, or with ``correct`` one that lists corrections.

    ``now`` is aware. Raises StatementRefused where the month is not over, nothing is known of it, or nothing has
    changed that could be corrected; StatementDamaged; BrowserUnusable, where no browser can print it: then nothing is
    kept, and no number is used.
    """
    with lake.alone(ISSUING) as held:
        earlier = issued(lake, account.key, month)
        if earlier and not correct:
            return earlier[-1], False
        numbers = current_numbers(lake, account, month, now)
        corrected = corrections(earlier[-1].numbers, numbers) if earlier else []
        if earlier and not corrected:
            raise StatementRefused(f"Nothing has changed since statement {earlier[-1].name}: it needs no correction.")
        statement = Statement(
            number=earlier[-1].number + 1 if earlier else 1,
            account=account.key,
            handle=account.handle,
            month=month,
            issued_at=now,
            numbers=numbers,
        )
        html = statement_page(statement, earlier[-1] if earlier else None, corrected)
        with open_printer(lake.settings, paper) as printer:
            pdf = printer.pdf(html, title=f"Statement {statement.name}")
        held.require()
        return keep(lake, statement, html, pdf), True


def changed_since(lake: Lake, statement: Statement, account: Account, now: dt.datetime) -> list[Correction]:
    """What is believed otherwise ``now`` than when the statement was issued."""
    return corrections(statement.numbers, current_numbers(lake, account, statement.month, now))
