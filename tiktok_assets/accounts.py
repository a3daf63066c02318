"""The accounts this installation looks after: who they are, which of them are in use, and how the list is edited.

What belongs here: ``accounts.toml`` and ``TIKTOK_ACCOUNTS``, read into a ``Roster``; adding and removing an entry.
What does not: partitions made of the keys (``partitions.py``), and sessions or exports of an account.
"""

from __future__ import annotations

import difflib
import fnmatch
import logging
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from upath import UPath

from tiktok_assets.settings import DEFAULT_EGRESS, EGRESS_NAME, NO_EGRESS, STREAMS, Settings
from tiktok_assets.storage.locks import Held
from tiktok_assets.storage.toml_files import UnusableToml, edit, read_text, tables_of, with_table

# A key becomes a folder, a file name and half of the partition key "pig1987|2026-11-01"; Dagster reserves "...".
_NAME = re.compile(r"(?!.*\.\.)(?!.*\.$)[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_NAME_RULE = "at most 64 letters, digits, '.', '_' and '-', first a letter, digit or '_'; without '..' or a last '.'"
# Names of devices, which no folder can have on Windows, whatever follows a dot.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class InvalidAccounts(ValueError):
    """The list of accounts cannot be used: names the file, the account, the field and what to write instead."""


class UnknownName(ValueError):
    """A name fits no account. The message lists the valid ones."""


class NoAccounts(InvalidAccounts):
    """There is no account, and the operation needs one."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One TikTok account. ``key`` is ours and never changes; ``handle`` is TikTok's and may."""

    key: str
    handle: str
    previous_handles: tuple[str, ...] = ()  # exports made under them are the account's
    business_id: str | None = None
    timezone: str | None = None  # IANA name; None is unknown, not UTC
    default_date_range: int = 28  # days
    competitors: tuple[str, ...] = ()  # handles
    client: str | None = None  # for whom the account is looked after
    owner: str | None = None  # who looks after it
    egress: str = DEFAULT_EGRESS  # the network, by the address that Studio sees, of its login and its visits


class Roster(Mapping[str, Account]):
    """The accounts in use by key, in the order they were written. Never changes after it was loaded."""

    def __init__(self, accounts: Iterable[Account], source: str = "the accounts given") -> None:
        accounts = list(accounts)
        _refuse_twins(accounts, source)
        self._source = source
        self._by_key = {account.key: account for account in accounts}
        by_handle = {
            handle.lower(): account for account in accounts for handle in (*account.previous_handles, account.handle)
        }
        self._by_name = {account.key.lower(): account for account in accounts} | by_handle

    def __getitem__(self, key: str) -> Account:
        return self._by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)

    def __repr__(self) -> str:
        return f"Roster({', '.join(self)})"

    def resolve(self, handle_or_key: str) -> Account | None:
        """The account with that handle, now or before, or key; case and a leading ``@`` do not matter."""
        return self._by_name.get(handle_or_key.strip().removeprefix("@").lower())

    def chosen(self, names: Iterable[str] = (), client: str | None = None, owner: str | None = None) -> list[Account]:
        """The accounts with these names, in their order, and of all or of those the client's and the owner's alone.

        A name is a key or handle, or a pattern of either with ``*`` and ``?``; none means all. Case does not matter.
        Raises UnknownName for what fits no account.
        """
        found = {name: self._named(name) for name in names}
        if unknown := [name for name, fitting in found.items() if not fitting]:
            raise UnknownName(f"No account is called {', '.join(unknown)}. There are: {', '.join(self)}.")
        accounts = list(dict.fromkeys(one for fitting in found.values() for one in fitting) if found else self.values())
        for field, value in (("client", client), ("owner", owner)):
            if value is not None:
                accounts = self._of(accounts, field, value)
        return accounts

    def _named(self, name: str) -> list[Account]:
        if account := self.resolve(name):
            return [account]
        pattern = name.strip().removeprefix("@").lower()
        fitting = {one.key for known, one in self._by_name.items() if fnmatch.fnmatchcase(known, pattern)}
        return [account for account in self.values() if account.key in fitting]

    def _of(self, accounts: Iterable[Account], field: str, value: str) -> list[Account]:
        """Those of ``accounts`` whose client or owner is ``value``."""
        names = sorted({name for one in self.values() if (name := getattr(one, field))}, key=str.lower)
        meant = [name for name in names if name.lower() == value.strip().lower()]
        if not meant:
            known = ", ".join(names) or f"none; write {field} = below an account in accounts.toml"
            raise UnknownName(f"No account has the {field} {value}. There are: {known}.")
        found = [one for one in accounts if getattr(one, field) in meant]
        if not found:
            raise UnknownName(f"None of {', '.join(one.key for one in accounts)} has the {field} {value}.")
        return found

    def partition_keys(self) -> tuple[str, ...]:
        """The keys of all accounts, for what needs at least one; raises ``NoAccounts`` that says how to add it."""
        if not self:
            raise NoAccounts(
                f"No accounts: {self._source} names none. Add one with `tiktok-assets accounts add <name>`, "
                "or set TIKTOK_ACCOUNTS to names separated by commas."
            )
        return tuple(self)


