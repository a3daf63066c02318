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

from tiktok_assets.cli.accounts import NONE_OF, Client, Names, OnlyOption, Owner, accounts_named, is_selected
from tiktok_assets.cli.fleet import show_fleet
from tiktok_assets.cli.output import AsJson, out, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiktok_assets.curated.coverage.advice import Advice
    from tiktok_assets.curated.coverage.coverage import ReportCoverage
    from tiktok_assets.reporting.status import AccountStatus, Status
    from tiktok_assets.settings import Settings

app = typer.Typer(rich_markup_mode=None)

_LISTED = 20  # files in quarantine
_EXPORTS = 3  # for one reason
_CHECK_ADDRESS = "Correct its address in TIKTOK_NOTIFY; this line goes once a message arrives there."


@app.command(epilog="Example: tiktok-assets status --only overdue --summary")
def status(
    accounts: Names = None,
    client: Client = None,
    owner: Owner = None,
    only: OnlyOption = None,
    summary: Annotated[bool, typer.Option("--summary", help="One line for each account.")] = False,
    fleet: Annotated[bool, typer.Option("--fleet", help="How many egresses the accounts need.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which days each account's exports cover, and which export to make next, before what date.

    The most urgent account comes first. Exit code 1 if an export is due; with --fleet, if data will be lost.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.partitions import partitions_advice
    from tiktok_assets.reporting.status import by_urgency
    from tiktok_assets.reporting.status import status as look
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake

    settings = load_settings()
    roster, now = load_roster(settings), dt.datetime.now(dt.UTC)
    chosen = accounts_named(roster, accounts, client, owner)
    if fleet:
        if accounts or client or owner or only or summary:
            raise typer.BadParameter("it looks at all accounts: name none, and no other option.", param_hint="--fleet")
        raise typer.Exit(0 if show_fleet(settings, roster, now, as_json=as_json) else 1)
    found = look(Lake(settings), roster, chosen, now)
    found = dataclasses.replace(found, accounts=[one for one in by_urgency(found) if is_selected(one, only)])
    if only and not found.accounts and not as_json:
        out.print(NONE_OF[only], style="green")
        raise typer.Exit
    if as_json:
        print_json(_as_data(found, settings))
    elif summary:
        _print_summary(found)
        _print_files(found)
        _print_lists(settings)
    else:
        for one in found.accounts:
            _print_account(one, settings, found.at)
        _print_files(found)
        _print_lists(settings)
    if not as_json:
        _print_undelivered(settings)
        if advice := partitions_advice(len(roster), settings.start_date, now.date()):
            out.print(advice, style="yellow", markup=False, highlight=False)
    raise typer.Exit(0 if found.is_complete else 1)


def _print_account(one: AccountStatus, settings: Settings, now: dt.datetime) -> None:
    from tiktok_assets.reporting.status import COLUMNS, row_of, unknown_to_studio

    coverage = one.coverage
    waiting = f"; {_counted(one.waiting, 'export')} in landing not processed yet" if one.waiting else ""
    out.print(
        f"{coverage.account} (@{one.handle}): login {one.session.summary}{waiting}", style="bold", highlight=False
    )
    table = Table(*COLUMNS, box=None, pad_edge=False, collapse_padding=True)  # 79 wide
    for report in coverage.reports:
        table.add_row(*row_of(report))
    out.print(table)
    if unknown := unknown_to_studio(coverage.reports):
        out.print(unknown, style="dim", highlight=False)
    for reason in dict.fromkeys(advice.reason for advice in coverage.advice):
        out.print(reason, style="yellow", markup=False, highlight=False)
        _print_exports([advice for advice in coverage.advice if advice.reason == reason], one, settings, now)
    for lost in coverage.lost:
        out.print(lost.reason, style="dim", markup=False, highlight=False)
    for doubt in one.doubts:
        out.print(f"look at: {doubt}", style="yellow", markup=False, highlight=False)
    if not coverage.advice:
        out.print("Nothing to export.", style="green")
    out.print()


def _print_exports(exports: Sequence[Advice], one: AccountStatus, settings: Settings, now: dt.datetime) -> None:
    """The exports that one reason takes; of many, the most urgent one and how many follow."""
    from tiktok_assets.reporting.status import what_to_do

    shown = exports if len(exports) <= _EXPORTS else exports[:1]
    for advice in shown:
        until = f"until {advice.before}: " if advice.before else ""
        todo = what_to_do(advice, one.session, settings, now)
        is_command = todo.startswith("tiktok-assets")  # to copy: in one line, however long
        out.print(f"  {until}{todo}", markup=False, highlight=False, soft_wrap=is_command)
    if rest := exports[len(shown) :]:
        last = max(advice.last for advice in rest)
        out.print(f"  then {len(rest)} more such exports, of the days until {last}; --json lists them", highlight=False)


def _print_summary(found: Status) -> None:
    """An account a line; ``due``: the exports to make, and the last date on which the most urgent one helps."""
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for name in ("account", "login", "covered to", "missing", "waiting", "due", "before"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for one in found.accounts:
        coverage = one.coverage
        days = {report.last for report in coverage.reports if report.last and report.counted.reach is not None}
        before = min((advice.before for advice in coverage.advice if advice.before), default=None)
        missing = {day for report in coverage.reports for day in report.missing}
        is_known = any(report.days_missing is not None for report in coverage.reports)
        left = one.session.days_left
        table.add_row(
            coverage.account,
            f"{one.session.standing}" if left is None else f"{one.session.standing}, {left} d",
            f"{min(days, default='—')}",
            f"{len(missing):,}" if is_known else "—",
            f"{one.waiting:,}",
            f"{len(coverage.advice):,}",
            f"{before or '—'}",
        )
    out.print(table)


def _print_undelivered(settings: Settings) -> None:
    """The messages that somebody did not get; nothing is sent to find out."""
    from tiktok_assets.notices.ledger import read_ledger

    for note in read_ledger(settings).undelivered:
        out.print(f"{note} {_CHECK_ADDRESS}", style="red", markup=False, highlight=False, soft_wrap=True)


def _print_lists(settings: Settings) -> None:
    """What cannot be used of the lists that people write."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.label.songs import load_songs, unknown_accounts
    from tiktok_assets.label.targets import load_targets

    problems = [
        *unknown_accounts(settings, load_songs(settings)),
        *load_targets(settings, load_roster(settings)).problems,
    ]
    for problem in problems:
        out.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)


def _print_files(found: Status) -> None:
    for one in found.streams:
        recordings = _counted(one.recordings, "recording")
        out.print(
            f"streams: {one.store}, {one.first} to {one.last}, {_counted(one.days, 'day')}, {recordings}",
            markup=False,
            highlight=False,
        )
    if found.streams_waiting:
        out.print(f"{_counted(found.streams_waiting, 'file')} in landing/streams not processed yet", highlight=False)
    if found.waiting:
        out.print(f"{_counted(found.waiting, 'file')} directly in landing or in the folder of an unknown account")
    if found.quarantined:
        out.print(f"{_counted(found.quarantined, 'file')} in quarantine, each with a .json that says why", style="red")
        for text in found.quarantine[:_LISTED]:
            out.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)
        if found.quarantined > _LISTED:
            out.print(f"  and {found.quarantined - _LISTED:,} more")
    if found.waiting or found.streams_waiting or any(one.waiting for one in found.accounts):
        out.print("To process them: tiktok-assets process", highlight=False)


def _as_data(found: Status, settings: Settings) -> dict[str, Any]:
    from tiktok_assets.notices.ledger import read_ledger
    from tiktok_assets.reporting.status import what_to_do

    return {
        "at": found.at,
        "is_complete": found.is_complete,
        "files_waiting": found.waiting,
        "files_quarantined": found.quarantined,
        "quarantine": list(found.quarantine),
        "undelivered": [f"{note}" for note in read_ledger(settings).undelivered],
        "streams_waiting": found.streams_waiting,
        "streams": [dataclasses.asdict(one) for one in found.streams],
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
                    dataclasses.asdict(advice) | {"what_to_do": what_to_do(advice, one.session, settings, found.at)}
                    for advice in one.coverage.advice
                ],
                "lost": [dataclasses.asdict(lost) for lost in one.coverage.lost],
            }
            for one in found.accounts
        ],
    }


def _report_as_data(one: ReportCoverage) -> dict[str, Any]:
    """What is missing or unsettled is null where it is unknown: for snapshots, and before any export."""
    from tiktok_assets.curated.coverage.coverage import ranges

    return {
        "report": one.report,
        "first": one.first,
        "last": one.last,
        "days_covered": len(one.covered),
        "days_missing": one.days_missing,
        "days_without_number": one.days_without_number,
        "days_unsettled": one.days_unsettled,
        "missing": [dataclasses.asdict(window) for window in ranges(one.missing)],
        "last_export": one.last_export,
    }


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
