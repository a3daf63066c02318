"""The command line ``tiktok-assets``: what people ask for by hand. Printing and exit codes only; the work is elsewhere.

Exit codes: 0 all well; 1 something was set aside, failed or differs; 2 the command or the settings cannot be used.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tiktok_assets.accounts import InvalidAccounts, add_account, load_roster, remove_account
from tiktok_assets.settings import InvalidSettings, load_settings, project_root

app = typer.Typer(
    help="TikTok Studio exports as tables you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
accounts_app = typer.Typer(
    help="The accounts this installation looks after.", no_args_is_help=True, rich_markup_mode=None
)
export_app = typer.Typer(help="Tables of the lake in other formats.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(accounts_app, name="accounts")
app.add_typer(export_app, name="export")

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, nothing else.")]


def main() -> None:
    """The entry point: errors of settings and accounts are sentences, not tracebacks."""
    for name in ("intake", "quarantine"):  # the commands print what these say
        logging.getLogger(f"tiktok_assets.{name}").setLevel(logging.CRITICAL)
    try:
        app()
    except (InvalidSettings, InvalidAccounts) as error:
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


@app.command(epilog="Example: cp ~/Downloads/Overview_*.zip data/landing/ && tiktok-assets process")
def process(as_json: AsJson = False) -> None:
    """Process everything new in landing, in this process. Exit code 1 if a file was set aside or a check failed."""
    from tiktok_assets import processing

    os.chdir(project_root())  # Dagster's history lies in a folder relative to the current one
    with bar("Processing", quiet=as_json) as progress:
        result = processing.process(load_settings(), progress=progress)
    if as_json:
        _print_json(result)
    else:
        print_result(result)
    raise typer.Exit(0 if result.is_clean else 1)


@app.command(epilog="Example: tiktok-assets inspect data/landing/pig1987/*.zip")
def inspect(
    files: Annotated[list[Path], typer.Argument(help="ZIP, CSV or XLSX files; also broken ones.")],
    as_json: AsJson = False,
) -> None:
    """Tell what files are: product, report, account, window, year and its evidence, language, rows, problems."""
    from tiktok_assets.inspection import inspect as describe

    roster = load_roster(load_settings())
    found = [describe(path, roster) for path in files]
    if as_json:
        _print_json(found)
    else:
        for one in found:
            _print_inspection(one)
    raise typer.Exit(1 if any(one["problem"] for one in found) else 0)


@app.command(epilog="Example: tiktok-assets rebuild --json")
def rebuild(as_json: AsJson = False) -> None:
    """Make raw, staging, curated and the warehouse again from landing, compare, and report any difference."""
    from tiktok_assets import rebuilding

    os.chdir(project_root())  # as above
    try:
        with bar("Rebuilding", quiet=as_json) as progress:
            result, differences = rebuilding.rebuild(load_settings(), progress=progress)
    except rebuilding.RebuildRefused as refused:
        err.print(str(refused), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from refused
    if as_json:
        _print_json({"result": result, "differences": differences})
    else:
        print_result(result)
        for difference in differences:
            out.print(
                f"{difference.table}: {difference.only_before} rows only before, {difference.only_after} only after",
                style="red",
            )
        if not differences:
            out.print("The lake made again from landing is the same, row for row.", style="green")
    raise typer.Exit(1 if differences or not result.is_clean else 0)


@app.command(epilog="Example: tiktok-assets simulator --port 8400")
def simulator(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8400) -> None:
    """Start a look-alike of TikTok Studio with invented accounts, to try the browser on. Ctrl-C ends it."""
    from tiktok_assets.simulator.studio import PortTaken, run

    try:
        run(port)
    except PortTaken as error:
        raise typer.BadParameter(str(error), param_hint="--port") from error


@accounts_app.command("list", epilog="Example: tiktok-assets accounts list --json")
def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts in use."""
    roster = load_roster(load_settings())
    if as_json:
        _print_json(list(roster.values()))
        return
    table = Table("account", "handle", "timezone", "days a report", "competitors", box=None, pad_edge=False)
    for account in roster.values():
        competitors = ", ".join(account.competitors)
        table.add_row(account.key, f"@{account.handle}", account.timezone, str(account.default_date_range), competitors)
    out.print(table if roster else "No accounts. Add one: tiktok-assets accounts add NAME --handle HANDLE")


@accounts_app.command(epilog="Example: tiktok-assets accounts add zonea0 --handle zone.a0 --timezone Europe/Lisbon")
def add(
    name: Annotated[str, typer.Argument(help="A short name: it becomes a folder and the value of the column account.")],
    handle: Annotated[str | None, typer.Option(help="TikTok handle, without @; the name itself if not given.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, as Europe/Lisbon.")] = None,
    business_id: Annotated[str | None, typer.Option(help="TikTok's id of the business account.")] = None,
) -> None:
    """Add an account to accounts.toml. Nothing else in the file changes."""
    settings = load_settings()
    fields = {"handle": handle, "timezone": timezone, "business_id": business_id}
    account = add_account(settings.accounts_file, name, **{key: value for key, value in fields.items() if value})
    out.print(f"Added {account.key} (@{account.handle}).")
    out.print(f"Drop its exports into {settings.landing / account.key}/", highlight=False, soft_wrap=True)
    if settings.accounts and account.key not in load_roster(settings):
        out.print("TIKTOK_ACCOUNTS leaves it out: add the name there as well.", style="yellow")


@accounts_app.command(epilog="Example: tiktok-assets accounts remove zonea0")
def remove(name: Annotated[str, typer.Argument(help="The account's name in accounts.toml.")]) -> None:
    """Remove an account from accounts.toml. Its files and tables stay."""
    account = remove_account(load_settings().accounts_file, name)
    out.print(f"Removed {account.key}. Its exports and tables were left as they are.", highlight=False)