def load_roster(settings: Settings) -> Roster:
    """The accounts in use: those TIKTOK_ACCOUNTS names (by key or handle), or all of the accounts file; of these only
    the accounts of TIKTOK_CLIENTS where that is set.

    A name without an entry is an account with that key and handle. A missing file holds no entries; one that cannot
    be read, or has unknown contents, raises ``InvalidAccounts``, as does a client without an account.
    """
    return _of_clients(_load_all(settings), settings)


def _of_clients(roster: Roster, settings: Settings) -> Roster:
    if not settings.clients:
        return roster
    try:
        found = {account.key for client in settings.clients for account in roster.chosen(client=client)}
    except UnknownName as error:
        raise InvalidAccounts(f"TIKTOK_CLIENTS={','.join(settings.clients)}: {error}") from error
    chosen = [account for account in roster.values() if account.key in found]
    return Roster(chosen, source=f"TIKTOK_CLIENTS with {settings.accounts_file}")


def _load_all(settings: Settings) -> Roster:
    path = settings.accounts_file
    if (text := _read(path)) is not None:
        entries = _parse(text, path)
    else:
        entries = Roster([], source=f"{path} (which does not exist)")
        if "accounts_file" in settings.model_fields_set:
            logging.getLogger(__name__).warning("TIKTOK_ACCOUNTS_FILE=%s does not exist: it adds no account.", path)
    if not settings.accounts:
        return entries
    chosen = [
        entries.resolve(name) or _checked(name.removeprefix("@"), {}, "TIKTOK_ACCOUNTS") for name in settings.accounts
    ]
    _warn_about_unknown(settings.accounts, entries, path)
    return Roster(dict.fromkeys(chosen), source=f"TIKTOK_ACCOUNTS with {path}")


def _warn_about_unknown(names: Iterable[str], entries: Roster, path: Path | UPath) -> None:
    """A name that the file does not have is a new account, or one of the file's mistyped."""
    known = [name for one in entries.values() for name in (one.key, one.handle)]
    for name in names if entries else ():
        if entries.resolve(name) is None:
            near = difflib.get_close_matches(name.removeprefix("@"), known, n=1)
            logging.getLogger(__name__).warning(
                "TIKTOK_ACCOUNTS: %s has no account %s; it is used as a new one with that handle.%s",
                path,
                name,
                f" Did you mean {near[0]}?" if near else "",
            )


def add_account(path: Path | UPath, key: str, held: Held | None = None, **fields: Any) -> Account:
    """Writes a new entry at the end of the accounts file, creating it if missing. Everything else stays as it was.

    ``held``: as in ``edit``. ``fields`` are those of ``Account``; None means not given. Raises ``InvalidAccounts`` if
    the key or the handle is taken or a value cannot be used; the file is then untouched.
    """
    key = key.removeprefix("@")
    account = _checked(key, {name: value for name, value in fields.items() if value is not None}, str(path))
    default = Account(key=key, handle=key)
    written = {name: getattr(account, name) for name in _FIELDS}
    fields = {name: value for name, value in written.items() if name == "handle" or value != getattr(default, name)}

    def added(text: str) -> str:
        _refuse_twin(account, _parse(text, path), path)
        return with_table(text, "accounts", key, fields)

    _edit(path, added, held)
    return account


def _refuse_twin(account: Account, existing: Roster, path: Path | UPath) -> None:
    for name in (account.key, account.handle):
        if twin := existing.resolve(name):
            raise InvalidAccounts(
                f"{path}: '{name}' is taken by account '{twin.key}' (handle '{twin.handle}'). "
                "Choose another name, or remove that account first."
            )


def remove_account(path: Path | UPath, key: str, held: Held | None = None) -> Account:
    """Takes an entry, with the comment right above it, out of the accounts file. Its data stays where it is."""

    def removed(text: str) -> str:
        if key not in (existing := _parse(text, path)):
            known = ", ".join(existing) or "none"
            raise InvalidAccounts(f"{path}: there is no account '{key}' to remove. Known: {known}.")
        return _without_entry(text, key)

    return _parse(_edit(path, removed, held), path)[key]


def _edit(path: Path | UPath, change: Callable[[str], str], held: Held | None) -> str:
    try:
        return edit(path, change, held)
    except UnusableToml as error:
        raise InvalidAccounts(f"{path}: {error}") from error


def _read(path: Path | UPath) -> str | None:
    try:
        return read_text(path)
    except UnusableToml as error:
        raise InvalidAccounts(f"{path}: {error}") from error


def _parse(text: str, path: Path | UPath) -> Roster:
    try:
        entries = tables_of(text, "accounts")
    except UnusableToml as error:
        raise InvalidAccounts(f"{path}: {error}") from error
    return Roster((_checked(key, entry, str(path)) for key, entry in entries.items()), source=str(path))


