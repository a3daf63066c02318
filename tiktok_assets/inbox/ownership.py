"""Which account owns a file? What its content, name and folder say, and what to do where they disagree.

Does not belong here: where the file goes then (``intake``), and the list of accounts (``accounts``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from upath import UPath

from tiktok_assets.accounts import Account, Roster, load_roster
from tiktok_assets.exports.problems import AccountConflict, ExportProblem, UnknownAccount
from tiktok_assets.inbox.files import is_same, lies_below, path_below
from tiktok_assets.reports.export import Export
from tiktok_assets.settings import Settings

TO_USE_IT = (
    "Add it to TIKTOK_ACCOUNTS if that is set, and reload the code location; it is then picked up automatically."
)


class AccountNotInUse(ExportProblem):
    """The file belongs to an account of accounts.toml that this process does not serve."""

    reason = "account_not_in_use"


def all_accounts(settings: Settings, roster: Roster) -> Roster:
    """Also the accounts that TIKTOK_ACCOUNTS leaves out, or that were just added: their files are not unowned."""
    entries = load_roster(settings.model_copy(update={"accounts": ()})).values()
    others = [one for one in entries if not roster.resolve(one.key) and not roster.resolve(one.handle)]
    return Roster([*roster.values(), *others])


def owner(export: Export, folder: Account | None, roster: Roster, landing: UPath) -> Account:
    """The account an export belongs to. Raises UnknownAccount, or AccountConflict where the evidence disagrees.

    Handles in video links come from TikTok; the folder was chosen by a person; a file name can be anything.
    """
    return owner_of(export.path.name, linked_handles(export), export.facts.handle, folder, roster, landing)


def linked_handles(export: Export) -> tuple[str, ...]:
    """The handles in the video links of an export."""
    return tuple(dict.fromkeys(handle for member in export.members for handle in member.handles))


def owner_of(
    name: str, links: Iterable[str], handle: str | None, folder: Account | None, roster: Roster, landing: UPath
) -> Account:
    """As ``owner``, from the handles in ``links`` and the ``handle`` in the ``name``. ``landing``: for the message."""
    linked = {link: roster.resolve(link) for link in links}
    named = roster.resolve(handle) if handle else None
    claims = {account.key: account for account in (folder, named, *linked.values()) if account is not None}
    unknown = [link for link, account in linked.items() if account is None]
    if len(claims) > 1 or (claims and unknown) or len(unknown) > 1:
        owners = [f"folder {folder.key}"] if folder else []
        owners += [f"name @{handle}"] if named else []
        owners += [f"links @{link}" for link in linked]
        raise AccountConflict(
            f"{name}: the evidence names more than one account ({', '.join(owners)}). Move it to the folder of its "
            f"account, {landing}/<account>/; if a handle changed, write the old one into previous_handles of its "
            "account in accounts.toml."
        )
    if not claims:
        handle = unknown[0] if unknown else handle
        remedy = f"put it into {landing}/<account>/"
        if handle:
            add = f"`tiktok-assets accounts add <name> --handle {shlex.quote(handle)}`"
            remedy = f"{add}, then move the file back to {landing}; if it was only renamed, {remedy}"
            # A name that continues a known handle more likely belongs to that account, which must not be split in two.
            if near := next(
                (one for one in roster.values() if handle.casefold().startswith(one.handle.casefold())), None
            ):
                remedy = f"if it belongs to @{near.handle}, put it into {landing / near.key}/; else {add}"
        reason = f"@{handle} is not a configured account" if handle else "nothing in it names its account"
        raise UnknownAccount(f"{name}: {reason} (configured: {', '.join(roster) or 'none'}). To use it: {remedy}.")
    return next(iter(claims.values()))


def account_of_folder(settings: Settings, accounts: Roster, path: UPath) -> Account | None:
    """The account whose folder contains it: the first one below landing, the archive, or TIKTOK_LANDING_PATH."""
    for root in (settings.landing, settings.archive, settings.landing_path):
        if root is not None and lies_below(path, root):
            parts = path_below(path, root).split("/")
            return accounts.resolve(parts[0]) if len(parts) > 1 else None
    return None


def home_of(settings: Settings, accounts: Roster, folder: str) -> str | None:
    """The account whose landing folder this is, also through a link or in other letter case on such a disk."""
    account = accounts.resolve(folder)
    if account is None:
        return None
    landing = settings.landing
    return account.key if folder == account.key or is_same(landing / folder, landing / account.key) else None
