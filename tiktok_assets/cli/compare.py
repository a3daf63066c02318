"""The command ``compare``: any days of each account beside as many days before. Exit codes as in ``app``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from tiktok_assets.cli.accounts import Client, Names, Owner, accounts_named
from tiktok_assets.cli.days import day_of, period_from
from tiktok_assets.cli.output import AsJson, err, out, print_json

if TYPE_CHECKING:
    from tiktok_assets.accounts import Account
    from tiktok_assets.reporting.facts import Headline

app = typer.Typer(rich_markup_mode=None)


class By(StrEnum):
    """What ``compare --by`` sums over."""

    CLIENT = "client"
    OWNER = "owner"


@app.command(epilog="Example: tiktok-assets compare --from 2026-10-01 --to 2026-10-31 --by client")
def compare(
    first: Annotated[dt.date, typer.Option("--from", help="First day.", parser=day_of, metavar="DAY")],
    last: Annotated[dt.date, typer.Option("--to", help="Last day.", parser=day_of, metavar="DAY")],
    accounts: Names = None,
    client: Client = None,
    owner: Owner = None,
    by: Annotated[
        By | None, typer.Option(help="Sums of a client's or owner's accounts instead of each account.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare any days with as many days right before them: views, engagements and followers of each account.

    An account's numbers are of its known days, and say how many those are; sums of a client or owner are over the
    accounts that know every day. Followers gained are known where those of the last day are. Unknown is a dash.
    """
    from tiktok_assets.accounts import load_roster
    from tiktok_assets.reporting import facts
    from tiktok_assets.reporting.writing import each_tables
    from tiktok_assets.settings import load_settings
    from tiktok_assets.storage.lake import Lake

    period = period_from(first, last)
    settings, length = load_settings(), period.days
    chosen = accounts_named(load_roster(settings), accounts, client, owner)
    now = dt.datetime.now(dt.UTC)
    found = {
        tables.account: {one.name: one for one in facts.headlines(tables.days, last, length, is_fixed=True)}
        for tables in each_tables(Lake(settings), chosen, now)
    }
    rows = _by_account(found) if by is None else _by_group(found, by)
    rows.sort(key=lambda row: -(row["views"] if row["views"] is not None else -1))
    if as_json:
        print_json({"first": first, "last": last, "days": length, "rows": rows})
        return
    _print(rows, length)
    before = period.before
    err.print(f"{first} to {last} against {before.first} to {before.last}", style="dim", highlight=False)


def _by_account(found: Mapping[Account, Mapping[str, Headline]]) -> list[dict[str, Any]]:
    rows = []
    for account, numbers in found.items():
        views, engagements, followers = (numbers[name] for name in ("Video views", "Engagements", "Followers"))
        rate = numbers["Engagement rate"]
        rows.append(
            {
                "name": account.key,
                "views": views.value,
                "views_change": views.change,
                "days_known": views.days_known,
                "engagements": engagements.value,
                "engagement_rate": rate.value,
                "followers": followers.value,
                "followers_gained": _gained(followers.value, followers.before),
            }
        )
    return rows


def _by_group(found: Mapping[Account, Mapping[str, Headline]], by: By) -> list[dict[str, Any]]:
    from tiktok_assets.reporting import sums

    members: dict[str, list[Mapping[str, Headline]]] = {}
    for account, numbers in found.items():
        members.setdefault(getattr(account, by.value) or f"(no {by.value})", []).append(numbers)
    rows = []
    for name, accounts in members.items():
        views, engagements, followers = (
            sums.total(one[number] for one in accounts) for number in ("Video views", "Engagements", "Followers")
        )
        rows.append(
            {
                "name": name,
                "views": views.value,
                "views_change": views.change,
                "accounts_known": views.accounts,
                "accounts": len(accounts),
                "engagements": engagements.value,
                "engagement_rate": sums.engagement_rate(accounts),
                "followers": followers.value,
                "followers_gained": _gained(followers.now, followers.before),
            }
        )
    return rows


def _gained(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


def _print(rows: list[dict[str, Any]], days: int) -> None:
    from rich.text import Text

    from tiktok_assets.exports.safe_text import printable
    from tiktok_assets.reporting import words

    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for number, name in enumerate(("", "views", "change", "known", "engagements", "rate", "followers", "gained")):
        table.add_column(name, justify="left" if number == 0 else "right", no_wrap=True, overflow="ellipsis")
    lines: list[tuple[str, ...]] = []
    for row in rows:
        known, of = (row["accounts_known"], row["accounts"]) if "accounts" in row else (row["days_known"], f"{days} d")
        cells = (
            words.count(row["views"]),
            words.UNKNOWN if row["views_change"] is None else words.growth(row["views_change"]),
            f"{known} of {of}",
            words.count(row["engagements"]),
            words.percent(row["engagement_rate"]),
            words.count(row["followers"]),
            words.count(row["followers_gained"]),
        )
        lines.append((printable(row["name"]), *cells))
    for number, column in enumerate(table.columns):  # a number is never cut, a name may be
        column.min_width = max((len(line[number]) for line in lines), default=0) if number else 8
    for line in lines:
        table.add_row(*map(Text, line))
    out.print(table)