def _checked(key: str, entry: object, source: str) -> Account:
    """One entry as an ``Account``, or an error that names where it stands and what to write."""

    def invalid(field: str, given: object, remedy: str) -> InvalidAccounts:
        return InvalidAccounts(f"{source}: account '{key}': {field} = {given!r} cannot be used. {remedy}")

    if not _NAME.fullmatch(key) or _RESERVED.fullmatch(key):
        raise invalid("name", key, f"A name is {_NAME_RULE}; it becomes a folder. The handle may differ from it.")
    if key.lower() == STREAMS:
        raise invalid("name", key, "The folder landing/streams holds streams of songs. The handle may be this one.")
    if not isinstance(entry, Mapping):
        raise invalid("entry", entry, f"Write a table: [accounts.{key}], and its fields below.")
    fields: dict[str, Any] = {"handle": key}
    for name, value in entry.items():
        if name not in _FIELDS:
            hint = f' For a name with a dot write [accounts."{key}.{name}"].' if isinstance(value, Mapping) else ""
            raise invalid(name, value, f"There is no such field. Valid: {', '.join(_FIELDS)}.{hint}")
        read, remedy = _FIELDS[name]
        try:
            fields[name] = read(value)
        except ValueError:
            raise invalid(name, value, remedy) from None
    return Account(key=key, **fields)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


def _handle(value: object) -> str:
    handle = _text(value).removeprefix("@")
    if not _NAME.fullmatch(handle):
        raise ValueError(value)
    return handle


def _handles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(value)
    return tuple(_handle(handle) for handle in value)


def _egress(value: object) -> str:
    if not EGRESS_NAME.fullmatch(_text(value)) or value == NO_EGRESS:
        raise ValueError(value)
    return _text(value)


def _timezone(value: object) -> str:
    try:
        return zoneinfo.ZoneInfo(_text(value)).key
    except (zoneinfo.ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(value) from error


def _studio_days(value: object) -> int:
    if type(value) is not int or not 7 <= value <= 365:
        raise ValueError(value)
    return value


_FIELDS: Mapping[str, tuple[Callable[[object], Any], str]] = {
    "handle": (_handle, f"Write the account's name on TikTok in quotes: {_NAME_RULE}."),
    "previous_handles": (_handles, 'Write a list of handles: ["one", "two"].'),
    "business_id": (_text, "Write it in quotes."),
    "timezone": (_timezone, 'Write an IANA name such as "Europe/Athens" or "UTC".'),
    "default_date_range": (_studio_days, "Write a number of days from 7 to 365: Studio exports no other window."),
    "competitors": (_handles, 'Write a list of handles: ["one", "two"].'),
    "client": (_text, "Write the client's name in quotes."),
    "owner": (_text, "Write the person's name in quotes."),
    "egress": (
        _egress,
        'Write a name of lower-case letters, digits and hyphens in quotes, such as "lisbon"; not "none".',
    ),
}


def _refuse_twins(accounts: list[Account], source: str) -> None:
    """A name that is one account's key and another's handle would send the exports of one to the other.

    Names that differ only in case are one folder on macOS, and one handle on TikTok.
    """
    owners: dict[str, Account] = {}
    for account in accounts:
        for name in (account.key, account.handle, *account.previous_handles):
            other = owners.setdefault(name.lower(), account)
            if other is not account:
                raise InvalidAccounts(
                    f"{source}: accounts {other.key!r} and {account.key!r} have the same name or handle "
                    f"'{name.lower()}' (case does not matter), so an export could belong to "
                    "either. Remove one, or correct it."
                )


def _without_entry(text: str, key: str) -> str:
    """The text less one table and the comment lines right above it.

    By lines, since tomlkit counts a comment as part of the table before it and would leave the wrong one behind.
    """
    lines = text.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if line.lstrip().startswith("[") and _header(line)]
    starts = {number: _start(lines, number) for number in headers}
    for number in headers:
        if _header(lines[number]) == {"accounts": {key: {}}}:
            end = min((start for start in starts.values() if start > number), default=len(lines))
            shorter = "".join(lines[: starts[number]] + lines[end:])
            if _same_but(text, shorter, key):
                return shorter
    import tomlkit

    document = tomlkit.parse(text)  # written some other way, such as accounts.pig1987 = {handle = "pig1987"}
    document["accounts"].remove(key)  # pyright: ignore[reportAttributeAccessIssue]
    return tomlkit.dumps(document)


def _header(line: str) -> dict[str, Any]:
    try:
        return tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return {}


def _start(lines: list[str], header: int) -> int:
    while header > 0 and lines[header - 1].lstrip().startswith("#"):
        header -= 1
    return header


def _same_but(text: str, shorter: str, key: str) -> bool:
    """Whether ``shorter`` contains everything in ``text`` except one account."""
    try:
        before, after = tomllib.loads(text), tomllib.loads(shorter)
    except tomllib.TOMLDecodeError:
        return False
    del before["accounts"][key]
    return before["accounts"] == after.get("accounts", {})
