"""The commands for the list of accounts, and the accounts that a command's arguments name. Exit codes as in ``app``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tiktok_assets.cli.output import AsJson, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.accounts import Account, Roster
    from tiktok_assets.reporting.status import AccountStatus


class Only(StrEnum):
    """The accounts that ``--only`` selects."""

    OVERDUE = "overdue"  # an export is due
    LOGIN = "login"  # its login needs a person
    DOUBT = "doubt"  # an export's year or account may be wrong


NONE_OF = {
    Only.OVERDUE: "Nothing is to be exported.",
    Only.LOGIN: "Every login is valid.",
    Only.DOUBT: "No export is in doubt.",
}
"""What is true where ``--only`` selects no account."""

Names = Annotated[
    list[str] | None, typer.Argument(help="Names in accounts.toml, or patterns such as 'label*'; all accounts if none.")
]
Client = Annotated[str | None, typer.Option(help="Only the accounts of this client in accounts.toml.")]
Owner = Annotated[str | None, typer.Option(help="Only the accounts of this owner in accounts.toml.")]
OnlyOption = Annotated[Only | None, typer.Option("--only", help="Only the accounts of which this is true.")]

app = typer.Typer(help="The accounts this installation looks after.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: tiktok-assets accounts list --client 'Blue Note' --json")
def list_accounts(client: Client = None, owner: Owner = None, as_json: AsJson = False) -> None:
    """List the accounts in use."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.settings import load_settings

    roster = load_roster(load_settings())
    accounts = accounts_named(roster, None, client, owner) if roster else []
    if as_json:
        print_json(accounts)
        return
    columns = ("account", "handle", "client", "owner", "business id", "timezone", "days", "competitors", "egress")
    table = Table(*columns, box=None, pad_edge=False)
    for one in accounts:
        whose = (one.client, one.owner, one.business_id, one.timezone)
        competitors = ", ".join(one.competitors)
        table.add_row(one.key, f"@{one.handle}", *whose, str(one.default_date_range), competitors, one.egress)
    out.print(table if accounts else "No accounts. Add one: tiktok-assets accounts add NAME --handle HANDLE")


@app.command(epilog="Example: tiktok-assets accounts add zonea0 --handle zone.a0 --timezone Europe/Lisbon")
def add(
    name: Annotated[str, typer.Argument(help="A short name: it becomes a folder and the value of the column account.")],
    handle: Annotated[str | None, typer.Option(help="TikTok handle, without @; the name itself if not given.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, for example Europe/Lisbon.")] = None,
    business_id: Annotated[str | None, typer.Option(help="TikTok's id of the business account.")] = None,
    client: Annotated[str | None, typer.Option(help="For whom the account is looked after.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who looks after it.")] = None,
    egress: Annotated[str | None, typer.Option(help="The network through which it is visited.")] = None,
) -> None:
    """Add an account to accounts.toml. Nothing else in the file changes."""
    from tiktok_assets.accounts import add_account, load_roster
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lock_names import EDITING
    from tiktok_assets.storage.state import locks_of

    settings = load_settings()
    whose = {"client": client, "owner": owner, "egress": egress}
    fields = {"handle": handle, "timezone": timezone, "business_id": business_id, **whose}
    with locks_of(settings).hold(EDITING) as held:
        given = {key: value for key, value in fields.items() if value}
        account = add_account(settings.accounts_file, name, held, **given)
    out.print(f"Added {account.key} (@{account.handle}).")
    out.print(f"Drop its exports into {settings.landing / account.key}/", highlight=False, soft_wrap=True)
    out.print("If `make dev` is running, click Reload definitions on its Deployment page.", highlight=False)
    if settings.accounts and account.key not in load_roster(settings):
        out.print("TIKTOK_ACCOUNTS does not list it: add the name there as well.", style="yellow")


@app.command(epilog="Example: tiktok-assets accounts remove zonea0")
def remove(name: Annotated[str, typer.Argument(help="The account's name in accounts.toml.")]) -> None:
    """Remove an account from accounts.toml. Its files and tables stay."""
    from tiktok_assets.accounts import remove_account
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lock_names import EDITING
    from tiktok_assets.storage.state import locks_of

    settings = load_settings()
    with locks_of(settings).hold(EDITING) as held:
        account = remove_account(settings.accounts_file, name, held)
    out.print(f"Removed {account.key}. Its exports and tables were left as they are.", highlight=False)


def accounts_named(
    roster: Roster, names: Iterable[str] | None, client: str | None = None, owner: str | None = None
) -> list[Account]:
    """The accounts with these names, handles or patterns (``Roster.chosen``); all if ``names`` is empty."""
    from tiktok_assets.accounts import UnknownName

    if not names:
        roster.partition_keys()
    try:
        return roster.chosen(names or (), client, owner)
    except UnknownName as error:
        raise typer.BadParameter(str(error), param_hint="ACCOUNT") from error


def is_selected(one: AccountStatus, only: Only | None) -> bool:
    """Whether ``only`` is true of an account; None is true of all."""
    from tiktok_assets.studio.session import SessionStatus

    found = {
        Only.OVERDUE: bool(one.coverage.advice),
        Only.LOGIN: one.session.standing is not SessionStatus.VALID,
        Only.DOUBT: bool(one.doubts),
    }
    return only is None or found[only]
