"""What can be read, and what somebody asks for, checked: accounts, days and columns that exist.

Does not belong here: reading (``published``, ``stored``).
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tiktok_assets.accounts import load_roster
from tiktok_assets.curated.catalog import CATALOG
from tiktok_assets.curated.registry import TABLES, key_of
from tiktok_assets.curated.views import VIEWS
from tiktok_assets.settings import Settings
from tiktok_assets.streams.tables import SONG_STREAMS

Day: TypeAlias = dt.date | str
"""A date, or its text as 2026-03-16."""


class CannotRead(ValueError):
    """What was requested does not exist, or cannot be opened. The message says what does, or what to do."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table or view, and the columns by which its rows are selected; None where it has none."""

    key: str
    account: str | None
    day: str | None
    order: Sequence[str]
    """The columns that its rows are sorted by: account, day, and the others of its grain."""

    @property
    def name(self) -> str:
        """Of the table within its layer."""
        return self.key.partition("/")[2]

    @property
    def is_in_lake(self) -> bool:
        """Whether its rows are Parquet files of the lake, not a table of the warehouse."""
        return not self.key.startswith("warehouse/")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Of a table: the rows of these accounts and days, in these columns. None is all."""

    accounts: Sequence[str] | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    columns: Sequence[str] | None = None


def source_of(table: str) -> Source:
    """The table or view that ``table`` names: "social_media_stats", "curated/account_daily". Raises UnknownTable."""
    if table in (SONG_STREAMS.key, SONG_STREAMS.name):
        order = _sorted(None, SONG_STREAMS.day, ["song", "store"])
        return Source(key=SONG_STREAMS.key, account=None, day=SONG_STREAMS.day, order=order)
    key = key_of(table, views=[*VIEWS, CATALOG, SONG_STREAMS.name])
    name = key.partition("/")[2]
    if key in TABLES:
        declared = TABLES[key]
        grain = declared.schema.to_schema().unique or []
        return Source(key=key, account="account", day=declared.day, order=_sorted("account", declared.day, grain))
    if name == CATALOG:
        return Source(key=key, account=None, day=None, order=["table_name"])
    view = VIEWS[name]
    return Source(key=key, account=view.account, day=view.day, order=_sorted(view.account, view.day, view.columns))


def _sorted(account: str | None, day: str, others: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys([account, day, *others]) if name]


def days(source: Source, since: Day | None, until: Day | None) -> tuple[dt.date | None, dt.date | None]:
    """The first and the last day. Raises CannotRead."""
    first, last = _day(since, "since"), _day(until, "until")
    if source.day is None and (first or last):
        raise CannotRead(f"{source.name} has no days: leave out since and until.")
    if first and last and first > last:
        raise CannotRead(f"since {first} is after until {last}: give the earlier day first.")
    return first, last


def _day(given: Day | None, name: str) -> dt.date | None:
    if given is None or (isinstance(given, dt.date) and not isinstance(given, dt.datetime)):
        return given
    try:
        return dt.date.fromisoformat(given)  # pyright: ignore[reportArgumentType]
    except (TypeError, ValueError) as error:
        raise CannotRead(f"{name}={given!r} is not a day. Give a date, or text as 2026-03-16.") from error


def keys(
    named: Iterable[str] | None, settings: Settings, source: Source, stored: Callable[[], Sequence[str]]
) -> list[str] | None:
    """The keys of the named accounts: those in use, by key or handle, and those that the table still holds.

    ``stored``: the accounts with rows; asked only for a name that is not in use. None is all. Raises CannotRead.
    """
    if named is None:
        return None
    if source.account is None:
        raise CannotRead(f"{source.name} has no rows of single accounts: leave out the accounts.")
    roster = load_roster(settings)
    names = [named] if isinstance(named, str) else list(named)
    resolved = {name: account.key if (account := roster.resolve(name)) else None for name in names}
    if not names:
        raise CannotRead(f"No account was named. There are: {', '.join(roster) or 'none'}; None selects all.")
    if missing := [name for name, key in resolved.items() if key is None]:
        held = stored()
        if unknown := [name for name in missing if name not in held]:
            known = ", ".join(dict.fromkeys([*roster, *held])) or "none"
            raise CannotRead(f"No account is called {', '.join(unknown)}. There are: {known}.")
    return [key or name for name, key in resolved.items()]


def chosen_columns(named: Iterable[str] | None, existing: Sequence[str], source: Source) -> list[str] | None:
    """``named``, in their order, if all exist; None is all. Raises CannotRead."""
    if named is None:
        return None
    names = [named] if isinstance(named, str) else list(dict.fromkeys(named))
    if unknown := [name for name in names if name not in existing]:
        nearest = [match for name in unknown for match in difflib.get_close_matches(name, existing, n=1)]
        meant = f" Did you mean {', '.join(nearest)}?" if nearest else ""
        raise CannotRead(f"{source.name} has no column {', '.join(unknown)}.{meant} It has: {', '.join(existing)}.")
    if not names:
        raise CannotRead(f"No column was named. {source.name} has: {', '.join(existing)}.")
    return names
