"""The command line ``tiktok-assets``: what people ask for by hand. Commands and exit codes only; the work is elsewhere.

Exit codes: 0 all well; 1 something was set aside, failed or differs; 2 the command or the settings cannot be used;
130 stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from tiktok_assets.accounts import InvalidAccounts, add_account, load_roster, remove_account
from tiktok_assets.cli import files, history, init, prune, report, status, studio
from tiktok_assets.cli.output import bar, err, out, print_inspection, print_json, print_result
from tiktok_assets.settings import InvalidSettings, load_settings

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
app.add_typer(init.app)
app.add_typer(studio.app)
app.add_typer(history.app)
app.add_typer(status.app)
app.add_typer(report.app)
app.add_typer(files.app)
app.add_typer(prune.app, name="history")
app.add_typer(accounts_app, name="accounts")
app.add_typer(export_app, name="export")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, nothing else.")]


def main() -> None:
    """The entry point: errors of settings and accounts are sentences, not tracebacks."""
    for name in ("intake", "quarantine"):  # the commands print what these say
        logging.getLogger(f"tiktok_assets.inbox.{name}").setLevel(logging.CRITICAL)
    try:
        app()
    except (InvalidSettings, InvalidAccounts) as error:
        err.print(str(error), markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Ctrl-C and SIGTERM end with a sentence and exit code 130, a full disk with one and 1."""
    from tiktok_assets.pipeline.process import Interrupted

    try:
        yield
    except Interrupted as interrupted:
        err.print(str(interrupted), style="yellow", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(130) from None
    except Exception as error:  # of the operating system, SQLite or DuckDB
        if not any(words in str(error) for words in ("No space left on device", "disk is full")):
            raise
        text = "The disk is full. Free some space and run this again: it goes on where it stopped, nothing is lost."
        err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@app.command(epilog="Example: cp ~/Downloads/Overview_*.zip data/landing/ && tiktok-assets process")
def process(as_json: AsJson = False) -> None:
    """Process everything new in landing, in this process. Exit code 1 if a file was set aside, or a check
    failed whose severity is error; one that warns is told."""
    from tiktok_assets.pipeline import process as processing

    with bar("Processing", quiet=as_json) as progress, _stopping():
        result = processing.process(load_settings(), progress=progress)
    if as_json:
        print_json(result)
    else:
        print_result(result)
    raise typer.Exit(0 if result.is_clean else 1)


@app.command(epilog="Example: tiktok-assets inspect data/landing/pig1987/*.zip")
def inspect(
    files: Annotated[list[Path], typer.Argument(help="ZIP, CSV or XLSX files; also broken ones.")],
    as_json: AsJson = False,
) -> None:
    """Tell what files are: product, report, account, window, year and its evidence, language, rows, problems."""
    from tiktok_assets.inbox.inspect import inspect as describe

    roster = load_roster(load_settings())
    found = [describe(path, roster) for path in files]
    if as_json:
        print_json(found)
    else:
        for one in found:
            print_inspection(one)
    raise typer.Exit(1 if any(one["problem"] for one in found) else 0)


@app.command(epilog="Example: tiktok-assets rebuild --json")
def rebuild(as_json: AsJson = False) -> None:
    """Make raw, staging, curated and the warehouse again from landing, compare, and report any difference."""
    from tiktok_assets.pipeline import rebuild as rebuilding

    try:
        with bar("Rebuilding", quiet=as_json) as progress, _stopping():
            result, differences = rebuilding.rebuild(load_settings(), progress=progress)
    except rebuilding.RebuildRefused as refused:
        err.print(str(refused), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from refused
    if as_json:
        print_json({"result": result, "differences": differences})
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
        print_json(list(roster.values()))
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
    out.print(
        "A `make dev` that is running learns of it by Reload definitions, on the page Deployment.", highlight=False
    )
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
    from tiktok_assets.queries.raw_rows import UnknownReport, raw_rows

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
