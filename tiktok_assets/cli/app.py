"""The command line ``tiktok-assets``. Commands and exit codes only; the work is done elsewhere.

A command imports what it needs when it runs: ``--help`` has to read all of these modules, so nothing but typer and rich
is imported at their top. A linter rule (TID253 in pyproject.toml) and ``test_light_commands`` guard it.

Exit codes: 0 success; 1 something was quarantined, failed or differs; 2 the command or the settings cannot be used;
130 stopped by Ctrl-C or SIGTERM. ``faults`` gives an error its sentence and its exit code: what the operating system or
a database refuses ends with 1.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiktok_assets import __version__
from tiktok_assets.cli import (
    accounts,
    cluster,
    compare,
    demo,
    dev,
    digest,
    export,
    failures,
    files,
    history,
    init,
    prune,
    report,
    songs,
    statements,
    status,
    studio,
)
from tiktok_assets.cli.faults import Commands
from tiktok_assets.cli.output import AsJson, bar, err, out, print_inspection, print_json, print_result

if TYPE_CHECKING:
    from tiktok_assets.settings import Settings

app = typer.Typer(
    cls=Commands,
    help="TikTok Studio exports as tables you can trust.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(init.app)
app.add_typer(dev.app)
app.add_typer(studio.app)
app.add_typer(studio.sessions_app, name="sessions")
app.add_typer(failures.app)
app.add_typer(history.app)
app.add_typer(status.app)
app.add_typer(report.app)
app.add_typer(digest.app)
app.add_typer(statements.app)
app.add_typer(compare.app)
app.add_typer(files.app)
app.add_typer(prune.app, name="history")
app.add_typer(accounts.app, name="accounts")
app.add_typer(export.app, name="export")
app.add_typer(songs.app, name="songs")
app.add_typer(demo.app, name="demo")
app.add_typer(cluster.app, name="cluster")


def _print_version(is_requested: bool) -> None:
    if is_requested:
        out.print(__version__, highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """TikTok Studio exports as tables you can trust."""


def main() -> None:
    """The entry point."""
    for name in ("intake", "quarantine"):  # the commands print what these log
        logging.getLogger(f"tiktok_assets.inbox.{name}").setLevel(logging.CRITICAL)
    app()


@app.command(epilog="Example: cp ~/Downloads/Overview_*.zip data/landing/ && tiktok-assets process")
def process(as_json: AsJson = False) -> None:
    """Process everything new in landing, in this process. Exit code 1 if a file was quarantined or a check
    with severity error failed; warnings are only printed."""
    from tiktok_assets.pipeline import process as processing
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    with bar("Processing", quiet=as_json) as progress:
        result = processing.process(settings, progress=progress)
    if as_json:
        print_json(result)
    else:
        print_result(result)
        if result.accounts or result.streams:
            _print_outdated_pages(settings)
    raise typer.Exit(0 if result.is_clean else 1)


def _print_outdated_pages(settings: Settings) -> None:
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting.writing import are_outdated
    from tiktok_assets.storage.lake import Lake

    if are_outdated(Lake(settings), list(load_roster(settings))):
        text = f"The pages in {settings.reports} are older than these tables. To write them again: tiktok-assets report"
        out.print(text, markup=False, highlight=False, soft_wrap=True)


@app.command(epilog="Example: tiktok-assets inspect data/landing/pig1987/*.zip")
def inspect(
    files: Annotated[list[Path], typer.Argument(help="ZIP, CSV or XLSX files; also broken ones.")],
    as_json: AsJson = False,
) -> None:
    """Describe files: product, report, account, window, year and its evidence, language, rows, problems."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.inbox.inspect import inspect as describe
    from tiktok_assets.inbox.sandbox import Limits
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    roster, limits = load_roster(settings), Limits.of(settings)
    found = [describe(path, roster, settings.landing, limits) for path in files]
    if as_json:
        print_json(found)
    else:
        for one in found:
            print_inspection(one)
    raise typer.Exit(1 if any(one["problem"] for one in found) else 0)


@app.command(epilog="Example: tiktok-assets rebuild --json")
def rebuild(as_json: AsJson = False) -> None:
    """Rebuild raw, staging, curated and the warehouse from landing, compare, and report any difference."""
    from tiktok_assets.pipeline import rebuild as rebuilding
    from tiktok_assets.settings import load_settings

    try:
        with bar("Rebuilding", quiet=as_json) as progress:
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
            out.print("The lake rebuilt from landing is the same, row for row.", style="green")
    raise typer.Exit(1 if differences or not result.is_clean else 0)


@app.command(epilog="Example: tiktok-assets verify --json")
def verify(as_json: AsJson = False) -> None:
    """Compare the lake with what was processed: raw, staging, curated, the warehouse, the published file; and issued
    statements with what they were.

    Nothing is changed; `process` makes again what is missing. Exit code 1 if something is missing or differs.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.inbox.verify import verify as look
    from tiktok_assets.reporting.statements.kept import damaged
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.duckdb import Warehouse
    from tiktok_assets.storage.lake import Lake

    settings = load_settings()
    warehouse = Warehouse(settings.working_warehouse, settings.warehouse)
    lake, roster = Lake(settings), load_roster(settings)
    found = look(lake, roster, warehouse, say=_print_wait)
    found += damaged(lake)
    if as_json:
        print_json(found)
    for one in () if as_json else found:
        out.print(f"{one}", style="red", markup=False, highlight=False, soft_wrap=True)
    if not found and not as_json:
        out.print("Everything that was processed is there.", style="green")
    raise typer.Exit(1 if found else 0)


def _print_wait(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)


@app.command(epilog="Example: tiktok-assets simulator --port 8400")
def simulator(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8400) -> None:
    """Start a simulator of TikTok Studio with invented accounts, to try the browser on. Ctrl-C stops it."""
    from tiktok_assets.simulator.studio import PortTaken, run

    try:
        run(port)
    except PortTaken as error:
        raise typer.BadParameter(str(error), param_hint="--port") from error


if __name__ == "__main__":
    main()
