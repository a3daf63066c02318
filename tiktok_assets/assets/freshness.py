"""Freshness as Dagster shows it: a promise of the table that people query, judged for every account at once.

Does not belong here: how late an account is, and from when on that is too late (``reporting.freshness``).
"""

import dagster as dg
import polars as pl

from tiktok_assets import clock
from tiktok_assets.accounts import Roster
from tiktok_assets.assets.dagster_failures import reports_failures
from tiktok_assets.checks.evaluation import SHOWN, evaluation
from tiktok_assets.reporting.freshness import LATE_AFTER, Freshness, freshness
from tiktok_assets.storage.lake import Lake
from tiktok_assets.storage.metadata import markdown_table
from tiktok_assets.storage.run_locks import RUN_LIFE

PROMISE = "is_fresh"
_DESCRIPTION = (
    f"The numbers of each account end at most {LATE_AFTER} days before the newest day Studio can have numbers of. "
    "Accounts without any number are not judged. Otherwise export the account; `tiktok-assets status` says what."
)


def build_freshness_check(lake: Lake, roster: Roster) -> dg.AssetChecksDefinition:
    """The check that ``refresh_reports`` runs after runs that changed tables, and once a day."""

    @dg.asset_check(
        name=PROMISE,
        asset=["warehouse", "social_media_stats"],
        description=_DESCRIPTION,
        required_resource_keys={RUN_LIFE},
    )
    @reports_failures
    def is_fresh() -> dg.AssetCheckResult:
        return freshness_result(freshness(lake.settings, roster, clock.now()))

    return is_fresh


def freshness_result(found: list[Freshness]) -> dg.AssetCheckResult:
    """``found``: of every account with numbers, latest first."""
    rows = [(one.account, one.last, one.days_behind) for one in found[:SHOWN]]
    table = pl.DataFrame(rows, ["account", "numbers end on", "days behind"], orient="row")
    facts = {
        "accounts_judged": len(found),
        "accounts_late": sum(one.is_late for one in found),
        **({"accounts": dg.MetadataValue.md(markdown_table(table))} if rows else {}),
    }
    return evaluation(PROMISE, None, {one.account: f"{one}" for one in found if one.is_late}, facts=facts)
