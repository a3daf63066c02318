"""The command ``report``: a page per account that opens in any browser. Exit codes as in ``app``.

The exit code is also 1 if an account that was named has no data yet.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiktok_assets.cli.accounts import Client, Names, Owner, accounts_named
from tiktok_assets.cli.choices import Paper, PaperOption
from tiktok_assets.cli.days import FirstDay, LastDay, period_of
from tiktok_assets.cli.output import err, out, unwritable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upath import UPath

    from tiktok_assets.reporting.period import Period

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: tiktok-assets report pig1987 -o report.html")
def report(
    accounts: Names = None,
    client: Client = None,
    owner: Owner = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="An .html or .pdf file for one page with all accounts, or a folder for one page each and index.html; "
            "by default the folder reports of the data folder.",
        ),
    ] = None,
    front: Annotated[bool, typer.Option("--front", help="Into that file the front page instead.")] = False,
    first: FirstDay = None,
    last: LastDay = None,
    paper: PaperOption = Paper.A4,
) -> None:
    """Write a page about each account, and a front page of all: numbers, charts, videos, audience, data problems.

    A page is self-contained: it opens from disk, on a phone, without a network. With --from and --to its numbers are
    of these days, against as many right before them. Exit code 1 if an account that was named, or every account, has
    no data yet.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting.writing import each_tables, write_one_page, write_pages, write_reports
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake

    settings = load_settings()
    is_everybody = not (accounts or client or owner)
    is_page = _is_page(output, front=front, is_everybody=is_everybody)
    period = _period(first, last, output)
    lake, chosen = Lake(settings), accounts_named(load_roster(settings), accounts, client, owner)
    now = dt.datetime.now(dt.UTC).astimezone()
    every = [*each_tables(lake, chosen, now, with_all_video_days=period is not None)]
    found = [tables for tables in every if tables.has_data]
    written: Sequence[Path | UPath] = ()
    try:
        if found and output is None:
            # The front page is of all accounts: a page of some would hide the others.
            written = write_reports(lake, every, now, with_front_page=is_everybody)
        elif found and output is not None and is_page:
            written = [write_one_page(output, settings, every, now, front=front, period=period, paper=paper)]
        elif found and output is not None:
            written = write_pages(output, settings, every, now, period)
    except OSError as error:
        raise unwritable(output or Path(str(settings.reports)), error) from error
    for path in written:
        out.print(str(path), markup=False, highlight=False, soft_wrap=True)
    with_data = {tables.account.key for tables in found}
    without = [account.key for account in chosen if account.key not in with_data]
    if without or not found:
        message = (
            f"No data yet: {', '.join(without) or 'there is no account'}. Drop exports into {settings.landing} or "
            "request them (tiktok-assets extract), then run tiktok-assets process."
        )
        err.print(message, style="yellow", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if not found or (accounts and without) else 0)


def _period(first: dt.date | None, last: dt.date | None, output: Path | None) -> Period | None:
    period = period_of(first, last)
    if period and output is None:
        message = "Name a file or folder with -o: the pages in the data folder are always of the last days."
        raise typer.BadParameter(message, param_hint="--from")
    return period


def _is_page(output: Path | None, *, front: bool, is_everybody: bool) -> bool:
    """Whether ``output`` is the file of one page. What cannot be written is refused."""
    is_page = output is not None and output.suffix.lower() in (".html", ".htm", ".pdf")
    if output is not None and output.suffix and not is_page and not output.is_dir():
        raise typer.BadParameter(
            f"{output}: a report is an .html or .pdf file, not {output.suffix}. Give such a file, or a folder.",
            param_hint="--output",
        )
    if front and not is_everybody:
        message = "The front page is of all accounts: leave out names, client and owner."
        raise typer.BadParameter(message, param_hint="--front")
    if front and not is_page:
        raise typer.BadParameter("Name the file with -o: front.html or front.pdf.", param_hint="--front")
    return is_page
