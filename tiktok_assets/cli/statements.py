"""The commands ``statement`` and ``media-kit``: pages for clients and partners. Exit codes as in ``app``."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tiktok_assets.cli.accounts import accounts_named
from tiktok_assets.cli.choices import Paper, PaperOption, Part, PartsOption
from tiktok_assets.cli.output import err, out, unwritable

if TYPE_CHECKING:
    from tiktok_assets.accounts import Roster
    from tiktok_assets.reporting.statements.issue import Whose
    from tiktok_assets.reporting.statements.statement import Statement
    from tiktok_assets.storage.lake import Lake

app = typer.Typer(rich_markup_mode=None)


_SUFFIXES = (".html", ".pdf")


def _month(text: str) -> dt.date:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text.strip()):
        raise typer.BadParameter(f"{text!r} is not a month. Write year-month, for example 2026-10.")
    return dt.date.fromisoformat(f"{text.strip()}-01")


@app.command(epilog="Example: tiktok-assets statement pig1987 --month 2026-10 -o october.pdf")
def statement(
    month: Annotated[dt.date, typer.Option(help="The month, as 2026-10.", parser=_month, metavar="MONTH")],
    account: Annotated[str | None, typer.Argument(help="Name in accounts.toml, or handle.")] = None,
    client: Annotated[
        str | None, typer.Option(help="Instead of an account: all of this client's in accounts.toml, and their sums.")
    ] = None,
    correct: Annotated[
        bool, typer.Option("--correct", help="Issue another statement that lists what has changed since the last one.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A copy of the statement: a file that ends in .pdf or .html."),
    ] = None,
    paper: PaperOption = Paper.A4,
) -> None:
    """Issue the statement of a month, of an account or a client, or give out again the one issued, byte for byte.

    A statement is numbered and kept in the data folder, as PDF and HTML; it is never changed. Numbers that TikTok
    corrects later are listed on another statement (--correct). Exit code 1 if a kept statement is damaged.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting.statements.issue import StatementRefused, issue
    from tiktok_assets.reporting.statements.kept import StatementDamaged, pages
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake

    _refuse_other_suffixes(output)
    settings = load_settings()
    lake, whose = Lake(settings), _whose(load_roster(settings), account, client)
    now = dt.datetime.now(dt.UTC).astimezone()
    try:
        given, is_new = issue(lake, whose, month, now, paper, correct=correct)
        if is_new:
            out.print(f"Statement {given.name} was issued.", highlight=False)
        else:
            out.print(f"Statement {given.name}, issued on {given.issued_at:%Y-%m-%d}.", highlight=False)
            _say_what_changed(lake, given, whose, now)
        _give_out(lake, given, output)
    except StatementRefused as refused:
        raise _ended(str(refused), 2) from refused
    except StatementDamaged as damage:
        raise _ended(str(damage), 1) from damage
    if output is None:
        for path in pages(lake, given).values():
            out.print(str(path), markup=False, highlight=False, soft_wrap=True)


def _whose(roster: Roster, account: str | None, client: str | None) -> Whose:
    """Whose month is asked for; what names neither one account nor a client is refused."""
    from tiktok_assets.reporting.statements.issue import Whose

    if (account is None) == (client is None):
        raise typer.BadParameter("Name one account, or a client with --client.", param_hint="ACCOUNT")
    chosen = accounts_named(roster, [account] if account else None, client)
    if account and len(chosen) > 1:
        message = (
            f"{account} fits {', '.join(one.key for one in chosen)}: a statement is of one account, or a client's."
        )
        raise typer.BadParameter(message, param_hint="ACCOUNT")
    return Whose(accounts=chosen, client=chosen[0].client if client else None)


def _say_what_changed(lake: Lake, given: Statement, whose: Whose, now: dt.datetime) -> None:
    from tiktok_assets.reporting.statements.issue import StatementRefused, changed_since

    try:
        changes = changed_since(lake, given, whose, now)
    except StatementRefused:  # the exports are gone; the statement is what remains
        return
    if changes:
        text = "1 number has" if len(changes) == 1 else f"{len(changes)} numbers have"
        named = shlex.join(["--client", whose.client] if whose.client else [whose.accounts[0].key])
        command = f"tiktok-assets statement {named} --month {given.month:%Y-%m} --correct"
        err.print(f"{text} changed since. To issue a correction: {command}", style="yellow", highlight=False)


def _give_out(lake: Lake, given: Statement, output: Path | None) -> None:
    """Check the kept bytes, and copy them to ``output``."""
    from tiktok_assets.reporting.statements.kept import content
    from tiktok_assets.storage.atomic import replacing

    found = {suffix: content(lake, given, suffix) for suffix in _SUFFIXES}
    if output is None:
        return
    try:
        with replacing(output) as scratch:
            scratch.write_bytes(found[output.suffix.lower()])
    except OSError as error:
        raise unwritable(output, error) from error
    out.print(str(output), markup=False, highlight=False, soft_wrap=True)


@app.command("media-kit", epilog="Example: tiktok-assets media-kit pig1987 --show followers --show audience -o kit.pdf")
def media_kit(
    account: Annotated[str, typer.Argument(help="Name in accounts.toml, or handle.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="A file that ends in .pdf or .html.")],
    show: PartsOption = None,
    paper: PaperOption = Paper.A4,
) -> None:
    """Write one dated page about an account for partners: the chosen numbers and no others."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting import media_kit as kit
    from tiktok_assets.reporting import printing
    from tiktok_assets.reporting.writing import tables_of
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.atomic import replacing
    from tiktok_assets.storage.lake import Lake

    _refuse_other_suffixes(output)
    settings = load_settings()
    now = dt.datetime.now(dt.UTC).astimezone()
    found = tables_of(Lake(settings), accounts_named(load_roster(settings), [account]), now)
    if not found:
        raise _ended(f"No data of {account} yet. Drop exports into {settings.landing}, then tiktok-assets process.", 1)
    html = kit.media_kit(found[0], list(show or Part), now)
    content = html.encode()
    if output.suffix.lower() == ".pdf":
        with printing.open_printer(settings, paper) as printer:
            content = printer.pdf(html, title=f"@{found[0].account.handle} on TikTok")
    try:
        with replacing(output) as scratch:
            scratch.write_bytes(content)
    except OSError as error:
        raise unwritable(output, error) from error
    out.print(str(output), markup=False, highlight=False, soft_wrap=True)


def _refuse_other_suffixes(output: Path | None) -> None:
    if output is not None and output.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"{output}: give a file that ends in .pdf or .html.", param_hint="--output")


def _ended(text: str, code: int) -> typer.Exit:
    err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)