class Format(StrEnum):
    """What ``export raw`` writes."""

    NDJSON = "ndjson"


@export_app.command(
    "raw", epilog="Example: tiktok-assets export raw --format ndjson --account pig1987 > pig1987.ndjson"
)
def export_raw(
    format: Annotated[Format, typer.Option(help="One JSON object a row.")] = Format.NDJSON,
    account: Annotated[list[str] | None, typer.Option(help="Only this account; may be repeated.")] = None,
    report: Annotated[
        list[str] | None, typer.Option(help="Only this report, as follower_history; may be repeated.")
    ] = None,
) -> None:
    """Write the raw rows, every column with its text and provenance, to standard output."""
    from tiktok_assets.storage.export import UnknownReport, raw_rows

    settings = load_settings()
    roster = load_roster(settings)
    if unknown := set(account or ()).difference(roster):
        message = f"No account is called {', '.join(sorted(unknown))}. There are: {', '.join(roster)}."
        raise typer.BadParameter(message, param_hint="--account")
    try:
        for rows in raw_rows(settings, accounts=account or list(roster), reports=report):
            sys.stdout.write(rows.write_ndjson())
    except UnknownReport as error:
        raise typer.BadParameter(str(error), param_hint="--report") from error
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar on standard error, where there is a terminal; it yields what tells it the progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet) as bar:
        task = bar.add_task(title, total=None)
        yield lambda account, done, total: bar.update(
            task, description=f"{title} {account}".strip(), completed=done, total=total
        )


def _print_json(data: Any) -> None:
    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return dataclasses.asdict(value)
        if isinstance(value, dt.date | dt.datetime):
            return value.isoformat()
        raise TypeError(f"{type(value).__name__} has no JSON form")

    sys.stdout.write(f"{json.dumps(data, default=plain, indent=2, ensure_ascii=False)}\n")


def print_result(result: Any) -> None:
    """A line per account, then everything a person has to know: errors, notes, files set aside."""
    if result.accounts:
        table = Table("account", "exports", "months", "result", "checks", box=None, pad_edge=False)
        for one in result.accounts:
            months = f"{one.first_month:%Y-%m} to {one.last_month:%Y-%m}"
            outcome = "[green]processed[/]" if one.succeeded else "[red]failed[/]"
            failed, gaps = len(one.failed_checks), len(_with_gaps(one))
            checks = f"[red]{failed} failed[/]" if failed else f"{gaps} with missing days" if gaps else "kept"
            table.add_row(one.account, str(one.exports), months, outcome, checks)
        out.print(table)
    for one in result.accounts:
        for line in ([f"{one.account}: {one.error}"] if one.error else []) + [
            f"{one.account}: {c}" for c in one.failed_checks
        ]:
            out.print(line, style="red", markup=False, soft_wrap=True)
        if reports := _with_gaps(one):
            out.print(
                f"note: {one.account}: days are missing in {', '.join(reports)}: export those windows", style="dim"
            )
        if reports := _without_rows(one):
            out.print(f"note: {one.account}: no export has rows of {', '.join(reports)} for these months", style="dim")
        for line in one.warnings:
            out.print(f"note: {one.account}: {line}", style="dim", markup=False, highlight=False, soft_wrap=True)
    for rejected in result.intake.rejected:
        out.print(
            f"set aside: {rejected.message}\n  now in {rejected.moved_to}", style="red", markup=False, soft_wrap=True
        )
    for message in result.intake.unreadable:
        out.print(message, style="red", markup=False, soft_wrap=True)
    for message in result.intake.left_alone:
        out.print(f"left where it is: {message}", style="dim", markup=False, highlight=False, soft_wrap=True)
    for path in result.intake.waiting:
        out.print(f"still being written, left for the next time: {path}", style="yellow", markup=False, soft_wrap=True)
    if not result.accounts and result.is_clean and not result.intake.waiting:
        settings = load_settings()
        out.print(
            f"Nothing new in {settings.landing}. Drop exports there, then run this again.",
            highlight=False,
            soft_wrap=True,
        )


def _with_gaps(account: Any) -> list[str]:
    return _reports_that_break(account, "days_are_contiguous")


def _without_rows(account: Any) -> list[str]:
    return _reports_that_break(account, "has_rows")


def _reports_that_break(account: Any, promise: str) -> list[str]:
    """The reports whose check of this name did not pass: "staging/overview has_rows" is of overview."""
    broken = [check.split(" ") for check in account.warned_checks]
    return [asset.rpartition("/")[2] for asset, name in broken if name == promise]


def _print_inspection(found: dict[str, Any]) -> None:
    out.print(found["file"], style="bold", markup=False, highlight=False, soft_wrap=True)
    if "tables" in found:
        known = {
            "product": found["product"],
            "account": found["account"] or f"unknown: {found['account_problem']}",
            "window": " to ".join(found["window"]),
            "downloaded": f"{found['downloaded_at']} (known from {found['downloaded_at_evidence']})",
        }
        for name, value in known.items():
            out.print(f"  {name:<20} {value}", markup=False, highlight=False, soft_wrap=True)
        for one in found["tables"]:
            language = f", language {one['language']}" if one["language"] else ""
            days = (
                f", {one['first_day']} to {one['last_day']} (year from {one['year_evidence']})"
                if one["first_day"]
                else ""
            )
            out.print(
                f"  {one['report']:<20} {one['rows']} rows{days}{language}",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    for warning in found.get("warnings", []):
        out.print(f"  note                 {warning}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if found["problem"]:
        out.print(
            f"  {found['problem']}: {found['message']}", style="red", markup=False, highlight=False, soft_wrap=True
        )
