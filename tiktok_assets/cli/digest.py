"""The command ``digest``: what a week was, printed or sent. Exit codes as in ``app``.

The exit code is also 1 if a message did not reach everybody, and 2 if it should be sent and nobody is to get it.
"""

from __future__ import annotations

import datetime as dt
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tiktok_assets.cli.accounts import NONE_OF, Client, Names, Only, OnlyOption, Owner, accounts_named, is_selected
from tiktok_assets.cli.output import err, out

if TYPE_CHECKING:
    from tiktok_assets.accounts import Account
    from tiktok_assets.notices.ledger import Message
    from tiktok_assets.settings import Settings

app = typer.Typer(rich_markup_mode=None)


class Format(StrEnum):
    """The formats of ``digest``."""

    TEXT = "text"
    HTML = "html"


@app.command(epilog="Example: tiktok-assets digest --week 2026-W48 --send")
def digest(
    accounts: Names = None,
    client: Client = None,
    owner: Owner = None,
    only: OnlyOption = None,
    week: Annotated[
        str | None, typer.Option(help="A week of ISO 8601, as 2026-W48; by default the last one that has ended.")
    ] = None,
    format: Annotated[Format, typer.Option(help="What is printed. An e-mail contains both.")] = Format.TEXT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say who would get it, and send nothing.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Send it to everybody named in TIKTOK_NOTIFY.")] = False,
) -> None:
    """Print the digest of a week: each account's numbers against the week before, its best and viral videos, unusual
    days, and what needs somebody. Sums are of the accounts chosen. With --send it goes by e-mail or to a chat instead.

    The schedule weekly_digest sends that of all accounts. Exit code 1 if it did not reach everybody.
    """
    from tiktok_assets.settings import load_settings

    settings, now = load_settings(), dt.datetime.now(dt.UTC)
    chosen = _chosen(settings, accounts, client, owner, only, now)
    if only and not chosen:
        out.print(NONE_OF[only], style="green")
        raise typer.Exit
    scope = ", ".join(filter(None, [client, owner, only, *(accounts or ())]))
    message = _message(settings, chosen, scope, week, now, is_again=send)
    if dry_run:
        code = _print_recipients(settings, message)
    elif send:
        raise typer.Exit(_send(settings, message, now))
    else:
        code = 0
    if format is Format.HTML:
        sys.stdout.write(message.html)
    else:
        out.print(message.text, markup=False, highlight=False, soft_wrap=True, end="")
    raise typer.Exit(code)


def _chosen(
    settings: Settings,
    names: list[str] | None,
    client: str | None,
    owner: str | None,
    only: Only | None,
    now: dt.datetime,
) -> list[Account]:
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting.status import status
    from tiktok_assets.storage.lake import Lake

    roster = load_roster(settings)
    named = accounts_named(roster, names, client, owner)
    if only is None:
        return named
    looked = status(Lake(settings), roster, named, now).accounts
    return [account for account, one in zip(named, looked, strict=True) if is_selected(one, only)]


def _message(
    settings: Settings, accounts: list[Account], scope: str, week: str | None, now: dt.datetime, *, is_again: bool
) -> Message:
    """``scope``: whose digest it is. ``is_again``: with an id of its own, so that it is sent although its week was."""
    from tiktok_assets.notices.digest import Week, digest
    from tiktok_assets.notices.messages import digest_id, message_of_digest
    from tiktok_assets.reporting.writing import each_tables
    from tiktok_assets.storage.lake import Lake

    try:
        chosen = Week.named(week) if week else Week.last_before(now)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--week") from error
    found = digest(each_tables(Lake(settings), accounts, now), chosen, now)
    id = f"{digest_id(found)}/{now.isoformat()}" if is_again else digest_id(found)
    return message_of_digest(found, settings.web_url, id=id, scope=scope)


def _print_recipients(settings: Settings, message: Message) -> int:
    from tiktok_assets.notices.delivery import recipients
    from tiktok_assets.notices.sending import NOT_SET

    to, unusable = recipients(settings)
    for problem in unusable if settings.notify else [NOT_SET]:
        err.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
    for one in to:
        out.print(f"Would go to: {one.name}", markup=False, highlight=False, soft_wrap=True)
    if to and settings.web_url.startswith("http://127.0.0.1"):
        note = "Its links open on this machine alone; TIKTOK_WEB_URL is where others reach it."
        err.print(note, style="yellow", highlight=False, soft_wrap=True)
    out.print(f"Subject: {message.subject}\n", markup=False, highlight=False, soft_wrap=True)
    return 0 if to and not unusable else 2


def _send(settings: Settings, message: Message, now: dt.datetime) -> int:
    from tiktok_assets.notices.sending import NOT_SET, send_message

    if settings.notify is None:
        err.print(NOT_SET, style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    sent = send_message(settings, message, now)
    for one in sent.delivered:
        out.print(f"Sent {one}.", markup=False, highlight=False, soft_wrap=True)
    for problem in sent.problems:
        err.print(problem, style="red", markup=False, highlight=False, soft_wrap=True)
    return 1 if sent.problems else 0
