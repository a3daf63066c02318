"""The commands for the list of accounts, and the accounts that a command's arguments name. Exit codes as in ``app``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from tiktok_assets.cli.output import AsJson, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.accounts import Account, Roster

app = typer.Typer(help="The accounts this installation looks after.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list", epilog="Example: tiktok-assets accounts list --json")
def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts in use."""
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.settings import load_settings

    roster = load_roster(load_settings())
    if as_json:
        print_json(list(roster.values()))
        return
    columns = ("account", "handle", "business id", "timezone", "days", "competitors")
    table = Table(*columns, box=None, pad_edge=False)
    for account in roster.values():
        competitors = ", ".join(account.competitors)
        days = str(account.default_date_range)
        table.add_row(account.key, f"@{account.handle}", account.business_id, account.timezone, days, competitors)
    out.print(table if roster else "No accounts. Add one: tiktok-assets accounts add NAME --handle HANDLE")


@app.command(epilog="Example: tiktok-assets accounts add zonea0 --handle zone.a0 --timezone Europe/Lisbon")
def add(
    name: Annotated[str, typer.Argument(help="A short name: it becomes a folder and the value of the column account.")],
    handle: Annotated[str | None, typer.Option(help="TikTok handle, without @; the name itself if not given.")] = None,
    timezone: Annotated[str | None, typer.Option(help="IANA name, for example Europe/Lisbon.")] = None,
    business_id: Annotated[str | None, typer.Option(help="TikTok's id of the business account.")] = None,
) -> None:
    """Add an account to accounts.toml. Nothing else in the file changes."""
    from tiktok_assets.accounts import add_account, load_roster
    from tiktok_assets.settings import load_settings

    settings = load_settings()
    fields = {"handle": handle, "timezone": timezone, "business_id": business_id}
    account = add_account(settings.accounts_file, name, **{key: value for key, value in fields.items() if value})
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

    account = remove_account(load_settings().accounts_file, name)
    out.print(f"Removed {account.key}. Its exports and tables were left as they are.", highlight=False)


def accounts_named(roster: Roster, names: Iterable[str] | None) -> list[Account]:
    """The accounts with these names or handles; all of them if ``names`` is empty."""
    if not names:
        return [roster[key] for key in roster.partition_keys()]
    found = {name: roster.resolve(name) for name in names}
    unknown = [name for name, account in found.items() if account is None]
    if unknown:
        message = f"No account is called {', '.join(unknown)}. There are: {', '.join(roster)}."
        raise typer.BadParameter(message, param_hint="ACCOUNT")
    return [account for account in found.values() if account is not None]
