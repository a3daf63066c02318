"""``status --fleet``: how many egresses the accounts need, which of them will lose data, and how many partitions there
are. Does not belong here: the arithmetic (``reporting.fleet``)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

from rich.table import Table

from tiktok_assets.cli.output import out, print_json

if TYPE_CHECKING:
    from tiktok_assets.accounts import Roster
    from tiktok_assets.reporting.fleet import Fleet
    from tiktok_assets.settings import Settings

_LISTED = 20  # accounts that will lose data


def show_fleet(settings: Settings, roster: Roster, now: dt.datetime, *, as_json: bool) -> bool:
    """Print it; whether no account will lose data and the partitions are not too many."""
    from tiktok_assets.partitions import months_until, partitions_advice
    from tiktok_assets.reporting.fleet import look

    found = look(settings, roster, now)
    months = months_until(settings.start_date, now.date())
    advice = partitions_advice(len(roster), settings.start_date, now.date())
    if as_json:
        print_json(_as_data(found, len(roster) * months, advice))
    else:
        print_fleet(found)
        print_partitions(len(roster), months, advice)
    return not found.losses and not advice


def print_fleet(found: Fleet) -> None:
    """The egresses in a table, and what follows from it in sentences."""
    if found.egresses:
        table = Table(box=None, pad_edge=False, collapse_padding=True)
        for name in ("egress", "accounts", "visits a day", "a visit every", "will lose data"):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        for one in found.egresses:
            losing = sum(loss.egress == one.egress for loss in found.losses)
            most = "any number" if one.visits_a_day is None else f"{one.visits_a_day:,}"
            table.add_row(one.egress, f"{one.accounts:,}", most, _days(one.days_between), f"{losing:,}")
        out.print(table)
        _say(
            f"Egresses needed for {found.with_login:,} accounts with a login: {found.needed_daily:,} for a visit a "
            f"day, {found.needed:,} to lose no follower activity, of which Studio shows 7 days."
        )
    if found.manual:
        _say(
            f"Accounts without a login, exported manually: {found.manual:,} (`tiktok-assets status` says what is due)."
        )
    if any(one.days_between > 1 for one in found.egresses):
        _say(
            "Without a visit a day, the totals of videos and the shares of gender and territory have no number on the "
            "days between. More egresses: docs/layers.md"
        )
    if found.losses:
        _say("Accounts that lose days of follower activity though they get their turns, each from:", style="yellow")
    for loss in found.losses[:_LISTED]:
        _say(f"  {loss.on} {loss.account} ({loss.egress})")
    if len(found.losses) > _LISTED:
        _say(f"  and {len(found.losses) - _LISTED:,} more, the last from {found.losses[-1].on}: --json lists all")


def print_partitions(accounts: int, months: int, advice: str | None) -> None:
    """How many partitions there are, and what to do where they are too many."""
    from tiktok_assets.partitions import MOST_PARTITIONS

    counted = f"{accounts:,} accounts x {months:,} months = {accounts * months:,}"
    _say(f"Partitions of each asset: {counted} of {MOST_PARTITIONS:,} that Dagster works well with.")
    if advice:
        _say(advice, style="yellow")


def _as_data(found: Fleet, partitions: int, advice: str | None) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "partitions": partitions, "partitions_advice": advice}


def _days(number: int) -> str:
    return "day" if number == 1 else f"{number:,} days"


def _say(text: str, style: str | None = None) -> None:
    out.print(text, style=style, markup=False, highlight=False)
