"""The command ``status``: what each account's exports cover, what is missing, and which export to make next.

Exit codes as in ``app``: 0 nothing has to be exported; 1 the coach advises an export (``sessions`` likewise exits with
1 when a login needs a person), so that a nightly job can notify somebody; 2 the command or the settings cannot be used.
What is lost for good is printed but does not affect the exit code: nobody can do anything about it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from tiktok_assets.cli.accounts import accounts_named
from tiktok_assets.cli.output import AsJson, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.curated.coverage.coverage import ReportCoverage
    from tiktok_assets.reporting.status import AccountStatus, Status

app = typer.Typer(rich_markup_mode=None)

_LISTED = 20  # files in quarantine


@app.command(epilog="Example: tiktok-assets status pig1987 --json")
def status(
    accounts: Annotated[list[str] | None, typer.Argument(help="Names in accounts.toml; all of them if none.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which days each account's exports cover, and which export to make next, before what date.

    Exit code 1 if an export is due.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting.status import status as look
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake

    settings = load_settings()
    roster = load_roster(settings)
    found = look(Lake(settings), roster, accounts_named(roster, accounts), dt.datetime.now(dt.UTC))
    if as_json:
        print_json(_as_data(found, settings.max_export_days))
    else:
        for one in found.accounts:
            _print_account(one, found.at, settings.max_export_days)
        _print_files(found)
    raise typer.Exit(0 if found.is_complete else 1)


def _print_account(one: AccountStatus, now: dt.datetime, max_days: int) -> None:
    from tiktok_assets.reporting.status import COLUMNS, row_of, what_to_do

    coverage = one.coverage
    waiting = f"; {_counted(one.waiting, 'export')} in landing not processed yet" if one.waiting else ""
    out.print(
        f"{coverage.account} (@{one.handle}): login {one.session.summary}{waiting}", style="bold", highlight=False
    )
    table = Table(*COLUMNS, box=None, pad_edge=False)
    for report in coverage.reports:
        table.add_row(*row_of(report))
    out.print(table)
    shown_reason = ""
    for advice in coverage.advice:
        if advice.reason != shown_reason:  # one reason may take several exports
            out.print(advice.reason, style="yellow", markup=False, highlight=False, soft_wrap=True)
        shown_reason = advice.reason
        until = f"until {advice.before}: " if advice.before else ""
        todo = what_to_do(advice, one.session, now=now, max_days=max_days)
        out.print(f"  {until}{todo}", markup=False, highlight=False, soft_wrap=True)
    for lost in coverage.lost:
        out.print(lost.reason, style="dim", markup=False, highlight=False, soft_wrap=True)
    for doubt in one.doubts:
        out.print(f"look at: {doubt}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if not coverage.advice:
        out.print("Nothing to export.", style="green")
    out.print()


def _print_files(found: Status) -> None:
    if found.waiting:
        out.print(f"{_counted(found.waiting, 'file')} directly in landing or in the folder of an unknown account")
    if found.quarantined:
        out.print(f"{_counted(found.quarantined, 'file')} in quarantine, each with a .json that says why", style="red")
        for text in found.quarantine[:_LISTED]:
            out.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
        if found.quarantined > _LISTED:
            out.print(f"  and {found.quarantined - _LISTED:,} more")
    if found.waiting or any(one.waiting for one in found.accounts):
        out.print("To process them: tiktok-assets process", highlight=False)


def _as_data(found: Status, max_days: int) -> dict[str, Any]:
    from tiktok_assets.reporting.status import what_to_do

    return {
        "at": found.at,
        "is_complete": found.is_complete,
        "files_waiting": found.waiting,
        "files_quarantined": found.quarantined,
        "quarantine": list(found.quarantine),
        "accounts": [
            {
                "account": one.coverage.account,
                "handle": one.handle,
                "exports_waiting": one.waiting,
                "doubts": list(one.doubts),
                "session": one.session.standing,
                "session_days_left": one.session.days_left,
                "reports": [_report_as_data(report) for report in one.coverage.reports],
                "advice": [
                    dataclasses.asdict(advice)
                    | {"what_to_do": what_to_do(advice, one.session, now=found.at, max_days=max_days)}
                    for advice in one.coverage.advice
                ],
                "lost": [dataclasses.asdict(lost) for lost in one.coverage.lost],
            }
            for one in found.accounts
        ],
    }


def _report_as_data(one: ReportCoverage) -> dict[str, Any]:
    """Missing and unsettled are null for snapshots."""
    from tiktok_assets.curated.coverage.coverage import ranges

    is_daily = one.counted.reach is not None
    return {
        "report": one.report,
        "first": one.first,
        "last": one.last,
        "days_covered": len(one.covered),
        "days_missing": len(one.missing) if is_daily else None,
        "days_without_number": len(one.without_number) if is_daily else None,
        "days_unsettled": len(one.unsettled) if is_daily else None,
        "missing": [dataclasses.asdict(window) for window in ranges(one.missing)],
        "last_export": one.last_export,
    }


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
